"""The append-only log as bytes: lines, sealing, bit flips, salvage.

- *Line*: one JSON object with its own checksum (``lines``); *record*: what it says (``records``).
- *Occurrence*, *tombstone*, *same record*, *commit record*: the kinds of lines.
- *Open part*: the file that grows; *sealed file*: compressed lines before it, never changed (``sealed``).
- *Segment*: one sealed file; *block*: what is decompressed of it at a time (``sealed_files``).
"""
