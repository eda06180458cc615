"""``deduplicate_export.py``: exports from the shell, and what keeps the store in order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..errors import UsageError
from ..start.late_pattern import late_pattern
from .shell import table
from .shell.choice import chosen, is_all_options
from .shell.nearest import guess

if TYPE_CHECKING:
    from collections.abc import Sequence

SUBCOMMANDS: Final = table.OF_THE_TOOL
_WORD: Final = late_pattern(r"[^\W\d_][\w-]*\Z")
"""What a subcommand looks like: no path, and no ending."""


def main(arguments: Sequence[str]) -> int:
    """Run the subcommand that the first word names, else process exports; returns the exit code.

    Options may stand before the subcommand. A file that is called like one is passed as ``./verify``.
    """
    from . import deduplicate

    name, rest = chosen(arguments, SUBCOMMANDS, _no_file)
    if name:
        return table.module_of(name).main(rest)
    asked = deduplicate.parser().parse_args(arguments)
    if asked.exports:
        _check_word(asked.exports[0])
    return deduplicate.run(asked)


def _no_file(word: str, before: Sequence[str]) -> bool:
    """Whether options of the command itself may stand before a subcommand: where no file is called like it."""
    from . import deduplicate

    return not os.path.lexists(word) and is_all_options(deduplicate.parser(), before)


def _check_word(word: str) -> None:
    """Raise :class:`UsageError` for a word where a subcommand would stand that is none, and no file either."""
    if not _WORD.match(word) or os.path.lexists(word):
        return
    raise UsageError(
        f"there is no subcommand '{word}'{guess(word, SUBCOMMANDS)}, and no file of this name",
        hint=f"Subcommands: {', '.join(sorted(SUBCOMMANDS))}. Each has --help.",
    )
