"""What the rules that read words share: a word is met, and a rule looks at what stands around it.

Each rule is asked only where its word stands, and only about a bounded stretch of the text, so that the time grows with the
text. The same words are looked for where the end of a full line has cut them or what follows them (``line_wrapped``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Final

from ..start.late_dataclass import dataclass, replace
from . import secret_values
from .matches import lowered, occurrences
from .vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .matches import Match

Rule = Callable[[str, int, int], "Iterable[Match]"]
"""A text goes in, and where the word begins and ends in it; the secrets beside it come out."""


@dataclass(frozen=True)
class Trigger:
    """A word (small letters) and the rule that it calls; ``word``: it counts as a whole word only.

    ``needs`` is what the vocabulary of a text must hold, where the word itself has blanks or signs in it.
    """

    literal: str
    rule: Rule
    word: bool = False
    needs: str = ""
    back: bool = False
    """Whether the rule also looks at what stands before the word."""

    worth: Callable[[str, int, int], bool] | None = None
    """Says of a word that the end of its line may go on with a secret, where the rule is dear."""

    def matches(self, text: str, start: int, end: int) -> Iterator[Match]:
        """What the rule finds beside the word from ``start`` to ``end``, each up to where it really ends."""
        for match in self.rule(text, start, end):
            yield replace(match, end=secret_values.extended(text, match.end))


@dataclass(frozen=True)
class Hit:
    """A word that stands in a text, from ``start`` to ``end``."""

    start: int
    end: int
    trigger: Trigger


class Index:
    """The triggers of all rules, asked together."""

    def __init__(self, triggers: Iterable[Trigger]) -> None:
        words: dict[bytes, list[Trigger]] = {}
        stems: dict[bytes, list[Trigger]] = {}
        self._without_blanks: Final[list[Trigger]] = []
        for trigger in triggers:
            if not (trigger.literal.isascii() or trigger.word or trigger.needs):
                self._without_blanks.append(trigger)
                continue
            told = (trigger.needs or trigger.literal).encode()
            (words if trigger.word or trigger.needs else stems).setdefault(told, []).append(trigger)
        self._words: Final = words
        self._stems: Final = stems
        self._known: Final = frozenset(words)

    def within(self, lower: str) -> list[Trigger]:
        """The triggers whose words a text in small letters can hold."""
        vocabulary = Vocabulary(lower)
        present = [trigger for word in self._known & vocabulary.words for trigger in self._words[word]]
        for stem, listed in self._stems.items():
            if vocabulary.holds(stem):
                present += listed
        if vocabulary.without_blanks():
            present += [each for each in self._without_blanks if each.literal in lower]
        return present

    def met(self, text: str, lower: str | None = None) -> Iterator[Hit]:
        """Every word of a trigger in ``text``; ``lower`` is it in small letters, where somebody has it."""
        lower = lowered(text) if lower is None else lower
        for trigger in self.within(lower):
            size = len(trigger.literal)
            for at in occurrences(lower, trigger.literal):
                if trigger.word and not _whole(lower, at, at + size):
                    continue
                yield Hit(at, at + size, trigger)


def _whole(lower: str, start: int, end: int) -> bool:
    """Whether no letter stands beside it: that of an escape, as JSON has it for a line's end, is none."""
    if lower[end : end + 1].isalpha():
        return False
    return not (lower[start - 1 : start].isalpha() and lower[max(0, start - 2) : start] not in ("\\n", "\\r", "\\t"))
