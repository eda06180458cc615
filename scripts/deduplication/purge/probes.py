"""Finds what was purged in whatever may still say it: by runs of words that stand in it, whatever the layout around them.

A screen breaks lines anew, so letters and digits are compared. A few runs of words of each purged text, from its beginning, its
middle and its end, show where it may stand; it is there where all of it is: many texts begin and end alike. A text of a few words
says nothing by itself: where it stands is told from the structure of what holds it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORD: Final = late_pattern(r"[^\W_]+")
RUN: Final = 6
"""Words in a row that tell a text."""
_LETTERS: Final = 24
"""Letters that they must have together."""
_PLACES: Final = 3
_LEAST: Final = 24
"""Letters and digits from which a text that is all that somebody says is told by itself."""
_STRUCTURE: Final = frozenset(("type", "id", "tool_use_id", "name", "media_type", "sha256", "signature", "data"))
"""Members of a block that say nothing."""


class Probes:
    """What to look for. Each text has a ``key``, which says nothing of it."""

    def __init__(self) -> None:
        self._runs: dict[str, list[tuple[int, tuple[str, ...], int]]] = {}
        """By the longest word of a run: its place in the run, the run, and the number of the text."""
        self._texts: list[tuple[str, int, str]] = []
        """For each text its key, how many runs tell it, and its letters and digits."""
        self._wholes: dict[str, str] = {}

    def add(self, key: str, content: Any) -> None:
        """Look for what a message says."""
        for text in texts(content):
            words = _words(text)
            whole = "".join(words)
            if len(whole) >= _LEAST:
                self._wholes.setdefault(whole, key)
            starts = {(len(words) - RUN) * n // (_PLACES - 1) for n in range(_PLACES)} if len(words) >= RUN else ()
            runs = {tuple(words[start : start + RUN]) for start in starts}
            telling = sorted(run for run in runs if sum(map(len, run)) >= _LETTERS)
            if not telling:
                continue
            for run in telling:
                longest = max(run, key=len)
                self._runs.setdefault(longest, []).append((run.index(longest), run, len(self._texts)))
            self._texts.append((key, len(telling), whole))

    def found(self, text: str) -> set[str]:
        """The keys of what a text says."""
        words = _words(text)
        whole = "".join(words)
        keys = {self._wholes[whole]} if whole in self._wholes else set()
        seen: dict[int, set[tuple[str, ...]]] = {}
        for position, word in enumerate(words):
            for at, run, number in self._runs.get(word, ()):
                if position >= at and tuple(words[position - at : position - at + RUN]) == run:
                    seen.setdefault(number, set()).add(run)
        for number, runs in seen.items():
            key, telling, all_of_it = self._texts[number]
            if len(runs) == telling and all_of_it in whole:
                keys.add(key)
        return keys

    def found_in(self, data: bytes) -> set[str]:
        """The keys of what a file says: JSON line by line, string by string; else as text."""
        keys: set[str] = set()
        for text in strings(data):
            keys |= self.found(text)
        return keys


def strings(data: bytes) -> Iterator[str]:
    """Every text that stands in the bytes of a file."""
    if data.lstrip()[:1] not in (b"{", b"["):
        yield data.decode("utf-8", "replace")
        return
    try:
        yield from texts(json.loads(data))
    except (ValueError, RecursionError):
        for line in data.split(b"\n"):
            try:
                yield from texts(json.loads(line))
            except (ValueError, RecursionError):
                yield line.decode("utf-8", "replace")


def texts(value: Any) -> Iterable[str]:
    """Every string in a JSON value that says something: no names of members, no types and ids."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in _STRUCTURE:
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
