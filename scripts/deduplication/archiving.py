"""Raw exports after processing: into ``MEMORY-CONTEXT/exports-archive/``, byte for byte, and only then out of the way.

The promise: at every instant the bytes that were processed exist under one name at least. An export is copied from
an open descriptor into a temporary file, its digest is compared with that of what was processed, the copy is synced
and gets its name; then the file is named in the list of what was archived (:mod:`.archive.inventory`), so that it is known
from then on, should it be lost; only then the original goes, and only if it is still the file that was read. So it does not
matter whether the archive is on the same file system, and a writer that still holds the original cannot touch the copy.
What was interrupted is done again by the next run, which finds the same bytes in the archive and keeps them once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import atomic, journal
from .errors import ExportChanged, UnsafePath
from .locking import exclusive
from .reading import CHUNK, Identity, open_regular, take
from .storage import rewriting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .archive.inventory import Inventory
    from .project import Project

PACKS: Final = "packs"
"""The folder of the packs in the archive."""
LOCK: Final = ".lock"
_IGNORE: Final = ".gitignore"
_INCOMING: Final = ".incoming-"
PURGED_FILES: Final = "purged.jsonl"
"""Which files are not what was exported, because messages of theirs were purged."""
LISTED: Final = ".archived.jsonl"
"""Which files the archive took in."""
_MAX_NAME_BYTES: Final = 255
_MAX_ENDING: Final = 20


@dataclass(frozen=True)
class Archived:
    """Where an export went. ``known``: the archive had these very bytes already. ``moved``: the original is gone."""

    path: Path
    known: bool
    moved: bool


class Archive:
    """The archive folder, held exclusively while it is open (see :func:`opened`)."""

    def __init__(self, folder: str, project: Project) -> None:
        """``folder``, that of the project's archive, exists, is private and locked."""
        self._folder, self._project = folder, project
        self._by_size: dict[int, list[str]] = {}
        self._listed: Inventory | None = None
        self.notes: list[str] = []
        """What was wrong with the list of archived files, and is made whole: a line each."""
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_file(follow_symlinks=False):
                    continue
                if entry.name.startswith(_INCOMING) or _is_leftover(entry.name):
                    os.unlink(entry.path)  # left by a run that was killed; its original is still where it was
                elif not is_ours(entry.name):
                    self._by_size.setdefault(entry.stat(follow_symlinks=False).st_size, []).append(entry.name)

    def add(
        self, source: Path, identity: Identity, sha256: str, *, stays: bool = False, instead: bytes | None = None
    ) -> Archived:
        """Keep the export at ``source``, which was processed in the state ``identity`` with the digest ``sha256``.

        ``instead``: keep these bytes in its place, because it shows what was purged.

        ``stays`` leaves the original in place. Raises :class:`ExportChanged` where the file is no longer the one that
        was processed (it is left alone), and :class:`StoreNotWritable` where the archive or the original's folder
        cannot be written (the original is left, too).
        """
        size, kept = (identity.size, sha256) if instead is None else (len(instead), hashlib.sha256(instead).hexdigest())
        known = self._find(size, kept)
        if known is not None:
            self._settle(known)
        name = known or (
            self._copy(source, identity, sha256) if instead is None else self._put(source.name, identity, instead)
        )
        path = Path(self._folder, name)
        self._list(name, kept, size)
        # Gone already: a run beside this one archived the same file first.
        if not stays and (known is None or os.path.lexists(source)):
            self._remove(source, identity, sha256)
        return Archived(path, known=known is not None, moved=not stays)

    def discard(self, source: Path, identity: Identity, sha256: str) -> None:
        """Remove an export that was processed and of which nothing is to be kept. Raises as :meth:`add`."""
        if os.path.lexists(source):
            self._remove(source, identity, sha256)

    def note_purged(self, path: Path, messages: int) -> None:
        """Note of a file that was kept that so many messages of its export are not in it."""
        from .archive.purged_files import PurgedFile, add

        with open(path, "rb") as file:
            add(self._folder, PurgedFile(hashlib.sha256(file.read()).hexdigest(), messages))

    def _list(self, name: str, sha256: str, size: int) -> None:
        """Name the file in the list of archived files: it is in its place, synced, and its original is still there."""
        from .archive import inventory

        mtime_ns = os.lstat(os.path.join(self._folder, name)).st_mtime_ns
        listed = inventory.Listed(name, sha256, size, mtime_ns)
        self.notes += inventory.add(self._project, [listed], self._listed)
        if self._listed is None:
            self._listed = inventory.load(str(self._project.state), str(self._project.archive))

    def _find(self, size: int, sha256: str) -> str | None:
        """The name under which these bytes are archived already, judged by reading them."""
        for name in self._by_size.get(size, ()):
            with contextlib.suppress(OSError):
                with open(os.path.join(self._folder, name), "rb") as file:
                    digest = hashlib.sha256()
                    while part := file.read(CHUNK):
                        digest.update(part)
                if digest.hexdigest() == sha256:
                    return name
        return None

    def _settle(self, name: str) -> None:
        """Make an archived file durable before the original goes: whoever put it there may have been killed in between."""
        if os.name == "nt":
            return  # which syncs only what was opened for writing, and folders not at all
        path = os.path.join(self._folder, name)
        with atomic.write_errors(path):
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            atomic.sync_directory(self._folder)

    def _copy(self, source: Path, identity: Identity, sha256: str) -> str:
        temporary = os.path.join(self._folder, f"{_INCOMING}{os.getpid()}.tmp")
        descriptor, found = open_regular(source)
        try:
            if found != identity:
                raise ExportChanged(source.name)
            with atomic.write_errors(self._folder):
                try:
                    _write(descriptor, temporary, sha256, source.name)
                    os.utime(temporary, ns=(identity.mtime_ns, identity.mtime_ns))
                    name = self._free_name(source.name)
                    os.rename(temporary, os.path.join(self._folder, name))
                except BaseException:
                    with contextlib.suppress(OSError):
                        os.unlink(temporary)
                    raise
                atomic.sync_directory(self._folder)
        finally:
            os.close(descriptor)
        self._by_size.setdefault(identity.size, []).append(name)
        return name

    def _put(self, wanted: str, identity: Identity, data: bytes) -> str:
        name = self._free_name(wanted)
        path = os.path.join(self._folder, name)
        atomic.replace(path, data)
        with atomic.write_errors(path):
            os.utime(path, ns=(identity.mtime_ns, identity.mtime_ns))
        self._by_size.setdefault(len(data), []).append(name)
        return name

    def _free_name(self, name: str) -> str:
        """``name``, or the first of ``name-2``, ``name-3`` … (before the ending) that is not ours and is free.

        Where the suffix does not fit, the stem is cut, between characters.
        """
        stem, ending = os.path.splitext(name)
        if len(ending) > _MAX_ENDING:
            stem, ending = name, ""  # a dot in a sentence begins no ending
        number = 1
        while True:
            tail = ending if number == 1 else f"-{number}{ending}"
            while len(os.fsencode(stem + tail)) > _MAX_NAME_BYTES and stem:
                stem = stem[:-1]
            if not (is_ours(stem + tail) or os.path.lexists(os.path.join(self._folder, stem + tail))):
                return stem + tail
            number += 1

    @staticmethod
    def _remove(source: Path, identity: Identity, sha256: str) -> None:
        """Unlink the original, unless it is another file by now. Its bytes are in the archive, synced."""
        descriptor, _ = open_regular(source)
        try:
            if _digest(descriptor) != sha256:
                raise ExportChanged(source.name)
        finally:
            os.close(descriptor)
        with atomic.write_errors(str(source)):
            if Identity.of(os.lstat(source)) != identity:
                raise ExportChanged(source.name)
            os.unlink(source)
            atomic.sync_directory(os.path.dirname(source))


