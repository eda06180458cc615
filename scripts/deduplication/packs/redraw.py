"""The same text drawn at another width: what of it follows from a drawing that is there, and what does not.

A window breaks lines that are wider than it is, so that an export of a wider one has the same ink and other line ends. The rule
guesses those. A line end is *soft* where the next word would not have stood on that line; soft ones are undone, and the text is
broken again at the other width. Where the client did otherwise (it cut a word, moved a blank down, indented deeper), the gap that
it left is kept, with its place in the ink, and the rule goes on behind it. So any text with the same ink can be told, and a guess
that was wrong costs some three bytes.

Archived files are put together by this rule, so it is never changed: a better one gets the next number (``recipe``). It asks
nothing of Python or its library that may get another answer in another version, as what is a letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..start.late_pattern import late_pattern
from .recipe import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .recipe import Widths

_BLANK: Final = b" \n"
"""The bytes that are no ink: what a line's end may swallow or bring."""
_BREAK: Final = late_pattern(r"( *\n[ \n]*)")
_LEADING: Final = late_pattern(r"[ \n]*")
_MARKER: Final = late_pattern("[>❯⏺●⎿] +")
_WIDE: Final = late_pattern(
    "[\u0300-\u036f\u1100-\u115f\u200b-\u200f\u20d0-\u20ff\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff"
    "\ufe00-\ufe0f\ufe20-\ufe2f\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U0001f300-\U0001faff\U00020000-\U0003fffd]"
)
_LETTER: Final = late_pattern("[A-Za-z\u00c0-\U0010ffff]")
_NOTHING: Final = late_pattern("[\u0300-\u036f\u200b-\u200f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]")


class _Paragraph(NamedTuple):
    """A text without its soft line ends, the line end between its later lines, the gap that ends it, and how much narrower it is.

    ``padded``: its lines are filled with blanks up to the last column.
    """

    text: str
    later: str
    end: str
    narrower: int
    padded: bool


def ink(data: bytes) -> bytes:
    """What is left of a text without what a line's end may swallow or bring."""
    return data.translate(None, _BLANK)


def redrawn(source: bytes, widths: Widths, gaps: Sequence[Gap]) -> bytes:
    """``source``, drawn at the other width, with these ``gaps`` where the rule would guess others."""
    if widths.before == widths.after:
        return source
    parts: list[str] = []
    given = list(reversed(gaps))
    place = 0

    def known(text: str, at: int, end: int, gap: str) -> tuple[int, str]:
        nonlocal place
        if given and given[-1].place - place <= end - at:
            offset = _offset(text, at, given[-1].place - place)
            if offset <= end:
                end, gap = offset, given.pop().text
        place += _ink(text[at:end])
        parts.append(text[at:end])
        parts.append(gap)
        return end, gap

    _lay(_text(source), widths, known)
    return "".join(parts).encode("utf-8", "surrogateescape")


def differences(source: bytes, target: bytes, widths: Widths, most: int) -> list[Gap] | None:
    """The gaps with which :func:`redrawn` makes ``target`` of ``source``; None for more than ``most``, or for other ink."""
    if widths.before == widths.after:
        return [] if source == target else None
    if ink(source) != ink(target):
        return None
    drawn = _text(target)
    found: list[Gap] = []
    place = reached = 0

    def there(text: str, at: int, end: int, gap: str) -> tuple[int, str] | None:
        nonlocal place, reached
        line, guessed = text[at:end], (end, gap)
        if not drawn.startswith(line, reached):
            line = _shared(line, drawn, reached)
            end = at + len(line)
        gap = _gap(drawn, reached + len(line))
        place += _ink(line)
        reached += len(line) + len(gap)
        if (end, gap) != guessed:
            found.append(Gap(place, gap))
        return (end, gap) if len(found) <= most else None

    return found if _lay(_text(source), widths, there) else None


def _shared(line: str, drawn: str, at: int) -> str:
    """The beginning of ``line`` that ``drawn`` has from ``at`` on, up to the last ink of it."""
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if drawn.startswith(line[:middle], at):
            low = middle
        else:
            high = middle - 1
    return line[:low].rstrip(" ")


def _lay(text: str, widths: Widths, judge: Callable[[str, int, int, str], tuple[int, str] | None]) -> bool:
    """Break a text at the other width, line by line; False where ``judge`` wants no more of it.

    ``judge`` is asked for each line: the text, from where to where in it, and the gap that is guessed behind it. It says where
    the line ends and which gap is there.
    """
    column = 0
    for paragraph in _paragraphs(text, widths):
        line, width = paragraph.text, widths.after - paragraph.narrower
        wide = not line.isascii() and _WIDE.search(line) is not None
        size, at = len(line), 0
        while True:
            room = max(width - column, 1)
            stop = _reach(line, at, room) if wide else at + room
            end = size if stop >= size else _line_end(line, at, stop, width - len(paragraph.later) + 1, widths)
            gap = paragraph.end if end == size else paragraph.later
            if paragraph.padded:
                gap = " " * (widths.after - column - cells(line[at:end])) + gap
            judged = judge(line, at, end, gap)
            if judged is None:
                return False
            end, gap = judged
            column = _column(gap) if "\n" in gap else column + cells(line[at:end]) + len(gap)
            if end == size:
                break
            at = end
            while line[at] == " ":
                at += 1
    return True


