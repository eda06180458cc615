"""Search a store: its log is read once from end to end, and only lines that may hold the words are decoded.

:func:`scan` is all that knows of the log; an index can take its place. What no commit record stands behind is not looked at.
"""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from typing import Final, Optional

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..storage import open_in_folder
from ..storage.log.lines import Damaged, decode_line, is_commit
from ..storage.log.records import PURGED, SAME
from .hits import Found, Hit, Place, Wanted, newest_first
from .quick_look import may_hold
from .united import United

_OCCURRENCE: Final = late_pattern(
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


class _Occurrence(NamedTuple):
    conversation: str
    number: int
    timestamp: str
    content_hash: str
    extends: Optional[int]
    hit: Optional[Hit]


def scan(folder: str, wanted: Wanted) -> Found:
    """Every message of the store in ``folder`` that has all of the terms. Raises ``StoreError`` where it cannot be read."""
    found = Found()
    hits: dict[str, Hit] = {}
    superseded: set[tuple[str, int]] = set()
    united = United()
    pending: list[_Occurrence] = []
    with open_in_folder(folder).locked_log() as log:
        for line in log.lines():
            try:
                if _SAME in line.data:
                    _unite(united, line.data)
                seen = _read(line.data, wanted)
            except Damaged:
                found.damaged += 1
                continue
            if seen is None:
                continue
            if seen is not _COMMIT:
                pending.append(seen)
                continue
            for each in pending:
                _take(each, hits, superseded)
            pending.clear()
    for hit in hits.values():
        # The longer form of a message takes the place of the shorter one; where it lacks the words, the place is named all
        # the same, and shows the longer form.
        hit.places = united.places(hit.places, superseded, wanted)
    found.hits = newest_first(hits.values())
    return found


_COMMIT: Final = _Occurrence("", -1, "", "", None, None)


def _read(line: bytes, wanted: Wanted) -> Optional[_Occurrence]:
    """What a line says; None where it cannot matter. Raises :class:`Damaged`."""
    head = _OCCURRENCE.match(line)
    if head is None:
        if _RUN_ENDS.match(line) and line[-_SEAL:] == b',"crc32":"%08x"}\n' % zlib.crc32(line[:-_SEAL] + b"}"):
            return _COMMIT
        record = decode_line(line)
        if is_commit(record):
            return _COMMIT
        message = record.get("message")
        if "content_hash" not in record or "index" not in record or PURGED in record:
            return None
        hit = wanted.hit(record["content_hash"], message) if message else None
        return _Occurrence(
            record["conversation_id"],
            record["index"],
            record["timestamp"],
            record["content_hash"],
            record.get("extends"),
            hit,
        )
    name, index, moment, identity, extends, role, kind = head.groups()
    hit = None
    if role is not None and wanted.kind_fits(role.decode(), kind.decode()) and may_hold(wanted.looks, line.lower()):
        hit = wanted.hit(identity.decode(), decode_line(line)["message"])
    return _Occurrence(
        _name(name), int(index), moment.decode(), identity.decode(), int(extends) if extends else None, hit
    )


@lru_cache(maxsize=4096)
def _name(quoted: bytes) -> str:
    return str(json.loads(quoted))


def _unite(united: United, line: bytes) -> None:
    if not _OCCURRENCE.match(line):
        record = decode_line(line)
        if SAME in record:
            united.take(record)


def _take(each: _Occurrence, hits: dict[str, Hit], superseded: set[tuple[str, int]]) -> None:
    """Account for an occurrence of a run that is complete."""
    if each.hit is not None:
        hits.setdefault(each.content_hash, each.hit)
    hit = hits.get(each.content_hash)
    if hit is None:
        return
    if each.extends is not None:
        superseded.add((each.conversation, each.extends))
    hit.places.append(Place(each.conversation, each.number, each.timestamp))
