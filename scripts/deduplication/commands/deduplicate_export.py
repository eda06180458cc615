"""``deduplicate_export.py``: exports from the shell, and what keeps the store in order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol, cast

from ..errors import UsageError
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .arguments import Parser

SUBCOMMANDS: Final = (
    "verify",
    "rebuild",
    "log",
    "repair",
    "capture",
    "search",
    "show",
    "status",
    "doctor",
    "scan",
    "session",
    "pack",
    "restore",
    "stats",
    "explain",
    "export",
    "backup",
    "purge",
    "upgrade",
    "migrate",
    "sync",
    "unite",
    "partition",
    "trust",
)
_ROOMS: Final = {"migrate": "database.", "sync": "database."}
"""Where the module of a subcommand lies, if not here."""

_WORD: Final = late_pattern(r"[^\W\d_][\w-]*\Z")
"""What a subcommand looks like: no path, and no ending."""


class Command(Protocol):
    """What the module of a subcommand has."""

    def main(self, arguments: Sequence[str]) -> int:
        """Runs it; the exit code."""

    def parser(self) -> Parser:
        """What it takes."""


def main(arguments: Sequence[str]) -> int:
    """Run the subcommand that the first word names, else process exports; returns the exit code.

    Options may stand before the subcommand. A file that is called like one is passed as ``./verify``.
    """
    from . import deduplicate

    for at, word in enumerate(arguments):
        if word == "--":
            break
        if word in SUBCOMMANDS and _stands_first(word, arguments[:at]):
            return subcommand(word).main([*arguments[:at], *arguments[at + 1 :]])
    asked = deduplicate.parser().parse_args(arguments)
    if asked.exports:
        _check_word(asked.exports[0])
    return deduplicate.run(asked)


def subcommand(name: str) -> Command:
    """The module of a subcommand."""
    from importlib import import_module

    return cast("Command", import_module(f".{_ROOMS.get(name, '')}{name}", __package__))


def _stands_first(word: str, before: Sequence[str]) -> bool:
    """Whether ``before`` are options alone: those of the subcommand, or of the command where no file is called ``word``."""
    if not before:
        return True
    from . import deduplicate

    if subcommand(word).parser().is_all_options(before):
        return True
    return not os.path.lexists(word) and deduplicate.parser().is_all_options(before)


def _check_word(word: str) -> None:
    """Raise :class:`UsageError` for a word where a subcommand would stand that is none, and no file either."""
    if not _WORD.match(word) or os.path.lexists(word):
        return
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), SUBCOMMANDS, n=1)
    guess = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(
        f"there is no subcommand '{word}'{guess}, and no file of this name",
        hint=f"Subcommands: {', '.join(sorted(SUBCOMMANDS))}. Each has --help.",
    )
