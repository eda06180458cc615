"""The log written anew without what was purged: staged beside the old one, which stays as it is meanwhile.

Each purged occurrence becomes a tombstone. A body that was carried by a line that goes, and is said elsewhere too, moves to the
next line with its content hash, so that the first one carries it; the numbers of the runs are counted again. Every line that
says the same as before stays byte for byte what it was.
"""

from __future__ import annotations

import hashlib
import os
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from ..alignment.fingerprint import Fingerprint
from ..errors import StoreDamaged
from ..files import atomic
from ..start.late_dataclass import dataclass, field
from .carriers import brought
from .log import chain, log_pack
from .log.append_log import Log
from .log.lines import Damaged, Line, decode_line, digest_of, encode_line, is_commit
from .log.records import PREFIX, PURGED, RECOUNTED, blobs_of, is_occurrence, new_of
from .log.strays import strays_of
from .log.title_records import TITLED, without_titles
from .state.apply import apply
from .state.log_state import State
from .word_filters.of_store import take_along

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from .contract import Counts
    from .log.lines import Record

_CHUNK: Final = 4 * 1024 * 1024
"""Bytes of lines that are sealed at a time."""


@dataclass(frozen=True)
class Instead:
    """What is to stand in the log in the place of what stands there.

    ``tombstones`` are the lines of occurrences, by conversation and sequence number. ``name`` gives the name to keep of a file
    for the one in the log, ``sha256`` the hash. ``last`` are lines to be added at the end. ``at``: when this was asked for;
    ``forget``: nothing is to stay that was made of what goes, and a head was made of all of it. ``shared``: what the folder has of
    another machine's log stays there. ``untitled``: conversations whose titles and words go, beside those with tombstones.
    """

    tombstones: Mapping[tuple[str, int], Record]
    last: Sequence[Record]
    at: str = ""
    forget: bool = False
    name: Callable[[str], str] = lambda name: name
    sha256: Callable[[str], str] = lambda sha256: sha256
    shared: bool = False
    untitled: Collection[str] = ()


@dataclass
class Rewritten:
    """``files`` of the new log, relative to the folder that it was staged in; ``blobs`` that it refers to.

    ``superseded`` are the files of the store, relative to its folder, that go when those take their place. ``same``: how many bytes
    at the beginning, whole lines, are what they were.
    """

    files: list[str] = field(default_factory=list)
    blobs: set[str] = field(default_factory=set)
    superseded: list[str] = field(default_factory=list)
    same: int = 0


def records(log: Log, start: int = 0) -> Iterator[tuple[Line, Record]]:
    """Every line with its record. Raises :class:`StoreDamaged`: nobody can say what is in a damaged one."""
    for line in log.lines(start):
        try:
            yield line, decode_line(line.data)
        except Damaged as error:
            raise StoreDamaged(f"{log.path}, byte {line.offset}: {error}") from error


def rewrite(log: Log, folder: str, instead: Instead) -> Rewritten:
    """Write the new log into ``folder``, durably. Whoever calls this holds the store's lock.

    Raises :class:`StoreDamaged` and :class:`StoreNotWritable`; the old log was only read.
    """
    with atomic.write_errors(folder):
        atomic.make_private_directory(folder)
    new = Log(os.path.join(folder, os.path.basename(log.path)))
    found = Rewritten()
    writer = _Writer(log, instead, found.blobs)
    waiting: list[bytes] = []
    size = 0
    run: list[Line] = []
    for line, record in records(log):
        data = writer.line(line, record)
        run.append(line)
        if data:
            if found.same == run[0].offset:
                found.same += _in_common(run, data)
            run = []
        if line.end > log.sealed.end and line.offset <= log.sealed.end and waiting and log.sealed.end:
            new.sealed.add(log_pack.parts(b"".join(waiting), log_pack.BLOCK))
            waiting, size = [], 0
        waiting += data
        size += sum(map(len, data))
        if is_commit(record) and line.end <= log.sealed.end and size >= _CHUNK:
            new.sealed.add(log_pack.parts(b"".join(waiting), log_pack.BLOCK))
            waiting, size = [], 0
    if waiting and log.sealed.end and not log.open_size():
        new.sealed.add(log_pack.parts(b"".join(waiting), log_pack.BLOCK))
        waiting = []
    waiting += writer.last()
    new.replace_open(b"".join(waiting))
    found.files = [os.path.relpath(segment.path, folder) for segment in new.sealed.segments]
    found.files.append(os.path.basename(new.path))
    sealed = log.sealed.every_file(strays_of(log.sealed) if instead.shared else ())
    found.files += take_along(log, folder, found.same)
    found.superseded = [name for name in sealed if name not in found.files]
    return found


def _in_common(old: Sequence[Line], new: Sequence[bytes]) -> int:
    """Bytes of the lines at the beginning that are the same."""
    return sum(line.size for line, _ in takewhile(lambda each: each[0].data == each[1], zip(old, new)))


