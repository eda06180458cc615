"""Bytes of archived files that lie elsewhere: in archive or drop folder, copies of packs, transcripts, a backup, a database."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from ..archive.places import packs_folder, plain_files, quarantine_of
from ..errors import DedupError
from ..files.safe_read import read
from ..packs.pack_copies import CopiedPacks
from ..project import client_transcripts
from ..start.late_tuple import NamedTuple
from .backup_copies import BackupCopies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..project.client_transcripts import Transcript
    from ..project.paths import Project
    from .backup_copies import InBackup
    from .shared_copies import SharedCopies


class Copy(NamedTuple):
    """The bytes of a file, and where they are; ``name``: what the archive calls a transcript."""

    data: bytes
    path: str
    name: str = ""
    mtime_ns: int = 0


class OtherCopies:
    """Looks for files by SHA-256 and size, each place read at most once; ``shared`` is what a database has."""

    def __init__(self, project: Project, shared: Optional[SharedCopies] = None) -> None:
        self._project, self._shared = project, shared
        self._found: Optional[list[Transcript]] = None
        self._sizes: Optional[dict[int, list[Path]]] = None
        self._backups: dict[bytes, Optional[InBackup]] = {}
        self._expected: set[bytes] = set()

    def expect(self, sha256s: Iterable[bytes]) -> None:
        """Say what may be asked for, so that a backup is gone through once for all of it."""
        self._expected.update(sha256s)

    def find(self, name: str, size: int, sha256: bytes) -> Optional[Copy]:
        """The bytes with this SHA-256. A transcript may have grown since it was archived: its beginning counts."""
        own = [client_transcripts.config_dir() / "projects" / name] if "/" in name else []
        for path in (*own, *self._of_size(size)):
            with contextlib.suppress(DedupError, OSError, ValueError):
                data = read(path)[0][:size]
                if hashlib.sha256(data).digest() == sha256:
                    return Copy(data, os.fspath(path))
        return self._in_pack_copies(sha256) or self._in_backups(sha256) or self._in_database(sha256)

    def _in_pack_copies(self, sha256: bytes) -> Optional[Copy]:
        with contextlib.closing(CopiedPacks(packs_folder(self._project), quarantine_of(self._project))) as copied:
            held = copied.find(sha256)
            return Copy(held.data(), held.path, held.record.name, held.record.mtime_ns) if held is not None else None

    def _in_database(self, sha256: bytes) -> Optional[Copy]:
        found = self._shared.find(sha256) if self._shared is not None else None
        return Copy(*found) if found is not None else None

    def _in_backups(self, sha256: bytes) -> Optional[Copy]:
        if sha256 not in self._backups:
            wanted = {sha256, *self._expected} - self._backups.keys()
            found = BackupCopies(os.fspath(self._project.state)).find(wanted)
            self._backups.update({each: found.get(each) for each in wanted})
        held = self._backups[sha256]
        return Copy(held.data, held.where) if held is not None else None

    def transcript(self, size: int, sha256: bytes) -> Optional[Copy]:
        """The beginning of one of the project's transcripts that has this SHA-256."""
        for each in self._transcripts():
            if each.size < size:
                continue
            with contextlib.suppress(DedupError, OSError), each.path.open("rb") as file:
                data = file.read(size)
                if hashlib.sha256(data).digest() == sha256:
                    name = each.path.relative_to(client_transcripts.config_dir() / "projects").as_posix()
                    return Copy(data, os.fspath(each.path), name, each.mtime_ns)
        return None

    def _transcripts(self) -> list[Transcript]:
        if self._found is None:
            self._found = client_transcripts.find_transcripts(self._project.root)
        return self._found

    def files(self) -> Iterator[bytes]:
        """Every file that may have parts of archived ones."""
        paths = [*self._plain(), *(each.path for each in self._transcripts())]
        for path in paths:
            with contextlib.suppress(DedupError, OSError):
                yield read(path)[0]

    def _plain(self) -> list[Path]:
        found = [path for path, _ in plain_files(self._project)]
        for folder in (self._project.exports, self._project.root):
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                found += [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]
        return found

    def _of_size(self, size: int) -> list[Path]:
        if self._sizes is None:
            self._sizes = {}
            for path in self._plain():
                with contextlib.suppress(OSError):
                    self._sizes.setdefault(os.lstat(path).st_size, []).append(path)
        return self._sizes.get(size, [])
