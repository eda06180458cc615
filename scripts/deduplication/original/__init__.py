"""State folders of the original project: read as conversations, and taken into a store.

- entry: a line of one of its two logs, a message with its hash and the time at which it was stored (``entries``)
- conversation log, pool: its logs, one by conversation, one of all messages that were seen, each once (``entries``)
- proof: that a message says what was hashed for it (``proof``)
- state: a folder that was looked through: which lines are which conversation, what is damaged, what is missing (``state``)
- claim: what the indexes of a folder say that its logs do not have (``claims``)
"""