def is_ours(name: str) -> bool:
    """Whether a file of this name in the archive's folder is ours, and no export."""
    return name in (LOCK, _IGNORE, PURGED_FILES, LISTED) or name.startswith(_INCOMING) or _is_leftover(name)


def _is_leftover(name: str) -> bool:
    """What is left of a file of ours where its run was killed while it wrote it."""
    return name.startswith((f"{_IGNORE}.", f"{LISTED}.", f"{PURGED_FILES}.")) and name.endswith(".tmp")


def lock_path(folder: str) -> str:
    """The lock of the archive in ``folder``, for whoever only looks and creates nothing."""
    return os.path.join(folder, LOCK)


def finish_purge(project: Project) -> None:
    """Go on where a purge was stopped before the archive was made anew. Under the archive's lock."""
    state, folder = str(project.state), str(project.archive)
    if journal.waits(state, journal.ARCHIVE):
        with exclusive(os.path.join(state, LOCK)):
            journal.finish(state, journal.ARCHIVE, folder)
    journal.forget_stage(state, journal.ARCHIVE, folder)


@contextlib.contextmanager
def opened(project: Project) -> Iterator[Archive]:
    """The project's archive, created where missing, for this process alone until the block ends.

    Everything in it is readable by its owner only, and git ignores it: raw exports hold whatever was on the screen.
    Raises :class:`UnsafePath` where the folder leads out of the project.
    """
    folder = str(project.archive)
    real = Path(os.path.realpath(folder))
    if project.root != real and project.root not in real.parents:
        raise UnsafePath(
            f"{folder} leads to {real}", hint="Make MEMORY-CONTEXT/exports-archive a folder of the project."
        )
    with atomic.write_errors(folder):
        atomic.make_private_directory(folder)
    with exclusive(lock_path(folder)):
        ignore = os.path.join(folder, _IGNORE)
        if not os.path.lexists(
            ignore
        ):  # under the lock: whoever holds it takes what is about to be renamed for a leftover
            atomic.replace(
                ignore, b"# Raw exports may hold secrets: they stay on this machine.\n*\n", mode=atomic.SHARED_FILE
            )
        rewriting.settled(os.path.join(folder, PACKS))
        finish_purge(project)
        with atomic.write_errors(folder):
            archive = Archive(str(real), project)
        yield archive


def _write(descriptor: int, path: str, sha256: str, name: str) -> None:
    """Copy what ``descriptor`` reads to a new file, synced; raises :class:`ExportChanged` where its digest differs."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    copy = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), atomic.PRIVATE_FILE)
    try:
        if _digest(descriptor, copy) != sha256:
            raise ExportChanged(name)
        os.fsync(copy)
    finally:
        os.close(copy)


def _digest(descriptor: int, copy: int | None = None) -> str:
    digest = hashlib.sha256()
    while part := take(descriptor, CHUNK):
        digest.update(part)
        if copy is not None:
            atomic.write_all(copy, part)
    return digest.hexdigest()
