"""The other way round: which of the client's files the archive has, byte for byte and verified, so that they may be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..archive import inventory
from ..archive.completeness import compare_with_inventory
from ..errors import DedupError
from ..files.safe_read import digest_of, opened
from ..project.client_transcripts import files_of
from ..start.late_dataclass import dataclass
from .uncaptured import QUIET

if TYPE_CHECKING:
    from .client_side import ClientSide


@dataclass(frozen=True)
class ArchivedFiles:
    """The client's files of a project, their transcripts with all that belongs to them: how many and how many bytes.

    ``verified``: the archive restores exactly these bytes, from packs that have the SHA-256 that they name. A file that was
    written to in the last minutes is not among them, nor one of which the archive has an earlier state.
    """

    files: int = 0
    bytes: int = 0
    verified_files: int = 0
    verified_bytes: int = 0
    verified: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "verified_files": self.verified_files,
            "verified_bytes": self.verified_bytes,
            "verified": list(self.verified),
            "problems": list(self.problems),
        }


def archived_files(client: ClientSide) -> ArchivedFiles:
    """Hold every file against the archive: only those are hashed of which it has a file of that size. Raises ``StoreError``."""
    there: set[str] = set()
    sizes: set[int] = set()
    problems: tuple[str, ...] = ()
    listed = inventory.none()
    if client.place is not None and client.transcripts:
        listed = inventory.load(str(client.place.state), str(client.place.archive))
    if client.place is not None and listed.files:
        checked = compare_with_inventory(client.place)
        there, problems = checked.there, tuple(checked.problems)
        sizes = {each.size for each in listed.files.values() if each.sha256 in there}
    files = total = kept = 0
    names: list[str] = []
    for path, _, _ in files_of(client.transcripts):
        try:
            status = path.lstat()
        except OSError:
            continue
        files, total = files + 1, total + status.st_size
        if status.st_size not in sizes or client.now - status.st_mtime < QUIET:
            continue
        try:
            with opened(path) as (file, identity):
                digest = digest_of(file)
        except DedupError:
            continue  # it changes, or may not be read: nobody is told to delete it
        if digest in there:
            names.append(str(path))
            kept += identity.size
    return ArchivedFiles(files, total, len(names), kept, tuple(names), problems)
