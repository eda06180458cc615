"""How a message's content follows from the bytes that were archived: small rules, each with a number. They never change.

A sealed line that says "rule 3 of that span of that file" in the place of its content must give the same content for ever, whatever
becomes of the parsers. So nothing here is shared with them, and a rule is only ever added. Whoever writes tries them and compares
(:func:`candidates`); what none of them gives is kept as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ...start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

NONE: Final = 0
"""No rule: the content is kept itself."""
_STRIPPED: Final = 1
_LAID_OUT: Final = {
    2: (1, 2),
    3: (3, 5),
    4: (3, 2),
    5: (3, 6),
    6: (1, 6),
    7: (0, 2),
    8: (1, 5),
    9: (2, 2),
    10: (4, 5),
    11: (5, 5),
    12: (2, 6),
    13: (0, 5),
    14: (0, 6),
    15: (4, 2),
}
"""Number of the rule: characters of the mark before the text, and blanks of its indentation. What a screen shows."""
_CONTENT: Final = 32
_LINE_CONTENT: Final = 33
_BLOCKS: Final = 64
"""From here on: four rules for each block of the content of a line of JSON."""
_KINDS: Final = 4
_PADDING: Final = " \u00a0\r"
_NOT_INDENTED: Final = {indent: late_pattern(rf"\n(?!\n| {{{indent}}})") for indent in (2, 5, 6)}


class Span:
    """The bytes of one message in an archived file, as the rules look at them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._line: Any = None
        self._text: str | None = None

    @property
    def is_json(self) -> bool:
        """Whether it is a line of JSON; then :attr:`line` is what it says."""
        return self._data[:1] == b"{"

    @property
    def text(self) -> str:
        """It as text; bytes that are no UTF-8 as lone surrogates."""
        if self._text is None:
            self._text = self._data.decode("utf-8", "surrogateescape")
        return self._text

    @property
    def line(self) -> dict[str, Any]:
        """The object that it is. Raises :class:`ValueError`."""
        if self._line is None:
            try:
                self._line = json.loads(self._data)
            except RecursionError as error:
                raise ValueError("nested too deeply") from error
            if not isinstance(self._line, dict):
                raise ValueError("no object")
        found: dict[str, Any] = self._line
        return found

    def member(self, name: str) -> str | None:
        """A text that the line of JSON has under this name; None where it has none."""
        if not self.is_json:
            return None
        try:
            value = self.line.get(name)
        except ValueError:
            return None
        return value if isinstance(value, str) else None


def content(rule: int, span: Span) -> object:
    """What a rule gives. Raises :class:`ValueError` where it gives nothing, or is not known to this version."""
    if rule == _STRIPPED:
        return span.text.strip()
    if rule in _LAID_OUT:
        return _laid_out(span.text, *_LAID_OUT[rule])
    if not span.is_json or not (rule in (_CONTENT, _LINE_CONTENT) or rule >= _BLOCKS):
        raise ValueError(f"a view of a number that this version does not know: {rule}")
    try:
        if rule == _LINE_CONTENT:
            return span.line["content"]
        said = span.line["message"]["content"]
        if rule == _CONTENT:
            return said
        return _of_block(said[(rule - _BLOCKS) // _KINDS], (rule - _BLOCKS) % _KINDS)
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("nothing stands where a view looks") from error


def candidates(span: Span, hint: int) -> Iterator[int]:
    """The rules that may give something, ``hint`` first."""
    if hint:
        yield hint
    if not span.is_json:
        yield from _LAID_OUT
        yield _STRIPPED
        return
    try:
        message = span.line.get("message")
    except ValueError:
        return
    yield _CONTENT
    said = message.get("content") if isinstance(message, dict) else None
    if isinstance(said, list):
        yield from range(_BLOCKS, _BLOCKS + _KINDS * len(said))
    yield _LINE_CONTENT


def _of_block(block: dict[str, object], kind: int) -> object:
    if kind == 0:
        return block["text"]
    if kind == 1:
        return [block]
    return block["content"] if kind == 2 else block["thinking"]


def _laid_out(raw: str, mark: int, indent: int) -> str:
    """The text of a block without its mark, its indentation (at most ``indent`` blanks) and its padding."""
    raw = raw[mark:].lstrip(_PADDING).rstrip(_PADDING + "\n")
    if "\n" not in raw:
        return raw
    if " \n" in raw or "\r\n" in raw or "\u00a0\n" in raw:
        raw = "\n".join([line.rstrip(_PADDING) for line in raw.split("\n")])
    if not _NOT_INDENTED[indent].search(raw):
        return raw.replace("\n" + " " * indent, "\n").strip("\n")
    if indent == 2:
        return raw.strip("\n")
    first, *rest = raw.split("\n")
    margin = " " * indent
    rest = [line[indent:] if line.startswith(margin) else line.lstrip(" \u00a0") for line in rest]
    return "\n".join([first, *rest]).strip("\n")
