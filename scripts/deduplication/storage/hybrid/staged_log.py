"""A log that goes on otherwise from some byte on, made beside the old one with an index of its own; it takes its place in one step.

It may take minutes to make. Nobody waits for that: the store's lock is held to copy what stays, and to let it take its place.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from ...errors import StoreDamaged
from ...files import atomic, beneath, folder_swap, journal
from ...project.paths import AUDIT, INDEX, INDEX_SENT, LOG_NAME, WATERMARKS
from ..index.index_file import IndexFile
from ..index.sorted_runs import IndexDamaged
from ..indexed_log import IndexedLog
from ..log.append_log import Log
from ..log.archived_files import ArchivedFiles
from ..log.lines import BEGINNING
from ..log.sealed_files import FOLDER as SEALED
from ..log.strays import strays_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..state.blobs import Blobs

STAGE: Final = "exchange.stage"
"""The folder in the store's in which it is made."""
_PART: Final = 1024 * 1024
"""Bytes of lines that are written at a time."""


class StagedLog:
    """For the store in ``folder``. One process at a time makes one."""

    def __init__(self, folder: str) -> None:
        self._store = folder
        self.folder = os.path.join(folder, STAGE)
        self._indexed: IndexedLog | None = None
        self.blobs: set[str] = set()
        """Images and documents that it refers to and that the store had when it was made: to be there when it takes the place."""

    @property
    def size(self) -> int:
        """Bytes of it."""
        return self._indexed.state.size if self._indexed else 0

    @property
    def head(self) -> str:
        """Its head."""
        return self._indexed.state.head if self._indexed else BEGINNING

    @property
    def log(self) -> IndexedLog:
        """The log and its index, once it was begun."""
        assert self._indexed is not None
        return self._indexed

    def begin(self, old: Log, start: int) -> None:
        """Take over what stands before byte ``start`` of the store's log, the end of a run; whoever calls this holds its lock.

        Raises ``StoreNotWritable``, ``StoreDamaged``.
        """
        self.discard()
        sealed = [segment for segment in old.sealed.segments if segment.end <= start]
        with atomic.write_errors(self.folder):
            atomic.make_private_directory(os.path.join(self.folder, SEALED))
        for segment in sealed:
            folder_swap.keep_copy(segment.path, os.path.join(self.folder, SEALED, os.path.basename(segment.path)))
        end = sealed[-1].end if sealed else 0
        log = Log(os.path.join(self.folder, LOG_NAME), ArchivedFiles(self._store), self._store)
        log.sealed.refresh()
        log.replace_open(old.span(end, start))
        for name in (INDEX, INDEX_SENT):
            if _size_of(os.path.join(self._store, name)) == start > 0:
                self._copy(name, INDEX)
                self._copy(AUDIT, AUDIT)
                self._copy(WATERMARKS, WATERMARKS)
                break
        self._indexed = IndexedLog(self.folder, log=log)
        self._recover(start)

    def _copy(self, name: str, to: str) -> None:
        with contextlib.suppress(OSError), atomic.open_regular(os.path.join(self._store, name)) as file:
            atomic.replace(os.path.join(self.folder, to), file.read(), durable=False)

    def add(self, lines: Iterable[bytes]) -> None:
        """Have these behind it, of whole runs. Raises ``StoreNotWritable``, ``StoreDamaged``; then it is of no use."""
        size = self.size
        for part in _gathered(lines):
            atomic.append(self.log.log.path, part, durable=False)
            size += len(part)
        self._recover(size)

    def _recover(self, size: int) -> None:
        self.log.recover(write=True)
        self.log.log.close()
        if self.size != size:
            raise StoreDamaged(f"{self.log.log.path}: {self.size:,} of its {size:,} bytes are of whole runs")

    def take_the_place(self, old: Log, blobs: Blobs, indexes: Iterable[str]) -> None:
        """Be the store's log; whoever calls this holds its lock, and opens it anew. ``indexes`` are those that it has.

        Blobs that it does not refer to go. Raises ``StoreNotWritable``.
        """
        sealed = {segment.path for segment in self.log.log.sealed.segments}
        names = {os.path.join(SEALED, os.path.basename(path)) for path in sealed}
        files = [name for name in (LOG_NAME, INDEX, AUDIT, WATERMARKS) if os.path.lexists(self._path(name))]
        there = old.sealed.every_file(strays_of(old.sealed))
        atomic.sync_file(self.log.log.path)
        changes = journal.Changes(
            replace=[[os.path.join(STAGE, name), name] for name in [*sorted(names.difference(there)), *files]],
            remove=[
                *(name for name in there if name not in names),
                *(name for name in indexes if name not in files),
                *blobs.unreferred({digest for digest, _ in self.log.state.blobs.items()}),
            ],
        )
        journal.begin(self._store, {journal.STORE: changes}, {})
        journal.apply(self._store, journal.STORE, self._store)
        self.discard()

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def discard(self) -> None:
        """Delete it, and what was left of another one."""
        if self._indexed is not None:
            self._indexed.index.close()
            self._indexed = None
        self.blobs.clear()
        beneath.remove_tree(self.folder, ignore_errors=True)


def _size_of(index: str) -> int:
    """How many bytes of a log an index accounts for; -1 where it cannot be read."""
    file = IndexFile(index)
    try:
        return int(file.load()["about"]["size"])
    except (IndexDamaged, KeyError, TypeError, ValueError):
        return -1
    finally:
        file.close()


def _gathered(lines: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= _PART:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
