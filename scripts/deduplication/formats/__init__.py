"""The input formats, one module each, in the order in which they are asked."""

from __future__ import annotations

from typing import Final

from ..errors import NotAnExport
from ..model import Export
from . import api, text, third_party
from .base import Format

FORMATS: Final[dict[str, Format]] = {module.NAME: module for module in (text, api, third_party)}


def detect(data: bytes, *, strict: bool = False) -> Format:
    """The format of ``data``, by content alone. Raises :class:`NotAnExport` with the reason."""
    for candidate in FORMATS.values():
        if candidate.recognises(data, strict=strict):
            return candidate
    raise NotAnExport(describe(data))


def parse(data: bytes, *, strict: bool = False) -> Export:
    """Every message of an export with the bytes it came from."""
    return detect(data, strict=strict).parse(data)


def describe(data: bytes) -> str:
    """What a file that is no export looks like instead, in a few words for its owner."""
    if not data:
        return "the file is empty (0 bytes)"
    if not data.strip():
        return "the file holds only white space"
    if b"Status: PENDING" in data[:1000] and b"placeholder" in data[:2000]:
        return "a placeholder that waits for /export"
    if b"EXPORT-DEDUP EXECUTION REPORT" in data[:2000]:
        return "a status log of export-dedup itself"
    if b"\0" in data[:65536]:
        return "a binary file"
    if data.lstrip()[:1] in (b"{", b"["):
        return "JSON, but not a conversation"
    return "no prompts, answers or tool results in it"
