"""The indexes, JSON and SQLite, behind one Protocol.

- *Index*: files that follow from the log and hold a state (``contract``).
- *Audit mark*: how far the file of audit lines goes.
- *Entry*: a value by kind and key in the database; *bucket*: entries under one checksum (``checked_entries``).
- *Head*: what an index has of a conversation besides its rows (``conversation_head``).
"""
