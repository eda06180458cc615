"""What a run is asked for. As data, so that one run can ask another one for it."""

from __future__ import annotations

from typing import Final, Optional

from ..project.config import OFF
from ..start.late_dataclass import dataclass

DESCRIPTION: Final = "Automated export and deduplication"
"""What a run calls its checkpoint where nobody gave it a title: it says what is new instead."""


@dataclass(frozen=True)
class Options:
    """What the user asked for. ``paths`` empty: search the project."""

    paths: tuple[str, ...] = ()
    session_id: Optional[str] = None
    description: str = DESCRIPTION
    archive: bool = True
    checkpoint: bool = True
    only_news: bool = False
    """No checkpoint where no message is new since the last run."""
    session_files: str = OFF
    """One of the values of the setting of that name."""
    elsewhere: Optional[str] = None
    """The folder of a store that is not the project's: nothing comes into archive and session files, which belong to that one."""
