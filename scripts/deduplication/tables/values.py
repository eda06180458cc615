"""What was stored as values that JSON lines, CSV and Parquet can all hold, and every reader of them takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from ..model import Content

PLAIN: Final = "text"
"""The content stands there as it was written."""
ENCODED: Final = "json"
"""The content is JSON, of which a reader makes what was written: blocks, or a text that cannot stand there as it is."""

_UNFIT: Final = late_pattern("[\0\ud800-\udfff]")
"""No CSV reader before Python 3.11 takes a NUL, no UTF-8 has half a surrogate pair."""
_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1


def content(value: Content) -> tuple[str, str]:
    """What a message says as text, and :data:`PLAIN` or :data:`ENCODED`."""
    if isinstance(value, str) and not _UNFIT.search(value):
        return value, PLAIN
    text = json.dumps(value, ensure_ascii=False)
    return (json.dumps(value) if _UNFIT.search(text) else text), ENCODED


def text(value: str) -> str:
    r"""A name or an id: what is no text in it is shown as an escape (``\x00``, ``\udc80``)."""
    return _UNFIT.sub(lambda unfit: unfit.group().encode("unicode_escape").decode("ascii"), value)


def optional_text(value: object) -> str | None:
    """The same for what may be missing or empty: then there is nothing."""
    return text(value) if isinstance(value, str) and value else None


def whole(value: object) -> int | None:
    """A whole number that 64 bits hold; nothing for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and _LEAST <= value <= _MOST else None
