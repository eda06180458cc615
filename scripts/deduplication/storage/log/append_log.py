"""The append-only log, which is the truth: an open part that grows, and sealed files before it.

Occurrence lines of one export are followed by its export line, the commit record: what stands after the last commit record
belongs to a run that did not finish.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO, Final

from ...errors import StoreDamaged, StoreError, StoreNotWritable
from ...files import atomic, journal
from ...project.paths import LOG_NAME
from . import log_pack
from .archived_files import ArchivedFiles
from .column_format import NoArchive
from .lines import Damaged, Line, decode_line
from .opening import ENDING, LONGEST, Opening, ending_of, opening_line, read_opening
from .sealed import BlockDamaged, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .column_format import Archived
    from .lines import Record
    from .sealed_files import Segment

_GATHERED: Final = 1024 * 1024
"""Bytes of lines that are written at a time."""


class Log:
    """``conversation_log.jsonl``, and before it what is sealed. Offsets count from the beginning of all of it.

    Appending, cutting and sealing need the store's lock; reading up to a known size does not.
    """

    def __init__(self, path: str, archive: Archived | None = None, store: str = "") -> None:
        """``archive`` has the files that sealed lines may refer to; None: there is none, and none will. ``store``: its folder."""
        self.path, self.store = path, store or os.path.dirname(path)
        self.sealed = Sealed(os.path.dirname(path), archive or NoArchive())
        self.opening = Opening()
        """What the first line of the open part says, if it says where the lines before it are."""
        self._skip = 0
        """Bytes at the beginning of the open part that are no lines of it: that one, and what is sealed already, by somebody who
        could not finish."""

    @classmethod
    def of(cls, folder: str) -> Log:
        """The log of the store in ``folder``, with the archive beside it. Whoever has read it closes it."""
        return cls(os.path.join(folder, LOG_NAME), ArchivedFiles(folder))

    def close(self) -> None:
        """Let go of the archived files that were looked at."""
        self.sealed.archive.close()

    def recover(self, *, write: bool) -> None:
        """Take notice of what is sealed, and finish what was being sealed, repaired or purged when a process was killed.

        A purge is finished by a reader, too: of half of one nothing can be read.
        """
        folder = os.path.dirname(self.path)
        if os.path.lexists(os.path.join(folder, journal.NAME)):
            journal.apply(folder, journal.STORE, folder)
        if write:
            journal.roll_back(folder, journal.STORE, folder)
            self.sealed.recover()
        if doubled := self.look(write=write):
            self._skip += doubled
            if write:
                self._drop(self._skip)
                atomic.remove_temporaries(folder)
                self._collect_garbage()
        elif write and self.sealed.end and not self.opening.size:
            self._drop(0)  # or each run would read what is sealed first, to see whether the open part begins with it

    def look(self, *, write: bool = False) -> int:
        """Take notice of what is sealed, and of where the open part begins; how many bytes of that are sealed as well."""
        self.sealed.refresh()
        self.opening = read_opening(self._first(LONGEST))
        self._skip = self.opening.size
        if self.sealed.end == (self.opening.begins or 0) and not self.sealed.is_ambiguous:
            return 0
        from .seam import settle

        return settle(self, self._skip, write=write)

    def _first(self, size: int) -> bytes:
        """The first bytes of the open part, its first line among them; nothing where there are none."""
        try:
            with atomic.open_regular(self.path) as file:
                return file.read(size)
        except OSError:
            return b""

    def missing(self) -> int:
        """How many bytes of sealed lines are not there before those that the open part follows on."""
        return max((self.opening.begins or 0) - self.sealed.end, 0)

    def _drop(self, size: int) -> None:
        """Cut bytes off the beginning of the file, durably: the open part begins where the sealed one ends."""
        with atomic.write_errors(self.path), atomic.open_regular(self.path) as file:
            file.seek(max(size - ENDING, 0))
            before, rest = file.read(min(size, ENDING)), file.read()
        self._replace(rest, self.sealed.end, ending_of(before) if size else "")

    def _replace(self, rest: bytes, begins: int, ends: str = "") -> None:
        """Have these lines as the open part, from byte ``begins`` of the log on, in one step, durably."""
        line = opening_line(begins, ends or self.ends(begins))
        atomic.replace(self.path, line + rest)
        self.opening = read_opening(line)
        self._skip = len(line)

    def ends(self, end: int) -> str:
        """How the first ``end`` bytes of the log end; empty where they cannot be read."""
        if end == self.opening.begins and self.opening.ends:
            return self.opening.ends
        try:
            return ending_of(self.span(max(end - ENDING, 0), end)) if end else ""
        except StoreDamaged:
            return ""

    def replace_open(self, rest: bytes) -> None:
        """Have these lines in the place of the open ones, in one step, durably. Raises ``StoreNotWritable``."""
        self._replace(rest, self.sealed.end)

    def seal(self, size: int) -> None:
        """Seal the open part up to byte ``size`` of the log, the end of a complete run. Raises ``StoreNotWritable``."""
        length = size - self.sealed.end
        try:
            with atomic.write_errors(self.path), atomic.open_regular(self.path) as file:
                file.seek(self._skip)
                self.sealed.add(log_pack.blocks_in(file, length))
            self._drop(self._skip + length)
            self._collect_garbage()
        except StoreNotWritable:
            self.recover(write=False)
            raise

    def _collect_garbage(self) -> None:
        from .strays import collect_garbage  # few runs seal anything

        collect_garbage(self.sealed)

    def open_size(self) -> int:
        """Bytes in the part that is not sealed."""
        try:
            return max(os.stat(self.path).st_size - self._skip, 0)
        except FileNotFoundError:
            return 0

    def size(self) -> int:
        """Bytes in the log, sealed or not; 0 where there is none yet."""
        return self.sealed.end + self.open_size()

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """The lines from byte ``start`` on, damaged or not; numbers count from ``start``."""
        number = 0
        for block in self.sealed.blocks(start):
            if end is not None and block.start >= end:
                return
            try:
                data = self.sealed.read(block)
            except BlockDamaged:
                number += 1
                yield Line(block.start, number, bytes(block.end - block.start), lost=block.end - block.start)
                continue
            at = max(start - block.start, 0)
            while at < len(data) and (end is None or block.start + at < end):
                after = data.find(b"\n", at) + 1 or len(data)
                number += 1
                yield Line(block.start + at, number, data[at:after])
                at = after
        yield from self._open_lines(max(start, self.sealed.end), end, number)

    def runs(self, start: int) -> Iterator[Line]:
        """The lines from byte ``start`` on among which the commit records are."""
        return self.lines(start)

    def _open_lines(self, start: int, end: int | None, before: int) -> Iterator[Line]:
        try:
            with atomic.open_regular(self.path) as file:
                file.seek(start - self.sealed.end + self._skip)
                offset = start
                for number, data in enumerate(file, before + 1):
                    if end is not None and offset >= end:
                        return
                    yield Line(offset, number, data)
                    offset += len(data)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}") from error

    def span(self, start: int, end: int) -> bytes:
        """The bytes of the log from ``start`` to ``end`` (half open), fewer where it ends before. Raises ``StoreError``."""
        parts = []
        for block in self.sealed.blocks(start):
            if block.start >= end:
                break
            try:
                data = self.sealed.read(block)
            except BlockDamaged as error:
                raise StoreDamaged(f"{self.path}: {error}") from error
            parts.append(data[max(start - block.start, 0) : end - block.start])
        if end > self.sealed.end:
            begin = max(start, self.sealed.end)
            parts.append(self.tail(begin)[: end - begin])
        return b"".join(parts)

    def record(self, offset: int) -> Record:
        """The record at a byte offset that an index named. Raises :class:`StoreDamaged` where it is not one."""
        return next(self.records([offset]))

    def records(self, offsets: Iterable[int]) -> Iterator[Record]:
        """The records at these offsets, in this order."""
        try:
            with contextlib.ExitStack() as stack:
                file = None
                for offset in offsets:
                    if offset >= self.sealed.end and file is None:
                        file = stack.enter_context(atomic.open_regular(self.path))
                    try:
                        yield decode_line(self._line(offset, file))
                    except (Damaged, BlockDamaged) as error:
                        raise StoreDamaged(f"{self.path}, byte {offset}: {error}") from error
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}") from error

    def _line(self, offset: int, file: BinaryIO | None) -> bytes:
        if file is None or offset < self.sealed.end:
            return self.sealed.line(offset)
        file.seek(offset - self.sealed.end + self._skip)
        return file.readline()

    def tail(self, start: int = 0) -> bytes:
        """Every byte of the open part from ``start`` on, or all of it."""
        try:
            with atomic.open_regular(self.path) as file:
                file.seek(max(start - self.sealed.end, 0) + self._skip)
                return file.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}") from error

    def append_run(self, occurrences: Iterable[bytes], commit: bytes) -> None:
        """Add the lines of one run, durably: when this returns they are on the disk. They are written as they come.

        The commit record is written only once the lines before it are on the disk. A disk may write later bytes
        before earlier ones: if the power fails in between, no commit record stands behind a hole.
        """
        size = self.open_size() + self._skip
        try:
            written = 0
            for part in _gathered(occurrences):
                # The first one is durable because it may make the file; the others are by what follows.
                atomic.append(self.path, part, durable=not written)
                written += 1
            if written > 1:
                atomic.sync_file(self.path)
            atomic.append(self.path, commit)
        except BaseException:
            if self.open_size() + self._skip > size:
                with contextlib.suppress(StoreError):  # else the next run puts the unfinished part aside
                    atomic.truncate(self.path, size)
            raise

    def rewrite(self, sealed: list[Segment | bytes], rest: bytes | None) -> None:
        """Have these sealed files and lines in the place of the sealed ones, and ``rest`` in that of the open part.

        Each in one step, durably; None: the open lines stay. What is to be kept of the old ones is copied. Raises ``StoreError``.
        """
        ends = self.sealed.ends(sealed[-1]) if sealed else ""
        rest = self.tail() if rest is None and ends != self.opening.ends else rest
        if rest is not None:
            self._replace(rest, sum(len(each) if isinstance(each, bytes) else each.size for each in sealed), ends)
        if sealed != self.sealed.segments:
            self.sealed.rewrite(sealed)

    def cut(self, size: int, quarantine: str) -> None:
        """Move everything from ``size`` on into the file ``quarantine``, durably, and cut it off the log."""
        atomic.replace(quarantine, self.tail(size))
        atomic.truncate(self.path, size - self.sealed.end + self._skip)


def _gathered(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, many at a time."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= _GATHERED:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
