"""What an archive said in a database the last time, and the SHA-256 of its files: a note, without which it begins anew."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Any, Final

from ..files import atomic
from ..project.paths import SENT_NOTE
from ..start.late_dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable

NONE: Final = -1


@dataclass
class SentNote:
    """``archive``: the id of this archive in the database, 31 random bits. ``number``, ``sha256``: of the state that it said last.

    ``said``: of the one that it was about to say; whether it did, a process that was killed did not learn. ``hashes``: for each
    file, by size and time, its SHA-256 and whether it is whole. ``have``: files that the database has, ``stays``: those that are
    not sent, by their SHA-256. ``listed``: the SHA-256 of the list as it was sent.
    """

    archive: str = ""
    number: int = NONE
    sha256: str = ""
    said: str = ""
    at: str = ""
    failure: str = ""
    failed_at: str = ""
    hashes: dict[str, list[Any]] = field(default_factory=dict)
    have: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    listed: str = ""

    def begin(self) -> None:
        """Be another archive from now on: somebody else says what that one has."""
        self.archive, self.number, self.sha256, self.said = f"{secrets.randbits(31):08x}", NONE, "", ""
        self.have, self.listed = [], ""

    def is_mine(self, number: int, sha256: str) -> bool:
        """Whether this archive said it."""
        return (number, sha256) == (self.number, self.sha256) or (number == self.number + 1 and sha256 == self.said)


def read(folder: str) -> SentNote:
    """The note in the folder of an archive; an empty one where it cannot be read."""
    try:
        with atomic.open_regular(os.path.join(folder, SENT_NOTE)) as file:
            found = SentNote(**json.loads(file.read()))
    except (OSError, ValueError, TypeError):
        return SentNote()
    kinds = [type(value) for value in vars(found).values()]
    return found if kinds == [type(value) for value in vars(SentNote()).values()] else SentNote()


def write(folder: str, note: SentNote) -> None:
    """Raises ``StoreNotWritable``."""
    atomic.replace(os.path.join(folder, SENT_NOTE), json.dumps(vars(note)).encode() + b"\n")


def keep_only(note: SentNote, keys: Iterable[str]) -> None:
    """Forget the hashes of files that are not there any more."""
    note.hashes = {key: note.hashes[key] for key in keys if key in note.hashes}
