"""Turns that the archive has, found by their ink for an export of the same conversation in a window of another width.

What is found is told as a drawing of segments (``redraw``). As with every other recipe, the file is restored from it before anybody
relies on it.
"""

from __future__ import annotations

import hashlib
import itertools
from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from . import redraw, segmenter
from .recipe import Drawn, Widths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_LARGEST: Final = 32 * 1024
"""Bytes of a drawing: whoever reads some of them draws all of it."""
_SMALLEST: Final = 48
"""A drawing takes some ten bytes in a recipe: what is shorter is cheaper as it is, unless it goes on from the turn before it."""
_A_GAP_SAVES: Final = 24
"""Bytes of text that take, compressed, what a gap takes in a recipe."""
_UNBROKEN: Final = Widths(100_000, 100_001)
"""Where no line end tells a width: every gap is what the writer made it."""
_SAMPLES: Final = 48
_SAMPLE: Final = 8 * 1024
_CANDIDATES: Final = 3
_LONG_WORD: Final = 60
_VARIANTS: Final = ((1, 1, False), (0, 1, False), (0, 2, False), (0, 0, True))
"""What is tried once the widths are known: columns more, how much narrower results are, ends behind hyphens."""


class Stretch(NamedTuple):
    """Bytes of segments of these ``sizes``, from ``skip`` bytes into number ``first`` on, drawn at ``width`` (0: nobody knows)."""

    first: int
    skip: int
    sizes: Sequence[int]
    data: bytes
    width: int


class _Turn(NamedTuple):
    """A turn in the archive: the segment in which it begins, and how far into it; ``after`` is the same of where it ends."""

    first: int
    skip: int
    data: bytes
    width: int
    after: tuple[int, int]


class _Match(NamedTuple):
    start: int
    end: int
    turn: _Turn


class Part(NamedTuple):
    """Bytes ``start`` to ``end`` of a file, and the drawing that gives them, if there is one."""

    start: int
    end: int
    drawn: Drawn | None


