"""Where a text export is cut: the lines that start something, less those that only look like it."""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .client_lines import collapsed_lines, first_paragraph, is_event, outside, prompt_length
from .text_kinds import looks_like_call
from .text_prompts import Endings, Start, Starts, end_with_blank, endings, pasted_markers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BANNER_LINE: Final = (
    r"╭─+ Claude Code v\d[^\n]*"  # a box with the version in its frame (2.0.42 ...)
    r"|╭─+╮\r?\n│ ✻ Welcome to Claude Code[^\n]*"  # 1.0.x
    r"|[ ▐▛█▜▌▗▖▝▘▟▙▞▚*]{2,14}Claude Code v\d[^\n]*"  # a logo of three lines (2.0.8 ... 2.1.330)
)
_LINE_END: Final = r"\r?(?=\n|\Z)"
_MAY_START: Final = r"(?=[^\s\w]| +[⎿\[▐▛█▜▌▗▖▝▘▟▙▞▚*C])"
"""What no line that starts something lacks; most lines are told by it, in a third of the time."""
_START: Final = late_pattern(
    rf"\n{_MAY_START}(?:"
    rf"(?P<user>[>❯])(?=[ \u00a0]|{_LINE_END})"
    r"|(?P<divider>"
    r"═{3,}[^\n]*Conversation compacted[^\n]*"
    r"|✻ Conversation compacted[^\n]*"
    r"|=== Previous Conversation Compacted ===[^\n]*"
    r"|[⏺●] Compact summary \(ctrl\+[ro] to expand\)[^\n]*"
    r")"
    rf"|(?P<assistant>[⏺●])(?=[ \u00a0]|{_LINE_END})"
    r"|(?P<result> {0,3}⎿)"
    r"|(?P<shell>!)(?=[ \u00a0]\S)"
    r"|(?P<thinking>[✻∴] (?:Thinking…|Thought for)[^\n]*)"
    r"|(?P<status>[✻✽✶✢✳※][ \u00a0][^\n]*|[·*] [A-Z]\w+…[^\n]*)"
    r"|(?P<task>✔ Task #\d)"
    r"|(?P<truncation>─{3,} Ctrl\+\w to show [\d,.]+ previous messages[^\n]*| *\[Restored contents truncated\][^\n]*)"
    r"|(?P<inputbox>─{20,}\r?\n[>❯][ \u00a0]*\r?\n─{20,}[^\n]*(?:\n[ ]*\? for shortcuts[^\n]*)?)"
    rf"|(?P<banner>{_BANNER_LINE})"
    r")"
)
_TREE: Final = "│├└─┬"
"""What the client draws a tree of agents with; a result in it is no block of its own."""
_ENOUGH: Final = 200
"""Lines that tell whether a text has its margin."""


class Block(NamedTuple):
    """A run of characters that begins at a marker. ``start`` and ``end`` are character offsets, half open."""

    type: str
    start: int
    end: int
    head: int = 0
    """Characters of the first line that are marker, not content."""


def find_starts(text: str, *, margin: bool = True) -> Starts:
    """Every line that has the look of a start, pasted ones included, in order; ``margin`` as in :func:`collapsed_lines`."""
    # A line break in front makes every line begin with one: it is searched for much faster than "^". The match begins
    # one character early in a text that is one character longer, so its offset is right.
    starts = (
        Start(match.lastgroup or "", match.start(), match.end() - match.start() - 1)
        for match in _START.finditer("\n" + text)
    )
    own = [Start("collapsed", line.start, line.end - line.start) for line in collapsed_lines(text, margin=margin)]
    return Starts(heapq.merge(starts, own, key=lambda start: start.at) if own else starts)


class Counted(NamedTuple):
    """What is counted over a text to tell two things of all of it: how its prompts end, and whether it has its margin
    (``lost`` of the ``seen`` lines have none).
    """

    endings: Endings = Endings()
    lost: int = 0
    seen: int = 0

    def dumps(self) -> list[int]:
        """As numbers."""
        return [*self.endings, self.lost, self.seen]

    @classmethod
    def loads(cls, numbers: Sequence[int]) -> Counted:
        """What :meth:`dumps` gave. Raises ValueError."""
        prompts, blank, pasted, lost, seen = numbers
        return cls(Endings(prompts, blank, pasted), lost, seen)


