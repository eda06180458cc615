"""The JSON backend: the log, and beside it indexes that can be deleted at any time.

The log is written first and is durable before anything else happens. The indexes are replaced afterwards, without
waiting for the disk: each carries or is named with a checksum, and one that does not match is made again from the log.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

from .. import atomic, locking
from ..errors import StoreDamaged, StoreError, StoreNotPrivate, StoreNotWritable
from ..model import LOST
from ..overlap import TURNS, telling
from . import healing
from .log import Damaged, Line, Log, decode_line, encode_line, is_commit
from .records import commit_record, occurrence_record
from .recount import heal, recount
from .state import ConversationState, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..columns import Columns
    from .base import ConversationFigures, Cursor, ExportRecord, NewOccurrence, SeenExport
    from .log import Record

LOG_NAME: Final = "conversation_log.jsonl"
WATERMARKS: Final = "watermarks.json"
HASHES: Final = "content_hashes.json"
AUDIT: Final = "deduplication_log.jsonl"
INDEX: Final = "alignment_index.json"
LOCK: Final = ".lock"
QUARANTINE: Final = "quarantine"
INDEX_NAMES: Final = (WATERMARKS, HASHES, AUDIT, INDEX)
_VERSION: Final = 2


class JsonStore:
    """A store in one folder (see :class:`~.base.Store` for what each method promises)."""

    def __init__(self, folder: str, *, timeout: float = locking.DEFAULT_TIMEOUT) -> None:
        self.folder = folder
        self.log = Log(os.path.join(folder, LOG_NAME))
        self.warnings: list[str] = []
        self._timeout = timeout
        self._state = State()
        self._loaded: tuple[int, ...] = ()
        self._audit = (0, 0)
        self._behind: list[bytes] = []
        """Audit lines of runs that the indexes do not have yet: those of one long transaction."""
        self._depth = 0

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    # -- opening and recovery ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Hold the lock; on entry the indexes agree with the log. With ``write=False`` nothing is created."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        if not write and not os.path.isdir(self.folder):
            yield
            return
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
                if self._behind:
                    self._write_indexes(b"")

    def _prepare(self) -> None:
        with atomic.write_errors(self.folder):
            atomic.make_private_directory(self.folder)
            if hasattr(os, "geteuid") and os.stat(self.folder).st_uid != os.geteuid() != 0:
                raise StoreNotPrivate(self.folder)

    def _lock(self, stack: contextlib.ExitStack, *, write: bool) -> None:
        try:
            stack.enter_context(locking.exclusive(self._path(LOCK), self._timeout))
        except StoreNotWritable:
            if write:
                raise  # a reader of a read-only store needs no lock: nobody can write

    def _ignore(self) -> None:
        ignore = self._path(".gitignore")
        if not os.path.exists(ignore):
            atomic.replace(ignore, b"# Private state: never committed.\n*\n", durable=False)

    def _identity(self) -> tuple[int, ...]:
        try:
            index = os.lstat(self._path(INDEX))
        except FileNotFoundError:
            return ()
        return (index.st_ino, index.st_size, index.st_mtime_ns, self.log.size())

    def _refresh(self, *, write: bool) -> None:
        """Bring the state in memory up to the log: reuse, load, replay the tail, or make all anew."""
        identity = self._identity()
        if identity and identity == self._loaded:
            return
        state = self._load()
        if state is None:
            state = State()
            self._audit = (0, 0)
        self._state = state
        size = self.log.size()
        if size < state.size:
            raise StoreDamaged(
                f"{self.log.path} is {state.size - size:,} bytes shorter than it was when it was last written",
                hint="Put back a copy of the file, or run 'deduplicate_export.py rebuild' to go on with what is there.",
            )
        if size > state.size or not identity:
            self._catch_up(write=write)
        else:
            self._loaded = identity

    def _load(self) -> State | None:
        """The state as the index files have it; None where they are missing, damaged or of another version."""
        try:
            with atomic.open_regular(self._path(INDEX)) as file:
                index = decode_line(file.read())
            if index["version"] != _VERSION:
                return None
            files: dict[str, bytes] = {}
            for name in (HASHES, WATERMARKS):
                with atomic.open_regular(self._path(name)) as file:
                    files[name] = file.read()
                if [len(files[name]), zlib.crc32(files[name])] != index["files"][name]:
                    return None
            audit = index["files"][AUDIT]
            status = os.lstat(self._path(AUDIT))
            if not stat.S_ISREG(status.st_mode) or status.st_size != audit[0]:
                return None
            self._audit = (audit[0], audit[1])
            return State.from_dict(index["state"], json.loads(files[HASHES]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _catch_up(self, *, write: bool) -> None:
        """Replay what the indexes lack; put aside what a run that did not finish left behind."""
        self._loaded = ()
        committed = self._state.size
        pending: list[tuple[Line, Record]] = []
        audit: list[bytes] = []
        for line in self.log.lines(committed):
            where = f"{self.log.path}, byte {line.offset}"
            try:
                record = decode_line(line.data)
            except Damaged as error:
                if not self._is_torn(line):
                    raise StoreDamaged(f"{where}: {error}") from error
                break
            pending.append((line, record))
            if is_commit(record):
                try:
                    audit.extend(self._state.apply(one, of) for of, one in pending)
                except Damaged as error:
                    raise StoreDamaged(f"{where}: {error}") from error
                committed, pending = line.end, []
        if write:
            atomic.remove_temporaries(self.folder)
            if self.log.size() > committed:
                self.warnings.append(self._put_aside(committed))
            self._write_indexes(b"".join(audit))

    def _is_torn(self, bad: Line) -> bool:
        """Did a run that was cut off write this line? Not if a run is complete behind it or one bit flipped in it."""
        for line in self.log.lines(bad.end):
            with contextlib.suppress(Damaged):
                if is_commit(decode_line(line.data)):
                    return False
        return not healing.patches(self.log.tail(bad.offset))

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

    # -- the indexes on disk -----------------------------------------------------------------------------------

    def _index_files(self, audit: tuple[int, int]) -> dict[str, bytes]:
        watermarks = _dump(self._state.watermarks())
        hashes = _dump(self._state.content_hashes())
        files = {
            WATERMARKS: [len(watermarks), zlib.crc32(watermarks)],
            HASHES: [len(hashes), zlib.crc32(hashes)],
            AUDIT: list(audit),
        }
        index = {"conversation_id": "", "version": _VERSION, "files": files, "state": self._state.as_dict()}
        return {WATERMARKS: watermarks, HASHES: hashes, INDEX: encode_line(index)}

    def _write_indexes(self, audit: bytes) -> None:
        """Write every index. A failure is a warning: the log has everything and the next run makes them again."""
        audit, self._behind = b"".join([*self._behind, audit]), []
        try:
            if self._audit[0]:
                atomic.append(self._path(AUDIT), audit, durable=False)
            else:
                atomic.replace(self._path(AUDIT), audit, durable=False)
            self._audit = (self._audit[0] + len(audit), zlib.crc32(audit, self._audit[1]))
            for name, data in self._index_files(self._audit).items():
                atomic.replace(self._path(name), data, durable=False)
            self._loaded = self._identity()
        except StoreNotWritable as error:
            self._loaded = ()
            self.warnings.append(f"{error}. The messages are stored; the indexes will be made again by the next run")

    # -- the contract of base.Store ----------------------------------------------------------------------------

    def conversations(self) -> list[str]:
        """Ids of all conversations, in the order in which they were begun."""
        return list(self._state.conversations)

    def conversation(self, conversation_id: str) -> ConversationState:
        """What is known of a conversation."""
        return self._state.conversation(conversation_id)

    def candidates(self, shown: Columns) -> Sequence[str]:
        """Conversations that share telling turns, the one that shares most first."""
        wanted = telling(shown)
        shared = {
            name: sum(state.columns.kinds[n] in TURNS for n, k in enumerate(state.columns.keys) if k in wanted)
            for name, state in self._state.conversations.items()
            if not wanted.isdisjoint(state.columns.keys)
        }
        return sorted((name for name, count in shared.items() if count), key=lambda name: -shared[name])

    def session(self, session_id: str) -> str:
        """The conversation of a session."""
        return self._state.sessions.get(session_id, "")

    def has_session(self, conversation_id: str) -> bool:
        """True where a session belongs to this conversation."""
        return conversation_id in self._state.sessions.values()

    def cursor(self, source: str) -> tuple[str, Cursor, int] | None:
        """How far a growing file was read."""
        entry = self._state.cursors.get(source)
        return (entry[0], entry[1], entry[2]) if entry else None

    def cursors(self) -> list[tuple[str, Cursor]]:
        """Every growing file that was read."""
        return [(entry[0], entry[1]) for entry in self._state.cursors.values()]

    def tip(self, conversation_id: str) -> int:
        """The next sequence number."""
        return len(self.conversation(conversation_id).lines)

    def known_uuids(self, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
        """Sequence numbers of these ids."""
        wanted = set(uuids)
        found: dict[str, list[int]] = {}
        for number, uuid in enumerate(self.conversation(conversation_id).columns.uuids):
            if uuid in wanted:
                found.setdefault(uuid, []).append(number)
        return found

    def body_hash(self, conversation_id: str, number: int) -> str:
        """The content hash of an occurrence."""
        return self.conversation(conversation_id).columns.hashes[number]

    def has_body(self, content_hash: str) -> bool:
        """True where a body with this identity is stored."""
        return content_hash in self._state.bodies()

    def seen(self, sha256: str) -> Sequence[SeenExport]:
        """What became of this very file before."""
        return self._state.seen(sha256)

    def commit(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        record: ExportRecord,
        started: float,
    ) -> None:
        """Append the run to the log, durably, then bring the indexes up to it."""
        records: list[Record] = []
        carried: set[str] = set()
        for number, occurrence in occurrences:
            identity = occurrence.fingerprint.content_hash
            carries = identity not in carried and not self.has_body(identity)
            carried.add(identity)
            records.append(occurrence_record(conversation_id, number, occurrence, record.sha256, carries=carries))
        records.append(commit_record(conversation_id, record, started))
        offset = self._state.size
        lines: list[Line] = []
        for position, entry in enumerate(records):
            lines.append(Line(offset, position + 1, encode_line(entry)))
            offset = lines[-1].end
        self.log.append_run(b"".join(line.data for line in lines[:-1]), lines[-1].data)
        prints = [*(occurrence.fingerprint for _, occurrence in occurrences), None]
        audit = b"".join(self._state.apply(*applied) for applied in zip(records, lines, prints))
        if self._depth > 1:  # of many runs in one transaction: at its end
            self._behind.append(audit)
            self._loaded = ()
        else:
            self._write_indexes(audit)

    def bodies(self, conversation_id: str, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Messages by sequence number: ``index``, ``role``, ``kind``, ``content``, ``content_hash``, ``timestamp`` ..."""
        state = self.conversation(conversation_id)
        bodies = self._state.bodies()
        own = self.log.records([state.lines[n] for n in numbers if state.lines[n] >= 0])
        for number in numbers:
            if state.columns.kinds[number] == LOST:
                yield {"index": number, "role": "system", "kind": LOST, "content": "", "content_hash": ""}
                continue
            record = next(own)
            identity = record["content_hash"]
            message = record["message"] if "message" in record else self.log.record(bodies[identity])["message"]
            yield {
                "index": number,
                "role": message["role"],
                "kind": message["kind"],
                "content": message["content"],
                "content_hash": identity,
                "timestamp": record["timestamp"],
                "clock": record["source"]["clock"],
                "fidelity": message.get("fidelity", "layout"),
                **{name: record[name] for name in ("source_index", "uuid", "extends") if name in record},
            }

    def figures(self, conversation_id: str) -> ConversationFigures:
        """Counts of a conversation."""
        return self._state.figures(conversation_id)

    def unique_count(self) -> int:
        """Bodies stored, bookkeeping aside."""
        return self._state.unique

    def byte_counts(self) -> tuple[int, int]:
        """Bytes of all distinct exports processed, and of log and indexes as they are on disk."""
        stored = 0
        for name in (LOG_NAME, *INDEX_NAMES):
            with contextlib.suppress(FileNotFoundError):
                stored += os.stat(self._path(name)).st_size
        return self._state.raw_bytes, stored

    # -- verify and rebuild ------------------------------------------------------------------------------------

    def verify(self) -> list[str]:
        """Recount everything from the log; call it outside a transaction."""
        if not os.path.isdir(self.folder):
            return []
        with contextlib.ExitStack() as stack:
            self._lock(stack, write=False)
            self._state, problems, audit, _ = recount(self.log)
            files = self._index_files((len(audit), zlib.crc32(audit)))
            for name, data in {**files, AUDIT: audit}.items():
                if self._state.size or os.path.exists(self._path(name)):
                    problems.extend(self._compare(name, data))
            self._loaded = ()
        return problems

    def _compare(self, name: str, expected: bytes) -> list[str]:
        try:
            with atomic.open_regular(self._path(name)) as file:
                same = file.read() == expected
        except FileNotFoundError:
            return [f"{name}: missing (an index; 'rebuild' makes it again)"]
        except OSError as error:
            return [f"{name}: {error.strerror or error}"]
        return [] if same else [f"{name}: does not say what the log says (an index; 'rebuild' makes it again)"]

    def rebuild(self) -> list[str]:
        """Make every index anew. Damaged lines are healed where one bit was flipped, else passed over and named.

        What stands behind the last complete run is put aside, as the next run would do.
        """
        self._prepare()
        with locking.exclusive(self._path(LOCK), self._timeout):
            self._ignore()
            for name in INDEX_NAMES:
                if os.path.isdir(self._path(name)):
                    raise StoreError(f"{self._path(name)} is a folder", hint="Move it away, then rebuild again.")
            self._audit = (0, 0)
            atomic.remove_temporaries(self.folder)
            problems = heal(self.log)
            self._state, found, audit, committed = recount(self.log)
            if committed < self.log.size():
                found.append(self._put_aside(committed))
                self._state, _, audit, _ = recount(self.log)
            self._write_indexes(audit)
        return [*problems, *found]


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
