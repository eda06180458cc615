"""``deduplicate_export.py``: exports from the shell, and what keeps the store in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SUBCOMMANDS: Final = (
    "verify",
    "rebuild",
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
    "backup",
    "purge",
)


def main(arguments: Sequence[str]) -> int:
    """Run the subcommand that the first argument names, else process exports; returns the exit code.

    A file that is called like a subcommand is passed as ``./verify``.
    """
    name = arguments[0] if arguments else ""
    if name in SUBCOMMANDS:
        return _subcommand(name)(arguments[1:])
    from . import deduplicate

    return deduplicate.main(arguments)


def _subcommand(name: str) -> Callable[[Sequence[str]], int]:
    from importlib import import_module

    command: Callable[[Sequence[str]], int] = import_module(f".{name}", __package__).main
    return command
