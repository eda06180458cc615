"""Which folders have backups of a store, remembered beside its log, so that what is purged can be purged there, too.

``dedup_state/backups.json``. It has each backup by an id of its own, since the same folder may be another disk tomorrow; the
purges that the store has had, by ids that say nothing of what went; and for each backup those that did not reach it yet. A file
that waits to be processed and shows what was purged is backed up as it is: it is noted by its hash, and a snapshot with it does not
count as one from after the purge. If ``backups.json`` is lost, the backups are what they were; only nobody knows where they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ..errors import StoreError, StoreNotWritable
from ..files import atomic, journal
from ..files.locking import exclusive
from ..project.paths import LOCK
from ..start.late_tuple import NamedTuple
from ..storage.log.append_log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ..storage.log.lines import Line
    from ..storage.log_backed import FolderStore

NAME: Final = "backups.json"
_DIGITS: Final = 32


class Known(NamedTuple):
    """A backup: the folder (absolute) in which it was seen last, when it was begun, its id, and the purges that it lacks.

    ``id`` is empty for one that an earlier version made.
    """

    path: str
    since: str
    id: str = ""
    owed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As the file has it."""
        more = {name: value for name, value in (("id", self.id), ("purges", list(self.owed))) if value}
        return {"path": self.path, "since": self.since, **more}


class _Record(NamedTuple):
    """What the file says."""

    store: str = ""
    backups: tuple[Known, ...] = ()
    purges: tuple[str, ...] = ()
    waiting: Mapping[str, Sequence[str]] = MappingProxyType({})

    def encoded(self) -> bytes:
        """The bytes of the file."""
        more: dict[str, Any] = {"purges": list(self.purges)} if self.purges else {}
        if self.waiting:
            more["waiting"] = {purge: list(files) for purge, files in self.waiting.items()}
        said = {"store": self.store, "folders": [each.as_dict() for each in self.backups], **more}
        return json.dumps(said, indent=1).encode() + b"\n"


def known(state: str) -> list[str]:
    """The folders (absolute) that have backups of the store in the folder ``state``, in the order in which they were begun.

    Raises ``StoreError`` where that cannot be read.
    """
    return list(dict.fromkeys(each.path for each in backups(state)))


def backups(state: str) -> list[Known]:
    """Every backup that is known, in the order in which they were begun. Raises ``StoreError``."""
    return list(_read(state).backups)


def owed(state: str) -> list[Known]:
    """Those that a purge did not reach, and that may have what was purged. Raises ``StoreError``."""
    return [each for each in backups(state) if each.owed]


def unfinished(state: str) -> tuple[tuple[str, ...], Sequence[Known]]:
    """Where a purge was stopped half way (see :mod:`.files.journal`), and the backups that one did not reach."""
    return journal.unfinished(state), owed(state)


def purges(state: str) -> tuple[str, ...]:
    """The purges that the store has had since there are ids for them, the first one first. Raises ``StoreError``."""
    return _read(state).purges


class Noted(NamedTuple):
    """The purges that a store has had, and the files (SHA-256) that show something of each and wait to be processed."""

    purges: tuple[str, ...]
    waiting: Mapping[str, Sequence[str]]

    def without(self, files: Collection[str]) -> tuple[str, ...]:
        """Those purges of which nothing is in ``files``."""
        return tuple(each for each in self.purges if not any(file in files for file in self.waiting.get(each, ())))


def noted(state: str) -> Noted:
    """What tells which purges a snapshot comes after. Raises ``StoreError``."""
    said = _read(state)
    return Noted(said.purges, said.waiting)


def store_id(state: str) -> str:
    """What tells this store from others: remembered from its first backup on, before that the hash of its log's first line.

    A store without a line gets one at random, which :func:`remember` keeps. Raises ``StoreLocked``, ``StoreError``.
    """
    said = _read(state).store
    if said:
        return said
    log = Log.of(state)
    with contextlib.ExitStack() as stack:
        stack.callback(log.close)
        with contextlib.suppress(StoreNotWritable):  # nobody can write a store that is read-only
            stack.enter_context(exclusive(os.path.join(state, LOCK)))
        log.recover(write=False)
        return _first_line(log.lines())


