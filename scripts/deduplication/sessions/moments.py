"""Times as people read them, always UTC: a file that is committed says the same wherever it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

_STAMP: Final = late_pattern(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def said_at(message: Mapping[str, Any]) -> str:
    """When a message was said, as its source has it; empty where only the time of capture is known."""
    return str(message.get("timestamp", "")) if message.get("clock") == "source" else ""


def day(stamp: str) -> str:
    """``3 March 2026``; empty for what is no time."""
    match = _STAMP.match(stamp)
    if match is None or not 1 <= int(match[2]) <= 12:
        return ""
    return f"{int(match[3])} {_MONTHS[int(match[2]) - 1]} {match[1]}"


def hour(stamp: str) -> str:
    """``09:14``; empty for what is no time."""
    match = _STAMP.match(stamp)
    return f"{match[4]}:{match[5]}" if match else ""


def moment(stamp: str) -> str:
    """``3 March 2026, 09:14``; empty for what is no time."""
    return f"{day(stamp)}, {hour(stamp)}" if day(stamp) else ""


def between(first: str, last: str) -> str:
    """``3 March 2026, 09:14 to 17:40 UTC``; empty where no time is known."""
    if not day(first) or not day(last):
        return ""
    if (day(first), hour(first)) == (day(last), hour(last)):
        return f"{moment(first)} UTC"
    return f"{moment(first)} to {hour(last) if day(first) == day(last) else moment(last)} UTC"
