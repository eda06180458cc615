"""The file of an index: parts appended one behind the other, and a root at the end of what was written last, which names them.

A root that was cut off, or that a killed process did not finish, is passed over: the one before it says less of the log, and is
as true as before. Nothing is synced; after a power cut a part may be garbage, and its checksum says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from ...files import atomic
from .sorted_runs import IndexDamaged

if TYPE_CHECKING:
    from io import RawIOBase

VERSION: Final = 2
"""1 had no head of the log."""
MAGIC: Final = b"export-dedup index\n"
"""The first bytes of the file."""
_END: Final = struct.Struct(">QII8s")
"""Behind a root: its first byte, its length, its CRC-32, and :data:`_MARK`."""
_MARK: Final = b"\0\xffROOT\r\n"
_TAIL: Final = 1 << 20
"""Bytes at the end among which a root is looked for."""


class IndexFile:
    """The file at ``path``; in memory until it is loaded or kept."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: RawIOBase | None = None
        self._memory = bytearray(MAGIC)
        self.size = len(MAGIC)
        """Bytes up to the end of the last root."""

    @property
    def is_kept(self) -> bool:
        """Whether it is on the disk."""
        return self._file is not None

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file: an empty one in memory from now on."""
        if self._file is not None:
            self._file.close()
        self._file, self._memory, self.size = None, bytearray(MAGIC), len(MAGIC)

    def load(self) -> Any:
        """The last root of the file on the disk. Raises :class:`IndexDamaged` where there is none."""
        self.close()
        try:
            self._file = _opened(self.path)
            size = os.fstat(self._file.fileno()).st_size
            self.size = size
            begin = max(size - _TAIL, 0)
            tail = self.read(begin, size - begin)
            at = tail.rfind(_MARK) if self.read(0, len(MAGIC)) == MAGIC else -1
            while at >= 0:
                root = self._root(tail, begin, at + len(_MARK))
                if root is not None:
                    self.size = begin + at + len(_MARK)
                    return root
                at = tail.rfind(_MARK, 0, at)
        except (OSError, IndexDamaged) as error:
            self.close()
            raise IndexDamaged(str(error)) from error
        self.close()
        raise IndexDamaged("no root")

    def _root(self, tail: bytes, begin: int, end: int) -> Any:
        with contextlib.suppress(struct.error, ValueError, IndexDamaged, zlib.error):
            start, length, crc32, _ = _END.unpack(tail[end - _END.size : end])
            if start + length + _END.size == begin + end:
                data = self.read(start, length)
                if zlib.crc32(data) == crc32:
                    return json.loads(zlib.decompress(data))
        return None

    def read(self, start: int, size: int) -> bytes:
        """Bytes of it. Raises :class:`IndexDamaged` where it has fewer."""
        if self._file is None:
            data = bytes(self._memory[start : start + size])
        else:
            try:
                self._file.seek(start)
                data = self._file.read(size) or b""
            except (OSError, ValueError, OverflowError) as error:
                raise IndexDamaged(str(error)) from error
        if len(data) != size:
            raise IndexDamaged("shorter than it was")
        return data

    def add(self, parts: bytes, root: Any) -> None:
        """Append parts, which stand from :attr:`size` on, and a root. Raises ``StoreNotWritable``."""
        data = parts + _rooted(self.size + len(parts), root)
        if self._file is None:
            del self._memory[self.size :]
            self._memory += data
        elif not self._is_there():
            self._put(self.read(0, self.size) + data)
            return
        else:
            if os.stat(self.path).st_size != self.size:
                atomic.truncate(self.path, self.size)
            atomic.append(self.path, data, durable=False)
        self.size += len(data)

    def _is_there(self) -> bool:
        """Whether the file that is open is still the one of this name."""
        try:
            return self._file is not None and os.path.samestat(os.lstat(self.path), os.fstat(self._file.fileno()))
        except OSError:
            return False

    def keep(self) -> None:
        """Have it on the disk. Raises ``StoreNotWritable``."""
        if self._file is None:
            self._put(bytes(self._memory[: self.size]))

    def replace(self, parts: bytes, root: Any) -> None:
        """Have these parts alone in it, which stand behind :data:`MAGIC`, and a root. Raises ``StoreNotWritable``."""
        data = MAGIC + parts + _rooted(len(MAGIC) + len(parts), root)
        if self._file is None:
            self._memory, self.size = bytearray(data), len(data)
        else:
            self._put(data)

    def _put(self, data: bytes) -> None:
        if os.name == "nt" and self._file is not None:
            self._file.close()  # Windows gives the name of a file that is open to no other
        try:
            atomic.replace(self.path, data, durable=False)
        except BaseException:
            if os.name == "nt" and self._file is not None:
                self._reopen()
            raise
        self.close()
        with atomic.write_errors(self.path):
            self._file = _opened(self.path)
        self.size = len(data)

    def _reopen(self) -> None:
        """The file that is still there; where it cannot be read either, an empty one in memory."""
        try:
            self._file = _opened(self.path)
        except OSError:
            self._file, self._memory, self.size = None, bytearray(MAGIC), len(MAGIC)


def is_former(path: str) -> bool:
    """Is the index at ``path`` one of an earlier version? The first run that writes makes another one of the log."""
    file = IndexFile(path)
    try:
        return 0 < int(file.load()["version"]) < VERSION
    except (IndexDamaged, KeyError, TypeError, ValueError):
        return False
    finally:
        file.close()


def _opened(path: str) -> RawIOBase:
    """The file without a buffer: what is asked of it lies all over, and a process that forks takes no buffer's lock along."""
    buffered = atomic.open_regular(path)
    raw: RawIOBase = buffered.detach()  # type: ignore[attr-defined]
    return raw


def _rooted(start: int, root: Any) -> bytes:
    data = zlib.compress(json.dumps(root, separators=(",", ":")).encode(), 6)
    return data + _END.pack(start, len(data), zlib.crc32(data), _MARK)
