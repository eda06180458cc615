"""When the client deletes a transcript: by two settings of its own, and by who wrote the session.

As 2.1.332 does it. A file that nobody wrote to for ``cleanupPeriodDays`` goes. One of Claude Desktop or Cowork, told by the
``entrypoint`` of its first or its last lines, is exempt: it stays until it is older than ``desktopSessionCleanupPeriodDays``, too,
and for ever where that is 0, which is the default. A marker beside it, ``<session>.desktop-released.json``, ends that: at once
where its ``reason`` is ``delete``, where it is ``archive`` once the marker itself is that old.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import DedupError
from ..files import atomic
from ..files.safe_read import open_regular, take
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .client_transcripts import config_dir

if TYPE_CHECKING:
    from pathlib import Path

    from .client_transcripts import Transcript

CLEANUP_DAYS: Final = 30
"""Days after which the client deletes a transcript that nobody wrote to, unless its settings say otherwise."""
_DAYS: Final = "cleanupPeriodDays"
_DESKTOP_DAYS: Final = "desktopSessionCleanupPeriodDays"
_PROJECT_FILES: Final = (".claude/settings.json", ".claude/settings.local.json")
_MANAGED: Final = {
    "darwin": "/Library/Application Support/ClaudeCode/managed-settings.json",
    "win32": r"C:\Program Files\ClaudeCode\managed-settings.json",
}
_MANAGED_ELSEWHERE: Final = "/etc/claude-code/managed-settings.json"
_DESKTOP: Final = frozenset((b"claude-desktop", b"claude-desktop-3p", b"local-agent", b"local_agent"))
"""What a line of a session of Claude Desktop or Cowork has as its ``entrypoint``."""
_ENTRYPOINT: Final = late_pattern(rb'"entrypoint":\s?"([a-z0-9_-]{1,40})"')
_ENDS: Final = 64 * 1024
"""Bytes at either end of a transcript in which the first and the last ``entrypoint`` are looked for."""
_MOST: Final = 1_000_000
"""Bytes of a file of settings that are read."""
_MARKER: Final = ".desktop-released.json"
_MOST_MARKER: Final = 4096
_MOST_DAYS: Final = 1_000_000
_DAY: Final = 86_400.0


class Retention(NamedTuple):
    """Days for which the client keeps a transcript that nobody writes to; ``desktop`` 0: one of Desktop or Cowork for ever."""

    days: int = CLEANUP_DAYS
    desktop: int = 0

    def deleted_at(self, transcript: Transcript) -> Optional[float]:
        """When the client may delete it, in seconds since 1970; None where it never does."""
        written = transcript.mtime_ns / 1e9
        usual = written + self.days * _DAY
        if not is_of_desktop(transcript.path):
            return usual
        longer = max(usual, written + self.desktop * _DAY) if self.desktop else None
        reason, marked = _released(transcript.path)
        if reason == "delete":
            return usual
        if reason == "archive":
            graced = max(usual, marked + self.days * _DAY)
            return graced if longer is None else min(graced, longer)
        return longer

    def days_left(self, transcript: Transcript, now: float) -> Optional[int]:
        """Whole days until then, 0 where it may happen any moment."""
        moment = self.deleted_at(transcript)
        return None if moment is None else max(0, int((moment - now) // _DAY))


def retention(root: Path | None = None) -> Retention:
    """What the client's settings say. An organization's decide; else the shortest time that the user's or the project's name.

    The client asks them in each session anew, whichever project that is in: what it would delete by any of them is at risk.
    ``desktopSessionCleanupPeriodDays`` of a project is ignored by it. What cannot be read says nothing.
    """
    managed = _settings(_MANAGED.get(sys.platform, _MANAGED_ELSEWHERE))
    users = _settings(os.path.join(config_dir(), "settings.json"))
    projects = [_settings(os.path.join(root, name)) for name in _PROJECT_FILES] if root is not None else []
    days = _number(managed, _DAYS, least=1)
    if days is None:
        named = [_number(each, _DAYS, least=1) for each in (users, *projects)]
        # A session in a project that says nothing goes by the user's, and where he says nothing by the default.
        days = min([each for each in named if each is not None], default=CLEANUP_DAYS)
        days = min(days, CLEANUP_DAYS) if named[0] is None else days
    desktop = _number(managed, _DESKTOP_DAYS, least=0)
    desktop = _number(users, _DESKTOP_DAYS, least=0) if desktop is None else desktop
    return Retention(days, desktop or 0)


def is_of_desktop(path: Path) -> bool:
    """Was this transcript begun, or written to last, by Claude Desktop or Cowork? False where it cannot be read."""
    try:
        descriptor, identity = open_regular(path)
        try:
            head = take(descriptor, _ENDS)
            os.lseek(descriptor, max(0, identity.size - _ENDS), os.SEEK_SET)
            tail = take(descriptor, _ENDS)
        finally:
            os.close(descriptor)
    except DedupError:
        return False
    found = [*_ENTRYPOINT.findall(head)[:1], *_ENTRYPOINT.findall(tail)[-1:]]
    return any(each in _DESKTOP for each in found)


def _released(transcript: Path) -> tuple[str, float]:
    """Why a session of Desktop was given up, empty where it was not, and when, in seconds."""
    try:
        with atomic.open_regular(os.fspath(transcript.with_suffix("")) + _MARKER) as file:
            reason = json.loads(file.read(_MOST_MARKER)).get("reason")
            return (reason, os.fstat(file.fileno()).st_mtime) if isinstance(reason, str) else ("", 0.0)
    except (OSError, ValueError, AttributeError, RecursionError):
        return "", 0.0


def _settings(path: str) -> dict[str, Any]:
    try:
        with atomic.open_regular(path, follow=True) as file:
            found = json.loads(file.read(_MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(settings: dict[str, Any], name: str, *, least: int) -> Optional[int]:
    value: Any = settings.get(name)
    sound = isinstance(value, int) and not isinstance(value, bool) and value >= least
    return min(int(value), _MOST_DAYS) if sound else None
