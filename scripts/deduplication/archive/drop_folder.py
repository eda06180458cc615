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
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveDamaged, ExportChanged, UnsafePath
from ..files import atomic, beneath, folder_swap, journal
from ..files.locking import exclusive
from ..files.safe_read import CHUNK, Identity, open_regular, take
from ..packs.pack_names import FOLDER
from ..project.paths import LOCK
from ..start.late_dataclass import dataclass
from .own_files import IGNORE, INCOMING, is_leftover, is_ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.paths import Project
    from .listed import Inventory

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
                if entry.name.startswith(INCOMING) or is_leftover(entry.name):
                    beneath.unlink(entry.path)  # left by a run that was killed; its original is still where it was
                elif not is_ours(entry.name):
                    self._by_size.setdefault(entry.stat(follow_symlinks=False).st_size, []).append(entry.name)

    def add(
        self,
        source: Path,
        identity: Identity,
        sha256: str,
        *,
        stays: bool = False,
        instead: bytes | None = None,
        purged: int = 0,
    ) -> Archived:
        """Keep the export at ``source``, which was processed in the state ``identity`` with the digest ``sha256``.

        ``instead``: keep these bytes in its place, because it shows ``purged`` messages that were purged. That they are not what
        was exported is noted before they are there: a note of a file that never came says nothing of any other.

        ``stays`` leaves the original in place. Raises :class:`ExportChanged` where the file is no longer the one that
        was processed (it is left alone), and :class:`StoreNotWritable` where the archive or the original's folder
        cannot be written (the original is left, too).
        """
        size, kept = (identity.size, sha256) if instead is None else (len(instead), hashlib.sha256(instead).hexdigest())
        if instead is not None:
            self._note_purged(kept, purged)
        known = self._find(size, kept)
        if known is not None:
            self._make_durable(known)
        elif packed := self._packed(kept):
            if not stays and os.path.lexists(source):
                self._remove(source, identity, sha256)
            return Archived(Path(self._folder, packed), known=True, moved=not stays)
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

    def _note_purged(self, sha256: str, messages: int) -> None:
        """Note of a file that is about to be kept that so many messages of its export are not in it."""
        from .purged_files import PurgedFile, add

        add(self._folder, PurgedFile(sha256, messages))

    def _list(self, name: str, sha256: str, size: int) -> None:
        """Name the file in the list of archived files: it is in its place, synced, and its original is still there."""
        from . import inventory
        from .listed import Listed

        mtime_ns = os.lstat(os.path.join(self._folder, name)).st_mtime_ns
        listed = Listed(name, sha256, size, mtime_ns)
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

    def _packed(self, sha256: str) -> str:
        """The name of a file in the packs that has these bytes, proven to come back; empty where there is none."""
        folder = folder_swap.current(os.path.join(self._folder, FOLDER))
        if not os.path.isdir(folder):
            return ""
        from ..packs.pack_set import opened_packs

        with contextlib.suppress(ArchiveDamaged), opened_packs(folder) as packs:
            number = packs.file(bytes.fromhex(sha256))
            if number >= 0:
                packs.assembly.prove(number)
                return packs.record(number).name
        return ""

    def _make_durable(self, name: str) -> None:
        """Make an archived file durable before the original goes: whoever put it there may have been killed in between."""
        if os.name == "nt":
            return  # which syncs only what was opened for writing, and folders not at all
        path = os.path.join(self._folder, name)
        with atomic.write_errors(path):
            descriptor = beneath.open_file(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            atomic.sync_directory(self._folder)

    def _copy(self, source: Path, identity: Identity, sha256: str) -> str:
        temporary = os.path.join(self._folder, f"{INCOMING}{os.getpid()}.tmp")
        descriptor, found = open_regular(source)
        try:
            if found != identity:
                raise ExportChanged(source.name)
            with atomic.write_errors(self._folder):
                try:
                    _write(descriptor, temporary, sha256, source.name)
                    beneath.set_times(temporary, identity.mtime_ns)
                    name = self._free_name(source.name)
                    beneath.rename(temporary, os.path.join(self._folder, name))
                except BaseException:
                    with contextlib.suppress(OSError):
                        beneath.unlink(temporary)
                    raise
                atomic.sync_directory(self._folder)
        finally:
            os.close(descriptor)
        self._by_size.setdefault(identity.size, []).append(name)
        return name

    def _put(self, wanted: str, identity: Identity, data: bytes) -> str:
        """Keep ``data`` under the name ``wanted``, with the time of its export from the first instant on; the name it got."""
        name = self._free_name(wanted)
        temporary = os.path.join(self._folder, f"{INCOMING}{os.getpid()}.tmp")
        atomic.replace(temporary, data)
        with atomic.write_errors(temporary):
            beneath.set_times(temporary, identity.mtime_ns)
            beneath.rename(temporary, os.path.join(self._folder, name))
            atomic.sync_directory(self._folder)
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
            with beneath.reached(source) as (name, folder):  # one folder for the look and the deed
                if Identity.of(os.stat(name, dir_fd=folder, follow_symlinks=False)) != identity:
                    raise ExportChanged(source.name)
                os.unlink(name, dir_fd=folder)
            atomic.sync_directory(os.path.dirname(source))


def lock_path(folder: str) -> str:
    """The lock of the archive in ``folder``, for whoever only looks and creates nothing."""
    return os.path.join(folder, LOCK)


def recover(project: Project) -> None:
    """Go on where a purge was stopped before the archive was made anew. Under the archive's lock."""
    state, folder = str(project.state), str(project.archive)
    if journal.waits(state, journal.ARCHIVE):
        with exclusive(os.path.join(state, LOCK)):
            journal.apply(state, journal.ARCHIVE, folder)
    journal.roll_back(state, journal.ARCHIVE, folder)


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
    journal.recover(str(project.state))
    with exclusive(lock_path(folder)):
        ignore = os.path.join(folder, IGNORE)
        if not os.path.lexists(
            ignore
        ):  # under the lock: whoever holds it takes what is about to be renamed for a leftover
            atomic.replace(
                ignore, b"# Raw exports may hold secrets: they stay on this machine.\n*\n", mode=atomic.SHARED_FILE
            )
        folder_swap.recover(os.path.join(folder, FOLDER))
        recover(project)
        with atomic.write_errors(folder):
            archive = Archive(str(real), project)
        yield archive


def _write(descriptor: int, path: str, sha256: str, name: str) -> None:
    """Copy what ``descriptor`` reads to a new file, synced; raises :class:`ExportChanged` where its digest differs."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    copy = beneath.open_file(path, flags, atomic.PRIVATE_FILE)
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
