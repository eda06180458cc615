"""What a conversation is called, as the lines of the log say it: whatever their order, they come to the same.

Each thing that was said has its moment, and the latest one holds; of two at the same moment the greater one. So two machines
that have said something of one conversation agree once each has the lines of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..log.title_records import CLIENT, TAGS, TITLE, TITLED, check_titled

if TYPE_CHECKING:
    from ..log.lines import Record
    from .conversation import ConversationState

FIGURE: Final = "titled"
"""Where the figures of a conversation have it, with its moment each time: a title, the client's by kind, words."""


def note(conversation: ConversationState, record: Record) -> None:
    """Account for what a commit record says. Raises ``Damaged``."""
    if TITLED not in record:
        return
    check_titled(record)
    moment, said = record["timestamp"], record[TITLED]
    found: dict[str, Any] = {
        name: {key: [moment, value] for key, value in said.get(name, {}).items()} for name in _MAPS
    }
    if TITLE in said:
        found[TITLE] = [moment, said[TITLE]]
    conversation.figures[FIGURE] = _later(conversation.figures.get(FIGURE) or {}, found)


def unite(taking: dict[str, Any], other: dict[str, Any]) -> None:
    """The figures of a conversation have those of another one that turned out to be it."""
    if other.get(FIGURE):
        taking[FIGURE] = _later(taking.get(FIGURE) or {}, other[FIGURE])


_MAPS: Final = (CLIENT, TAGS)


def _later(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _MAPS:
        here, there = one.get(name, {}), other.get(name, {})
        keys = sorted({*here, *there})
        if keys:
            found[name] = {key: max(each[key] for each in (here, there) if key in each) for key in keys}
    titles = [each[TITLE] for each in (one, other) if TITLE in each]
    if titles:
        found[TITLE] = max(titles)
    return found
