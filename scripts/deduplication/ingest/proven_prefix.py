"""How an export begins: what its run notes of that, and which earlier export one is seen to begin with.

A prefix is believed for its SHA-256 alone: all bytes before a safe place (``model.SafePlace``) but the volatile ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..alignment.overlap import plain_run
from ..model import SafePlace, counts
from ..storage.prefix import HEAD, Prefix, Witness
from . import result
from .ink import Ink
from .new_bodies import span_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..formats.base import Cumulative
    from ..model import Export
    from ..storage.contract import Store
    from ..storage.conversation import Conversation
    from ..storage.prefix import SeenPrefix
    from .export_view import ExportView
    from .placement import Placement


class Begun(NamedTuple):
    """An earlier export's prefix that a file begins with, and the byte of the file at which it ends."""

    seen: SeenPrefix
    at: int

    @property
    def place(self) -> SafePlace:
        """From where the file is to be read."""
        return SafePlace(self.at, self.seen.prefix.messages, self.seen.prefix.state)


class Above(NamedTuple):
    """What stands above the part of an export that was read: the ranges of its messages, how many are counted, the bytes that show
    them, and the marks between them with sequence numbers (-1: behind the last one).
    """

    window: Sequence[Sequence[int]] = ()
    counted: int = 0
    shown: int = 0
    marks: Sequence[tuple[str, int]] = ()


class Beginning:
    """The beginning of the file ``data`` of a format; it is hashed as far as somebody asks, and once."""

    def __init__(self, data: bytes, format_: Cumulative) -> None:
        self.data, self.format = data, format_
        self._ink = self._anew()
        self.head = self._ink.digest()[:16] if self._ink.advance(HEAD) else ""
        """By which its prefixes are found; empty where it is too short to have one."""

    def _anew(self) -> Ink:
        return Ink(self.data, self.format.volatile(self.data))

    def longest(self, seen: Sequence[SeenPrefix]) -> list[Begun]:
        """Those of the prefixes that it begins with, the longest ones: more than one where several conversations begin alike."""
        found: list[Begun] = []
        for each in sorted(seen, key=lambda each: each.prefix.size):
            known = each.format == self.format.NAME and each.parser == result.PARSER_VERSION
            if known and self._ink.advance(each.prefix.size) and self._ink.digest() == each.prefix.sha256:
                found = [begun for begun in found if begun.seen.prefix.size == each.prefix.size]
                found.append(Begun(each, self._ink.at))
        return found

    def prefix(
        self, place: SafePlace, above: Above, export: Export, shown: ExportView, witness: Witness
    ) -> Prefix | None:
        """What is noted of it up to ``place``; ``export`` and ``shown`` are what was read of it below what stands ``above``."""
        if place.at < self._ink.at:
            self._ink = self._anew()
        self._ink.advance_to(place.at)
        if not self.head or self._ink.size < HEAD:
            return None
        messages = place.messages - length(above.window)
        counted = above.counted + sum(counts(kind) for kind in shown.rows.kinds[:messages])
        span = above.shown + span_bytes(export.messages[:messages])
        return Prefix(
            self.head, self._ink.size, self._ink.digest(), place.messages, counted, span, place.state, witness
        )


def noted(
    store: Store,
    beginning: Beginning,
    export: Export,
    shown: ExportView,
    placed: Placement,
    conversation: Conversation,
    *,
    alone: bool,
) -> Prefix | None:
    """What is noted of an export that was read whole; None where it shows more than one window.

    Nor is anything noted where a message is not stored with the content hash that it has in the export. ``alone``: no other
    conversation shares anything with it.
    """
    place = export.safe
    plain = len(shown.messages) == len(export.messages) and not placed.breaks and not placed.one and not store.bans()
    if place is None or not place.messages or not plain or len(shown.windows()) > 1:
        return None
    hashes, grown = conversation.columns.hashes, placed.plan.grown
    for position, number in enumerate(placed.plan.matches):
        if number is not None and position not in grown and hashes[number] != shown.rows.hashes[position]:
            return None
    run = plain_run(shown.rows, place.messages) if alone else []
    witness = Witness(tuple(run), tuple(shown.rows.keys[p] for p in run))
    return beginning.prefix(place, Above(), export, shown, witness)


def length(window: Sequence[Sequence[int]]) -> int:
    """How many messages the ranges of a window are."""
    return sum(last - first + 1 for first, last in window)
