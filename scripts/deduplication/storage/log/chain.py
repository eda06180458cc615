"""The log as a chain: each run names the head of the log before it, so that a head that somebody kept vouches for all before it.

Told line by line, whatever the length of the log. What a head is says ``lines.head_after``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, Optional

from ...start.late_dataclass import dataclass, field
from ...start.late_tuple import NamedTuple
from .lines import BEGINNING, PREVIOUS, head_after

if TYPE_CHECKING:
    from .lines import Record

REPLACED: Final = "replaced"
"""The member of a commit record that says which heads whoever wrote the log anew replaced, one for each time."""
PURGE: Final = "purge"
REPAIR: Final = "repair"
"""Who did."""


class Replaced(NamedTuple):
    """The heads of all runs behind the first ``kept`` of ``runs`` are others now; ``head`` was the last one. When, and by whom."""

    head: str
    runs: int
    kept: int
    at: str
    by: str

    def as_member(self) -> Record:
        """As a commit record has it."""
        return self._asdict()


@dataclass(frozen=True)
class Head:
    """The head of a log behind its run ``run``, counted from 1, which was stored at ``at``. ``run`` 0: nothing is stored."""

    digest: str = BEGINNING
    run: int = 0
    at: str = ""


@dataclass
class Chain:
    """What the lines of a log that were told so far come to, in its order.

    ``wanted`` are the first digits of a head that is looked for; ``found`` are the heads that begin so.
    """

    wanted: str = ""
    head: Head = field(default_factory=Head)
    broken: Optional[Head] = None
    """The head before the first run that cannot be believed to follow on all that stands before it."""
    found: list[Head] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    """When purges rewrote the log that were to leave nothing that was made of what they removed: no head either."""
    purged: dict[str, int] = field(default_factory=dict)
    """How many messages were purged, by the time."""
    size: int = 0
    """Bytes of the lines that were told."""
    exports: set[str] = field(default_factory=set)
    """The SHA-256 of each export of a run, but for parts of growing files."""

    def __post_init__(self) -> None:
        self._run = hashlib.sha256()
        self._readable = True
        self.readable = True
        """Whether every line of the run that was told last can be read."""

    def take(self, data: bytes, *, readable: bool = True) -> None:
        """The next line; one that cannot be read says nothing of its own, and counts with its bytes as they are."""
        self._run.update(data)
        self.size += len(data)
        self._readable = self._readable and readable

    def commit(self, record: Record) -> bool:
        """The line taken last was the commit record of a run. False where it names another head than that of what stands before it.

        Not where lines there cannot be read: that is said of them.
        """
        head, named = self.head, record.get(PREVIOUS, self.head.digest)
        agrees = named == head.digest
        if self.broken is None and not (agrees and self._readable):
            self.broken = head
        digest = self._run.hexdigest()
        self.head = Head(head_after(head.digest, digest, record), head.run + 1, str(record.get("timestamp")))
        if self.wanted and self.head.digest.startswith(self.wanted):
            self.found.append(self.head)
        self._note(record)
        excused = not (self.readable and self._readable)
        self._run = hashlib.sha256()
        self.readable, self._readable = self._readable, True
        return agrees or excused

    def _note(self, record: Record) -> None:
        """What a record says of its export, and of heads that are no more."""
        export: Any = record.get("export")
        if record.get("cursor") is None and isinstance(export, dict):
            self.exports.add(str(export.get("sha256")))
        self.replaced += replaced_of(record)
        figures = record.get(PURGE)
        if isinstance(figures, dict):
            at = str(record.get("timestamp"))
            messages = figures.get("messages")
            self.purged[at] = self.purged.get(at, 0) + (messages if type(messages) is int else 0)
            if figures.get("forgotten") and at not in self.forgotten:
                self.forgotten.append(at)

    def vouches(self) -> bool:
        """Whether the one head that was looked for is there, and nothing before it was changed."""
        return len(self.found) == 1 and (self.broken is None or self.found[0].run <= self.broken.run)


def replaced_of(record: Record) -> list[Replaced]:
    """The entries of a record about heads that are no more, those that have their form."""
    found: Any = record.get(REPLACED)
    entries = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    told: list[list[Any]] = [[each.get(name) for name in Replaced._fields] for each in entries]
    return [Replaced(*each) for each in told if list(map(type, each)) == [str, int, int, str, str]]


class Relinking:
    """A log that is written anew, run by run: what each run named before it names still, with the head that stands there now.

    A run that named another head than that of the bytes before it goes on naming it: nobody is to make a change undone.
    """

    def __init__(self) -> None:
        self.before = self.now = BEGINNING
        self.runs = self.kept = 0
        """Runs that were told, and up to which of them nobody can tell the new log from the old one."""

    def name(self, record: Record) -> Record:
        """A commit record of the old log as it is to be, where it stands now."""
        if record.get(PREVIOUS) == self.before != self.now:
            return {**record, PREVIOUS: self.now}
        return record

    def added(self, record: Record) -> Record:
        """A commit record that the old log did not have, or that says something else now."""
        return {**{name: value for name, value in record.items() if name != PREVIOUS}, PREVIOUS: self.now}

    def take(self, before: tuple[str, Record] | None, now: tuple[str, Record]) -> None:
        """A run as it was and as it is: the SHA-256 of its lines, and its commit record. ``before`` None: there was none."""
        if before is not None:
            self.before = head_after(self.before, *before)
            self.runs += 1
        self.now = head_after(self.now, *now)
        if self.now == self.before:
            self.kept = self.runs

    def replaced(self, at: str, by: str) -> Replaced | None:
        """What is to be noted once all is told; None where the last head is what it was."""
        return None if self.now == self.before else Replaced(self.before, self.runs, self.kept, at, by)
