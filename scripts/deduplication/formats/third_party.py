"""Conversations that browser exporters and scripts wrote as JSON.

The shapes, all of them met in public tools or in the design this project started from:

- ``{"meta": {"exported_at", "title"}, "chats": [{"index", "type": "prompt"|"response", "message": [block, ...]}]}``
- ``{"exported_at", "title", "messages": [the same]}``
- ``{"messages": [{"index", "role"|"type"|"sender", "content"|"message"|"text"}]}``
- a bare list of such messages.

None of them has ids that hold beyond one file; ``index`` counts within one export, is kept as ``source_index``, and says the
order of the messages, whatever the order in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import NotAnExport
from ..model import EXACT, SYSTEM, UNKNOWN, Export, Message
from ..start.late_dataclass import replace
from ..start.late_pattern import late_pattern
from .blocks import Part, is_block, part_of, text_part
from .json_spans import EVERY, CharSpan, Document, Node, encode, tile
from .rich_text import render
from .third_party_signs import CONTENT_KEYS, LISTS, is_conversation, role_in

if TYPE_CHECKING:
    from .json_spans import Spec

NAME: Final = "third-party-json"
OWN_IDS: Final = False
members: Final = None
blank: Final = None

_TIME_KEYS: Final = ("timestamp", "created_at")
_STRONG_ID: Final = late_pattern(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z|[A-Za-z]{2,10}[_-][0-9A-Za-z]{16,64}\Z"
)
"""An id that is the same nowhere else: a UUID, or a prefix with a long random part. "1" or "message-3" is none."""
_WARNED: Final = 20

_TEXT: Final[Spec] = {EVERY: None, "content": {EVERY: None}}
_MESSAGE: Final[Spec] = dict.fromkeys(CONTENT_KEYS, _TEXT)
_ROOT: Final[Spec] = {EVERY: _MESSAGE, **{name: {EVERY: _MESSAGE} for name in LISTS}}


def recognises(data: bytes, *, strict: bool) -> bool:
    """A list of messages with known roles; ``strict`` asks for the exporter's own signs (``exported_at``, or an index each)."""
    return is_conversation(data, strict=strict)


def parse(data: bytes) -> Export:
    """Every message with its bytes. Messages of a wrong shape come as unknown with a warning, never as nothing.

    Raises :class:`ExportUnreadable` for what is no JSON and :class:`NotAnExport` for JSON without a list of messages.
    """
    document = Document(data)
    root = document.read(document.skip(0), _ROOT, forgiving=True)
    rest = document.skip(root.end)
    if rest < len(document.text):
        raise document.fail("more than one JSON value in the file", rest)
    reader = _Reader(document)
    order: list[int] = []
    for node in _lists_of(root):
        order += reader.add_list([element for _, element in node.parts])
    messages, spans = tile(document, reader.pieces)
    return Export(format=NAME, messages=tuple(messages[n] for n in order), spans=spans, warnings=reader.warnings())


def parse_object(obj: Any) -> Export:
    """A conversation that is a Python object already: as :func:`parse`, but without bytes (offsets -1, no spans)."""
    export = parse(encode(obj))
    messages = tuple(replace(message, start=-1, end=-1) for message in export.messages)
    return Export(format=NAME, messages=messages, warnings=export.warnings)


def messages_from_object(obj: Any) -> tuple[Message, ...]:
    """The messages of :func:`parse_object`."""
    return tuple(parse_object(obj).messages)


