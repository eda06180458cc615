"""Markers inside a prompt that somebody pasted an export into, told from real ones by the client's padding."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, overload

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .screen import display_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WRAPPED_RESULT: Final = late_pattern(r" {2}⎿ \u00a0.*\S \Z")
"""A real result below a prompt that happens to be as wide as the padding: a wrap leaves one blank, padding several."""
_VERSION: Final = late_pattern(r"Claude Code v(\d{1,4})\.(\d{1,4})\.(\d{1,4})")
HEAD: Final = 4000
"""Characters in which the banner stands."""
_BLANK_ENDED: Final = ((2, 0, 0), (2, 1, 76))
"""Versions, the last one excluded, that end each prompt of one line with one blank; later ones pad it."""
_LEAST_BLANK: Final = 0.3
"""Of the prompts in a file of such a version: the others are pasted, or were written by hand."""
_MOST_AHEAD: Final = 100
"""Starts that are looked at for the end of one prompt: keeps the search linear."""


class Start(NamedTuple):
    """A line that starts something. ``at`` is a character offset, ``head`` the length of what is marker in it."""

    type: str
    at: int
    head: int


class Starts(Sequence[Start]):
    """The starts of a text in order; a column a property, since a large text has a million of them."""

    def __init__(self, starts: Iterable[Start] = ()) -> None:
        self._types: list[str] = []
        self.places = array("I")
        """Where each is, as character offsets."""
        self._heads = array("I")
        for type_, at, head in starts:
            self._types.append(type_)
            self.places.append(at)
            self._heads.append(head)

    def __len__(self) -> int:
        return len(self._types)

    def __iter__(self) -> Iterator[Start]:
        return map(Start, self._types, self.places, self._heads)

    @overload
    def __getitem__(self, number: int) -> Start: ...

    @overload
    def __getitem__(self, number: slice) -> Starts: ...

    def __getitem__(self, number: int | slice) -> Start | Starts:
        if isinstance(number, slice):
            return Starts(self[each] for each in range(len(self))[number])
        return Start(self._types[number], self.places[number], self._heads[number])


class Endings(NamedTuple):
    """How the prompts of a text end, counted: those that run into no marker, and how many of them end with one blank; answers
    that do are ``pasted``.
    """

    prompts: int = 0
    blank: int = 0
    pasted: int = 0

    def plus(self, other: Endings, sign: int = 1) -> Endings:
        """With those of another part of the text; ``sign`` -1: without them."""
        return Endings(*(one + sign * more for one, more in zip(self, other)))


def pasted_markers(text: str, starts: Sequence[Start], *, trailing: bool) -> set[int]:
    """Numbers of the starts that are part of a prompt somebody pasted an export into.

    From 2.1.3 on every line of a prompt of several lines is padded with blanks to one width; a real answer is never
    padded. Before that a prompt ends with exactly one blank (``trailing``, see :func:`end_with_blank`).
    """
    swallowed: set[int] = set()
    number = 0
    while number < len(starts):
        if starts[number].type == "user":
            end = _padded_end(text, starts[number].at)
            if not end and trailing:
                end = _blank_ended(text, starts, number)
            while end and number + 1 < len(starts) and starts[number + 1].at < end:
                number += 1
                swallowed.add(number)
        number += 1
    return swallowed


def _padded_end(text: str, start: int) -> int:
    """Where the run of equally wide, blank-padded lines that begins at ``start`` ends; 0 where there is none."""
    stop = text.find("\n", start)
    line = text[start : stop if stop >= 0 else len(text)].rstrip("\r")
    if stop < 0 or not line.endswith(" "):
        return 0
    width = display_width(line)
    end = 0
    while stop >= 0:
        start = stop + 1
        stop = text.find("\n", start)
        line = text[start : stop if stop >= 0 else len(text)].rstrip("\r")
        # Terminals disagree on how wide an emoji is: a padded line with one may be off by a few cells.
        slack = 0 if line.isascii() else 4
        if not line.endswith(" ") or abs(display_width(line) - width) > slack or _WRAPPED_RESULT.match(line):
            break
        end = stop + 1 if stop >= 0 else len(text)
    return end


def _last_line(text: str, start: int, end: int) -> str:
    return text[start:end].rstrip("\r\n").rsplit("\n", 1)[-1].rstrip("\r")


def _empty_line_above(text: str, at: int) -> bool:
    return text.endswith(("\n\n", "\n\r\n"), 0, at)


def _next(text: str, starts: Sequence[Start], number: int) -> int:
    return starts[number + 1].at if number + 1 < len(starts) else len(text)


def endings(text: str, starts: Sequence[Start], first: int = 0) -> Endings:
    """How the prompts end from the start with the number ``first`` on. Prompts that run into a marker are no evidence."""
    prompts = blank = pasted = 0
    for number, (type_, at, _) in enumerate(itertools.islice(starts, first, None), first):
        if type_ == "user":
            end = _next(text, starts, number)
            if end == len(text) or _empty_line_above(text, end):
                prompts += 1
                blank += _ends_with_one_blank(text, at, end)
        elif type_ == "assistant":
            pasted += _ends_with_one_blank(text, at, _next(text, starts, number))
    return Endings(prompts, blank, pasted)


def end_with_blank(counted: Endings, head: str) -> bool:
    """Does the client of a text that begins with ``head`` end every prompt with one blank?

    Of such a client all prompts do, of others none; those that do not are pasted, and an answer that does is.
    """
    prompts, blank, pasted = counted
    banner = _VERSION.search(head, 0, HEAD)
    if banner and _BLANK_ENDED[0] <= (int(banner[1]), int(banner[2]), int(banner[3])) < _BLANK_ENDED[1]:
        return blank + pasted >= _LEAST_BLANK * max(1, prompts)
    return blank >= 2 and blank >= 0.8 * prompts


def _ends_with_one_blank(text: str, start: int, end: int) -> bool:
    line = _last_line(text, start, end)
    return line.endswith(" ") and not line.endswith("  ")


def _blank_ended(text: str, starts: Sequence[Start], number: int) -> int:
    """Where a prompt ends that runs into a marker; 0 where nothing says that it goes on.

    With an empty line above the marker, only an answer that ends with the prompt's blank tells: a real one never does, and
    a second prompt that does is a real turn.
    """
    prompts = 0
    parted = _empty_line_above(text, _next(text, starts, number))
    for ahead in range(number, min(number + _MOST_AHEAD, len(starts))):
        type_, at, _ = starts[ahead]
        if _last_line(text, at, _next(text, starts, ahead)).endswith(" "):
            if not parted or (ahead > number and type_ == "assistant"):
                return at + 1
            prompts += type_ == "user"
            if ahead == number or prompts > 1:
                return 0
    return 0
