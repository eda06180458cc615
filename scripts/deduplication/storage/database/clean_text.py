"""What PostgreSQL takes as text: neither NUL nor a lone surrogate is any. The exact bytes stand beside it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

from ...start.late_pattern import late_pattern

_NONE: Final = late_pattern("[\0\ud800-\udfff]")
_ESCAPED: Final = "\\u0000"
"""How JSON spells NUL."""
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_MARK: Final = "\\x"
"""Before the hexadecimal digits of a name that is no text."""


def cleaned(text: str) -> str:
    """A text to be read and searched: U+FFFD in the place of what is no text."""
    return _NONE.sub("\ufffd", text)


def cleaned_json(value: Any) -> str:
    """The same of a JSON value, its names included."""
    text: str = _ENCODE(value)
    return _ENCODE(_cleaned(value)) if _ESCAPED in text or _NONE.search(text) else text


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {cleaned(name): _cleaned(each) for name, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, (list, tuple)) else value


def name_of(text: str) -> str:
    """A name to be found by: two that differ stay two."""
    if not _NONE.search(text) and not text.startswith(_MARK):
        return text
    return _MARK + text.encode("utf-8", "surrogatepass").hex()


def named(text: str) -> str:
    """What :func:`name_of` made."""
    return bytes.fromhex(text[len(_MARK) :]).decode("utf-8", "surrogatepass") if text.startswith(_MARK) else text


def moment(text: Any) -> dt.datetime | None:
    """A time as PostgreSQL takes it; None for what is none, or lies outside the calendar. Without a zone it is UTC."""
    try:
        found = dt.datetime.fromisoformat(str(text).strip().replace("Z", "+00:00").replace("z", "+00:00"))
        return (found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)).astimezone(dt.timezone.utc)
    except (ValueError, OverflowError):
        return None


def now() -> dt.datetime:
    """As :func:`moment` gives it."""
    return dt.datetime.now(dt.timezone.utc)
