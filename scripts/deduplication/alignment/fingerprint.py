"""Two keys for one message: the content hash (what it is) and the alignment key (what stays the same of it).

The content hash is an identity: SHA-256 of role, kind and normalised content. The alignment key is evidence only: it
is blind to punctuation, case and symbols, and may say "the same" only between messages whose neighbours agree.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..model import (
    BOOKKEEPING,
    COMMAND_OUTPUT,
    LAYOUT,
    NOTICE,
    PROMPT,
    TEXT,
    THINKING,
    TOOL_RESULT,
    Content,
    Message,
)
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .message_sequence import each_body

if TYPE_CHECKING:
    from collections.abc import Sequence

_STRUCTURE: Final = ("|", "│", "┌", "```", "~~~", "<!--", "://", "](")
"""What :func:`skeleton` leaves something out for."""
DISTINCTIVE: Final = 40
"""Letters and digits (as UTF-8 bytes) from which a message says enough to anchor an alignment."""
A_FEW_WORDS: Final = 12
"""Letters and digits (as UTF-8 bytes) from which a message, or the beginning of one, says anything by itself."""

_LAYOUT_BYTES: Final = b" \t\n\r\x0b\x0c"
_NO_BREAK_SPACE: Final = "\u00a0".encode()
_FOLD: Final = bytes(range(65)) + bytes(range(97, 123)) + bytes(range(91, 256))
_NOT_ALPHANUMERIC: Final = bytes(
    b
    for b in range(256)
    if not (48 <= b <= 57 or 65 <= b <= 90 or 97 <= b <= 122)  # 0-9 A-Z a-z
)
_ASCII_SEPARATORS: Final = bytes(b for b in _NOT_ALPHANUMERIC if b < 128)
_SEPARATORS: Final = late_pattern(r"[\W_]+")
# A line break to begin with is found much faster than "^"; the text gets one in front.
_TABLE_LINE: Final = late_pattern(r"\n[ \t]*[│┌├└|].*")
_FENCE: Final = late_pattern(r"\n[ \t]*(?:```|~~~).*")
_HTML_COMMENT: Final = late_pattern(r"<!--.*?-->", re.DOTALL)
_LINK_TARGET: Final = late_pattern(r"\]\([^()\s]*\)|https?://\S+")

ANCHOR_KINDS: Final = frozenset({PROMPT, TEXT, THINKING})
"""Kinds whose text survives from one rendering to the next; tool calls and results are cut and renamed."""
GROWING_KINDS: Final = frozenset({TEXT, THINKING, TOOL_RESULT, COMMAND_OUTPUT})
"""Kinds of which an export may show a beginning, and a later one more."""
REDRAWN_KINDS: Final = frozenset({TOOL_RESULT, COMMAND_OUTPUT, NOTICE})
"""Kinds that the client cuts and draws anew: between matched neighbours the same kind is the same message."""


def plain_text(content: Content) -> str:
    """The text of a message's content; blocks that are no text become canonical JSON."""
    return content if isinstance(content, str) else canonical(content)


def canonical(content: object) -> str:
    """One spelling for one JSON value: sorted keys, no white space, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def encoded(text: str) -> bytes:
    """UTF-8, with lone surrogates (undecodable bytes, broken JSON escapes) kept apart instead of refused."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def content_hash(role: str, kind: str, content: Content, fidelity: str = LAYOUT) -> str:
    """The identity under which a body is stored once: 64 hexadecimal digits.

    For content that was laid out for a screen all white space is ignored (a wrap may cut a word or swallow a blank);
    punctuation stays. Exact content is hashed as it is, blocks in canonical form. The two never collide by accident:
    each has a prefix of its own. It never changes: sealed lines leave it out and get it back from here.
    """
    data = encoded(plain_text(content))
    if fidelity == LAYOUT:
        data = data.replace(_NO_BREAK_SPACE, b"").translate(None, _LAYOUT_BYTES)
    return hashlib.sha256(_prefix(fidelity, role, kind) + data).hexdigest()


@lru_cache(maxsize=256)
def _prefix(fidelity: str, role: str, kind: str) -> bytes:
    return encoded(f"{fidelity}\0{role}\0{kind}\0")


def skeleton(content: Content) -> bytes:
    """Letters and digits only, folded, as UTF-8: without tables, fence lines, link targets and HTML comments."""
    text = plain_text(content)
    if "|" in text or "│" in text or "┌" in text:
        text = _TABLE_LINE.sub("", "\n" + text)
    if "```" in text or "~~~" in text:
        text = _FENCE.sub("", "\n" + text)
    if "<!--" in text:
        # Behind the last end there are only beginnings, and each of them would search the whole rest for its end.
        head, end, tail = text.rpartition("-->")
        text = _HTML_COMMENT.sub("", head + end) + tail
    if "://" in text or "](" in text:
        text = _LINK_TARGET.sub("", text)
    if text.isascii():
        return text.encode().translate(_FOLD, _NOT_ALPHANUMERIC)
    composed = encoded(unicodedata.normalize("NFC", text)).translate(_FOLD, _ASCII_SEPARATORS)
    return encoded(_SEPARATORS.sub("", composed.decode("utf-8", "surrogatepass")).casefold())


def may_be_drawn_otherwise(message: Message) -> bool:
    """Could a message with the same content hash have another alignment key? Only where white space tells what something is."""
    if message.fidelity != LAYOUT:
        return False
    bare = "".join(plain_text(message.content).split())
    composes = not bare.isascii() and not unicodedata.is_normalized("NFC", bare)
    return composes or any(mark in bare for mark in _STRUCTURE)


class Fingerprint(NamedTuple):
    """What alignment and storage need to know of a message instead of its body.

    ``weight`` is the skeleton's length in bytes. ``uuid`` is the source's own strong id or an empty string.
    """

    content_hash: str
    key: str
    kind: str
    role: str
    weight: int
    uuid: str = ""

    @property
    def distinctive(self) -> bool:
        """True where the message may anchor an alignment."""
        return self.weight >= DISTINCTIVE and self.kind in ANCHOR_KINDS


def fingerprint(message: Message) -> Fingerprint:
    """Both keys of one message."""
    return fingerprint_of(message, content_hash(message.role, message.kind, message.content, message.fidelity))


def fingerprint_of(message: Message, identity: str) -> Fingerprint:
    """Both keys of one message of which the content hash is known."""
    bones = skeleton(message.content) if message.kind != BOOKKEEPING else b""
    # A message without letters (an emoji, a row of dashes) has only its exact text to be known by.
    key = hashlib.sha256(message.role.encode() + b"\0" + bones).hexdigest()[:16] if bones else identity[:16]
    return Fingerprint(identity, key, message.kind, message.role, len(bones), message.uuid or "")


def fingerprints(messages: Sequence[Message]) -> list[Fingerprint]:
    """The fingerprints of a sequence of messages, in order; equal messages without an id may share one."""
    return each_body(messages, fingerprint)
