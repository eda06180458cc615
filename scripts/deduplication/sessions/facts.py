"""What can be said of a conversation as a whole: when, how much of what, from where, and what may be missing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from ..formats import shown_as
from ..model import (
    COMMAND_OUTPUT,
    CONTEXT,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    SUMMARY,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    UNKNOWN,
    counts,
)
from ..start.late_dataclass import dataclass, field
from .conversation import GAP, purged_in
from .moments import between

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .conversation import Reading
    from .evidence import Evidence
    from .redaction import Cleaner

_KINDS: Final = (
    (PROMPT, "prompt", "prompts"),
    (TEXT, "answer", "answers"),
    (THINKING, "thought", "thoughts"),
    (TOOL_CALL, "tool call", "tool calls"),
    (TOOL_RESULT, "result", "results"),
    (LOCAL_COMMAND, "command", "commands"),
    (COMMAND_OUTPUT, "output", "outputs"),
    (SUMMARY, "summary", "summaries"),
    (NOTICE, "notice", "notices"),
    (CONTEXT, "context", "contexts"),
    (UNKNOWN, "unknown", "unknown"),
)
_NAMED: Final = 5


@dataclass(frozen=True)
class Facts:
    """What can be said of a whole conversation, or of the part of it that a document shows. Times are empty where unknown."""

    session: str
    first: str
    last: str
    kinds: Mapping[str, int]
    evidence: Evidence
    marks: Mapping[str, int] = field(default_factory=dict)
    """How many gaps, compactions and rewinds there are."""

    @property
    def messages(self) -> int:
        """Messages that count."""
        return sum(count for kind, count in self.kinds.items() if counts(kind))


def facts_of(reading: Reading, first: str, last: str, kinds: Mapping[str, int] | None = None) -> Facts:
    """The facts of a reading; ``first`` and ``last`` are the times that its messages have."""
    return Facts(
        reading.session,
        first,
        last,
        reading.counts() if kinds is None else kinds,
        reading.evidence,
        Counter(mark for marks in reading.marks.values() for mark in marks),
    )


def kinds_in_words(kinds: Mapping[str, int]) -> str:
    """``12 messages: 3 prompts, 4 answers, 5 tool calls``."""
    total = sum(count for kind, count in kinds.items() if counts(kind))
    named = [f"{kinds[kind]:,} {one if kinds[kind] == 1 else many}" for kind, one, many in _KINDS if kinds.get(kind)]
    other = total - sum(kinds.get(kind, 0) for kind, _, _ in _KINDS)
    if other:
        named.append(f"{other:,} other" if named else f"{other:,} of other kinds")
    return f"{total:,} {'message' if total == 1 else 'messages'}" + (f": {', '.join(named)}" if named else "")


def sources(evidence: Evidence, clean: Cleaner) -> list[str]:
    """Where the messages came from, the latest first, a line each."""
    lines = []
    for name, form, last, runs in reversed(evidence.sources[-_NAMED:]):
        times = "" if runs == 1 else f", read {runs:,} times"
        lines.append(f"{clean.text(name)}: {shown_as(form)}{times}, {between(last, last)}")
    total = evidence.exports + evidence.captures
    named = sum(source[3] for source in evidence.sources[-_NAMED:])
    return [*lines, *([f"and {total - named:,} runs before"] if total > named else [])]


def gaps(facts: Facts, clean: Cleaner) -> list[str]:
    """What may be missing, a line each; empty where nothing is known to be."""
    count = facts.marks.get(GAP, 0)
    found = (
        [f"{count:,} {'place' if count == 1 else 'places'} where messages may be missing; marked below"]
        if count
        else []
    )
    purged = sum(purged_in(mark) * number for mark, number in facts.marks.items())
    if purged:
        found.append(f"{purged:,} {'message was' if purged == 1 else 'messages were'} purged")
    return [*found, *(f"noted when a source was read: {clean.text(gap)}" for gap in facts.evidence.gaps)]


def as_dict(facts: Facts) -> dict[str, Any]:
    """The facts for programs."""
    return {
        "session_id": facts.session,
        "first_message": facts.first or None,
        "last_message": facts.last or None,
        "messages": facts.messages,
        "kinds": {kind: count for kind, count in facts.kinds.items() if counts(kind)},
        "sources": [
            {"name": name, "format": form, "last_processed": last, "runs": runs}
            for name, form, last, runs in facts.evidence.sources
        ],
        "exports_processed": facts.evidence.exports,
        "captures": facts.evidence.captures,
        "purged": sum(purged_in(mark) * number for mark, number in facts.marks.items()),
        "gaps": {"unconnected": facts.marks.get(GAP, 0), "noted": list(facts.evidence.gaps)},
    }
