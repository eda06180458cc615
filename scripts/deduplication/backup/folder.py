"""The folder that a backup is in: whose it is, which snapshots it has, and who may use it at the moment."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import BackupDamaged, BackupMissing, BackupRefused, StoreNotWritable
from ..files import anchored, atomic, beneath
from ..files.lock_names import LOCK
from ..files.locking import exclusive
from ..project.paths import BACKUP_MARKER
from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern
from . import manifest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from .manifest import Snapshot
    from .source import Source

SNAPSHOTS: Final = "snapshots"
IGNORE: Final = ".gitignore"
IGNORES_ALL: Final = b"# What was said may hold secrets: never committed.\n*\n"
RUNNING: Final = ".running"
"""There while a backup is made: what a killed one left behind is removed by the next."""
_NAME: Final = late_pattern(r"(\d{6,})-(\d{8}T\d{6}Z)\.jsonl\Z", re.ASCII)
_DATE: Final = 8
"""Digits of a date: what is shorter is a snapshot's number."""
_OURS: Final = late_pattern(
    rf"{re.escape(LOCK)}|{re.escape(IGNORE)}|{BACKUP_MARKER}\.\d+\.tmp|{re.escape(IGNORE)}\.\d+\.tmp"
)


@dataclass(frozen=True)
class Name:
    """A snapshot's number and time (``20261122T231720Z``), as its file's name has them."""

    number: int
    time: str

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.shown}.jsonl"

    @property
    def shown(self) -> str:
        """How it is called."""
        return f"{self.number:06d}-{self.time}"


class Folder:
    """A backup that is there, held by this process (see :func:`claimed` and :func:`opened`)."""

    def __init__(self, path: str) -> None:
        self.path = path

    def at(self, *names: str) -> str:
        """A place in it."""
        return os.path.join(self.path, *names)

    def begin(self) -> bool:
        """Mark that objects are written or removed; True where one who did so before was stopped. Raises ``StoreNotWritable``."""
        stopped = os.path.lexists(self.at(RUNNING))
        atomic.replace(self.at(RUNNING), b"")
        return stopped

    def end(self) -> None:
        """Take the mark away. Raises ``StoreNotWritable``."""
        with atomic.write_errors(self.path):
            beneath.unlink(self.at(RUNNING))

    def names(self) -> list[Name]:
        """Every snapshot, the oldest first, by name alone."""
        try:
            listed = os.listdir(self.at(SNAPSHOTS))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BackupDamaged(f"{SNAPSHOTS}: {error.strerror or error}") from error
        return sorted(
            (Name(int(match[1]), match[2]) for match in map(_NAME.match, listed) if match), key=lambda n: n.number
        )

    def load(self, name: Name) -> Snapshot:
        """A snapshot. Raises :class:`BackupDamaged` where its file is not what was written."""
        shown = f"{SNAPSHOTS}/{name.file}"
        try:
            with atomic.open_regular(self.at(SNAPSHOTS, name.file)) as file:
                data = file.read()
        except OSError as error:
            raise BackupDamaged(f"{shown}: {error.strerror or error}") from error
        snapshot = manifest.decode(data, shown)
        if snapshot.number != name.number:
            raise BackupDamaged(f"{shown}: it is snapshot {snapshot.number} under another name")
        return snapshot

    def find(self, asked: str) -> Snapshot:
        """The snapshot with this number, or whose time or name begins so; the newest where nothing is asked.

        Of several that begin so it is the newest. Raises :class:`BackupMissing`, :class:`BackupDamaged`.
        """
        plain = asked.partition(".")[0].replace("-", "").replace(":", "")
        for name in reversed(self.names()):
            number = asked.isdecimal() and len(asked) < _DATE and int(asked) == name.number
            if (
                not asked
                or number
                or name.shown.startswith(asked)
                or (len(plain) >= _DATE and name.time.startswith(plain))
            ):
                return self.load(name)
        raise BackupMissing(f"{self.path} has no snapshot {asked or 'yet'}".rstrip())

    def newest(self) -> Optional[Snapshot]:
        """The last snapshot that can be read."""
        for name in reversed(self.names()):
            with contextlib.suppress(BackupDamaged):
                return self.load(name)
        return None

    def store(self) -> str:
        """The id of the store whose backup it is. Raises :class:`BackupDamaged` where nothing tells."""
        try:
            with atomic.open_regular(self.at(BACKUP_MARKER)) as file:
                return str(manifest.unseal(file.read(), BACKUP_MARKER)[0]["store"])
        except (OSError, KeyError, BackupDamaged) as error:
            newest = self.newest()
            if newest is None:
                raise BackupDamaged(f"{BACKUP_MARKER}: it does not say whose backup this is") from error
            return newest.store

    def id(self) -> str:
        """What tells this backup from others, wherever its disk is; empty for one of an earlier version."""
        try:
            with atomic.open_regular(self.at(BACKUP_MARKER)) as file:
                return str(manifest.unseal(file.read(), BACKUP_MARKER)[0].get("id", ""))
        except (OSError, BackupDamaged):
            return next((str(head.get("backup", "")) for head in map(self.head, reversed(self.names())) if head), "")

    def head(self, name: Name) -> dict[str, Any]:
        """The first line of a snapshot's file as it is, unproven; empty where it cannot be read."""
        try:
            with atomic.open_regular(self.at(SNAPSHOTS, name.file)) as file:
                head = json.loads(file.readline())
        except (OSError, ValueError, RecursionError):
            return {}
        return head if isinstance(head, dict) else {}

    def purges(self, name: Name) -> set[str]:
        """The purges that the store had had when a snapshot was taken; none where nothing tells."""
        found = self.head(name).get("purges")
        return set(map(str, found)) if isinstance(found, list) else set()

    def all_purges(self) -> set[str]:
        """Every purge that any snapshot was taken after."""
        return set().union(*(self.purges(name) for name in self.names()))

    def before(self, purges: Collection[str]) -> list[Name]:
        """The snapshots that were taken before one of these purges, or may have been: they may have what was purged."""
        return [name for name in self.names() if not self.purges(name).issuperset(purges)] if purges else []

    def lacking(self, purges: Sequence[str]) -> list[str]:
        """Those of ``purges`` that one of the snapshots was taken before."""
        found = [self.purges(name) for name in self.names()] if purges else []
        return [purge for purge in purges if any(purge not in each for each in found)]

    def mark(self, store: str, backup: str = "") -> None:
        """Say whose backup it is, and which one (empty: what it is called already, or a new id)."""
        name = backup or self.id() or new_id()
        head = {"format": manifest.FORMAT, "version": manifest.VERSION, "store": store, "id": name}
        atomic.replace(self.at(BACKUP_MARKER), manifest.seal([head]))

    def clear(self) -> None:
        """Remove what killed processes left beside the parts."""
        for folder in (self.path, self.at(SNAPSHOTS)):
            atomic.remove_temporaries(folder)


