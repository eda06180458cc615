"""One alignment under way: a chain of anchors is matched, then what lies between them, then what agrees around them.

Positions ``p`` count the messages shown, positions ``k`` the known messages in the order in which they are read now; ``numbers[k]``
is the sequence number of the known message at ``k``. With ``numbers = [0, 1, 4]``, ``match(7, 2)`` says that the eighth message
shown is the stored one with number 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..model import LOST, TOOL_CALL, TURNS
from .anchors import anchors
from .columns import Columns
from .fingerprint import ANCHOR_KINDS, REDRAWN_KINDS
from .interleaving import between, differ_in_source, embedded, outwards
from .reasons import BETWEEN, GREW, HASH, ID, KEY, SEAM, WHOLE
from .same_source import DIFFERENT, GROWN, MOVED, PART
from .seams import seam
from .subsequence import find, increasing, unique

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .seams import Beginning


class Compare(Protocol):
    """What the body shown at a position is to the one stored under a sequence number."""

    def relation(self, position: int, number: int) -> str:
        """How does it relate to the stored one?"""

    def wins(self, position: int, number: int) -> bool:
        """Given that both are one message: does it take the place of the stored one?"""

    def grew(self, position: int, number: int) -> bool:
        """Given that it takes its place: does it say more, or is it the same drawn or written another way?"""


class Aligner:
    """One alignment under way: the rows of the runs that take part, in one order, and what has been matched."""

    def __init__(self, known: Columns, shown: Columns, compare: Compare, older: dict[int, list[int]]) -> None:
        self.all_known = known
        self.shown = shown
        self.compare = compare
        self.older = older
        self.matched_rows: set[int] = set()
        self.matches: list[int | None] = [None] * len(shown)
        self.reasons = [""] * len(shown)
        self.grown: set[int] = set()
        self.redrawn: set[int] = set()
        self.at_seam: set[int] = set()
        self.numbers: Sequence[int] = []
        self.known = Columns()

    def align(self, runs: Sequence[Sequence[int]], begins: Beginning | None, continuations: frozenset[int]) -> set[int]:
        """Match everything that anchors and seams reach; returns the first numbers of the runs that took part."""
        taking_part: list[tuple[int, Sequence[int]]] = []
        anchored: dict[int, int] = {}
        for run in runs:
            rows = self.all_known.take(run)
            pairs = anchors(self.shown, rows, self._grows_in(run))
            met = seam(self.shown, rows, begins, continued=run[0] in continuations)
            if met:
                self.at_seam.update(p for p, _ in met)
                pairs = sorted({**dict(met), **dict(pairs)}.items())
            if pairs:
                taking_part.append((pairs[len(pairs) // 2][0], run))
                anchored.update((p, run[k]) for p, k in pairs if p not in anchored)
        if not taking_part:
            return set()
        taking_part.sort(key=lambda item: item[0])
        self._align_with([number for _, run in taking_part for number in run])
        place = {number: position for position, number in enumerate(self.numbers)}
        self._match_chain(increasing(sorted((p, place[number]) for p, number in anchored.items())))
        return {run[0] for _, run in taking_part}

    def _align_with(self, numbers: Sequence[int]) -> None:
        self.numbers = numbers
        self.known = self.all_known.take(numbers)
        self.matched_rows.clear()

    def _match_chain(self, chain: list[tuple[int, int]]) -> None:
        """Match a chain of pairs, what lies between them, and what agrees before and after."""
        self._match_outwards(chain[0][0], chain[0][1], -1)
        last_p, last_k = -1, -1
        for p, k in chain:
            if last_p >= 0:
                self._match_between(last_p + 1, p, last_k + 1, k)
            self.match(p, k)
            last_p, last_k = p, k
        self._match_outwards(last_p, last_k, 1)

    def _grows_in(self, run: Sequence[int]) -> Callable[[int, int], bool]:
        return lambda p, k: self.compare.relation(p, run[k]) in (GROWN, PART)

    # -- between and around anchors ----------------------------------------------------------------------------

    def match(self, p: int, k: int) -> None:
        """Position ``p`` is the message at ``k`` of the known rows, unless comparing the two says that it is not."""
        number = self._version(p, k)
        reason = HASH
        if number < 0:
            number = self.numbers[k]
            if self.known.kinds[k] == LOST:
                self.grown.add(p)  # what a damaged log had lost is brought back into its place
                reason = BETWEEN
            else:
                relation = self.compare.relation(p, number)
                same_id = self.shown.uuids[p] == self.known.uuids[k] != ""
                if relation == DIFFERENT and not same_id:
                    return
                reason = self._reason(p, k, relation, same_id=same_id)
                # Under one id other content is a further version; an emptied or shortened one replaces nothing.
                if (same_id and relation != PART) or self.compare.wins(p, number):
                    self.grown.add(p)
                    if not same_id and not self.compare.grew(p, number):
                        self.redrawn.add(p)
        self.matches[p] = number
        self.reasons[p] = SEAM if p in self.at_seam else reason
        self.matched_rows.add(k)

    def _reason(self, p: int, k: int, relation: str, *, same_id: bool) -> str:
        if same_id:
            return ID
        if self.shown.keys[p] == self.known.keys[k]:
            return KEY
        return GREW if relation in (GROWN, PART) else BETWEEN

    def is_free(self, k: int) -> bool:
        """True where nothing shown was matched with ``k`` yet."""
        return k not in self.matched_rows

    def _version(self, p: int, k: int) -> int:
        """The version at ``k`` whose body is exactly the one shown at ``p``: the last one or one before it; else -1."""
        identity, number = self.shown.hashes[p], self.numbers[k]
        if identity == self.known.hashes[k]:
            return number
        return next((n for n in self.older.get(number, ()) if self.all_known.hashes[n] == identity), -1)

    def _equal(self, p: int, k: int) -> bool:
        if self._version(p, k) >= 0:
            return True
        keyed = self.shown.keys[p] == self.known.keys[k] and self.shown.kinds[p] in ANCHOR_KINDS
        return keyed and self.alike(p, k)

    def alike(self, p: int, k: int) -> bool:
        """The same message in another rendering, given that its neighbours are the same."""
        if self.known.kinds[k] == LOST:
            return True
        return self.shown.kinds[p] == self.known.kinds[k] and self.compare.relation(p, self.numbers[k]) != DIFFERENT

    def _match_outwards(self, p: int, k: int, step: int) -> None:
        """From a matched pair outwards, as far as the two sequences agree without a break."""
        p, k = p + step, k + step
        while 0 <= p < len(self.shown) and 0 <= k < len(self.numbers) and self.matches[p] is None:
            if not self._equal(p, k) and not self._goes_on(p, k, step):
                if differ_in_source(self, p, k):
                    outwards(self, p - step, k - step, step)
                return
            self.match(p, k)
            p, k = p + step, k + step

    def _goes_on(self, p: int, k: int, step: int) -> bool:
        """Is this the same message in another rendering, with agreement on one side only?

        After a rewind another call of the same tool, or a short answer, stands where the stored one stood.
        """
        kind = self.shown.kinds[p]
        if kind != self.known.kinds[k]:
            return self.known.kinds[k] == LOST
        if kind in REDRAWN_KINDS:  # the result of a call that both have
            return p > 0 and k > 0 and self.shown.kinds[p - 1] == TOOL_CALL and (step > 0 or self._equal(p - 1, k - 1))
        relation = self.compare.relation(p, self.numbers[k])
        if relation == PART:  # only the last thing shown can have been unfinished
            return not any(kind in TURNS for kind in self.shown.kinds[p + 1 :])
        return relation in (GROWN, MOVED)

    def _match_between(self, p0: int, p1: int, k0: int, k1: int) -> None:
        """Match what lies between two anchors; both ends are known to agree. Half-open positions."""
        work = [(p0, p1, k0, k1)]
        while work:
            p0, p1, k0, k1 = work.pop()
            while p0 < p1 and k0 < k1 and self._equal(p0, k0):
                self.match(p0, k0)
                p0, k0 = p0 + 1, k0 + 1
            while p0 < p1 and k0 < k1 and self._equal(p1 - 1, k1 - 1):
                p1, k1 = p1 - 1, k1 - 1
                self.match(p1, k1)
            if p0 == p1 or k0 == k1:
                continue
            inner = self._anchors_within(p0, p1, k0, k1)
            if not inner:
                self._pair_redrawn(p0, p1, k0, k1)
                continue
            last_p, last_k = p0, k0
            for p, k in inner:
                work.append((last_p, p, last_k, k))
                self.match(p, k)
                last_p, last_k = p + 1, k + 1
            work.append((last_p, p1, last_k, k1))

    def _anchors_within(self, p0: int, p1: int, k0: int, k1: int) -> list[tuple[int, int]]:
        """Anchors of a bounded stretch: here short messages may serve too, where they occur once."""
        for name in ("hashes", "keys"):
            here = unique(getattr(self.shown, name), range(p0, p1))
            there = unique(getattr(self.known, name), range(k0, k1))
            chain = increasing(sorted((p, there[value]) for value, p in here.items() if value in there))
            chain = [(p, k) for p, k in chain if self._equal(p, k)]
            if chain:
                return chain
        return []

    def _pair_redrawn(self, p0: int, p1: int, k0: int, k1: int) -> None:
        """A stretch without anything equal: the same kinds in the same order are the same messages, redrawn."""
        if any(differ_in_source(self, p, k) for p in (p0, p1 - 1) for k in (k0, k1 - 1)):
            between(self, p0, p1, k0, k1)
            return
        pairs = zip(self.shown.kinds[p0:p1], self.known.kinds[k0:k1])
        if p1 - p0 == k1 - k0 and all(known in (LOST, shown) for shown, known in pairs):
            for p, k in zip(range(p0, p1), range(k0, k1)):
                if self.alike(p, k):
                    self.match(p, k)
            return
        at = k0
        p = p0
        if p and at and self.matches[p - 1] == self.numbers[at - 1]:
            while p < p1 and at < k1 and self.shown.kinds[p] in REDRAWN_KINDS and self.alike(p, at):
                self.match(p, at)
                p, at = p + 1, at + 1
        while p < p1:
            # Calls were collapsed or left out on one side: look for the next one that fits, and for its result.
            if self.shown.kinds[p] not in REDRAWN_KINDS:
                k = next((k for k in range(at, min(k1, at + 50)) if self.alike(p, k)), -1)
                if k >= 0:
                    self.match(p, k)
                    while (
                        p + 1 < p1
                        and k + 1 < k1
                        and self.shown.kinds[p + 1] in REDRAWN_KINDS
                        and self.alike(p + 1, k + 1)
                    ):
                        p, k = p + 1, k + 1
                        self.match(p, k)
                    at = k + 1
            p += 1

    # -- runs without an anchor --------------------------------------------------------------------------------

    def match_whole_run(self, run: Sequence[int]) -> None:
        """Match a run as a whole where one sequence lies inside the other: a window of known turns adds nothing."""
        hashes = [self.all_known.hashes[n] for n in run]
        if all(match is None for match in self.matches):
            at = find(hashes, self.shown.hashes)
            if at >= 0:
                self._match_in_order(range(len(self.shown)), run[at : at + len(self.shown)])
                return
        at = find(self.shown.hashes, hashes)
        if at >= 0 and all(match is None for match in self.matches[at : at + len(run)]):
            self._match_in_order(range(at, at + len(run)), run)
            return
        self._align_with(run)
        pairs = embedded(self.shown, self.known)
        if pairs and differ_in_source(self, *pairs[0]) and all(self.matches[p] is None for p, _ in pairs):
            self._match_chain(pairs)

    def _match_in_order(self, positions: range, numbers: Sequence[int]) -> None:
        for position, number in zip(positions, numbers):
            self.matches[position] = number
            self.reasons[position] = WHOLE

    def match_by_id(self) -> None:
        """A message whose id and content are stored is that one, wherever it stands: lines may have changed places."""
        open_ids = {uuid for p, uuid in enumerate(self.shown.uuids) if uuid and self.matches[p] is None}
        if not open_ids:
            return
        taken = {match for match in self.matches if match is not None}
        stored: dict[tuple[str, str], int] = {}
        for number, uuid in enumerate(self.all_known.uuids):
            if uuid in open_ids and number not in taken:
                stored.setdefault((uuid, self.all_known.hashes[number]), number)
        for p, match in enumerate(self.matches):
            if match is None and self.shown.uuids[p]:
                self.matches[p] = stored.pop((self.shown.uuids[p], self.shown.hashes[p]), None)
                self.reasons[p] = ID if self.matches[p] is not None else ""
