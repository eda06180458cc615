"""What the doctor finds: interpreter, store, archive, hooks, sessions, exports, git. It only looks, and creates nothing.

- subject: the project that is looked at, with its settings and its store
- finding: one line of the answer: OK, a note, or a problem with what to do about it (``finding``)
- release: whether our own files are those that were released (``release_files``)
- database: what of a hybrid store its database has (``database``)
- own store: what was said in the project before it opted in (``own_store``)
- pending: what should have been captured or processed and is not (``pending_check``, ``unstored_exports``)
- watchdog: whether what the client wrote is in the store, and which alerts last (``watchdog``)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import NotPermitted
from ..start.permissions import advice
from . import (
    archive,
    database,
    hooks,
    machine,
    own_store,
    pending_check,
    privacy,
    release_files,
    store,
    unstored_exports,
    watchdog,
)
from .finding import NOTE, OK, PROBLEM, Finding, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NOTE", "OK", "PROBLEM", "Finding", "Subject", "examine"]


def examine(subject: Subject) -> Iterator[Finding]:
    """Every finding, in the order in which one thing rests on another."""
    for each in (
        machine,
        release_files,
        store,
        own_store,
        database,
        archive,
        hooks,
        pending_check,
        unstored_exports,
        watchdog,
        privacy,
    ):
        if subject.half_purged and each in (pending_check, unstored_exports):
            continue  # what they name may be what is to be removed
        try:
            yield from each.findings(subject)
        except (NotPermitted, PermissionError) as error:
            yield _closed(each.__name__.rpartition(".")[2], error)


def _closed(name: str, error: Exception) -> Finding:
    """What cannot be looked at is a finding, and the rest is looked at all the same."""
    if isinstance(error, NotPermitted):
        return Finding(name, PROBLEM, str(error), error.hint)
    assert isinstance(error, PermissionError)
    return Finding(name, PROBLEM, f"{error.filename}: {error.strerror}", advice(error))
