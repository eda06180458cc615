"""Which events the client fired, and when last: for ``doctor``, nothing else relies on it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, Final

from ..errors import StoreLocked
from ..files import atomic
from ..files.locking import exclusive
from ..project.paths import HOOKS_CALLED

NAME: Final = HOOKS_CALLED
_LOCK: Final = ".hooks.lock"
_PATIENCE: Final = 1.0
"""Seconds; who cannot count itself by then goes uncounted: the event's work is worth more."""


def note(state: str, event: str) -> None:
    """Count a firing of ``event`` in the store's folder ``state``; nothing where there is no store yet."""
    if not os.path.isdir(state):
        return
    path = os.path.join(state, NAME)
    # Several hooks fire at once: without the lock each would write what it read, plus itself.
    with contextlib.suppress(StoreLocked), exclusive(os.path.join(state, _LOCK), _PATIENCE):
        seen = _read(path)
        entry = seen.get(event)
        count = entry.get("count") if isinstance(entry, dict) else None
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        seen[event] = {"last": moment, "count": (count if isinstance(count, int) else 0) + 1}
        atomic.replace(path, json.dumps(seen).encode(), durable=False)


def _read(path: str) -> dict[str, Any]:
    try:
        with atomic.open_regular(path) as file:
            seen = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return seen if isinstance(seen, dict) else {}
