"""What is missing of the conversations, and what soon will be: found in the store and in the client's own files, never guessed.

- *gap*: what is missing in one place, since when, how sure that is, what would still fill it (``gap``); all of them (``found``)
- *look*: everything that can be asked, of a store or of one conversation (``look``)
- *sequence*: jumps of source indexes, compactions without overlap, stretches that nothing ties together (``sequences``)
- *hidden lines*: what the client left out of exports (``hidden_lines``)
"""
