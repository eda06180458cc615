"""``export-dedup``: one command with a subcommand for everything there is."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from ... import __version__
from ...errors import EXIT_OK, EXIT_USAGE, UsageError
from ...terminal import called, detail, display
from ...terminal.display import show
from . import table
from .choice import chosen
from .nearest import guess

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE: Final = "usage: export-dedup SUBCOMMAND [ARGUMENT…]      (each has --help)"
_HELP: Final = ("-h", "--help", "help")


def main(arguments: Sequence[str]) -> int:
    """Run the subcommand that is named; returns its exit code. Without one: what there is, and 2, for nothing was done."""
    called.by_command()
    name, rest = chosen(arguments, table.SUBCOMMANDS)
    if name:
        return _finished(table.module_of(name), rest)
    first = arguments[0] if arguments else ""
    if first == "--version":
        show(f"{called.COMMAND} {__version__}")
        return EXIT_OK
    if not arguments or first in _HELP:
        show(help_text())
        return EXIT_OK if arguments else EXIT_USAGE
    raise _unknown(first)


def _finished(subcommand: table.Command, arguments: Sequence[str]) -> int:
    """Its exit code. What ``--quiet`` kept back is for nobody where all went well; else it says what happened."""
    try:
        code = subcommand.main(arguments)
    except BaseException as failure:
        display.release(sys.stderr)
        detail.end(failure)
        raise
    if code == EXIT_OK:
        display.drop()
    display.release(sys.stderr)
    detail.end()
    return code


def help_text() -> str:
    """What the command does."""
    end = "Exit codes: 0 done, 1 a named failure, 2 usage, 3 unexpected (a log is named), 130 interrupted."
    return (
        f"{USAGE}\n\nKeeps every message of your Claude Code conversations exactly once.\n\n{table.listing()}\n\n{end}"
    )


def _unknown(word: str) -> UsageError:
    if word.startswith("-") and len(word) > 1:
        return UsageError(f"there is no option '{word}' before a subcommand{guess(word, ('--help', '--version'))}")
    if word and os.path.lexists(word):
        return UsageError(f"'{word}' is a file, and no subcommand", hint=f"Run: export-dedup import {word}")
    return UsageError(
        f"there is no subcommand '{word}'{guess(word, table.SUBCOMMANDS)}",
        hint=f"Subcommands: {', '.join(table.SUBCOMMANDS)}. Each has --help.",
    )
