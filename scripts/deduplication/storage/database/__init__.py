"""A store in PostgreSQL: the same log, line by line, in tables, and what follows from it beside. Needs the extra ``postgresql``.

- *owner*: a user of the database; each has one log, whose lines are addressed by their byte offset, as in files
- *session*: a connection for one transaction of the store, under the owner's lock where something is written (``session``)
- *row*: an occurrence: its line, and in columns what the line says (``message_rows``)
- *entry*: what an index in files has besides rows (``stored_tables``)
- *migration*: a numbered step of the tables (``schema``)
"""
