"""Messages and runs as tables for a team's own tools: JSON lines, CSV, Parquet.

- table: a name and its columns, the same in every form (``columns``); ``docs/tables.md`` says what each of them is
- row: one message or one run, its values in the order of the columns (``message_rows``, ``run_rows``)
- choice: which conversations and which time (``choice``)
- form: how rows become bytes (``json_lines``, ``csv_lines``, ``parquet``); ``output`` writes them, whole or not at all
"""
