"""The append-only log, which is the truth: one JSON object a line, each with its own checksum.

A line ends with ``,"crc32":"xxxxxxxx"}``; the checksum is the CRC-32 of the line without that member (the same object,
closed). Occurrence lines of one export are followed by its export line, the commit record: what stands after the
last commit record belongs to a run that did not finish.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .. import atomic
from ..errors import StoreDamaged, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    Record = dict[str, Any]

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SEAL: Final = b',"crc32":"'
_SEAL_LENGTH: Final = len(_SEAL) + 8 + len(b'"}')


class Damaged(ValueError):
    """A line whose checksum or form is wrong; the message says how."""


def encode_line(record: Record) -> bytes:
    """One log line, with checksum and line feed."""
    text = _ENCODE(record)
    try:
        body = text.encode()
    except UnicodeEncodeError:  # lone surrogates: bytes that were no UTF-8, or broken escapes of a JSON source
        body = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
    return b'%s%s%08x"}\n' % (body[:-1], _SEAL, zlib.crc32(body))


def decode_line(line: bytes) -> Record:
    """The object of one line (with its line feed). Raises :class:`Damaged`."""
    if not line.endswith(b"\n"):
        raise Damaged("the line has no end")
    body, seal = line[: -_SEAL_LENGTH - 1], line[-_SEAL_LENGTH - 1 : -1]
    if not seal.startswith(_SEAL) or not seal.endswith(b'"}'):
        raise Damaged("the line has no checksum")
    body += b"}"
    if b"%08x" % zlib.crc32(body) != seal[len(_SEAL) : -2]:
        raise Damaged("the checksum does not match")
    try:
        record = json.loads(body)
    except ValueError as error:  # a checksum over something that is no JSON: written by somebody else
        raise Damaged(f"not JSON: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("conversation_id"), str):
        raise Damaged("not a record of this log")
    return record


@dataclass(frozen=True)
class Line:
    """One line of the log: byte offset, line number from 1, its bytes."""

    offset: int
    number: int
    data: bytes

    @property
    def end(self) -> int:
        """Offset of the byte after the line feed."""
        return self.offset + len(self.data)


class Log:
    """``conversation_log.jsonl``. Appending and cutting need the store's lock; reading up to a known size does not."""

    def __init__(self, path: str) -> None:
        self.path = path

    def size(self) -> int:
        """Bytes in the log, 0 where there is none yet."""
        try:
            return os.stat(self.path).st_size
        except FileNotFoundError:
            return 0

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """The lines from byte ``start`` on, damaged or not; numbers count from ``start``."""
        try:
            with atomic.open_regular(self.path) as file:
                file.seek(start)
                offset = start
                for number, data in enumerate(file, 1):
                    if end is not None and offset >= end:
                        return
                    yield Line(offset, number, data)
                    offset += len(data)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}") from error

    def record(self, offset: int) -> Record:
        """The record at a byte offset that an index named. Raises :class:`StoreDamaged` where it is not one."""
        return next(self.records([offset]))

    def records(self, offsets: list[int]) -> Iterator[Record]:
        """The records at these offsets, in this order."""
        try:
            with atomic.open_regular(self.path) as file:
                for offset in offsets:
                    file.seek(offset)
                    try:
                        yield decode_line(file.readline())
                    except Damaged as error:
                        raise StoreDamaged(f"{self.path}, byte {offset}: {error}") from error
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}") from error

    def tail(self, start: int = 0) -> bytes:
        """Every byte from ``start`` on."""
        try:
            with atomic.open_regular(self.path) as file:
                file.seek(start)
                return file.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}") from error

    def append_run(self, occurrences: bytes, commit: bytes) -> None:
        """Add the lines of one run, durably: when this returns they are on the disk.

        The commit record is written only once the lines before it are on the disk. A disk may write later bytes
        before earlier ones: if the power fails in between, no commit record stands behind a hole.
        """
        size = self.size()
        try:
            if occurrences:
                atomic.append(self.path, occurrences)
            atomic.append(self.path, commit)
        except BaseException:
            if self.size() > size:
                with contextlib.suppress(StoreError):  # else the next run puts the unfinished part aside
                    atomic.truncate(self.path, size)
            raise

    def cut(self, size: int, quarantine: str) -> None:
        """Move everything from ``size`` on into the file ``quarantine``, durably, and cut it off the log."""
        atomic.replace(quarantine, self.tail(size))
        atomic.truncate(self.path, size)


def is_commit(record: Record) -> bool:
    """True for the line that ends a run: an export with its window."""
    return "window" in record and isinstance(record.get("export"), dict)
