"""What is kept of a block of the log beside its filter: where it is, its times, and what of other blocks bears on its messages."""

from __future__ import annotations

import json
import struct
import zlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ...start.late_dataclass import dataclass
from .bits import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from .bits import Key

MARK: Final = b"\0\xffWORDS\n"
HEAD: Final = struct.Struct("<8sIII")
"""Of a record: :data:`MARK`, bytes of what is said of the block, bytes of its filter, and the CRC-32 of the former."""
_SAID: Final = struct.Struct("<QQqqIIIIHIIII")
NEVER: Final = -(2**63)
"""In the place of a time: no message has one."""


@dataclass(frozen=True)
class Said:
    """What is said of a block, lines from ``start`` to ``end``.

    ``earliest`` and ``latest`` are microseconds since 1970, of the messages whose times can be read; ``newest`` is the last of all
    times as they are spelt. ``again`` are beginnings of content hashes whose body another block carries, ``carriers`` the numbers
    of those blocks, one for each. ``extends`` are places of messages that one here is a longer form of (:func:`place_key`).
    ``same`` has what the block says of conversations that are one. ``crc32`` is that of its lines, ``last`` that of the last one.
    """

    start: int
    end: int
    earliest: int
    latest: int
    crc32: int
    last: int
    newest: str
    again: tuple[int, ...] = ()
    carriers: tuple[int, ...] = ()
    extends: tuple[int, ...] = ()
    same: tuple[dict[str, Any], ...] = ()


class Block:
    """A block that has a filter. ``at``: where that begins in its file; ``read`` gives bytes of the file."""

    def __init__(self, number: int, said: bytes, at: int, read: Callable[[int, int], bytes]) -> None:
        """Raises :class:`ValueError` where this says nothing of a block."""
        try:
            (*self._numbers, pages, size, each, newest, again, extends, same) = _SAID.unpack_from(said)
        except struct.error as error:
            raise ValueError("no block") from error
        self.number = number
        self.start, self.end, self.earliest, self.latest, self.crc32, self.last = self._numbers
        self.shape = Shape(pages, size, each)
        self._said, self._at, self._read = said, at, read
        self._sizes = newest, again, extends, same
        if _SAID.size + newest + 8 * again + 8 * extends + same != len(said):
            raise ValueError("no block")
        self.newest = said[_SAID.size : _SAID.size + newest].decode("utf-8", "surrogatepass")

    def has(self, key: Key) -> bool:
        """False where no message of the block has the key."""
        return key.may_be_in(self.shape, lambda at, size: self._read(self._at + at, size))

    def page(self, number: int) -> bytes:
        """A page of its filter, as it stands in the file."""
        return self._read(self._at + number * self.shape.size, self.shape.size)

    @property
    def ends_at(self) -> int:
        """Where its record ends in the file."""
        return self._at + self.shape.pages * self.shape.size

    @cached_property
    def again(self) -> tuple[int, ...]:
        """See :class:`Said`."""
        return self._row("I", _SAID.size + self._sizes[0], self._sizes[1])

    @cached_property
    def carriers(self) -> tuple[int, ...]:
        """See :class:`Said`."""
        return self._row("I", _SAID.size + self._sizes[0] + 4 * self._sizes[1], self._sizes[1])

    @cached_property
    def extends(self) -> tuple[int, ...]:
        """See :class:`Said`."""
        return self._row("Q", _SAID.size + self._sizes[0] + 8 * self._sizes[1], self._sizes[2])

    def _row(self, form: str, at: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}{form}", self._said, at)

    @property
    def same(self) -> list[dict[str, Any]]:
        """See :class:`Said`."""
        size = self._sizes[3]
        return json.loads(zlib.decompress(self._said[-size:])) if size else []


def record_of(said: Said, shape: Shape, bits: bytes) -> bytes:
    """A block as it stands in the file: what is said of it, then its filter."""
    newest = said.newest.encode("utf-8", "surrogatepass")
    same = zlib.compress(json.dumps(said.same, separators=(",", ":")).encode(), 6) if said.same else b""
    numbers = said.start, said.end, said.earliest, said.latest, said.crc32, said.last
    sizes = len(newest), len(said.again), len(said.extends), len(same)
    packed = [
        _SAID.pack(*numbers, *shape, *sizes),
        newest,
        struct.pack(f"<{len(said.again)}I{len(said.again)}I", *said.again, *said.carriers),
        struct.pack(f"<{len(said.extends)}Q", *said.extends),
        same,
    ]
    body = b"".join(packed)
    return HEAD.pack(MARK, len(body), len(bits), zlib.crc32(body)) + body + bits


def hash_key(content_hash: str) -> str:
    """What a filter has of a body that its block carries."""
    return f"#{content_hash}"


def conversation_key(name: str) -> str:
    """What a filter has of a conversation with a message in its block."""
    return f"@{name}"


def kind_keys(role: str | None, kind: str | None) -> list[str]:
    """What a filter has of a body with this role and this kind."""
    return [*([f"={role}"] if role else []), *([f"+{kind}"] if kind else [])]


def again_key(content_hash: str) -> int:
    """The beginning of a content hash, as :attr:`Said.again` has it."""
    return int(content_hash[:8], 16)


def place_key(conversation: str, number: int) -> int:
    """A place, as :attr:`Said.extends` has it."""
    from hashlib import blake2b

    text = f"{number}\0{conversation}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
