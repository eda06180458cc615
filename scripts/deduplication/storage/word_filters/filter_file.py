"""The file of the filters: a record for each block, in the order of the log, and nothing else.

A record that was cut off, or whose checksum is wrong, is the end of what is believed, and whoever adds to it cuts it there. Pages
of filters have checksums of their own (``bits``).
"""

from __future__ import annotations

import contextlib
import os
import zlib
from typing import TYPE_CHECKING, Final

from ...errors import StoreDamaged
from ...files import atomic, beneath
from ...project.paths import WORDS
from .bits import is_sound
from .block import HEAD, MARK, Block

if TYPE_CHECKING:
    from ..log.append_log import Log

MAGIC: Final = b"export-dedup words 1\n"
PROOF: Final = 64
"""Bytes of the log before where the blocks end: a line's checksum and what it is of."""
_MOST: Final = 1 << 28
"""Bytes of a record: a number that is larger is none that was written."""


class FilterFile:
    """The filters of the store in ``folder``. Whoever calls it holds the store's lock."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, WORDS)
        self.blocks: list[Block] = []
        self.size = 0
        """Bytes up to the end of the last record that is believed."""
        self._descriptor = -1

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    @property
    def covered(self) -> int:
        """How many bytes of the log have filters."""
        return self.blocks[-1].end if self.blocks else 0

    def load(self, log: Log) -> list[Block]:
        """The blocks that are believed, all of them or none: none of another log, or of one that was written anew."""
        self.close()
        self.blocks, self.size = [], 0
        with contextlib.suppress(OSError, ValueError):
            with atomic.open_regular(self.path) as file:
                self._descriptor = os.dup(file.fileno())
            self._read_records()
        if self.blocks and not self._is_of(log):
            self.blocks, self.size = [], 0
        return self.blocks

    def _read_records(self) -> None:
        if self._bytes(0, len(MAGIC)) != MAGIC:
            return
        at = self.size = len(MAGIC)
        whole = os.fstat(self._descriptor).st_size
        while at + HEAD.size <= whole:
            mark, said, bits, crc32 = HEAD.unpack(self._bytes(at, HEAD.size))
            end = at + HEAD.size + said + bits
            if mark != MARK or said > _MOST or end > whole:
                return
            body = self._bytes(at + HEAD.size, said)
            if zlib.crc32(body) != crc32:
                return
            block = Block(len(self.blocks), body, at + HEAD.size + said, self._bytes)
            if block.start != self.covered or block.end <= block.start:
                return
            self.blocks.append(block)
            at = self.size = end

    def _bytes(self, at: int, size: int) -> bytes:
        os.lseek(self._descriptor, at, os.SEEK_SET)
        return os.read(self._descriptor, size)

    def _is_of(self, log: Log) -> bool:
        """Does the log say before where the blocks end what it said when they were made?"""
        end = self.covered
        if end > log.size():
            return False
        try:
            last: int = self.blocks[-1].last
            return zlib.crc32(log.span(max(end - PROOF, 0), end)) == last
        except StoreDamaged:
            return False

    def is_torn(self) -> bool:
        """Whether what stands behind the records that are believed is the beginning of one, which was not finished, or nothing."""
        rest = self._bytes(self.size, HEAD.size)
        if not self.size:
            return MAGIC.startswith(rest)
        if len(rest) < HEAD.size:
            return MARK.startswith(rest[: len(MARK)])
        mark, said, bits, _ = HEAD.unpack(rest)
        end: int = self.size + HEAD.size + said + bits
        return bool(mark == MARK) and end > os.fstat(self._descriptor).st_size

    def unsound(self) -> int | None:
        """The number of the first block whose filter is not what was written; None where all are."""
        for block in self.blocks:
            if not all(is_sound(block.page(number)) for number in range(block.shape.pages)):
                return block.number
        return None

    def add(self, record: bytes) -> None:
        """Append a record behind those that are believed. Raises ``StoreNotWritable``."""
        if not self.size:
            atomic.replace(self.path, MAGIC + record)
            self.close()
            self.size = len(MAGIC)
        else:
            if os.stat(self.path).st_size != self.size:
                atomic.truncate(self.path, self.size)
            atomic.append(self.path, record)
        if self._descriptor < 0:
            with atomic.open_regular(self.path) as file:
                self._descriptor = os.dup(file.fileno())
        _, said, _, _ = HEAD.unpack_from(record)
        body = record[HEAD.size : HEAD.size + said]
        self.blocks.append(Block(len(self.blocks), body, self.size + HEAD.size + said, self._bytes))
        self.size += len(record)

    def record(self, block: Block) -> bytes:
        """The record of a block, as it stands in the file."""
        start = self.blocks[block.number - 1].ends_at if block.number else len(MAGIC)
        return self._bytes(start, block.ends_at - start)

    def beginning(self, end: int) -> bytes:
        """The file with those blocks alone that end at byte ``end`` of the log or before; empty where there are none."""
        size = len(MAGIC)
        for block in self.blocks:
            if block.end > end:
                break
            size = block.ends_at
        return self._all(size) if size > len(MAGIC) else b""

    def _all(self, size: int) -> bytes:
        with atomic.open_regular(self.path) as file:
            return file.read(size)

    def cut(self, number: int) -> None:
        """Forget the blocks from this one on; the next :meth:`add` goes on there."""
        self.size = self.blocks[number - 1].ends_at if number else 0
        self.blocks = self.blocks[:number]

    def remove(self) -> None:
        """Delete the file."""
        self.close()
        if os.path.lexists(self.path):
            beneath.unlink(self.path)
