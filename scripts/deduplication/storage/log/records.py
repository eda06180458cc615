"""The kinds of log line, made of what the engine hands over, and read again; and the audit line that follows from one."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final

from ...alignment.tombstone import Head, Tombstone
from ...files.clock import timestamp
from ...model import EXACT, KINDS, LAYOUT, ROLES, Message
from ...start.late_dataclass import asdict
from ..contract import Cursor, Same
from ..prefix import of_prefix
from .lines import Damaged, decode_line, is_commit
from .title_records import CLIENT, TITLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..contract import Counts, ExportRecord, NewOccurrence
    from .lines import Record

PURGED: Final = "purged"
"""The member of a tombstone's line."""
SAME: Final = "same"
"""The member of a line that says that another conversation turned out to be this one."""
PURGE: Final = "purge"
"""The member of the line that a purge leaves, and what its audit line calls the operation."""
CAPTURE: Final = "capture"
"""What the audit line of a run that announces nothing calls the operation."""
PREFIX: Final = "prefix"
RECOUNTED: Final = "recounted"
"""In the record of a run from which a purge took something: what its ``new`` comes to without that."""
_LENGTHS_OF_0_1: Final = (64, 256, 1024, 4096)
"""Letters and digits of the beginnings that version 0.1 kept of a purged message: its lines do not tell them."""


def occurrence_record(conversation_id: str, number: int, new: NewOccurrence, sha256: str, *, carries: bool) -> Record:
    """The line of one occurrence; ``carries``: it is the first with its content hash and brings the body."""
    message = new.message
    if new.purged is not None:
        return tombstone_record(conversation_id, number, new.purged, new.extends, message.source_index)
    record: Record = {
        "conversation_id": conversation_id,
        "index": number,
        "timestamp": new.timestamp,
        "content_hash": new.fingerprint.content_hash,
    }
    if message.uuid:
        record["uuid"] = message.uuid
    if message.source_index is not None:
        record["source_index"] = message.source_index
    if new.extends is not None:
        record["extends"] = new.extends
    if carries:
        record["message"] = {"role": message.role, "kind": message.kind, "content": message.content}
        if message.fidelity == EXACT:
            record["message"]["fidelity"] = EXACT
    record["source"] = {"export": sha256[:16], "clock": new.clock}
    if new.redrawn:
        record["source"]["redrawn"] = True
    if message.start >= 0:
        record["source"]["span"] = [message.start, message.end]
    return record


def tombstone_record(
    conversation_id: str, number: int, tombstone: Tombstone, extends: int | None, source_index: int | None
) -> Record:
    """The line of an occurrence that was purged: its place, and what it is known by."""
    record: Record = {"conversation_id": conversation_id, "index": number, "content_hash": tombstone.identity}
    if tombstone.uuid:
        record["uuid"] = tombstone.uuid
    if source_index is not None:
        record["source_index"] = source_index
    if extends is not None:
        record["extends"] = extends
    left: Record = {"kind": tombstone.kind, "key": tombstone.key, "weight": tombstone.weight}
    found = {
        "layout": tombstone.layout,
        "drawn": list(tombstone.drawn),
        "heads": [list(head) for head in tombstone.heads],
        "cut": list(tombstone.cut or ()),
        "call": tombstone.call,
    }
    left.update((name, value) for name, value in found.items() if value)
    if tombstone.everywhere:
        left["everywhere"] = True
    record[PURGED] = left
    return record


def tombstone_from(record: Record) -> Tombstone:
    """The tombstone that a log line is. Raises :class:`Damaged` where it has another form."""
    left = record[PURGED]
    try:
        found = Tombstone(
            identity=record["content_hash"],
            kind=left["kind"],
            key=left["key"],
            weight=left["weight"],
            uuid=record.get("uuid") or "",
            layout=left.get("layout", ""),
            drawn=tuple(left.get("drawn", ())),
            heads=tuple(map(_head, left.get("heads", ()), itertools.chain(_LENGTHS_OF_0_1, itertools.repeat(0)))),
            cut=_head(left["cut"]) if "cut" in left else None,
            call=left.get("call", ""),
            everywhere=left.get("everywhere", False),
        )
        digits = len(bytes.fromhex(found.identity)), len(bytes.fromhex(found.key)), len(bytes.fromhex(found.layout))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Damaged("a tombstone of another form") from error
    if found.kind not in KINDS or type(found.weight) is not int or digits not in ((32, 8, 0), (32, 8, 32)):
        raise Damaged("a tombstone of another form")
    return found


def _head(found: Any, length: int = 0) -> Head:
    """A beginning as a log line has it; ``length`` is that of one whose line does not tell. Raises TypeError, ValueError."""
    weight, key = (length, found) if isinstance(found, str) else found
    if type(weight) is not int or weight <= 0 or not isinstance(key, str):
        raise ValueError("a beginning of another form")
    return Head(weight, key)


def purge_record(conversation_id: str, moment: str, figures: Record) -> Record:
    """The line that says of a conversation that something was purged: a run that showed nothing, with ``figures``."""
    export = {"name": "", "sha256": "", "bytes": 0, "format": PURGE, "parser": 0, "total": 0, "new": 0}
    return {
        "conversation_id": conversation_id,
        "timestamp": moment,
        "export": export,
        "window": [],
        "processing_time_ms": 0,
        PURGE: figures,
    }


