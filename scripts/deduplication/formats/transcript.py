"""Session transcripts of Claude Code: ``~/.claude/projects/<folder>/<session>.jsonl`` and those of sub-agents, 2.0 to 2.1.330.

One JSON object a line, only ever appended to (see ``transcript_lines`` for what a line can be, ``line_order`` for the order in
which lines are read). Lines end at a line feed and nowhere else. Every line is one span: of its first message's kind, of its
type, or of a label of ``transcript_reader``. Where a line has several messages (text and image of a prompt), they share its
bytes, the span stands once, and the uuid of each is the line's with ``:n`` for the n-th block, from 0. The client writes each
block of a streamed answer as a line of its own: nothing is merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import NotAnExport
from ..model import COMPACTION, SafePlace
from ..start.late_dataclass import replace
from .base import Slice
from .json_spans import decoder
from .line_order import is_in_order, lines_of, own_ids
from .transcript_reader import (
    BLANK,
    DAMAGED,
    REPEATED,
    UNFINISHED,
    UNKNOWN,
    Before,
    Dialect,
    LineReader,
    nothing_before,
)
from .transcript_types import CONVERSATION, OTHERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..model import Export
    from .base import Purging

__all__ = [
    "BLANK",
    "DAMAGED",
    "NAME",
    "OWN_IDS",
    "REPEATED",
    "UNFINISHED",
    "UNKNOWN",
    "blank",
    "members",
    "parse",
    "parse_rest",
    "parse_slice",
    "recognises",
    "volatile",
]

NAME: Final = "claude-code-transcript"
OWN_IDS: Final = False
members: Final = None

_PROBED: Final = 2000
"""Lines; a session may begin with many snapshots and titles, but not with this many."""
_DIALECT: Final = Dialect(NAME)


def recognises(data: bytes, *, strict: bool) -> bool:
    """True where a line is one of the client's; ``strict``: a prompt or an answer of a session, nothing foreign before it."""
    read = decoder()
    for number, (start, end) in enumerate(lines_of(data)):
        if number >= _PROBED:
            break
        try:
            text = data[start:end].decode().strip(" \t\r\n\ufeff")
            if not text:
                continue
            line = read.decode(text)
        except (ValueError, RecursionError):
            if strict:
                return False
            continue
        type_ = line.get("type") if isinstance(line, dict) else None
        if not isinstance(type_, str):
            if strict:
                return False
        elif type_ in ("user", "assistant") and isinstance(line.get("message"), dict) and "uuid" in line:
            if isinstance(line.get("sessionId"), str) or ("parentUuid" in line and not strict):
                return True
        elif not strict and ("sessionId" in line or "leafUuid" in line) and (type_ in CONVERSATION or type_ in OTHERS):
            return True
    return False


def parse(data: bytes) -> Export:
    """Every message of a transcript in the order of its lines.

    Damaged lines and unknown types are counted in warnings, never fatal. Raises :class:`NotAnExport` where no line is known.
    """
    reader = LineReader(_DIALECT)
    export = reader.read(data)
    if not reader.known:
        raise NotAnExport("no line of a session transcript in it")
    sound = reader.in_order and reader.only_has(reader.ids(data))
    return replace(export, safe=_safe_place(reader, data, export)) if sound else export


def volatile(_: bytes) -> Iterator[tuple[int, int]]:
    """Nothing: a line that was written stays."""
    return iter(())


def parse_rest(data: bytes, place: SafePlace) -> Export | None:
    """The lines behind those that were read.

    None where one says again what stands above, is named as its parent by a line above, or cannot be read; where a prompt goes on
    from a line above that is not the last one; and where both parts have a compaction, whose line has no message to be known by.
    """
    after, tip, session, compacted = map(str, place.state)
    rest = data[place.at :]
    ids, own = own_ids(data), own_ids(rest)
    if any(ids[each] < place.at for each in own) or not is_in_order(data, ids):
        return None
    reader = LineReader(_DIALECT, f"{after}/{tip}", _refuse, session=session, begins=place.at)
    try:
        export = reader.read(rest)
    except _Behind:
        return None
    if export.warnings or not reader.only_has(own) or (compacted and _compacted(export)):
        return None
    return replace(export, safe=_safe_place(reader, data, export, compacted))


class _Behind(Exception):
    """What a line says depends on one that is not read."""


def _refuse(_: str) -> tuple[bool, bool]:
    raise _Behind


def _compacted(export: Export) -> str:
    return COMPACTION if any(mark.kind == COMPACTION for mark in export.marks) else ""


def _safe_place(reader: LineReader, data: bytes, export: Export, compacted: str = "") -> SafePlace | None:
    """The end of a file of whole lines, all of them known, each behind its parent."""
    session = reader.own_session
    if session is None or export.warnings or not data.endswith(b"\n"):
        return None
    state = (reader.after, reader.tip, session, compacted or _compacted(export))
    return SafePlace(len(data), len(export.messages), state)


def parse_slice(data: bytes, after: str = "", before: Before = nothing_before) -> Slice:
    """The same for a part that begins where a line begins; offsets and positions count from the beginning of the part.

    Whether an output belongs to ``/export`` is known from the command before, and that a prompt goes on from an earlier point,
    from the line before, which may lie in the part before: ``after`` is that of the part before. Repeats are found within a
    part only; their uuids tell the rest. ``before`` tells what of a line the parts before have.
    """
    reader = LineReader(_DIALECT, after, before)
    export = reader.read(data)
    return Slice(export, f"{reader.after}/{reader.tip}")


def blank(data: bytes, exports: Sequence[Export], purging: Purging) -> bytes:
    """The line of a purged message keeps its ids and its place."""
    from .blanking import blank_transcript

    return blank_transcript(data, exports, purging)
