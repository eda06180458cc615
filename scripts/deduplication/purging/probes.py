"""Finds what was purged in whatever may still say it: by runs of words that stand in it, whatever the layout around them.

A text is too long to be looked for as a whole in every file, and a screen breaks its lines anew. So of each purged text a few runs
of words are kept in memory, from its beginning, its middle and its end. A text of a few words says nothing by itself: where it
stands is told from the structure of what holds it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORD: Final = re.compile(r"[^\W_]+")
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
        self._runs: dict[str, list[tuple[int, tuple[str, ...], str]]] = {}
        self._wholes: dict[str, str] = {}
        self.told: set[str] = set()
        """Keys of the texts that can be told wherever they stand."""

    def add(self, key: str, content: Any) -> None:
        """Look for what a message says."""
        for text in texts(content):
            words = _words(text)
            whole = "".join(words)
            if len(whole) >= _LEAST:
                self._wholes.setdefault(whole, key)
            starts = {(len(words) - RUN) * n // (_PLACES - 1) for n in range(_PLACES)} if len(words) >= RUN else ()
            for start in starts:
                run = tuple(words[start : start + RUN])
                if sum(map(len, run)) < _LETTERS:
                    continue
                at = max(range(RUN), key=lambda n: (len(run[n]), -n))
                self._runs.setdefault(run[at], []).append((at, run, key))
                self.told.add(key)

    def found(self, text: str) -> set[str]:
        """The keys of what a text says."""
        words = _words(text)
        whole = "".join(words)
        keys = {self._wholes[whole]} if whole in self._wholes else set()
        for position, word in enumerate(words):
            for at, run, key in self._runs.get(word, ()):
                if key not in keys and tuple(words[position - at : position - at + RUN]) == run and position >= at:
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
