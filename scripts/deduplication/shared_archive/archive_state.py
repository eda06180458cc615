"""What an archive says in a database: its files by name, each with the SHA-256 under which its bytes lie there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..start.late_tuple import NamedTuple
from ..storage.database.archive_tables import OBJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERSION: Final = 1


class Held(NamedTuple):
    """A file of an archive: ``name`` below its folder, with slashes.

    ``stays``: its bytes are on its machine alone. ``gone``: they are not there any more, and nothing has taken them in.
    """

    name: str
    sha256: str
    size: int
    mtime_ns: int = 0
    stays: bool = False
    gone: bool = False

    @property
    def object(self) -> str:
        """Under which name its bytes lie in the database."""
        return OBJECT + self.sha256


class ArchiveState(NamedTuple):
    """All of them, and the machine. ``coming``: objects that are on their way."""

    files: tuple[Held, ...] = ()
    host: str = ""
    coming: tuple[str, ...] = ()

    def objects(self) -> set[str]:
        """The objects to which it refers."""
        return {held.object for held in self.files if not held.stays} | set(self.coming)

    def encode(self) -> bytes:
        """As it lies in the database."""
        files = [[*held[:4], "stays" * held.stays + " gone" * held.gone] for held in self.files]
        said = {"version": _VERSION, "host": self.host, "files": files, "coming": list(self.coming)}
        return json.dumps(said, separators=(",", ":")).encode()


def decode(data: bytes) -> ArchiveState:
    """Raises :class:`ValueError` where it is none, or of a newer version."""
    said = json.loads(data)
    if not isinstance(said, dict) or said.get("version") != _VERSION:
        raise ValueError("what an archive has is said in a way that this version does not know")
    try:
        return ArchiveState(tuple(_held(*row) for row in said["files"]), str(said["host"]), tuple(said["coming"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"what an archive has is damaged: {error}") from error


def _held(name: Any, sha256: Any, size: Any, mtime_ns: Any, how: Any) -> Held:
    return Held(str(name), str(sha256), int(size), int(mtime_ns), "stays" in how, "gone" in how)


def objects_in(data: bytes) -> Iterable[str]:
    """The objects to which a state refers. Raises :class:`ValueError`: of one that cannot be read nothing may be removed."""
    return decode(data).objects()
