"""A store looked after: its index made again, what is open sealed, compressed files made smaller. Under the store's lock."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..files import atomic
from ..project.paths import FORMER_INDEX, INDEX_NAMES
from .index.sorted_runs import IndexDamaged
from .log import sealed_check
from .log.better_files import improvable, improved
from .log.log_copies import copies_in
from .log.sealed_files import PACK
from .log.strays import collect_garbage
from .log_backed import Remembered
from .recount import clean_blobs, heal, recount

if TYPE_CHECKING:
    from collections.abc import Callable

    from .indexed_log import IndexedLog
    from .log.append_log import Log
    from .log.sealed_files import Segment
    from .log_rewrite import Instead, Rewritten
    from .state.log_state import State


def seal(store: IndexedLog) -> list[Segment]:
    """Seal what is open, but in a store of plain files, and delete what other files took the place of.

    Which sealed files would be smaller if they were written anew.
    """
    if store.log.open_size() and not (store.is_plain or store.state.unreadable):
        store.log.seal(store.state.size)
        store.written()
    collect_garbage(store.log.sealed)
    atomic.remove_temporaries(store.folder)  # of one who was killed while he wrote the index anew
    return improvable(store.log.sealed)


def former_files(store: IndexedLog) -> list[str]:
    """The names of files that version 0.1 wrote, or one before it."""
    sealed = [os.path.basename(segment.path) for segment in store.log.sealed.segments if segment.form != PACK]
    return [*sealed, *(name for name in FORMER_INDEX if os.path.lexists(os.path.join(store.folder, name)))]


def better(store: IndexedLog, segment: Segment) -> tuple[bytes, int] | None:
    """A sealed file as small as it gets, and the bytes of the log in it; None where it is damaged. Needs no lock."""
    return improved(store.log.sealed, segment)


def remembered(store: IndexedLog) -> Remembered:
    """What the index has of the log; nothing where it cannot be read or is not sound."""
    try:
        state = _indexed(store)
        if state is None:
            return Remembered()
        kinds = {name: each.kinds for name, each in state.conversations.items()}
        exports = {sha256: seen[-1].conversation_id for sha256, seen in state.exports.items()}
        purged = {name: set(each.purged) for name, each in state.conversations.items() if each.purged}
    except (StoreError, IndexDamaged, ValueError, OSError):
        return Remembered()
    return Remembered(kinds, exports, purged, state.head)


def _indexed(store: IndexedLog) -> State | None:
    """The state that the index has; None where there is none. Raises ``StoreError``, IndexDamaged, ValueError, OSError."""
    loaded = store.index.load() if store.index.identity() else None
    return loaded[0] if loaded is not None else None


def _indexed_size(store: IndexedLog) -> int:
    """How many bytes of the log the index accounts for, 0 where there is none that can be read."""
    try:
        state = _indexed(store)
    except (StoreError, IndexDamaged, ValueError, OSError):
        return 0
    return state.size if state is not None else 0


def rewrite_log(store: IndexedLog, folder: str, instead: Instead) -> Rewritten:
    """The log with other lines in it, beside the old one; filters of the lines before the first such one go along."""
    from .log_rewrite import rewrite

    made = rewrite(store.log, folder, instead)
    made.superseded += [name for name in store.files() if name not in made.files]
    blobs = store.blobs.unreferred(made.blobs)
    if instead.shared:
        others = set(store.blobs.unreferred({digest for digest, _ in store.state.blobs.items()}))
        blobs = [name for name in blobs if name not in others]
    made.superseded += blobs
    return made


def rebuild(store: IndexedLog, mend: Callable[[Log], list[str]] | None) -> list[str]:
    """Make the index anew, but the filters of words; ``mend`` rewrites the log before that, or flipped bits in it are set right."""
    for name in INDEX_NAMES:
        path = os.path.join(store.folder, name)
        if os.path.isdir(path):
            raise StoreError(f"{path} is a folder", hint="Move it away, then rebuild again.")
    store.forget()
    atomic.remove_temporaries(store.folder)
    store.log.recover(write=True)
    shorter = _indexed_size(store) > store.log.size()
    problems = mend(store.log) if mend is not None else heal(store.log)
    problems += sealed_check.damaged(store.log.sealed)
    audit: list[bytes] = []
    store.state, found, committed = recount(store.log, store.index, audit.append)
    if committed < store.log.size():
        found.append(store.put_aside(committed))
        audit = []
        store.state, _, _ = recount(store.log, store.index, audit.append)
    # A line that cannot be read, that is gone, or that another machine's copy has may refer to a blob: then each of them is kept.
    if not (store.state.unreadable or shorter or mend is not None or copies_in(store.folder)) and store.log.size():
        clean_blobs(store.log)
    store.save(b"".join(audit))
    return [*problems, *found]
