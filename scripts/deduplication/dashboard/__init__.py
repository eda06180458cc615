"""A store in a browser: panels that follow it, a search, a reader of conversations. Needs the extra ``dashboard``.

- *subject*: the store that is looked at, lent to one thread at a time (``subject``)
- *source*: what one panel shows, and how to tell that it changed (``sources``); *board*: the panels as they are (``board``)
- *drawing*: templates, in which everything is escaped (``drawing``)
- *access*: who may look: token, cookie, host, origin, rate (``access``, ``origins``, ``rates``)
- *application*: addresses and answers (``application``); *serving*: the process that gives them (``serving``)
- *reader*, *searching*: a conversation in pages, and hits; *document*: all panels as one file
"""
