"""One line of the log: a JSON object with its own checksum.

It ends with ``,"crc32":"xxxxxxxx"}`` and a line feed; the checksum is the CRC-32 of the line without that member (the same
object, closed). A checksum tells damage; that nobody changed a line on purpose tells the next commit record, which names the
*head* of the log before its run.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    Record = dict[str, Any]

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_DECODE: Final = json.JSONDecoder().raw_decode
"""A third faster than ``json.loads``, which looks for other encodings and for white space around it."""
FRAME: Final = b',"crc32":"'
FRAME_LENGTH: Final = len(FRAME) + 8 + len(b'"}')
PREVIOUS: Final = "previous"
"""The member of a commit record, its last one, that names the head of the log before its run."""
COMMIT: Final = b'"window":'
"""In every commit record, and in few other lines."""
BEGINNING: Final = hashlib.sha256().hexdigest()
"""The head of an empty log."""


class Damaged(ValueError):
    """A line whose checksum or form is wrong; the message says how."""


def encode_line(record: Record) -> bytes:
    """One log line, with checksum and line feed."""
    text = _ENCODE(record)
    try:
        body = text.encode()
    except UnicodeEncodeError:  # lone surrogates: bytes that were no UTF-8, or broken escapes of a JSON source
        body = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
    return b'%s%s%08x"}\n' % (body[:-1], FRAME, zlib.crc32(body))


def body_of(line: bytes) -> bytes:
    """The JSON of one line (with its line feed) without its checksum, which is right. Raises :class:`Damaged`."""
    if not line.endswith(b"\n"):
        raise Damaged("the line has no end")
    body, seal = line[: -FRAME_LENGTH - 1], line[-FRAME_LENGTH - 1 : -1]
    if not seal.startswith(FRAME) or not seal.endswith(b'"}'):
        raise Damaged("the line has no checksum")
    body += b"}"
    if b"%08x" % zlib.crc32(body) != seal[len(FRAME) : -2]:
        raise Damaged("the checksum does not match")
    return body


def decode_line(line: bytes) -> Record:
    """The object of one line (with its line feed). Raises :class:`Damaged`."""
    body = body_of(line)
    try:
        record = _value_of(body.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:  # a checksum over something that is no JSON: written by somebody else
        raise Damaged(f"not JSON: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("conversation_id"), str):
        raise Damaged("not a record of this log")
    return record


def _value_of(text: str) -> Any:
    value, end = _DECODE(text)
    if end < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


class Extent(NamedTuple):
    """Where a line of the log stands: its byte offset and its size with its line feed."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """Offset of the byte after the line feed."""
        return self.offset + self.size


class Line(NamedTuple):
    """One line of the log: byte offset, line number from 1, its bytes.

    ``lost``: it stands for a block that cannot be read, with so many lines at most; its bytes are zeros then.
    """

    offset: int
    number: int
    data: bytes
    lost: int = 1

    @property
    def size(self) -> int:
        """Bytes of it, with its line feed."""
        return len(self.data)

    @property
    def end(self) -> int:
        """Offset of the byte after the line feed."""
        return self.offset + len(self.data)


def is_commit(record: Record) -> bool:
    """True for the line that ends a run: an export with its window."""
    return "window" in record and isinstance(record.get("export"), dict)


def digest_of(lines: Iterable[bytes]) -> str:
    """The SHA-256 of these lines, as digits."""
    found = hashlib.sha256()
    for line in lines:
        found.update(line)
    return found.hexdigest()


def head_after(head: str, digest: str, record: Record) -> str:
    """The head of the log behind a run: ``digest`` is the SHA-256 of all its lines, ``record`` its commit record, the last one.

    A run that names the head before it, ``head``, vouches for all that stands there. One that names none, as version 0.1 wrote
    them, is hashed together with that head: so whoever names a head behind it vouches for everything before it, too.
    """
    return digest if PREVIOUS in record else digest_of([head.encode(), digest.encode()])
