"""Which messages that are shown are purged ones: what an alignment says is believed only where there is evidence.

Of a message that was purged only hashes are left. What is taken for it is stored nowhere and is blanked in the archive, so a match
that would do for a stored message (another result of the same call, another call of the same tool) does not do here.
Where nothing but its place speaks for a match, turns that were said must agree on both sides of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..figures.counted import counted
from ..model import BOOKKEEPING, COMMAND_OUTPUT, LOCAL_COMMAND, NOTICE, TURNS, UNKNOWN
from ..start.late_dataclass import replace
from .same_source import DIFFERENT
from .tombstone import Ends, proven, relation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..ingest.export_view import ExportView
    from ..storage.conversation import Conversation
    from .plan import Plan
    from .tombstone import Tombstone

_BEHIND_THE_END: Final = frozenset({BOOKKEEPING, LOCAL_COMMAND, COMMAND_OUTPUT, NOTICE, UNKNOWN})
"""Kinds that may stand behind an answer that was still being written: ``/export`` is given while it is."""


class PurgedPlaces:
    """What the messages of one export are to the purged ones of a conversation. ``tombstone`` gives the one of a number."""

    def __init__(self, conversation: Conversation, shown: ExportView, tombstone: Callable[[int], Tombstone]) -> None:
        self._conversation = conversation
        self._shown = shown
        self._tombstone = lru_cache(maxsize=None)(tombstone)
        self._from = _open_end(shown.rows.kinds)
        self._ended: frozenset[int] | None = None

    def relation(self, position: int, number: int) -> str:
        """What the message at ``position`` is to the one that had this number, in its place."""
        message, item = self._shown.messages[position], self._shown.prints[position]
        return relation(self._tombstone(number), message, item, self._ends(position, number))

    def without_unproven(self, plan: Plan) -> Plan:
        """The plan without what is only guessed to be a purged message.

        A longer form of a message that was purged is the purged message, none that had grown.
        """
        purged = self._conversation.purged
        matched = [p for p, number in enumerate(plan.matches) if number is not None and number in purged]
        if not matched:
            return plan
        weak = {p for p in matched if not self._proven(p, plan.matches[p])}
        guessed = weak - _between_turns(plan.matches, weak, self._shown.rows.kinds, self._conversation)
        matches = [None if p in guessed else number for p, number in enumerate(plan.matches)]
        return replace(plan, matches=matches, grown=plan.grown.difference(matched))

    def _proven(self, position: int, number: int | None) -> bool:
        assert number is not None
        uuid = self._shown.rows.uuids[position]
        if uuid and uuid == self._conversation.columns.uuids[number]:
            return True
        message, item = self._shown.messages[position], self._shown.prints[position]
        return proven(self._tombstone(number), message, item, self._ends(position, number)) != DIFFERENT

    def _ends(self, position: int, number: int) -> Ends:
        if self._ended is None:
            self._ended = last_shown(self._conversation)
        return Ends(number in self._ended, position >= self._from)


def purged_warning(count: int) -> tuple[str, ...]:
    """What is said of an export that shows ``count`` messages which were purged before; nothing where it shows none."""
    if not count:
        return ()
    were = counted(count, "message that it shows was", "messages that it shows were")
    return (f"{were} purged before: not stored again, and to be archived without",)


def last_shown(conversation: Conversation) -> frozenset[int]:
    """The numbers of messages with which an export ended: they may have been unfinished."""
    kinds = conversation.columns.kinds
    found = set()
    for window in conversation.windows:
        for first, last in reversed(window):
            if first < 0:
                continue  # one file showed several windows
            number = next((n for n in range(last, first - 1, -1) if kinds[n] not in _BEHIND_THE_END), -1)
            if number >= 0:
                found.add(number)
                break
    return frozenset(found)


def _open_end(kinds: Sequence[str]) -> int:
    """The position of the last message that counts as said; whatever follows may stand behind an unfinished one."""
    return next((p for p in range(len(kinds) - 1, -1, -1) if kinds[p] not in _BEHIND_THE_END), 0)


def _between_turns(
    matches: Sequence[int | None], weak: set[int], kinds: Sequence[str], conversation: Conversation
) -> set[int]:
    """Those positions of ``weak`` that stand between turns that agree, one turn for one turn, with no call or result too many."""
    order = conversation.reading().order
    rank = {number: at for at, number in enumerate(order)}
    known = conversation.columns.kinds
    known_turns = [at for at, number in enumerate(order) if known[number] in TURNS]
    turns = [p for p, kind in enumerate(kinds) if kind in TURNS]
    sure = [p for p in turns if p not in weak and matches[p] in rank]
    found = set()
    for p in weak:
        at = rank.get(matches[p] or 0, -1)
        after = bisect_right(sure, p)
        if after == len(sure) or at < 0:
            continue  # nothing that was said behind it agrees
        p0, p1 = (sure[after - 1] if after else -1), sure[after]
        k0, k1 = (rank[matches[p0] or 0] if after else -1), rank[matches[p1] or 0]
        here = range(bisect_left(turns, p0 + 1), bisect_left(turns, p1))
        there = range(bisect_left(known_turns, k0 + 1), bisect_left(known_turns, k1))
        if not k0 < at < k1 or len(here) != len(there) or any(turns[each] not in weak for each in here):
            continue
        ours = sum(kinds[q] == kinds[p] for q in range(p0 + 1, p1))
        theirs = [number for number in order[k0 + 1 : k1] if known[number] == kinds[p]]
        if ours == len(theirs) or (ours < len(theirs) and conversation.purged.issuperset(theirs)):
            found.add(p)
    return found
