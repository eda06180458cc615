"""The contents of a store as rows of words: each once, read a part at a time, and read again where two are compared."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from ..model import TURNS
from ..start.late_tuple import NamedTuple
from ..words.prepared import prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.contract import Store

FEWEST: Final = 8
"""Words that a content must have: of shorter ones ("yes", "go on") many are alike, and it says nothing."""
_AT_ONCE: Final = 2_000
"""Messages that are read while the store is held."""
_KEPT: Final = 4_000
"""Contents that are remembered while they are compared."""


class Said(NamedTuple):
    """A content: where it was said first, by whom, and in which conversations it stands, each once."""

    conversation: str
    number: int
    role: str
    words: int
    conversations: list[str]


class Contents:
    """What the prompts and answers of a store say, those of at least :data:`FEWEST` words, by numbers from 0."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.said: list[Said] = []
        self._read: OrderedDict[int, str] = OrderedDict()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The number and the words of each new content. What is purged or lost says nothing."""
        known: dict[str, int] = {}
        with self._store.transaction(write=False):
            orders = [(name, self._store.conversation(name).reading().order) for name in self._store.conversations()]
        for name, order in orders:
            for at in range(0, len(order), _AT_ONCE):
                with self._store.transaction(write=False):
                    part = order[at : at + _AT_ONCE]
                    found = list(zip(part, self._store.bodies(name, part)))
                for number, body in found:
                    text = _text(body)
                    words = prepared(text).split() if text else []
                    if len(words) < FEWEST:
                        continue
                    row = " ".join(words)
                    index = known.setdefault(row, len(self.said))
                    if index < len(self.said):
                        if self.said[index].conversations[-1] != name:
                            self.said[index].conversations.append(name)
                        continue
                    self.said.append(Said(name, number, str(body["role"]), len(words), [name]))
                    self._remember(index, row)
                    yield index, words

    def row(self, index: int) -> str:
        """The words of a content, with a blank between two."""
        if index in self._read:
            self._read.move_to_end(index)
            return self._read[index]
        return self._remember(index, " ".join(prepared(self.text(index)).split()))

    def text(self, index: int) -> str:
        """What was said, as it is; empty where it was purged meanwhile."""
        said = self.said[index]
        with self._store.transaction(write=False):
            return next((_text(body) for body in self._store.bodies(said.conversation, [said.number])), "")

    def _remember(self, index: int, row: str) -> str:
        self._read[index] = row
        while len(self._read) > _KEPT:
            self._read.popitem(last=False)
        return row


def _text(body: dict[str, Any]) -> str:
    content = body["content"]
    return content if body["kind"] in TURNS and isinstance(content, str) else ""
