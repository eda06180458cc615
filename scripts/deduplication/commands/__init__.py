"""One function a subcommand; each returns an exit code.

- subcommand: a module with ``main`` and ``parser``; ``deduplicate_export`` has the table of them
- entry: what every script goes through, from errors to the exit code (``entry``)
- arguments: options that several subcommands have, and the project and store that they mean (``arguments``)
"""
