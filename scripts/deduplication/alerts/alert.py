"""An alert: what a rule found, and what became of it."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from ..start.late_tuple import NamedTuple

CRITICAL: Final = "critical"
WARNING: Final = "warning"
INFORMATION: Final = "information"
LEVELS: Final = (CRITICAL, WARNING, INFORMATION)
"""The most urgent one first."""

ACTIVE: Final = "active"
ACKNOWLEDGED: Final = "acknowledged"
RESOLVED: Final = "resolved"
TOLD: Final = "told"
"""Of an event, which is over once it was told; the other states are those of something that lasts."""

DATABASE: Final = "database_unreachable"
CORRUPTION: Final = "data_corruption"
DISK: Final = "disk_space"
SHRUNK: Final = "total_shrank"
CAPTURE: Final = "capture_failed"
GAPS: Final = "gaps"
SLOW: Final = "slow_export"
LOW_RATE: Final = "dedup_rate_low"
HIGH_RATE: Final = "dedup_rate_high"
REPEATED: Final = "repeated_content"
BACKUP: Final = "backup_old"
PURGE: Final = "purge_unfinished"
HOOK: Final = "hook_failing"
LARGE: Final = "large_export"
CONVERSATION: Final = "new_conversation"
SUMMARY: Final = "daily_summary"
TEST: Final = "test"
RULES: Final = {
    DATABASE: CRITICAL,
    CORRUPTION: CRITICAL,
    DISK: CRITICAL,
    SHRUNK: CRITICAL,
    CAPTURE: CRITICAL,
    GAPS: WARNING,
    SLOW: WARNING,
    LOW_RATE: WARNING,
    HIGH_RATE: WARNING,
    REPEATED: WARNING,
    BACKUP: WARNING,
    PURGE: WARNING,
    HOOK: WARNING,
    LARGE: INFORMATION,
    CONVERSATION: INFORMATION,
    SUMMARY: INFORMATION,
}
"""Every rule and its level."""
EVENTS: Final = frozenset((SLOW, LARGE, CONVERSATION, SUMMARY))
"""Rules that tell of something that happened; the others tell of something that lasts until it is put right."""


class Raised(NamedTuple):
    """What a rule found: ``about`` what (a session's id, an export's name; empty where there is only one), and what to do."""

    rule: str
    about: str
    text: str
    cure: str = ""

    @property
    def key(self) -> str:
        """By which it is known to be the same one."""
        return f"{self.rule}:{self.about}"


class Alert(NamedTuple):
    """``since`` when it was raised, ``changed`` when its state last changed: times in ISO 8601, UTC."""

    rule: str
    about: str
    level: str
    text: str
    cure: str
    state: str
    since: str
    changed: str

    @property
    def key(self) -> str:
        """By which it is known to be the same one."""
        return f"{self.rule}:{self.about}"

    @property
    def id(self) -> str:
        """Eight digits by which a person names it."""
        return hashlib.sha256(f"{self.key} {self.since}".encode("utf-8", "backslashreplace")).hexdigest()[:8]

    @property
    def is_present(self) -> bool:
        """True while what it tells of lasts."""
        return self.state in (ACTIVE, ACKNOWLEDGED)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json`` and for the dashboard."""
        return {
            "id": self.id,
            "rule": self.rule,
            "about": self.about,
            "level": self.level,
            "text": self.text,
            "cure": self.cure,
            "state": self.state,
            "since": self.since,
            "changed": self.changed,
        }


def begun(found: Raised, moment: str) -> Alert:
    """What was found for the first time."""
    state = TOLD if found.rule in EVENTS else ACTIVE
    level = RULES.get(found.rule, INFORMATION)
    return Alert(found.rule, found.about, level, found.text, found.cure, state, moment, moment)


def urgency(alert: Alert) -> tuple[int, str]:
    """By which alerts are sorted: the most urgent ones first, of one level the oldest."""
    return LEVELS.index(alert.level) if alert.level in LEVELS else len(LEVELS), alert.since
