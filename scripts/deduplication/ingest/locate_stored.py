"""Which stored occurrence each message of a file is, without storing anything: for a file that was processed, or for any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import formats
from ..alignment.reading_order import numbers_of
from ..errors import DedupError
from ..start.late_dataclass import dataclass, replace
from . import placement, result
from .conversation_match import conversation_of
from .export_view import view_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..formats.base import Format
    from ..model import Export, Message
    from ..storage.contract import Store
    from .export_view import ExportView


@dataclass(frozen=True)
class Located:
    """A conversation of a file: for each message that counts as shown its sequence number, None where it is not stored."""

    conversation_id: str
    export: Export
    shown: ExportView
    numbers: list[int | None]

    def pairs(self) -> Iterator[tuple[Message, int | None]]:
        """Each message that is shown, with its number."""
        return zip(self.shown.messages, self.numbers)


@dataclass(frozen=True)
class LocatedFile:
    """A file as its format reads it, and its conversations."""

    format: Format
    conversations: list[Located]


def locate(store: Store, data: bytes, name: str) -> LocatedFile | None:
    """Inside a transaction: what a file shows of the conversations stored; None for what no format reads."""
    try:
        found = formats.detect(data)
        members = list(formats.conversations(data, found))
    except (DedupError, ValueError, RecursionError):
        return None
    return LocatedFile(found, [_placed(store, each.export, each.sha256, name) for each in members])


def _placed(store: Store, export: Export, sha256: str, name: str) -> Located:
    export = replace(export, messages=tuple(export.messages))  # who asks for pairs tells messages apart as objects
    shown = view_of(export)
    for seen in store.seen(sha256):
        numbers = list(numbers_of(seen.window))
        if seen.parser == result.PARSER_VERSION and len(numbers) == len(shown.messages):
            return Located(seen.conversation_id, export, shown, list(numbers))
    target = conversation_of(store, export, shown, name).conversation if shown.messages else ""
    placed = placement.place(store, target, shown)
    return Located(target, export, shown, placed.plan.matches)
