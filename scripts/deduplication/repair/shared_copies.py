"""Archived files as a database has them, for a store that lies in one, or whose log does: asked once nothing here has a file."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Optional

from ..errors import ArchiveDamaged, DedupError
from ..shared_archive import elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..archive.entry import Elsewhere, Entry
    from ..project.paths import Project
    from ..storage.database.place import Place


class SharedCopies:
    """``ask`` asks the database, which is done once, at most; ``where`` says which one it is. None: there is none."""

    def __init__(self, ask: Optional[Callable[[], Elsewhere]] = None, where: Callable[[], str] = str) -> None:
        self._ask, self._where = ask, where
        self._entries: dict[str, Entry] = {}
        self._problems: list[str] = []
        self._lost: list[str] = []
        self.failure = ""
        """Why it could not be asked for everything: it may have what seems to be lost."""

    def find(self, sha256: bytes) -> Optional[tuple[bytes, str]]:
        """The bytes with this SHA-256, and which database has them; None where it has none, or cannot be asked."""
        self._look()
        entry = self._entries.get(sha256.hex())
        if entry is None or entry.source is None:
            return None
        try:
            data = b"".join(entry.source.parts(entry))
            return (data, f"the database {self._where()}") if hashlib.sha256(data).digest() == sha256 else None
        except ArchiveDamaged as error:
            self._lost.append(f"{entry.name} does not come back from the database: {error}")
        except DedupError as error:
            self.failure = str(error)
        return None

    def _look(self) -> None:
        ask, self._ask = self._ask, None
        if ask is None:
            return
        try:
            found = ask()
        except DedupError as error:
            self.failure = str(error)
            return
        self._problems = found.problems
        self._lost += map(str, found.lost)
        for entry in found.entries:
            self._entries.setdefault(entry.sha256, entry)

    def notes(self) -> list[str]:
        """What is to be told of it, a line each."""
        notes = list(dict.fromkeys([*self._problems, *self._lost]))
        if self.failure:
            notes.append(
                f"The database, which may have what is lost here, could not be asked: {self.failure}. Repair again then"
            )
        return notes


@contextlib.contextmanager
def opened(project: Optional[Project], place: Optional[Place], *, keep: bool) -> Iterator[SharedCopies]:
    """What the database at ``place`` has of the archive of ``project``. ``keep``: what is fetched stays beside that."""
    if project is None or place is None:
        yield SharedCopies()
        return
    with elsewhere.opened(project, place, keep=keep) as ask:
        yield SharedCopies(ask, place.shown)
