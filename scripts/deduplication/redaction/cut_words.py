"""Secrets beside words, where the end of a full line stands between the two, or cuts either of them.

A terminal cuts in the middle of words, or where a blank stood. Both ways the lines are put together again around the word
(``line_wrapped`` does it for keys that need no word), and the word's rule reads that.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, count
from operator import add
from typing import TYPE_CHECKING, Final

from ..start.late_dataclass import replace
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from . import secret_values
from .line_wrapped import FULL
from .triggers import Hit, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .matches import Match
    from .triggers import Index

_REACH: Final = 160
"""Characters between a word and the end of its line, from which on no secret goes on in the next line."""
_BEFORE: Final = 120
_AFTER: Final = 1200
_LINES: Final = 24
_EDGE: Final = 16
"""Characters on either side of a line's end in which a word lies that it cuts."""
_NAME_ALONE: Final = 24
"""A name whose value stands in the next line has not much behind it: ``- name: DB_PASSWORD``."""
_NONE: Final = Trigger("", lambda *_: ())
_NUMBERED: Final = late_pattern(r"\d{1,5}[.)]?|[-*#|+]{1,8}|[0-9a-f]{7,12}")
_GOES_ON: Final = frozenset("_-=+!@#%^&")
"""With these no word of a sentence ends."""
_BEHIND_NUMBERS: Final = (" ", "", ".", ")", "\t")
_INDENT: Final = late_pattern(r"[ \t│]*")


class _Lines(NamedTuple):
    """Full lines put together: the text, and where each of them begins in it and in the source."""

    text: str
    begins: Sequence[int]
    sources: Sequence[int]

    def source(self, at: int) -> int:
        """The place in the source of a place in the text."""
        part = bisect_right(self.begins, at) - 1
        return self.sources[part] + at - self.begins[part]

    def place(self, source: int) -> int:
        """The place in the text of a place in the source."""
        part = bisect_right(self.sources, source) - 1
        return self.begins[part] + source - self.sources[part]


def find(text: str, index: Index, met: Sequence[Hit]) -> Iterator[Match]:
    """What the rules of the words find over the ends of full lines; ``met`` are the words that stand whole in ``text``."""
    if "\n" not in text:
        return
    for word in met:
        end_of_line = text.find("\n", word.end, word.end + _REACH)
        if end_of_line < 0 and not word.trigger.back:
            continue
        if word.trigger.worth is not None and not word.trigger.worth(text, word.start, word.end):
            continue
        if end_of_line >= 0 and _full(text, word.start, end_of_line):
            yield from _over(text, word, word.start, end_of_line)
        elif 0 <= end_of_line < word.end + _NAME_ALONE:
            following = text.find("\n", end_of_line + 1, end_of_line + _REACH)
            if following - end_of_line > FULL:
                yield from _over(text, word, word.start, end_of_line)
        if word.trigger.back:
            line = text.rfind("\n", max(0, word.start - FULL), word.start)
            if line >= FULL and "\n" not in text[line - FULL : line]:
                yield from _over(text, word, line, line)
    yield from _cut(text, index)


def _full(text: str, at: int, end: int) -> bool:
    """Whether the line of ``at``, which ends at ``end``, has been long enough to be cut."""
    begin = text.rfind("\n", max(0, end - FULL), at) + 1
    return (begin == 0 and end >= FULL and text.rfind("\n", max(0, end - FULL), end) < 0) or (
        begin > 0 and end - begin >= FULL
    )


def _over(text: str, word: Hit, at: int, end_of_line: int) -> Iterator[Match]:
    """What the rule of ``word`` finds with the line of ``at`` and the next ones put together."""
    size = word.end - word.start
    begin = max(text.rfind("\n", max(0, at - _BEFORE), at) + 1, at - _BEFORE, 0)
    for joint in ("", " "):
        lines = _joined(text, begin, end_of_line, joint)
        if lines is None:
            continue
        start = lines.place(word.start)
        for match in word.trigger.matches(lines.text, start, start + size):
            found = _believed(text, lines, match, joint, word)
            if found is not None:
                yield found


