"""What the commands' arguments share: the options that name a store, and which one it is."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import StoreMissing, UsageError
from ..start.late_dataclass import dataclass
from ..terminal.called import as_called, command_line, slash_command
from .shell.parsing import EXIT_CODES, VERSION, Parser, since, until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..ingest.deduplicator import ClaudeConversationDeduplicator
    from ..project.paths import Project

__all__ = [
    "EXIT_CODES",
    "VERSION",
    "Parser",
    "since",
    "until",
]  # with what is below all that a command's arguments need
_NAMED: Final = "named by --storage-dir"
_OF_PROJECT: Final = "in the project"
_OWN: Final = "your own store: the project did not opt in"


def add_project(parser: argparse.ArgumentParser) -> None:
    """``--project``."""
    parser.add_argument("--project", metavar="DIR", help="the project (default: found from the current folder upwards)")


def add_storage(parser: argparse.ArgumentParser) -> None:
    """``--project`` and ``--storage-dir``."""
    add_project(parser)
    parser.add_argument(
        "--storage-dir", metavar="D", help="the store's folder (default: MEMORY-CONTEXT/dedup_state in the project)"
    )


def add_store(parser: argparse.ArgumentParser) -> None:
    """``--project`` and the options that say where the store is, and how it is indexed."""
    add_storage(parser)
    add_backend(parser)


def add_encrypt_to(parser: argparse.ArgumentParser) -> None:
    """``--encrypt-to``, beside ``--seal``."""
    parser.add_argument(
        "--encrypt-to",
        metavar="KEY",
        action="append",
        default=[],
        help="who can open that file: a key of age or SSH, a file of such keys, or what gpg calls a key; may be given again",
    )


def add_quoted(parser: argparse.ArgumentParser) -> None:
    """``--quoted``, for who reads messages as data."""
    parser.add_argument(
        "--quoted",
        action="store_true",
        help="for an assistant: each line of a message behind >, each message named ID:NUMBER, nothing hidden in it",
    )


def add_backend(parser: argparse.ArgumentParser) -> None:
    """``--backend`` and ``--db-url``."""
    add = parser.add_argument
    add(
        "--backend",
        metavar="B",
        help="the kind of store: default, json (plain files: nothing sealed, content hashes as JSON), hybrid (a database has the "
        "log, too), postgresql (all of it in a database); sqlite is the default one (default: as the settings say)",
    )
    add(
        "--db-url",
        metavar="URL",
        type=database_address,
        help="the database of a hybrid or postgresql store: postgresql://USER@HOST/DATABASE. Others see it in the list of "
        "processes: better set EXPORT_DEDUP_DATABASE_URL, and leave the password to ~/.pgpass or a service file",
    )


def database_address(text: str, option: str = "--db-url") -> str:
    """The address of a database as it was passed (for ``type=``); a password in it is warned of on standard error."""
    from ..reports import workflow as report
    from ..storage.database.server import address_reader
    from ..terminal.display import show

    said = address_reader.exposure(text, option)
    if said:
        show(report.note(said), sys.stderr)
    return text


def store_folder(asked: argparse.Namespace) -> str:
    """The store's folder that :func:`add_storage`'s options name. A project that is named must exist, also beside a folder."""
    from ..project.paths import find_project

    if asked.storage_dir is None or asked.project is not None:
        project = find_project(asked.project)
    if asked.storage_dir is None:
        _say_store(asked, os.fspath(project.state), _OF_PROJECT)
        return os.fspath(project.state)
    if not asked.storage_dir:
        raise UsageError("--storage-dir is empty", hint="Pass the folder, or leave the option out.")
    _say_store(asked, asked.storage_dir, _NAMED)
    return str(asked.storage_dir)


def _say_store(asked: argparse.Namespace, folder: str, why: str) -> None:
    """Which store it is, where somebody wants to know."""
    if asked.verbose:
        from ..terminal import detail

        detail.say(f"store: {folder} ({why})")


def elsewhere(asked: argparse.Namespace, project: Project) -> str | None:
    """The folder that ``--storage-dir`` names, where that is another store than the project's own."""
    folder = store_folder(asked)
    return None if os.path.realpath(folder) == os.path.realpath(project.state) else folder


def archive_place(asked: argparse.Namespace) -> Project:
    """The place whose archive :func:`add_storage`'s options name: the one beside the store's folder, else the project's.

    Raises :class:`UsageError` for a store that lies by itself: it has no archive.
    """
    from ..accounting.storage_account import project_of
    from ..hooks.store_location import stored_at
    from ..project.paths import find_project

    if asked.storage_dir is None:
        return stored_at(find_project(asked.project))
    folder = store_folder(asked)
    if not is_store(folder):
        raise StoreMissing(folder)
    place = project_of(folder)
    if place is None:
        hint = "Its archive lies beside a store that is called MEMORY-CONTEXT/dedup_state."
        raise UsageError(f"a store that lies by itself has no archive: {folder}", hint=hint)
    return place


