"""Large data in a content, and the reference that a log line has in its place: taken out, and put back character for character.

The line names in ``message.blobs`` what it refers to. The content hash is that of the original.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from ...model import LEAST_BLOB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...model import Content

REFERENCE: Final = "blob"
"""``type`` of a source whose data is a blob; the original says ``base64``."""

_OURS: Final = ("sha256", "bytes")


def lift(content: Content) -> tuple[Content, dict[str, bytes]]:
    """``content`` with references in the place of large data, and the data by its SHA-256; the same object where there is none.

    Lifted is what can be put back exactly: ``{"type": "base64", "data": ...}`` in the one spelling that an encoder writes. Where
    a content has something in it that looks like a reference already, nothing of it is lifted.
    """
    found: dict[str, bytes] = {}
    if isinstance(content, str) or any(value.get("type") == REFERENCE for value in _objects(content)):
        return content, found
    if not any(_is_large(value) for value in _objects(content)):
        return content, found
    return _replaced(content, lambda value: _reference(value, found)), found


def restore(content: Content, read: Callable[[str], bytes]) -> Content:
    """The original of what :func:`lift` made; ``read`` gives the bytes of a digest, and what it raises goes up."""
    original: Content = _replaced(content, lambda value: _original(value, read))
    return original


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, however deep."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            if isinstance(inner, (dict, list)):
                yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, (dict, list)):
                yield from _objects(inner)


def _replaced(value: Any, replace: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Any:
    """A JSON value in which the objects that ``replace`` has another one for are that one."""
    if isinstance(value, list):
        return [_replaced(inner, replace) for inner in value]
    if not isinstance(value, dict):
        return value
    other = replace(value)
    return {key: _replaced(inner, replace) for key, inner in value.items()} if other is None else other


def _is_large(value: dict[str, Any]) -> bool:
    data = value.get("data")
    return value.get("type") == "base64" and isinstance(data, str) and len(data) >= LEAST_BLOB * 4 // 3


def _reference(value: dict[str, Any], found: dict[str, bytes]) -> dict[str, Any] | None:
    """The reference to an object's data, its keys in the order of the original; the data goes to ``found``."""
    if not _is_large(value) or any(key in value for key in _OURS):
        return None
    import base64  # for images and documents alone

    try:
        data = base64.b64decode(value["data"], validate=True)
    except ValueError:
        return None
    if len(data) < LEAST_BLOB or base64.b64encode(data).decode() != value["data"]:
        return None
    digest = hashlib.sha256(data).hexdigest()
    found[digest] = data
    reference: dict[str, Any] = {}
    for key, inner in value.items():
        if key == "data":
            reference.update(sha256=digest, bytes=len(data))
        else:
            reference[key] = REFERENCE if key == "type" else inner
    return reference


def _original(value: dict[str, Any], read: Callable[[str], bytes]) -> dict[str, Any] | None:
    if value.get("type") != REFERENCE or "sha256" not in value:
        return None
    import base64

    original: dict[str, Any] = {}
    for key, inner in value.items():
        if key == "sha256":
            original["data"] = base64.b64encode(read(inner)).decode()
        elif key != "bytes":
            original[key] = "base64" if key == "type" else inner
    return original
