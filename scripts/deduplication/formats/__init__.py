"""The input formats, one module each, in the order in which they are asked.

A module is imported when it is first asked: for a text export, which is the common case, only the first one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from ..errors import NotAnExport

if TYPE_CHECKING:
    from ..model import Export
    from .base import Format

TEXT: Final = "claude-code-text"
TRANSCRIPT: Final = "claude-code-transcript"
API: Final = "anthropic-messages-api"
THIRD_PARTY: Final = "third-party-json"
FORMATS: Final = {TEXT: "text", TRANSCRIPT: "transcript", API: "api", THIRD_PARTY: "third_party"}
"""Name of each format -> the module in this folder that reads it."""


def load(name: str) -> Format:
    """The format of this name."""
    return cast("Format", import_module(f".{FORMATS[name]}", __name__))


def detect(data: bytes, *, strict: bool = False) -> Format:
    """The format of ``data``, by content alone. Raises :class:`NotAnExport` with the reason."""
    for name in FORMATS:
        candidate = load(name)
        if candidate.recognises(data, strict=strict):
            return candidate
    raise NotAnExport(describe(data))


def parse(data: bytes, *, strict: bool = False) -> Export:
    """Every message of an export with the bytes it came from."""
    return detect(data, strict=strict).parse(data)


def parse_object(value: object, data: bytes) -> Export:
    """The same for a JSON document that was parsed already; ``data`` is its canonical spelling."""
    from . import api, third_party

    return api.parse(data) if api.recognises(data, strict=False) else third_party.parse_object(value)


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
