"""Private keys in armour: PEM, OpenSSH, PGP, PuTTY; whole, cut off, indented, or on one line with escaped line ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from .matches import Match, occurrences

if TYPE_CHECKING:
    from collections.abc import Iterator

_GAP: Final = r"\s{0,70}"
"""A terminal's width may have cut anywhere, in the words of the first line too."""


def _spread(word: str) -> str:
    return _GAP.join(word)


_KEY: Final = rf"[A-Z0-9\s]{{0,60}}?{_spread('PRIVATEKEY')}(?:{_GAP}{_spread('BLOCK')})?{_GAP}{_spread('-----')}"
_BEGIN: Final = late_pattern(_spread("BEGIN") + _KEY)
_END: Final = late_pattern(_spread("END") + _KEY)
_LONGEST: Final = 20_000
"""Characters; the largest RSA keys in use need 13,000."""
_BODY: Final = late_pattern(r"[A-Za-z0-9+/=\s\\:,.\"'│>|()-]*")
_LINE: Final = late_pattern(
    r"(?:\r?\n|\\[rn]|[\"\s+,|>│]){0,80}"
    r"(?:[A-Z][A-Za-z-]{3,20}: [^\n\\]{0,100}"
    r"|[A-Za-z0-9+/=]{16,1024}"
    r"|(?=\S{0,15}[0-9+/=]|\S{1,15}[A-Z])[A-Za-z0-9+/=]{1,15}(?=[ \t]*(?:[\r\n\"]|\\[rn]|-----)))"
)
"""A line of a key, with what stands before it: a header, a full line, or a short one that ends its line."""
_PUTTY: Final = late_pattern(r"Private-Lines: \d{1,4}(?:\r?\n[A-Za-z0-9+/=]{1,80}(?=[\r\n]|\Z)){1,400}")
_WHY: Final = "a private key"


def find(text: str) -> Iterator[Match]:
    """Every private key; without its end line as far as its lines go."""
    if "---" in text:
        yield from _blocks(text)
    for at in occurrences(text, "Private-Lines: "):
        lines = _PUTTY.match(text, at)
        if lines:
            yield Match(at, lines.end(), "private-key", _WHY)


def _blocks(text: str) -> Iterator[Match]:
    ends = [end.span() for end in _END.finditer(text)]
    following = done = 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < done:
            continue
        while following < len(ends) and ends[following][0] < begin.end():
            following += 1
        close, whole = ends[following] if following < len(ends) else (-1, -1)
        if 0 <= close - begin.end() <= _LONGEST and _BODY.fullmatch(text, begin.end(), close):
            done = whole
        else:
            done = _cut_off(text, begin.end())
            if done == begin.end():
                continue  # only talked about
        start = begin.start()
        while start > 0 and text[start - 1] in "- ":
            start -= 1
        yield Match(start, done, "private-key", _WHY)


def _cut_off(text: str, at: int) -> int:
    """Where the lines of a key end that has no end line."""
    limit = at + _LONGEST
    while at < limit:
        line = _LINE.match(text, at)
        if line is None:
            break
        at = line.end()
    return at
