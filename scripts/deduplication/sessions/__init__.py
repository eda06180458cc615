"""What people read of a conversation: session files in Markdown, one page of HTML, a JSON document.

- *reading*: a conversation in reading order, with the marks between its messages (``conversation``)
- *blocks*: what a message says, whatever source it came from (``content``)
- *part*: one file of a session that has several; *footer*: its end, which proves the rest (``parts``, ``footer``)
- *session file*: Markdown that grows turn by turn and is never made anew where nothing above changed (``session_file``)
- *full document*: a conversation in one piece, as Markdown, HTML or JSON (``full_document``)
- *facts*: when, how much of what, from which sources, and what may be missing (``facts``, ``evidence``)
- *cleaner*: takes secrets out of every text before it is written (``redaction``, ``deferred_redaction``)
"""