class _Writer:
    """Gives for each line of the old log those of the new one, a run at a time."""

    def __init__(self, log: Log, instead: Instead, blobs: set[str]) -> None:
        self._instead, self._blobs = instead, blobs
        self._moving = _moving(log, instead)
        self._untitled = {name for name, _ in instead.tombstones}.union(instead.untitled)
        self._carried: set[str] = set()
        self._run: list[tuple[bytes, Record]] = []
        self._before = hashlib.sha256()
        self._links = chain.Relinking()
        self._state = State()

    def line(self, line: Line, record: Record) -> list[bytes]:
        """Nothing for an occurrence, the whole run for its commit record."""
        self._before.update(line.data)
        if not is_commit(record):
            self._run.append(self._occurrence(line, record) if is_occurrence(record) else (line.data, record))
            return []
        export = record["export"]
        kept: dict[str, Any] = {
            "name": self._instead.name(export["name"]),
            "sha256": self._instead.sha256(export["sha256"]),
        }
        counted = self._counted(record)
        new = new_of(record, counted)
        if new != export.get(RECOUNTED, export["new"]) or counted.captured != export.get("captured", counted.captured):
            # What the run announced it announced; what is left of that is counted besides. So where only the captured ones among
            # them are fewer: a body that a capture brought and that was purged there is brought by this run.
            kept[RECOUNTED] = new
        if "known_bytes" in export:
            # A body that moved here from a line that went was known to this run; now it is one of those that it brought.
            kept["known_bytes"] = min(export["known_bytes"], export["bytes"] - brought(each for _, each in self._run))
        was = record
        if any(export.get(name) != value for name, value in kept.items()):
            record = {**record, "export": {**export, **kept}}
            if kept["sha256"] != export["sha256"]:
                record.pop(PREFIX, None)  # the file begins with other bytes now, and nothing is to tell of the old ones
        if TITLED in record and record["conversation_id"] in self._untitled:
            record = without_titles(record)
        if self._instead.forget and chain.REPLACED in record:
            record = {name: value for name, value in record.items() if name != chain.REPLACED}
        record = self._links.name(record)
        lines = [*(each for each, _ in self._run), line.data if record is was else encode_line(record)]
        self._links.take((self._before.hexdigest(), was), (digest_of(lines), record))
        self._run, self._before = [], hashlib.sha256()
        return lines

    def last(self) -> list[bytes]:
        """The lines to be added, each with the head before it; the first one says which head is no more."""
        lines = []
        replaced = None if self._instead.forget else self._links.replaced(self._instead.at, chain.PURGE)
        for record in self._instead.last:
            noted = {} if replaced is None else {chain.REPLACED: [replaced.as_member()]}
            linked = self._links.added({**record, **noted})
            lines.append(encode_line(linked))
            self._links.take(None, (digest_of(lines[-1:]), linked))
            replaced = None
        return lines

    def _counted(self, commit: Record) -> Counts:
        """What the run at hand comes to, in the new log. Raises :class:`StoreDamaged`."""
        try:
            for data, record in self._run:
                kind = record["message"]["kind"] if "message" in record else ""
                # What a body is has been proven: only its kind is asked for.
                item = Fingerprint(record["content_hash"], "", kind, "", 0) if kind else None
                apply(self._state, record, Line(self._state.size, 0, data), item)
            apply(self._state, commit, Line(self._state.size, 0, b""))
        except Damaged as error:
            raise StoreDamaged(f"a run of '{commit['conversation_id']}': {error}") from error
        return self._state.run

    def _occurrence(self, line: Line, record: Record) -> tuple[bytes, Record]:
        place = (record["conversation_id"], record["index"])
        other = self._instead.tombstones.get(place)
        if other is not None:
            return encode_line(other), other
        identity = record["content_hash"]
        changed: dict[str, Any] = {}
        if "message" in record:
            self._carried.add(identity)
        elif identity in self._moving and identity not in self._carried and PURGED not in record:
            self._carried.add(identity)
            changed["message"] = self._moving.pop(identity)
        source = record.get("source", {})
        if "export" in source and self._instead.sha256(source["export"]) != source["export"]:
            changed["source"] = {**source, "export": self._instead.sha256(source["export"])}
        if (place[0], record.get("extends")) in self._instead.tombstones:
            # Only the shorter form goes: what is no form of it any more stands by itself.
            changed["extends"] = None
        if changed:
            record = _in_order({name: value for name, value in {**record, **changed}.items() if value is not None})
        self._blobs.update(blobs_of(record))
        return (encode_line(record) if changed else line.data), record


def _moving(log: Log, instead: Instead) -> dict[str, Any]:
    """The bodies whose line goes, by content hash; only those that another line stands for."""
    carriers: dict[str, int] = {}
    stays: set[str] = set()
    for line, record in records(log):
        if not is_occurrence(record) or PURGED in record:
            continue
        if (record["conversation_id"], record["index"]) not in instead.tombstones:
            stays.add(record["content_hash"])
        elif "message" in record:
            carriers[record["content_hash"]] = line.offset
    return {identity: log.record(offset)["message"] for identity, offset in carriers.items() if identity in stays}


def _in_order(record: Record) -> Record:
    """The members in the order in which a line is written: a search reads its beginning without decoding it."""
    names = (
        "conversation_id",
        "index",
        "timestamp",
        "content_hash",
        "uuid",
        "source_index",
        "extends",
        "message",
        "source",
    )
    return {**{name: record[name] for name in names if name in record}, **record}
