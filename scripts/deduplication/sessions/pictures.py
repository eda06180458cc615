"""An image of a message as an address that has the image in it; of the four kinds that every browser shows and none runs."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEGINS: Final = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
_BASE64: Final = late_pattern(r"[A-Za-z0-9+/]{16,}={0,2}\Z")


def address_of(source: Mapping[str, Any]) -> str:
    """The ``source`` of an image block as a ``data:`` address; empty where it is not what it says, or lies elsewhere."""
    kind, data = source.get("media_type"), source.get("data")
    if source.get("type") != "base64" or not isinstance(data, str) or not isinstance(kind, str):
        return ""
    if kind not in _BEGINS or len(data) % 4 or _BASE64.match(data) is None:
        return ""
    return f"data:{kind};base64,{data}" if b64decode(data[:16]).startswith(_BEGINS[kind]) else ""
