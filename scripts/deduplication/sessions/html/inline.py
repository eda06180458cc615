"""One paragraph's Markdown as HTML: emphasis, code, links into the web, line ends. Everything else is text.

What a paragraph says is only ever escaped: there is no HTML of an author's, no entity, no image, no address but into the
web or to a mailbox, and no letter gets lost. A link that leads elsewhere stands there as it was written.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from html import escape
from typing import Final

from ...start.late_pattern import late_pattern
from ..prose import is_harmless
from .emphasis import Run, pair

_SIGN: Final = late_pattern(r"\\|`+|\*+|_+|~+|!?\[|\]|<|&|\n|(?<![A-Za-z0-9])https?://")
_TICKS: Final = late_pattern("`+")
_TARGET: Final = late_pattern(
    r"\(\s{0,9}(?:<([^<>\n]{0,2000})>|((?:[^\s()\\<]|\\.|\((?:[^\s()\\]|\\.){0,500}\)){1,2000}))"
    r"(?:\s{1,9}(\"(?:[^\"\\]|\\.){0,300}\"|'(?:[^'\\]|\\.){0,300}'))?\s{0,9}\)"
)
_ESCAPED: Final = late_pattern(r"\\([!-/:-@\[-`{-~])")
_BARE: Final = late_pattern(r"https?://[^\s<>\"`*|\\^{}\[\]\x00-\x1f]+")
_BARE_DRAWN: Final = late_pattern(r"https?://(?:\\[*_~`]|(?!&lt;)[^\s<>\"`*|\\^{}\[\]\x00-\x1f])+")
_ENDS: Final = ".,;:!?'_~*\\"
"""What ends a sentence rather than an address."""
_AUTOMATIC: Final = late_pattern(
    r"<((?:https?://|mailto:)[^\s<>]{1,2000}|[\w.+-]{1,100}@[\w-]{1,100}(?:\.[\w-]{1,60}){1,9})>", re.IGNORECASE
)
_DRAWN: Final = {"&lt;": "<", "&amp;": "&"}
_SIGNS: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def inline(text: str, *, drawn: bool = False) -> str:
    """``text`` as HTML. ``drawn``: it was made from a screen's text, where ``&lt;`` and ``&amp;`` stand for one letter."""
    return escape(text, quote=False) if _SIGN.search(text) is None else _Paragraph(text, drawn=drawn).html()


def anchor(target: str, title: str = "") -> str:
    """The beginning of a link into the web, which is not told where it was found."""
    named = f' title="{escape(title)}"' if title else ""
    return f'<a href="{escape(target)}"{named} rel="noreferrer noopener nofollow" target="_blank">'


def may_lead(url: str) -> bool:
    """Only into the web or to a mailbox: a link without scheme would lead to a file beside the page."""
    return is_harmless(url) and url.lower().startswith(("http://", "https://", "mailto:"))


