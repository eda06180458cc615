"""The columns of both tables: their names, types and order are the same in every form, and stay what they are.

What each of them says stands in ``docs/tables.md``. Where the database has the same thing, it has the same name there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Optional, Union

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT: Final = "text"
"""Unicode that every reader takes: without NUL and without lone surrogates."""
WHOLE: Final = "whole"
"""A whole number of 64 bits, with a sign."""
MOMENT: Final = "moment"
"""A time: microseconds since 1970, UTC."""

VERSION: Final = 1
"""Raised whenever a column goes, or means something else; one more at the end changes nothing for who asks by name."""

Value = Optional[Union[str, int]]


class Column(NamedTuple):
    """One column. ``optional``: some rows have nothing there; ``few``: few different values, which repeat."""

    name: str
    type: str
    optional: bool = False
    few: bool = False


class Table(NamedTuple):
    """A table; files are called after it."""

    name: str
    columns: tuple[Column, ...]


MESSAGES: Final = Table(
    "messages",
    (
        Column("conversation_id", TEXT, few=True),
        Column("message_index", WHOLE),
        Column("reading_position", WHOLE),
        Column("role", TEXT, few=True),
        Column("kind", TEXT, few=True),
        Column("content", TEXT),
        Column("content_type", TEXT, few=True),
        Column("content_hash", TEXT),
        Column("created_at", MOMENT, optional=True),
        Column("timestamp", TEXT, optional=True),
        Column("clock", TEXT, optional=True, few=True),
        Column("fidelity", TEXT, optional=True, few=True),
        Column("source_index", WHOLE, optional=True),
        Column("uuid", TEXT, optional=True),
        Column("extends", WHOLE, optional=True),
        Column("redacted", WHOLE),
    ),
)
RUNS: Final = Table(
    "runs",
    (
        Column("conversation_id", TEXT, few=True),
        Column("operation", TEXT, few=True),
        Column("created_at", MOMENT, optional=True),
        Column("messages_processed", WHOLE),
        Column("new_messages", WHOLE),
        Column("captured_messages", WHOLE),
        Column("captured_before", WHOLE),
        Column("duplicates_filtered", WHOLE),
        Column("purged_messages", WHOLE),
        Column("processing_time_ms", WHOLE),
        Column("export_name", TEXT),
        Column("export_sha256", TEXT),
        Column("export_bytes", WHOLE),
        Column("known_bytes", WHOLE),
        Column("format", TEXT, few=True),
        Column("parser", WHOLE),
        Column("session", TEXT, optional=True),
        Column("gaps", TEXT),
    ),
)


def row_of(table: Table, values: Mapping[str, Value]) -> tuple[Value, ...]:
    """A row of these values, by column; every column that is not optional must be there."""
    return tuple(values.get(column.name) if column.optional else values[column.name] for column in table.columns)
