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
from ..model import BANNER, COMPACTION, LAYOUT, TRUNCATION, UNKNOWN, Export, Mark
from .screen import decode
from .text_blocks import find_starts, split_blocks
from .text_kinds import classify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .base import Purging
    from .text_blocks import Block

NAME: Final = "claude-code-text"
OWN_IDS: Final = False
members: Final = None
_SAMPLE: Final = 262_144
"""Bytes that are looked at to tell an export."""
_NUL_EVERY: Final = 1000
"""Where more than one byte in so many is NUL it is a binary file; a few are what a tool printed, and are kept."""
_JSON_HEAD: Final = re.compile(r"""[{\[]\s*["{\[\]}]""")


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
    text = source.text
    messages, spans = Messages(), Spans()
    marks: list[Mark] = []
    owner = previous = ""
    offset = source.lead
    if source.lead:
        spans.add(source.lead, "byte-order-mark")
    for (type_, first, last, head), after in _with_following(split_blocks(text)):
        raw = text[first:last]
        end = offset + source.size(raw)
        label, role, kind, content = classify(type_, raw, head, owner, previous, after)
        if kind:
            messages.add(role, kind, content, LAYOUT, offset, end)
            label = kind
        elif label in (COMPACTION, BANNER, TRUNCATION):
            marks.append(Mark(label, len(messages)))
        if type_ != "result" and label != "status":
            owner = type_ if type_ == "collapsed" else label
        previous = label
        spans.add(end, label)
        offset = end
    if not messages and not marks:
        raise ExportUnreadable("no prompt, answer or tool result was found in it")
    warnings = (*source.warnings, *_unexplained(data, messages))
    return Export(NAME, messages.few(), spans.few(), tuple(marks), None, warnings)


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


def _unexplained(data: bytes, messages: Messages) -> list[str]:
    unknown = messages.each(lambda body: body.kind == UNKNOWN)
    found = sum(unknown)
    if not found:
        return []
    line = data.count(b"\n", 0, messages[unknown.index(True)].start) + 1
    pieces = "1 piece of text is" if found == 1 else f"{found} pieces of text are"
    return [f"{pieces} explained by no rule and kept as unknown, nobody's words; the first is near line {line}"]
