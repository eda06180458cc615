"""What a conversation is called: the title its user set, else the client's, else one made of its first prompt; and its words.

- what was said of it, by whom and when, as the log has it (``said``)
- *title*: one line that may be shown anywhere, with secrets redacted (``title``)
- *slug*: the same as part of the name of a file (``slug``)
- all of it for one conversation of a store (``naming``), for one that is being looked for (``chosen``)
"""