def _first_line(lines: Iterator[Line]) -> str:
    try:
        line = next(lines, None)
    except StoreError:
        line = None
    if line is None:
        return secrets.token_hex(_DIGITS // 2)
    return hashlib.sha256(line.data).hexdigest()[:_DIGITS]


def remember(state: str, seen: Known, store: str) -> None:
    """Note that ``seen`` is a backup of the store in ``state``, where it is now, and which purges it lacks besides those noted.

    Raises ``StoreNotWritable``, ``StoreLocked``.
    """
    if _with(_read(state), seen, store) == _read(state):
        return  # as nearly always: nobody has to wait for that
    _change(state, lambda said: _with(said, seen, store))


def _with(said: _Record, seen: Known, store: str) -> _Record:
    before = next((each for each in said.backups if each.id == seen.id), None)
    if before is None:  # one of an earlier version had no id: it is the one in this folder
        before = next((each for each in said.backups if not each.id and each.path == seen.path), None)
    if before is None:
        return said._replace(store=store, backups=(*said.backups, seen))
    lacks = tuple(dict.fromkeys((*before.owed, *seen.owed)))
    now = before._replace(path=seen.path, id=seen.id, owed=lacks)
    return said._replace(store=store, backups=tuple(now if each is before else each for each in said.backups))


def after_purge(purged: FolderStore, purge: str, waiting: Sequence[str], *, hashes: bool) -> bytes:
    """The bytes of the file once a purge of a store, with this id, is done: every backup lacks it. Under the store's lock.

    ``waiting`` are files (SHA-256) that wait to be processed and show what goes. A store that has no id yet gets the one by which
    copies of it know it, since its first line may go. With ``hashes=False`` nothing is kept that is the hash of something that was
    said: the store's id is one at random, and of files that wait nothing is noted.
    """
    said = _read(purged.folder)
    store = said.store or (_first_line(purged.lines()) if hashes else secrets.token_hex(_DIGITS // 2))
    lacking = tuple(each._replace(owed=(*each.owed, purge)) for each in said.backups)
    files = {**said.waiting, **({purge: waiting} if waiting and hashes else {})}
    return _Record(store, lacking, (*said.purges, purge), files).encoded()


def note_purged(state: str, backup: str, done: Collection[str]) -> None:
    """Note that these purges were made in a backup, so that nothing waits any more that shows what they removed.

    Raises ``StoreNotWritable``, ``StoreLocked``.
    """

    def settled(said: _Record) -> _Record:
        found = (
            each._replace(owed=tuple(purge for purge in each.owed if purge not in done)) if each.id == backup else each
            for each in said.backups
        )
        waiting = {purge: files for purge, files in said.waiting.items() if purge not in done}
        return said._replace(backups=tuple(found), waiting=waiting)

    if settled(_read(state)) != _read(state):
        _change(state, settled)


def forget(state: str, folder: str) -> list[Known]:
    """Take what is known in a folder from the list, and leave the folder as it is; what was on it."""
    gone: list[Known] = []

    def left(said: _Record) -> _Record:
        gone[:] = [each for each in said.backups if each.path == folder]
        return said._replace(backups=tuple(each for each in said.backups if each.path != folder))

    _change(state, left)
    return gone


def carry(state: str, new: str) -> None:
    """Into a store that takes the place of this one: the same backups, and the same purges still to be made there."""
    said = _read(state)
    if said != _Record():
        atomic.replace(os.path.join(new, NAME), said.encoded())


def _change(state: str, change: Callable[[_Record], _Record]) -> None:
    with exclusive(os.path.join(state, LOCK)):
        journal.apply(state, journal.STORE, state)  # a purge that was stopped has a file of its own to put here
        said = _read(state)
        changed = change(said)
        if changed != said:
            atomic.replace(os.path.join(state, NAME), changed.encoded())


def _read(state: str) -> _Record:
    """What the file says; nothing where there is none, or where it says something else."""
    path = os.path.join(state, NAME)
    try:
        with atomic.open_regular(path) as file:
            content = file.read()
    except FileNotFoundError:
        content = b""
    except OSError as error:  # it may say much: whoever took it for empty would write it anew
        raise StoreError(f"{path}: {error.strerror or error}") from error
    try:
        said = json.loads(content)
        found = tuple(_entries(said["folders"]))
        store = said["store"] if isinstance(said["store"], str) else ""
        waiting = said.get("waiting", {})
        return _Record(store, found, _ids(said.get("purges")), {each: _ids(waiting[each]) for each in waiting})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _Record()


def _entries(folders: Sequence[Any]) -> Iterator[Known]:
    for entry in folders:
        if isinstance(entry["path"], str):
            yield Known(entry["path"], str(entry.get("since", "")), str(entry.get("id", "")), _ids(entry.get("purges")))


def _ids(found: Any) -> tuple[str, ...]:
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()
