"""Pure functions: the keys of a message, what is known and what is shown to a plan, the reading order.

- *fingerprint*: content hash and alignment key of a message, with its role, kind and length
- *columns*: the fingerprints of many messages, one list for each member
- *plan*: for each message shown the stored one that it is, or "new" (``plan``; its docstring has an example)
- *anchor*: a long message that occurs once on both sides, with a neighbour that agrees
- *seam*: where the end of one sequence stands at the beginning of the other
- *window*: what one export showed of a conversation; *reading order*: the merge of all windows
- *tombstone*: what recognises a message that was purged
"""
