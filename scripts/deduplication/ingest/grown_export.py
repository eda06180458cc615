"""An export that begins as an earlier one of its conversation did: only the rest of it is read, and no rows of what is known.

The outcome is the one that reading all of it has: whatever could make a difference is looked at, and where it does, nothing is
done here. The rest must go on as the conversation does, message for message, as far as both go (``alignment.plan``: a proven
prefix), and nothing else may belong to it (``conversation_match``).
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from ..alignment.overlap import plain_run
from ..alignment.plan import Plan
from ..alignment.reading_order import ranges
from ..model import COMPACTION, SafePlace
from .below_prefix import aligned, below, going_on
from .conversation_match import conversation_of, session_of
from .export_view import new_occurrences, view_of
from .new_bodies import Run
from .proven_prefix import Above, is_exact, is_witnessed, keeps_keys, length
from .run_commit import commit_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Export
    from ..storage.contract import Store
    from ..storage.conversation import Conversation
    from ..storage.prefix import Prefix
    from .export_view import ExportView
    from .one_export import Asked
    from .proven_prefix import Beginning, Begun
    from .result import Ingest, Input


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
            if grown is not None and grown.is_settled(asked.conversation_id, source.name):
                return grown.stored(source, beginning, started, asked)
    return None


class _Grown:
    """The rest of a file, ``export``, below the prefix that it ``begun`` with."""

    def __init__(self, store: Store, begun: Begun, export: Export) -> None:
        self._store, self._export, self._seen = store, export, begun.seen
        self._target = begun.seen.conversation_id
        self._shown: ExportView = view_of(export)
        self._conversation: Conversation = store.conversation(self._target)
        self._above = begun.numbers()
        """The sequence numbers of what stands in the prefix."""
        self._plan = Plan([])
        self._witness: Sequence[int] = ()
        self._exact = True

    def is_settled(self, asked: str | None, name: str) -> bool:
        """Is it seen what becomes of the rest, whatever stands above it?"""
        shown, marks = self._shown, {kind for kind, _ in self._shown.marks}
        plain = len(shown.messages) == len(self._export.messages) and (not marks or any(shown.rows.uuids))
        if not plain or self._conversation.purged or self._store.bans():
            return False
        goes_on = self._goes_on()
        return (goes_on or self._is_aligned()) and self._belongs(asked, name, goes_on=goes_on)

    def _goes_on(self) -> bool:
        """Does the rest go on as the conversation does, message for message, as far as both go?"""
        found = going_on(self._store, self._target, self._seen.window, len(self._above), self._shown)
        self._plan = found or self._plan
        return found is not None

    def _is_aligned(self) -> bool:
        """Is everything in the prefix what it was, where all of the file is aligned with all of the conversation?"""
        found = aligned(self._store, self._target, self._view(), len(self._above)) if self._seen.prefix.keyed else None
        if found is None or found.matches[: len(self._above)] != self._above:
            return False
        self._plan = found.without_first(len(self._above))
        self._exact = is_exact(self._conversation.columns.hashes, self._shown.rows.hashes, self._plan)
        return True

    def _view(self) -> ExportView:
        """All that the file shows; what stands in the prefix by its rows alone."""
        compacted = (COMPACTION, self._above[0]) in self._seen.marks
        return below(self._conversation.columns.take(self._above), self._shown, compacted=compacted)

    def _belongs(self, asked: str | None, name: str, *, goes_on: bool) -> bool:
        """Is this the conversation of the file, and the only one?"""
        if asked is not None:
            return self._store.canonical(asked) == self._target
        session = session_of(self._export)
        if session:
            return self._store.session(session) == self._target
        if goes_on and self._is_alone():
            self._witness = self._seen.prefix.witness
            return True
        if not self._seen.prefix.keyed:
            return False
        view = self._view()
        target, others, alone = conversation_of(self._store, self._export, view, name)
        place = self._export.safe
        if alone and place is not None:
            self._witness = plain_run(view.rows, len(self._above) + place.messages)
        return target == self._target and not others

    def _is_alone(self) -> bool:
        """Does the conversation share a run with the file, and did no other one share anything with what the earlier export showed,
        nor does it with the rest?
        """
        whole = len(self._above) + len(self._shown.rows) >= length(self._seen.window)
        if not whole or not self._seen.alone:
            return False
        if not is_witnessed(self._store, self._target, self._above, self._seen.prefix.witness):
            return False
        return all(name == self._target for name in self._store.candidates(self._shown.rows))

    def stored(self, source: Input, beginning: Beginning, started: float, asked: Asked) -> Ingest:
        """What became of the file, once what is new in it is stored."""
        prefix, shown = self._seen.prefix, self._shown
        above = Above(ranges(self._above), prefix.counted, prefix.shown, self._seen.marks)
        occurrences, numbers = new_occurrences(shown, self._plan, len(self._conversation), self._store.bans())
        run = Run(occurrences, numbers, [], None, partial(self._store.holds, self._target))
        noted = self._noted(beginning, above) if self._exact else None
        return commit_run(
            self._store,
            self._target,
            self._export,
            source,
            shown,
            run,
            started,
            windows={"window": ranges([*self._above, *numbers]), "prefix": noted},
            dry_run=asked.dry_run,
            above=above,
            keep=asked.keep,
        )

    def _noted(self, beginning: Beginning, above: Above) -> Prefix | None:
        """What is noted of the file for the next one."""
        place, prefix = self._export.safe, self._seen.prefix
        if place is None:
            return None
        place = SafePlace(place.at, prefix.messages + place.messages, place.state)
        row = partial(self._store.row, self._target)
        keyed = prefix.keyed and keeps_keys(self._store, self._shown, self._plan, row)
        witness = self._witness if keyed else ()
        return beginning.prefix(place, above, self._export, self._shown, witness, keyed=keyed)
