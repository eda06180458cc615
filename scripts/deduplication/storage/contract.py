"""What the engine asks of a store, and the records that pass between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..start.late_dataclass import dataclass, field
from ..start.late_tuple import NamedTuple
from .prefix import Prefixes
from .runs import LoggedRuns

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from ..alignment.columns import Columns
    from ..alignment.fingerprint import Fingerprint
    from ..alignment.tombstone import Bans, Tombstone
    from ..figures.savings import Seen
    from ..model import Message
    from .conversation import Conversation
    from .log_backed import LogBackedStore
    from .prefix import Prefix


@dataclass(frozen=True)
class NewOccurrence:
    """A message to be stored. ``extends`` is the sequence number whose place it takes."""

    fingerprint: Fingerprint
    message: Message
    timestamp: str
    clock: str
    """Whose time ``timestamp`` is: ``source`` (the message's own) or ``capture``."""
    extends: int | None = None
    purged: Tombstone | None = None
    """Set where only this is to be stored of it: what it says was purged everywhere."""
    redrawn: bool = False
    """It says no more than the one it extends: another drawing of it, or what was written of what a screen drew."""


@dataclass(frozen=True)
class Cursor:
    """How far a growing file was read, as the commit record of its last capture says.

    ``source`` is its absolute path, ``session`` the session its lines name, ``offset`` the end of the last whole line read.
    ``prefix`` proves the bytes before it and ``after`` is what the reader of the next part must know: both are their makers'.
    ``last`` is the sequence number of the last message read from the file, -1 where there is none yet.
    """

    source: str
    session: str
    offset: int
    prefix: str
    after: str
    last: int


@dataclass(frozen=True)
class Same:
    """Another conversation turned out to be the one at hand: its ``count`` occurrences get the numbers from ``at`` on.

    ``pairs`` are (number here, number there, does that one take the place of this one) of what both of them hold.
    """

    conversation_id: str
    at: int
    count: int
    pairs: tuple[tuple[int, int, bool], ...]


@dataclass(frozen=True)
class ExportRecord:
    """What the log keeps of a processed export besides its messages.

    ``session`` is the session it belongs to, where it names one; ``cursor`` is set for a part of a growing file, ``follows``
    for one whose window goes on after that sequence number. ``new`` messages are announced by it, of a part of a growing file
    brought; ``captured`` of them were stored before. ``window`` holds inclusive ranges of sequence numbers in the order
    shown; ``breaks`` are positions in that list at which a further window begins, which does not follow the one before it;
    ``one`` are pairs of sequence numbers that it shows to be one message. ``known_bytes`` of the file show messages whose
    bodies were stored before; ``purged`` of its messages were purged before. ``prefix`` is what a longer export can be known by,
    ``titles`` are those of the client that the store did not know yet.
    """

    name: str
    sha256: str
    bytes: int
    format: str
    parser: int
    total: int
    new: int
    window: list[list[int]]
    breaks: list[int] = field(default_factory=list)
    one: list[tuple[int, int]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    session: str = ""
    cursor: Cursor | None = None
    follows: int = -1
    known_bytes: int = 0
    purged: int = 0
    captured: int = 0
    prefix: Prefix | None = None
    titles: tuple[tuple[str, str], ...] = ()
    announces: bool = True
    """False for an export that is only to be known before somebody processes it; never for a part of a growing file."""


@dataclass(frozen=True)
class SeenExport:
    """A file that was processed before: into which conversation, by which parser version, what it showed."""

    conversation_id: str
    parser: int
    format: str
    total: int
    window: list[list[int]]
    breaks: list[int] = field(default_factory=list)
    lost: bool = False
    """Messages of this conversation were lost with lines that were damaged; they may be some of these."""


@dataclass(frozen=True)
class ConversationFigures:
    """Counts of one conversation; ``unique`` and ``occurrences`` leave bookkeeping out, bytes are bytes on disk."""

    watermark: int
    occurrences: int
    unique: int
    bookkeeping: int
    exports: int
    captures: int
    messages_seen: int
    duplicates: int
    raw_bytes: int
    stored_bytes: int
    created_at: str
    updated_at: str
    purged: int = 0
    """Messages of which only the place is left; they are in no other count but ``messages_seen`` and ``duplicates``."""


class Counts(NamedTuple):
    """What a run comes to: messages ``stored`` in no form before, ``new`` that it announces, ``captured`` of them stored before."""

    stored: int = 0
    new: int = 0
    captured: int = 0


class Totals(NamedTuple):
    """What all runs come to; the law is in ``state/announcements.py``. ``redrawn``: what drawings of one message do to it."""

    unique: int = 0
    waiting: int = 0
    redrawn: int = 0

    @property
    def announced(self) -> int:
        """The sum of all announcements."""
        return self.unique + self.redrawn - self.waiting


class StoreFigures(NamedTuple):
    """What the figures of all conversations come to; what turned out to be another one counts as part of that one."""

    conversations: int = 0
    exports: int = 0
    captures: int = 0
    messages_seen: int = 0
    duplicates: int = 0

    def plus(self, **more: int) -> StoreFigures:
        """The same with more of some of them."""
        return self._replace(**{name: getattr(self, name) + count for name, count in more.items()})


class Mark(NamedTuple):
    """A mark of a kind that an export shows before the message with this number; -1: behind the last one."""

    kind: str
    number: int


class Store(Prefixes, LoggedRuns, Protocol):
    """A message store. Everything that changes it happens inside :meth:`transaction`."""

    def log_backed(self) -> LogBackedStore | None:
        """Does it lie in a folder, with a log? Then itself, with what can be asked of such a one; None where it keeps no files."""

    def where(self) -> str:
        """Where does it lie, for people? Nothing secret is in it."""

    warnings: list[str]
    """What should the user be told that is no failure? Whoever tells it empties the list."""

    def transaction(self, *, write: bool = True) -> AbstractContextManager[None]:
        """Hold the store for one writer (or reader: then nothing is created), recovered from whatever happened before."""

    def conversations(self) -> list[str]:
        """Which conversations are there? One that turned out to be another is not named apart."""

    def conversation(self, conversation_id: str) -> Conversation:
        """What is known under this very id (see :meth:`canonical`)? An unknown one gives an empty conversation."""

    def candidates(self, shown: Columns) -> Sequence[str]:
        """Which conversations share distinctive messages with this sequence, most of them first?"""

    def session(self, session_id: str) -> str:
        """Which conversation does this session belong to? Empty for an unknown one."""

    def has_session(self, conversation_id: str) -> bool:
        """Does any session belong to this conversation?"""

    def cursor(self, source: str) -> tuple[str, Cursor, int] | None:
        """How far was this file read, into which conversation, and which was the next sequence number afterwards?"""

    def cursors(self) -> list[tuple[str, Cursor]]:
        """Which growing files were read, how far, and into which conversation?"""

    def tip(self, conversation_id: str) -> int:
        """Which sequence number does the next new message of this conversation get?"""

    def known_uuids(self, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
        """Which of these ids are known, and under which sequence numbers, in ascending order?"""

    def body_hash(self, conversation_id: str, number: int) -> str:
        """Which body does this sequence number stand for?"""

    def has_body(self, content_hash: str) -> bool:
        """Is a body with this identity stored, in whatever conversation?"""

    def run_of(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        window: Iterable[Sequence[int]],
        *,
        captures: bool,
        besides: Container[str] = (),
    ) -> Counts:
        """What does a run come to that brings these occurrences and shows this window? ``captures``: it is part of a growing file.
        The bodies ``besides`` count as stored and announced.
        """

    def announced(self) -> Totals:
        """How many messages did exports announce as new, and how many that were captured wait for that?"""

    def bans(self) -> Bans:
        """What was purged wherever it is shown?"""

    def seen(self, sha256: str) -> Sequence[SeenExport]:
        """Was this very file processed before, and into what?"""

    def commit(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        record: ExportRecord,
        started: float,
        same: Sequence[Same] = (),
    ) -> None:
        """Store all of it or nothing, each message under its sequence number; durable when this returns.

        ``started`` is the ``time.perf_counter()`` at which work on the export began. ``same`` are conversations that the export
        shows to be this one, in the order of their numbers; from then on this one holds all that they hold.
        """

    def canonical(self, conversation_id: str) -> str:
        """Which conversation did this one turn out to be? Its own id, unless a later export united it with another."""

    def bodies(self, conversation_id: str, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The messages with these sequence numbers, each as a dictionary, in this order."""

    def figures(self, conversation_id: str) -> ConversationFigures:
        """What can be counted of a conversation?"""

    def store_figures(self) -> StoreFigures:
        """What do the figures of all conversations come to? It is kept, so that the answer costs the same whatever is stored."""

    def unique_count(self) -> int:
        """How many bodies are stored, bookkeeping aside?"""

    def byte_counts(self) -> tuple[int, int]:
        """Bytes of all distinct exports processed, and bytes of what was stored of their messages (without the archive)."""

    def seen_bytes(self) -> Seen:
        """How many bytes were processed, and how many of them were there before?"""

    def settle(self) -> None:
        """What was stored last is archived by now: leave out what the archive has, where that pays. Raises ``StoreError``."""

    def condense(self) -> None:
        """Make it smaller when nobody waits; what is in it stays the same. Others can use it meanwhile. Raises ``StoreError``."""

    def verify(self) -> list[str]:
        """Recount everything from the log: one line for each thing that is wrong, none where all is well."""

    def rebuild(self) -> list[str]:
        """Make every index anew from the log: one line for each thing that could not be saved."""
