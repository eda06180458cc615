"""How the client draws a session into a text export, as versions from 1.0 to 2.1.330 did.

The shapes are those of ``docs``' formats page and of exports that those versions wrote; every word in them that is not the
client's is made up. An era turns a session into pieces, each of them one thing that a reader of the export must find in it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from truth_session import ASIDE, CALL, PROMPT, RESULT, TEXT, THINKING, Announced, Said, Work

if TYPE_CHECKING:
    from truth_session import Called, Event

EACH: Final = "each"
BULLET: Final = "bullet"
BARE: Final = "bare"


@dataclass(frozen=True)
class Era:
    """A version of the client, by what can be seen of it.

    ``width`` is that of its exports, 0 the terminal's. ``padded``: the column to which lines of prompts are filled up, 0 not at
    all; ``padded_alone``: prompts of one line too. ``looking``: how it shows calls that only look. ``divider`` is what stands in
    place of what was compacted, empty where nothing does. ``closing``: a turn ends with a line that is drawn anew each time.
    """

    version: str
    mark: str
    bullet: str
    width: int
    margin: str = "  "
    """What the further lines of a prompt begin with."""
    padded: int = 0
    padded_alone: bool = False
    wrapped: bool = True
    result: str = "  ⎿ \u00a0"
    hint: str = "(ctrl+o to expand)"
    looking: str = EACH
    collapsed: bool = False
    """Shell commands too are only counted."""
    divider: str = ""
    closing: str = ""
    twice: bool = False
    """It writes the whole conversation two times, each under a banner."""
    moves: bool = False
    """The blank at which the first line of an answer was broken stands at the beginning of the next one."""
    end: str = ""


_LINE: Final = "═══ Conversation compacted · ctrl+o for history ═══\n\n"
_STAR: Final = "\n✻ Conversation compacted (ctrl+o for history)\n\n\n"
_SUMMARY: Final = "● Compact summary (ctrl+r to expand)\n"
_OLD: Final = Era("2.0.27", "> ", "● ", 0, margin="", divider=_LINE, moves=True, end="\n\n\n")
ERAS: Final = {
    era.version: era
    for era in (
        replace(_OLD, version="1.0.88", result="  ⎿  ", hint="(ctrl+r to expand)", divider=_SUMMARY),
        _OLD,
        replace(_OLD, version="2.0.42", bullet="⏺ ", width=80),
        replace(_OLD, version="2.0.76", width=80, wrapped=False, moves=False),
        Era("2.1.17", "❯ ", "● ", 80, padded=76, divider=_LINE, twice=True, moves=True, end="\n"),
        Era("2.1.47", "❯ ", "⏺ ", 80, padded=76, looking=BULLET, divider=_STAR),
        Era("2.1.98", "❯ ", "● ", 80, padded=80, padded_alone=True, looking=BARE, divider=_STAR),
        Era(
            "2.1.197", "❯ ", "● ", 80, padded=80, padded_alone=True, looking=BARE, divider=_STAR, closing="✻ {} for {}s"
        ),
        Era(
            "2.1.330",
            "❯ ",
            "● ",
            80,
            padded=80,
            padded_alone=True,
            looking=BARE,
            collapsed=True,
            closing="✻ {} for {}s · done 8:32 PM",
        ),
    )
}
_VERBS: Final = ("Baked", "Brewed", "Churned", "Cogitated", "Cooked", "Crunched", "Sautéed", "Worked")


@dataclass(frozen=True)
class Piece:
    """One thing that is shown.

    ``key``: which event of the session it is, and which part of it. ``form`` is its text without layout; ``ends_turn``: the
    closing line comes below it.
    """

    key: tuple[int, int]
    kind: str
    form: str
    called: bool = False
    """A result: it never stands without what is above it."""
    ends_turn: bool = False

    @property
    def squeezed(self) -> str:
        """The form without any white space: what no layout changes."""
        return "".join(self.form.split())


def pieces(events: list[Event], era: Era) -> list[Piece]:
    """All that this client would show of these events."""
    found: list[Piece] = []
    for at, event in enumerate(events):
        if isinstance(event, Announced):
            found.append(Piece((at, 0), ASIDE, event.text))
        elif isinstance(event, Work):
            found.extend(_worked(at, event, era))
        elif event.kind == THINKING:
            continue
        else:
            last = at + 1 == len(events) or (isinstance(events[at + 1], Said) and events[at + 1].kind == PROMPT)
            found.append(Piece((at, 0), event.kind, event.text, ends_turn=last))
    return found


def _worked(at: int, work: Work, era: Era) -> list[Piece]:
    shown: list[Piece] = []
    counted: list[Called] = []
    first = 0
    for number, call in enumerate(work.calls):
        if era.looking != EACH and (call.looks or era.collapsed):
            first = first if counted else number
            counted.append(call)
            continue
        shown.append(Piece((at, 2 * number), CALL, f"{call.tool}({call.argument})"))
        lines = call.lines[:3]
        if len(call.lines) > 3:
            lines += (f"… +{len(call.lines) - 3} lines {era.hint}",)
        shown.append(Piece((at, 2 * number + 1), RESULT, "\n".join(lines), called=True))
    if counted:
        shown.append(Piece((at, 2 * first), ASIDE, _summed_up(counted, era)))
    return shown


def _summed_up(calls: list[Called], era: Era) -> str:
    """``Searched for 1 pattern, read 2 files, ran 3 shell commands (ctrl+o to expand)``."""
    parts = []
    for tool, verb, one in (
        ("Search", "searched for", "pattern"),
        ("Read", "read", "file"),
        ("Bash", "ran", "shell command"),
    ):
        count = sum(call.tool == tool for call in calls)
        if count:
            parts.append(f"{verb} {count} {one}{'s' if count > 1 else ''}")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]} {era.hint}"


# -- layout ------------------------------------------------------------------------------------------------------------


def cells(text: str) -> int:
    """How many columns of a screen a text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def wrapped(line: str, width: int) -> list[str]:
    """One line, broken at blanks where there is one, else in the middle of a word; the blank goes."""
    lines: list[str] = []
    while cells(line) > width:
        end = next(n for n in range(len(line) + 1) if cells(line[: n + 1]) > width)
        blank = line.rfind(" ", 1, end + 1)
        if blank > 0:
            lines.append(line[:blank])
            line = line[blank + 1 :]
        else:
            lines.append(line[:end])
            line = line[end:]
    return [*lines, line]


