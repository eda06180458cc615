"""What is damaged, what that costs, and how it is made whole: the log from the archive, the archive from other copies.

- finding: one damage, with what it costs and what has it otherwise (``damage``)
- evidence: what can be told of the log before it is mended: whole lines, commit records, an index, archived files (``evidence``)
- raw source: a file of the archive as the runs of the log read it (``raw_sources``)
- remains: what is left of a run of which lines are damaged (``run_remains``, ``partial_lines``)
- rerun: the same export processed again against the store as it was then (``rerun``); believed where it agrees with the remains
- repaired log: the lines that the log must have (``log_repair``, ``run_lines``); written by ``log_files``
- other copy: the bytes of an archived file in a backup, with the client, or lying about (``other_copies``, ``backup_copies``),
  or in the database that a store shares (``shared_copies``)
"""
