"""What each version of the client can do for us: a table, and where a version is told.

A client that meets the name of an event that it does not know refuses the *whole* settings file, with everything else that
the user set there. So which events are written depends on who will read them.
"""

from __future__ import annotations

import os
from typing import Final, Optional

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

Version = tuple[int, int, int]

SINCE: Final[dict[str, Version]] = {
    "SessionStart": (1, 0, 62),
    "FileChanged": (2, 1, 83),
    "CwdChanged": (2, 1, 83),
    "UserPromptSubmit": (1, 0, 54),
    "Stop": (1, 0, 38),
    "PreCompact": (1, 0, 48),
    "SessionEnd": (1, 0, 85),
    "UserPromptExpansion": (2, 1, 116),
    "PreToolUse": (1, 0, 38),
}
"""The client's events that we handle, and the version from which on each is known. 2.1.115 was never published."""
EVENTS: Final = tuple(SINCE)
LOWEST: Final = max(SINCE.values())
"""From this version on everything works."""
BASIC: Final = (2, 0, 76)
"""What is assumed of a client that nobody can ask: it may be this old. Turns are captured all the same."""
WITHOUT_SHELL: Final = (2, 1, 197)
"""From this version on a hook with ``args`` is started as it is, by no shell; which ones before it can is not known."""
_NUMBER: Final = late_pattern(r"(?<![\d.])(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?![\d.])")
_IN_A_LINE: Final = late_pattern(rb'"version":\s*"(\d{1,6}\.\d{1,6}\.\d{1,6})')
_AGENT: Final = late_pattern(r"claude-code[_/](\d{1,6})[-.](\d{1,6})[-.](\d{1,6})")
_TAIL: Final = 64 * 1024


class Known(NamedTuple):
    """Of our events those that a client knows, and those that it does not."""

    events: tuple[str, ...]
    lacking: tuple[str, ...]


def known(version: Optional[Version]) -> Known:
    """What a client of this version knows; None where nobody could say which it is."""
    limit = version or BASIC
    events = tuple(event for event in EVENTS if SINCE[event] <= limit)
    return Known(events, tuple(event for event in EVENTS if event not in events))


def parse(text: str) -> Optional[Version]:
    """The first version number in ``text``, as ``2.1.197 (Claude Code)``; None where there is none."""
    found = _NUMBER.search(text)
    return _version(found.group(1), found.group(2), found.group(3)) if found else None


def text(version: Version) -> str:
    """As people write it."""
    return ".".join(map(str, version))


def of_this_process() -> Optional[Version]:
    """The client that started this process, where it says so: 2.1.197 and 2.1.332 do, 2.0.76 does not."""
    found = _AGENT.match(os.environ.get("AI_AGENT", ""))
    return _version(found.group(1), found.group(2), found.group(3)) if found else None


def of_transcript(path: str | os.PathLike[str]) -> Optional[Version]:
    """The client that wrote the last lines of a transcript; None where they do not say, or cannot be read."""
    from ..files import atomic

    try:
        with atomic.open_regular(os.fspath(path)) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            found = _IN_A_LINE.findall(file.read(_TAIL))
    except OSError:
        return None
    return parse(found[-1].decode()) if found else None


def _version(major: str, minor: str, patch: str) -> Version:
    return int(major), int(minor), int(patch)
