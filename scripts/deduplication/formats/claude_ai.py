"""The data export of claude.ai: ``conversations.json``, alone or inside the ZIP that is sent by e-mail, 2024 to 2026.

One array of conversations, often on one line of 150 MB: read one conversation at a time, each into an export of its own. A
conversation of the web interface (one object, as browser exporters save it) and JSON Lines of them are read as well. What one
conversation says is for ``claude_ai_messages``.
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, Final

from ..errors import ExportUnreadable, NotAnExport
from ..files.safe_read import parts_of
from ..model import Export, Mark, Message, Span
from ..start.late_dataclass import replace
from ..start.late_pattern import late_pattern
from . import FORMATS, LARGE_HEAD
from .array_reader import Scanner, elements
from .base import Member
from .claude_ai_messages import read_conversation
from .json_spans import STRUCTURE
from .zip_member import conversations_in, is_zip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

NAME: Final = "claude-ai-export"
OWN_IDS: Final = True
blank: Final = None

_OPENING: Final = late_pattern(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*(?:\[[ \t\r\n]*)?\{")
_KEY: Final = late_pattern(rb'[ \t\r\n,]*"([^"\\]*)"[ \t\r\n]*:[ \t\r\n]*')
_SCALAR: Final = late_pattern(rb'[^ \t\r\n,\[\]{}"]+')
_SIGN: Final = FORMATS[NAME].large_says
"""The key of a conversation's messages, among the first."""


def recognises(data: bytes, *, strict: bool) -> bool:
    """True for a conversation with ``chat_messages`` at the beginning, or a ZIP that holds a file of them."""
    return opens(io.BytesIO(data), strict=strict)


def opens(file: BinaryIO, *, strict: bool) -> bool:
    """The same for a file of any size, of which only the beginning is read."""
    file.seek(0)
    head = file.read(LARGE_HEAD)
    try:
        if not is_zip(head):
            return _begins(head)
        first = [next(chunks, b"") for _, chunks in conversations_in(file)]
        return all(_begins(chunk) or re.fullmatch(rb"\s*(?:\[\s*\]\s*)?", chunk) for chunk in first)
    except NotAnExport:
        return False
    except ExportUnreadable:
        return not strict  # a person named it, and is told what is wrong with it
    finally:
        file.seek(0)


def parse(data: bytes) -> Export:
    """Every message of all its conversations, in the order of the file (see :func:`members` for them one by one).

    Raises as :func:`members_of`. The messages of a ZIP have no bytes of their own in it.
    """
    packed = is_zip(data)
    messages: list[Message] = []
    spans: list[Span] = []
    marks: list[Mark] = []
    warnings: list[str] = []
    ids: list[str | None] = []
    done = 0
    for member in members(data):
        export = member.export
        marks += [Mark(mark.kind, mark.before + len(messages)) for mark in export.marks]
        messages += [replace(m, start=-1, end=-1) for m in export.messages] if packed else export.messages
        warnings += export.warnings
        ids.append(export.conversation_id)
        if not packed:
            if done < export.spans[0].start:
                spans.append(Span(done, export.spans[0].start, STRUCTURE))
            spans += export.spans
            done = export.spans[-1].end
    if done < len(data):
        spans.append(Span(done, len(data), STRUCTURE))
    alone = ids[0] if len(ids) == 1 else None
    return Export(NAME, tuple(messages), tuple(spans), tuple(marks), alone, tuple(warnings))


def members(data: bytes) -> Iterator[Member]:
    """Every conversation, as :func:`members_of`."""
    return members_of(io.BytesIO(data))


def members_of(file: BinaryIO) -> Iterator[Member]:
    """Every conversation, with its own bytes' digest; never more than one is in memory.

    The whole file is looked over first: where it is cut, or its ZIP damaged, :class:`ExportUnreadable` comes before the first
    conversation. One that is broken in itself comes without messages and with a warning. Raises :class:`NotAnExport` where no
    element is a conversation.
    """
    for _, chunks in _contents(file):
        for _ in elements(chunks, keep=False):
            pass
    packed = is_zip(_beginning(file))
    number = 0
    for _, chunks in _contents(file):
        for element in elements(chunks):
            number += 1
            export, title = read_conversation(NAME, element, number)
            if packed:
                export = replace(
                    export, messages=tuple(replace(m, start=-1, end=-1) for m in export.messages), spans=()
                )
            yield Member(export, hashlib.sha256(element.data).hexdigest(), len(element.data), title)


def _contents(file: BinaryIO) -> list[tuple[str, Iterator[bytes]]]:
    if is_zip(_beginning(file)):
        return conversations_in(file)
    return [("", parts_of(file))]


def _beginning(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    return head


def _begins(head: bytes) -> bool:
    """True where the first object has the key ``chat_messages``."""
    opening = _OPENING.match(head)
    if opening is None:
        return False
    position = opening.end()
    while True:
        key = _KEY.match(head, position)
        if key is None:
            return False
        if key.group(1) == _SIGN:
            return head[key.end() : key.end() + 1] in (b"[", b"")
        position = _behind_value(head, key.end())
        if position < 0:
            return False


def _behind_value(head: bytes, position: int) -> int:
    if head[position : position + 1] in (b'"', b"{", b"["):
        return Scanner().end(head, position)
    scalar = _SCALAR.match(head, position)
    return scalar.end() if scalar is not None else -1
