"""A store looked after: everything recounted from its log, its index made again, what is open sealed. Under the store's lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import StoreDamaged, StoreError
from ..files import atomic
from ..project.paths import AUDIT, INDEX_NAMES, LOG_NAME
from . import seed_files
from .index.audit_mark import AuditMark
from .index.index_file import is_former
from .index.sorted_runs import IndexDamaged
from .log import sealed_check
from .log.better_files import improvable, improved
from .log_backed import Remembered
from .recount import clean_blobs, heal, recount
from .state.log_state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from .indexed_log import IndexedLog
    from .log.append_log import Log
    from .log.chain import Chain
    from .log.lines import Line
    from .log.sealed_files import Segment


_AT_ONCE: Final = 1024 * 1024
"""Bytes of the audit file that are read at a time."""


def seal(store: IndexedLog) -> list[Segment]:
    """Seal what is open, but in a store of plain files, and delete what other files took the place of.

    Which sealed files would be smaller if they were written anew.
    """
    if store.log.open_size() and not (store.is_plain or store.state.unreadable):
        store.log.seal(store.state.size)
        store.written()
    store.log.sealed.collect_garbage()
    atomic.remove_temporaries(store.folder)  # of one who was killed while he wrote the index anew
    return improvable(store.log.sealed)


def better(store: IndexedLog, segment: Segment) -> tuple[bytes, int] | None:
    """A sealed file as small as it gets, and the bytes of the log in it; None where it is damaged. Needs no lock."""
    return improved(store.log.sealed, segment)


class Verified(NamedTuple):
    """A line for each thing that is wrong, and the log as a chain."""

    problems: list[str]
    chain: Chain


def nothing(since: str) -> Verified:
    """Of a store that nobody made yet."""
    from .log.chain import Chain

    return Verified([], Chain(since))


def verify(store: IndexedLog, since: str) -> Verified:
    """Recount everything from the log; a head that begins with ``since`` is looked for in it."""
    store.log.recover(write=False)
    store.state = State()  # what is counted takes its place
    store.forget()
    damaged = sealed_check.damaged(store.log.sealed)
    return _compared(store, since, store.log.lines(), damaged)


def follow(
    folder: str, since: str, locked: Callable[[], AbstractContextManager[None]], *, plain: bool
) -> Verified | None:
    """The same while others go on: the store is ``locked`` at the beginning, and again for what came since then.

    None where something is damaged, or was replaced meanwhile (by a purge, or a repair): only who holds the lock all the while
    can tell the one from the other.
    """
    from .indexed_log import IndexedLog
    from .log.archived_files import ArchivedFiles
    from .log.followed_log import FollowedLog, LogReplaced

    with contextlib.ExitStack() as stack:
        log = FollowedLog(os.path.join(folder, LOG_NAME), ArchivedFiles(folder))
        stack.callback(log.close)
        stack.callback(log.let_go)
        try:
            with locked():
                log.take()
                damaged = sealed_check.damaged(log.sealed)
            lines = log.followed(lambda: stack.enter_context(locked()))
            found = _compared(IndexedLog(folder, plain=plain, log=log), since, lines, damaged)
        except (LogReplaced, StoreDamaged):
            return None
    return None if found.problems else found


def _compared(store: IndexedLog, since: str, lines: Iterator[Line], damaged: list[str]) -> Verified:
    """What the ``lines`` of the log come to, against all that follows from them."""
    from .log.chain import Chain

    audit = _AuditProof()
    counted = store.empty_index()
    chain = Chain(since)
    state, problems, _ = recount(store.log, counted, audit.take, chain, lines)
    problems = [*damaged, *problems]
    if not (seed_files.is_former(store.folder) or is_former(store.index.path)):
        problems += store.index.problems(counted, audit.mark, seed_files.noted(state, plain=store.is_plain))
        problems += seed_files.problems(store.folder, state, plain=store.is_plain)
    problems += _compare_audit(store, audit, state.size)
    return Verified(problems, chain)


class _AuditProof:
    """An audit file of which the lines are told one by one, or read."""

    def __init__(self) -> None:
        self.mark = AuditMark()
        self._sha256 = hashlib.sha256()

    def take(self, data: bytes) -> None:
        """What it has next."""
        self.mark = self.mark.plus(data)
        self._sha256.update(data)

    def proof(self) -> tuple[AuditMark, bytes]:
        """Equal for equal bytes only."""
        return self.mark, self._sha256.digest()


def _compare_audit(store: IndexedLog, expected: _AuditProof, size: int) -> list[str]:
    found = _AuditProof()
    try:
        with atomic.open_regular(os.path.join(store.folder, AUDIT)) as file:
            while found.mark.size <= expected.mark.size and (data := file.read(_AT_ONCE)):
                found.take(data)
    except FileNotFoundError:
        return [f"{AUDIT}: missing (an index; 'rebuild' makes it again)"] if size else []
    except OSError as error:
        return [f"{AUDIT}: {error.strerror or error}"]
    same = found.proof() == expected.proof()
    return [] if same else [f"{AUDIT}: does not say what the log says (an index; 'rebuild' makes it again)"]


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
    problems += sealed_check.damaged(store.log.sealed)
    audit: list[bytes] = []
    store.state, found, committed = recount(store.log, store.index, audit.append)
    if committed < store.log.size():
        found.append(store.put_aside(committed))
        audit = []
        store.state, _, _ = recount(store.log, store.index, audit.append)
    # A line that cannot be read, or that is gone, may refer to a blob: then each of them is kept.
    if not (store.state.unreadable or shorter or mend is not None) and store.log.size():
        clean_blobs(store.log)
    store.save(b"".join(audit))
    return [*problems, *found]
