"""What the log says, counted.

- *State*: everything that an index holds (``log_state``); a line is accounted for by ``apply``.
- *Conversation*: its rows, windows and forms (``conversation``); *row*: a fingerprint and where its line begins.
- *Table*: values by name, in memory or fetched from an index (``table``).
- *Body*: what a message says, carried by one line (``bodies``); *blob*: an image or a document of it (``blobs``).
- *Run at hand*: the lines read since the last commit record (``run_at_hand``).
"""
