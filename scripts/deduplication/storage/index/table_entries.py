"""The records of a state's tables as JSON values, which both indexes have in the same form, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...start.late_dataclass import asdict
from ..contract import Cursor
from ..prefix import of_prefix, to_prefix
from ..state.prefixes import NotedPrefix
from ..state.table_records import ReadTo, ShownIn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def of_cursor(read: ReadTo) -> list[Any]:
    """``[conversation, cursor, next number, position of the window]``."""
    return [read.conversation_id, asdict(read.cursor), read.tip, read.window]


def to_cursor(entry: Sequence[Any]) -> ReadTo:
    """What :func:`of_cursor` made. Raises TypeError, ValueError."""
    conversation_id, cursor, tip, window = entry
    return ReadTo(conversation_id, Cursor(**cursor), tip, window)


def to_exports(entries: Iterable[Sequence[Any]]) -> list[ShownIn]:
    """``[conversation, parser, format, messages, position of the window, name]`` of each. Raises TypeError."""
    return [ShownIn(*each) for each in entries]


def of_prefixes(noted: Sequence[NotedPrefix]) -> list[list[Any]]:
    """``[conversation, parser, format, position of the window, runs of others, marks, prefix]`` of each."""
    return [[*each[:-1], of_prefix(each.prefix)] for each in noted]


def to_prefixes(entries: Sequence[Sequence[Any]]) -> list[NotedPrefix]:
    """What :func:`of_prefixes` gave. Raises TypeError, ValueError, KeyError."""
    return [
        NotedPrefix(name, parser, format_, window, others, marks, to_prefix(prefix))
        for name, parser, format_, window, others, marks, prefix in entries
    ]
