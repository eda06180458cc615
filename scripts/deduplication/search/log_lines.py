"""What a search needs of the lines of a log: told from how they begin, and decoded where they may hold the words."""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Optional

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..storage.log.lines import decode_line, is_commit
from ..storage.log.records import PURGED, SAME
from .quick_look import may_hold

if TYPE_CHECKING:
    from .hits import Hit, Wanted
    from .united import United

OCCURRENCE: Final = late_pattern(
    rb'\{"conversation_id":("(?:[^"\\]|\\.)*"),"index":(\d+),"timestamp":"([^"\\]*)","content_hash":"([0-9a-f]{64})"'
    rb'(?:,"uuid":"[^"\\]*")?(?:,"source_index":-?\d+)?(?:,"extends":(\d+))?,"'
    rb'(?:message":\{"role":"([a-z]+)","kind":"([a-z_]+)"|source":)'
)
"""How an occurrence's line begins, as it is written; a line that begins otherwise is decoded."""
_RUN_ENDS: Final = late_pattern(rb'\{"conversation_id":"(?:[^"\\]|\\.)*","timestamp":"[^"\\]*","export":\{')
"""How the commit record of a run begins."""
_SAME: Final = b'"same":{"conversation":'
_SEAL: Final = 20
"""Bytes of a line's checksum with its line feed."""


class Occurrence(NamedTuple):
    """A message at its place; ``hit`` where its line carries a body that has the words, ``carries`` where it carries one at all."""

    conversation: str
    number: int
    timestamp: str
    content_hash: str
    extends: Optional[int]
    hit: Optional[Hit]
    carries: bool


COMMIT_RECORD: Final = Occurrence("", -1, "", "", None, None, False)
"""In the place of a commit record: what came before it counts."""


def read_line(line: bytes, wanted: Wanted) -> Optional[Occurrence]:
    """What a line says; None where it cannot matter. Raises :class:`Damaged`."""
    head = OCCURRENCE.match(line)
    if head is None:
        if _RUN_ENDS.match(line) and line[-_SEAL:] == b',"crc32":"%08x"}\n' % zlib.crc32(line[:-_SEAL] + b"}"):
            return COMMIT_RECORD
        record = decode_line(line)
        if is_commit(record):
            return COMMIT_RECORD
        message = record.get("message")
        if "content_hash" not in record or "index" not in record or PURGED in record:
            return None
        hit = wanted.hit(record["content_hash"], message) if message else None
        return Occurrence(
            record["conversation_id"],
            record["index"],
            record["timestamp"],
            record["content_hash"],
            record.get("extends"),
            hit,
            message is not None,
        )
    name, index, moment, identity, extends, role, kind = head.groups()
    hit = None
    if role is not None and wanted.kind_fits(role.decode(), kind.decode()) and may_hold(wanted.looks, line.lower()):
        hit = wanted.hit(identity.decode(), decode_line(line)["message"])
    longer = int(extends) if extends else None
    return Occurrence(name_of(name), int(index), moment.decode(), identity.decode(), longer, hit, role is not None)


@lru_cache(maxsize=4096)
def name_of(quoted: bytes) -> str:
    """The conversation's id that stands in a line as JSON, in its quotes."""
    return str(json.loads(quoted))


def unite(united: United, line: bytes) -> None:
    """Take notice of what a line says of conversations that are one. Raises :class:`Damaged`."""
    if _SAME in line and not OCCURRENCE.match(line):
        record = decode_line(line)
        if SAME in record:
            united.take(record)
