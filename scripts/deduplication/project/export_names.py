"""What a file's name says about an export: which conversation it may belong to, and when it was written.

A name is a hint, never an identity: the same session gets different default names, and different sessions the same
one. The forms that were seen: ``2025-11-17-EXPORT-ROLLOUT-MASTER.txt`` (a date, the word EXPORT, the project),
``2025-11-16T1523-RESTORE-CONTEXT.txt`` and ``2025-11-18T06-58-00Z-EXPORT-SESSION-TOON.txt`` (with a time),
``007-EXPORT-abc.txt`` (numbered), and the client's own ``2026-03-05-190925-first-words.txt`` or
``2025-10-20-first-words.txt``.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import UsageError
from ..start.late_pattern import late_pattern
from ..terminal.console import printable

PURGED: Final = "purged-"
"""In the name that a purge gives to a file whose own name told what it said: digits follow."""
MEMBER: Final = ": "
"""Between the name of a file that has several conversations and the title of one of them."""
FALLBACK_SESSION_ID: Final = "conversation"
MAX_NAMED_CHARACTERS: Final = 200
"""The longest session id that a person may pass."""
_MAX_DERIVED_CHARACTERS: Final = 100
_MAX_DERIVED_BYTES: Final = 200
"""So that a file named after a session id fits into every file system, in UTF-8 and with an ending."""

_DATE: Final = r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
_HOUR: Final = r"(?:[01]\d|2[0-3])"
_SIXTY: Final = r"[0-5]\d"
_CLOCK: Final = (
    rf"(?:T(?P<t_hour>{_HOUR})[-:.]?(?P<t_minute>{_SIXTY})(?:[-:.]?(?P<t_second>{_SIXTY}))?(?P<utc>Z)?"
    rf"|[-_](?P<d_hour>{_HOUR})(?P<d_minute>{_SIXTY})(?P<d_second>{_SIXTY}))(?![0-9A-Za-z])"
)
_STAMP: Final = late_pattern(rf"(?<!\d){_DATE}(?!\d)(?:{_CLOCK})?", re.ASCII)
_EXPORT_WORD: Final = late_pattern(r"[-_ ]+export[-_ ]+", re.ASCII | re.IGNORECASE)
_NUMBERED: Final = late_pattern(r"\d+[-_ ]+export[-_ ]+", re.ASCII | re.IGNORECASE)
_ENDING: Final = late_pattern(r"(?<=.)\.(?:txt|md|jsonl?|log|zip)\Z", re.ASCII | re.IGNORECASE)
_PURGED: Final = late_pattern(rf"(?:\d{{4}}-\d\d-\d\d[^.]*-)?{PURGED}[0-9a-f]{{8}}\.\w+\Z")
_EXPORT_LIKE: Final = late_pattern(r"(?<![a-z])export(?![a-z]).*\.txt\Z|\d{4}-\d{2}-\d{2}.*\.txt\Z", re.DOTALL)


def is_purged(name: str) -> bool:
    """Whether a purge gave a file this name."""
    return _PURGED.match(name) is not None


def session_id_from_name(name: str) -> str:
    """The conversation that a file called ``name`` may belong to; never empty, and safe as part of a file name.

    The rule of the original design (a date, EXPORT, the project) with its variants; else the name without ending.
    Lower case; letters and digits of every script, ``.``, ``_`` and ``-`` are kept, all else becomes ``-``; at most
    100 characters.
    """
    stem = _ENDING.sub("", re.split(r"[/\\]", name)[-1])
    return _safe(_without_prefix(stem)) or _safe(stem) or FALLBACK_SESSION_ID


def _without_prefix(stem: str) -> str:
    stamp = _STAMP.search(stem)
    if stamp is not None:
        # A date in the middle counts only before the word EXPORT ("backup of 2025-11-17-EXPORT-MASTER").
        word = _EXPORT_WORD.match(stem, stamp.end())
        if word is not None:
            return stem[word.end() :]
        return stem[stamp.end() :] if stamp.start() == 0 else stem
    numbered = _NUMBERED.match(stem)
    return stem[numbered.end() :] if numbered is not None else stem


def _safe(text: str) -> str:
    if not text.isascii():
        import unicodedata

        text = unicodedata.normalize("NFC", text)
    text = re.sub(r"[^\w.-]+", "-", text.lower())
    text = re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", text))[:_MAX_DERIVED_CHARACTERS]
    return text.encode("utf-8")[:_MAX_DERIVED_BYTES].decode("utf-8", "ignore").strip("-._")


def validate_session_id(text: str) -> str:
    """``text`` as a person passed it, unchanged. Raises :class:`UsageError` where it cannot name a conversation."""
    fault = ""
    if not text.strip():
        fault = "it is empty"
    elif len(text) > MAX_NAMED_CHARACTERS:
        fault = f"it has {len(text)} characters; {MAX_NAMED_CHARACTERS} are the most"
    elif text != text.strip():
        fault = "it begins or ends with white space"
    elif text in (".", ".."):
        fault = "it names a folder"
    elif "/" in text or "\\" in text:
        fault = "it holds a slash or a backslash"
    elif printable(text) != text:
        fault = "it holds control characters or characters that are not text"
    if fault:
        raise UsageError(f'the session id "{printable(text[:MAX_NAMED_CHARACTERS])}" cannot be used: {fault}')
    return text


def looks_like_export(name: str) -> bool:
    """True where a person would take a file called ``name`` for a text export (its content may say otherwise)."""
    return _EXPORT_LIKE.search(name.lower()) is not None


def moment(name: str, mtime_ns: int) -> float:
    """When the export called ``name`` was written, in seconds since the epoch.

    The date and time in the name where it has both (local time, or UTC after a ``Z``). A date alone is completed by
    the file's own time of day where the file was last written on that very day, else the day's beginning counts: a
    copy has a later time, but its name is still right. Without a date in the name: the file's time.
    """
    written = mtime_ns / 1e9
    stamp = _STAMP.search(name)
    if stamp is None:
        return written
    from datetime import datetime, timezone

    hour, minute, second = (int(stamp[f"t_{unit}"] or stamp[f"d_{unit}"] or 0) for unit in ("hour", "minute", "second"))
    zone = timezone.utc if stamp["utc"] else None
    try:
        day = (int(stamp["year"]), int(stamp["month"]), int(stamp["day"]))
        named = datetime(*day, hour, minute, second, tzinfo=zone)
        last_written = datetime.fromtimestamp(written, timezone.utc).astimezone()
        untimed = stamp["t_hour"] is None and stamp["d_hour"] is None
        return written if untimed and last_written.date() == named.date() else named.timestamp()
    except (ValueError, OverflowError, OSError):
        return written  # digits that are no date, or one outside what this system can count


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts ``MASTER`` before ``MASTER2`` before ``MASTER10``, the same on every system."""
    parts = re.split(r"(\d+)", _ENDING.sub("", name).lower())
    return tuple((1, int(part), part) if part.isdecimal() else (0, 0, part) for part in parts if part)


def file_name(name: str) -> str:
    """A file's name as text: bytes that are no UTF-8 become ``%E9`` (the log and JSON take no lone surrogates).

    Not an escape with a backslash: that would part the name where Windows parts folders.
    """
    return re.sub("[\ud800-\udfff]", lambda half: f"%{ord(half.group()) & 0xFF:02X}", name)
