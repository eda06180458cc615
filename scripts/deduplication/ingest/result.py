"""What one export is to a store, and what became of it: its input, its commit record, its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..start.late_dataclass import dataclass
from ..storage.contract import ExportRecord

if TYPE_CHECKING:
    from ..storage.contract import Cursor, Store

PARSER_VERSION: Final = 3
"""Raised whenever a parser reads more out of the same bytes, so that a file known under an older one is read again."""


@dataclass(frozen=True)
class Ingest:
    """What became of one export. ``total`` = ``new`` + ``duplicates``; bytes and counts are whole numbers.

    ``new``: messages that no export announced before, of a part of a growing file those that it brought. ``captured`` of them were
    captured before. ``new_messages`` are those that are new to the conversation.
    """

    conversation_id: str
    format: str
    name: str
    sha256: str
    raw_bytes: int
    total: int
    new: int
    duplicates: int
    gaps: tuple[str, ...]
    warnings: tuple[str, ...]
    new_messages: list[dict[str, Any]]
    known_before: bool
    captured: int = 0
    conversations: tuple[str, ...] = ()
    """Of a file that may hold several conversations: all of them."""


@dataclass(frozen=True)
class Input:
    """The file an export was read from, or a part of it: its name, SHA-256 and size in bytes.

    ``announces`` False: it is only to be known, before somebody processes it and is told what is new.
    ``cursor``: it is a part of a growing file, read up to there. ``cursor.last`` is the sequence number of the last message
    that was read from the file before (-1: none); what is stored has that of the last one of this part.
    """

    name: str
    sha256: str
    size: int
    cursor: Cursor | None = None
    announces: bool = True

    @property
    def captures(self) -> bool:
        """True where what it brings waits for the export that shows it."""
        return self.cursor is not None or not self.announces

    @property
    def follows(self) -> int:
        """The sequence number that the first message of this part comes after, -1 where none does."""
        return self.cursor.last if self.cursor is not None else -1


def record_of(source: Input, format_: str, **found: Any) -> ExportRecord:
    """The commit record of a run over ``source``; ``found`` is what the run found, by the record's own fields."""
    found.setdefault("new", 0)
    return ExportRecord(
        name=source.name,
        sha256=source.sha256,
        bytes=source.size,
        format=format_,
        parser=PARSER_VERSION,
        announces=source.announces,
        **found,
    )


def result_of(
    store: Store,
    conversation_id: str,
    record: ExportRecord,
    warnings: tuple[str, ...],
    new_messages: list[dict[str, Any]],
    *,
    known_before: bool,
) -> Ingest:
    """What became of an export, from its commit record; takes the warnings that the store has collected."""
    of_the_store = list(store.warnings)
    store.warnings.clear()
    return Ingest(
        conversation_id=conversation_id,
        format=record.format,
        name=record.name,
        sha256=record.sha256,
        raw_bytes=record.bytes,
        total=record.total,
        new=record.new,
        captured=record.captured,
        duplicates=record.total - record.new,
        gaps=tuple(record.gaps),
        warnings=(*warnings, *of_the_store),
        new_messages=new_messages,
        known_before=known_before,
    )
