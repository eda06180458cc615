"""Secrets that a terminal's width has cut in two: exports are wrapped in the middle of words, keys and addresses too.

Where a line that may be full ends in something like a part of a key, the parts are put together again, with a little of
what stands around them, and the rules look at that. What they find is believed as far as it reads like more of a key.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from ..start.late_dataclass import dataclass, replace
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .matches import Match

FULL: Final = 40
"""Characters from which on a line may have been cut at its end; no terminal that was seen is narrower than 53."""
_LONGEST: Final = 1024
_BEFORE: Final = 100
_AFTER: Final = 40
_LINES: Final = 40
_IN_A_RUN: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=.~:$%@?&-"
_RUN: Final = late_pattern(f"[{_IN_A_RUN}]{{1,1024}}")
_BREAK: Final = late_pattern(r"[ \t]{0,256}\r?\n[ \t│]{0,64}")
_LEAST: Final = 16
_CAPITALS: Final = late_pattern(r"[A-Z]{16}")
_LONG: Final = 12


@dataclass(frozen=True)
class _Joined:
    """Lines put together; ``parts`` are pairs of where one begins here and where in the source."""

    text: str
    parts: Sequence[tuple[int, int]]
    cut: tuple[bool, bool]
    """Whether its line goes on before it, and after it."""

    def source(self, match: Match, known: Sequence[Match]) -> Match | None:
        """``match`` where it lies in the source; None where it is an artefact of the cut, or known without the joint."""
        if (match.start == 0 and self.cut[0]) or (match.end == len(self.text) and self.cut[1]):
            return None
        within = [begin for begin, _ in self.parts[1:] if match.start < begin < match.end]
        end = match.end
        while within and not _like_a_key(self.text[within[-1] : end]):
            end = within.pop()  # the next line's first word
        start = self._at(match.start)
        if end != match.end and not within and not any(each.start <= start < each.end for each in known):
            end = match.end  # but nothing is a secret without it
        return replace(match, start=start, end=self._at(end - 1) + 1)

    def _at(self, position: int) -> int:
        begin, source = next(part for part in reversed(self.parts) if part[0] <= position)
        return source + position - begin


def find(text: str, rules: Callable[[str], Iterable[Match]], known: Sequence[Match]) -> Iterator[Match]:
    """What ``rules`` find in ``text`` across the ends of full lines; ``known`` is what they find without that."""
    places = sorted(known, key=lambda match: match.start)
    starts = [match.start for match in places]
    for joined in _joined(text):
        near = places[bisect_left(starts, joined.parts[0][1]) : bisect_right(starts, joined.parts[-1][1])]
        for match in rules(joined.text):
            found = joined.source(match, near)
            if found is not None:
                yield found


def _joined(text: str) -> Iterator[_Joined]:
    start, at = 0, text.find("\n")
    while at >= 0:
        end = at
        while end > start and text[end - 1] in " \t\r":
            end -= 1
        following = at + 1
        if end - start >= FULL:
            begin = max(start, end - _LONGEST)
            begin += len(text[begin:end].rstrip(_IN_A_RUN))
            if begin < end:
                joined, following = _chain(text, begin, end, start)
                if joined is not None:
                    yield joined
        start, at = following, text.find("\n", following)


def _chain(text: str, begin: int, end: int, line: int) -> tuple[_Joined | None, int]:
    """The run that begins at ``begin`` with its further lines, and where to go on looking."""
    runs = [(begin, end)]
    while len(runs) < _LINES:
        broken = _BREAK.match(text, runs[-1][1])
        run = _RUN.match(text, broken.end()) if broken else None
        if broken is None or run is None:
            break
        runs.append(run.span())
        if run.end() - broken.end() < FULL:
            break  # the last line of it, as it does not fill its own
    whole = "".join(text[a:b] for a, b in runs)
    if len(runs) < 2 or len(whole) < _LEAST or not (_like_a_key(whole, least=10 * _LONGEST) or _CAPITALS.search(whole)):
        return None, end + 1
    before = max(line, begin - _BEFORE)
    last_end = runs[-1][1]
    line_end = text.find("\n", last_end, last_end + _AFTER)
    after = line_end if line_end >= 0 else last_end + _AFTER
    parts, pieces, length = [], [], 0
    for a, b in ((before, runs[0][1]), *runs[1:-1], (runs[-1][0], after)):
        parts.append((length, a))
        pieces.append(text[a:b])
        length += len(pieces[-1])
    cut = (before > line, line_end < 0 and after < len(text))
    return _Joined("".join(pieces), parts, cut), max(end + 1, runs[-1][0])


def _like_a_key(text: str, least: int = _LONG) -> bool:
    """True for what reads like a part of a key: a digit in it, capitals in the middle, or long."""
    return (
        len(text) >= least
        or any(c.isdigit() for c in text)
        or (any(c.isupper() for c in text[1:]) and any(c.islower() for c in text))
    )
