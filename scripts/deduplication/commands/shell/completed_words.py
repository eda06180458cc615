"""What can stand on a command line, as the parsers know it: subcommands, options, and what follows each of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from ...errors import UsageError
from ...start.late_tuple import NamedTuple
from . import table

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES: Final = "files"
FOLDERS: Final = "folders"
NOTHING: Final = "nothing"
WORDS: Final = "words"
_FOLDERS: Final = frozenset({"DIR", "D"})
_FILES: Final = frozenset({"FILE", "F", "PATH", "O", "EXPORT", "TRANSCRIPT"})
"""How options and arguments call a value that is a file, or may be one."""


class Value(NamedTuple):
    """What an option or an argument takes: ``kind``, and the words where it takes one of some."""

    kind: str
    words: tuple[str, ...] = ()


class Option(NamedTuple):
    """``value`` is None for an option that stands by itself."""

    names: tuple[str, ...]
    help: str
    value: Value | None


class Words(NamedTuple):
    """A subcommand: its line of help, its options, and what its arguments are."""

    name: str
    help: str
    options: tuple[Option, ...]
    arguments: Value


def every() -> Iterator[Words]:
    """Each subcommand that this copy has. All modules of commands are imported for it."""
    for name, each in table.SUBCOMMANDS.items():
        try:
            parser = table.module_of(name).parser()
        except UsageError:
            continue  # in a project
        yield words_of(name, each.help, parser)


def words_of(name: str, told: str, parser: argparse.ArgumentParser) -> Words:
    """What a parser takes."""
    options, arguments = [], Value(NOTHING)
    for action in parser._actions:  # noqa: SLF001 - nothing public tells of them
        if action.help == argparse.SUPPRESS:
            continue
        if action.option_strings:
            value = None if action.nargs == 0 else _value(action)
            options.append(Option(tuple(action.option_strings), _help(parser, action), value))
        elif arguments.kind == NOTHING:
            arguments = _value(action)
    return Words(name, told, tuple(options), arguments)


def _value(action: argparse.Action) -> Value:
    if action.choices is not None:
        return Value(WORDS, tuple(map(str, action.choices)))
    named = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    return Value(FOLDERS if named in _FOLDERS else FILES if named in _FILES else NOTHING)


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """The first clause of the help, which fits beside an option."""
    shown = parser._get_formatter()._expand_help(action) if action.help else ""  # noqa: SLF001 - "%(default)s" becomes what it is
    return " ".join(shown.split()).partition(" (default")[0].partition(": ")[0].partition("; ")[0]
