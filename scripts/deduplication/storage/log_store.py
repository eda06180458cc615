"""The store in a folder: the log, and beside it an index that can be deleted at any time.

The log is written first and is durable before anything else happens; the index follows. What the index lacks of the log is
replayed, and an index that is missing or damaged is made again.
"""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from array import array
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..alignment.message_sequence import MANY
from ..alignment.overlap import telling
from ..alignment.seams import at_seams
from ..errors import StoreDamaged, StoreError, StoreNotPrivate, StoreNotWritable
from ..files import atomic, folder_swap, journal, lock_names, locking
from ..model import LOST, PURGED, SYSTEM
from ..project.own_place import require_inside
from .footprint import LOG, footprint
from .index import sqlite_file
from .index.checked_entries import IndexDamaged
from .index.contract import AUDIT, AuditMark
from .index.json_index import JsonIndex
from .index.sqlite_index import SqliteIndex
from .log.append_log import Log
from .log.lines import Extent, encode_line
from .log.records import PURGED as TOMBSTONE
from .log.records import commit_record, occurrence_record, same_record, tombstone_from
from .recount import clean_blobs, counted_anew, heal, recount, replay
from .state import blobs
from .state.log_state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from ..alignment.columns import Columns
    from ..alignment.tombstone import Bans
    from ..figures.savings import Seen
    from .contract import ConversationFigures, Cursor, ExportRecord, NewOccurrence, Same, SeenExport
    from .index.contract import Index
    from .log.lines import Record
    from .state.announcements import Counts, Totals
    from .state.conversation import ConversationState

LOG_NAME: Final = LOG
LOCK: Final = lock_names.LOCK
QUARANTINE: Final = "quarantine"
INDEX_NAMES: Final = (*JsonIndex.files, *sqlite_file.FILES, AUDIT)
LARGE: Final = 5_000
"""Messages from which on an SQLite index takes the place of the JSON files: those are read and written whole."""


OPEN: Final = 64 * 1024
"""Bytes from which on the open part of the log is sealed."""
_SHORT: Final = 200
"""Characters of a body up to which it is kept while many messages are read: short ones repeat."""
_REMEMBERED: Final = 1_000
_AUDIT_TAIL: Final = 64 * 1024
"""Bytes at the end of the audit file that are looked at: far more than what a system keeps back for half a minute."""


class Remembered(NamedTuple):
    """What an index has of a log: content hashes by conversation and sequence number, the conversation of each export, and
    which numbers were purged.
    """

    hashes: Mapping[str, list[str]] = MappingProxyType({})
    exports: Mapping[str, str] = MappingProxyType({})
    purged: Mapping[str, set[int]] = MappingProxyType({})


