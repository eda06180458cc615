"""A state folder of the original project, looked through once: which lines are which conversation; then read, one after another."""

from __future__ import annotations

import hashlib
import os
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Optional

from ..errors import ExportChanged, UsageError
from ..files.safe_read import Identity, opened
from ..formats import ANY_OBJECT
from ..model import Export
from ..start.late_dataclass import dataclass
from ..start.late_tuple import NamedTuple
from .claims import INDEXES, Claim, Held, claims, digits
from .entries import CONVERSATION_LOG, KINDS, UNNAMED, Entry, Kind, Unreadable, entries, entry_of
from .messages import Read, messages_of
from .proof import is_proven, undone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..model import Message

_MANY: Final = 3
"""Messages from which on it tells something that all of them are JSON."""
_SAID: Final = 20
"""Entries of a conversation of which it is told one by one that they were kept as they are."""


class OriginalConversation(NamedTuple):
    """One conversation: its messages in order, and what it was read from.

    ``name`` is the id that a person gave it, or the checkpoint at which its messages were seen first (then ``is_named`` is False).
    ``sha256`` and ``size`` (bytes) are those of its ``lines``.
    """

    kind: Kind
    name: str
    is_named: bool
    export: Export
    sha256: str
    size: int
    lines: int


class _Place(NamedTuple):
    """Where a conversation stands: number, byte offset and size of each of its lines, in their order, one after another."""

    kind: Kind
    name: str
    lines: array[int]


@dataclass(frozen=True)
class OriginalState:
    """What a folder has: ``places`` of conversations in the order in which they begin, and what cannot be read of it.

    ``damage`` are lines for the user; ``claims`` are what its indexes say that its logs do not have.
    """

    folder: str
    places: Sequence[_Place]
    damage: Sequence[str]
    claims: Sequence[Claim]
    identities: dict[str, Identity]
    encoded: frozenset[str]
    """The logs in which every text is JSON of what was said."""

    @property
    def entries(self) -> int:
        """Lines that can be read."""
        return sum(len(place.lines) for place in self.places) // 3

    def conversations(self) -> Iterator[OriginalConversation]:
        """Each conversation; no more than one is in memory. Raises :class:`ExportChanged` where a log changed meanwhile."""
        for kind in KINDS:
            places = [place for place in self.places if place.kind is kind]
            if not places:
                continue
            with opened(Path(self.folder, kind.file)) as (file, identity):
                if identity != self.identities[kind.file]:
                    raise ExportChanged(kind.file)
                for place in places:
                    yield _conversation(file, place, encoded=kind.file in self.encoded)


def read_state(folder: str | os.PathLike[str]) -> OriginalState:
    """Look through a state folder. Raises :class:`UsageError` where it is none, and what reading a file raises."""
    folder = os.fspath(folder)
    there = [kind for kind in KINDS if os.path.lexists(os.path.join(folder, kind.file))]
    if not there:
        raise UsageError(
            f"no state of the original project is in {folder}",
            hint=f"It is a folder with {' or '.join(kind.file for kind in KINDS)}.",
        )
    survey = _Survey()
    for kind in there:
        with opened(Path(folder, kind.file)) as (file, identity):
            survey.identities[kind.file] = identity
            survey.look_through(file, kind)
    held = Held(frozenset(survey.hashes), survey.highest)
    claimed = claims(folder, held, survey.damage) if any(_is_there(folder, name) for name in INDEXES) else []
    return OriginalState(
        folder=folder,
        places=list(survey.places.values()),
        damage=survey.damage,
        claims=claimed,
        identities=survey.identities,
        encoded=frozenset(survey.encoded),
    )


def _is_there(folder: str, name: str) -> bool:
    return os.path.lexists(os.path.join(folder, name))


class _Survey:
    """What is found while the logs are looked through."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, str], _Place] = {}
        self.damage: list[str] = []
        self.identities: dict[str, Identity] = {}
        self.hashes: set[bytes] = set()
        self.highest: dict[str, int] = {}
        self.encoded: set[str] = set()

    def look_through(self, file: BinaryIO, kind: Kind) -> None:
        """Note where each line of a log belongs."""
        texts = encoded = proven = 0
        for entry in entries(file, kind):
            if isinstance(entry, Unreadable):
                self.damage.append(str(entry))
                continue
            if not entry.conversation and kind is CONVERSATION_LOG:
                self.damage.append(f"{kind.file}, line {entry.number}: it names no conversation; it is in {UNNAMED}")
            if not entry.is_text:
                self.damage.append(
                    f"{kind.file}, line {entry.number}: bytes that are no UTF-8; they are kept as they are"
                )
            name = entry.conversation or UNNAMED
            place = self.places.setdefault((kind.file, name), _Place(kind, name, array("q")))
            place.lines.extend((entry.number, entry.offset, entry.size))
            identity = digits(entry.identity)
            if identity is not None:
                self.hashes.add(identity)
            number = _index(entry)
            if kind is CONVERSATION_LOG and number is not None:
                self.highest[name] = max(number, self.highest.get(name, -1))
            texts += 1
            if isinstance(entry.message, dict) and undone(entry.message) is not None:
                encoded += 1
                proven += is_proven(entry.message, entry.identity)
        # In no conversation does everybody put all that is said into quotation marks; in one of two messages they may.
        if texts and encoded == texts and (not proven or texts >= _MANY):
            self.encoded.add(kind.file)


def _index(entry: Entry) -> Optional[int]:
    index = entry.message.get("index") if isinstance(entry.message, dict) else None
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _conversation(file: BinaryIO, place: _Place, *, encoded: bool) -> OriginalConversation:
    """Read the lines of a conversation. Where each message has a number of its own they say the order, else the log does."""
    digest = hashlib.sha256()
    size = 0
    read: list[tuple[Optional[int], Read]] = []
    odd: list[str] = []
    for at in range(0, len(place.lines), 3):
        number, offset, length = place.lines[at : at + 3]
        file.seek(offset)
        line = file.read(length)
        digest.update(line)
        size += length
        entry = entry_of(line, place.kind, number, offset)
        if isinstance(entry, Unreadable):
            raise ExportChanged(place.kind.file)
        found = messages_of(entry, encoded=encoded)
        if found.odd:
            odd.append(f"{place.kind.file}, line {number}: {found.odd}")
        read.append((_index(entry), found))
    numbers = {index for index, _ in read}
    if None not in numbers and len(numbers) == len(read):
        read.sort(key=lambda each: each[0] or 0)
    messages: tuple[Message, ...] = tuple(message for _, found in read for message in found.messages)
    more = [f"{len(odd) - _SAID} more entries were kept as they are"] if len(odd) > _SAID else []
    return OriginalConversation(
        kind=place.kind,
        name=place.name,
        is_named=place.kind is CONVERSATION_LOG,
        export=Export(format=ANY_OBJECT, messages=messages, warnings=(*odd[:_SAID], *more)),
        sha256=digest.hexdigest(),
        size=size,
        lines=len(read),
    )
