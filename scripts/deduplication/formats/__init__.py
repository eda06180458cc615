"""The input formats, one module each, in the order in which they are asked.

A module is imported when it is first asked: for a text export, which is the common case, only the first one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from ..errors import NotAnExport

if TYPE_CHECKING:
    from typing import BinaryIO

    from ..model import Export
    from .base import Format, Large

TEXT: Final = "claude-code-text"
TRANSCRIPT: Final = "claude-code-transcript"
STREAM: Final = "claude-code-stream-json"
CLAUDE_AI: Final = "claude-ai-export"
API: Final = "anthropic-messages-api"
THIRD_PARTY: Final = "third-party-json"
FORMATS: Final = {
    TEXT: "text",
    TRANSCRIPT: "transcript",
    STREAM: "stream_json",
    CLAUDE_AI: "claude_ai",
    API: "api",
    THIRD_PARTY: "third_party",
}
"""Name of each format -> the module in this folder that reads it."""
SEVERAL: Final = frozenset((STREAM, CLAUDE_AI))
"""Those whose files may hold several conversations (:class:`base.Several`)."""
_LARGE_BEGIN: Final = (b"PK", b"[", b"{")


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


def parse(data: bytes, *, strict: bool = False, known: Format | None = None) -> Export:
    """Every message of an export with the bytes it came from; ``known``: its format was detected already."""
    return (known or detect(data, strict=strict)).parse(data)


def large(file: BinaryIO, *, strict: bool = False) -> Large | None:
    """The format of a file that is not to be read whole; None where it is to be, whatever it is. ``file`` is at its beginning."""
    head = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    if not head.startswith(_LARGE_BEGIN):
        return None
    candidate = cast("Large", load(CLAUDE_AI))
    return candidate if candidate.opens(file, strict=strict) else None


def parse_object(value: object, data: bytes) -> Export:
    """The same for a JSON document that was parsed already; ``data`` is its canonical spelling."""
    from . import api, claude_ai, third_party

    if claude_ai.recognises(data, strict=False):
        return claude_ai.parse(data)
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
    if data[:2] == b"PK":
        return "a ZIP archive, but no data export of claude.ai: no conversations.json can be read from it"
    if b"\0" in data[:65536]:
        return "a binary file"
    if data.lstrip()[:1] == b"{" and b'"type":"result"' in data[:200].replace(b" ", b""):
        return "the result of a run alone: capture the transcript of its session, or use --output-format stream-json"
    if data.lstrip()[:1] in (b"{", b"["):
        return "JSON, but not a conversation"
    return "no prompts, answers or tool results in it"
