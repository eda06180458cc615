"""The store: where it lies and why, whether it is private, whether it opens."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ..backup import known
from ..errors import DedupError, UnsafePath
from ..figures.counted import counted
from ..files import journal
from ..project.own_place import require_inside
from ..project.paths import LENT, LOCK
from ..reports import purge as purge_report
from ..storage import open_store
from ..storage.log.log_copies import copies_in
from ..storage.log_backed import folder_of
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject


def findings(subject: Subject) -> Iterator[Finding]:
    """Opens the store of the subject where it can be opened."""
    folder = subject.folder
    if folder_of(open_store(subject.backend, folder, subject.url)) is None:
        yield _elsewhere(subject)
        return
    where = f"{folder} ({subject.why})"
    try:
        require_inside(folder)
    except UnsafePath as error:
        yield Finding("store", PROBLEM, str(error), error.hint)
        return
    if not os.path.isdir(folder):
        yield Finding("store", NOTE, f"none yet; it will be made in {where}")
        return
    open_to_others = [name for name in ("", *sorted(os.listdir(folder))) if _is_open(os.path.join(folder, name))]
    if open_to_others:
        names = tuple(name or "the folder itself" for name in open_to_others[:LINES])
        cure = f"chmod -R go-rwx {shlex.quote(folder)}"
        yield Finding("privacy", PROBLEM, f"{where} can be read by others", cure, names)
    else:
        yield Finding("privacy", OK, "the store is readable by you alone")
    if not os.path.lexists(os.path.join(folder, LOCK)):  # opening it would make the lock
        yield Finding("store", NOTE, f"{where} is empty, or was copied here and not opened yet")
        return
    try:
        waiting = journal.unfinished(folder)
        owed = known.owed(folder)
    except DedupError as error:
        yield Finding("store", PROBLEM, str(error), error.hint)
        return
    for each in owed:
        yield Finding("backup", PROBLEM, purge_report.owed(each), purge_report.cure(each))
    if waiting:  # opening it would finish it
        text = f"a purge was stopped half way; still to be done: {purge_report.places(waiting)}"
        subject.half_purged = True
        yield Finding("purge", PROBLEM, text, purge_report.FINISH)
        return
    yield from _copies(folder)
    try:
        store = open_store(subject.backend, folder, subject.url)
        with store.transaction(write=False):
            unique, count = store.unique_count(), len(store.conversations())
    except DedupError as error:
        yield Finding("store", PROBLEM, str(error), error.hint)
        return
    subject.store = store
    yield Finding("store", OK, f"{where}: {counted(unique, 'unique message')}, {counted(count, 'conversation')}")


def _elsewhere(subject: Subject) -> Finding:
    """Of a store that does not lie in a folder."""
    try:
        store = open_store(subject.backend, subject.folder, subject.url)
        with store.transaction(write=False):
            unique, count = store.unique_count(), len(store.conversations())
    except DedupError as error:
        return Finding("store", PROBLEM, str(error), error.hint)
    subject.store = store
    if os.path.lexists(os.path.join(subject.folder, LENT)):
        text = f"{subject.folder} has the messages of {store.where()}: a purge was stopped"
        return Finding("purge", PROBLEM, text, "Run the same purge once more: it goes on, and empties the folder.")
    return Finding(
        "store", OK, f"{store.where()}: {counted(unique, 'unique message')}, {counted(count, 'conversation')}"
    )


def _copies(folder: str) -> Iterator[Finding]:
    """What another machine stored, and something that synchronises the folder could not bring together."""
    found = copies_in(folder)
    if found:
        text = (
            "another machine stored something, too: what synchronises the store's folder left copies of the log there"
        )
        cure = "Run 'deduplicate_export.py unite': it takes them in."
        yield Finding("copies", PROBLEM, text, cure, tuple(found[:LINES]))


def _is_open(path: str) -> bool:
    if os.name == "nt":
        return False
    try:
        return bool(os.lstat(path).st_mode & 0o077) and not os.path.islink(path)
    except OSError:
        return False
