"""What a line of Markdown is: a heading, a fence, an item of a list, a row of a table. CommonMark's rules, a line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...start.late_pattern import late_pattern
from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    import re

_FENCE: Final = late_pattern(r" {0,3}(`{3,}|~{3,})(.*)\Z")
_HEADING: Final = late_pattern(r" {0,3}(#{1,6})(?=[ \t]|\Z)")
_ITEM: Final = late_pattern(r" {0,3}(?:([-+*])|(\d{1,9})([.)]))(?=[ \t]|\Z)")
QUOTE: Final = late_pattern(r" {0,3}> ?")
_CELL: Final = late_pattern(r":?-+:?\Z")
_BAR: Final = late_pattern(r"(?<!\\)\|")
_STARTS: Final = frozenset("`~#>-*+_=0123456789")


class Item(NamedTuple):
    """The marker of an item: its sign, its number where it has one, the column of what it says, the first line of that."""

    sign: str
    number: str
    column: int
    says: str


def columns(line: str) -> int:
    """How far to the right a line begins."""
    lead = line[: len(line) - len(line.lstrip(" \t"))]
    return len(lead.expandtabs(4)) if "\t" in lead else len(lead)


def without(line: str, count: int) -> str:
    """The line without so many columns of blanks, or without those that it has."""
    if line[:count].isspace() and "\t" not in line[:count]:
        return line[count:] if len(line) > count else ""
    text = line.lstrip(" \t")
    return " " * max(0, columns(line) - count) + text


def fence(line: str) -> re.Match[str] | None:
    """The beginning of fenced code: its signs, and what is said behind them."""
    found = _FENCE.match(line)
    return None if found is None or (found[1][0] == "`" and "`" in found[2]) else found


def ends_fence(line: str, signs: str) -> bool:
    """Whether code that began with ``signs`` ends here."""
    told = line.strip(" \t")
    return len(told) >= len(signs) and not told.strip(signs[0]) and columns(line) < 4


def heading(line: str) -> tuple[int, str] | None:
    """The level and the words of a heading."""
    found = _HEADING.match(line)
    if found is None:
        return None
    words = line[found.end() :].strip(" \t")
    shorter = words.rstrip("#")
    return len(found[1]), shorter.rstrip(" \t") if not shorter or shorter[-1] in " \t" else words


def underline(line: str) -> int:
    """The level of the heading that a line makes of those above it; 0: of none."""
    told = line.strip(" \t")
    if not told or told.strip(told[0]) or columns(line) > 3:
        return 0
    return {"=": 1, "-": 2}.get(told[0], 0)


def is_rule(line: str) -> bool:
    """Whether it is a line across the page."""
    told = line.replace(" ", "").replace("\t", "")
    return len(told) > 2 and told[0] in "-*_" and not told.strip(told[0]) and columns(line) < 4


def item(line: str) -> Item | None:
    """The item of a list that begins here."""
    found = _ITEM.match(line)
    if found is None or is_rule(line):
        return None
    rest = line[found.end() :]
    says = rest.lstrip(" \t")
    blanks = columns(rest.replace(says, "x") if says else "")
    blanks = blanks if says and 1 <= blanks <= 4 else 1
    return Item(found[1] or found[3], found[2] or "", found.end() + blanks, without(rest, blanks) if says else "")


def begins(line: str, *, list_goes_on: bool = False) -> bool:
    """Whether something begins here that ends the paragraph before it; in a list that goes on, every item does."""
    if line.lstrip(" ")[:1] not in _STARTS or columns(line) > 3:
        return False
    if fence(line) or heading(line) or QUOTE.match(line) or is_rule(line):
        return True
    found = item(line)
    return found is not None and (list_goes_on or (bool(found.says) and found.number in ("", "1")))


def cells(line: str) -> list[str]:
    """What stands between the bars of a table's row."""
    parts = _BAR.split(line.strip(" \t"))
    if len(parts) > 1 and not parts[0].strip():
        del parts[0]
    if len(parts) > 1 and not parts[-1].strip():
        del parts[-1]
    return [part.strip(" \t").replace("\\|", "|") for part in parts]


def table_sides(head: str, line: str) -> list[str] | None:
    """To which side each column of a table leans that begins with ``head`` and ``line``; None: there is no table."""
    if "|" not in head or line.strip("|:- \t") or "-" not in line or columns(head) > 3 or columns(line) > 3:
        return None
    rulers = cells(line)
    if len(rulers) != len(cells(head)) or not all(map(_CELL.match, rulers)):
        return None
    return [("center" if cell[0] == ":" else "right") if cell[-1] == ":" else "" for cell in rulers]
