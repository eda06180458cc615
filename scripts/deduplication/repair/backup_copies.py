"""Archived files as the backups of the store have them: plain ones, and what lies in the packs of a snapshot."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from ..backup import folder as folders
from ..backup import known
from ..backup.objects import Objects
from ..backup.source import ARCHIVE
from ..errors import DedupError
from ..files import atomic
from ..packs.pack_names import FOLDER
from ..packs.pack_set import opened_packs
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..backup.folder import Folder
    from ..backup.manifest import File, Snapshot

_PACKS = f"{ARCHIVE}/{FOLDER}/"


class InBackup(NamedTuple):
    """The bytes of a file, and the snapshot that has them."""

    data: bytes
    where: str


class BackupCopies:
    """Looks in every backup that the store in the folder ``state`` knows of and that is there, the newest snapshot first."""

    def __init__(self, state: str) -> None:
        self._state = state

    def find(self, wanted: set[bytes]) -> dict[bytes, InBackup]:
        """The files with these SHA-256, each proven by it; what cannot be read is passed over."""
        found: dict[bytes, InBackup] = {}
        with contextlib.suppress(DedupError):
            for path in known.known(self._state) if wanted else ():
                with contextlib.suppress(DedupError, OSError), folders.opened(path) as folder:
                    for name, data, where in _copies(folder, wanted):
                        found.setdefault(name, InBackup(data, where))
                        if found.keys() >= wanted:
                            return found
        return found


def _copies(folder: Folder, wanted: set[bytes]) -> Iterator[tuple[bytes, bytes, str]]:
    objects = Objects(folder.path)
    looked: set[tuple[str, ...]] = set()
    for name in reversed(folder.names()):
        with contextlib.suppress(DedupError):
            snapshot = folder.load(name)
            where = f"backup {folder.path}, snapshot {name.shown}"
            for sha256, data in _plain(objects, snapshot, wanted):
                yield sha256, data, where
            packs = [file for path, file in sorted(snapshot.files.items()) if path.startswith(_PACKS)]
            which = tuple(file.sha256 for file in packs)
            if packs and which not in looked:
                looked.add(which)
                for sha256, data in _packed(objects, packs, wanted):
                    yield sha256, data, where


def _plain(objects: Objects, snapshot: Snapshot, wanted: set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for path, file in snapshot.files.items():
        sha256 = bytes.fromhex(file.sha256)
        if sha256 in wanted and path.startswith(f"{ARCHIVE}/"):
            with contextlib.suppress(DedupError):
                yield sha256, b"".join(objects.read(part) for part in file.parts)


def _packed(objects: Objects, packs: list[File], wanted: set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """What the packs of a snapshot have, put together in a folder that goes again."""
    with tempfile.TemporaryDirectory(prefix="export-dedup-") as place:
        for file in packs:
            with contextlib.suppress(DedupError):  # without one of its packs a snapshot may still have the file
                data = b"".join(objects.read(part) for part in file.parts)
                atomic.replace(os.path.join(place, os.path.basename(file.path)), data, durable=False)
        with opened_packs(place) as opened:
            for sha256 in wanted:
                number = opened.file(sha256)
                with contextlib.suppress(DedupError):
                    if number >= 0:
                        yield sha256, b"".join(opened.restore(number))
