"""The parts of a session's files: where one ends, and what is remembered of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import PROMPT
from ..start.late_dataclass import dataclass, field
from .content import blocks_of
from .markdown import Flow, rendered, title_of
from .moments import said_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .conversation import Entry
    from .markdown import Names
    from .redaction import Cleaner


@dataclass
class Part:
    """``count`` positions of the reading, and what their text is like; ``size`` is its bytes without head and last line.

    ``digest`` is that of the reading (``Reading.digest``), ``checksum`` that of the file, ``flow`` what stands above whatever
    follows, ``following`` whether the head names a part after it.
    """

    count: int = 0
    size: int = 0
    first: str = ""
    last: str = ""
    title: str = ""
    kinds: dict[str, int] = field(default_factory=dict)
    flow: Flow = field(default_factory=Flow)
    digest: str = ""
    checksum: str = ""
    following: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the last line of the first file."""
        return {**vars(self), "flow": self.flow.as_json()}


def from_json(value: Any) -> list[Part]:
    """The parts that a last line names, none where it says something else."""
    try:
        found = [Part(**{**each, "flow": Flow(**each["flow"])}) for each in value]
        whole = all(type(part.count) is type(part.size) is int and part.size >= 0 and part.count > 0 for part in found)
        texts = all(
            isinstance(text, str) for part in found for text in (part.first, part.last, part.title, part.checksum)
        )
        counts = all(type(count) is int for part in found for count in part.kinds.values())
    except (TypeError, KeyError, AttributeError):
        return []
    return found if whole and texts and counts else []


class Growing:
    """Puts messages below the last of some parts, and begins another part where that one has become long."""

    def __init__(self, parts: list[Part], limit: int, clean: Cleaner, names: Names) -> None:
        self.parts = parts
        self.added: dict[int, bytes] = {}
        """What was added to each part, by its position in ``parts``."""
        self._limit, self._clean, self._names = limit, clean, names

    def add(self, entries: Iterable[Entry]) -> None:
        """Write these messages, which follow on what the parts hold."""
        pieces: list[bytes] = []
        for entry in entries:
            part = self.parts[-1] if self.parts else None
            prompt = entry.message["kind"] == PROMPT
            if part is None or self._is_full(part, prompt=prompt):
                self._put(pieces)
                part = Part(flow=part.flow.in_a_new_part() if part is not None else Flow())
                self.parts.append(part)
            if self._clean.is_waiting:
                blocks_of(entry.message, self._clean)
            else:
                text, part.flow = rendered(entry, part.flow, self._clean, self._names)
                piece = text.encode("utf-8", "backslashreplace")
                pieces.append(piece)
                part.size += len(piece)
            _note(part, entry, self._clean, prompt=prompt)
        self._put(pieces)

    def _is_full(self, part: Part, *, prompt: bool) -> bool:
        limit = self._limit // 4 if len(self.parts) == 1 else self._limit  # the first file is written for every turn
        return part.size >= limit and (prompt or part.size >= limit * 3 // 2)

    def _put(self, pieces: list[bytes]) -> None:
        if pieces:
            position = len(self.parts) - 1
            self.added[position] = self.added.get(position, b"") + b"".join(pieces)
            pieces.clear()


def _note(part: Part, entry: Entry, clean: Cleaner, *, prompt: bool) -> None:
    message = entry.message
    part.count += 1
    part.kinds[message["kind"]] = part.kinds.get(message["kind"], 0) + 1
    stamp = said_at(message)
    if stamp:
        part.first, part.last = min(part.first or stamp, stamp), max(part.last, stamp)
    if prompt and not part.title:
        part.title = title_of(blocks_of(message, clean))
