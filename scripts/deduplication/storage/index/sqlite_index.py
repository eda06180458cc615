"""The index of a large store: an SQLite database that is asked for what a run needs, whatever else is in it.

What it holds follows from the log. It is written in one transaction a run, after the log; what damage its checksums find in it
is mended at once, by making it anew from the log.
"""

from __future__ import annotations

import heapq
import json
import os
import stat
import struct
import weakref
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from ...alignment.fingerprint import Fingerprint, encoded
from ...alignment.overlap import TURNS
from ...errors import StoreNotWritable
from ...figures.savings import Seen
from ...files import atomic, beneath
from ...model import LOST
from ...project.paths import SQLITE_INDEX
from ..state.conversation import ConversationState
from ..state.log_state import State
from ..state.table import Table
from .checked_entries import CheckedEntries, IndexDamaged
from .contract import AuditMark
from .json_index import JsonIndex
from .sqlite_encoding import (
    IDENTITY,
    cursor_from,
    dumps,
    loads,
    numbers_in,
    packed_rows,
    place,
    place_in,
    text_of,
    unpacked,
    unpacked_rows,
    uuid_key,
)
from .sqlite_file import NAME, connect, empty_private_file, opened, remove

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..state.conversation import Row, Rows

_VERSION: Final = 3
# Kinds of entries; the first three can be listed (checked_entries._LISTED).
_CONVERSATION, _SESSION, _CURSOR, _EXPORT, _BODY, _UUID, _KEY, _NUMBER, _META, _BLOB, _PICTURE, _NOTED, _ALSO = range(
    13
)
_PLACE: Final = struct.Struct(">II")
_MOST_ALSO: Final = 8
"""Further conversations that are noted of a body."""


