"""A snapshot back into a project: put together beside its place, proven and verified there, then moved in one step.

Whatever happens before that step, the place is what it was.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING, Final, Optional

from ..archive import verify as checking
from ..errors import (
    BackupDamaged,
    BackupHasPurged,
    OutputNotWritable,
    RestoreRefused,
    StoreDamaged,
    StoreNotWritable,
    UsageError,
)
from ..figures.counted import counted
from ..files import atomic, beneath
from ..packs.pack_names import FOLDER as PACKS
from ..start.late_dataclass import dataclass, field
from ..storage import audit_entries, open_in_folder
from . import manifest, staging
from .objects import Objects
from .source import ARCHIVE, SETTINGS, STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..project.paths import Project
    from .folder import Folder
    from .manifest import File, Snapshot

_CONTENT: Final = "content"


@dataclass(frozen=True)
class Target:
    """Where a snapshot goes. ``only_state``: the store alone; ``settings``: where those of the project lie."""

    place: str
    only_state: bool = False
    settings: Optional[str] = None

    @classmethod
    def of_project(cls, project: Project) -> Target:
        """``MEMORY-CONTEXT`` of a project."""
        return cls(os.path.realpath(project.memory), settings=os.path.join(project.root, SETTINGS))

    @classmethod
    def of_folder(cls, folder: str) -> Target:
        """What ``MEMORY-CONTEXT`` had, in another folder."""
        return cls(os.path.realpath(folder))

    @classmethod
    def of_state(cls, folder: str) -> Target:
        """The store alone."""
        return cls(os.path.realpath(folder), only_state=True)


@dataclass
class Restored:
    """What came back. ``lost``: files that the backup no longer has whole; ``problems``: what ``verify`` says of the store.

    ``left_out``: files of the snapshot that a store alone does not have; ``settings``: ``restored``, ``kept`` or empty.
    """

    snapshot: Snapshot
    place: str
    files: int = 0
    bytes: int = 0
    left_out: int = 0
    settings: str = ""
    lost: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def restore(
    folder: Folder,
    target: Target,
    *,
    snapshot: str = "",
    skip_damaged: bool = False,
    purges: Optional[Collection[str]] = (),
    advance: Callable[[int], None] = lambda _bytes: None,
) -> Restored:
    """Put a snapshot (the newest, where none is named) into the target, which must be missing or hold no file.

    ``skip_damaged``: leave out what the backup no longer has whole, and name it, instead of refusing everything. ``purges``: those
    that the store is known to have had; a snapshot that was taken before one of them, or before one that another snapshot was
    taken after, is refused. None: it is restored all the same. Raises :class:`RestoreRefused`, :class:`BackupHasPurged`,
    :class:`BackupDamaged`, :class:`BackupMissing`, :class:`OutputNotWritable`.
    """
    began = time.monotonic()
    refuse(folder, target)
    wanted = folder.find(snapshot)
    if purges is not None and (missed := folder.all_purges().union(purges).difference(wanted.purges)):
        raise BackupHasPurged(f"snapshot {wanted.number}, from before {counted(len(missed), 'purge')}")
    try:
        with staging.staged(target.place) as stage:
            done = Restored(wanted, target.place)
            content = os.path.join(stage, _CONTENT)
            state = content if target.only_state else os.path.join(content, STATE)
            _write(folder, wanted, target, content, done, advance, skip_damaged=skip_damaged)
            done.problems = _verified(content, state, plain=wanted.index == manifest.PLAIN)
            figures = {"snapshot": wanted.number, "files": done.files, "bytes": done.bytes, "lost": len(done.lost)}
            audit_entries.note_in_folder(state, audit_entries.RESTORE, began, **figures)
            _set_modes(wanted, target, content)
            _settings(target, content, done)
            staging.put(content, target.place)
    except StoreNotWritable as error:
        raise OutputNotWritable(error.detail) from error
    except OSError as error:
        raise OutputNotWritable(f"{error.filename or target.place}: {error.strerror or error}") from error
    return done


def refuse(folder: Folder, target: Target) -> None:
    """Raise :class:`RestoreRefused` where something is there already."""
    try:
        taken = staging.occupied(target.place)
    except OSError as error:
        raise OutputNotWritable(f"{target.place}: {error.strerror or error}") from error
    if taken:
        raise RestoreRefused(target.place)
    if os.path.join(target.place, "").startswith(os.path.join(os.path.realpath(folder.path), "")):
        raise UsageError(f"{target.place} lies in the backup itself")


def _write(
    folder: Folder,
    wanted: Snapshot,
    target: Target,
    content: str,
    done: Restored,
    advance: Callable[[int], None],
    *,
    skip_damaged: bool,
) -> None:
    objects = Objects(folder.path)
    atomic.make_private_directory(content)
    for path in wanted.folders:
        place = _place(path, target, content)
        if place is not None:
            atomic.make_private_directory(place)
    for path, file in wanted.files.items():
        place = _place(path, target, content)
        if place is None:
            done.left_out += 1
            continue
        try:
            _write_file(objects, file, place, advance)
        except BackupDamaged as error:
            if not skip_damaged:
                raise BackupDamaged(f"{path}: {error.detail}") from error
            done.lost.append((path, error.detail))
            continue
        done.files += 1
        done.bytes += file.size


def _place(path: str, target: Target, content: str) -> Optional[str]:
    """Where a file of a snapshot goes; None where it is not wanted."""
    if target.only_state:
        if path != STATE and not path.startswith(f"{STATE}/"):
            return None
        path = path[len(STATE) + 1 :]
    return os.path.normpath(os.path.join(content, *path.split("/")))


def _write_file(objects: Objects, file: File, place: str, advance: Callable[[int], None]) -> None:
    atomic.make_private_directory(os.path.dirname(place))
    digest, size = hashlib.sha256(), 0
    with atomic.replacing(place, mode=file.mode) as descriptor:
        for part in file.parts:
            data = objects.read(part)
            digest.update(data)
            size += len(data)
            atomic.write_all(descriptor, data)
            advance(len(data))
        if (digest.hexdigest(), size) != (file.sha256, file.size):
            raise BackupDamaged("its parts do not make the file that was kept")
    beneath.set_times(place, file.mtime_ns)


def _verified(content: str, state: str, *, plain: bool) -> list[str]:
    """Make the indexes, then what ``verify`` says. What it finds was in the store already: every byte is as it was kept."""
    store = open_in_folder(state, plain=plain)
    try:
        with store.transaction():
            pass
    except StoreDamaged as error:
        return [str(error), *store.verify()]
    if store.warnings:
        raise StoreNotWritable(store.warnings[0])
    problems = store.verify()
    archive = os.path.join(content, ARCHIVE)
    if state == content:
        return problems  # the store alone
    found = checking.check(os.path.join(archive, PACKS))
    checking.compare(state, archive, found)
    return problems + found.all_problems()


def _set_modes(wanted: Snapshot, target: Target, content: str) -> None:
    """Folders get their permissions last: nothing can be written into some of them."""
    for path, mode in sorted(wanted.folders.items(), reverse=True):
        place = _place(path, target, content)
        if place is not None and os.path.isdir(place):
            beneath.chmod(place, mode)


def _settings(target: Target, content: str, done: Restored) -> None:
    """The project's settings go to their own place, where there are none."""
    found = os.path.join(content, *SETTINGS.split("/"))
    if target.settings is None or not os.path.lexists(found):
        return
    if os.path.lexists(target.settings):
        done.settings = "kept"
    else:
        with open(found, "rb") as file:
            data = file.read()
        status = os.stat(found)
        beneath.make_folders(os.path.dirname(target.settings))
        atomic.replace(target.settings, data, mode=status.st_mode & 0o777)
        beneath.set_times(target.settings, status.st_mtime_ns)
        done.settings = "restored"
    beneath.unlink(found)
    beneath.rmdir(os.path.dirname(found))