def same_record(conversation_id: str, same: Same) -> Record:
    """The line that says that another conversation is this one; see ``contract.Same``."""
    said: Record = {
        "conversation": same.conversation_id,
        "at": same.at,
        "count": same.count,
        "pairs": _runs(same, better=False),
    }
    better = _runs(same, better=True)
    if better:
        said["better"] = better
    return {"conversation_id": conversation_id, "timestamp": timestamp(), SAME: said}


def _runs(same: Same, *, better: bool) -> list[list[int]]:
    """Pairs of numbers that both go on by one, as [first here, first there, how many]."""
    found: list[list[int]] = []
    for here, there, wins in same.pairs:
        if wins != better:
            continue
        if found and (here, there) == (found[-1][0] + found[-1][2], found[-1][1] + found[-1][2]):
            found[-1][2] += 1
        else:
            found.append([here, there, 1])
    return found


def is_occurrence(record: Record) -> bool:
    """True for the line of a message, or of the place of one that was purged."""
    return SAME not in record and not is_commit(record)


def occurrence_in(line: bytes) -> Record | None:
    """The record of such a line; None for every other one, and for a damaged one."""
    try:
        record = decode_line(line)
    except Damaged:
        return None
    return record if is_occurrence(record) else None


def same_of(record: Record) -> Same:
    """What a line says of another conversation. Raises :class:`Damaged` where it has another form."""
    said = record[SAME]
    try:
        name, at, count = said["conversation"], said["at"], said["count"]
        pairs = [
            (here + step, there + step, better)
            for member, better in (("pairs", False), ("better", True))
            for here, there, length in said.get(member, ())
            for step in range(length)
        ]
        sound = isinstance(name, str) and name != record["conversation_id"] and type(at) is type(count) is int
        if not sound or any(not 0 <= here < at or not 0 <= there < count for here, there, _ in pairs):
            raise Damaged("two conversations that cannot be one")
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged("two conversations that cannot be one") from error
    return Same(name, at, count, tuple(pairs))


def announces(record: Record) -> bool:
    """True for the record of a run that announced what it showed: no part of a growing file, nor an export only to be known."""
    return record.get("cursor") is None and record["export"].get("announces", True) is True


def new_of(record: Record, counts: Counts) -> int:
    """What the ``new`` of a commit record stands for, of what its run comes to: what nobody announced before.

    Of a run that announces nothing, and of one of version 0.1 (``captured`` is missing), what it brought.
    """
    return counts.new if announces(record) and "captured" in record["export"] else counts.stored


def commit_record(conversation_id: str, export: ExportRecord, started: float) -> Record:
    """The line that ends a run; ``started`` is the ``time.perf_counter()`` at which work on the export began."""
    record: Record = {
        "conversation_id": conversation_id,
        "timestamp": timestamp(),
        "export": {
            "name": export.name,
            "sha256": export.sha256,
            "bytes": export.bytes,
            "format": export.format,
            "parser": export.parser,
            "total": export.total,
            "new": export.new,
        },
        "window": export.window,
        "processing_time_ms": round(1000 * (time.perf_counter() - started)),
    }
    if not export.announces:
        record["export"]["announces"] = False
    elif export.cursor is None:
        record["export"]["captured"] = export.captured
    if export.known_bytes:
        record["export"]["known_bytes"] = export.known_bytes
    if export.purged:
        record["export"]["purged"] = export.purged
    if export.prefix is not None:
        record[PREFIX] = of_prefix(export.prefix)
    if export.breaks:
        record["breaks"] = export.breaks
    if export.one:
        record["one"] = [list(pair) for pair in export.one]
    if export.marks:
        record["marks"] = [list(mark) for mark in export.marks]
    if export.gaps:
        record["gaps"] = export.gaps
    if export.session:
        record["session"] = export.session
    if export.cursor is not None:
        record["cursor"] = asdict(export.cursor)
    if export.follows >= 0:
        record["follows"] = export.follows
    if export.titles:
        record[TITLED] = {CLIENT: dict(export.titles)}
    return record


def cursor_of(record: Any) -> Cursor | None:
    """The cursor of a commit record. Raises :class:`Damaged` where it has another form."""
    if record is None:
        return None
    texts = ("source", "session", "prefix", "after")
    if (
        not isinstance(record, dict)
        or not all(isinstance(record.get(name), str) for name in texts)
        or not all(type(record.get(name)) is int for name in ("offset", "last"))
    ):
        raise Damaged("a cursor of another form")
    return Cursor(**{name: record[name] for name in (*texts, "offset", "last")})


def message_of(record: Record) -> Message:
    """The message that a log line carries. Raises :class:`Damaged` where it has another form."""
    message = record["message"]
    try:
        fidelity = EXACT if message.get("fidelity") == EXACT else LAYOUT
        if message["kind"] not in KINDS or message["role"] not in ROLES:
            raise Damaged("a message of an unknown role or kind")
        return Message(message["role"], message["kind"], message["content"], uuid=record.get("uuid"), fidelity=fidelity)
    except (KeyError, TypeError, AttributeError) as error:
        raise Damaged("a message without role, kind or content") from error


def blobs_of(record: Record) -> Mapping[str, int]:
    """Which blobs a log record refers to, and their sizes in bytes; none where it has another form."""
    message = record.get("message")
    blobs = message.get("blobs") if isinstance(message, dict) else None
    return blobs if isinstance(blobs, dict) else {}


def blob_bytes(record: Record) -> int:
    """Bytes of the blobs that the message of a log line refers to."""
    return sum(blobs_of(record).values())


def base64_size(size: int) -> int:
    """Characters of so many bytes in Base64, with padding."""
    return 4 * ((size + 2) // 3)
