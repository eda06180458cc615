"""Lines of a text export that are the client's own, told by their shape.

Every version of the client has new words for what it did, so no verb is asked for. What holds from version to version
is how such a line looks: calls drawn as one line stand at column 2, begin with a capital and close with the key that
shows the rest, ``(ctrl+o to expand)``; events have the bullet of an answer, and name something in quotes, or speak of
Claude in the third person, or have U+00A0 behind the bullet. Where an event has no shape of its own, its words are listed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .screen import display_width

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT: Final = r"\((?:\w+\+){1,3}[^\s()+]{1,9}\s+to\s+[a-z][^()\n]{0,30}(?:\n[ ]{0,4}[^()\n]{1,20})?\)"
"""What closes a line of which there is more to see: ``(ctrl+o to expand)``; it may be wrapped itself."""
_HINT_AT_END: Final = late_pattern(rf"{HINT}[ \u00a0]*\r?(?=\n|\Z)")
_BEGINS: Final = {True: late_pattern(r"  [A-Z]"), False: late_pattern(r" {0,2}[A-Z]")}
"""By whether the text has its margin: a copy of a terminal may have lost it."""
_PROSE: Final = late_pattern(r"[.?!:;][ \n]")
"""Between sentences; no list of calls has any."""
_WIDTH: Final = 80
"""Cells; the client wraps its own lines there, whatever the terminal (2.0.42 and later)."""
_SLACK: Final = 4
_MOST_LINES: Final = 4
"""Of one such line, wrapped."""

_ONLY_THOUGHT: Final = late_pattern(rf"[A-Z]\w+ for (?:\d+[hms] ?)+{HINT}\Z")
"""``Thought for 4s (ctrl+o to expand)``: nothing was called."""

_VERB: Final = r"(?:[a-z]+ ){0,2}?(?:[a-z]+ed|came|was|is|has|lost|ran)\b(?: [^\s.·(:]+){0,4}"
_REST: Final = r"(?: \([^()]*\))?(?: · .*|: .+)?"
_QUOTED: Final = late_pattern(
    r"(?!(?:The|An?|This|That|My|Your|Our|In|On|At|For|With|If|When|As|Its?) )"
    rf'[A-Z][a-z-]*(?<!ed)(?<!ing)(?: [a-z]+){{0,2}}(?:: ".+"(?: \([^()]*\))?| ".+" {_VERB}{_REST})\Z'
)
"""A thing, its title in quotes and what became of it: ``Agent "Read the gauge" came to rest · 32s``."""
_THIRD_PERSON: Final = late_pattern(
    r"(?:User [a-z]+ed|[A-Z][a-z]+ed|Claude asked)(?: (?:Claude(?:'s)? |for |to )[^.!?]{1,60}|:)\Z"
)
"""``User approved Claude's plan``, ``User declined to answer questions``: an answer says "you" and "I"."""
_OF_CLAUDE: Final = late_pattern(r"\bClaude\b|\AUser ")
_TEAMMATE: Final = late_pattern(rf"(?:Teammate )?@[\w.-]+ (?:went [a-z]+|{_VERB}){_REST}\Z")
_LIMIT: Final = late_pattern(r"[A-Z][\w-]*(?: [a-z]+)? limit (?:has )?[a-z]+(?: again)?(?: · .*)?\Z")
_LISTED: Final = late_pattern(
    r"(?:"
    r"Updated plan"
    r"|(?:Entered|Exited) plan mode"
    r"|Plan submitted for team lead approval"
    r"|Declined to (?:answer|enter plan mode)"
    r"|Monitor started"
    r"|Background agents? stopped"
    r"|(?:Switched to|Kept|Removed) worktree"
    r")(?= · | on branch |\Z| Claude is |: )"
)
"""Events of the clients 2.0.76 to 2.1.332 that have no shape which an answer could not have."""
_MOST_OF_AN_EVENT: Final = 600
"""Characters; a longer paragraph is no event."""