def _paragraphs(text: str, widths: Widths) -> Iterator[_Paragraph]:
    first = _gap(text, 0)
    yield _Paragraph("", "", first, 0, padded=False)
    pieces = _BREAK.split(text[len(first) :])
    pieces += ["", ""]
    column = _column(first)
    joined, indent, narrower, later = "", "", 0, ""
    for line, gap, after in zip(pieces[::2], pieces[1::2], pieces[2::2]):
        if not joined:
            marker = _MARKER.match(line)
            if marker:
                narrower = widths.narrower if line[0] == "⎿" else 0
                indent = " " * (column + len(marker[0]))
        column += cells(line)
        blanks, ends = _padding(gap, widths.before - column) if gap[:1] == " " else (0, gap)
        width = widths.before - narrower
        if _is_soft(gap, after, width - column - 1, widths):
            later = later or "\n" + gap.partition("\n")[2]
            cut = column >= width and cells(line.rpartition(" ")[2] + after.partition(" ")[0]) > width - len(later) + 1
            joined += line + ("" if cut or (widths.hyphens and line[-1] == "-") else " ")
        else:
            whole = joined + line
            ink_ends = len(whole) if gap else len(whole.rstrip(" "))
            yield _Paragraph(
                whole[:ink_ends], later or "\n" + indent, ends or whole[ink_ends:], narrower, padded=blanks > 0
            )
            joined = later = ""
        column = _column(gap)


def _is_soft(gap: str, after: str, room: int, widths: Widths) -> bool:
    """Whether a line ended because the next word needs more than the ``room`` that was left."""
    if not after or gap.count("\n") != 1 or 2 * len(after) <= room:
        return False
    word = after.partition(" ")[0]
    hyphen = word.find("-", 1) + 1 if widths.hyphens else 0
    return cells(word[:hyphen] if hyphen and _LETTER.match(word, hyphen - 2) else word) > room


def _padding(gap: str, left: int) -> tuple[int, str]:
    """How many blanks fill a line up to its last column, of which so many are ``left``, and the gap without them."""
    blanks = len(gap) - len(gap.lstrip(" "))
    return (blanks, gap[blanks:]) if 0 < blanks == left else (0, gap)


def _line_end(text: str, at: int, stop: int, longest: int, widths: Widths) -> int:
    """Where a line ends that begins at ``at`` and has room up to ``stop``; a word of more than ``longest`` columns is cut."""
    blank = text.rfind(" ", at, stop + 1)
    if widths.hyphens:
        hyphen = text.rfind("-", at + 1, stop) + 1
        if hyphen > max(blank, at + 1) and _LETTER.match(text, hyphen - 2) and _LETTER.match(text, hyphen):
            return hyphen
    if blank <= at:
        return stop
    ends = text.find(" ", blank + 1, blank + 2 + longest)
    if stop > blank + 1 and cells(text[blank + 1 : ends if ends >= 0 else blank + 2 + longest]) > longest:
        return stop
    while text[blank - 1] == " ":
        blank -= 1
    return blank


def _offset(text: str, at: int, count: int) -> int:
    """Where in ``text`` so much ink lies behind ``at``; behind its end, where there is less."""
    while True:
        blank = text.find(" ", at)
        length = (blank if blank >= 0 else len(text)) - at
        if length >= count:
            return at + count
        if blank < 0:
            return len(text) + 1
        count -= length
        at = blank + 1


def _reach(text: str, at: int, room: int) -> int:
    """Up to where in ``text`` no more than so many columns are taken, and one character at least."""
    stop = at + room
    while stop > at + 1:
        over = cells(text[at:stop]) - room
        if over <= 0:
            break
        stop -= over + 1 >> 1
    return max(stop, at + 1)


def cells(text: str) -> int:
    """Columns of a text on a line: marks that combine take none, ideographs and pictures two."""
    if text.isascii() or not _WIDE.search(text):
        return len(text)
    return len(text) + len(_WIDE.findall(text)) - 2 * len(_NOTHING.findall(text))


def _column(gap: str) -> int:
    """The column behind a gap: behind its last line break, or in a text that begins with it."""
    return len(gap) - gap.rfind("\n") - 1


def _gap(text: str, at: int) -> str:
    found = _LEADING.match(text, at)
    return found[0] if found else ""


def _ink(text: str) -> int:
    return len(text) - text.count(" ") - text.count("\n")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