class _Reader:
    """Turns elements into pieces and remembers what was odd."""

    def __init__(self, document: Document) -> None:
        self.pieces: list[CharSpan] = []
        self._document = document
        self._odd: list[str] = []
        self._odd_count = 0
        self._count = 0
        if document.has_foreign_bytes():
            self._warn("the file has bytes that are not UTF-8; they are kept as they are")

    def warnings(self) -> tuple[str, ...]:
        """One line each, and how many were left out."""
        more = self._odd_count - len(self._odd)
        return tuple([*self._odd, f"{more} more messages with a wrong shape"] if more else self._odd)

    def add_list(self, elements: list[Node]) -> list[int]:
        """Take a list of messages; the positions of their pieces in the order that their indexes say."""
        numbers = [_index_of(element.value) for element in elements]
        placed: list[tuple[float, list[int]]] = []
        number = float("-inf")  # what has no index stays behind the one before it
        for element, own in zip(elements, numbers):
            first = len(self.pieces)
            self.add(element)
            number = number if own is None else own
            placed.append((number, list(range(first, len(self.pieces)))))
        given = [own for own in numbers if own is not None]
        if len(set(given)) == len(given):
            placed.sort(key=lambda each: each[0])
        elif given != sorted(given):
            self._warn("indexes repeat and do not rise: the messages are in the order of the file")
        return [position for _, positions in placed for position in positions]

    def add(self, element: Node) -> None:
        """Take one element of the list of messages."""
        self._count += 1
        self._element = element
        if not isinstance(element.value, dict):
            self._notice("is no object")
            return
        body = self._body(element)
        role = role_in(element.value) or role_in(body.value)
        if role is None:
            self._notice("has no role that is known")
            return
        found = self._content(body)
        if found is None:
            self._notice("has no content")
            return
        key, value = found
        if not value:
            self._warn(f"message {self._count} has an empty content")
        blocks = value if isinstance(value, list) else [value]
        if any(is_block(block) for block in blocks):
            node = body.get(key)
            parts = node.parts if node is not None and isinstance(value, list) else []
            self._blocks(role, [block for _, block in parts] or [Node(element.start, element.end, value)])
        elif isinstance(value, str):
            self._put(element, text_part(value, role))
        else:
            self._put(element, Part(role, text_part("", role).kind, render(value)))

    def _body(self, element: Node) -> Node:
        """The element, or the message it wraps (``{"message": {"role", "content"}}``)."""
        inner = element.get("message")
        wraps = inner is not None and isinstance(inner.value, dict) and "content" in inner.value
        return inner if wraps and inner is not None and "content" not in element.value else element

    def _content(self, body: Node) -> tuple[str, Any] | None:
        """The first key with something in it; an empty text or list only where nothing better is there."""
        usable = [(key, body.value[key]) for key in CONTENT_KEYS if isinstance(body.value.get(key), (str, list, dict))]
        return next((found for found in usable if found[1]), usable[0] if usable else None)

    def _blocks(self, role: str, blocks: list[Node]) -> None:
        """One block, one message; a lone block has the bytes of its whole element."""
        for ordinal, block in enumerate(blocks):
            where = block if len(blocks) > 1 else self._element
            if isinstance(block.value, (str, dict)):
                self._put(where, part_of(block.value, role), ordinal)
            else:
                self._notice("has a block that is no object", block if len(blocks) > 1 else self._element)

    def _put(self, where: Node, part: Part, ordinal: int | None = None) -> None:
        value = self._element.value
        identity = next((value[key] for key in ("uuid", "id") if _is_strong(value.get(key))), None)
        message = Message(
            role=part.role,
            kind=part.kind,
            content=part.content,
            source_index=self._index(value, first=not ordinal),
            timestamp=next((value[key] for key in _TIME_KEYS if value.get(key) and isinstance(value[key], str)), None),
            uuid=identity if identity is None or ordinal is None else f"{identity}:{ordinal}",
            fidelity=EXACT,
        )
        self.pieces.append(CharSpan(where.start, where.end, part.kind, message))

    def _notice(self, reason: str, where: Node | None = None) -> None:
        """Keep what cannot be understood, as it is written in the file."""
        node = where or self._element
        shown = len(self._odd) < _WARNED  # finding a line reads the file from its start: not for thousands of them
        line = f" (line {self._document.line(node.start)})" if shown else ""
        self._warn(f"message {self._count}{line} {reason}; kept as it is")
        value = self._element.value
        index = self._index(value, first=where is None) if isinstance(value, dict) else None
        message = Message(SYSTEM, UNKNOWN, self._document.raw(node), source_index=index, fidelity=EXACT)
        self.pieces.append(CharSpan(node.start, node.end, UNKNOWN, message))

    def _index(self, value: dict[str, Any], *, first: bool) -> int | None:
        index = value.get("index")
        number = _index_of(value)
        if number is None and index is not None and first:
            self._warn(f"message {self._count}: its index is no whole number ({type(index).__name__})")
        return number

    def _warn(self, line: str) -> None:
        self._odd_count += 1
        if len(self._odd) < _WARNED:
            self._odd.append(line)


def _index_of(value: Any) -> int | None:
    index = value.get("index") if isinstance(value, dict) else None
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _lists_of(root: Node) -> list[Node]:
    if isinstance(root.value, list):
        return [root]
    found = [node for key, node in root.parts if key in LISTS and isinstance(node.value, list)]
    if not found:
        raise NotAnExport("JSON, but without a list of messages")
    return found


def _is_strong(value: Any) -> bool:
    return isinstance(value, str) and _STRONG_ID.match(value) is not None