def _laid_out(text: str, width: int, first: str, rest: str) -> list[str]:
    lines = [part for line in text.split("\n") for part in (wrapped(line, width - len(first)) if width else [line])]
    return [((first if not number else rest) + line) if line or not number else "" for number, line in enumerate(lines)]


def _drawn(piece: Piece, era: Era, width: int) -> str:
    if piece.kind == PROMPT:
        lines = _laid_out(piece.form, (era.padded or width) - 1, era.mark, era.margin)
        lines = [line or era.margin for line in lines] if era.padded else lines
        if era.padded and (len(lines) > 1 or era.padded_alone):
            lines = [line + " " * (era.padded - cells(line)) for line in lines]
        else:
            lines[-1] += " "
        return "\n".join(lines) + "\n\n"
    if piece.kind == RESULT:
        return "\n".join(_laid_out(piece.form, width, era.result, "     ")) + "\n\n"
    if piece.kind == CALL:
        return "\n".join(_laid_out(piece.form, width, era.bullet, "      ")) + "\n"
    if piece.kind == ASIDE and era.looking == BARE and piece.form.endswith(era.hint):
        return f"  {piece.form}\n\n"
    assert piece.kind in (TEXT, ASIDE)
    lines = _laid_out(piece.form, width - 2 if era.wrapped else 0, era.bullet, "  ")
    if era.moves and len(lines) > 1 and piece.form.startswith(lines[0][len(era.bullet) :] + " "):
        lines[1] = " " + lines[1]
    return "\n".join(lines) + "\n\n"


def _banner(era: Era, width: int) -> str:
    if era.version.startswith("1."):
        inside = width - 2
        rows = (
            "✻ Welcome to Claude Code!",
            "",
            "  /help for help, /status for your current setup",
            "",
            "  cwd: /srv/workshop",
        )
        box = "".join("│ " + row.ljust(inside - 1) + "│\n" for row in rows)
        return f"╭{'─' * inside}╮\n{box}╰{'─' * inside}╯\n"
    if era.padded_alone:
        return (
            f" ▐▛███▜▌   Claude Code v{era.version}\n▝▜█████▛▘  Opus · API Usage Billing\n  ▘▘ ▝▝    /srv/workshop\n\n"
        )
    head = f"╭─── Claude Code v{era.version} "
    rows = ("Welcome back!", "", "▐▛███▜▌", "▝▜█████▛▘", "▘▘ ▝▝", "", "/srv/workshop")
    box = "".join("│" + row.center(30) + "│" + " " * (width - 33) + "│\n" for row in rows)
    return f"\n{head}{'─' * (width - len(head) - 1)}╮\n{box}╰{'─' * (width - 2)}╯\n\n"


def export(shown: list[Piece], era: Era, *, terminal: int = 80, compacted: bool = False, closing: int = 0) -> bytes:
    """The text export that shows these pieces.

    ``compacted``: what came before was compacted, and a divider stands in its place where the era has one. ``terminal`` is the
    width of the terminal, ``closing`` chooses the words of the closing lines.
    """
    width = era.width or terminal
    parts = [_banner(era, width)]
    if compacted:
        divider = era.divider
        parts.append(divider.replace("═══", "═" * ((width - 45) // 2)) if divider else "")
    for piece in shown:
        if piece is COMMAND:
            parts.append(_command(era, width))
            continue
        parts.append(_drawn(piece, era, width))
        if piece.ends_turn and era.closing:
            parts.append(era.closing.format(_VERBS[(piece.key[0] + closing) % len(_VERBS)], closing % 60) + "\n\n")
    text = "".join(parts).rstrip("\n")
    return f"{text}\n{text.lstrip()}{era.end}".encode() if era.twice else f"{text}{era.end}".encode()


COMMAND: Final = Piece((-1, 0), "command", "/compact")
"""Stands where the person typed ``/compact``: it and what the client answered are no part of the conversation."""


def _command(era: Era, width: int) -> str:
    typed = f"{era.mark}/compact "
    told = (
        "Compacted. ctrl+r to see full summary"
        if era.version.startswith("1.")
        else "Compacted (ctrl+o to see full summary)"
    )
    return (
        typed.ljust(width) if era.padded_alone else typed
    ) + f"\n  ⎿  {told}\n{era.result}Read notes/plan.md (12 lines)\n\n"