class _Paragraph:
    """``out`` has the HTML so far; runs of signs and open brackets are places in it that may become something else."""

    def __init__(self, text: str, *, drawn: bool) -> None:
        self.text, self.drawn = text, drawn
        self.out: list[str] = []
        self.runs: list[Run] = []
        self.brackets: list[tuple[int, int]] = []
        """Of each open bracket the place in ``out`` and the number of runs before it."""
        self.closed = 0
        """So many of them are no more than brackets: a link stands behind them, and links are not nested."""
        self.bare: list[int] = []
        """Places of addresses that nobody marked as links."""
        self.ticks: dict[int, list[int]] | None = None

    def html(self) -> str:
        position = 0
        while True:
            sign = _SIGN.search(self.text, position)
            if sign is None:
                break
            self._say(self.text[position : sign.start()])
            position = self._sign(sign)
        self._say(self.text[position:])
        pair(self.runs, self.out)
        return "".join(self.out)

    def _say(self, text: str) -> None:
        if text:
            self.out.append(escape(text, quote=False))

    def _sign(self, sign: re.Match[str]) -> int:
        """Read the sign; the position behind what was read with it."""
        start, end = sign.span()
        first = sign[0][0]
        if first in "*_" or sign[0] == "~~":
            self.runs.append(Run(self.text, start, end, len(self.out)))
        if first in "![":
            self.brackets.append((len(self.out), len(self.runs)))
        if first == "\\":
            return self._escape(start)
        if first == "`":
            return self._code(start, end)
        if first == "]":
            return self._bracket(end)
        if first == "<":
            return self._automatic(start)
        if first == "h":
            return self._address(start)
        if first == "&" and self.drawn:
            drawn = next((each for each in _DRAWN if self.text.startswith(each, start)), "&")
            self._say(_DRAWN.get(drawn, drawn))
            return start + len(drawn)
        if first == "\n" and self.text.endswith("  ", 0, start):
            self.out.append("<br>")
        self._say(sign[0])
        return end

    def _escape(self, start: int) -> int:
        following = self.text[start + 1 : start + 2]
        if following == "\n":
            self.out.append("<br>\n")
            return start + 2
        if following in _SIGNS:
            self._say(following)
            return start + 2
        self._say("\\")
        return start + 1

    def _code(self, start: int, end: int) -> int:
        if self.ticks is None:
            self.ticks = {}
            for run in _TICKS.finditer(self.text):
                self.ticks.setdefault(len(run[0]), []).append(run.start())
        partners = self.ticks.get(end - start, [])
        at = bisect_left(partners, end)
        if at == len(partners):
            self._say(self.text[start:end])
            return end
        code = self.text[end : partners[at]].replace("\n", " ")
        if code.strip() and code[0] == code[-1] == " ":
            code = code[1:-1]
        self.out.append(f"<code>{escape(code, quote=False)}</code>")
        return partners[at] + end - start

    def _automatic(self, start: int) -> int:
        found = _AUTOMATIC.match(self.text, start)
        target = found[1] if found else ""
        target = f"mailto:{target}" if target and ":" not in target else target
        if not found or not may_lead(target):
            self._say("<")
            return start + 1
        self.out.append(f"{anchor(target)}{escape(found[1], quote=False)}</a>")
        self.closed = len(self.brackets)
        return found.end()

    def _address(self, start: int) -> int:
        found = (_BARE_DRAWN if self.drawn else _BARE).match(self.text, start)
        written = found[0].rstrip(_ENDS) if found else ""
        while written.endswith(")") and written.count(")") > written.count("("):
            written = written[:-1].rstrip(_ENDS)
        written = written[:-4] if self.drawn and written.endswith("&amp") else written
        address = _ESCAPED.sub(r"\1", written).replace("&amp;", "&") if self.drawn else written
        if len(address) < len("https://x") or not may_lead(address):
            self._say(self.text[start])
            return start + 1
        self.bare.append(len(self.out))
        self.out.append(f"{anchor(address)}{escape(address, quote=False)}</a>")
        return start + len(written)

    def _bracket(self, end: int) -> int:
        """A bracket closes: it may be that of a link."""
        if len(self.brackets) <= self.closed:
            if self.brackets:
                self.brackets.pop()
                self.closed = len(self.brackets)
            self._say("]")
            return end
        at, runs = self.brackets.pop()
        target = _TARGET.match(self.text, end)
        if target is None:
            self._say("]")
            return end
        address = _ESCAPED.sub(r"\1", target[1] if target[1] is not None else target[2])
        if not may_lead(address):
            self._say("]" + target[0])
            return target.end()
        pair(self.runs[runs:], self.out)
        del self.runs[runs:]
        self._unlink(at)
        image = "🖼 " if self.out[at] == "![" else ""
        self.out[at] = image + anchor(address, _ESCAPED.sub(r"\1", (target[3] or "")[1:-1]))
        self.out.append("</a>")
        self.closed = len(self.brackets)
        return target.end()

    def _unlink(self, at: int) -> None:
        """Addresses inside of a link are its words."""
        while self.bare and self.bare[-1] > at:
            place = self.bare.pop()
            self.out[place] = self.out[place].partition(">")[2][: -len("</a>")]
