"""The file of the filters: records in the order of the log, as many groups as are full and then single blocks, and nothing else.

A record that was cut off, or whose checksum is wrong, is the end of what is believed, and whoever adds to it cuts it there. Pages
of tables have checksums of their own (``table``).
"""

from __future__ import annotations

import contextlib
import os
import zlib
from typing import TYPE_CHECKING, Final

from ...errors import StoreDamaged
from ...files import atomic, beneath
from ...project.paths import WORDS
from . import block, record

if TYPE_CHECKING:
    from ..log.append_log import Log
    from .block import Block
    from .record import Record

MAGIC: Final = b"export-dedup words 1\n"
PROOF: Final = 64
"""Bytes of the log before where the blocks end: a line's checksum and what it is of."""


class FilterFile:
    """The filters of the store in ``folder``. Whoever calls it holds the store's lock."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, WORDS)
        self.records: list[Record] = []
        self._descriptor = -1

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    @property
    def blocks(self) -> list[Block]:
        """Those of all records."""
        return [each for one in self.records for each in one.blocks]

    @property
    def covered(self) -> int:
        """How many bytes of the log have filters."""
        end: int = self.records[-1].blocks[-1].end if self.records else 0
        return end

    @property
    def size(self) -> int:
        """Bytes up to the end of the last record that is believed."""
        return self.records[-1].end if self.records else len(MAGIC)

    def load(self, log: Log) -> list[Block]:
        """The blocks that are believed, all of them or none: none of another log, or of one that was written anew."""
        self.close()
        self.records = []
        with contextlib.suppress(OSError, ValueError):
            self._open()
            self._read_records()
        if self.records and not self._is_of(log):
            self.records = []
        return self.blocks

    def _open(self) -> None:
        with atomic.open_regular(self.path) as file:
            self._descriptor = os.dup(file.fileno())

    def _read_records(self) -> None:
        if self._bytes(0, len(MAGIC)) != MAGIC:
            return
        whole = os.fstat(self._descriptor).st_size
        count = 0
        while found := record.read(count, self.size, whole, self._bytes):
            if not found.blocks or not self._follows(found.blocks) or len(found.blocks) not in (1, block.GROUP):
                return
            self.records.append(found)
            count += len(found.blocks)

    def _follows(self, blocks: list[Block]) -> bool:
        end = self.covered
        for each in blocks:
            if each.start != end or each.end <= each.start:
                return False
            end = each.end
        return True

    def _bytes(self, at: int, size: int) -> bytes:
        os.lseek(self._descriptor, at, os.SEEK_SET)
        return os.read(self._descriptor, size)

    def _is_of(self, log: Log) -> bool:
        """Does the log say before where the blocks end what it said when they were made?"""
        end = self.covered
        if end > log.size():
            return False
        try:
            last: int = self.records[-1].blocks[-1].last
            return zlib.crc32(log.span(max(end - PROOF, 0), end)) == last
        except StoreDamaged:
            return False

    def is_torn(self) -> bool:
        """Whether what stands behind the records that are believed is the beginning of one, which was not finished, or nothing."""
        whole = os.fstat(self._descriptor).st_size
        if not self.records and whole < len(MAGIC):
            return MAGIC.startswith(self._bytes(0, whole))
        if self._bytes(0, len(MAGIC)) != MAGIC:
            return False
        return record.is_begun(self._bytes(self.size, record.HEAD), whole - self.size)

    def unsound(self) -> int | None:
        """The number of the first block whose table is not what was written; None where all are."""
        return next((one.blocks[0].number for one in self.records if not one.table.is_sound()), None)

    def add(self, data: bytes) -> None:
        """Append the record of a block behind those that are believed; full groups become one. Raises ``StoreNotWritable``."""
        self._append(data)
        single = [one for one in self.records if len(one.blocks) == 1]
        if len(single) >= block.GROUP:
            try:
                data = record.together(single)
            except ValueError:  # damaged: whoever comes next makes them again
                return
            self._cut(len(self.records) - len(single))
            self._append(data)

    def _append(self, data: bytes) -> None:
        if not self.records:
            atomic.replace(self.path, MAGIC + data)
            self.close()
        else:
            if os.stat(self.path).st_size != self.size:
                atomic.truncate(self.path, self.size)
            atomic.append(self.path, data)
        if self._descriptor < 0:
            self._open()
        count = sum(len(one.blocks) for one in self.records)
        added = record.read(count, self.size, self.size + len(data), self._bytes)
        if added is None:
            raise StoreDamaged(f"{self.path} is not what was written")
        self.records.append(added)

    def beginning(self, end: int) -> bytes:
        """The file with those records alone whose blocks end at byte ``end`` of the log or before; empty where there are none."""
        kept = [one for one in self.records if one.blocks[-1].end <= end]
        if not kept:
            return b""
        with atomic.open_regular(self.path) as file:
            return file.read(kept[-1].end)

    def cut(self, number: int) -> None:
        """Forget the blocks from this one on, and its group; the next :meth:`add` goes on there."""
        self._cut(
            next((at for at, one in enumerate(self.records) if one.blocks[-1].number >= number), len(self.records))
        )

    def _cut(self, count: int) -> None:
        self.records = self.records[:count]

    def remove(self) -> None:
        """Delete the file."""
        self.close()
        if os.path.lexists(self.path):
            beneath.unlink(self.path)
