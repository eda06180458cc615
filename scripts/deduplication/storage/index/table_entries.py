"""The tables of a state as entries of an index: under which key a value stands, and as which bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ...alignment.fingerprint import Fingerprint, encoded
from ...start.late_dataclass import asdict
from ...start.late_pattern import late_pattern
from ...start.late_tuple import NamedTuple
from ..contract import Cursor
from ..prefix import of_prefix, to_prefix
from ..state.prefixes import NotedPrefix
from ..state.table_records import ReadTo, ShownIn
from .kind_codes import CODES, KINDS_BY_CODE
from .sorted_runs import varint, varint_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HEX: Final = late_pattern(r"(?:[0-9a-f]{2})*\Z")
_DIGITS: Final = b"\0"
"""Before the bytes of a text that is hexadecimal digits."""


class Form(NamedTuple):
    """How a table is written: the first byte of its keys, and what makes bytes of a value and a value of bytes.

    ``kept``: bytes of a key that is a hash which are enough, 0 where all are wanted.
    """

    code: bytes
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]
    kept: int = 0

    def key(self, key: str) -> bytes:
        """Under what the value of this key stands."""
        data = packed(key)
        return self.code + (data[: 1 + self.kept] if self.kept and data[:1] == _DIGITS else data)


def dumps(value: object) -> bytes:
    """JSON, compact and ASCII."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _number(data: bytes) -> int:
    return varint_in(data)[0]


def _of_cursor(read: ReadTo) -> bytes:
    """``[conversation, cursor, next number, position of the window]``."""
    return dumps([read.conversation_id, asdict(read.cursor), read.tip, read.window])


def _to_cursor(data: bytes) -> ReadTo:
    conversation_id, cursor, tip, window = json.loads(data)
    return ReadTo(conversation_id, Cursor(**cursor), tip, window)


def _to_exports(data: bytes) -> list[ShownIn]:
    """``[conversation, parser, format, messages, position of the window, name]`` of each."""
    return [ShownIn(*each) for each in json.loads(data)]


def _of_prefixes(noted: Sequence[NotedPrefix]) -> bytes:
    """``[conversation, parser, format, position of the window, runs of others, marks, prefix]`` of each."""
    return dumps([[*each[:-1], of_prefix(each.prefix)] for each in noted])


def _to_prefixes(data: bytes) -> list[NotedPrefix]:
    return [
        NotedPrefix(name, parser, format_, window, others, marks, to_prefix(prefix))
        for name, parser, format_, window, others, marks, prefix in json.loads(data)
    ]


def _of_again(found: tuple[int, Fingerprint]) -> bytes:
    """Offset of the line, kind, weight, and the alignment key."""
    offset, item = found
    return varint(offset) + CODES[item.kind].encode() + varint(item.weight) + packed(item.key)


def _to_again(data: bytes) -> tuple[int, Fingerprint]:
    offset, at = varint_in(data)
    kind = KINDS_BY_CODE[chr(data[at])]
    weight, at = varint_in(data, at + 1)
    return offset, Fingerprint("", unpacked(data[at:]), kind, "", weight)


def packed(text: str) -> bytes:
    """A text; hexadecimal digits in half as many bytes."""
    return _DIGITS + bytes.fromhex(text) if _HEX.match(text) else b"\1" + encoded(text)


def unpacked(data: bytes) -> str:
    """What :func:`packed` made."""
    return data[1:].hex() if data[:1] == _DIGITS else _text(data[1:])


FORMS: Final[dict[str, Form]] = {
    "names": Form(b"n", encoded, _text),
    "exports": Form(b"e", dumps, _to_exports),
    "prefixes": Form(b"x", _of_prefixes, _to_prefixes),
    "sessions": Form(b"s", encoded, _text),
    "cursors": Form(b"u", _of_cursor, _to_cursor),
    "blobs": Form(b"b", varint, _number),
    "pictures": Form(b"p", varint, _number),
    "noted": Form(b"a", varint, _number),
    "again": Form(b"g", _of_again, _to_again, kept=16),
    "standing": Form(b"t", varint, _number),
}
"""The tables that are written as they are. Of conversations there are their heads (see ``conversation_head``)."""
CONVERSATION: Final = b"c"
"""A conversation by its id: its head."""
KINDS: Final = b"k"
"""The kinds of :data:`KINDS_PAGE` messages, a letter each, by the conversation's number and the page's, four bytes each."""
CHUNKS: Final = b"h"
"""Stretches of the log by the number of their page, four bytes."""
KINDS_PAGE: Final = 1024


def page_key(*numbers: int) -> bytes:
    """Numbers as a key, so that they sort as numbers do."""
    return b"".join(number.to_bytes(4, "big") for number in numbers)
