"""Made-up conversations and the text exports that show them: deterministic, with the ground truth beside them.

A story is a list of turns in order. An export is a window of it as a screen would show it: laid out at a width, with
a banner, prompts padded with blanks, long results cut, and a closing line that is drawn anew every time.
"""

from __future__ import annotations

import hashlib
import random
import textwrap
from dataclasses import dataclass
from typing import Final

USER: Final = "user"
ASSISTANT: Final = "assistant"
SYSTEM: Final = "system"


def _words(*lines: str) -> list[str]:
    return " ".join(lines).split()


_NOUNS: Final = _words(
    "ledger harbour lantern meadow copper violin saddle quarry beacon thicket anvil orchard compass glacier",
    "hammock Jigsaw pulley ribbon cistern turbine almanac",
)
_VERBS: Final = _words(
    "move rename inspect restore measure collect fold compare sort index mirror trace split join seal"
)
_SHORT: Final = ("yes", "go on", "yes", "git status", "again, please", "yes")
_CLOSING: Final = ("✻ Baked for 0s", "✻ Brewed for 2s", "✻ Simmered for 14s", "✻ Churned for 1m 3s")
_BANNER: Final = (
    " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus · API Usage Billing\n  ▘▘ ▝▝    ~/demo/workshop\n\n\n"
)
_DIVIDER: Final = "═" * 20 + " Conversation compacted · ctrl+o for history " + "═" * 20 + "\n\n"


@dataclass(frozen=True)
class Turn:
    """One message as it is shown: what a parser should make of it."""

    role: str
    kind: str
    text: str

    @property
    def squeezed(self) -> tuple[str, str, str]:
        """Role, kind and the text without white space: what no layout changes."""
        return self.role, self.kind, "".join(self.text.split())


@dataclass(frozen=True)
class File:
    """One export: its name, its bytes, and which turns of the story it shows (half open)."""

    name: str
    data: bytes
    first: int
    end: int

    @property
    def sha(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


class Story:
    """A conversation of ``exchanges`` prompts with their answers, calls and results."""

    def __init__(self, seed: int, exchanges: int = 20, *, tools: bool = True) -> None:
        self._random = random.Random(f"story-{seed}")
        self.seed = seed
        self.turns: list[Turn] = []
        self.starts: list[int] = []
        """Where each exchange begins in ``turns``."""
        self._tools = tools
        for number in range(exchanges):
            self._exchange(number)

    def _sentence(self, number: int) -> str:
        pick = self._random.choice
        return (
            f"In step {number} we {pick(_VERBS)} the {pick(_NOUNS)} and {pick(_VERBS)} every {pick(_NOUNS)} "
            f"beside the {pick(_NOUNS)}, then {pick(_VERBS)} what the {pick(_NOUNS)} {self._random.randrange(10**6)} says."
        )

    def _exchange(self, number: int) -> None:
        self.starts.append(len(self.turns))
        add, chance = self.turns.append, self._random.random
        if number and chance() < 0.4:
            add(Turn(USER, "prompt", self._random.choice(_SHORT)))
        else:
            add(Turn(USER, "prompt", " ".join(self._sentence(number) for _ in range(self._random.randrange(1, 3)))))
        if self._tools and chance() < 0.5:
            add(Turn(ASSISTANT, "text", f"I will look at the {self._random.choice(_NOUNS)}. {self._sentence(number)}"))
            for _ in range(self._random.randrange(1, 3)):
                command = f"{self._random.choice(_VERBS)} --step {number} {self._random.choice(_NOUNS)}.txt"
                add(Turn(ASSISTANT, "tool_call", f"Bash({command})"))
                lines = [f"{self._random.choice(_NOUNS)} {self._random.randrange(10**6)}" for _ in range(3)]
                if chance() < 0.3:
                    lines.append(f"… +{self._random.randrange(4, 90)} lines (ctrl+o to expand)")
                add(Turn(SYSTEM, "tool_result", "\n".join(lines)))
        if chance() < 0.15:
            add(Turn(ASSISTANT, "text", "Done."))
        else:
            add(
                Turn(
                    ASSISTANT, "text", "\n\n".join(self._sentence(number) for _ in range(self._random.randrange(1, 4)))
                )
            )

    def show(self, first: int, end: int, *, width: int = 80, compacted: bool = False, closing: int = 0) -> bytes:
        """The turns ``first`` to ``end`` (half open) as an export; ``closing`` chooses the line that is drawn anew."""
        parts = [_DIVIDER if compacted else _BANNER]
        for position in range(first, end):
            parts.append(_drawn(self.turns[position], width))
            last = position + 1 == len(self.turns) or position + 1 in self.starts
            if last:
                parts.append(_CLOSING[(position + closing) % len(_CLOSING)] + "\n\n")
        return "".join(parts).encode()

    def exports(
        self, every: int = 4, *, compact_every: int = 0, rewrap: bool = False, repeat: float = 0.0
    ) -> list[File]:
        """Cumulative exports, one each ``every`` exchanges, in the order in which they were made.

        ``compact_every``: so many exports make an epoch; the first export of the next one begins at a divider and
        shows the last two exchanges again. ``rewrap``: each at a width of its own. ``repeat``: the chance that an
        export is written once more, with another closing line.
        """
        chance = random.Random(f"exports-{self.seed}")
        files: list[File] = []
        begin, compacted = 0, False
        for number, after in enumerate(range(every, len(self.starts) + every, every)):
            stop = min(after, len(self.starts))
            end = self.starts[stop] if stop < len(self.starts) else len(self.turns)
            if compact_every and number and number % compact_every == 0:
                begin, compacted = self._tail(stop - every), True
            for copy in range(1 + (chance.random() < repeat)):
                width = chance.choice((60, 80, 97, 120)) if rewrap else 80
                data = self.show(begin, end, width=width, compacted=compacted, closing=number + copy)
                name = f"2026-03-{number % 28 + 1:02}-EXPORT-STORY-{self.seed}{'-again' if copy else ''}.txt"
                files.append(File(name, data, begin, end))
        return files

    def _tail(self, exchange: int) -> int:
        """Where the exchange begins from which a compacted export repeats: two back, or more until it says something."""
        at = max(exchange - 2, 0)
        while at and not any(len(turn.text) > 120 for turn in self.turns[self.starts[at] : self.starts[exchange]]):
            at -= 1
        return self.starts[at]

    def truth(self, first: int = 0, end: int | None = None) -> list[tuple[str, str, str]]:
        """What must be kept of these turns, in order, each as often as it was said."""
        return [turn.squeezed for turn in self.turns[first:end]]


def kept(messages: list[dict[str, object]]) -> list[tuple[str, str, str]]:
    """Messages of the product in the form of :meth:`Story.truth`."""
    return [(str(m["role"]), str(m["kind"]), "".join(str(m["content"]).split())) for m in messages]


def _drawn(turn: Turn, width: int) -> str:
    if turn.kind == "tool_result":
        first, *rest = turn.text.split("\n")
        return "".join([f"  ⎿  {first}\n", *(f"     {line}\n" for line in rest), "\n"])
    mark = "❯ " if turn.role == USER else "● "
    lines: list[str] = []
    for paragraph in turn.text.split("\n"):
        lines.extend(textwrap.wrap(paragraph, width - 4, break_on_hyphens=False) or [""])
    drawn = [(mark if number == 0 else "  ") + line if line else "" for number, line in enumerate(lines)]
    if turn.role == USER:
        drawn = [line.ljust(width) for line in drawn]
    return "\n".join(drawn) + "\n" + ("" if turn.kind == "tool_call" else "\n")