@dataclass(frozen=True)
class StorePlace:
    """A store's folder and why it is this one."""

    folder: str
    why: str


def store_to_read(asked: argparse.Namespace) -> StorePlace:
    """The store that a command looks into: the one named, the project's, or what the user's own store has of the project.

    The last one where the project did not opt in, and has no store: its sessions were captured there.
    """
    if asked.storage_dir is not None:
        return StorePlace(store_folder(asked), _NAMED)
    from ..hooks.store_location import store_of
    from ..project.paths import find_project

    project = find_project(asked.project)
    state, own = store_of(project)
    found = StorePlace(os.fspath(state), _OWN if own else _OF_PROJECT)
    _say_store(asked, found.folder, found.why)
    return found


def every_store(asked: argparse.Namespace) -> list[str]:
    """The store of :func:`store_to_read` and those in the user's own store, each once, those without a log left out."""
    from ..hooks.store_location import own_stores

    folders = {os.path.realpath(folder): folder for folder in [store_to_read(asked).folder, *own_stores()]}
    return [folder for folder in folders.values() if is_store(folder)]


def is_store(folder: str) -> bool:
    """True where a store was made in ``folder``, or something of one is left."""
    from ..project import paths

    return paths.is_store(folder)


def reader(asked: argparse.Namespace) -> tuple[ClaudeConversationDeduplicator, str]:
    """The deduplicator over the store to look into, and its folder. Raises ``StoreMissing`` where there is none."""
    from ..ingest.deduplicator import ClaudeConversationDeduplicator

    folder = store_to_read(asked).folder
    dedup = ClaudeConversationDeduplicator(folder, asked.backend, asked.db_url)
    if not _is_there(dedup, folder):
        raise StoreMissing(folder)
    return dedup, folder


def _is_there(dedup: ClaudeConversationDeduplicator, folder: str) -> bool:
    """Whether there is a store: in the folder, or, of a kind that lies elsewhere, with anything in it."""
    from ..storage.log_backed import folder_of

    return is_store(folder) if folder_of(dedup.store) is not None else bool(dedup.conversations())


def one_of(asked: str, known: Iterable[str]) -> str | None:
    """The id that is meant: ``asked``, or the only one that begins so; None for none. Raises ``ConversationUnclear``."""
    from ..ingest.conversation_choice import by_beginning

    return by_beginning(asked, known)


def shell_command(asked: argparse.Namespace, *subcommand: str) -> str:
    """How a subcommand is called for the same project and store: from a shell, or in the client, as this one was."""
    import shlex

    if slash_command():
        return as_called(f"deduplicate_export.py {shlex.join(subcommand)}")
    words = [*subcommand]
    if asked.project is not None:
        words += ["--project", asked.project]
    if asked.storage_dir is not None:
        words += ["--storage-dir", asked.storage_dir]
    return command_line(*words)


def print_json(answer: Mapping[str, Any]) -> None:
    """One JSON object on the screen, with our mark; ASCII, so that a name that is no valid Unicode suits every console."""
    import json

    from ..project.own_output import marked

    print(json.dumps(marked(answer)))


def whole_number(text: str) -> int:
    """A number of things: 0 or more (for ``type=``)."""
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def head_digits(text: str) -> str:
    """The head of a log, its first 16 digits at least (for ``type=``)."""
    if not 16 <= len(text) <= 64 or set(text.lower()) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError("a head has 64 hexadecimal digits, of which the first 16 are needed")
    return text.lower()


def deduplicator(asked: argparse.Namespace, *, existing: bool = False) -> ClaudeConversationDeduplicator:
    """The deduplicator over the store that :func:`add_store`'s options name.

    ``existing``: raise ``StoreMissing`` where there is no store. A mistyped folder is neither whole nor to be filled.
    """
    from ..ingest.deduplicator import ClaudeConversationDeduplicator
    from ..project.private_folder import secure
    from ..reports import workflow as report
    from ..terminal.display import show

    folder = store_folder(asked)
    # A folder that was named may be anything, a mistyped home for one: only the project's own is set right.
    for corrected in secure(Path(folder)) if asked.storage_dir is None else ():
        show(report.note(corrected), sys.stderr)
    dedup = ClaudeConversationDeduplicator(folder, asked.backend, asked.db_url)
    if existing and not _is_there(dedup, folder):
        raise StoreMissing(folder)
    return dedup
