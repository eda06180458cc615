"""When a notice may come: the client shows one at a time, and drops a notice of a hook while an earlier one is on its way.

Measured on 2.1.197: what a hook says of a changed file stands in the corner of the screen for five seconds. While it stands
there, or waits for its turn, a further one is thrown away. In the first ten seconds of a session the client's own hint about
the model's effort has the corner, and ours wait. So each notice takes a turn, and comes when the one before it has gone.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from ..files import atomic
from ..files.locking import exclusive

if TYPE_CHECKING:
    from pathlib import Path

FIRST: Final = 10.0
"""Seconds after the start of a session in which the client's own hint is shown."""
SHOWN: Final = 5.3
"""Seconds from one notice to the next."""
LONGEST: Final = 30.0
"""Seconds that a notice waits at most; the client would give its hook a minute."""
_PATIENCE: Final = 2.0
_SUFFIX: Final = ".notices"


def session_began(folder: Path, session: str) -> None:
    """The corner belongs to the client's hint for a while; ``folder`` is the one of the markers, and need not be there."""
    if folder.is_dir():
        atomic.replace(_path(folder, session), f"{time.time() + FIRST:.3f}".encode(), durable=False)


def turn(folder: Path, session: str) -> float:
    """Take the next turn in the corner of a session's screen: the seconds until it comes, 0 where the corner is free.

    Where the start of the session was not seen, the first notice counts as one that had to wait for the client's hint.
    """
    now = time.time()
    with exclusive(str(folder / ".notices.lock"), _PATIENCE):
        begun, free = _free(folder, session, now)
        wait = free - now if begun and free > now else 0.0
        if wait > LONGEST:
            return 0.0
        shown = max(now, free)
        atomic.replace(_path(folder, session), f"+{shown + SHOWN:.3f}".encode(), durable=False)
    return wait


def _free(folder: Path, session: str, now: float) -> tuple[bool, float]:
    """Whether a notice was made before, and when the corner is free."""
    try:
        with atomic.open_regular(_path(folder, session)) as file:
            text = file.read(40).decode("ascii")
        moment = float(text)
    except (OSError, ValueError):
        return False, now + FIRST
    # A clock that was set back must not silence us for hours.
    return text.startswith("+"), moment if moment < now + FIRST + LONGEST + SHOWN else now


def _path(folder: Path, session: str) -> str:
    from . import quick

    return os.path.join(folder, quick.marker_name(session) + _SUFFIX)