class LogStore:
    """A store in one folder (see :class:`~.base.Store` for what each method promises).

    ``sqlite``: an SQLite index from the first message on, not only for a large store.
    """

    def __init__(self, folder: str, *, sqlite: bool = False, timeout: float = locking.DEFAULT_TIMEOUT) -> None:
        self.folder = folder
        folder_swap.recover_exchange(folder)
        self.log = Log(os.path.join(folder, LOG_NAME))
        self.blobs = blobs.Blobs.beside(self.log.path)
        self.warnings: list[str] = []
        self._sqlite = sqlite
        self._timeout = timeout
        self._index: Index = JsonIndex(folder)
        self._state = State()
        self._loaded: tuple[object, ...] = ()
        self._audit = AuditMark()
        self._depth = 0

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    # -- opening and recovery ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Hold the lock; on entry the index agrees with the log. With ``write=False`` nothing is created."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        require_inside(self.folder)
        if not write and not os.path.isdir(self.folder):
            yield
            return
        journal.recover(self.folder)
        if write:
            self._prepare()
        with contextlib.ExitStack() as stack:
            self._lock(stack, write=write)
            if write:
                self._ignore()
            self._refresh(write=write)
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0

    def reopen(self) -> None:
        """Inside a transaction for writing: take notice of a log that was put in the place of the old one."""
        self._loaded = ()
        asked = self._sqlite
        self._sqlite = self.has_sqlite
        try:
            self._refresh(write=True)
        finally:
            self._sqlite = asked

    @property
    def has_sqlite(self) -> bool:
        """Whether the index is an SQLite database, as it was asked for or because the store is large."""
        return self._sqlite or isinstance(self._index, SqliteIndex)

    def _prepare(self) -> None:
        with atomic.write_errors(self.folder):
            if os.path.isdir(self.folder) and hasattr(os, "geteuid"):
                owner = os.stat(self.folder).st_uid  # before anything is changed: not even the mode is ours to set
                if owner != os.geteuid() != 0:
                    raise StoreNotPrivate(self.folder)
            atomic.make_private_directory(self.folder)

    def _lock(self, stack: contextlib.ExitStack, *, write: bool) -> None:
        try:
            stack.enter_context(locking.exclusive(self._path(LOCK), self._timeout))
        except StoreNotWritable:
            if write:
                raise  # a reader of a read-only store needs no lock: nobody can write

    def _ignore(self) -> None:
        hide(self.folder)

    def _identity(self) -> tuple[object, ...]:
        identity = self._index.identity()
        return (*identity, self.log.size()) if identity else ()

    def _refresh(self, *, write: bool) -> None:
        """Bring the state in memory up to the log: reuse, load, replay the tail, or make all anew."""
        self.log.settle(write=write)
        self._use(sqlite=self._sqlite or os.path.lexists(self._path(sqlite_file.NAME)))
        self._index.writable = write
        identity = self._identity()
        if identity and identity == self._loaded:
            return
        self._loaded = ()
        loaded = self._index.load() if identity else None
        if loaded is not None and not self._audit_goes_to(loaded[1], write=write):
            loaded = None
        self._state, self._audit = loaded or (State(), AuditMark())
        size = self.log.size()
        if size < self._state.size:
            raise StoreDamaged(
                f"{self.log.path} is {self._state.size - size:,} bytes shorter than it was when it was last written",
                hint="Put back a copy of the file, or run 'deduplicate_export.py rebuild' to go on with what is there.",
            )
        if size > self._state.size or loaded is None:
            self._catch_up(write=write)
        else:
            self._loaded = identity

    def _use(self, *, sqlite: bool) -> None:
        """Choose the kind of index."""
        sqlite = sqlite and sqlite_file.available()
        if sqlite != isinstance(self._index, SqliteIndex):
            anew = partial(counted_anew, self.log)
            self._index = SqliteIndex(self.folder, anew) if sqlite else JsonIndex(self.folder)
            self._loaded = ()

    def _audit_goes_to(self, mark: AuditMark, *, write: bool) -> bool:
        """Does the audit file hold what the index accounts for? What a killed run appended beyond that is cut off.

        It is not synced: a power cut may leave it as long as it was, with zeros in the place of the last lines.
        """
        try:
            with atomic.open_regular(self._path(AUDIT)) as file:
                status = os.fstat(file.fileno())
                file.seek(max(mark.size - _AUDIT_TAIL, 0))
                tail = file.read(_AUDIT_TAIL)
        except FileNotFoundError:
            return mark.size == 0
        except OSError:
            return False
        if status.st_size < mark.size or b"\0" in tail:
            return False
        if write and status.st_size > mark.size:
            atomic.truncate(self._path(AUDIT), mark.size)
        return True

    def _catch_up(self, *, write: bool) -> None:
        """Replay what the index lacks; put aside what a run that did not finish left behind."""
        audit = b"".join(replay(self.log, self._state))
        committed = self._state.size
        if write:
            atomic.remove_temporaries(self.folder)
            if self.log.size() > committed:
                self.warnings.append(self._put_aside(committed))
            self._write_index(audit)

    def _put_aside(self, committed: int) -> str:
        """Move what stands behind the last complete run into the quarantine folder; says so in a line."""
        folder = self._path(QUARANTINE)
        name = f"unfinished-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{committed}.jsonl"
        if os.path.islink(folder):
            raise StoreNotWritable(f"{folder} is a link", hint="Remove the link, then run the command again.")
        with atomic.write_errors(folder):
            atomic.make_private_directory(folder)
        self.log.cut(committed, os.path.join(folder, name))
        return f"an earlier run did not finish; its part was moved to {QUARANTINE}/{name}, run its export again"

    def _write_index(self, audit: bytes) -> None:
        """Bring the index up to the state. A failure is a warning: the log has everything, the next run makes it again."""
        try:
            if self._audit.size:
                atomic.append(self._path(AUDIT), audit, durable=False)
            else:
                atomic.replace(self._path(AUDIT), audit)
            self._audit = AuditMark(self._audit.size + len(audit), zlib.crc32(audit, self._audit.crc32))
            if self._state.occurrences >= LARGE:
                self._use(sqlite=True)
            self._index.save(self._state, self._audit)
            if isinstance(self._index, SqliteIndex):
                JsonIndex(self.folder).remove()  # of the time when the store was small
            if self.log.open_size() > OPEN and not self._state.unreadable:
                self.log.seal(self._state.size)
            self._loaded = self._identity()
        except StoreNotWritable as error:
            self._loaded = ()
            self.warnings.append(f"{error}. The messages are stored; the indexes will be made again by the next run")

    # -- the contract of base.Store ----------------------------------------------------------------------------

    def conversations(self) -> list[str]:
        """Ids of all conversations, in the order in which they were begun."""
        return [name for name, found in self._state.conversations.items() if not found.adopted_by]

    def conversation(self, conversation_id: str) -> ConversationState:
        """What is known of a conversation."""
        return self._state.conversation(conversation_id)

    def canonical(self, conversation_id: str) -> str:
        """The conversation that this one turned out to be."""
        return self._state.canonical(conversation_id)[0]

    def candidates(self, shown: Columns) -> Sequence[str]:
        """Conversations that share telling turns, or a stretch at a seam, the one that shares most first."""
        shared: dict[str, int] = {}
        for found in (
            self._index.candidates(self._state, telling(shown)),
            self._index.holding(self._state, at_seams(shown)),
        ):
            for name, count in found.items():
                root = self.canonical(name)
                shared[root] = max(shared.get(root, 0), count)
        return sorted((name for name, count in shared.items() if count), key=lambda name: -shared[name])

    def session(self, session_id: str) -> str:
        """The conversation of a session."""
        found = self._state.sessions.get(session_id)
        return self.canonical(found) if found else ""

    def has_session(self, conversation_id: str) -> bool:
        """True where a session belongs to this conversation."""
        return self.conversation(conversation_id).has_session

    def cursor(self, source: str) -> tuple[str, Cursor, int] | None:
        """How far a growing file was read."""
        entry = self._state.cursors.get(source)
        return self._placed(entry) if entry else None

    def _placed(self, entry: list[Any]) -> tuple[str, Cursor, int]:
        """A cursor in the conversation that its own turned out to be; nothing may be added behind it unseen there."""
        name, cursor, tip, _ = entry
        root, at = self._state.canonical(name)
        if root == name:
            return name, cursor, tip
        return root, replace(cursor, last=cursor.last + at if cursor.last >= 0 else -1), -1

    def cursors(self) -> list[tuple[str, Cursor]]:
        """Every growing file that was read."""
        return [self._placed(entry)[:2] for entry in self._state.cursors.values()]

    def tip(self, conversation_id: str) -> int:
        """The next sequence number."""
        return len(self.conversation(conversation_id))

    def known_uuids(self, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
        """Sequence numbers of these ids."""
        return self._index.known_uuids(self._state, conversation_id, uuids)

    def body_hash(self, conversation_id: str, number: int) -> str:
        """The content hash of an occurrence."""
        return self.conversation(conversation_id).row(number)[0].content_hash

    def has_body(self, content_hash: str) -> bool:
        """True where a body with this identity is stored."""
        return self._state.bodies.offset(content_hash) is not None

    def run_of(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        window: Iterable[Sequence[int]],
        *,
        captures: bool,
        besides: Container[str] = (),
    ) -> Counts:
        """What a run comes to."""
        return self._state.run_of(conversation_id, occurrences, window, captures=captures, besides=besides)

    def announced(self) -> Totals:
        """What was announced as new, and what waits."""
        return self._state.announced.totals()

    def bans(self) -> Bans:
        """What was purged wherever it is shown."""
        return self._state.bans()

    def seen(self, sha256: str) -> Sequence[SeenExport]:
        """What became of this very file before."""
        return self._state.seen(sha256)

    def commit(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        record: ExportRecord,
        started: float,
        same: Sequence[Same] = (),
    ) -> None:
        """Append the run to the log, durably, then bring the index up to it."""
        later = [same_record(conversation_id, each) for each in same]
        later.append(commit_record(conversation_id, record, started))
        endings = [encode_line(entry) for entry in later]
        # A million records would fill the memory: those are made once more instead of kept.
        few = list(self._entries(conversation_id, occurrences, record.sha256)) if len(occurrences) <= MANY else None
        sizes = array("q")
        lifted: dict[int, Record] = {}

        def lines() -> Iterator[bytes]:
            for entry in few or self._entries(conversation_id, occurrences, record.sha256):
                stored = self.blobs.lifted(entry)
                if stored is not entry:
                    lifted[len(sizes)] = stored
                data = encode_line(stored)
                sizes.append(len(data))
                yield data
            yield from endings[:-1]

        start = self._state.size
        self.log.append_run(lines(), endings[-1])
        entries = few or self._entries(conversation_id, occurrences, record.sha256)
        for position, (entry, size, (_, new)) in enumerate(zip(entries, sizes, occurrences)):
            self._state.apply(lifted.get(position, entry), Extent(start, size), new.fingerprint)
            start += size
        audit = []
        for entry, data in zip(later, endings):
            audit.append(self._state.apply(entry, Extent(start, len(data))))
            start += len(data)
        self._write_index(b"".join(audit))

    def _entries(
        self, conversation_id: str, occurrences: Sequence[tuple[int, NewOccurrence]], sha256: str
    ) -> Iterator[Record]:
        """The record of each occurrence; the first one of a body that is not stored carries it."""
        carried: set[str] = set()
        for number, occurrence in occurrences:
            identity = occurrence.fingerprint.content_hash
            carries = occurrence.purged is None and identity not in carried and not self.has_body(identity)
            if carries:
                carried.add(identity)
            yield occurrence_record(conversation_id, number, occurrence, sha256, carries=carries)

    def bodies(self, conversation_id: str, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Messages by sequence number: ``index``, ``role``, ``kind``, ``content``, ``content_hash``, ``timestamp`` ..."""
        state = self.conversation(conversation_id)
        if len(numbers) > len(state) // 4:
            state.lines  # noqa: B018 - most of them: all rows at once cost less than each by itself
        places = array("q", map(state.line, numbers))
        own = self.log.records(place for place in places if place >= 0)
        carried: dict[str, dict[str, Any]] = {}
        for number, place in zip(numbers, places):
            if place < 0:
                yield {"index": number, "role": "system", "kind": LOST, "content": "", "content_hash": ""}
                continue
            record = next(own)
            if (record["conversation_id"], record.get("index")) != (state.origin(number) or (conversation_id, number)):
                raise StoreDamaged(f"{self.log.path}, byte {place}: not the message that the index says")
            identity = record["content_hash"]
            if TOMBSTONE in record:
                yield _purged(record, number)
                continue
            if "message" in record:
                message = record["message"]
            else:
                message = carried.get(identity) or self._carried(identity)
                if identity not in carried and _is_short(message):
                    if len(carried) >= _REMEMBERED:
                        carried.clear()
                    carried[identity] = message
            yield {
                "index": number,
                "role": message["role"],
                "kind": message["kind"],
                "content": self.blobs.restored(message),
                "content_hash": identity,
                "timestamp": record["timestamp"],
                "clock": record["source"]["clock"],
                "fidelity": message.get("fidelity", "layout"),
                **{name: record[name] for name in ("source_index", "uuid") if name in record},
                **({"extends": state.extends[number]} if number in state.extends else {}),
            }

    def _carried(self, identity: str) -> dict[str, Any]:
        """The body that another line carries."""
        offset = self._state.bodies.offset(identity)
        if offset is None:
            raise StoreDamaged(f"{self.log.path}: no line carries the body {identity[:12]}…")
        message: dict[str, Any] = self.log.record(offset)["message"]
        return message

    def figures(self, conversation_id: str) -> ConversationFigures:
        """Counts of a conversation."""
        return self._state.figures(conversation_id)

    def unique_count(self) -> int:
        """Bodies stored, bookkeeping aside."""
        return self._state.unique

    def byte_counts(self) -> tuple[int, int]:
        """Bytes of all distinct exports processed, and those that the folder takes on the disk."""
        return self._state.seen_bytes.distinct, footprint(self.folder).stored

    def seen_bytes(self) -> Seen:
        """Bytes of everything that was processed."""
        return self._state.seen_bytes

    def condense(self) -> None:
        """Seal what is open, compress slowly what was compressed quickly, and take the holes out of the index."""
        if not os.path.isdir(self.folder):
            return
        with self.transaction():
            if self.log.open_size():
                self.log.seal(self._state.size)
                self._loaded = self._identity()
            self.log.sealed.tidy()
            todo = self.log.sealed.improvable()
        for segment in todo:
            better = self.log.sealed.improved(segment)
            if better is not None:
                with self.transaction():
                    self.log.sealed.exchange(segment, *better)
        with self.transaction():
            self._index.condense()

    # -- verify and rebuild ------------------------------------------------------------------------------------

    def verify(self) -> list[str]:
        """Recount everything from the log; call it outside a transaction."""
        if not os.path.isdir(self.folder):
            return []
        with contextlib.ExitStack() as stack:
            self._lock(stack, write=False)
            self.log.settle(write=False)
            self._use(sqlite=self._sqlite or os.path.lexists(self._path(sqlite_file.NAME)))
            self._state, problems, audit, _ = recount(self.log)
            self._loaded = ()
            problems += self._index.compare(self._state, AuditMark(len(audit), zlib.crc32(audit)))
            problems += self._compare_audit(audit)
        return problems

    def _compare_audit(self, expected: bytes) -> list[str]:
        try:
            with atomic.open_regular(self._path(AUDIT)) as file:
                same = file.read() == expected
        except FileNotFoundError:
            return [f"{AUDIT}: missing (an index; 'rebuild' makes it again)"] if self._state.size else []
        except OSError as error:
            return [f"{AUDIT}: {error.strerror or error}"]
        return [] if same else [f"{AUDIT}: does not say what the log says (an index; 'rebuild' makes it again)"]

    @contextlib.contextmanager
    def held(self) -> Iterator[Log]:
        """The log under the store's lock, whatever state it and its index are in; nothing is recovered or created.

        But a purge that was stopped is finished: of half of one nothing can be told.
        """
        journal.recover(self.folder)
        with contextlib.ExitStack() as stack:
            if os.path.isdir(self.folder):
                self._lock(stack, write=False)
            yield self.log

    def remembered(self) -> Remembered:
        """What the index has of the log, where it can be read and is sound. Whoever calls this holds the lock."""
        self._use(sqlite=self._sqlite or os.path.lexists(self._path(sqlite_file.NAME)))
        try:
            loaded = self._index.load() if self._index.identity() else None
            if loaded is None:
                return Remembered()
            state = loaded[0]
            hashes = {name: list(each.columns.hashes) for name, each in state.conversations.items()}
            exports = {sha256: str(seen[-1][0]) for sha256, seen in state.exports.items()}
            purged = {name: set(each.purged) for name, each in state.conversations.items() if each.purged}
        except (StoreError, IndexDamaged, ValueError, OSError):
            return Remembered()
        return Remembered(hashes, exports, purged)

    def _remembered_size(self) -> int:
        """How many bytes of the log the index accounts for, 0 where there is none that can be read."""
        self._use(sqlite=self._sqlite or os.path.lexists(self._path(sqlite_file.NAME)))
        try:
            loaded = self._index.load() if self._index.identity() else None
        except (StoreError, IndexDamaged, ValueError, OSError):
            return 0
        return loaded[0].size if loaded is not None else 0

    def rebuild(self, mend: Callable[[], list[str]] | None = None) -> list[str]:
        """Make the index anew. Damaged lines are healed where one bit was flipped, else passed over and named.

        What stands behind the last complete run is put aside, as the next run would do. ``mend`` is called in the place of
        healing, under the lock; it may rewrite the log.
        """
        journal.recover(self.folder)
        self._prepare()
        with locking.exclusive(self._path(LOCK), self._timeout):
            self._ignore()
            for name in INDEX_NAMES:
                if os.path.isdir(self._path(name)):
                    raise StoreError(f"{self._path(name)} is a folder", hint="Move it away, then rebuild again.")
            self._audit = AuditMark()
            atomic.remove_temporaries(self.folder)
            self.log.settle(write=True)
            shorter = self._remembered_size() > self.log.size()
            problems = mend() if mend is not None else heal(self.log)
            self._state, found, audit, committed = recount(self.log)
            if committed < self.log.size():
                found.append(self._put_aside(committed))
                self._state, _, audit, _ = recount(self.log)
            # A line that cannot be read, or that is gone, may refer to a blob: then each of them is kept.
            if not (self._state.unreadable or shorter or mend is not None) and self.log.size():
                clean_blobs(self.log)
            self._use(sqlite=self._sqlite or self._state.occurrences >= LARGE)
            if not isinstance(self._index, SqliteIndex):
                sqlite_file.remove(self.folder)
            self._write_index(audit)
        return [*problems, *found]


def hide(folder: str) -> None:
    """Have git ignore the store's folder."""
    ignore = os.path.join(folder, ".gitignore")
    if not os.path.exists(ignore):
        atomic.replace(ignore, b"# Private state: never committed.\n*\n", durable=False)


def _is_short(message: Record) -> bool:
    content = message["content"]
    return isinstance(content, str) and len(content) <= _SHORT


def _purged(record: Record, number: int) -> dict[str, Any]:
    """What can be told of a message that was purged."""
    return {
        "index": number,
        "role": SYSTEM,
        "kind": PURGED,
        "content": "",
        "content_hash": "",
        "tombstone": tombstone_from(record),
        **{name: record[name] for name in ("source_index", "uuid", "extends") if name in record},
    }
