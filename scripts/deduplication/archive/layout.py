"""How a text was laid out on a screen, kept apart from the text: wrapped anew at another width it is the same text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def undone(data: bytes) -> tuple[bytes, bytes]:
    """The text of ``data`` as it was before it was laid out, and how it was; the same bytes and nothing where that is unknown."""
    return data, b""


def applied(layout: bytes, parts: Iterable[memoryview]) -> list[memoryview]:
    """The inverse: ``parts`` of a text laid out as ``layout`` says. Raises :class:`ArchiveDamaged`."""
    return list(parts)
