"""The original design's migration from JSON files to PostgreSQL: its class, its steps, its lines, and every message.

It takes a store of ours in a folder, and a state folder of the original project.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Optional, Union

from ..errors import StoreMissing
from ..project.paths import HASHES, WATERMARKS
from ..reports import json_migration as said
from ..storage.database.counted import Counted, counted
from ..storage.database.database_store import DatabaseStore
from ..storage.database.place import Place
from ..terminal.display import show
from . import kept_copy, original
from .copying import copy
from .counted_aloud import CountedAloud
from .json_folder import JsonFolder
from .move import move, require
from .places import require_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATE: str = os.path.join("MEMORY-CONTEXT", "dedup_state")


class JSONToPostgreSQLMigrator:
    """Migrates the state in ``json_dir`` to the database at ``db_url`` (None: as the environment names it).

    Each step prints the original design's lines. The folder is not changed. Stopped anywhere, :meth:`migrate` goes on.
    """

    def __init__(self, json_dir: Union[str, os.PathLike[str]], db_url: Optional[str] = None) -> None:
        self.json_dir = os.fspath(json_dir)
        self._folder = JsonFolder(self.json_dir)
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
        if not self._folder.has_log():
            show(said.log_missing(self._folder.log))
            raise StoreMissing(self.json_dir)
        show(said.log())
        show(said.log_done(self._take_original() if self._folder.is_original() else self._copy()))

    def _copy(self) -> int:
        source, progress = self._folder.store(), CountedAloud()
        require_source(source)
        with source.at_one_moment() as moment:
            done = copy(moment, self.store, lambda _size: None, progress.line)
        if done.before:
            show(said.went_on(done.before, done.size))
        return self._counted().messages

    def _take_original(self) -> int:
        state, progress = self._folder.original(), CountedAloud()
        assert state is not None
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
        if self._folder.is_original():
            require(self.store, [*(f"{each}: it is missing" for each in self._missing), *self.store.verify()])
        elif self._folder.has_log():
            move(self._folder.store(), self.store, _unseen)
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
        with self._folder.held():
            place, made = kept_copy.keep(self.json_dir)
        show(said.copied(place, made=made))

    def _counted(self) -> Counted:
        with self.store.transaction(write=False):
            return counted(self.store.database)

    def _read(self, name: str, missing: Callable[[str], str]) -> Optional[dict[str, Any]]:
        """One of its small files; None where it is missing or cannot be read, which is said."""
        found = self._folder.read(name)
        if found is None:
            show(missing(os.path.join(self.json_dir, name)))
        return found


def migrate_to_postgresql(json_dir: Union[str, os.PathLike[str]] = STATE, db_url: Optional[str] = None) -> None:
    """Migrate from JSON files to PostgreSQL: the project's own store, to the database that the environment names."""
    JSONToPostgreSQLMigrator(json_dir, db_url).migrate()


@contextlib.contextmanager
def _unseen(_size: int, _title: str) -> Iterator[Callable[[int], None]]:
    yield lambda _done: None
