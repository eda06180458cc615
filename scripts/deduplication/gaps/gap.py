"""One thing that is missing, or will be: what, since when, how sure that is, and what would still fill it."""

from __future__ import annotations

from typing import Any, Final

from ..start.late_dataclass import dataclass

INDEX_JUMP: Final = "index_jump"
"""A source numbers its messages, and numbers are missing, within an export or between two."""
MISSING_PARENT: Final = "missing_parent"
"""A line of a transcript goes on from a line that stands nowhere."""
COMPACTION: Final = "compaction"
"""An export begins after a compaction and shares nothing with what is stored before it."""
TIME_HOLE: Final = "time_hole"
"""Nothing that was seen ties two stretches of a conversation, or the client knows of prompts that are not in it."""
MISSING_ORIGIN: Final = "missing_origin"
"""A session names another one, from which it came or in which it went on, and nobody has that."""
MISSING_OUTPUT: Final = "missing_output"
"""The client put a result aside for its size, its file is gone, and what is stored is the beginning."""
HIDDEN_LINES: Final = "hidden_lines"
"""A text export shows ``… +57 lines`` in the place of the rest of a result, and no other source has the rest."""
UNSEEN_EXPORT: Final = "unseen_export"
"""The client said that it exported a conversation, and nothing of that file was stored."""
UNSTORED_SESSION: Final = "unstored_session"
"""The client's history has prompts of a session of which there is no conversation."""
AT_RISK: Final = "at_risk"
"""A session is not, or not wholly, captured, and the client will delete it."""
KINDS: Final = (
    INDEX_JUMP,
    MISSING_PARENT,
    COMPACTION,
    TIME_HOLE,
    MISSING_ORIGIN,
    MISSING_OUTPUT,
    HIDDEN_LINES,
    UNSEEN_EXPORT,
    UNSTORED_SESSION,
    AT_RISK,
)

CERTAIN: Final = "certain"
"""The source itself says so."""
LIKELY: Final = "likely"
"""What is there cannot be explained otherwise by what is known of the source."""
POSSIBLE: Final = "possible"
"""There is another explanation, too."""
SURENESS: Final = (CERTAIN, LIKELY, POSSIBLE)

MESSAGES: Final = "messages"
LINES: Final = "lines"
BYTES: Final = "bytes"
FILES: Final = "files"
PROMPTS: Final = "prompts"
UNITS: Final = (MESSAGES, LINES, BYTES, FILES, PROMPTS)


@dataclass(frozen=True)
class Gap:
    """What is missing, in one place.

    ``kind`` is one of :data:`KINDS`, ``sure`` of :data:`SURENESS`. ``conversation_id`` is empty where no conversation has it.
    ``count`` of ``unit`` (:data:`UNITS`) are missing, None where nobody knows how much. ``since`` and ``until`` are UTC, in the
    log's spelling, and empty where unknown: what is missing was said between them. ``ranges`` are runs of missing source indexes,
    both ends included, as the original design's ``detect_gaps`` returns them. ``source`` is the file, session or export that
    tells of it. ``place`` is the sequence number of the stored message before it, -1 for none. ``days_left`` is set where the
    client will delete what would still fill it: days until then, 0 for today.
    """

    kind: str
    text: str
    sure: str
    fill: str
    conversation_id: str = ""
    count: int | None = None
    unit: str = MESSAGES
    since: str = ""
    until: str = ""
    ranges: tuple[tuple[int, int], ...] = ()
    source: str = ""
    place: int = -1
    days_left: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``; what is not known is null."""
        return {
            "kind": self.kind,
            "conversation_id": self.conversation_id or None,
            "text": self.text,
            "count": self.count,
            "unit": self.unit,
            "since": self.since or None,
            "until": self.until or None,
            "ranges": [list(each) for each in self.ranges],
            "source": self.source or None,
            "place": self.place if self.place >= 0 else None,
            "sure": self.sure,
            "fill": self.fill,
            "days_left": self.days_left,
        }
