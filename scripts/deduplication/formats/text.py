"""Claude Code's ``/export`` text: a screen, written to a file.

There are no ids, no times and no escapes in it; turns are told apart by glyphs at the start of a line. What drifted
from version to version (1.0 to 2.1.330) is in the tables of ``text_blocks`` and ``text_kinds``: two glyph families,
six ways to say "compacted", prompts padded or not, wrapped at the terminal's width or at 80 columns.

The parser is a state machine over the lines that start something; everything else belongs to what is open, so that
no byte is lost: the spans cover the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..alignment.message_sequence import Messages, Spans
from ..errors import ExportUnreadable
from ..model import BANNER, COMPACTION, LAYOUT, PROMPT, TRUNCATION, UNKNOWN, Export, Mark, SafePlace
from ..start.late_pattern import late_pattern
from .screen import decode
from .text_blocks import Counted, Cut, find_starts
from .text_kinds import classify
from .text_prompts import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .base import Purging
    from .screen import Decoded
    from .text_blocks import Block

NAME: Final = "claude-code-text"
OWN_IDS: Final = False
members: Final = None
_SAMPLE: Final = 262_144
"""Bytes that are looked at to tell an export."""
_NUL_EVERY: Final = 1000
"""Where more than one byte in so many is NUL it is a binary file; a few are what a tool printed, and are kept."""
_JSON_HEAD: Final = late_pattern(r"""[{\[]\s*["{\[\]}]""")
_CLOSING: Final = late_pattern(
    rb"\n\n\xe2\x9c\xbb (?!Th(?:inking\xe2\x80\xa6|ought for)|Conversation compacted)"
    rb"((?:[!-'*-~]|[ ](?![ \n])|\xc2\xb7|\xc3[\x80-\xbf])+)(?=\n\n(?:>|\xe2\x9d\xaf) )"
)
"""The line below an answer that says how long it took, an empty line and a prompt below it. One with a bracket may end with the
key that shows the rest, which makes it another kind of line; one that ends with a blank may be a line of a padded prompt.
"""


def recognises(data: bytes, *, strict: bool) -> bool:
    """Is this a text export? Found files must begin like one; for named files one turn anywhere is enough."""
    sample = data[:_SAMPLE]
    if sample.count(0) > len(sample) // _NUL_EVERY and not sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    text = decode(sample, partial=True).text
    first = re.search(r"\S", text)
    if first is None or _JSON_HEAD.match(text, first.start()):
        return False
    starts = find_starts(text)
    types = {start.type for start in starts}
    turns = bool(types & {"assistant", "user", "shell"})
    framed = bool(types & {"banner", "divider"})
    if not strict:
        return framed or ("assistant" in types and len(types & {"user", "result", "status"}) > 0)
    # Documents about exports show one further down; a terminal's scrollback may have a line or two above the first turn.
    leading = text[first.start() : starts[0].at].count("\n") if starts else 99
    return leading <= 2 and ((framed and turns) or {"assistant", "result"} <= types)


def parse(data: bytes) -> Export:
    """The messages of a text export. Raises :class:`ExportUnreadable` where no turn can be found."""
    source = decode(data)
    reader = _Reader(data, source, Cut(source.text))
    export = reader.export()
    if not export.messages and not export.marks:
        raise ExportUnreadable("no prompt, answer or tool result was found in it")
    return export


def volatile(data: bytes) -> Iterator[tuple[int, int]]:
    """What a closing line says, ``✻ Baked for 3m``: between its star and the empty line above the next prompt."""
    return (match.span(1) for match in _CLOSING.finditer(data))


def parse_rest(data: bytes, place: SafePlace) -> Export | None:
    """From a prompt on; None where the rest shows that prompts end with a blank, has a mark, or is no text in UTF-8."""
    source = decode(data[place.at :])
    if source.warnings or source.lead or source.codec != "utf-8":
        return None
    *counted, unknown, line = map(int, place.state)
    head = data[: 4 * HEAD].decode("utf-8", "ignore")
    cut = Cut(source.text, Counted.loads(counted), head[:HEAD])
    if cut.trailing or not cut.margin:
        return None
    export = _Reader(data, source, cut, place.at, (unknown, line)).export()
    begins = next(iter(export.messages), None)
    sound = begins is not None and begins.start == place.at and begins.kind == PROMPT and not export.marks
    return export if sound else None


class _Reader:
    """Reads the blocks of a text, or of the rest of one that begins at the byte ``begins`` of ``data``.

    ``unknown``: how many messages above it no rule explains, and the line of the first one.
    """

    def __init__(
        self, data: bytes, source: Decoded, cut: Cut, begins: int = 0, unknown: tuple[int, int] = (0, 0)
    ) -> None:
        self._data, self._source, self._cut, self._begins = data, source, cut, begins
        self._messages, self._spans = Messages(), Spans(begins)
        self._marks: list[Mark] = []
        self._unknown, self._line = unknown
        self._safe: tuple[int, int, int, int, int] | None = None
        """Of the last prompt below an empty line: its character, its byte, the messages before it, those of them that are unknown,
        and the line of the first of those.
        """

    def export(self) -> Export:
        """All that it holds."""
        source, text = self._source, self._source.text
        owner = previous = ""
        offset = self._begins + source.lead
        if source.lead:
            self._spans.add(source.lead, "byte-order-mark")
        for (type_, first, last, head), after in _with_following(self._cut.blocks()):
            raw = text[first:last]
            end = offset + source.size(raw)
            label, role, kind, content = classify(type_, raw, head, owner, previous, after)
            if kind:
                self._add(role, kind, content, offset, end, first)
                label = kind
            elif label in (COMPACTION, BANNER, TRUNCATION):
                self._marks.append(Mark(label, len(self._messages)))
            if type_ != "result" and label != "status":
                owner = type_ if type_ == "collapsed" else label
            previous = label
            self._spans.add(end, label)
            offset = end
        warnings = (*source.warnings, *self._unexplained())
        messages, marks = self._messages.few(), tuple(self._marks)
        return Export(NAME, messages, self._spans.few(), marks, None, warnings, safe=self._safe_place())

    def _add(self, role: str, kind: str, content: str, start: int, end: int, first: int) -> None:
        """A message that begins at the character ``first`` of the text."""
        if kind == UNKNOWN:
            if not self._unknown:
                self._line = self._data.count(b"\n", 0, start) + 1
            self._unknown += 1
        elif kind == PROMPT and self._is_below_empty_line(first):
            self._safe = (first, start, len(self._messages), self._unknown, self._line)
        self._messages.add(role, kind, content, LAYOUT, start, end)

    def _is_below_empty_line(self, first: int) -> bool:
        """Of a rest that is read the first character is."""
        return (not first and self._begins > 0) or self._source.text.endswith(("\n\n", "\n\r\n"), 0, first)

    def _safe_place(self) -> SafePlace | None:
        """The last prompt below an empty line, where nothing further down can change how what stands above it is read.

        An empty line ends a padded prompt, and no line of the client that was wrapped goes on behind one.
        """
        source, cut = self._source, self._cut
        banners = [mark for mark in self._marks if mark.kind != BANNER or mark.before]
        plain = source.codec == "utf-8" and not source.lead and not source.warnings and not banners
        if self._safe is None or not plain or cut.trailing or not cut.margin:
            return None
        first, start, messages, unknown, line = self._safe
        return SafePlace(start, messages, (*cut.counted_before(first).dumps(), unknown, line))

    def _unexplained(self) -> list[str]:
        found = self._unknown
        if not found:
            return []
        pieces = "1 piece of text is" if found == 1 else f"{found} pieces of text are"
        return [
            f"{pieces} explained by no rule and kept as unknown, nobody's words; the first is near line {self._line}"
        ]


def blank(data: bytes, exports: Sequence[Export], purging: Purging) -> bytes:
    """A purged message becomes one line under its own mark."""
    from .blanking import blank_screen

    return blank_screen(data, exports, purging)


def _with_following(blocks: Iterator[Block]) -> Iterator[tuple[Block, str]]:
    """Each block, and the type of the one after it."""
    block = next(blocks, None)
    while block is not None:
        after = next(blocks, None)
        yield block, after.type if after is not None else ""
        block = after
