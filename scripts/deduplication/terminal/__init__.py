"""What reaches a screen, and how a child process is run.

- console: printable text, UTF-8 where it can be had, colour where it is welcome (``console``)
- display: a report fitted to the width and the characters of a console (``display``, ``truncation``, ``progress``)
- child process: run with its output read as it comes, and signals handed on (``child_process``, ``forked``, ``child_output``)
"""
