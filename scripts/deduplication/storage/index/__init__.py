"""The index of a store, the same at any size: sorted runs in one file, and a state that looks up what it needs.

- *Index*: a file that follows from the log and answers what a run asks (``index``, ``index_file``).
- *Audit mark*: how far the file of audit lines goes.
- *Entry*: a value by key in a table (``table_entries``); *run*: entries that were added together, sorted (``sorted_runs``).
- *Root*: what is read at each beginning, and names the runs that count (``root``, ``index_file``).
- *Head*: what an index has of a conversation besides its rows (``conversation_head``).
"""
