"""What is asked of a store that has a log (by verify, evidence, log), and of one that lies in a folder (by purge, repair, backup).

A store need not have or do either. Who cannot do without asks for it by name with :func:`require_log` and :func:`require_folder`;
who can, asks ``Store.log_backed`` and :func:`folder_of` and does without where the answer is None.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from ..errors import StoreKeepsNoFiles, StoreKeepsNoLog
from ..start.late_tuple import NamedTuple
from .contract import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from .audit_entries import AuditEntry
    from .database.place import Place
    from .hybrid.hybrid_store import HybridStore
    from .log.append_log import Log
    from .log.lines import Line, Record
    from .log_rewrite import Instead, Rewritten
    from .state.blobs import Blobs
    from .verification import Verified


class Remembered(NamedTuple):
    """What an index has of a log: the kind of each message by conversation and sequence number, the conversation of each export,
    which numbers were purged, and the log's head.
    """

    kinds: Mapping[str, list[str]] = MappingProxyType({})
    exports: Mapping[str, str] = MappingProxyType({})
    purged: Mapping[str, set[int]] = MappingProxyType({})
    head: str = ""


class LogMoment(NamedTuple):
    """A log as it was at one moment, and its blobs, for who only reads them; it ended with ``size`` and ``head`` then."""

    log: Log
    blobs: Blobs
    size: int
    head: str

    def log_size(self) -> int:
        """Bytes of its complete runs."""
        return self.size

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """Its lines from byte ``start`` on."""
        return self.log.lines(start, self.size if end is None else min(end, self.size))


class LogBackedStore(Store, Protocol):
    """A store with a log. Offsets are bytes from the beginning of the log, sealed or not."""

    blobs: Blobs
    """Where are the images and documents that its messages refer to?"""
    place: Place | None
    """In which database does it lie, or its log, too? None: in none."""

    def in_folder(self) -> FolderStore | None:
        """Does it lie in a folder? Then itself, with what can be asked of such a one."""

    # Inside a transaction:

    @property
    def head(self) -> str:
        """What is the head of the log?"""

    def log_size(self) -> int:
        """How many bytes does the log have?"""

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """Which lines does the log have from byte ``start`` on, damaged or not?"""

    def log_span(self, start: int, end: int) -> bytes:
        """Which bytes does the log have from ``start`` to ``end`` (half open)?"""

    def records(self, start: int = 0) -> Iterator[tuple[Line, Record]]:
        """What does each line of the log say, from byte ``start`` on?

        Raises ``StoreDamaged``: nobody can say what is in a damaged one.
        """

    def runs_of(self, conversation_ids: Collection[str], start: int = 0) -> Iterator[Record]:
        """What do the commit records of these conversations say, in the order of the log, from byte ``start`` on?

        Each of one that turned out to be another is asked for under its own id. Damaged lines are passed over.
        """

    def commits(self, start: int = 0) -> Iterator[Record]:
        """What do all commit records say, in the order of the log, from byte ``start`` on? Damaged lines are passed over."""

    def lost_blob_bytes(self) -> int:
        """How many bytes of images and documents that messages refer to are nowhere?"""

    def load(self, lines: Iterable[bytes], blob: Callable[[str], bytes] | None = None) -> Iterator[int]:
        """Take lines of another log, of whole runs, as they are, behind what is there: the size of the log as it grows, durably.

        ``blob`` gives the bytes of an image or a document by its hash, and raises ``BlobLost`` for those that are nowhere. Inside a
        transaction for writing. Raises ``Damaged`` for a line that no reader would take.
        """

    def audit(self) -> Iterator[AuditEntry]:
        """What does the audit say of the runs, in their order?"""

    def operations(self) -> Iterator[AuditEntry]:
        """What does it say of what was done besides, and of what failed, in their order? Nothing of it follows from the log."""

    # Outside of one:

    def note(self, entry: AuditEntry) -> None:
        """Add this to the :meth:`operations`; nothing where no store was ever made. Raises ``StoreError``."""

    def at_one_moment(self) -> AbstractContextManager[LogMoment]:
        """What is the log at one moment, while others go on?

        Raises ``LogReplaced`` at the end where somebody wrote lines anew meanwhile.
        """

    def verified(self, since: str = "") -> Verified:
        """What does ``verify`` say, and what the log as a chain, in which a head that begins with ``since`` is looked for?"""


class FolderStore(LogBackedStore, Protocol):
    """A store in a folder, with its log in files."""

    folder: str
    """Where does it lie?"""

    def hybrid(self) -> HybridStore | None:
        """Has a database its log, too? Then itself, with what can be asked of such a one."""

    @property
    def is_plain(self) -> bool:
        """Are all its files plain, with the content hashes as JSON and nothing sealed?"""

    def former_files(self) -> list[str]:
        """Which of its files, by name, are of an earlier version's format?"""

    def leave_plain(self) -> None:
        """Be one like any other from now on, if all its files were plain: the log is sealed. Raises ``StoreError``."""

    # Inside a transaction:

    def has_blob(self, digest: str) -> bool:
        """Is there an image or a document with this SHA-256?"""

    def rewrite_log(self, folder: str, instead: Instead) -> Rewritten:
        """Write the log anew into ``folder``, durably, with other lines in it; what is there stays as it is.

        Raises ``StoreDamaged`` and ``StoreNotWritable``.
        """

    def reopen(self) -> None:
        """Take notice of a log that was put in the place of the old one."""

    # Outside of one:

    def locked_log(self) -> AbstractContextManager[Log]:
        """Hold the store for whoever reads its log alone, whatever its index is like; nothing is created."""

    def unrecovered_log(self) -> AbstractContextManager[Log]:
        """Hold the store for whoever looks at its log as it lies there, damaged as it may be; nothing is recovered or created.

        But a purge that was stopped is finished: of half of one nothing can be told.
        """

    def remembered(self) -> Remembered:
        """What does the index have of the log, where it can be read and is sound? Whoever asks holds the store."""

    def rebuild(self, mend: Callable[[Log], list[str]] | None = None) -> list[str]:
        """Make every index anew from the log: one line for each thing that could not be saved.

        ``mend`` is called in the place of setting flipped bits right, under the lock; it may rewrite the log.
        """


def folder_of(store: Store) -> FolderStore | None:
    """``store`` as one in a folder; None where it is none."""
    found = store.log_backed()
    return found.in_folder() if found is not None else None


def folder_place(store: Store) -> Place | None:
    """In which database the log of a store in a folder lies, too; None where it is none."""
    found = folder_of(store)
    return found.place if found is not None else None


def place_of(store: Store) -> Place | None:
    """In which database a store lies, or its log, too; None for one in no database."""
    found = store.log_backed()
    return found.place if found is not None else None


def require_log(store: Store, purpose: str) -> LogBackedStore:
    """``store`` as one with a log. Raises :class:`StoreKeepsNoLog`; ``purpose`` is what needs one, as a noun."""
    found = store.log_backed()
    if found is None:
        raise StoreKeepsNoLog(f"there is none for {purpose}")
    return found


def require_folder(store: Store, purpose: str) -> FolderStore:
    """``store`` as one in a folder. Raises :class:`StoreKeepsNoFiles`; ``purpose`` is what needs one, as a noun."""
    found = folder_of(store)
    if found is None:
        raise StoreKeepsNoFiles(f"there is no log in a folder for {purpose}")
    return found
