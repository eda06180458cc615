"""One conversation of claude.ai's data export: its messages, and where it was gone on with from an earlier point.

A message's ``content`` (blocks) is preferred to its ``text``, which has only the text of it. Text blocks become their text,
without the times at which they were streamed; other blocks stay as they are. An attachment is a document block with the text that
was extracted from it; of other files the export has only the names. The first text of a message has the message's uuid, everything
else of it the same with its kind and its number: what a later export adds to a message does not move what was there.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from ..errors import ExportUnreadable
from ..model import EXACT, NOTICE, REWIND, SYSTEM, THINKING, UNKNOWN, Export, Mark, Message, Span
from .blocks import Part, kind_of_text, part_of, role_of, text_part
from .json_spans import EVERY, STRUCTURE, Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .array_reader import Element
    from .json_spans import Spec

EMPTY: Final = "empty"
"""Label of a message in which nothing was said."""

_SPEC: Final[Spec] = {"chat_messages": {EVERY: None}}
_STREAMED: Final = frozenset(("start_timestamp", "stop_timestamp", "flags"))
_ROOT: Final = "00000000-0000-4000-8000-000000000000"
"""The parent of the first message."""
_TITLE: Final = 80
_WARNED: Final = 5
_UNSUPPORTED: Final = "```\nThis block is not supported"
"""How ``text`` begins where a tool stands that it cannot show."""


def read_conversation(format_: str, element: Element, number: int) -> tuple[Export, str]:
    """The ``number``-th element of an export as a conversation, and its title; offsets are the file's.

    An element that is broken or no conversation comes without messages, with a warning.
    """
    title = ""
    reader = _Conversation(element.start)
    session: str | None = None
    try:
        document = Document(element.data)
        node = document.read(document.skip(0), _SPEC)
    except ExportUnreadable as error:
        reason = str(error).partition(": ")[2]
        where = f"conversation {number} (byte {element.start:,} of the file)"
        reader.warnings.append(f"{where} cannot be read: {reason}; its bytes are kept, no message is")
    else:
        said = node.get("chat_messages")
        if said is None or not isinstance(said.value, list):
            reader.warnings.append(f"element {number} is no conversation; its bytes are kept")
        else:
            session, title = _text(node.value.get("uuid")), (_text(node.value.get("name")) or "")[:_TITLE]
            borders = document.byte_offsets(b for _, part in said.parts for b in (part.start, part.end))
            for (_, part), start, end in zip(said.parts, borders, borders):
                reader.add(part.value, start + element.start, end + element.start)
    reader.close(element.end)
    export = Export(
        format_,
        tuple(reader.messages),
        tuple(reader.spans),
        tuple(reader.marks),
        conversation_id=session,
        warnings=tuple(reader.warnings),
        titles=(("ai", title),) if title else (),
    )
    return export, title


class _Conversation:
    """Turns the elements of ``chat_messages`` into messages, spans and marks."""

    def __init__(self, start: int) -> None:
        self.messages: list[Message] = []
        self.spans: list[Span] = []
        self.marks: list[Mark] = []
        self.warnings: list[str] = []
        self._done = start
        self._tip = _ROOT
        self._known = {_ROOT}

    def add(self, value: Any, start: int, end: int) -> None:
        """One message of the chat and its bytes."""
        parts = list(_parts(value)) if isinstance(value, dict) else []
        role = role_of(value.get("sender")) if isinstance(value, dict) else None
        if role is None:
            if len(self.warnings) < _WARNED:
                self.warnings.append(
                    f"a message (byte {start:,} of the file) has no sender that is known; kept as it is"
                )
            parts = [Part(SYSTEM, UNKNOWN, value if isinstance(value, (str, dict, list)) else str(value))]
        if isinstance(value, dict):
            self._note_place(value, said=bool(parts))
        self._span(start, end, parts[0].kind if parts else EMPTY)
        uuid = _text(value.get("uuid")) if isinstance(value, dict) else None
        timestamp = _text(value.get("created_at")) if isinstance(value, dict) else None
        index = value.get("index") if isinstance(value, dict) else None
        taken: dict[str, int] = {}
        for part in parts:
            identity = uuid and _identity(uuid, part, taken)
            number = index if type(index) is int else None
            self.messages.append(
                Message(part.role, part.kind, part.content, start, end, number, timestamp, identity, EXACT)
            )

    def close(self, end: int) -> None:
        """The conversation's bytes end at ``end``."""
        if self._done < end:
            self.spans.append(Span(self._done, end, STRUCTURE))

    def _span(self, start: int, end: int, label: str) -> None:
        if self._done < start:
            self.spans.append(Span(self._done, start, STRUCTURE))
        self.spans.append(Span(start, end, label))
        self._done = end

    def _note_place(self, value: dict[str, Any], *, said: bool) -> None:
        """A message follows the one before it; where it names an earlier one, it was asked or answered anew from there."""
        uuid, parent = _text(value.get("uuid")), _text(value.get("parent_message_uuid"))
        if said and parent in self._known and parent != self._tip:
            self.marks.append(Mark(REWIND, len(self.messages)))
        if uuid is not None:
            self._known.add(uuid)
            self._tip = uuid


