"""How an export begins: what its run notes of that, and which earlier export one is seen to begin with.

A prefix is believed for its SHA-256 alone: all bytes before a safe place (``model.SafePlace``) but the volatile ones.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ..alignment.fingerprint import may_be_drawn_otherwise
from ..alignment.overlap import plain_run
from ..alignment.reading_order import numbers_of
from ..model import TURNS, SafePlace, counts
from ..start.late_tuple import NamedTuple
from ..storage.prefix import HEAD, Prefix
from . import result
from .ink import Ink
from .new_bodies import span_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..alignment.fingerprint import Fingerprint
    from ..alignment.plan import Plan
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

    def numbers(self) -> list[int]:
        """The sequence numbers of what stands in the prefix."""
        return list(islice(numbers_of(self.seen.window), self.seen.prefix.messages))


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
        self, place: SafePlace, above: Above, export: Export, shown: ExportView, witness: Sequence[int], *, keyed: bool
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
        size, digest = self._ink.size, self._ink.digest()
        return Prefix(self.head, size, digest, place.messages, counted, span, place.state, tuple(witness), keyed)


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
    if not is_exact(conversation.columns.hashes, shown.rows.hashes, placed.plan):
        return None
    keyed = keeps_keys(store, shown, placed.plan, conversation.columns.item)
    witness = plain_run(shown.rows, place.messages) if alone and keyed else []
    return beginning.prefix(place, Above(), export, shown, witness, keyed=keyed)


def is_exact(known: Sequence[str], shown: Sequence[str], plan: Plan) -> bool:
    """Is each message that was known stored with the content hash (by number, and by position) that it has here?"""
    grown = plan.grown
    return all(
        number is None or position in grown or known[number] == shown[position]
        for position, number in enumerate(plan.matches)
    )


def keeps_keys(store: Store, shown: ExportView, plan: Plan, row: Callable[[int], Fingerprint]) -> bool:
    """Will the rows of all messages have the keys and ids that they have here? ``row``: what is known of one by its number."""
    fresh: list[int] = []
    for position, number in enumerate(plan.matches):
        if number is None or position in plan.grown:
            fresh.append(position)
            continue
        known, own = row(number), shown.prints[position]
        if (known.key, known.uuid) != (own.key, own.uuid):
            return False
    store.expect_bodies(shown.prints[position].content_hash for position in fresh)
    first: dict[str, str] = {}
    for position in fresh:
        if may_be_drawn_otherwise(shown.messages[position]):
            own = shown.prints[position]
            if own.content_hash not in first:
                body = store.print_of(own.content_hash)
                first[own.content_hash] = body.key if body is not None else own.key
            if first[own.content_hash] != own.key:
                return False
    return True


def is_witnessed(store: Store, conversation_id: str, numbers: Sequence[int], witness: Sequence[int]) -> bool:
    """Do the turns of a witness stand in a row in the conversation, each once? ``numbers`` are those of the export's messages."""
    first, last = witness[0], witness[-1]
    rows = {at: store.row(conversation_id, numbers[at]) for at in range(first, last + 1)}
    turns = {at: row.key for at, row in rows.items() if row.distinctive and row.kind in TURNS}
    return list(turns) == list(witness) and all(store.turns_with(conversation_id, key) == 1 for key in turns.values())


def length(window: Sequence[Sequence[int]]) -> int:
    """How many messages the ranges of a window are."""
    return sum(last - first + 1 for first, last in window)
