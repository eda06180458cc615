"""Store and archive together: bytes seen against bytes on disk.

- *account*: what was read, what lies on the disk, and what saved the difference (``storage_account``); with archive and packs
  (``store_account``)
- *totals*: the figures of the whole store beside those of a run (``store_totals``)
- *last run*: the note that a run leaves of itself (``last_run``); *history*: the last of them, newest first (``run_history``)
"""