class Drawings:
    """The turns of some stretches of segments."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self._turns: dict[bytes, _Turn] = {}
        self._places: dict[tuple[int, int], tuple[bytes, _Turn]] = {}
        for stretch in stretches:
            for turn in _turns(stretch):
                digest = _digest(turn.data)
                self._turns.setdefault(digest, turn)
                self._places.setdefault((turn.first, turn.skip), (digest, turn))

    def parts(self, data: bytes, pieces: Sequence[tuple[int, int]]) -> Iterator[list[Part]]:
        """Each of these pieces of ``data`` in parts: what is drawn as the archive has it or at another width, and what is not."""
        matches = [list(self._matches(data, start, end)) for start, end in pieces]
        widths = self._widths(data, [match for found in matches for match in found])
        for (start, end), found in zip(pieces, matches):
            yield list(_filled(start, end, _joined(data, found, widths)))

    def _matches(self, data: bytes, start: int, end: int) -> Iterator[_Match]:
        after = (-1, -1)
        for begin, close, drawn, *_ in segmenter.turns(data, start, end):
            digest = _digest(data[begin:close])
            following, turn = self._places.get(after, (b"", None))
            if following != digest:
                turn = self._turns.get(digest) if close - begin >= _SMALLEST else None
            after = turn.after if turn and not drawn else (-1, -1)
            if turn and not drawn:
                yield _Match(begin, close, turn)

    def _widths(self, data: bytes, matches: list[_Match]) -> dict[int, Widths]:
        """For each width of the drawings that are there, the widths that explain most of some that differ."""
        found: dict[int, Widths] = {}
        for before in {match.turn.width for match in matches}:
            alike = (match for match in matches if match.turn.width == before and match.end - match.start <= _SAMPLE)
            pairs = ((match.turn.data, data[match.start : match.end]) for match in alike)
            samples = list(itertools.islice((pair for pair in pairs if pair[0] != pair[1]), _SAMPLES))
            found[before] = _best(samples, before)
        return found


def _turns(stretch: Stretch) -> Iterator[_Turn]:
    starts = list(itertools.accumulate(stretch.sizes, initial=0))

    def place(at: int) -> tuple[int, int]:
        segment = bisect_right(starts, at + stretch.skip) - 1
        return stretch.first + segment, at + stretch.skip - starts[segment]

    for start, end, drawn, *_ in segmenter.turns(stretch.data, 0, len(stretch.data)):
        if not drawn:
            yield _Turn(*place(start), stretch.data[start:end], stretch.width, place(end))


def _best(samples: list[tuple[bytes, bytes]], before: int) -> Widths:
    """The widths with the fewest gaps in ``samples``; ``before`` where it is known already, else 0."""

    def cost(widths: Widths) -> int:
        return sum(_gaps_between(source, target, widths) for source, target in samples)

    befores = [before] if before else _likely(samples)
    afters = _likely([(target, source) for source, target in samples])
    best = min((Widths(a, b) for a in befores for b in afters if a != b), key=cost, default=_UNBROKEN)
    least = cost(best)
    for columns, narrower, hyphens in _VARIANTS:
        other = Widths(best.before + columns, best.after + columns, narrower or best.narrower, hyphens or best.hyphens)
        found = cost(other)
        if found < least:
            best, least = other, found
    return best


def _likely(samples: Iterable[tuple[bytes, bytes]]) -> list[int]:
    """Widths at which the first of each two drawings may be broken, the likeliest one first.

    Where a line ends that goes on in the other drawing, the window was at least as wide as the line, and less than it would be with
    the next word: each such place speaks for some widths.
    """
    votes: Counter[int] = Counter()
    for drawn, other in samples:
        kept = {place for place, _, _ in _line_ends(other)}
        for place, columns, word in _line_ends(drawn):
            if place not in kept:
                votes.update(range(columns, columns + 1 + min(word, _LONG_WORD)))
    return [width for width, _ in votes.most_common(_CANDIDATES)]


def _line_ends(drawn: bytes) -> Iterator[tuple[int, int, int]]:
    """For each line end: its place in the ink, how many columns its line has, and how many the next word."""
    lines = drawn.decode("utf-8", "surrogateescape").split("\n")
    place = 0
    for line, after in zip(lines, lines[1:]):
        place += len(line) - line.count(" ")
        words = after.split(None, 1)
        yield place, redraw.cells(line.rstrip(" ")), redraw.cells(words[0]) if words else 0


def _gaps_between(source: bytes, target: bytes, widths: Widths) -> int:
    most = len(target) // _A_GAP_SAVES
    gaps = redraw.differences(source, target, widths, most)
    return len(gaps) if gaps is not None else most + 1


def _joined(data: bytes, matches: list[_Match], widths: dict[int, Widths]) -> Iterator[Part]:
    """The matches as drawings, those that follow each other here and there as one, as long as they are worth it."""
    run: list[_Match] = []
    for match in matches:
        if run and not (_follows(run[-1], match) and match.end - run[0].start <= _LARGEST):
            yield from _drawn(data, run, widths)
            run = []
        run.append(match)
    if run:
        yield from _drawn(data, run, widths)


def _follows(last: _Match, match: _Match) -> bool:
    """Whether a match goes on here and there where the last one ended, in a drawing of the same width."""
    here, there = match.turn, last.turn
    return last.end == match.start and there.after == (here.first, here.skip) and there.width == here.width


def _drawn(data: bytes, run: list[_Match], widths: dict[int, Widths]) -> Iterator[Part]:
    start, end = run[0].start, run[-1].end
    first = run[0].turn
    source, target = b"".join(match.turn.data for match in run), data[start:end]
    if source == target:
        yield Part(start, end, Drawn(first.first, first.skip, len(source), len(target), Widths(0, 0), ()))
        return
    how = widths[first.width]
    gaps = redraw.differences(source, target, how, len(target) // _A_GAP_SAVES)
    if gaps is not None:
        yield Part(start, end, Drawn(first.first, first.skip, len(source), len(target), how, tuple(gaps)))
    elif len(run) > 1:
        for match in run:
            yield from _drawn(data, [match], widths)


def _filled(start: int, end: int, parts: Iterable[Part]) -> Iterator[Part]:
    """The same with what lies between them and around them."""
    at = start
    for part in parts:
        if part.start > at:
            yield Part(at, part.start, None)
        yield part
        at = part.end
    if end > at:
        yield Part(at, end, None)


def _digest(turn: bytes) -> bytes:
    return hashlib.sha256(redraw.ink(turn)).digest()[:16]
