"""The options that every subcommand of the command has, and why one of them has no meaning for some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import UsageError
from ...terminal import detail, display

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

QUIET: Final = "--quiet"
VERBOSE: Final = "--verbose"
_NO_PROJECT: Final = {
    "demo": "it makes a scratch project of its own",
    "completion": "it tells of the command, and looks at no project",
}
_NO_STORE: Final = {
    **_NO_PROJECT,
    "install": "it puts programs into a project, and touches no store",
    "uninstall": "it takes programs out of a project, and touches no store",
}
WITHOUT: Final[Mapping[str, Mapping[str, str]]] = {
    "--project": _NO_PROJECT,
    "--storage-dir": _NO_STORE,
    "--json": {
        **_NO_PROJECT,
        "log": "it prints JSON lines as they are",
        "export": "with --jsonl it prints JSON lines",
    },
    QUIET: dict.fromkeys(
        (
            "search",
            "show",
            "explain",
            "log",
            "status",
            "stats",
            "gaps",
            "similar",
            "dashboard",
            "top",
            "demo",
            "completion",
        ),
        "it shows something, and does nothing besides",
    ),
    VERBOSE: {},
}
"""Each option, and the subcommands that are without it, with the reason: a sentence that begins with the subcommand."""


def add(parser: argparse.ArgumentParser, subcommand: str) -> None:
    """``--quiet`` and ``--verbose``; the others are the subcommand's own, with what they mean there."""
    if subcommand not in WITHOUT[QUIET]:
        told = "say nothing where all goes well; else all of it, on standard error (--json is printed)"
        parser.add_argument(QUIET, action="store_true", help=told)
    told = "say on standard error which store is used, how long it took, and what a failure rests on"
    parser.add_argument(VERBOSE, action="store_true", help=told)


def refuse(subcommand: str, unknown: Sequence[str]) -> None:
    """Raise :class:`UsageError` for one of these options where it has no meaning, with the reason."""
    for option in (word.partition("=")[0] for word in unknown):
        reason = WITHOUT.get(option, {}).get(subcommand)
        if reason is not None:
            raise UsageError(f"{option} has no meaning for '{subcommand}': {reason}")


def begin(asked: argparse.Namespace) -> None:
    """Be as quiet, or as verbose, as ``asked``. ``run`` leaves it to the child that it starts, whose words are the report."""
    if not getattr(asked, "no_status", True):
        return
    if asked.quiet:
        display.hold()
    if asked.verbose:
        detail.begin()
