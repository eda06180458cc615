"""Everything the user reads: pure functions of numbers. Nothing here opens a file.

- report: the texts of one command or step, a module for each; no text ends in a newline
- figures: the same numbers for ``--json`` (``as_dict``)
- notice: what hooks say (``hooks``)
"""
