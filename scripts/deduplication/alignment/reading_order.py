"""The reading order of a conversation, derived from its windows.

Each export logs which occurrences it showed, in order: evidence "this came before that". The reading order is one
that contradicts no window; where nothing says otherwise, what was stored first comes first and a run goes on before
another one begins. A pure function of the log, so that it can be computed anew at any time.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from ..start.late_dataclass import dataclass
from .message_sequence import MANY

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

Window = "Sequence[tuple[int, int]]"
"""Ranges of sequence numbers, both ends included, in the order in which an export showed them."""


BREAK: Final = [-1, -1]
"""Stands in a window where what follows does not follow what stands above it: one file showed several windows."""


def with_breaks(window: Sequence[list[int]], breaks: Iterable[int]) -> list[list[int]]:
    """A window with :data:`BREAK` before each of the positions ``breaks``."""
    result = list(window)
    for position in sorted(breaks, reverse=True):
        result.insert(position, BREAK)
    return result


@dataclass(frozen=True)
class ReadingOrder:
    """``order`` lists sequence numbers as they are read; ``component[i]`` is the run that number ``i`` belongs to.

    Occurrences of one component are tied together by windows; between two components lies a gap: nothing that was
    seen says which came first. Of a message that had grown only the last version is listed, in the place of the first.
    """

    order: Sequence[int]
    component: Sequence[int]

    def runs(self) -> list[Sequence[int]]:
        """The order, one sequence for each component."""
        if isinstance(self.order, range):
            return [self.order] if self.order else []
        by_component: dict[int, list[int]] = {}
        for number in self.order:
            by_component.setdefault(self.component[number], []).append(number)
        return list(by_component.values())


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Consecutive numbers as inclusive ranges: ``[0, 1, 2, 7]`` becomes ``[[0, 2], [7, 7]]``."""
    result: list[list[int]] = []
    for number in numbers:
        if result and result[-1][1] == number - 1:
            result[-1][1] = number
        else:
            result.append([number, number])
    return result


def numbers_of(window: Iterable[Sequence[int]]) -> Iterator[int]:
    """The numbers of a window's ranges, both ends included, one after another: ``[[0, 2], [5, 5]]`` gives 0, 1, 2, 5."""
    for first, last in window:
        yield from range(first, last + 1)


def reading_order(
    count: int,
    windows: Iterable[Sequence[Sequence[int]]],
    extends: Mapping[int, int] | None = None,
    continuations: Iterable[int] = (),
    passed: Container[int] = (),
) -> ReadingOrder:
    """Merge ``windows`` over the sequence numbers ``0 .. count-1``.

    ``extends`` maps a number to the earlier one of which it is a further version; the last one is read, but for those that are
    ``passed`` over because an earlier one says it better. ``continuations`` are numbers that an
    export began with right after a compaction: a run that begins with one comes after those that have a beginning of
    their own. Linear in ``count`` plus the number of ranges. Contradictions cannot arise from windows that were
    aligned against this very order; should the log hold one all the same, the older number goes first.
    """
    grown = dict(extends or {})
    roots = {number: root_of(number, grown) for number in grown}
    follows, links = _evidence(count, windows, sorted(grown), roots)
    cuts = {0, *grown, *(number + 1 for number in grown)}
    for before, after in links:
        cuts.add(before + 1)
        cuts.add(after)
    cuts.update(number for number in range(1, count) if not follows[number])
    starts = sorted(cut for cut in cuts if cut < count)
    if len(starts) == 1:  # all of it in the order in which it was stored, which takes no memory to say
        return ReadingOrder(
            range(count) if count > MANY else list(range(count)), [0] * count if count <= MANY else bytes(count)
        )
    segment_of = [0] * count
    for position, start in enumerate(starts):
        end = starts[position + 1] if position + 1 < len(starts) else count
        segment_of[start:end] = [position] * (end - start)
    edges = {(segment_of[a], segment_of[b]) for a, b in links if a != b}
    edges.update((segment_of[start - 1], segment_of[start]) for start in starts if start and follows[start])
    later = {segment_of[number] for number in continuations if number < count}
    sequence = _topological(len(starts), edges, later)
    component = _components(len(starts), edges)
    latest = {root: number for number, root in sorted(roots.items()) if number not in passed}
    order: list[int] = []
    for segment in sequence:
        start = starts[segment]
        end = starts[segment + 1] if segment + 1 < len(starts) else count
        if start not in grown:
            order.extend(range(start, end))
    if latest:
        order = [latest.get(number, number) for number in order]
    return ReadingOrder(order, [component[segment_of[roots.get(number, number)]] for number in range(count)])


def other_versions(order: Iterable[int], extends: Mapping[int, int]) -> dict[int, list[int]]:
    """For each number in ``order`` that has further versions: their numbers, in the order of storing, without its own."""
    if not extends:
        return {}
    groups: dict[int, list[int]] = {}
    for number in sorted({*extends, *extends.values()}):
        groups.setdefault(root_of(number, extends), []).append(number)
    group_of = {number: group for group in groups.values() for number in group}
    return {number: [n for n in group_of[number] if n != number] for number in order if number in group_of}


def root_of(number: int, grown: Mapping[int, int]) -> int:
    """The first of the numbers whose place this one took."""
    while number in grown:
        number = grown[number]
    return number


def _evidence(
    count: int, windows: Iterable[Sequence[Sequence[int]]], aliases: list[int], roots: Mapping[int, int]
) -> tuple[bytearray, set[tuple[int, int]]]:
    """``follows[n]`` where n directly follows n-1 in some window; every other "a before b" as a pair."""
    follows = bytearray(count)
    links: set[tuple[int, int]] = set()
    for window in windows:
        last = -1
        for first, final in window:
            if first < 0:
                last = -1  # what follows does not follow what stands above it
                continue
            for start, end in _without(first, final, aliases):
                head = roots.get(start, start)
                if last >= 0 and last != head:
                    if head == last + 1:
                        follows[head] = 1
                    else:
                        links.add((last, head))
                if end > start:
                    follows[start + 1 : end + 1] = b"\1" * (end - start)
                last = roots.get(end, end)
    return follows, links


def _without(first: int, final: int, aliases: list[int]) -> Iterable[tuple[int, int]]:
    """The range cut at every alias, each alias a range of its own."""
    position = bisect_left(aliases, first)
    while position < len(aliases) and aliases[position] <= final:
        if first < aliases[position]:
            yield first, aliases[position] - 1
        yield aliases[position], aliases[position]
        first = aliases[position] + 1
        position += 1
    if first <= final:
        yield first, final


def _topological(count: int, edges: Iterable[tuple[int, int]], later: set[int]) -> list[int]:
    """Depth first: what continues the run just read comes before anything that waits."""
    successors: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for before, after in edges:
        successors[before].append(after)
        waiting[after] += 1
    ready = sorted((node for node in range(count) if not waiting[node]), key=lambda n: (n in later, n), reverse=True)
    done = bytearray(count)
    result: list[int] = []
    oldest = 0
    while len(result) < count:
        if not ready:
            while done[oldest]:
                oldest += 1
            ready.append(oldest)
        node = ready.pop()
        if done[node]:
            continue
        done[node] = 1
        result.append(node)
        for after in sorted(successors[node], reverse=True):
            waiting[after] -= 1
            if not waiting[after]:
                ready.append(after)
    return result


def _components(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """The number of each node's connected component: its smallest node."""
    parent = list(range(count))

    def find(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for before, after in edges:
        one, other = find(before), find(after)
        parent[max(one, other)] = min(one, other)
    return [find(node) for node in range(count)]
