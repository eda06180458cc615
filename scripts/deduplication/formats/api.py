"""Requests and responses of the Anthropic Messages API, alone, in arrays, in pairs, as JSON Lines or as batch results.

A log of n requests says the conversation n times. Each message is yielded once, where it is said first; the bytes that say it
again are spans labelled :data:`REPEATED`. The blocks of a response carry ``uuid`` = message id, colon, position of the block
(``msg_01...:0``), the one id that transcripts of the same conversation share; tool calls and results keep their ids in ``content``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ..errors import ExportUnreadable, NotAnExport
from ..model import EXACT, NOTICE, SYSTEM, Export, Message
from ..start.late_pattern import late_pattern
from .api_history import History
from .api_records import RECORDS, Record, proves_conversation, records_in
from .blocks import Part, kind_of_text, part_of, role_of, text_part
from .json_spans import CharSpan, Document, Node, looks_like_json, tile

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "anthropic-messages-api"
OWN_IDS: Final = False
members: Final = None
blank: Final = None

REPEATED: Final = "repeated"
"""Bytes of a message that was said in an earlier request, response or system prompt of the same file."""
OTHER: Final = "other"
"""A value that is no record of the API."""
TORN: Final = "torn"
"""The last line of a log that was cut while it was written."""

_PROBED: Final = 20
_DAMAGED: Final = 100
_SIGNS: Final = late_pattern(r'"max_tokens"|"custom_id"|"type"\s*:\s*"message"')
_TRANSCRIPT_LINE: Final = late_pattern(rb'"(?:sessionId|session_id|parentUuid)"\s*:')
_SESSION: Final = late_pattern(
    r'(?:_session_|"session_id"\s*:\s*")([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})', re.IGNORECASE
)
"""Claude Code names its session in ``metadata.user_id``."""


def recognises(data: bytes, *, strict: bool) -> bool:
    """True where the first values are records of the API; ``strict``: all of them, and one proves a conversation."""
    if not looks_like_json(data):
        return False
    found: list[Record | None] = []
    try:
        document = Document(data)
        if not _SIGNS.search(document.text):
            return False
        position = document.skip(0)
        while position < len(document.text) and len(found) < _PROBED:
            node = document.read(position, RECORDS)
            found += [record for _, record in records_in(node)[:_PROBED]]
            position = document.skip(node.end)
    except ExportUnreadable:
        if not found:
            return not strict and _torn(data)
    records = [record for record in found if record is not None]
    if strict:
        return len(records) == len(found) and any(proves_conversation(record) for record in records)
    return len(records) * 2 > len(found)


def _torn(data: bytes) -> bool:
    """A first value that broke off: claimed where a request is left of it, so that its owner hears that it is broken."""
    return all(key in data for key in (b'"messages"', b'"max_tokens"', b'"role"')) and not _TRANSCRIPT_LINE.search(data)


def parse(data: bytes) -> Export:
    """Every message once, in the order of the file.

    Raises :class:`ExportUnreadable` for what is no JSON and :class:`NotAnExport` for JSON without a record of the API. In
    JSON Lines, a broken line is kept as a notice with a warning, a cut last line stands as :data:`TORN`.
    """
    reader = _Reader(Document(data))
    for node in reader.values():
        for value, record in records_in(node):
            reader.add(value, record)
    if not reader.records:
        raise NotAnExport("JSON, but neither requests nor responses of the Messages API")
    messages, spans = tile(reader.document, reader.pieces)
    session = reader.sessions.pop() if len(reader.sessions) == 1 else None
    return Export(NAME, messages, spans, conversation_id=session, warnings=reader.all_warnings())


class _Reader:
    """Turns records into pieces; remembers what the log has said."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.pieces: list[CharSpan] = []
        self.sessions: set[str] = set()
        self.records = 0
        self._others = 0
        self._warnings: list[str] = []
        self._history = History()
        if document.has_foreign_bytes():
            self._warnings.append("the file has bytes that are not UTF-8; they are kept as they are")

    def all_warnings(self) -> tuple[str, ...]:
        """One line each."""
        warnings = list(self._warnings)
        if self._history.conversations > 1:
            warnings.append(f"the log holds {self._history.conversations} conversations that begin differently")
        if self._others:
            warnings.append(
                f"{self._others} values are neither request nor response; their bytes are kept, no message is"
            )
        return tuple(warnings)

    def values(self) -> Iterator[Node]:
        """The values of the file, one after another; damage costs a line."""
        text = self.document.text
        position, damaged = self.document.skip(0), 0
        while position < len(text):
            try:
                node = self.document.read(position, RECORDS)
            except ExportUnreadable:
                damaged += 1
                if not self.records or damaged > _DAMAGED:
                    raise
                end = text.find("\n", position)
                self._damaged(position, end)
                position = self.document.skip(end) if end >= 0 else len(text)
                continue
            yield node
            position = self.document.skip(node.end)

    def add(self, value: Node, record: Record | None) -> None:
        """Take one value of the log."""
        if record is None:
            self._others += 1
            self.pieces.append(CharSpan(value.start, value.end, OTHER))
            return
        self.records += 1
        first = len(self.pieces)
        if record.request is not None:
            self._request(record.request)
        if record.response is not None:
            self._response(record.response, _timestamp(record.response.value) or _timestamp(value.value))
        if record.failure is not None:
            self._notice(record.failure)
        self.pieces[first:] = sorted(self.pieces[first:], key=lambda piece: piece.start)

    def _request(self, request: Node) -> None:
        self._note_session(request.value)
        system = request.get("system")
        if system is not None and system.value:
            for block in [part for _, part in system.parts] if isinstance(system.value, list) else [system]:
                if not self._history.is_new_system(block.value):
                    self._repeated(block)
                elif isinstance(block.value, (str, dict)):
                    self._put(block, part_of(block.value, SYSTEM))
                else:
                    self._odd(block, "a system prompt that is neither text nor block")
        messages = request.get("messages")
        elements = [part for _, part in messages.parts] if messages is not None else []
        fresh = self._history.new_in_request([element.value for element in elements])
        for element, is_new in zip(elements, fresh):
            if is_new:
                self._message(element)
            else:
                self._repeated(element)

    def _message(self, element: Node) -> None:
        role = role_of(element.value.get("role")) if isinstance(element.value, dict) else None
        content = element.get("content")
        if role is None or content is None:
            self._odd(element, "a message without a role or content")
        elif isinstance(content.value, str):
            self._put(element, text_part(content.value, role))
        elif isinstance(content.value, list):
            self._content(element, content, role)
        else:
            self._odd(element, "a message whose content is neither text nor blocks")

    def _content(self, element: Node, content: Node, role: str) -> None:
        """One block, one message; a lone block has the bytes of its whole element, and so has an empty content."""
        blocks = [part for _, part in content.parts]
        if not blocks:
            self._put(element, Part(role, kind_of_text(role), ""))
        for block in blocks:
            where = block if len(blocks) > 1 else element
            if isinstance(block.value, (str, dict)):
                self._put(where, part_of(block.value, role))
            else:
                self._odd(where, "a block that is no object")

    def _response(self, response: Node, timestamp: str | None) -> None:
        if not self._history.is_new_response(response.value):
            self._repeated(response)
            return
        content = response.get("content")
        identity = response.value.get("id")
        blocks = [part for _, part in content.parts] if content is not None else []
        for ordinal, block in enumerate(blocks):
            if isinstance(block.value, (str, dict)):
                uuid = f"{identity}:{ordinal}" if identity and isinstance(identity, str) else None
                self._put(block, part_of(block.value, "assistant"), uuid=uuid, timestamp=timestamp)
            else:
                self._odd(block, "a block that is no object")

    def _put(self, node: Node, part: Part, uuid: str | None = None, timestamp: str | None = None) -> None:
        message = Message(part.role, part.kind, part.content, uuid=uuid, timestamp=timestamp, fidelity=EXACT)
        self.pieces.append(CharSpan(node.start, node.end, part.kind, message))

    def _repeated(self, node: Node) -> None:
        self.pieces.append(CharSpan(node.start, node.end, REPEATED))

    def _odd(self, node: Node, reason: str) -> None:
        """A message of a wrong shape: kept as it is written."""
        if len(self._warnings) < _DAMAGED:
            self._warnings.append(f"line {self.document.line(node.start)}: {reason}; kept as it is")
        self._notice(node)

    def _notice(self, node: Node) -> None:
        message = Message(SYSTEM, NOTICE, self.document.raw(node), fidelity=EXACT)
        self.pieces.append(CharSpan(node.start, node.end, NOTICE, message))

    def _damaged(self, position: int, end: int) -> None:
        line = self.document.line(position)
        if end < 0:
            self._warnings.append(f"line {line}, the last, is cut; its bytes are kept, no message is")
            self.pieces.append(CharSpan(position, len(self.document.text), TORN))
        else:
            self._warnings.append(f"line {line} is broken; kept as it is")
            self._notice(Node(position, end, None))

    def _note_session(self, request: dict[str, Any]) -> None:
        metadata = request.get("metadata")
        user = metadata.get("user_id") if isinstance(metadata, dict) else None
        found = _SESSION.search(user) if isinstance(user, str) else None
        if found:
            self.sessions.add(found.group(1).lower())


def _timestamp(value: Any) -> str | None:
    found = value.get("timestamp") or value.get("created_at")
    return found if isinstance(found, str) else None
