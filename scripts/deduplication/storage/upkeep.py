"""A store looked after: everything recounted from its log, its index made again, what is open sealed. Under the store's lock."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..files import atomic
from ..project.paths import AUDIT, INDEX_NAMES
from .index import sqlite_file
from .index.checked_entries import IndexDamaged
from .index.contract import AuditMark
from .log_backed import Remembered
from .recount import clean_blobs, heal, recount

if TYPE_CHECKING:
    from collections.abc import Callable

    from .indexed_log import IndexedLog
    from .log.append_log import Log
    from .log.sealed_files import Segment
    from .state.log_state import State


def seal(store: IndexedLog) -> list[Segment]:
    """Seal what is open; which sealed files would be smaller if they were compressed slowly."""
    if store.log.open_size():
        store.log.seal(store.state.size)
        store.written()
    store.log.sealed.collect_garbage()
    return store.log.sealed.improvable()


def verify(store: IndexedLog) -> list[str]:
    """Recount everything from the log: a line for each thing that is wrong."""
    store.log.recover(write=False)
    store.choose_index(sqlite=store.wants_sqlite)
    store.state, problems, audit, _ = recount(store.log)
    store.forget()
    problems += store.index.compare(store.state, AuditMark(len(audit), zlib.crc32(audit)))
    problems += _compare_audit(store, audit)
    return problems


def _compare_audit(store: IndexedLog, expected: bytes) -> list[str]:
    try:
        with atomic.open_regular(os.path.join(store.folder, AUDIT)) as file:
            same = file.read() == expected
    except FileNotFoundError:
        return [f"{AUDIT}: missing (an index; 'rebuild' makes it again)"] if store.state.size else []
    except OSError as error:
        return [f"{AUDIT}: {error.strerror or error}"]
    return [] if same else [f"{AUDIT}: does not say what the log says (an index; 'rebuild' makes it again)"]


def remembered(store: IndexedLog) -> Remembered:
    """What the index has of the log; nothing where it cannot be read or is not sound."""
    try:
        state = _indexed(store)
        if state is None:
            return Remembered()
        hashes = {name: list(each.columns.hashes) for name, each in state.conversations.items()}
        exports = {sha256: seen[-1].conversation_id for sha256, seen in state.exports.items()}
        purged = {name: set(each.purged) for name, each in state.conversations.items() if each.purged}
    except (StoreError, IndexDamaged, ValueError, OSError):
        return Remembered()
    return Remembered(hashes, exports, purged)


def _indexed(store: IndexedLog) -> State | None:
    """The state that the index has; None where there is none. Raises ``StoreError``, IndexDamaged, ValueError, OSError."""
    store.choose_index(sqlite=store.wants_sqlite)
    loaded = store.index.load() if store.index.identity() else None
    return loaded[0] if loaded is not None else None


def _indexed_size(store: IndexedLog) -> int:
    """How many bytes of the log the index accounts for, 0 where there is none that can be read."""
    try:
        state = _indexed(store)
    except (StoreError, IndexDamaged, ValueError, OSError):
        return 0
    return state.size if state is not None else 0


def rebuild(store: IndexedLog, mend: Callable[[Log], list[str]] | None) -> list[str]:
    """Make the index anew; ``mend`` rewrites the log before that, or flipped bits in it are set right."""
    for name in INDEX_NAMES:
        path = os.path.join(store.folder, name)
        if os.path.isdir(path):
            raise StoreError(f"{path} is a folder", hint="Move it away, then rebuild again.")
    store.forget()
    atomic.remove_temporaries(store.folder)
    store.log.recover(write=True)
    shorter = _indexed_size(store) > store.log.size()
    problems = mend(store.log) if mend is not None else heal(store.log)
    store.state, found, audit, committed = recount(store.log)
    if committed < store.log.size():
        found.append(store.put_aside(committed))
        store.state, _, audit, _ = recount(store.log)
    # A line that cannot be read, or that is gone, may refer to a blob: then each of them is kept.
    if not (store.state.unreadable or shorter or mend is not None) and store.log.size():
        clean_blobs(store.log)
    store.choose_index(sqlite=store.sqlite or store.is_large)
    if not store.is_sqlite:
        sqlite_file.remove(store.folder)
    store.save(audit)
    return [*problems, *found]
