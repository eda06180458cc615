"""One thing that the doctor looked at, and what is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Optional

from ..start.late_dataclass import dataclass, field

if TYPE_CHECKING:
    from ..project.client_transcripts import Transcript
    from ..project.paths import Project
    from ..storage.contract import Store

OK: Final = "ok"
NOTE: Final = "note"
PROBLEM: Final = "problem"
LINES: Final = 3
"""Lines shown of a list."""


@dataclass(frozen=True)
class Finding:
    """``cure`` says what to do about a problem; ``details`` are a line each."""

    name: str
    state: str
    text: str
    cure: str = ""
    details: tuple[str, ...] = ()


@dataclass
class Subject:
    """A project and the store in ``folder``, which is this one for the reason ``why``; ``transcripts`` are its sessions'.

    ``store`` is set once it was opened; where it cannot be, what rests on it is not looked at. ``half_purged``: a purge of it
    was stopped, and is not finished.
    """

    project: Project
    folder: str
    why: str
    settings: dict[str, Any]
    transcripts: list[Transcript] = field(default_factory=list)
    backend: Optional[str] = None
    url: Optional[str] = None
    store: Optional[Store] = None
    half_purged: bool = False

    @property
    def root(self) -> str:
        """The project's folder."""
        return str(self.project.root)
