"""The index of a large store: an SQLite database that is asked for what a run needs, whatever else is in it.

What it holds follows from the log. It is written in one transaction a run, after the log; what damage its checksums find in it
is mended at once, by making it anew from the log.
"""

from __future__ import annotations

import json
import os
import stat
import weakref
from collections import Counter
from typing import TYPE_CHECKING, Any

from ...alignment.fingerprint import encoded
from ...alignment.overlap import TURNS
from ...errors import StoreNotWritable
from ...files import atomic, beneath
from ...project.paths import SQLITE_INDEX
from .checked_entries import CheckedEntries, IndexDamaged
from .contract import AuditMark
from .json_index import JsonIndex
from .sqlite_answers import SqliteAnswers, SqliteBodies
from .sqlite_encoding import (
    ALSO,
    BODY,
    CONVERSATION,
    IDENTITY,
    KEY,
    META,
    PLACE,
    UUID,
    numbers_in,
    place_in,
    uuid_key,
)
from .sqlite_file import NAME, connect, empty_private_file, opened, remove
from .sqlite_writer import VERSION, SqliteWriter

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..state.log_state import State


class SqliteIndex:
    """The database in ``folder`` (see :class:`~.contract.Index` for what each method promises).

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

    @property
    def _answers(self) -> SqliteAnswers:
        """What the database says. It refers to this index and is not kept here: a circle would hold the file open."""
        return SqliteAnswers(self._ask, self._names)

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
            return (status.st_ino, self._entries.get(META, b"") or b"")
        except (FileNotFoundError, IndexDamaged):
            self.close()
            return ()

    def load(self) -> tuple[State, AuditMark] | None:
        """A state that asks the database."""
        try:
            data = json.loads(self._entries.get(META, b"") or b"null")
        except IndexDamaged:
            return None
        if not isinstance(data, dict) or data["version"] != VERSION:
            return None
        state = self._answers.state(data)
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

    def _ask(self, question: Callable[[CheckedEntries], Any]) -> Any:
        """An answer of the database; where it is damaged, of a new one made from the log."""
        try:
            return question(self._entries)
        except IndexDamaged:
            state, audit = self._anew(self._size)
            holds = self._holds
            self._make(state, audit, None if self.writable else ":memory:")
            self._holds = holds
            return question(self._entries)

    def candidates(self, state: State, keys: set[str]) -> Mapping[str, int]:
        """Looked up by key."""
        if not self._has(state):
            return JsonIndex(self._folder).candidates(state, keys)
        shared: Counter[str] = Counter()
        answers = self._answers
        for key in keys:
            for number, count in PLACE.iter_unpack(answers.get(KEY, bytes.fromhex(key)) or b""):
                shared[answers.name(number)] += count
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
        answers = self._answers
        for identity in hashes:
            found = answers.get(BODY, bytes.fromhex(identity)[:IDENTITY])
            if found is not None:
                also = numbers_in(answers.get(ALSO, bytes.fromhex(identity)[:IDENTITY]) or b"")
                shared.update(answers.name(number) for number in (place_in(found)[0], *also))
        return shared

    def _has(self, state: State) -> bool:
        """Whether the database has what is not fresh of ``state``: not where it could not be written, on a full disk."""
        return isinstance(state.bodies, SqliteBodies) or state is self._holds()

    def known_uuids(self, state: State, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
        """Looked up by id."""
        if not self._has(state):
            return JsonIndex(self._folder).known_uuids(state, conversation_id, uuids)
        conversation = state.conversation(conversation_id)
        answers = self._answers
        data = answers.get(CONVERSATION, encoded(conversation_id))
        number = json.loads(data)["number"] if data is not None else -1
        found: dict[str, list[int]] = {}
        for uuid in dict.fromkeys(uuids):
            numbers = numbers_in(answers.get(UUID, uuid_key(number, uuid)) or b"")
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
            self._make(*(self._anew(state.size) if isinstance(state.bodies, SqliteBodies) else (state, audit)))
        else:
            try:
                SqliteWriter(self._entries).put(state, audit)
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
                SqliteWriter(self._entries).put(state, audit, whole=True)
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


def _nothing() -> None:
    """Where a reference to a state would be."""


def _together(one: Iterator[object], other: Iterator[object]) -> Iterator[tuple[object, object]]:
    """Pairs of both, to the end of the longer one."""
    from itertools import zip_longest

    return zip_longest(one, other)
