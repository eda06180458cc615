"""The original design's migration from JSON files to PostgreSQL: its class, its steps, its lines, and every message.

It takes a store of ours in a folder, and a state folder of the original project.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Optional, Union

from ..errors import StoreMissing
from ..files import atomic
from ..original.entries import POOL
from ..original.state import OriginalState, read_state
from ..project.paths import HASHES, LOG_NAME, WATERMARKS
from ..reports import json_migration as said
from ..storage import open_in_folder
from ..storage.database.counted import Counted, counted
from ..storage.database.database_store import DatabaseStore
from ..storage.database.place import Place
from ..storage.log.lines import decode_line
from ..storage.log.records import is_occurrence
from ..storage.log.sealed_files import FOLDER as SEALED
from ..terminal.display import show
from . import kept_copy, original
from .copying import copy
from .move import move, require
from .places import require_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..storage.log_backed import FolderStore

STATE: str = os.path.join("MEMORY-CONTEXT", "dedup_state")
_OURS = b'"crc32"'
"""In every line of our own log, and in none of the original project's."""


class JSONToPostgreSQLMigrator:
    """Migrates the state in ``json_dir`` to the database at ``db_url`` (None: as the environment names it).

    Each step prints the original design's lines. The folder is not changed. Stopped anywhere, :meth:`migrate` goes on.
    """

    def __init__(self, json_dir: Union[str, os.PathLike[str]], db_url: Optional[str] = None) -> None:
        self.json_dir = os.fspath(json_dir)
        self.db_url = db_url
        self._store: Optional[DatabaseStore] = None
        self._missing: list[str] = []
        """Of a folder of the original project: messages that were taken and are not there."""

    @property
    def store(self) -> DatabaseStore:
        """The store in the database."""
        if self._store is None:
            self._store = DatabaseStore(Place(self.db_url))
        return self._store

    def connect(self) -> None:
        """Connect, and make the tables where they are missing. Raises ``DatabaseError``."""
        with self.store.transaction():
            show(said.connected())

    def migrate_watermarks(self) -> None:
        """Say what the watermarks are. They follow from the messages, and are migrated with them."""
        found = self._read(WATERMARKS, said.watermarks_missing)
        if found is not None:
            show(said.watermarks(len(found)))
            for name, highest in found.items():
                show(said.watermark(name, highest))
            show(said.watermarks_done(len(found)))

    def migrate_content_hashes(self) -> None:
        """Say how many there are of each conversation. They are recomputed from the messages."""
        found = self._read(HASHES, said.hashes_missing)
        if found is not None:
            show(said.hashes(len(found)))
            for name, hashes in found.items():
                show(said.hashes_of(name, len(set(hashes)) if isinstance(hashes, list) else 0))
            show(said.hashes_done())

    def migrate_conversation_log(self) -> None:
        """Migrate every message, each run in one transaction. Raises the ``StoreError`` family."""
        if not self._has_log():
            show(said.log_missing(os.path.join(self.json_dir, LOG_NAME)))
            raise StoreMissing(self.json_dir)
        show(said.log())
        state = self._original()
        count = self._take_original(state) if state is not None else self._copy(open_in_folder(self.json_dir))
        show(said.log_done(count))

    def _copy(self, source: FolderStore) -> int:
        require_source(source)
        progress = _Messages()
        with source.at_one_moment() as moment:
            done = copy(moment, self.store, lambda _size: None, progress.line)
        if done.before:
            show(said.went_on(done.before, done.size))
        return self._counted().messages

    def _take_original(self, state: OriginalState) -> int:
        progress = _Messages()
        taken = original.take(state, self.store, lambda each: progress.add(each.messages))
        self._missing = taken.missing
        for problem in taken.done.damage:
            show(said.left_out(problem))
        return progress.count

    def update_conversation_totals(self) -> None:
        """They were counted with the messages: what is not right now is named by :meth:`verify_migration`."""
        show(said.totals())
        show(said.totals_done())

    def verify_migration(self) -> None:
        """Count what is in the database, and prove that it is all there. Raises ``MigrationUnproven``."""
        show(said.verifying())
        found = self._counted()
        show(said.counted(found.conversations, found.messages, found.watermarks))
        show(said.message_counts(found.mismatches))
        if self._original() is not None:
            require(self.store, [*(f"{each}: it is missing" for each in self._missing), *self.store.verify()])
        elif self._has_log():
            move(open_in_folder(self.json_dir), self.store, _unseen)
        show(said.verified())

    def migrate(self) -> None:
        """All of it, a copy of the folder first. Raises what the steps raise, after saying so; what was begun is taken back."""
        try:
            self._keep_copy()
            self.connect()
            self.migrate_watermarks()
            self.migrate_content_hashes()
            self.migrate_conversation_log()
            self.update_conversation_totals()
            self.verify_migration()
        except Exception as error:
            show(said.failed(str(error)))
            raise
        show(said.complete())

    def _keep_copy(self) -> None:
        if not os.path.isdir(self.json_dir):
            raise StoreMissing(self.json_dir)
        holding = contextlib.nullcontext() if self._is_original() else open_in_folder(self.json_dir).locked_log()
        with holding:
            place, made = kept_copy.keep(self.json_dir)
        show(said.copied(place, made=made))

    def _counted(self) -> Counted:
        with self.store.transaction(write=False):
            return counted(self.store.database)

    def _has_log(self) -> bool:
        names = (LOG_NAME, SEALED, POOL.file)
        return any(os.path.lexists(os.path.join(self.json_dir, name)) for name in names)

    def _is_original(self) -> bool:
        """Whether the original project wrote the folder."""
        try:
            with atomic.open_regular(os.path.join(self.json_dir, LOG_NAME)) as file:
                line = file.readline()
        except OSError:
            line = b""
        return (bool(line.strip()) and _OURS not in line) or os.path.lexists(os.path.join(self.json_dir, POOL.file))

    def _original(self) -> Optional[OriginalState]:
        return read_state(self.json_dir) if self._is_original() else None

    def _read(self, name: str, missing: Callable[[str], str]) -> Optional[dict[str, Any]]:
        """One of its small files; None where it is missing or cannot be read, which is said."""
        path = os.path.join(self.json_dir, name)
        try:
            with atomic.open_regular(path) as file:
                found = json.loads(file.read())
        except (OSError, ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            show(missing(path))
            return None
        return found


def migrate_to_postgresql(json_dir: Union[str, os.PathLike[str]] = STATE, db_url: Optional[str] = None) -> None:
    """Migrate from JSON files to PostgreSQL: the project's own store, to the database that the environment names."""
    JSONToPostgreSQLMigrator(json_dir, db_url).migrate()


class _Messages:
    """How many messages were migrated; each hundred is said."""

    def __init__(self) -> None:
        self.count = 0

    def line(self, line: bytes) -> None:
        """A line of a log was read."""
        self.add(is_occurrence(decode_line(line)))

    def add(self, count: int) -> None:
        """So many more."""
        before, self.count = self.count, self.count + count
        for number in range(before // said.EACH + 1, self.count // said.EACH + 1):
            show(said.messages_so_far(number * said.EACH))


@contextlib.contextmanager
def _unseen(_size: int, _title: str) -> Iterator[Callable[[int], None]]:
    yield lambda _done: None
