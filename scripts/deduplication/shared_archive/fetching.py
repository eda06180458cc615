"""Objects of a database as files, each proven by its SHA-256: kept beside the archive, another owner's in a temporary folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from ..errors import ArchiveDamaged, StoreNotWritable
from ..files import atomic, beneath
from . import team_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.database.archive_tables import ArchiveTables, Part
    from .archive_state import Held


class Fetcher:
    """Fetches into ``folder``. ``team``: the folder that the settings name; ``problems`` tell of objects that are damaged."""

    def __init__(self, tables: ArchiveTables, folder: str, team: str) -> None:
        self._tables, self._folder = tables, folder
        self._team = team
        self.problems: list[str] = []

    def fetch(self, held: Held, host: str) -> str:
        """The path of a file with these bytes. Of a pack that is damaged, with what is left of it: its parity may do.

        Raises :class:`ArchiveDamaged` where nothing is left.
        """
        path = os.path.join(self._folder, held.sha256 + os.path.splitext(held.name)[1])
        if _sha256(path) == held.sha256:
            return path
        with atomic.write_errors(self._folder):
            atomic.make_private_directory(self._folder)
        fault = self._write(held, path)
        if not fault:
            return path
        told = f"{held.name} of the archive on {host}: {fault}"
        if held.stays:
            told = f"{held.name} lies on {host} alone: it is too large for the database, and no folder is named for such files"
        damaged = path + ".damaged"
        if held.stays or not held.name.endswith(".pack") or not os.path.lexists(damaged):
            raise ArchiveDamaged(told, hint="Run 'sync' there: it sends what is damaged once more.")
        self.problems.append(told)
        return damaged

    def bytes_of(self, held: Held, host: str) -> bytes:
        """The bytes of a small object. Raises :class:`ArchiveDamaged`."""
        with atomic.open_regular(self.fetch(held, host)) as file:
            return file.read()

    def close(self) -> None:
        """Let go of what was damaged: it is asked for again."""
        with contextlib.suppress(OSError):
            for name in os.listdir(self._folder):
                if name.endswith(".damaged"):
                    beneath.unlink(os.path.join(self._folder, name))

    def _write(self, held: Held, path: str) -> str:
        """Write a file to ``path``, or beside it where it is not whole; what is wrong with it, empty where nothing is."""
        fault = ""
        with contextlib.suppress(_NotWhole), atomic.replacing(path) as descriptor:
            digest = hashlib.sha256()
            for data, wrong in self.parts(held):
                fault = fault or wrong
                digest.update(data)
                atomic.write_all(descriptor, data)
            if digest.hexdigest() == held.sha256:
                return ""
            fault = fault or "its bytes are not those that were sent"
            if os.fstat(descriptor).st_size == held.size and not fault.startswith("nothing"):
                _copy(descriptor, path + ".damaged")
            raise _NotWhole
        return fault

    def parts(self, held: Held) -> Iterator[tuple[bytes, str]]:
        """The bytes of an object, part by part, with what is wrong with each; zeros in the place of a part that is lost."""
        rows = self._tables.parts(held.object)
        folders = [row.place for row in rows if row.place]
        if folders:
            some = False
            for data in team_folder.parts_of([each for each in (self._team, *folders) if each], held.sha256):
                some = True
                yield data, ""
            if not some:
                yield b"", f"nothing of it is in {' or '.join(filter(None, (self._team, *folders)))}"
            return
        if not rows:
            yield b"", "nothing of it is in the database"
        yield from self._from_rows(held, {row.number: row for row in rows})

    def _from_rows(self, held: Held, rows: dict[int, Part]) -> Iterator[tuple[bytes, str]]:
        size = max((row.size for row in rows.values()), default=0)
        left = held.size if rows else 0
        number = 0
        while left > 0:
            wanted = min(size, left)
            data = self._tables.data(held.object, number) if number in rows else b""
            right = number in rows and hashlib.sha256(data).hexdigest() == rows[number].sha256
            wrong = "" if right else f"its part {number} is {'damaged' if number in rows else 'gone'} in the database"
            yield (data if len(data) == wanted else bytes(wanted)), wrong
            left -= wanted
            number += 1


class _NotWhole(Exception):
    """It does not get its name."""


def _copy(descriptor: int, path: str) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with contextlib.suppress(StoreNotWritable), atomic.replacing(path) as copy:
        while part := os.read(descriptor, 1 << 20):
            atomic.write_all(copy, part)


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with contextlib.suppress(OSError), atomic.open_regular(path) as file:
        while part := file.read(1 << 20):
            digest.update(part)
        return digest.hexdigest()
    return ""
