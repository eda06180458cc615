"""Known sequence and shown sequence in, a plan out: which occurrence each shown message is, or "new".

Pure: no files, no clock. The method is a patience diff. Long messages that occur once on both sides are anchors,
but only where a neighbour agrees; between anchors what is equal is matched in order, and runs of the same kinds that
differ only in rendering are the same messages. Short and repeated messages never match by themselves: a "yes" is a
turn. Where the evidence is thin the answer is "new": a message kept twice can be seen, a message dropped cannot.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .fingerprint import ANCHOR_KINDS, DISTINCTIVE
from .model import COMMAND_OUTPUT, NOTICE, PROMPT, TEXT, TOOL_CALL, TOOL_RESULT
from .rendering import DIFFERENT, GROWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .fingerprint import Fingerprint
    from .ordering import ReadingOrder

    Compare = Callable[[int, int], str]
    """``compare(shown position, known sequence number)`` -> how the shown body relates to the stored one."""

_TURNS: Final = frozenset({PROMPT, TEXT})
_RENDERED: Final = frozenset({TOOL_RESULT, COMMAND_OUTPUT, NOTICE})
"""Kinds that the client cuts and redraws: between matched neighbours the same kind is the same message."""
RUN: Final = 3
"""Distinctive messages in a row that show two sequences to be one conversation (DESIGN 5.3)."""


@dataclass
class Columns:
    """A sequence of messages by their fingerprints, one list a property, all of one length."""

    hashes: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    uuids: list[str] = field(default_factory=list)

    def append(self, item: Fingerprint) -> None:
        """Add one message at the end."""
        self.hashes.append(item.content_hash)
        self.keys.append(item.key)
        self.kinds.append(item.kind)
        self.weights.append(item.weight)
        self.uuids.append(item.uuid)

    def take(self, numbers: Sequence[int]) -> Columns:
        """The rows with these numbers, in this order."""
        return Columns(
            [self.hashes[n] for n in numbers],
            [self.keys[n] for n in numbers],
            [self.kinds[n] for n in numbers],
            [self.weights[n] for n in numbers],
            [self.uuids[n] for n in numbers],
        )

    def distinctive(self) -> list[int]:
        """Positions of the messages that may anchor an alignment."""
        weights = self.weights
        return [n for n, kind in enumerate(self.kinds) if weights[n] >= DISTINCTIVE and kind in ANCHOR_KINDS]

    def __len__(self) -> int:
        return len(self.hashes)


def columns(items: Sequence[Fingerprint]) -> Columns:
    """The columns of a list of fingerprints."""
    result = Columns()
    for item in items:
        result.append(item)
    return result


@dataclass(frozen=True)
class Plan:
    """``matches[p]`` is the sequence number that shown position ``p`` is, or None for a new occurrence.

    ``grown`` holds the positions whose stored body is only the beginning of the shown one.
    """

    matches: list[int | None]
    grown: frozenset[int] = frozenset()


def plan(known: Columns, reading: ReadingOrder, shown: Columns, compare: Compare) -> Plan:
    """Align ``shown`` with the conversation ``known`` as it is read. Linear but for sorting anchors."""
    matches: list[int | None] = [None] * len(shown)
    if not len(shown) or not reading.order:
        return Plan(matches)
    runs = _runs(reading)
    whole = _prefix(known, runs, shown)
    if whole is not None:
        return Plan(whole)
    aligner = _Aligner(known, shown, compare)
    used = aligner.align(runs)
    for run in runs:
        if run[0] not in used:
            aligner.embed(run)
    return Plan(aligner.matches, frozenset(aligner.grown))


def _runs(reading: ReadingOrder) -> list[list[int]]:
    """The reading order, one list for each connected component."""
    by_component: dict[int, list[int]] = {}
    for number in reading.order:
        by_component.setdefault(reading.component[number], []).append(number)
    return list(by_component.values())


def _prefix(known: Columns, runs: list[list[int]], shown: Columns) -> list[int | None] | None:
    """The proven prefix: the export shows a run from its first message on, and either one ends inside the other."""
    for run in runs:
        both = min(len(run), len(shown))
        # Compared hash by hash, not by count: a watermark is believed only when proven (DESIGN I4).
        if (len(runs) == 1 or both == len(shown)) and [known.hashes[n] for n in run[:both]] == shown.hashes[:both]:
            return [*run[:both], *[None] * (len(shown) - both)]
    return None


def shared_run(known: Columns, order: Sequence[int], shown: Columns) -> int:
    """Distinctive messages that stand in a row in both sequences: the longest such run."""
    wanted = {shown.keys[p] for p in shown.distinctive()}
    rank: dict[str, int] = {}
    position = 0
    for number in order:
        if known.weights[number] >= DISTINCTIVE and known.kinds[number] in ANCHOR_KINDS:
            key = known.keys[number]
            if key in wanted:
                rank[key] = -2 if key in rank else position
            position += 1
    longest = current = 0
    last = -2
    for p in shown.distinctive():
        here = rank.get(shown.keys[p], -2)
        current = current + 1 if here >= 0 and here == last + 1 else int(here >= 0)
        longest = max(longest, current)
        last = here
    return longest


def tail_overlap(known: Columns, order: Sequence[int], shown: Columns) -> int:
    """Distinctive messages of a run that ends the known sequence and begins the shown one (after a compaction)."""
    turns = [n for n in order if known.kinds[n] in _TURNS]
    head = [p for p in range(len(shown)) if shown.kinds[p] in _TURNS]
    for length in range(min(len(turns), len(head), 200), 0, -1):
        if [known.keys[n] for n in turns[-length:]] == [shown.keys[p] for p in head[:length]]:
            return sum(shown.weights[p] >= DISTINCTIVE for p in head[:length])
    return 0


def without_second_copy(shown: Columns, banners: Sequence[int]) -> range | None:
    """Positions of a second copy of the file's own beginning, or None.

    Versions 2.1.15 to 2.1.19 wrote the whole conversation twice, each copy under a banner of its own.
    """
    for start in banners:
        length = min(start, len(shown) - start)
        if shown.hashes[:length] == shown.hashes[start : start + length] and any(
            shown.weights[p] >= DISTINCTIVE for p in range(length)
        ):
            return range(start, start + length)
    return None


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence of ``pairs`` (sorted by the first number) whose second numbers increase."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for position, (_, value) in enumerate(pairs):
        place = bisect_left(tails, value)
        previous.append(ends[place - 1] if place else -1)
        if place == len(tails):
            tails.append(value)
            ends.append(position)
        else:
            tails[place] = value
            ends[place] = position
    chain: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(pairs[at])
        at = previous[at]
    return chain[::-1]


def _unique(values: list[str], positions: Sequence[int]) -> dict[str, int]:
    """Where each value that occurs once among ``positions`` stands."""
    found: dict[str, int] = {}
    for position in positions:
        value = values[position]
        found[value] = -1 if value in found else position
    return {value: position for value, position in found.items() if position >= 0}


class _Aligner:
    """One alignment under way: the rows of the runs that take part, in one order, and what has been matched."""

    def __init__(self, known: Columns, shown: Columns, compare: Compare) -> None:
        self.all_known = known
        self.shown = shown
        self.compare = compare
        self.matches: list[int | None] = [None] * len(shown)
        self.grown: set[int] = set()
        self.numbers: list[int] = []
        self.known = Columns()

    # -- anchors -----------------------------------------------------------------------------------------------

    def align(self, runs: list[list[int]]) -> set[int]:
        """Match everything that anchors reach; returns the first numbers of the runs that took part."""
        taking_part: list[tuple[int, list[int]]] = []
        anchored: dict[int, int] = {}
        for run in runs:
            rows = self.all_known.take(run)
            anchors = self._anchors(rows)
            if anchors:
                taking_part.append((sorted(p for p, _ in anchors)[len(anchors) // 2], run))
                anchored.update((p, run[k]) for p, k in anchors if p not in anchored)
        if not taking_part:
            return set()
        taking_part.sort(key=lambda item: item[0])
        self.numbers = [number for _, run in taking_part for number in run]
        self.known = self.all_known.take(self.numbers)
        place = {number: position for position, number in enumerate(self.numbers)}
        chain = _increasing(sorted((p, place[number]) for p, number in anchored.items()))
        self._walk(chain[0][0], chain[0][1], -1)
        last_p, last_k = -1, -1
        for p, k in chain:
            if last_p >= 0:
                self._fill(last_p + 1, p, last_k + 1, k)
            self._match(p, k)
            last_p, last_k = p, k
        self._walk(last_p, last_k, 1)
        return {run[0] for _, run in taking_part}

    def _anchors(self, rows: Columns) -> list[tuple[int, int]]:
        """Pairs (shown position, position in the run) of distinctive messages that a neighbour confirms."""
        shown = self.shown
        ours, theirs = shown.distinctive(), rows.distinctive()
        pairs: dict[int, int] = {}
        strong = self._by_uuid(rows)
        for name in ("hashes", "keys"):
            here, there = _unique(getattr(shown, name), ours), _unique(getattr(rows, name), theirs)
            taken = set(pairs.values())
            for value, p in here.items():
                k = there.get(value, -1)
                if k >= 0 and p not in pairs and k not in taken:
                    pairs[p] = k
        turns_shown = [p for p, kind in enumerate(shown.kinds) if kind in _TURNS]
        turns_known = [k for k, kind in enumerate(rows.kinds) if kind in _TURNS]
        confirmed = [
            (p, k)
            for p, k in pairs.items()
            if p not in strong and self._confirmed(p, k, rows, turns_shown, turns_known)
        ]
        return sorted([*confirmed, *strong.items()])

    def _by_uuid(self, rows: Columns) -> dict[int, int]:
        there = {uuid: k for k, uuid in enumerate(rows.uuids) if uuid}
        if not there:
            return {}
        return {p: there[uuid] for p, uuid in enumerate(self.shown.uuids) if uuid in there}

    def _confirmed(self, p: int, k: int, rows: Columns, turns_shown: list[int], turns_known: list[int]) -> bool:
        """Do the turns before or after agree, or do the two sequences overlap just here?

        One long message by itself proves nothing: people paste the same prompt into session after session.
        """
        at_p, at_k = bisect_left(turns_shown, p), bisect_left(turns_known, k)
        before_p = turns_shown[at_p - 1] if at_p else -1
        before_k = turns_known[at_k - 1] if at_k else -1
        after_at = at_p + (at_p < len(turns_shown) and turns_shown[at_p] == p)
        after_p = turns_shown[after_at] if after_at < len(turns_shown) else -1
        after_at = at_k + (at_k < len(turns_known) and turns_known[at_k] == k)
        after_k = turns_known[after_at] if after_at < len(turns_known) else -1
        if before_p >= 0 and before_k >= 0 and self.shown.keys[before_p] == rows.keys[before_k]:
            return True
        if after_p >= 0 and after_k >= 0 and self.shown.keys[after_p] == rows.keys[after_k]:
            return True
        if before_p < 0 and after_k < 0:
            return True  # the shown sequence begins where the known one ends
        if after_p < 0 and before_k < 0:
            return True  # and the other way round, when the exports came in another order
        # Both turns stand between tool calls only: then the call and its result next to them must agree.
        return self._same_hash(p + 1, k + 1, rows) or self._same_hash(p - 1, k - 1, rows)

    def _same_hash(self, p: int, k: int, rows: Columns) -> bool:
        return (
            0 <= p < len(self.shown)
            and 0 <= k < len(rows)
            and self.shown.hashes[p] == rows.hashes[k]
            and self.shown.weights[p] >= DISTINCTIVE
        )

    # -- between and around anchors ----------------------------------------------------------------------------

    def _match(self, p: int, k: int) -> None:
        if self.shown.hashes[p] != self.known.hashes[k]:
            relation = self.compare(p, self.numbers[k])
            if relation == DIFFERENT:
                return
            if relation == GROWN:
                self.grown.add(p)
        self.matches[p] = self.numbers[k]

    def _equal(self, p: int, k: int) -> bool:
        if self.shown.hashes[p] == self.known.hashes[k]:
            return True
        keyed = self.shown.keys[p] == self.known.keys[k] and self.shown.kinds[p] in ANCHOR_KINDS
        return keyed and self._alike(p, k)

    def _alike(self, p: int, k: int) -> bool:
        """The same message in another rendering, given that its neighbours are the same."""
        return self.shown.kinds[p] == self.known.kinds[k] and self.compare(p, self.numbers[k]) != DIFFERENT

    def _walk(self, p: int, k: int, step: int) -> None:
        """From a matched pair outwards, as far as the two sequences agree without a break."""
        p, k = p + step, k + step
        while 0 <= p < len(self.shown) and 0 <= k < len(self.numbers) and self.matches[p] is None:
            if not self._equal(p, k):
                redrawn = step > 0 and self.shown.kinds[p] in _RENDERED and self.shown.kinds[p - 1] != TOOL_CALL
                if redrawn or not self._alike(p, k):
                    return
            self._match(p, k)
            p, k = p + step, k + step

    def _fill(self, p0: int, p1: int, k0: int, k1: int) -> None:
        """Match what lies between two anchors; both ends are known to agree. Half-open positions."""
        work = [(p0, p1, k0, k1)]
        while work:
            p0, p1, k0, k1 = work.pop()
            while p0 < p1 and k0 < k1 and self._equal(p0, k0):
                self._match(p0, k0)
                p0, k0 = p0 + 1, k0 + 1
            while p0 < p1 and k0 < k1 and self._equal(p1 - 1, k1 - 1):
                p1, k1 = p1 - 1, k1 - 1
                self._match(p1, k1)
            if p0 == p1 or k0 == k1:
                continue
            inner = self._inner(p0, p1, k0, k1)
            if not inner:
                self._pair(p0, p1, k0, k1)
                continue
            last_p, last_k = p0, k0
            for p, k in inner:
                work.append((last_p, p, last_k, k))
                self._match(p, k)
                last_p, last_k = p + 1, k + 1
            work.append((last_p, p1, last_k, k1))

    def _inner(self, p0: int, p1: int, k0: int, k1: int) -> list[tuple[int, int]]:
        """Anchors of a bounded stretch: here short messages may serve too, where they occur once."""
        for name in ("hashes", "keys"):
            here = _unique(getattr(self.shown, name), range(p0, p1))
            there = _unique(getattr(self.known, name), range(k0, k1))
            chain = _increasing(sorted((p, there[value]) for value, p in here.items() if value in there))
            chain = [(p, k) for p, k in chain if self._equal(p, k)]
            if chain:
                return chain
        return []

    def _pair(self, p0: int, p1: int, k0: int, k1: int) -> None:
        """A stretch without anything equal: the same kinds in the same order are the same messages, redrawn."""
        if self.shown.kinds[p0:p1] == self.known.kinds[k0:k1]:
            for p, k in zip(range(p0, p1), range(k0, k1)):
                if self._alike(p, k):
                    self._match(p, k)
            return
        at = k0
        p = p0
        if p and at and self.matches[p - 1] == self.numbers[at - 1]:
            while p < p1 and at < k1 and self.shown.kinds[p] in _RENDERED and self._alike(p, at):
                self._match(p, at)
                p, at = p + 1, at + 1
        while p < p1:
            # Calls were collapsed or left out on one side: look for the next one that fits, and for its result.
            if self.shown.kinds[p] not in _RENDERED:
                k = next((k for k in range(at, min(k1, at + 50)) if self._alike(p, k)), -1)
                if k >= 0:
                    self._match(p, k)
                    while p + 1 < p1 and k + 1 < k1 and self.shown.kinds[p + 1] in _RENDERED and self._alike(p + 1, k + 1):
                        p, k = p + 1, k + 1
                        self._match(p, k)
                    at = k + 1
            p += 1

    # -- runs without an anchor --------------------------------------------------------------------------------

    def embed(self, run: list[int]) -> None:
        """Match a run as a whole where one sequence lies inside the other: a window of known turns adds nothing."""
        hashes = [self.all_known.hashes[n] for n in run]
        if all(match is None for match in self.matches):
            at = _find(hashes, self.shown.hashes)
            if at >= 0:
                self.matches = list(run[at : at + len(self.shown)])
                return
        at = _find(self.shown.hashes, hashes)
        if at >= 0 and all(match is None for match in self.matches[at : at + len(run)]):
            self.matches[at : at + len(run)] = run


def _find(haystack: list[str], needle: list[str]) -> int:
    """Where ``needle`` last stands in ``haystack`` without a break, or -1. Linear (Knuth, Morris, Pratt, backwards)."""
    if not needle or len(needle) > len(haystack):
        return -1
    pattern = needle[::-1]
    fallback = [0] * len(pattern)
    length = 0
    for position in range(1, len(pattern)):
        while length and pattern[position] != pattern[length]:
            length = fallback[length - 1]
        length += pattern[position] == pattern[length]
        fallback[position] = length
    length = 0
    for position in range(len(haystack) - 1, -1, -1):
        while length and haystack[position] != pattern[length]:
            length = fallback[length - 1]
        length += haystack[position] == pattern[length]
        if length == len(pattern):
            return position
    return -1
