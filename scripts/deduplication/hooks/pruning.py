"""What sessions that ended long ago left in the store's folder of markers goes; it is only ever an aid to the next hook."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import Final

from ..files import beneath

KEPT_DAYS: Final = 60
"""The client deletes its own transcripts after thirty days; a session without one cannot be resumed."""
_DAY: Final = 86_400.0
BOTH_FORMS: Final = "both-forms"
FIRST_WORD: Final = "first-word"
LEFT_BEHIND: Final = "left-behind"
SAID_ONCE: Final = frozenset((BOTH_FORMS, FIRST_WORD, LEFT_BEHIND))
"""Not of a session: what was said once stays said."""


def prune(folder: str, now: float | None = None) -> int:
    """Delete the markers in ``folder`` that are older than :data:`KEPT_DAYS`; how many they were. Locks stay."""
    oldest = (time.time() if now is None else now) - KEPT_DAYS * _DAY
    gone = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in SAID_ONCE:
                continue
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_mtime < oldest:
                    beneath.unlink(entry.path)
                    gone += 1
    return gone