def _parts(value: dict[str, Any]) -> Iterator[Part]:
    """What a message says, block by block, then what was attached to it."""
    role = role_of(value.get("sender")) or SYSTEM
    blocks = value.get("content")
    found = [part for part in map(_block, blocks if isinstance(blocks, list) else [blocks], repeat(role)) if part]
    text = value.get("text")
    if not any(part.kind == kind_of_text(role) for part in found) and isinstance(text, str) and text.strip():
        # Content has no text of its own: what ``text`` has is not in it, unless it stands there for tools alone.
        found += [] if found and text.strip().startswith(_UNSUPPORTED) else [text_part(text, role)]
    yield from found
    attachments = value.get("attachments")
    for attached in attachments if isinstance(attachments, list) else []:
        if isinstance(attached, dict) and any(attached.values()):
            yield Part(role, kind_of_text(role), [_document(attached)])
    files = value.get("files_v2") or value.get("files")
    named = [_file(file) for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    if any(len(file) > 1 for file in named):
        yield Part(SYSTEM, NOTICE, named)


def _block(block: Any, role: str) -> Part | None:
    """The message that a block is; None for one that says nothing."""
    if isinstance(block, str):
        return text_part(block, role) if block.strip() else None
    if not isinstance(block, dict):
        return None if block is None else Part(role, kind_of_text(role), [block])
    plain = {key: value for key, value in block.items() if key not in _STREAMED}
    thought = plain.get("thinking")
    if plain.get("type") == "thinking" and isinstance(thought, str) and thought.strip():
        return Part(role, THINKING, thought)
    part = part_of(plain, role)
    return None if isinstance(part.content, str) and not part.content.strip() else part


def _document(attached: dict[str, Any]) -> dict[str, Any]:
    """An attachment as the block that the API has for one."""
    source = {
        "type": "text",
        "media_type": _text(attached.get("file_type")) or "text/plain",
        "data": attached.get("extracted_content") or "",
    }
    block: dict[str, Any] = {"type": "document", "title": attached.get("file_name") or "", "source": source}
    if attached.get("file_size") is not None:
        block["file_size"] = attached["file_size"]
    return block


def _file(file: dict[str, Any]) -> dict[str, Any]:
    """A file of which only the name is there."""
    return {"type": "file", **{key: file[key] for key in ("file_name", "file_uuid") if file.get(key)}}


def _identity(uuid: str, part: Part, taken: dict[str, int]) -> str:
    own = "" if isinstance(part.content, str) and part.kind == kind_of_text(part.role) else part.kind
    number = taken[own] = taken.get(own, -1) + 1
    if not own and not number:
        return uuid
    return f"{uuid}:{own or 'text'}:{number}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