def refuse(source: Source, path: str) -> None:
    """Raise :class:`BackupRefused` for a folder that would be part of what it keeps, or the other way round."""
    for own in filter(None, (source.memory, source.state, source.archive and os.path.realpath(source.archive))):
        if _within(path, own):
            raise BackupRefused(f"{path} lies in {own}, which is what is to be kept")
        if _within(own, path):
            raise BackupRefused(f"{path} holds {own}, which is what is to be kept")


@contextlib.contextmanager
def claimed(path: str, store: str) -> Iterator[Folder]:
    """The backup of the store with this id in the folder ``path`` (absolute), begun there where there is nothing yet.

    Raises :class:`BackupRefused` where there is something else, ``StoreLocked``, ``StoreNotWritable``.
    """
    anchored.anchor(path, new=False)
    with atomic.write_errors(path):
        foreign = os.path.lexists(path) and (not os.path.isdir(path) or not (is_backup(path) or _unused(path)))
        if foreign:
            raise BackupRefused(f"{path} holds something else")
        atomic.make_private_directory(path)
    with exclusive(os.path.join(path, LOCK)):
        folder = Folder(path)
        if is_backup(path) and folder.store() != store:
            raise BackupRefused(
                f"{path} has the backup of another store",
                hint="Pass another folder, each store has its own; 'backup DIR --restore' reads this one.",
            )
        folder.clear()
        if not ignored(folder):
            atomic.replace(folder.at(IGNORE), IGNORES_ALL)
        if not marked(folder) or not folder.id():
            folder.mark(store)
        with atomic.write_errors(path):
            atomic.make_private_directory(folder.at(SNAPSHOTS))
        yield folder


@contextlib.contextmanager
def opened(path: str) -> Iterator[Folder]:
    """The backup in the folder ``path``, to read it: nothing need be writable. Raises :class:`BackupMissing`."""
    if not is_backup(path):
        raise BackupMissing(
            path, hint="Check the folder: it is the one that was passed to 'deduplicate_export.py backup'."
        )
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(StoreNotWritable):
            stack.enter_context(exclusive(os.path.join(path, LOCK)))
        yield Folder(path)


def new_id() -> str:
    """An id for a backup."""
    return secrets.token_hex(16)


def is_backup(path: str) -> bool:
    """Whether there is a backup in this folder, or what is left of one."""
    return os.path.lexists(os.path.join(path, BACKUP_MARKER)) or bool(
        Folder(path).names() if os.path.isdir(path) else ()
    )


def marked(folder: Folder) -> bool:
    """Whether the file that says whose backup it is is whole."""
    try:
        with atomic.open_regular(folder.at(BACKUP_MARKER)) as file:
            return "store" in manifest.unseal(file.read(), BACKUP_MARKER)[0]
    except (OSError, BackupDamaged):
        return False


def ignored(folder: Folder) -> bool:
    """Whether the rule that keeps git away from everything in it is whole."""
    try:
        with atomic.open_regular(folder.at(IGNORE)) as file:
            return file.read(len(IGNORES_ALL) + 1) == IGNORES_ALL
    except OSError:
        return False


def _unused(path: str) -> bool:
    """Empty, or just begun by a process that was killed."""
    return all(_OURS.fullmatch(name) for name in os.listdir(path))


def _within(path: str, folder: str) -> bool:
    return os.path.normcase(os.path.join(path, "")).startswith(os.path.normcase(os.path.join(folder, "")))
