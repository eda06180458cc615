"""Many files changed as one: everything new is staged, then a journal says what takes whose place, then it is done.

Until the journal is on the disk nothing has changed. From then on everything will: whoever next opens one of the places it names
finishes that place before anything else (:func:`apply`), and all the others as well (:func:`recover`). A place is finished
under its own lock; the journal itself, which all of them change, under the store's.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import zlib
from typing import TYPE_CHECKING, Any, Final

from ..errors import StoreDamaged, StoreNotWritable
from ..start.late_dataclass import asdict, dataclass, field
from . import atomic, beneath, lock_names, locking
from .title_marks import without_titles

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "purge.pending"
"""In the store's folder. It names files and says nothing of what is in them."""
STAGE: Final = "purge.stage"
"""The folder beside what is to be replaced, in which the new files wait."""
STORE: Final = "store"
ARCHIVE: Final = "archive"
SESSIONS: Final = "sessions"
LAST_RUN: Final = "last_run"
_at_work: Final[set[str]] = set()
"""Folders of stores whose purge this process is finishing: what it opens for that finishes nothing once more."""
_VERSION: Final = 1
_ADVICE: Final = (
    "Put the whole MEMORY-CONTEXT folder back from a backup and purge again: nobody can tell what was done."
)


@dataclass
class Changes:
    """What is to be done in one place; paths are relative to its folder.

    ``replace`` has pairs of a staged file and the file whose place it takes. ``remove`` are files that go. ``names`` are pairs of
    a word and what takes its place in the text files ``texts``; titles of the sessions with the digits ``untitled`` go from them.
    """

    replace: list[list[str]] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    names: list[list[str]] = field(default_factory=list)
    untitled: list[str] = field(default_factory=list)


def begin(state: str, changes: Mapping[str, Changes], notes: Mapping[str, Any]) -> None:
    """Decide it: once this returns, all ``changes`` (by place) will be made. ``notes`` are kept until the last of them is."""
    places = {place: asdict(each) for place, each in changes.items()}
    _write(state, {"version": _VERSION, "places": places, "notes": dict(notes)})


def pending(state: str) -> dict[str, Any] | None:
    """The journal in the store's folder; None where there is none. Raises :class:`StoreDamaged`."""
    path = os.path.join(state, NAME)
    try:
        with atomic.open_regular(path) as file:
            data = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreDamaged(f"{path}: {error.strerror or error}", hint=_ADVICE) from error
    body, _, seal = data.rstrip(b"\n").rpartition(b" ")
    if seal != b"%08x" % zlib.crc32(body):
        raise StoreDamaged(f"{path}: the checksum does not match", hint=_ADVICE)
    found: dict[str, Any] = json.loads(body)
    if found["version"] != _VERSION:
        raise StoreDamaged(f"{path}: of another version", hint="Use the version of export-dedup that began to purge.")
    return found


def waits(state: str, place: str) -> bool:
    """True where somebody was stopped before this place was finished."""
    if not os.path.lexists(os.path.join(state, NAME)):
        return False
    found = pending(state)
    return found is not None and place in found["places"]


def places(state: str) -> tuple[str, ...]:
    """What a purge that was stopped left to be done; empty where there is none. Raises :class:`StoreDamaged`."""
    found = pending(state)
    return tuple(found["places"]) if found is not None else ()


def unfinished(state: str) -> tuple[str, ...]:
    """The same for who only looks: a purge that is under way is waited for, since who is at it holds the store's lock.

    Nothing is changed. Raises ``StoreLocked``, :class:`StoreDamaged`.
    """
    if not os.path.lexists(os.path.join(state, NAME)):
        return ()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(StoreNotWritable):  # on a medium that cannot be written nobody is at work
            stack.enter_context(locking.exclusive(os.path.join(state, lock_names.LOCK)))
        return places(state)


def recover(state: str) -> None:
    """Finish a purge that was stopped, in every place: whoever opens one of them calls it before taking a lock of it.

    What the disk refuses, or what another process is about to do, is left for the next one; who goes on into a place that is not
    finished calls :func:`apply` for it under its lock, and that raises.
    """
    state = os.path.abspath(state)
    if state in _at_work or not os.path.lexists(os.path.join(state, NAME)):
        return
    from .. import recover_purge

    _at_work.add(state)
    try:
        recover_purge(state)
    finally:
        _at_work.discard(state)


def apply(state: str, place: str, folder: str) -> dict[str, Any] | None:
    """Do what the journal says of a place whose folder is ``folder``; the journal's notes where it said something.

    The caller holds the lock of the place and that of the store. Raises ``StoreNotWritable``: then the rest is still to be done.
    """
    found = pending(state)
    if found is None or place not in found["places"]:
        return None
    _do(Changes(**found["places"].pop(place)), folder)
    if found["places"]:
        _write(state, found)
    else:
        path = os.path.join(state, NAME)
        with atomic.write_errors(path):
            beneath.unlink(path)
            atomic.sync_directory(state)
    beneath.remove_tree(os.path.join(folder, STAGE), ignore_errors=True)
    atomic.remove_temporaries(state)
    notes: dict[str, Any] = found["notes"]
    return notes


def roll_back(state: str, place: str, folder: str) -> None:
    """Delete what was staged by somebody who was stopped before it was decided. Under the lock of the place."""
    stage = os.path.join(folder, STAGE)
    if os.path.isdir(stage) and not os.path.islink(stage) and not waits(state, place):
        beneath.remove_tree(stage, ignore_errors=True)
        if place == STORE:
            atomic.remove_temporaries(state)


def _do(changes: Changes, folder: str) -> None:
    touched: set[str] = set()
    for name in changes.remove:
        path = os.path.join(folder, name)
        with atomic.write_errors(path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            beneath.unlink(path)
            touched.add(os.path.dirname(path))
    for staged, name in changes.replace:
        source, path = os.path.join(folder, staged), os.path.join(folder, name)
        if not os.path.lexists(source):
            continue  # whoever was stopped had come so far
        with atomic.write_errors(path):
            atomic.make_private_directory(os.path.dirname(path))
            beneath.replace(source, path)
            touched.add(os.path.dirname(path))
    for name in changes.texts if changes.names or changes.untitled else ():
        path = os.path.join(folder, name)
        with locking.exclusive(os.path.join(folder, lock_names.STATUS_LOCK)), atomic.write_errors(path):
            atomic.remove_temporaries(os.path.dirname(path), (os.path.basename(path),))  # of one who was stopped at it
            _rename_in(path, changes.names, changes.untitled)
    for directory in sorted(touched):
        with atomic.write_errors(directory):
            atomic.sync_directory(directory)


_NONE_OF_OURS: Final = (errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.ELOOP)
"""It is not there, or no file: a link, say, which is not followed."""


def _rename_in(path: str, names: list[list[str]], untitled: list[str]) -> None:
    try:
        with atomic.open_regular(path) as file:
            data = file.read()
            mode = os.fstat(file.fileno()).st_mode & 0o777
    except OSError as error:
        if error.errno in _NONE_OF_OURS:
            return
        raise
    changed = without_titles(data, untitled)
    for old, new in names:
        for spelling in (old, json.dumps(old)[1:-1]):
            changed = changed.replace(spelling.encode("utf-8", "surrogateescape"), new.encode())
    if changed != data:
        atomic.replace(path, changed, mode=mode)


def _write(state: str, content: Mapping[str, Any]) -> None:
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode()
    atomic.replace(os.path.join(state, NAME), b"%s %08x\n" % (body, zlib.crc32(body)))
