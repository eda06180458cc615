"""A message's Markdown as HTML: headings, lists, tables, quotes, code, paragraphs.

The reading is CommonMark's with the tables of GitHub, and differs from it only where that would lose what was written: there are no
entities, no definitions of links, no HTML; further cells of a row and the numbers of a list stay. It is linear in the text.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ...start.late_tuple import NamedTuple
from .inline import inline
from .lines import (
    QUOTE,
    Item,
    begins,
    cells,
    columns,
    ends_fence,
    fence,
    heading,
    is_rule,
    item,
    table_sides,
    underline,
    without,
)
from .text import code

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEEPEST: Final = 12
"""Levels of lists and quotes; what lies deeper is shown as it was written."""
_ABOVE: Final = 2
"""Headings of a message stand below ours."""


class _Piece(NamedTuple):
    """A block: its HTML, whether it is a paragraph (then without its element), whether a blank line stands before it."""

    html: str
    is_paragraph: bool
    after_blank: bool

    def whole(self) -> str:
        """The block with its element."""
        return f"<p>{self.html}</p>\n" if self.is_paragraph else self.html


def render(text: str, *, drawn: bool = False) -> str:
    """``text`` as HTML that can do nothing. ``drawn``: see :func:`inline`."""
    return "".join(piece.whole() for piece in _Blocks(text.split("\n"), drawn=drawn).pieces())


class _Blocks:
    """The blocks in some lines, which stand so deep in lists and quotes."""

    def __init__(self, lines: Sequence[str], depth: int = 0, *, drawn: bool) -> None:
        self.lines, self.depth, self.drawn = lines, depth, drawn
        self.at = 0

    def pieces(self) -> list[_Piece]:
        """All of them."""
        if self.depth > _DEEPEST:
            return [_Piece(f"<p class=lines>{escape(chr(10).join(self.lines), quote=False)}</p>\n", False, False)]
        found: list[_Piece] = []
        after_blank = False
        while self.at < len(self.lines):
            if not self.lines[self.at].strip(" \t"):
                self.at, after_blank = self.at + 1, True
                continue
            html = self._special()
            found.append(_Piece(self._paragraph() if html is None else html, html is None, after_blank))
            if html is None and found[-1].html.startswith("<h"):  # it was underlined
                found[-1] = found[-1]._replace(is_paragraph=False)
            after_blank = False
        return found

    def _special(self) -> str | None:
        """What begins here, and is no paragraph."""
        line = self.lines[self.at]
        if columns(line) > 3:
            return self._indented()
        opened = fence(line)
        if opened:
            return self._fenced(opened[1], opened[2].strip(" \t"))
        titled = heading(line)
        if titled:
            self.at += 1
            return self._heading(*titled)
        if QUOTE.match(line):
            return self._quote()
        if is_rule(line):
            self.at += 1
            return "<hr>\n"
        first = item(line)
        if first:
            return self._list(first)
        sides = self._sides(self.at)
        return None if sides is None else self._table(sides)

    def _heading(self, level: int, words: str) -> str:
        tag = f"h{min(6, level + _ABOVE)}"
        return f"<{tag}>{inline(words, drawn=self.drawn)}</{tag}>\n"

    def _indented(self) -> str:
        start = end = self.at
        while self.at < len(self.lines) and (columns(self.lines[self.at]) > 3 or not self.lines[self.at].strip(" \t")):
            self.at += 1
            end = self.at if self.lines[self.at - 1].strip(" \t") else end
        self.at = end
        return code("\n".join(without(line, 4) for line in self.lines[start:end]))

    def _fenced(self, signs: str, language: str) -> str:
        margin = columns(self.lines[self.at])
        start = self.at = self.at + 1
        while self.at < len(self.lines) and not ends_fence(self.lines[self.at], signs):
            self.at += 1
        inside = self.lines[start : self.at]
        self.at += 1
        if margin:
            inside = [without(line, min(margin, columns(line))) for line in inside]
        return code("\n".join(inside).rstrip("\n"), "" if self.drawn else language)  # a screen names no language

    def _inside(self, lines: Sequence[str]) -> list[_Piece]:
        return _Blocks(lines, self.depth + 1, drawn=self.drawn).pieces()

    def _quote(self) -> str:
        inside = _Inside()
        while self.at < len(self.lines):
            line = self.lines[self.at]
            marked = QUOTE.match(line)
            if marked:
                inside.add(line[marked.end() :])
            elif inside.takes(line):
                inside.add(line.lstrip(" \t"))
            else:
                break
            self.at += 1
        return f"<blockquote>\n{''.join(piece.whole() for piece in self._inside(inside.lines))}</blockquote>\n"

    def _list(self, first: Item) -> str:
        found: list[tuple[Item, list[_Piece]]] = []
        loose = parted = False
        current: Item | None = first
        while current is not None and current.sign == first.sign:
            loose = loose or parted
            lines, parted = self._item(current)
            pieces = self._inside(lines)
            loose = loose or any(piece.after_blank for piece in pieces[1:])
            found.append((current, pieces))
            line = self.lines[self.at] if self.at < len(self.lines) else ""
            current = item(line) if columns(line) < 4 else None
        return _listed(found, loose=loose)

    def _item(self, marker: Item) -> tuple[list[str], bool]:
        """The lines of an item, and whether a blank line comes after it."""
        inside = _Inside()
        inside.add(marker.says)
        self.at += 1
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line.strip(" \t"):
                if inside.lines == [""]:
                    break
                inside.add("")
            elif columns(line) >= marker.column:
                inside.add(without(line, marker.column))
            elif inside.takes(line):
                inside.add(line.lstrip(" \t"))
            else:
                break
            self.at += 1
        lines = inside.lines
        parted = (len(lines) > 1 and not lines[-1]) or (
            self.at < len(self.lines) and not self.lines[self.at].strip(" \t")
        )
        while self.at < len(self.lines) and not self.lines[self.at].strip(" \t"):
            self.at += 1
        while lines and not lines[-1]:
            lines.pop()
        return lines, parted

    def _sides(self, at: int) -> list[str] | None:
        return table_sides(self.lines[at], self.lines[at + 1]) if at + 1 < len(self.lines) else None

    def _table(self, sides: Sequence[str]) -> str:
        head = self._row(self.lines[self.at], "th", sides)
        self.at += 2
        rows = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line.strip(" \t") or columns(line) > 3 or begins(line):
                break
            rows.append(self._row(line, "td", sides))
            self.at += 1
        body = f"<tbody>\n{''.join(rows)}</tbody>\n" if rows else ""
        return f"<div class=table tabindex=0><table>\n<thead>\n{head}</thead>\n{body}</table></div>\n"

    def _row(self, line: str, tag: str, sides: Sequence[str]) -> str:
        said = cells(line)
        said += [""] * (len(sides) - len(said))
        leaning = [*sides, *[""] * (len(said) - len(sides))]
        row = [
            f"<{tag}{f' class={side}' if side else ''}>{inline(words, drawn=self.drawn)}</{tag}>"
            for words, side in zip(said, leaning)
        ]
        return f"<tr>{''.join(row)}</tr>\n"

    def _paragraph(self) -> str:
        """The words of a paragraph; a whole heading where a line below it makes it one."""
        start = self.at
        level = 0
        self.at += 1
        while self.at < len(self.lines) and self.lines[self.at].strip(" \t"):
            line = self.lines[self.at]
            level = underline(line)
            if level or begins(line) or self._sides(self.at) is not None:
                break
            self.at += 1
        words = "\n".join(line.lstrip(" \t") for line in self.lines[start : self.at]).rstrip(" \t")
        if level:
            self.at += 1
            return self._heading(level, words)
        return inline(words, drawn=self.drawn)


class _Inside:
    """The lines of an item or a quote so far, and whether a line without its marker still belongs to it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._fence = ""

    def add(self, line: str) -> None:
        """One more."""
        self.lines.append(line)
        told = line.lstrip(" \t>")
        marked = item(told)
        told = marked.says if marked else told
        if self._fence:
            self._fence = "" if ends_fence(told, self._fence) else self._fence
        else:
            opened = fence(told)
            self._fence = opened[1] if opened else ""

    def takes(self, line: str) -> bool:
        """Whether a paragraph at the end goes on with ``line``."""
        last = self.lines[-1] if self.lines else ""
        if self._fence or not last.strip(" \t>") or begins(line, list_goes_on=True):
            return False
        return not (fence(last) or heading(last) or is_rule(last))


def _listed(items: Sequence[tuple[Item, Sequence[_Piece]]], *, loose: bool) -> str:
    number = items[0][0].number
    start = "" if number in ("", "1") else f" start={number}"
    tag = "ol" if number else "ul"
    rows = []
    due = int(number or 0)
    for marker, pieces in items:
        value = "" if not number or int(marker.number) == due else f" value={marker.number}"
        due = int(marker.number or 0) + 1
        says = "".join(piece.whole() if loose or not piece.is_paragraph else f"{piece.html}\n" for piece in pieces)
        rows.append(f"<li{value}>{says.rstrip()}</li>\n")
    return f"<{tag}{start}>\n{''.join(rows)}</{tag}>\n"
