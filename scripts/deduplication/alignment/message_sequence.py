"""The messages and spans of a large export in a few bytes each: what repeats is kept once, the rest in columns of numbers.

A text of ten megabytes can hold a million messages of one letter. As objects they would take a hundred times its bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeVar, overload

from ..model import Message, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..model import Content

MANY: Final = 2_000
"""Messages up to which an export has them as objects, made once."""
_SHORT: Final = 200
"""Characters up to which a body is looked for among those that there are; longer ones rarely repeat, and their bytes are theirs."""
_REMEMBERED: Final = 65_536
"""Bodies among which is looked."""

Found = TypeVar("Found")


class Messages(Sequence[Message]):
    """Messages that know their place in the file and nothing else besides their body; each object is made when it is asked for.

    Two askings give two objects, equal to each other.
    """

    def __init__(self) -> None:
        self.bodies: list[Message] = []
        """Each different body, without a place; one that did not come for long may stand here twice."""
        self._known: dict[tuple[str, str, str, str], int] = {}
        self._body = array("I")
        self._starts = array("q")
        self._ends = array("q")

    def add(self, role: str, kind: str, content: Content, fidelity: str, start: int, end: int) -> None:
        """One more at the end; ``start`` and ``end`` as in :class:`Message`."""
        if isinstance(content, str) and len(content) <= _SHORT:
            body = (role, kind, content, fidelity)
            number = self._known.get(body)
            if number is None:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                number = self._known[body] = len(self.bodies)
                self.bodies.append(Message(role, kind, content, fidelity=fidelity))
        else:
            number = len(self.bodies)
            self.bodies.append(Message(role, kind, content, fidelity=fidelity))
        self._body.append(number)
        self._starts.append(start)
        self._ends.append(end)

    def each(self, ask: Callable[[Message], Found]) -> list[Found]:
        """The answer for every message, to a question about its body alone: asked once for each different one."""
        answers = [ask(body) for body in self.bodies]
        return [answers[number] for number in self._body]

    def places(self) -> Iterator[tuple[int, int]]:
        """First byte of each message, and the one behind its last."""
        return zip(self._starts, self._ends)

    def few(self) -> Sequence[Message]:
        """These messages; as objects where they are few."""
        return tuple(self) if len(self) <= MANY else self

    def __len__(self) -> int:
        return len(self._body)

    @overload
    def __getitem__(self, position: int) -> Message: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[Message]: ...

    def __getitem__(self, position: int | slice) -> Message | Sequence[Message]:
        if isinstance(position, slice):
            return self.at(range(len(self))[position])
        body = self.bodies[self._body[position]]
        return Message(
            body.role,
            body.kind,
            body.content,
            self._starts[position],
            self._ends[position],
            fidelity=body.fidelity,
        )

    def at(self, positions: Sequence[int]) -> Messages:
        """Those at ``positions``, in this order."""
        chosen = Messages()
        chosen.bodies = self.bodies
        chosen._body = array("I", [self._body[position] for position in positions])
        chosen._starts = array("q", [self._starts[position] for position in positions])
        chosen._ends = array("q", [self._ends[position] for position in positions])
        return chosen


class Spans(Sequence[Span]):
    """Spans that follow one on another from the byte ``begins`` of a file on."""

    def __init__(self, begins: int = 0) -> None:
        self._begins = begins
        self._ends = array("q")
        self._label = array("H")
        self._labels: dict[str, int] = {}

    def add(self, end: int, label: str) -> None:
        """One more, from the end of the last one up to ``end``."""
        self._ends.append(end)
        self._label.append(self._labels.setdefault(label, len(self._labels)))

    def few(self) -> Sequence[Span]:
        """These spans; as objects where they are few."""
        return tuple(self) if len(self) <= MANY else self

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, position: int) -> Span: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[Span]: ...

    def __getitem__(self, position: int | slice) -> Span | Sequence[Span]:
        if isinstance(position, slice):
            return tuple(self[each] for each in range(len(self))[position])
        position = range(len(self))[position]
        start = self._ends[position - 1] if position else self._begins
        return Span(start, self._ends[position], [*self._labels][self._label[position]])


def each_body(messages: Sequence[Message], ask: Callable[[Message], Found]) -> list[Found]:
    """The answer for every message, to a question about its body alone (and its id where it has one)."""
    return messages.each(ask) if isinstance(messages, Messages) else [ask(message) for message in messages]


def places_of(messages: Sequence[Message]) -> Iterator[tuple[int, int]]:
    """First byte of each message, and the one behind its last."""
    if isinstance(messages, Messages):
        return messages.places()
    return ((message.start, message.end) for message in messages)
