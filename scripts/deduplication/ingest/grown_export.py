"""An export that begins as an earlier one of its conversation did: only the rest of it is read, and no rows of what is known.

The outcome is the one that reading all of it has: whatever could make a difference is looked at, and where it does, nothing is
done here. The rest must go on as the conversation does, message for message, as far as both go (``alignment.plan``: a proven
prefix), and nothing else may belong to it (``conversation_match``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ..alignment.overlap import TURNS
from ..alignment.plan import Plan
from ..alignment.reading_order import numbers_of
from ..alignment.reasons import PREFIX
from ..model import SafePlace
from ..storage.prefix import Witness
from .conversation_match import session_of
from .export_view import new_occurrences, view_of
from .new_bodies import Run
from .proven_prefix import Above, length
from .store_export import commit_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Export
    from ..storage.contract import Store
    from ..storage.conversation import Conversation
    from .export_view import ExportView
    from .one_export import Asked
    from .proven_prefix import Beginning, Begun
    from .result import Ingest, Input

_FEW: Final = 2_000
"""Rows up to which each is asked for by itself."""


def store_grown(store: Store, source: Input, beginning: Beginning, asked: Asked) -> Ingest | None:
    """Store what is new in a file that begins as an earlier one; durable when this returns.

    None, with nothing stored, where it does not, or where all of it must be read to tell what becomes of it.
    """
    started = time.perf_counter()
    if not beginning.head:
        return None
    with store.transaction(write=False):
        if not store.prefixes(beginning.head):
            return None
    with store.transaction(write=not asked.dry_run):
        for begun in beginning.longest(store.prefixes(beginning.head)):
            export = beginning.format.parse_rest(beginning.data, begun.place)
            grown = _Grown(store, begun, export) if export is not None else None
            if grown is not None and grown.goes_on() and grown.belongs(asked.conversation_id):
                return grown.stored(source, beginning, started, dry_run=asked.dry_run)
    return None


class _Grown:
    """The rest of a file, ``export``, below the prefix that it ``begun`` with."""

    def __init__(self, store: Store, begun: Begun, export: Export) -> None:
        self._store, self._export, self._seen = store, export, begun.seen
        self._target = begun.seen.conversation_id
        self._shown: ExportView = view_of(export)
        self._conversation: Conversation = store.conversation(self._target)
        self._order: Sequence[int] = ()
        self._alone = False

    def goes_on(self) -> bool:
        """Is the conversation what the prefix shows, and does the rest go on as it does, as far as both go?"""
        plain = len(self._shown.messages) == len(self._export.messages)
        if not plain or self._conversation.purged or self._store.bans():
            return False
        runs = self._conversation.reading().runs()
        count = length(self._seen.window)
        if len(runs) != 1 or list(runs[0][:count]) != list(numbers_of(self._seen.window)):
            return False
        self._order = runs[0]
        return self._known() == self._shown.rows.hashes[: len(self._order) - self._seen.prefix.messages]

    def _known(self) -> list[str]:
        """The content hashes of what is read behind the prefix, as far as the rest goes."""
        first = self._seen.prefix.messages
        numbers = self._order[first : first + len(self._shown.rows)]
        if len(numbers) > _FEW:
            return [self._conversation.columns.hashes[number] for number in numbers]
        return [self._store.row(self._target, number).content_hash for number in numbers]

    def belongs(self, asked: str | None) -> bool:
        """Is this the conversation of the file, and the only one?"""
        if asked is not None:
            return self._store.canonical(asked) == self._target
        session = session_of(self._export)
        if session:
            return self._store.session(session) == self._target
        whole = self._seen.prefix.messages + len(self._shown.rows) >= length(self._seen.window)
        self._alone = whole and self._seen.alone and self._is_witnessed()
        return self._alone and all(name == self._target for name in self._store.candidates(self._shown.rows))

    def _is_witnessed(self) -> bool:
        """Do the three turns stand in a row in the conversation, each once? Then it shares a run with the file."""
        positions, keys = self._seen.prefix.witness
        between = (self._store.row(self._target, n) for n in self._order[positions[0] : positions[-1] + 1])
        turns = tuple(row.key for row in between if row.distinctive and row.kind in TURNS)
        return turns == keys and all(self._store.turns_with(self._target, key) == 1 for key in keys)

    def stored(self, source: Input, beginning: Beginning, started: float, *, dry_run: bool) -> Ingest:
        """What became of the file, once what is new in it is stored."""
        prefix, shown = self._seen.prefix, self._shown
        above = Above(_first(self._seen.window, prefix.messages), prefix.counted, prefix.shown, self._seen.marks)
        known = self._order[prefix.messages : prefix.messages + len(shown.rows)]
        fresh = len(shown.rows) - len(known)
        plan = Plan([*known, *[None] * fresh], reasons=[*[PREFIX] * len(known), *[""] * fresh])
        occurrences, numbers = new_occurrences(shown, plan, len(self._conversation), self._store.bans())
        run = Run(occurrences, numbers, [], None, lambda identity: self._store.holds(self._target, identity))
        place = self._export.safe
        if place is not None:
            place = SafePlace(place.at, prefix.messages + place.messages, place.state)
        witness = prefix.witness if self._alone else Witness()
        noted = beginning.prefix(place, above, self._export, shown, witness) if place is not None else None
        return commit_run(
            self._store,
            self._target,
            self._export,
            source,
            shown,
            run,
            started,
            windows={"window": _joined(above.window, numbers)},
            dry_run=dry_run,
            above=above,
            prefix=noted,
        )


def _first(window: Sequence[Sequence[int]], count: int) -> list[list[int]]:
    """The ranges of the first messages of a window, so many of them."""
    found: list[list[int]] = []
    for first, last in window:
        if count <= 0:
            break
        found.append([first, min(last, first + count - 1)])
        count -= last - first + 1
    return found


def _joined(window: Sequence[Sequence[int]], numbers: Sequence[int]) -> list[list[int]]:
    """The ranges of a window with these numbers behind it."""
    found = [list(each) for each in window]
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found