class Line(NamedTuple):
    """One line of the client, as wide as it was wrapped: character offsets, half open, its line feed not included."""

    start: int
    end: int


def collapsed_lines(text: str, *, margin: bool = True) -> Iterator[Line]:
    """The calls that the client drew as one line, with or without an empty line above, wrapped or not.

    ``margin`` False: the text lost the blanks at the beginning of its lines.
    """
    done = 0
    for hint in _HINT_AT_END.finditer(text):
        start = _beginning(text, hint.start(), done, _BEGINS[margin])
        if start >= 0:
            yield Line(start, hint.end())
        done = hint.end()


def called_nothing(line: str) -> bool:
    """True for a line that only says how long the model thought."""
    return _ONLY_THOUGHT.match(line) is not None


def is_event(paragraph: str, *, unbroken: bool = False) -> bool:
    """True where what a bullet begins is the client's; ``unbroken``: U+00A0 stands behind the bullet.

    An event is one paragraph and stands alone: where an answer goes on below it, it is the answer's.
    """
    if len(paragraph) > _MOST_OF_AN_EVENT or (not unbroken and "\n\n" in paragraph.strip()):
        return False
    said = " ".join(paragraph.split())
    if not said:
        return False
    if unbroken and "(" not in said:
        return True
    if _THIRD_PERSON.match(said) and _OF_CLAUDE.search(said):
        return True
    return any(shape.match(said) for shape in (_QUOTED, _TEAMMATE, _LIMIT, _LISTED))


def _beginning(text: str, hint: int, done: int, begins: re.Pattern[str]) -> int:
    """Where the line that closes with the hint begins; -1 where it is no line of the client."""
    start = text.rfind("\n", 0, hint) + 1
    for number in range(_MOST_LINES):
        above = _line_above(text, start)
        on_its_own = start <= done + 2 or not _may_be_wrapped(above, text[start:hint])
        if on_its_own:
            line = text[start:hint]
            if not begins.match(line) or (number and ("," not in line or _PROSE.search(line))):
                return -1
            return start
        start = text.rfind("\n", 0, start - 1) + 1
        if start < done:
            return -1
    return -1


def _line_above(text: str, start: int) -> str:
    return text[text.rfind("\n", 0, start - 1) + 1 : start - 1].rstrip("\r") if start > 0 else ""


def _may_be_wrapped(above: str, line: str) -> bool:
    """True where ``line`` may go on a paragraph: its first word had no place behind ``above``. A prompt's lines are padded."""
    if not above.strip() or above.endswith("  "):
        return False
    word = line.split(maxsplit=1)[0] if line.strip() else "(ctrl+o"
    return display_width(above.rstrip()) + 1 + display_width(word) > _WIDTH - _SLACK


def prompt_length(raw: str) -> int:
    """Characters of a user's block that are the prompt: all, or where its lines are padded those that are.

    A line of such a prompt ends with a blank or fills the width; after a line that does neither, or an empty one, stands
    something else.
    """
    lines = raw.split("\n")
    first = lines[0].rstrip("\r")
    if not first.endswith("  ") or display_width(first) < _WIDTH - 2 * _SLACK:
        return len(raw)
    length = len(lines[0]) + 1
    for line in lines[1:]:
        bare = line.rstrip("\r")
        if not bare.endswith(" ") and display_width(bare) < display_width(first) - _SLACK:
            return length if raw[length:].strip() else len(raw)
        length += len(line) + 1
    return len(raw)


def first_paragraph(raw: str) -> int:
    """Characters up to the first empty line; all where none is followed by anything."""
    match = re.search(r"\n[ \u00a0\r]*\n", raw)
    return match.end() if match and raw[match.end() :].strip() else len(raw)


def outside(raw: str) -> int:
    """Where a paragraph begins that is not indented as the answer it stands in; the length of ``raw`` where none does."""
    match = re.search(r"\n[ \u00a0\r]*\n(?= ?[^\s])", raw)
    return match.end() if match else len(raw)
