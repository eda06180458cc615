"""What the entries and rows of an SQLite index are made of, byte by byte."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from array import array
from typing import TYPE_CHECKING, Any, Final

from ...alignment.columns import Columns
from ...alignment.fingerprint import Fingerprint, encoded
from ...model import LOST
from .kind_codes import CODES, KINDS_BY_CODE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..state.conversation import Row, Rows

# Kinds of entries; the first three can be listed (checked_entries._LISTED).
CONVERSATION, SESSION, CURSOR, EXPORT, BODY, UUID, KEY, NUMBER, META, BLOB, PICTURE, NOTED, ALSO, PREFIX = range(14)
PLACE: Final = struct.Struct(">II")
"""An alignment key's conversations: the number of each, and how many turns with that key it has."""
_HASHES: Final = struct.Struct("8s32s")
_UUID_FORM: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_REMEMBERED: Final = 65_536
"""Messages of which rows are kept at hand while many are written or read."""
IDENTITY: Final = 8
"""Bytes of a hash by which a body or an id is found; what is found is compared whole. Of two bodies with the same first bytes
the later one is not found, and stored again."""


def packed_rows(rows: Iterable[Row], remembered: int = _REMEMBERED) -> Iterator[bytes]:
    """Each row as :func:`packed` makes it; what a repeated message has in common is made once.

    So many different ones, at most, are kept at hand for that.
    """
    known: dict[tuple[str, str, str, int], bytes] = {}
    for item, line in rows:
        if item.uuid:
            yield packed(item, line)
            continue
        same = (item.content_hash, item.key, item.kind, item.weight)
        rest = known.get(same)
        if rest is None:
            if len(known) >= remembered:
                known.clear()
            rest = known[same] = packed(item, -1)
        offset = _short(line + 1)
        yield b"%c%c%b%b" % (rest[0], len(offset) << 4 | rest[1], offset, rest[2:])


def unpacked_rows(rows: Iterable[bytes]) -> Rows:
    """The columns of rows that :func:`packed` made; a repeated message has the very texts of the first one."""
    columns, lines = Columns(), array("q")
    known: dict[bytes, Fingerprint] = {}
    for data in rows:
        middle = 2 + (data[1] >> 4)
        rest = b"%c%c%b" % (data[0], data[1] & 15, data[middle:])
        item = known.get(rest)
        if item is None:
            item = unpacked(rest)[0]
            if not item.uuid:
                if len(known) >= _REMEMBERED:
                    known.clear()
                known[rest] = item
        columns.append(item)
        lines.append(int.from_bytes(data[2:middle], "big") - 1)
    return columns, lines


def packed(item: Fingerprint, line: int) -> bytes:
    """A row: kind, how long the two numbers behind it are, offset of its line and one more, weight, key, hash, and the id."""
    uuid = encoded(item.uuid)
    if _UUID_FORM.match(item.uuid):
        uuid = b"\0" + bytes.fromhex(item.uuid.replace("-", ""))
    offset, weight = _short(line + 1), _short(item.weight)
    hashes = _HASHES.pack(bytes.fromhex(item.key), bytes.fromhex(item.content_hash))
    return b"".join((CODES[item.kind].encode(), bytes([len(offset) << 4 | len(weight)]), offset, weight, hashes, uuid))


def unpacked(data: bytes) -> Row:
    """What :func:`packed` made."""
    kind = KINDS_BY_CODE[chr(data[0])]
    middle = 2 + (data[1] >> 4)
    end = middle + (data[1] & 15)
    line = int.from_bytes(data[2:middle], "big") - 1
    if kind == LOST:
        return Fingerprint("", "", kind, "", 0), line
    key, identity = _HASHES.unpack_from(data, end)
    uuid = data[end + _HASHES.size :]
    if uuid[:1] == b"\0":
        text = uuid[1:].hex()
        name = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    else:
        name = text_of(uuid)
    weight = int.from_bytes(data[middle:end], "big")
    return Fingerprint(identity.hex(), key.hex(), kind, "", weight, name), line


def _short(number: int) -> bytes:
    """A number in as few bytes as it needs."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def place(conversation: int, number: int) -> bytes:
    """An occurrence by conversation and sequence number, in as few bytes as the number that both make needs."""
    return _short(conversation << 32 | number)


def place_in(data: bytes) -> tuple[int, int]:
    """What :func:`place` made."""
    both = int.from_bytes(data, "big")
    return both >> 32, both & 0xFFFFFFFF


def uuid_key(conversation: int, uuid: str) -> bytes:
    """The key under which a conversation has an id."""
    return hashlib.sha256(b"%d/" % conversation + encoded(uuid)).digest()[:IDENTITY]


def numbers_in(data: bytes) -> list[int]:
    """Sequence numbers, four bytes each."""
    return [int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)]


def dumps(value: object) -> bytes:
    """JSON, compact and ASCII."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()


def loads(data: bytes | None) -> Any:
    """The value of an entry that is JSON; None where there is none."""
    return json.loads(data) if data is not None else None


def text_of(data: bytes) -> str:
    """Text that was a key."""
    return data.decode("utf-8", "surrogatepass")