def _joined(text: str, begin: int, end_of_line: int, joint: str) -> _Lines | None:
    pieces: list[str] = []
    begins: list[int] = []
    sources: list[int] = []
    length = 0
    at, end, line = begin, end_of_line, begin
    while len(pieces) < _LINES:
        piece = text[at:end].rstrip(" \t\r")
        whole = pieces and end - line < FULL
        over = len(pieces) > 1 and " " in piece
        begins.append(length)
        sources.append(at)
        following = _INDENT.match(text, end + 1)
        if whole or over or following is None or following.end() >= len(text) or following.end() - begin > _AFTER:
            pieces.append(piece)
            break
        here = "\n" if at + len(piece) < begin + FULL and end - begin < FULL else joint
        pieces.append(piece + here)
        length += len(piece) + len(here)
        at, line = following.end(), end + 1
        end = text.find("\n", at, at + _AFTER)
        end = end if end >= 0 else min(len(text), at + _AFTER)
        if end == at:
            break
    return _Lines("".join(pieces), begins, sources) if len(begins) > 1 else None


def _believed(text: str, lines: _Lines, match: Match, joint: str, word: Hit) -> Match | None:
    """``match`` where it lies in the source; None where the end of its line plays no part in it."""
    first = lines.begins[1]
    if match.end <= first:
        return None
    within = [begin for begin in lines.begins[1:] if match.start < begin < match.end]
    if joint and within and lines.text.count(" ", match.start, match.end) <= len(within):
        return None  # a secret has no blank in it
    end = match.end
    if within:
        last = within[-1]
        before, after = lines.text[match.start : last].rstrip(".,:;*)]}'\"`>"), lines.text[last:end]
        if secret_values.plain(before, digits=True) and (
            secret_values.plain(after)
            or (
                lines.text[last - 1] not in _GOES_ON
                and _NUMBERED.fullmatch(after)
                and lines.text[end : end + 1] in _BEHIND_NUMBERS
            )
        ):
            return None  # two words, or a word and the number of the next line
        same = after.isupper() and before.isupper()  # base32 goes on in its capitals
        if (
            len(after) < 12
            and secret_values.plain(after)
            and not same
            and _known(text, lines.source(match.start), word)
        ):
            return None
    return replace(match, start=lines.source(match.start), end=lines.source(end - 1) + 1)


def _known(text: str, start: int, word: Hit) -> bool:
    """Whether the rule of ``word`` finds what begins at ``start`` without the next line."""
    return any(match.start == start for match in word.trigger.matches(text, word.start, word.end))


def _cut(text: str, index: Index) -> Iterator[Match]:
    """What stands beside words that the end of a line has cut. A line that was cut is as long as the next one, or longer."""
    lines = text.split("\n")
    edges = [
        f"{before[-_EDGE:].rstrip()}{after[:48].lstrip(' │')[:_EDGE]}"
        if len(before) >= FULL and len(before) + 2 >= len(after)
        else ""
        for before, after in zip(lines, lines[1:])
    ]
    together = "\n".join(edges)
    starts: list[int] = []
    for word in index.met(together):
        if not starts:
            starts, ends = _starts(edges), _starts(lines)
        number = bisect_right(starts, word.start) - 1
        joint = starts[number] + len(lines[number][-_EDGE:].rstrip())
        if not word.start < joint < word.end:
            continue
        end_of_line = ends[number] + len(lines[number])
        at = ends[number] + len(lines[number].rstrip()) - (joint - word.start)
        begin = max(at - _BEFORE, ends[number])
        joined = _joined(text, begin, end_of_line, "")
        if joined is None:
            continue
        for match in word.trigger.matches(joined.text, at - begin, at - begin + word.end - word.start):
            found = _believed(text, joined, match, "", Hit(0, 0, _NONE))
            if found is not None:
                yield found


def _starts(lines: Iterable[str]) -> list[int]:
    return [0, *map(add, accumulate(map(len, lines)), count(1))]
