"""Everything that the command does: each subcommand once. Help, completion, guesses and the documents are made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

from ...errors import UsageError
from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence


class Subcommand(NamedTuple):
    """``module`` lies in ``commands``; ``script`` is the entry script that does the same, for a subcommand of its own or not."""

    name: str
    help: str
    module: str
    script: str = "deduplicate_export.py"


class Group(NamedTuple):
    """Subcommands that belong together."""

    title: str
    subcommands: tuple[Subcommand, ...]


class Command(Protocol):
    """What the module of a subcommand has."""

    def main(self, arguments: Sequence[str]) -> int:
        """Runs it; the exit code."""

    def parser(self) -> argparse.ArgumentParser:
        """What it takes."""


TOOL: Final = "deduplicate_export.py"
"""The entry script that has most of the subcommands, too."""
INSTALLER: Final = "install.sh"

GROUPS: Final = (
    Group(
        "every day",
        (
            Subcommand(
                "run", "find new exports: store, archive, checkpoint, report", "run", "export-dedup-with-status.py"
            ),
            Subcommand("import", "store the messages of export files, which stay where they are", "deduplicate", ""),
            Subcommand("capture", "store the client's own transcripts", "capture"),
            Subcommand(
                "checkpoint", "a checkpoint document, and its commit", "create_checkpoint", "create-checkpoint.py"
            ),
        ),
    ),
    Group(
        "find and read",
        (
            Subcommand("search", "find messages", "search"),
            Subcommand("show", "list the conversations, read one of them", "show"),
            Subcommand("session", "sessions as files that people read", "session"),
            Subcommand("rename", "what a conversation is called", "titles.rename"),
            Subcommand("tag", "words to find a conversation by", "titles.tag"),
            Subcommand("explain", "why a message of an export is new, or which one it is", "explain"),
            Subcommand("similar", "what says nearly the same in several places", "similar"),
            Subcommand("export", "messages and runs as tables for your own tools", "export"),
            Subcommand("log", "the log itself, line by line, with everything in it", "log"),
        ),
    ),
    Group(
        "look after it",
        (
            Subcommand("status", "the last runs", "status"),
            Subcommand("stats", "bytes seen, stored and saved; what the runs came to", "stats"),
            Subcommand("dashboard", "the store in a browser, on this machine", "monitoring.dashboard"),
            Subcommand("report", "what the dashboard shows, as one file", "monitoring.report"),
            Subcommand("top", "captures, hooks and runs as they happen", "monitoring.top"),
            Subcommand("doctor", "is everything in order?", "doctor"),
            Subcommand("alerts", "what needs attention, and where it is sent", "monitoring.alerts"),
            Subcommand("gaps", "what is missing, and what would still fill it", "monitoring.gaps"),
            Subcommand("verify", "check every byte", "verify"),
            Subcommand("repair", "make whole what is damaged", "repair"),
            Subcommand("rebuild", "the indexes anew from the log", "rebuild"),
            Subcommand("pack", "archived exports into packs", "pack"),
            Subcommand("restore", "archived exports back, byte for byte", "restore"),
            Subcommand("backup", "snapshots in another folder, and back", "backups.backup"),
            Subcommand("upgrade", "what an earlier version wrote, in the format of today", "upgrade"),
        ),
    ),
    Group(
        "privacy",
        (
            Subcommand("scan", "what would be redacted", "scan"),
            Subcommand("purge", "remove something for good", "purge"),
            Subcommand("trust", "settings of the project that wait for your approval", "trust"),
        ),
    ),
    Group(
        "another kind of store",
        (
            Subcommand("migrate", "a store moved to another kind, and proven", "database.migrate"),
            Subcommand("relink", "what is kept of a project that was moved or renamed", "titles.relink"),
            Subcommand("unite", "what another machine has of a store, taken in", "unite"),
            Subcommand("sync", "a store and its database, brought together", "database.sync"),
            Subcommand("partition", "the messages of a database in parts", "database.partition"),
        ),
    ),
    Group(
        "set up",
        (
            Subcommand("install", "into a project: scripts, slash commands, hooks", "setup.install", INSTALLER),
            Subcommand("uninstall", "out of a project again; your data stays", "setup.uninstall", INSTALLER),
            Subcommand("demo", "the whole job on three sample exports, in a scratch project", "setup.demo", INSTALLER),
            Subcommand("completion", "what bash, zsh or fish complete", "completion", ""),
        ),
    ),
)

SUBCOMMANDS: Final = {each.name: each for group in GROUPS for each in group.subcommands}
OF_THE_TOOL: Final = tuple(name for name, each in SUBCOMMANDS.items() if each.script == TOOL)
"""Those that ``deduplicate_export.py`` has, too."""


def module_of(name: str) -> Command:
    """The module of a subcommand. Raises :class:`UsageError` where this copy has none: one in a project has no installer."""
    from importlib import import_module

    room = __package__.rpartition(".")[0]
    try:
        return cast("Command", import_module(f"{room}.{SUBCOMMANDS[name].module}"))
    except ModuleNotFoundError as error:
        if SUBCOMMANDS[name].script != INSTALLER or not f"{error.name}".startswith(room.partition(".")[0]):
            raise
        hint = "Run install.sh of a checkout, or the export-dedup that pip installed."
        raise UsageError(f"this copy of export-dedup lies in a project, and has no '{name}'", hint=hint) from error


def listing(names: Iterable[str] = SUBCOMMANDS) -> str:
    """Groups of subcommands, each with its line of help."""
    wanted = set(names)
    width = max(map(len, SUBCOMMANDS)) + 2
    lines: list[str] = []
    for group in GROUPS:
        chosen = [each for each in group.subcommands if each.name in wanted]
        lines += [f"\n{group.title}:"] if chosen else []
        lines += [f"  {each.name:<{width}}{each.help}" for each in chosen]
    return "\n".join(lines).lstrip("\n")