class Cut:
    """A text cut where something starts; every character belongs to exactly one block.

    ``before``: what was counted in the part above it, where it is the rest of a text that begins with ``head``.
    """

    def __init__(self, text: str, before: Counted = Counted(), head: str | None = None) -> None:  # noqa: B008 - a tuple
        self.text, self._before, self._head = text, before, text if head is None else head
        self._found = find_starts(text)
        self._endings = before.endings.plus(endings(text, self._found))
        self.trailing = end_with_blank(self._endings, self._head)
        """Prompts end with one blank: where one does not, what follows it may be a part of it."""
        self._starts = _real_starts(text, self._found, trailing=self.trailing)
        self._lost, self._seen, self._told = _margin_lines(text, _blocks(text, self._starts), before)
        self.margin = 2 * self._lost <= self._seen
        """False for a copy of a terminal that lost the blanks at the beginning of its lines: there they tell nothing."""
        if not self.margin:
            found = find_starts(text, margin=False)
            trailing = end_with_blank(before.endings.plus(endings(text, found)), self._head)
            self._starts = _real_starts(text, found, trailing=trailing)

    def blocks(self) -> Iterator[Block]:
        """The blocks, in order."""
        for block in _blocks(self.text, self._starts):
            yield from _without_strays(self.text, block, margin=self.margin)

    def counted_before(self, at: int) -> Counted:
        """What is counted up to the start at the character ``at``."""
        below = endings(self.text, self._found, bisect_left(self._found.places, at))
        lost, seen = self._lost, self._seen
        if self._told > at:
            above = itertools.takewhile(lambda block: block.start < at, _blocks(self.text, self._starts))
            lost, seen, _ = _margin_lines(self.text, above, self._before)
        return Counted(self._endings.plus(below, -1), lost, seen)


def split_blocks(text: str) -> Iterator[Block]:
    """Cut the text where something starts."""
    return Cut(text).blocks()


def _real_starts(text: str, starts: Starts, *, trailing: bool) -> Starts:
    """The starts without those that are part of a prompt."""
    swallowed = pasted_markers(text, starts, trailing=trailing)
    return Starts(start for number, start in enumerate(starts) if number not in swallowed) if swallowed else starts


def _blocks(text: str, starts: Starts) -> Iterator[Block]:
    if not starts or starts[0].at > 0:
        yield Block("preamble", 0, starts[0].at if starts else len(text))
    ends = itertools.chain((start.at for start in itertools.islice(starts, 1, None)), (len(text),))
    for start, end in zip(starts, ends):
        yield from _unglued(text, Block(start.type, start.at, end, start.head))


def _unglued(text: str, block: Block) -> Iterator[Block]:
    """Split ``● Update(x)  ⎿  Added 2 lines``: the client renders in pieces and sometimes forgets the line break."""
    if block.type not in ("assistant", "user", "shell"):
        yield block
        return
    limit = block.end
    if block.type != "assistant":
        line_end = text.find("\n", block.start, block.end)
        limit = line_end if line_end >= 0 else block.end
    at = text.find("  ⎿", block.start, limit)
    while at >= 0 and (text[at - 1].isspace() or text[at - 1] in _TREE):
        at = text.find("  ⎿", at + 1, limit)
    # Further down it may be prose about exports: only a call that ends right there tells.
    if at < 0 or (
        "\n" in text[block.start : at] and not looks_like_call(text[block.start + block.head : at], result=True)
    ):
        yield block
        return
    yield Block(block.type, block.start, at, block.head)
    yield Block("result", at, block.end, 3)


def _margin_lines(text: str, blocks: Iterable[Block], before: Counted) -> tuple[int, int, int]:
    """Lines that lost their margin, lines that tell, and the character up to which that took to see.

    It shows in results, and in the lines that go on an answer's first paragraph.
    """
    lost, seen = before.lost, before.seen
    for block in blocks:
        if seen > _ENOUGH:
            return lost, seen, block.start
        if block.type == "result":
            lost += text[block.start] == "⎿"
            seen += 1
        elif block.type == "assistant":
            raw = text[block.start : block.end]
            lines = [line for line in raw[: first_paragraph(raw)].split("\n")[1:] if line.strip()]
            lost += sum(not line.startswith("  ") for line in lines)
            seen += len(lines)
    return lost, seen, len(text) + 1


def _without_strays(text: str, block: Block, *, margin: bool) -> Iterator[Block]:
    """The block, and apart from it what stands in it and is not its speaker's."""
    raw = text[block.start : block.end]
    length = len(raw)
    if block.type == "assistant":
        first = first_paragraph(raw)
        unbroken = raw.startswith("\u00a0", block.head) and is_event(raw[block.head : first], unbroken=True)
        length = first if unbroken else outside(raw) if margin else length
    elif block.type == "user":
        length = prompt_length(raw)
    elif block.type == "collapsed" and raw[block.head :].strip():
        length = block.head
    yield Block(block.type, block.start, block.start + length, block.head)
    if length < len(raw):
        yield Block("stray", block.start + length, block.end)
