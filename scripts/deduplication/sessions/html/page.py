"""One conversation as one page of HTML that needs nothing but itself: no network, no file beside it.

Everything that was said passes through ``escape``, ``blocks`` or ``text``, so that it can be nothing but text. Messages lie in
sections that the browser lays out only when they come into view.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from ...model import (
    ASSISTANT,
    BANNER,
    BOOKKEEPING,
    COMMAND_OUTPUT,
    COMPACTION,
    CONTEXT,
    LOCAL_COMMAND,
    LOST,
    NOTICE,
    PROMPT,
    PURGED,
    REWIND,
    SUMMARY,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    TRUNCATION,
    UNKNOWN,
)
from ...start.late_pattern import late_pattern
from ..content import blocks_of
from ..conversation import GAP, purged_in
from ..facts import facts_of, kinds_in_words
from ..fences import length
from ..markdown import part_of, title_of
from ..moments import day, said_at
from ..redaction import printable_text
from .facts_list import facts_list
from .frame import STANDALONE, bar
from .icons import icon as picture
from .pieces import ROW, Parts, handles, is_row, who

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...titles.naming import Naming
    from ..agents import Family
    from ..content import MessageBlocks
    from ..conversation import Entry, Reading
    from ..redaction import Cleaner
    from .frame import Frame

_TELLS: Final = late_pattern(r"\w\w")
"""A line with something to read in it, which a lone brace is not."""
_SECTION: Final = 40
"""Messages in one section at most: a turn may have thousands."""
_MARKS: Final = {
    COMPACTION: (
        "compaction",
        "Conversation compacted",
        "From here on the assistant worked from a summary of what stands above.",
    ),
    REWIND: (
        "rewind",
        "Rewound",
        "The conversation goes on from an earlier point; what was said after it was taken back.",
    ),
    TRUNCATION: ("warning", "Left out", "The source itself says that earlier messages are not shown in it."),
    BANNER: ("restart", "Started again", "The client was closed and opened again."),
    GAP: ("warning", "Gap", "Nothing that was captured connects what stands above with what follows."),
    LOST: ("warning", "Lost", "The log line of this message is damaged."),
}
_SPARK: Final = picture("assistant")
_TITLES: Final = {
    THINKING: ("thinking", "Thinking"),
    SUMMARY: ("compaction", "What the client wrote down to go on from"),
    NOTICE: ("note", "Notice"),
    CONTEXT: ("note", "Context"),
    UNKNOWN: ("warning", "Explained by no rule"),
}


def page(
    reading: Reading,
    family: Family,
    files: Mapping[str, str],
    clean: Cleaner,
    naming: Naming,
    *,
    pictures: bool = False,
    frame: Frame = STANDALONE,
) -> Iterator[str]:
    """The page, piece by piece. ``files`` has the page of other conversations, where there is one; ``pictures``: it shows images.

    Call it inside the transaction in which the conversation was opened.
    """
    body = _Body(Parts(pictures=pictures), clean, family, files)
    for entry in reading.entries():
        body.add(entry)
    for kind in reading.marks.get(len(reading), ()):
        body.mark(kind)
    facts = facts_of(reading, body.first, body.last)
    session, headline = escape(printable_text(reading.session)), escape(naming.shown)
    yield frame.head(headline)
    yield bar(headline)
    told = " · ".join(filter(None, (session if headline != session else "Conversation", *map(escape, naming.tags))))
    kicker = f"<p class=kicker>{told}</p>\n"
    outline = body.outline()
    yield f"<div class={'page' if outline else 'alone'}>\n{outline}<main>\n{kicker}<h1>{headline}</h1>\n"
    yield facts_list(facts, family, files, clean)
    yield frame.above
    yield "<h2 class=quiet>Messages</h2>\n"
    yield from body.pieces
    yield "</section>\n" if body.in_section else ""
    yield frame.below
    yield f"<footer>{kinds_in_words(facts.kinds)}. Written by export-dedup; this page asks no network.</footer>\n</main>\n</div>\n"
    yield frame.end


class _Body:
    """The conversation, a section after the other."""

    def __init__(self, parts: Parts, clean: Cleaner, family: Family, files: Mapping[str, str]) -> None:
        self.pieces: list[str] = []
        self.in_section = False
        self.first = self.last = ""
        self._parts, self._clean, self._family, self._files = parts, clean, family, files
        self._outline: list[str] = []
        self._turn = self._inside = 0
        self._speaker = self._day = self._prompted = ""

    def outline(self) -> str:
        """The list of prompts; nothing at all where there is none."""
        if not self._outline:
            return ""
        return f"<nav aria-label=Prompts><h2>Prompts</h2><ol>\n{''.join(self._outline)}</ol></nav>\n"

    def mark(self, kind: str) -> None:
        """Something that stands between messages."""
        purged = purged_in(kind)
        if purged:
            kind, were = PURGED, "message was" if purged == 1 else "messages were"
            icon, name, words = "note", "Purged", f"{purged:,} {were} removed here for good."
        else:
            icon, name, words = _MARKS[kind]
        self._open()
        self.pieces.append(
            f'<div class="mark {kind}" role=note>{picture(icon)}<b>{name}</b><span>{words}</span></div>\n'
        )
        self._speaker = ""

    def add(self, entry: Entry) -> None:
        """One message and what stands before it."""
        message = entry.message
        kind = message["kind"]
        together = self._prompted and part_of(message) == self._prompted
        if (kind in (PROMPT, LOCAL_COMMAND) and not together) or self._inside >= _SECTION:
            self._close()
        for mark in entry.before:
            self.mark(mark)
        if kind == BOOKKEEPING:
            return
        if kind == LOST:
            self.mark(LOST)
            return
        self._open()
        self._inside += 1
        stamp = said_at(message)
        if stamp:
            self.first, self.last = min(self.first or stamp, stamp), max(self.last, stamp)
        if day(stamp) and day(stamp) != self._day:
            self._day = day(stamp)
            self.pieces.append(f"<div class=day>{self._day}</div>\n")
        inside = self._message(message, blocks_of(message, self._clean), stamp)
        number = message["index"]
        self.pieces.append(f'<article id=m{number} class="{kind}">{handles(number)}{inside}</article>\n')

    def _open(self) -> None:
        if not self.in_section:
            self.pieces.append("<section class=turn>\n")
            self.in_section = True

    def _close(self) -> None:
        if self.in_section:
            self.pieces.append("</section>\n")
        self.in_section, self._inside = False, 0

    def _message(self, message: Mapping[str, Any], said: MessageBlocks, stamp: str) -> str:
        kind = message["kind"]
        if kind in (PROMPT, LOCAL_COMMAND):
            return self._prompt(message, said, stamp)
        self._prompted = ""
        if kind == TEXT:
            said_by = "Assistant" if message["role"] == ASSISTANT else "System prompt"
            speaker = f"{picture('assistant')}<b>{said_by}</b>"
            above = "" if speaker == self._speaker else who(speaker, stamp)
            self._speaker = speaker
            return above + self._parts.text(said)
        if kind == TOOL_CALL:
            tool = f"{picture('tool')}<b>{escape(said.tool or 'Tool')}</b>"
            about = f"<span class=about>{escape(said.about)}</span>" if said.about else ""
            return self._parts.folded(tool + about, said)
        if kind in (TOOL_RESULT, COMMAND_OUTPUT):
            return self._result(said)
        if kind == NOTICE and is_row(said):
            return f"<div class=notice>{picture('note')}{escape(said.blocks[0].text)}</div>"
        drawn, title = _TITLES.get(kind, ("note", escape(kind)))
        return self._parts.folded(f"{picture(drawn)}<b>{title}</b>", said)

    def _prompt(self, message: Mapping[str, Any], said: MessageBlocks, stamp: str) -> str:
        before, self._prompted = self._prompted, part_of(message)
        if before and before == self._prompted:  # an image that came with the words
            return self._parts.text(said)
        self._turn += 1
        self._speaker = PROMPT
        title = escape(title_of(said) or "Prompt")
        self._outline.append(f'<li><a href="#m{message["index"]}"><b>{self._turn}</b><span>{title}</span></a></li>\n')
        drawn, name = ("user", "User") if message["kind"] == PROMPT else ("command", "Command")
        return who(f"{picture(drawn)}<b>{name}</b>", stamp) + self._parts.text(said)

    def _result(self, said: MessageBlocks) -> str:
        text = "\n".join(block.text for block in said.blocks).strip("\n")
        agent = self._files.get(self._family.named_in(text), "")
        link = ""
        if agent:
            link = f'<p class=notice>{_SPARK}<a href="{escape(agent)}">The sub-agent\'s own conversation</a></p>'
        if not text.strip():
            return f"<div class=row>{picture('result')}<span class=about>nothing</span></div>{link}"
        if is_row(said):
            return f"<div class=row>{picture('result')}<span class=about>{escape(text)}</span></div>{link}"
        lines = [line.strip() for line in text.split("\n")[:ROW]]
        begins = escape(next((line for line in lines if _TELLS.search(line)), lines[0])[:ROW])
        return (
            self._parts.folded(
                f"{picture('result')}<span class=about>{begins}</span><span class=size>{length(text)}</span>", said
            )
            + link
        )
