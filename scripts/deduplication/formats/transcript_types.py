"""The types that a line of a transcript can have: which carry messages, which carry none, which name other sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..model import Lineage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CONVERSATION: Final = frozenset(("user", "assistant", "attachment", "system"))
"""Types that can carry messages; such lines name the session, and in a sub-agent's file the agent."""
_SESSIONS: Final = frozenset(("sessionId", "sessions", "parentSessionId", "sourceSessionId", "continuedInSessionId"))
RELOCATED: Final = "relocated"
"""The type that names a folder, and no session."""
LINEAGE: Final = {
    "continued-in": _SESSIONS,
    "derived-from": _SESSIONS,
    "fork-context-ref": _SESSIONS,
    RELOCATED: frozenset(("relocatedCwd",)),
}
"""Types that name where a session came from or went to, and the keys that do."""
OTHERS: Final = frozenset(
    (
        *LINEAGE,
        "agent-color",
        "agent-name",
        "agent-setting",
        "ai-title",
        "api-request",
        "api-request-blob",
        "api-request-resumed",
        "api-request-shape",
        "artifact-autoreact-ledger",
        "artifact-comment-monitor",
        "atis-latch",
        "attribution-snapshot",
        "bridge-session",
        "content-replacement",
        "cost-state",
        "custom-title",
        "data-flow-incomplete",
        "data-flow-records",
        "dev-mods",
        "ended-by-model",
        "file-history-delta",
        "file-history-snapshot",
        "frame-link",
        "history-suppression",
        "isolation-latch",
        "last-prompt",
        "memory-mode",
        "mode",
        "observer-ref",
        "permission-mode",
        "pr-link",
        "progress",
        "queue-operation",
        "resume-head-vouch",
        "session-owner",
        "summary",
        "tag",
        "tools-used",
        "worktree-state",
    )
)
"""Types that are known and carry none: titles, counters, copies of what other lines say. Their label is their type."""


def lineage_of(line: dict[str, Any]) -> Iterator[Lineage]:
    """What a line of :data:`LINEAGE` says: the sessions it names but its own, for ``relocated`` the folder it went to."""
    type_ = str(line.get("type"))
    found = list(_values(line, LINEAGE[type_]))
    for value in dict.fromkeys(found):
        if value != line.get("sessionId"):
            yield Lineage(type_, value)


TITLES: Final = {
    "custom-title": ("custom", "customTitle"),
    "ai-title": ("ai", "aiTitle"),
    "summary": ("summary", "summary"),
}
"""Types that say what a session is called: the kind of title, and the key that has it."""
_CONTINUED: Final = "This session is being continued from a previous conversation"
"""What the client calls a branch of a session that was compacted: the beginning of what it told the model, no title."""


def titles_of(
    lines: Iterable[dict[str, Any]], session: str | None, is_own: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """The titles that lines of :data:`TITLES` give to ``session``, the last one of each kind.

    Versions up to 2.0 wrote summaries into files of other sessions, too: there the id of the last line that was summed up must be
    one of this file (``is_own``).
    """
    found = filter(None, (_title_of(line, session, is_own) for line in lines))
    yield from {kind: (kind, text) for kind, text in found}.values()


def _title_of(line: dict[str, Any], session: str | None, is_own: Callable[[str], bool]) -> tuple[str, str] | None:
    kind, key = TITLES.get(str(line.get("type")), ("", ""))
    text = line.get(key)
    if not kind or not isinstance(text, str) or not text.strip() or text.startswith(_CONTINUED):
        return None
    if kind == "summary":
        return (kind, text) if is_own(str(line.get("leafUuid"))) else None
    return (kind, text) if line.get("sessionId") in (None, session) or session is None else None


def _values(line: dict[str, Any], keys: frozenset[str]) -> Iterator[str]:
    for key, value in line.items():
        if key not in keys:
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _values(each, keys)
            elif isinstance(each, str) and each:
                yield each
