"""What the list of archived files says: one file of it, and all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..start.late_dataclass import dataclass, field
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..packs.file_records import FileRecord

KEPT: Final = ""
LOST: Final = "lost"
"""The user knows that it is gone, and gave it up."""
UNSURE: Final = "unsure"
"""An export of which the log tells, and of which nobody knows whether it was archived: from before there was a list."""

NONE: Final = "none"
"""A line without a file, where a purge left no file: so a list that was emptied is told from one of nothing."""


class Listed(NamedTuple):
    """One archived file; ``sha256`` has 64 digits, ``size`` is in bytes. ``session``: of the client's own files alone."""

    name: str
    sha256: str
    size: int
    mtime_ns: int
    session: str = ""
    state: str = KEPT

    @classmethod
    def of(cls, record: FileRecord) -> Listed:
        """The line for a file in a pack. A session is told by the file's own name; others may be called after a prompt."""
        session = record.session if "/" in record.name else ""
        return cls(record.name, record.sha256.hex(), record.size, record.mtime_ns, session)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"name": self.name, "sha256": self.sha256, "bytes": self.size}

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.sha256, self.name


@dataclass
class Inventory:
    """What the list says. ``began``: there is one; ``agrees``: both copies are there and have the same bytes.

    ``whole``: one of them at least has all its lines, and no fewer than the other. ``faults`` is a line for each damage: a copy
    that is gone, a line that cannot be read.
    """

    files: dict[tuple[str, str], Listed] = field(default_factory=dict)
    began: bool = False
    agrees: bool = True
    whole: bool = True
    faults: list[str] = field(default_factory=list)

    def missing(self, there: Iterable[str]) -> list[Listed]:
        """The files that are neither given up nor, by their SHA-256, among those that are ``there``."""
        have = set(there)
        return [each for each in self.files.values() if each.state == KEPT and each.sha256 not in have]

    def in_state(self, state: str) -> list[Listed]:
        """The files that are given up, or those of which nobody is sure."""
        return [each for each in self.files.values() if each.state == state]

    def called(self, sha256: str) -> Listed | None:
        """A file with this SHA-256, by whatever name."""
        return next((each for each in self.files.values() if each.sha256 == sha256), None)
