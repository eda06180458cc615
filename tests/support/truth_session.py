"""A made-up session as it really was: who said what, which tools were called, what they gave back, in order.

Nothing here knows how an export is read or aligned. What a client shows of a session is in ``truth_screen.py``, what it writes
down in ``truth_lines.py``, and when it was exported and compacted in ``truth_day.py``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Union

PROMPT: Final = "prompt"
TEXT: Final = "text"
THINKING: Final = "thinking"
CALL: Final = "call"
RESULT: Final = "result"
ASIDE: Final = "aside"
"""What nobody said: lines that the client draws for itself."""
OPENING: Final = (
    "Before anything else read the rules of the harbour, all nine pages, and tell me which of them you will not follow today.",
    "Then put on the yellow coat, take the long rope from the hook beside the door and wait for the tide to turn.",
)
"""What several sessions begin with: instructions that are pasted, one after the other, before anything is answered."""


def _words(*lines: str) -> list[str]:
    return " ".join(lines).split()


_THINGS: Final = _words(
    "anchor barrel candle drawer engine furnace garden hinge island jacket kettle ladder magnet needle oyster parcel",
    "quilt rudder saucer tunnel umbrella valley window xylophone yarn zipper bridge cellar dynamo easel funnel gravel",
    "hammer inkwell jetty kiln lighthouse mirror notebook orchard piston quarry rafter signal trellis urn vessel wharf",
)
_DEEDS: Final = _words(
    "balance carry deliver empty fasten gather hoist inspect join kindle lower measure number open polish question",
    "repair sharpen tighten unfold varnish weigh cancel divide enlarge follow grease hang invent journey knot label",
)
_NODS: Final = ("yes", "continue", "go on", "ok", "yes, please", "next")
_DONE: Final = ("Done.", "All green.", "That worked.")
_OTHER_SCRIPT: Final = (
    "港の時計は毎朝七時に鳴り、船の帳簿は夕方に閉じられます。",
    "Ночной паром вернулся — груз цел.",
    "🛠️ ✅ fertig: größere Kräne",
)


@dataclass(frozen=True)
class Said:
    """One prompt, answer or thought."""

    kind: str
    text: str


@dataclass(frozen=True)
class Called:
    """One tool call and the lines that came back. ``looks``: it only looked at something (files, patterns)."""

    tool: str
    argument: str
    lines: tuple[str, ...]
    looks: bool = False


@dataclass(frozen=True)
class Work:
    """Calls that followed one another without a word between them."""

    calls: tuple[Called, ...]


@dataclass(frozen=True)
class Announced:
    """A line of the client's own between the turns, with the assistant's mark and nobody's words."""

    text: str


Event = Union[Said, Work, Announced]


class Session:
    """A session of so many ``turns`` (a prompt and all that it led to), the same for the same ``seed``.

    ``opening`` are prompts that other sessions began with too. ``announcing``: the client puts lines of its own between.
    """

    def __init__(self, seed: int | str, turns: int = 14, *, opening: tuple[str, ...] = (), announcing: bool = False):
        self._random = random.Random(f"session/{seed}")
        self._announcing = announcing
        self._count = 0
        self.events: list[Event] = [Said(PROMPT, text) for text in opening]
        self.turns: list[int] = []
        """Where each turn begins in ``events``."""
        self._pasted = self.paragraph(3)
        for number in range(turns):
            self.turns.append(len(self.events))
            self._turn(number)

    def sentence(self) -> str:
        """A sentence that stands nowhere else."""
        self._count += 1
        pick = self._random.choice
        return (
            f"Then we {pick(_DEEDS)} the {pick(_THINGS)} beside the {pick(_THINGS)}, {pick(_DEEDS)} what is under the "
            f"{pick(_THINGS)} and {pick(_DEEDS)} {pick(_THINGS)} number {self._random.randrange(10**7)}."
        )

    def paragraph(self, most: int) -> str:
        """One to ``most`` sentences."""
        return " ".join(self.sentence() for _ in range(self._random.randint(1, most)))

    def _turn(self, number: int) -> None:
        chance, add = self._random.random, self.events.append
        add(Said(PROMPT, self._prompt(number)))
        if chance() < 0.3:
            add(Said(THINKING, self.paragraph(2)))
        if chance() < 0.6:
            add(Said(TEXT, self.sentence()))
            for _ in range(self._random.randint(1, 2)):
                add(self._work())
                if chance() < 0.3:
                    add(Said(TEXT, self._random.choice(_DONE) if chance() < 0.3 else self.sentence()))
        if self._announcing and chance() < 0.5:
            add(Announced(f'Background command "{self._random.choice(_DEEDS)} --watch" completed (exit code 0)'))
        if chance() < 0.9:  # else it was interrupted, and the next prompt follows at once
            add(Said(TEXT, self._answer()))

    def _prompt(self, number: int) -> str:
        chance = self._random.random()
        if number and chance < 0.35:
            return self._random.choice(_NODS)
        if chance < 0.42:
            return self._pasted
        if chance < 0.55:
            return (
                "\n\n".join(self.paragraph(2) for _ in range(2))
                + f"\nfirst: {self.sentence()}\nsecond: {self.sentence()}"
            )
        return self.paragraph(2)

    def _answer(self) -> str:
        chance = self._random.random()
        if chance < 0.15:
            return self._random.choice(_DONE)
        parts = [self.paragraph(3) for _ in range(self._random.randint(1, 3))]
        if chance < 0.4:
            parts.append("\n".join(f"- {self.sentence()}" for _ in range(self._random.randint(2, 4))))
        if chance > 0.8:
            parts.insert(1, self._random.choice(_OTHER_SCRIPT) * self._random.randint(1, 3))
        if chance > 0.9:
            place = "/".join(self._random.choice(_THINGS) for _ in range(14))
            parts.append(f"It lies in /srv/{place}/{self._random.randrange(10**6)}.txt now.")
        return "\n\n".join(parts)

    def _work(self) -> Work:
        if self._random.random() < 0.15:  # asked again and again, with the same answer each time
            return Work((self._shell(),) * self._random.randint(2, 4))
        calls = [
            self._shell() if self._random.random() < 0.6 else self._look() for _ in range(self._random.randint(1, 4))
        ]
        return Work(tuple(sorted(calls, key=lambda call: call.looks)))

    def _shell(self) -> Called:
        pick = self._random.choice
        if self._random.random() < 0.2:
            return Called("Bash", pick(("git status --short", "ls", "make check")), ("(No content)",))
        argument = f"{pick(_DEEDS)} --{pick(_THINGS)} {pick(_THINGS)}.txt"
        count = self._random.choice((1, 2, 3, 9, 40))
        lines = tuple(f"{pick(_THINGS)} {pick(_DEEDS)} {self._random.randrange(10**6)}" for _ in range(count))
        return Called("Bash", argument, lines)

    def _look(self) -> Called:
        name = f"{self._random.choice(_THINGS)}/{self._random.choice(_THINGS)}.py"
        if self._random.random() < 0.3:
            return Called(
                "Search", f'pattern: "{self._random.choice(_DEEDS)}", path: "{name}"', ("Found 2 files",), looks=True
            )
        return Called("Read", name, (f"Read {self._random.randrange(5, 900)} lines",), looks=True)