class SqliteIndex:
    """The database in ``folder`` (see :class:`~.index.Index` for what each method promises).

    ``anew`` counts the first so many bytes of the log, for when damage is found.
    """

    files: Sequence[str] = SQLITE_INDEX

    def __init__(self, folder: str, anew: Callable[[int], tuple[State, AuditMark]]) -> None:
        self._folder = folder
        self.writable = False
        self._path = os.path.join(folder, NAME)
        self._anew = anew
        self._connection: sqlite3.Connection | None = None
        self._inode = -1
        self._entries: CheckedEntries
        self._holds: Callable[[], State | None] = _nothing
        """The state whose changes since the last save are all that the database lacks."""
        self._size = 0
        self._names: dict[int, str] = {}

    # -- opening -----------------------------------------------------------------------------------------------

    def identity(self) -> tuple[object, ...]:
        """The file, and what it says of itself."""
        try:
            status = os.lstat(self._path)
            if not stat.S_ISREG(status.st_mode):
                return ()
            self._open(status.st_ino)
            # Whoever wrote since then changed the one entry that is read at each beginning.
            self._entries.forget()
            return (status.st_ino, self._entries.get(_META, b"") or b"")
        except (FileNotFoundError, IndexDamaged):
            self.close()
            return ()

    def load(self) -> tuple[State, AuditMark] | None:
        """A state that asks the database."""
        try:
            data = json.loads(self._entries.get(_META, b"") or b"null")
        except IndexDamaged:
            return None
        if not isinstance(data, dict) or data["version"] != _VERSION:
            return None
        state = State(
            Table(None, self._conversation, self._conversations),
            Table(None, lambda sha256: loads(self._get(_EXPORT, encoded(sha256)))),
            Table(None, lambda session: loads(self._get(_SESSION, encoded(session)))),
            Table(None, lambda source: cursor_from(self._get(_CURSOR, encoded(source))), self._cursors),
            _SqliteBodies(self),
            Table(None, lambda digest: loads(self._get(_BLOB, encoded(digest)))),
            Table(None, lambda identity: loads(self._get(_PICTURE, encoded(identity)))),
            Table(None, lambda key: loads(self._get(_NOTED, bytes.fromhex(key)))),
        )
        state.begins_at(data["size"])
        state.seen_bytes = Seen(**data["seen_bytes"])
        state.occurrences = data["occurrences"]
        counted = state.announced
        counted.unique, counted.waiting, counted.redrawn = data["unique"], data["waiting"], data["redrawn"]
        state.banned = data.get("banned", [])
        self._holds, self._size = weakref.ref(state), state.size
        return state, AuditMark(*data["audit"])

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._holds = None, _nothing

    def _open(self, inode: int) -> None:
        if self._connection is not None and self._inode == inode:
            return
        self.close()
        self._connection = connect(self._path)
        self._inode = inode
        self._entries = CheckedEntries(self._connection)

    # -- what a state asks ---------------------------------------------------------------------------------------

    def _mending(self, ask: Callable[[], Any]) -> Any:
        """An answer of the database; where it is damaged, of a new one made from the log."""
        try:
            return ask()
        except IndexDamaged:
            state, audit = self._anew(self._size)
            holds = self._holds
            self._make(state, audit, None if self.writable else ":memory:")
            self._holds = holds
            return ask()

    def _get(self, kind: int, key: bytes) -> bytes | None:
        value: bytes | None = self._mending(lambda: self._entries.get(kind, key))
        return value

    def _conversation(self, name: str) -> ConversationState | None:
        data = self._get(_CONVERSATION, encoded(name))
        return self._lazy(json.loads(data)) if data is not None else None

    def _lazy(self, data: dict[str, Any]) -> ConversationState:
        number = data["number"]

        def rows(count: int) -> Rows:
            found: Rows = self._mending(lambda: unpacked_rows(self._entries.rows(number, count)))
            return found

        def row(at: int) -> Row:
            return unpacked(self._mending(lambda: self._entries.row(number, at)))

        state = ConversationState(data["count"], rows, row)
        state.take_head(data)
        return state

    def _conversations(self) -> Iterable[tuple[str, ConversationState]]:
        found = [
            (json.loads(value), text_of(key))
            for key, value in self._mending(lambda: self._entries.listing(_CONVERSATION))
        ]
        for data, name in sorted(found, key=lambda each: each[0]["number"]):
            yield name, self._lazy(data)

    def _cursors(self) -> Iterable[tuple[str, list[Any]]]:
        for key, value in self._mending(lambda: self._entries.listing(_CURSOR)):
            yield text_of(key), cursor_from(value) or []

    def place(self, identity: str) -> Row | None:
        """The occurrence that carries the body with this content hash, as the database knows it."""
        data = self._get(_BODY, bytes.fromhex(identity)[:IDENTITY])
        if data is None:
            return None
        found = unpacked(self._mending(lambda: self._entries.row(*place_in(data))))
        return found if found[0].content_hash == identity else None

    def candidates(self, state: State, keys: set[str]) -> Mapping[str, int]:
        """Looked up by key."""
        if not self._has(state):
            return JsonIndex(self._folder).candidates(state, keys)
        shared: Counter[str] = Counter()
        for key in keys:
            for number, count in _PLACE.iter_unpack(self._get(_KEY, bytes.fromhex(key)) or b""):
                shared[self._name(number)] += count
        for name in state.conversations.changed:
            for item, _ in state.conversation(name).fresh():
                shared[name] += item.kind in TURNS and item.key in keys
        # Those that share as much come in the order in which they were begun.
        begun = {name: at for at, (name, _) in enumerate(state.conversations.items())} if len(shared) > 1 else {}
        return {name: shared[name] for name in sorted(shared, key=lambda name: begun.get(name, 0))}

    def holding(self, state: State, hashes: set[str]) -> Mapping[str, int]:
        """Looked up by body: the conversation in which it came first, and the first ones in which it came again."""
        if not self._has(state):
            return JsonIndex(self._folder).holding(state, hashes)
        shared: Counter[str] = Counter()
        for identity in hashes:
            found = self._get(_BODY, bytes.fromhex(identity)[:IDENTITY])
            if found is not None:
                also = numbers_in(self._get(_ALSO, bytes.fromhex(identity)[:IDENTITY]) or b"")
                shared.update(self._name(number) for number in (place_in(found)[0], *also))
        return shared

    def _has(self, state: State) -> bool:
        """Whether the database has what is not fresh of ``state``: not where it could not be written, on a full disk."""
        return isinstance(state.bodies, _SqliteBodies) or state is self._holds()

    def _name(self, number: int) -> str:
        if number not in self._names:
            self._names[number] = text_of(self._get(_NUMBER, number.to_bytes(4, "big")) or b"")
        return self._names[number]

    def known_uuids(self, state: State, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
        """Looked up by id."""
        if not self._has(state):
            return JsonIndex(self._folder).known_uuids(state, conversation_id, uuids)
        conversation = state.conversation(conversation_id)
        data = self._get(_CONVERSATION, encoded(conversation_id))
        number = json.loads(data)["number"] if data is not None else -1
        found: dict[str, list[int]] = {}
        for uuid in dict.fromkeys(uuids):
            numbers = numbers_in(self._get(_UUID, uuid_key(number, uuid)) or b"")
            if numbers:
                found[uuid] = [at for at in numbers if conversation.row(at)[0].uuid == uuid]
        for at, (item, _) in enumerate(conversation.fresh(), conversation.stored):
            if item.uuid in uuids:
                found.setdefault(item.uuid, []).append(at)
        return {uuid: numbers for uuid, numbers in found.items() if numbers}

    # -- saving ------------------------------------------------------------------------------------------------

    def save(self, state: State, audit: AuditMark) -> None:
        """What is new, in one transaction; where ``state`` is not what the database holds, a new database."""
        import sqlite3

        if state is not self._holds() or self._connection is None:
            # What a database that is gone was to be asked for is counted from the log.
            self._make(*(self._anew(state.size) if isinstance(state.bodies, _SqliteBodies) else (state, audit)))
        else:
            try:
                self._put(state, audit)
                self._entries.write()
            except IndexDamaged:
                self._make(*self._anew(state.size))
            except sqlite3.Error as error:
                self.close()
                raise StoreNotWritable(f"{self._path}: {error}") from error
        state.saved()
        self._holds, self._size = weakref.ref(state), state.size

    def _make(self, state: State, audit: AuditMark, path: str | None = None) -> None:
        """A new database with all of ``state``, in the place of what is there."""
        import sqlite3

        self.close()
        temporary = path if path is not None else f"{self._path}.{os.getpid()}.tmp"
        with atomic.write_errors(self._path):
            if path is None:
                empty_private_file(temporary)
            connection = opened(temporary, "mode=rw") if path is None else sqlite3.connect(path, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = OFF")
                self._entries = CheckedEntries(connection)
                self._entries.create()
                self._put(state, audit, whole=True)
                self._entries.write()
                if path is not None:
                    self._connection = connection
                    return
            except (sqlite3.Error, IndexDamaged) as error:
                connection.close()
                raise StoreNotWritable(f"{self._path}: {error}") from error
            connection.close()
            atomic.sync_file(temporary)
            remove(self._folder)
            beneath.replace(temporary, self._path)
            atomic.sync_directory(self._folder)
        try:
            self._open(os.lstat(self._path).st_ino)
        except (IndexDamaged, OSError) as error:
            raise StoreNotWritable(f"{self._path}: {error}") from error

    def _put(self, state: State, audit: AuditMark, *, whole: bool = False) -> None:
        """Every change of ``state`` into the entries; all of it with ``whole``."""

        def names(table: Table[Any]) -> Iterable[str]:
            return [name for name, _ in table.items()] if whole else table.changed

        entries = self._entries
        meta = json.loads(entries.get(_META, b"") or '{"conversations": 0}')
        fresh: list[Iterator[tuple[int, int, int, Fingerprint, bool]]] = []
        for name in names(state.conversations):
            conversation = state.conversation(name)
            data = entries.get(_CONVERSATION, encoded(name))
            number = json.loads(data)["number"] if data is not None else meta["conversations"]
            if data is None:
                meta["conversations"] += 1
                entries.put(_NUMBER, number.to_bytes(4, "big"), encoded(name))
            head = {"number": number, "count": len(conversation), **conversation.head()}
            entries.put(_CONVERSATION, encoded(name), dumps(head))
            start = 0 if whole else conversation.stored
            entries.add_rows(number, start, packed_rows(conversation.rows_from(start)))
            fresh.append(self._own_rows(conversation, number, start))
        self._put_occurrences(heapq.merge(*fresh))
        for name in names(state.sessions):
            entries.put(_SESSION, encoded(name), dumps(state.sessions.get(name)))
        for name in names(state.cursors):
            conversation_id, cursor, tip, position = state.cursors.get(name) or []
            entries.put(_CURSOR, encoded(name), dumps([conversation_id, asdict(cursor), tip, position]))
        for sha256 in names(state.exports):
            entries.put(_EXPORT, encoded(sha256), dumps(state.exports.get(sha256)))
        for kind, sizes in ((_BLOB, state.blobs), (_PICTURE, state.pictures)):
            for digest in names(sizes):
                entries.put(kind, encoded(digest), dumps(sizes.get(digest)))
        meta.update(version=_VERSION, size=state.size, seen_bytes=asdict(state.seen_bytes), unique=state.unique)
        for key in names(state.announced.noted):
            entries.put(_NOTED, bytes.fromhex(key), dumps(state.announced.noted.get(key)))
        meta.update(waiting=state.announced.waiting, redrawn=state.announced.redrawn)
        meta.update(occurrences=state.occurrences, audit=list(audit))
        if state.banned:
            meta.update(banned=state.banned)
        entries.put(_META, b"", dumps(meta))

    def _own_rows(
        self, conversation: ConversationState, number: int, start: int
    ) -> Iterator[tuple[int, int, int, Fingerprint, bool]]:
        """What can be found of a conversation from sequence number ``start`` on: line, conversation, number, what is known, whether
        it was purged.
        """
        adopted = bool(conversation.adopted)
        for at, (item, line) in enumerate(conversation.rows_from(start), start):
            if item.kind == LOST:
                continue
            if adopted and conversation.origin(at) is not None:
                self._put_uuid(number, at, item)  # the rest is entered where it came from
            else:
                yield line, number, at, item, at in conversation.purged

    def _put_occurrences(self, rows: Iterable[tuple[int, int, int, Fingerprint, bool]]) -> None:
        """Where each occurrence can be found, in the order of the log, so that of several the first one stands for the body.

        A body is entered once for each conversation, however often it stands there.
        """
        entered: set[tuple[int, str]] = set()
        turns: Counter[tuple[int, str]] = Counter()
        for _, number, at, item, purged in rows:
            if not purged and (number, item.content_hash) not in entered:
                entered.add((number, item.content_hash))
                self._put_body(number, at, bytes.fromhex(item.content_hash)[:IDENTITY])
            if item.uuid:
                self._put_uuid(number, at, item)
            if item.kind in TURNS:
                turns[number, item.key] += 1
        for (number, digits), count in turns.items():
            key = bytes.fromhex(digits)
            counts = dict(_PLACE.iter_unpack(self._entries.get(_KEY, key) or b""))
            counts[number] = counts.get(number, 0) + count
            self._entries.put(_KEY, key, b"".join(_PLACE.pack(*each) for each in sorted(counts.items())))

    def _put_body(self, number: int, at: int, body: bytes) -> None:
        entries = self._entries
        first = entries.get(_BODY, body)
        if first is None:
            entries.put(_BODY, body, place(number, at))
        elif place_in(first)[0] != number:
            # Calls and results stand in many conversations: enough are noted to tell that they stand in several.
            also = numbers_in(entries.get(_ALSO, body) or b"")
            if number not in also and len(also) < _MOST_ALSO:
                entries.put(_ALSO, body, b"".join(each.to_bytes(4, "big") for each in (*also, number)))

    def _put_uuid(self, number: int, at: int, item: Fingerprint) -> None:
        if item.uuid:
            key = uuid_key(number, item.uuid)
            numbers = sorted({*numbers_in(self._entries.get(_UUID, key) or b""), at})
            self._entries.put(_UUID, key, b"".join(each.to_bytes(4, "big") for each in numbers))

    # -- checking ----------------------------------------------------------------------------------------------

    def compare(self, state: State, audit: AuditMark) -> list[str]:
        """Record for record with another database, made of ``state``."""
        import sqlite3

        if not self.identity():
            if not state.size and not os.path.lexists(self._path):
                return []
            return [f"{NAME}: missing or damaged (an index; 'rebuild' makes it again)"]
        other = SqliteIndex(self._folder, self._anew)
        other._make(state, audit, "")  # a file without a name, which is gone when it is closed: it may be large
        try:
            same = all(
                one == expected for one, expected in _together(self._entries.everything(), other._entries.everything())
            )
            sound = self._connection is not None and self._connection.execute("PRAGMA quick_check").fetchall()
        except (IndexDamaged, sqlite3.Error) as error:
            return [f"{NAME}: {error} (an index; 'rebuild' makes it again)"]
        finally:
            other.close()
            self.close()
        if same and sound == [("ok",)]:
            return []
        return [f"{NAME}: does not say what the log says (an index; 'rebuild' makes it again)"]

    def condense(self) -> None:
        """Write the pages anew, each full: after many runs a quarter of them is empty. SQLite does it whole or not at all."""
        import sqlite3

        if self._connection is None:
            return
        try:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            self.close()
            raise StoreNotWritable(f"{self._path}: {error}") from error

    def remove(self) -> None:
        """Delete the database."""
        self.close()
        remove(self._folder)


class _SqliteBodies:
    """The bodies of a state that asks the database."""

    def __init__(self, index: SqliteIndex) -> None:
        self._index = index
        self._added: dict[str, tuple[int, Fingerprint]] = {}

    def offset(self, identity: str) -> int | None:
        """The byte offset of the line that carries the body."""
        if identity in self._added:
            return self._added[identity][0]
        found = self._index.place(identity)
        return found[1] if found is not None else None

    def fingerprint(self, identity: str) -> Fingerprint | None:
        """What is known of the body."""
        if identity in self._added:
            return self._added[identity][1]
        found = self._index.place(identity)
        return found[0] if found is not None else None

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another body."""
        self._added[identity] = (offset, item)


def _nothing() -> None:
    """Where a reference to a state would be."""


def _together(one: Iterator[object], other: Iterator[object]) -> Iterator[tuple[object, object]]:
    """Pairs of both, to the end of the longer one."""
    from itertools import zip_longest

    return zip_longest(one, other)
