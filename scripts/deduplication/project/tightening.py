"""What a project's settings may do unasked: tighten what the user's own say. One table, a direction for every setting.

To tighten means that less is shared, that less runs, that data is kept longer; never that a message is not stored. What is not
tighter than the user's word waits until the user approved the file (``project/approvals.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..redaction import MOST_PATTERNS
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LEVELS: Final = ("private", "team", "public")


class Rule(NamedTuple):
    """``words`` say it for people; ``merged`` takes the user's value and the project's, and gives the one that is in force."""

    words: str
    merged: Callable[[Any, Any], Any]


def _users(users: Any, _projects: Any) -> Any:
    return users


def _towards(*order: Any) -> Callable[[Any, Any], Any]:
    """The later of both in ``order``."""

    def merged(users: Any, projects: Any) -> Any:
        return projects if _place(order, projects) > _place(order, users) else users

    return merged


def _place(order: Sequence[Any], value: Any) -> int:
    # 1 == True: a number must not pass for a switch.
    return next((at for at, each in enumerate(order) if type(each) is type(value) and each == value), -1)


def _longer(users: Any, projects: Any) -> Any:
    """The larger number of days; below zero is without end."""
    return projects if _days(projects) > _days(users) else users


def _days(value: Any) -> float:
    return float("inf") if value < 0 else float(value)


def _patterns(users: Any, projects: Any) -> Any:
    """Both sets of patterns; where a name stands in both, the project's goes on under another one.

    What is no set of patterns is kept: under it nothing is shared.
    """
    if not isinstance(users, dict) or not isinstance(projects, dict):
        return projects if isinstance(users, dict) else users
    if len(projects) > MOST_PATTERNS:
        return projects  # too many by themselves, which is said where they are used
    both = dict(users)
    for name, pattern in projects.items():
        other, number = name, 1
        while other in both and both[other] != pattern:
            number += 1
            other = f"{str(name)[:36]}-{number}"
        both[other] = pattern
    return both


RULES: Final[dict[str, Rule]] = {
    "hooks": Rule("nothing", _users),
    "capture_transcripts": Rule("nothing", _users),
    "archive_transcripts": Rule("nothing", _users),
    "compact_context": Rule("set `false`", _towards(True, False)),
    "command_banner": Rule('set `"hook"`', _towards("model", "hook")),
    "hook_checkpoint": Rule("set `false`", _towards(True, False)),
    "session_files": Rule('set `"checkpoint"`, `"off"`', _towards("session", "checkpoint", "off")),
    "pack_older_than_days": Rule("set more days", _longer),
    "backup_retention_days": Rule("set more days", _longer),
    "user_store": Rule("nothing", _users),
    "backend": Rule("nothing", _users),
    "database_url": Rule("nothing", _users),
    "database_schema": Rule("nothing", _users),
    "archive_database_mb": Rule("nothing", _users),
    "archive_folder": Rule("nothing", _users),
    "metrics_folder": Rule("nothing", _users),
    "readme_checkpoints": Rule('set `"command"`, `false`', _towards(True, "command", False)),
    "commit_hooks": Rule("set `false`", _towards(True, False)),
    "commit_signing": Rule("set `true`", _towards(False, True)),
    "privacy_level": Rule("set a stricter one", _towards(*_LEVELS)),
    "privacy_patterns": Rule("add patterns", _patterns),
    "privacy_allow": Rule("nothing", _users),
    "privacy_detect_secrets": Rule("set `true`", _towards(False, True)),
    "alerts": Rule("nothing", _users),
    "alert_targets": Rule("nothing", _users),
    "alert_level": Rule("nothing", _users),
    "alert_quiet_hours": Rule("nothing", _users),
    "alert_disk_percent": Rule("nothing", _users),
    "alert_export_seconds": Rule("nothing", _users),
    "alert_export_mb": Rule("nothing", _users),
    "alert_dedup_low_percent": Rule("nothing", _users),
    "alert_dedup_high_percent": Rule("nothing", _users),
    "alert_backup_days": Rule("nothing", _users),
}
"""A switch that stores is the user's alone in both directions: turned off by a clone, messages would be lost unseen; turned on by
one, it would store what the user does not want stored; and where it is stored, no clone says unasked.
``pack_older_than_days`` and ``backup_retention_days``: packing later and
keeping longer costs space, and loses nothing."""


def together(name: str, users: Any, projects: Any) -> Any:
    """What an approved file of a project makes of a setting: its own value, but patterns and exceptions add up.

    Where alerts are sent is never a project's to say: an address is of the user's own file or environment.
    """
    if name == "alert_targets":
        return users
    if name == "privacy_patterns":
        return _patterns(users, projects)
    if name == "privacy_allow" and isinstance(users, list) and isinstance(projects, list):
        return users + [each for each in projects if each not in users]
    return projects
