"""A store verified: everything counted anew from its log, held against all that follows from it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import StoreDamaged
from ..files import atomic
from ..project.paths import AUDIT, LOG_NAME
from . import seed_files
from .index.audit_mark import AuditMark
from .index.index_file import is_former
from .log import sealed_check
from .recount import recount
from .state.log_state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from .indexed_log import IndexedLog
    from .log.chain import Chain
    from .log.lines import Line

_AT_ONCE: Final = 1024 * 1024
"""Bytes of the audit file that are read at a time."""


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
    problems += _check_filters(store, state)
    return Verified(problems, chain)


def _check_filters(store: IndexedLog, state: State) -> list[str]:
    """Every checksum of the filters, and whether those of the last block are what the log says; to make all anew takes long."""
    from .word_filters.checking import problems

    return problems(store.folder, store.log, state.bodies.offset)


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
