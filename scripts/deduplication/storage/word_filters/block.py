"""What is kept of a block of the log beside its words: where it is, its times, and what of other blocks bears on its messages."""

from __future__ import annotations

import json
import struct
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ...start.late_dataclass import dataclass
from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from .table import Key, Table

SPAN: Final = 512 * 1024
"""Bytes of lines in a block."""
PARTS: Final = 8
"""Parts of a block."""
EVERY_PART: Final = (1 << PARTS) - 1
GROUP: Final = 32
"""Blocks that have one table together: as many as have numbers for their parts."""
NEVER: Final = -(2**63)
"""In the place of a time: no message has one."""
_SAID: Final = struct.Struct(f"<QQqqI{PARTS}IHIII")


class Again(NamedTuple):
    """Bodies that come again in a block: the beginning of their content hash (:func:`again_key`), the block that carries them, the
    part of that in which they stand, and the parts of this block in which they come again, as bits.
    """

    key: int
    block: int
    part: int
    parts: int


_AGAIN: Final = "IIBB"
"""How the columns of these stand in the file."""
_AGAIN_SIZE: Final = struct.calcsize(f"<{_AGAIN}")


@dataclass(frozen=True)
class Said:
    """What is said of a block, lines from ``start`` to ``end``.

    ``earliest`` and ``latest`` are microseconds since 1970, of the messages whose times can be read. ``last`` is the CRC-32 of its
    last bytes. Of each part ``bounds`` has where it begins, from ``start`` on, and ``newest`` the last of all times as they are
    spelt. ``extends`` are places of messages that one here is a longer form of (:func:`place_key`), each with the part of that.
    ``same`` has what the block says of conversations that are one.
    """

    start: int
    end: int
    earliest: int
    latest: int
    last: int
    bounds: tuple[int, ...]
    newest: tuple[str, ...]
    again: tuple[Again, ...] = ()
    extends: tuple[tuple[int, int], ...] = ()
    same: tuple[dict[str, Any], ...] = ()

    def encode(self) -> bytes:
        """As it stands in the file."""
        newest = "\0".join(self.newest).encode("utf-8", "surrogatepass")
        same = json.dumps(self.same, separators=(",", ":")).encode() if self.same else b""
        numbers = self.start, self.end, self.earliest, self.latest, self.last, *self.bounds
        sizes = len(newest), len(self.again), len(self.extends), len(same)
        again = (struct.pack(f"<{len(self.again)}{form}", *column) for form, column in zip(_AGAIN, zip(*self.again)))
        extends = b"".join(struct.pack("<QB", *each) for each in self.extends)
        return b"".join([_SAID.pack(*numbers, *sizes), newest, *again, extends, same])


class Block:
    """A block that has filters; ``place`` is its own in the ``table``."""

    def __init__(self, number: int, said: bytes, table: Table, place: int) -> None:
        """Raises :class:`ValueError` where this says nothing of a block."""
        try:
            (*numbers, newest, again, extends, same) = _SAID.unpack_from(said)
        except struct.error as error:
            raise ValueError("no block") from error
        self.number, self.table = number, table
        self.start, self.end, self.earliest, self.latest, self.last, *self._bounds = numbers
        self.said, self.shift = said, PARTS * place
        self._sizes = newest, again, extends, same
        if _SAID.size + newest + _AGAIN_SIZE * again + 9 * extends + same != len(said):
            raise ValueError("no block")
        self.times = said[_SAID.size : _SAID.size + newest].decode("utf-8", "surrogatepass").split("\0")
        """The newest time of each part."""
        self.newest = max(self.times)

    def parts(self, key: Key) -> int:
        """The parts of the block that have a key, as bits; at least those."""
        return key.parts_in(self.table) >> self.shift & EVERY_PART

    def ranges(self, parts: int) -> list[tuple[int, int]]:
        """Where the lines of these parts stand in the log, in order, those of neighbours together."""
        found: list[tuple[int, int]] = []
        ends = [*self._bounds[1:], self.end - self.start]
        for number, (first, end) in enumerate(zip(self._bounds, ends)):
            if not parts >> number & 1 or first == end:
                continue
            if found and found[-1][1] == self.start + first:
                found[-1] = found[-1][0], self.start + end
            else:
                found.append((self.start + first, self.start + end))
        return found

    @cached_property
    def again_keys(self) -> tuple[int, ...]:
        """:attr:`Again.key` of all that comes again here."""
        return struct.unpack_from(f"<{self._sizes[1]}I", self.said, _SAID.size + self._sizes[0])

    @cached_property
    def carriers(self) -> set[int]:
        """The blocks that carry what comes again here."""
        newest, again, _, _ = self._sizes
        return {*struct.unpack_from(f"<{again}I", self.said, _SAID.size + newest + 4 * again)}

    @cached_property
    def again(self) -> list[Again]:
        """What comes again here."""
        at, count = _SAID.size + self._sizes[0], self._sizes[1]
        columns = []
        for form in _AGAIN:
            columns.append(struct.unpack_from(f"<{count}{form}", self.said, at))
            at += count * struct.calcsize(form)
        return [Again(*row) for row in zip(*columns)]

    @property
    def extends(self) -> list[tuple[int, int]]:
        """See :class:`Said`."""
        newest, again, extends, _ = self._sizes
        start = _SAID.size + newest + _AGAIN_SIZE * again
        return [*struct.iter_unpack("<QB", self.said[start : start + 9 * extends])]

    @property
    def same(self) -> list[dict[str, Any]]:
        """See :class:`Said`."""
        size = self._sizes[3]
        return json.loads(self.said[-size:]) if size else []


def part_of(offset: int, start: int, span: int) -> int:
    """The part of a block from byte ``start`` on in which a line is that begins at this byte."""
    return min((offset - start) * PARTS // span, PARTS - 1)


def hash_key(content_hash: str) -> str:
    """What a table has of a body that a part carries: six digits of its hash, of which 20,000 in a table are as good as unique."""
    return f"#{content_hash[:6]}"


def conversation_key(name: str) -> str:
    """What a table has of a conversation with a message in a part."""
    from hashlib import blake2b

    return f"@{blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()}"


def kind_keys(role: str | None, kind: str | None) -> list[str]:
    """What a table has of a body with this role and this kind."""
    return [*([f"={role}"] if role else []), *([f"+{kind}"] if kind else [])]


def again_key(content_hash: str) -> int:
    """The beginning of a content hash."""
    return int(content_hash[:8], 16)


def place_key(conversation: str, number: int) -> int:
    """A place, as :attr:`Said.extends` has it."""
    from hashlib import blake2b

    text = f"{number}\0{conversation}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
