"""A line of an occurrence taken apart into what repeats and what changes from line to line, and put together again.

Putting together gives the very bytes that were taken apart, wherever they were cut: what a line says is not looked at twice.
"""

from __future__ import annotations

from typing import Final

from ...start.late_pattern import late_pattern
from ...start.late_tuple import NamedTuple

_HEAD: Final = late_pattern(
    rb'(\{"conversation_id":"(?:[^"\\]|\\.)*"),"index":(\d{1,15}),"timestamp":"([^"\\]*)","content_hash":"([0-9a-f]{64})"'
    rb'(?:,"uuid":"([^"\\]*)")?(?:,"source_index":(\d{1,15}))?(?:,"extends":(\d{1,15}))?'
)
_MESSAGE: Final = late_pattern(rb',"message":\{"role":"(\w+)","kind":"(\w+)","content":')
_SOURCE: Final = late_pattern(
    rb'((?:,"fidelity":"(exact)")?\})?(,"source":\{"export":)"([0-9a-f]{16})"(,"clock":"\w+"(?:,"redrawn":true)?)'
    rb'(?:,"span":\[(\d{1,18}),(\d{1,18})\])?\}\}\Z'
)
_SOURCE_BYTES: Final = 200
"""Bytes at the end of a line in which its source stands."""


class Shape(NamedTuple):
    """What many lines have in common. ``role``, ``kind`` and ``fidelity`` are empty where the line has no message."""

    conversation: bytes
    named: bool
    numbered: bool
    extends: bool
    role: bytes
    kind: bytes
    fidelity: bytes
    export: bytes
    source: bytes
    placed: bool


class Parts(NamedTuple):
    """What is a line's own. ``content`` is its JSON, empty where there is no message; ``start`` and ``end`` are its span."""

    shape: Shape
    number: int
    moment: bytes
    identity: bytes
    uuid: bytes
    source_index: int
    extends: int
    content: bytes
    start: int
    end: int


def take_apart(body: bytes) -> Parts | None:
    """The parts of a line without its checksum; None where it is no occurrence as they are written, or does not come back."""
    head = _HEAD.match(body)
    source = _SOURCE.search(body, max(len(body) - _SOURCE_BYTES, 0)) if head else None
    if head is None or source is None:
        return None
    message = _MESSAGE.match(body, head.end())
    numbers = [head[2], head[6] or b"0", head[7] or b"0", source[6] or b"0", source[7] or b"0"]
    shape = Shape(
        head[1],
        head[5] is not None,
        head[6] is not None,
        head[7] is not None,
        message[1] if message else b"",
        message[2] if message else b"",
        source[2] or b"",
        source[4],
        source[5],
        source[6] is not None,
    )
    text = body[message.end() : source.start()] if message else b""
    number, source_index, extends, start, end = map(int, numbers)
    found = Parts(shape, number, head[3], head[4], head[5] or b"", source_index, extends, text, start, end)
    return found if put_together(found) == body else None


def size_of_own(parts: Parts) -> int:
    """Bytes of a line that are its own, and not those of its shape: what :func:`put_together` fills in."""
    shape, number, moment, identity, uuid, source_index, extends, content, start, end = parts
    size = len(str(number)) + len(moment) + len(identity)
    if shape.kind:
        size += len(content)
    if shape.named:
        size += len(uuid)
    if shape.numbered:
        size += len(str(source_index))
    if shape.extends:
        size += len(str(extends))
    return size + len(str(start)) + len(str(end)) if shape.placed else size


def put_together(parts: Parts) -> bytes:
    """A line without its checksum."""
    shape = parts.shape
    out = [b'%s,"index":%d,"timestamp":"%s","content_hash":"%s"' % (shape.conversation, *parts[1:4])]
    if shape.named:
        out.append(b',"uuid":"%s"' % parts.uuid)
    if shape.numbered:
        out.append(b',"source_index":%d' % parts.source_index)
    if shape.extends:
        out.append(b',"extends":%d' % parts.extends)
    if shape.kind:
        out.append(b',"message":{"role":"%s","kind":"%s","content":%s' % (shape.role, shape.kind, parts.content))
        out.append(b',"fidelity":"%s"}' % shape.fidelity if shape.fidelity else b"}")
    out.append(b',"source":{"export":"%s"%s' % (shape.export, shape.source))
    if shape.placed:
        out.append(b',"span":[%d,%d]' % (parts.start, parts.end))
    out.append(b"}}")
    return b"".join(out)
