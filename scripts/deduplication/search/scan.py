"""Search a store: its log is read once from end to end, and only lines that may hold the words are decoded.

:func:`scan` is all that knows of the log; an index can take its place. What no commit record stands behind is not looked at.
"""

from __future__ import annotations

import json
import zlib
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, Optional

from ..alignment.plain_text import is_own_output, readable
from ..model import counts
from ..start.late_dataclass import dataclass, field
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..storage import open_in_folder
from ..storage.log.lines import Damaged, decode_line, is_commit
from ..storage.log.records import PURGED, SAME, same_of
from ..words.excerpts import Text
from ..words.terms import has
from .quick_look import looks, may_hold

if TYPE_CHECKING:
    from ..words.terms import Term
    from .quick_look import Look

_OCCURRENCE: Final = late_pattern(
    rb'\{"conversation_id":("(?:[^"\\]|\\.)*"),"index":(\d+),"timestamp":"([^"\\]*)","content_hash":"([0-9a-f]{64})"'
    rb'(?:,"uuid":"[^"\\]*")?(?:,"source_index":-?\d+)?(?:,"extends":(\d+))?,"'
    rb'(?:message":\{"role":"([a-z]+)","kind":"([a-z_]+)"|source":)'
)
"""How an occurrence's line begins, as it is written; a line that begins otherwise is decoded."""
_RUN_ENDS: Final = late_pattern(rb'\{"conversation_id":"(?:[^"\\]|\\.)*","timestamp":"[^"\\]*","export":\{')
"""How the commit record of a run begins."""
_SEAL: Final = 20
"""Bytes of a line's checksum with its line feed."""


class Place(NamedTuple):
    """Where a message stands."""

    conversation: str
    number: int
    timestamp: str


@dataclass(frozen=True)
class Wanted:
    """What is looked for. ``role``, ``kind`` and ``conversation`` None: any."""

    terms: tuple[Term, ...]
    role: Optional[str] = None
    kind: Optional[str] = None
    conversation: Optional[str] = None

    @cached_property
    def looks(self) -> list[Look]:
        """What a line has that may hold the terms."""
        return looks(self.terms)

    def kind_fits(self, role: str, kind: str) -> bool:
        """True for what may be found at all: bookkeeping never is."""
        return counts(kind) and self.role in (None, role) and self.kind in (None, kind)


@dataclass
class Hit:
    """A body that has every term, and its places, as many as it occurs."""

    content_hash: str
    message: dict[str, Any]
    places: list[Place] = field(default_factory=list)

    @property
    def text(self) -> Text:
        """What was searched, prepared anew: of thousands of hits a few are shown."""
        return Text(readable(self.message["content"]))

    @property
    def newest(self) -> Place:
        """The place with the latest time."""
        return max(self.places, key=lambda place: (place.timestamp, place.number))


@dataclass
class Scanned:
    """Hits, the newest first; ``damaged`` counts the lines that could not be read."""

    hits: list[Hit] = field(default_factory=list)
    damaged: int = 0


class _Occurrence(NamedTuple):
    conversation: str
    number: int
    timestamp: str
    content_hash: str
    extends: Optional[int]
    hit: Optional[Hit]


def scan(folder: str, wanted: Wanted) -> Scanned:
    """Every message of the store in ``folder`` that has all of the terms. Raises ``StoreError`` where it cannot be read."""
    found = Scanned()
    hits: dict[str, Hit] = {}
    superseded: set[tuple[str, int]] = set()
    united = _United()
    pending: list[_Occurrence] = []
    with open_in_folder(folder).locked_log() as log:
        for line in log.lines():
            try:
                united.take(line.data)
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
        hit.places = united.places(hit.places, superseded, wanted.conversation)
    found.hits = sorted(
        (hit for hit in hits.values() if hit.places),
        key=lambda hit: (hit.newest.timestamp, hit.newest.number),
        reverse=True,
    )
    return found


class _United:
    """Conversations that turned out to be others: where their messages are read."""

    def __init__(self) -> None:
        self._into: dict[str, tuple[str, int]] = {}
        self._passed: set[tuple[str, int]] = set()

    def take(self, line: bytes) -> None:
        """Take notice of a line that says so. Raises :class:`Damaged`."""
        if _SAME in line and not _OCCURRENCE.match(line):
            record = decode_line(line)
            if SAME in record:
                same, name = same_of(record), record["conversation_id"]
                self._into[same.conversation_id] = name, same.at
                self._passed.update((name, here if better else same.at + there) for here, there, better in same.pairs)

    def places(self, places: list[Place], superseded: set[tuple[str, int]], asked: Optional[str]) -> list[Place]:
        """Those that are read, each where it is read; of the conversation ``asked`` alone, where one is."""
        found: dict[tuple[str, int], Place] = {}
        for place in places:
            name, number = place.conversation, place.number
            gone = (name, number) in superseded
            while name in self._into and not gone:
                into, at = self._into[name]
                name, number = into, at + number
                gone = (name, number) in self._passed
            if not gone and (name, number) not in self._passed and asked in (None, name):
                found.setdefault((name, number), Place(name, number, place.timestamp))
        return list(found.values())


_SAME: Final = b'"same":{"conversation":'
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
        hit = _hit(record, wanted) if message and wanted.kind_fits(message["role"], message["kind"]) else None
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
        hit = _hit(decode_line(line), wanted)
    return _Occurrence(
        _name(name), int(index), moment.decode(), identity.decode(), int(extends) if extends else None, hit
    )


@lru_cache(maxsize=4096)
def _name(quoted: bytes) -> str:
    return str(json.loads(quoted))


def _hit(record: dict[str, Any], wanted: Wanted) -> Optional[Hit]:
    message = record["message"]
    text = readable(message["content"])
    if not has(text, wanted.terms) or is_own_output(message["kind"], text):
        return None
    return Hit(record["content_hash"], message)


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
