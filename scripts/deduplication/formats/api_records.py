"""What one record of an API log is: a request, a response, both, or one line of a batch.

- request ``{"model", "max_tokens", "messages": [...], "system"?, "tools"?}``
- response ``{"id": "msg_...", "type": "message", "role": "assistant", "content": [...]}``
- pair ``{"request": {...}, "response": {...}}``, the bodies bare or under ``body``
- batch ``{"custom_id", "params": request}`` and ``{"custom_id", "result": {"type", "message": response}}``
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..start.late_tuple import NamedTuple
from .json_spans import EVERY, Node

if TYPE_CHECKING:
    from .json_spans import Spec

_BLOCKS: Final[Spec] = {EVERY: None}
_BODY: Final[dict[str, Any]] = {"messages": {EVERY: {"content": _BLOCKS}}, "system": _BLOCKS, "content": _BLOCKS}
_ENVELOPE: Final[dict[str, Any]] = {**_BODY, "body": _BODY}
_RECORD: Final[dict[str, Any]] = {
    **_BODY,
    "request": _ENVELOPE,
    "response": _ENVELOPE,
    "params": _BODY,
    "result": {"message": _BODY},
}
RECORDS: Final[Spec] = {**_RECORD, EVERY: _RECORD}
"""What to walk in a value of a log: one record, or an array of records."""

_TRANSCRIPT: Final = frozenset(("sessionId", "session_id", "parentUuid", "isSidechain"))
_BATCH_OUTCOMES: Final = ("succeeded", "errored", "canceled", "expired")


class Record(NamedTuple):
    """The parts of one record; ``failure`` is an answer that is an error instead of a message."""

    request: Node | None = None
    response: Node | None = None
    failure: Node | None = None


def record_of(node: Node) -> Record | None:
    """The record a value is; None for every other value, transcripts of the client and event streams among them."""
    value = node.value
    if not isinstance(value, dict) or not _TRANSCRIPT.isdisjoint(value):
        return None
    if _is_request(value):
        return Record(request=node)
    if _is_response(value):
        return Record(response=node)
    if _is_failure(value):
        return Record(failure=node)
    if isinstance(value.get("custom_id"), str):
        return _batch(node)
    return _pair(node)


def records_in(node: Node) -> list[tuple[Node, Record | None]]:
    """The records of a value: those of an array, or the value itself."""
    nodes = [part for _, part in node.parts] if isinstance(node.value, list) else [node]
    return [(part, record_of(part)) for part in nodes]


def proves_conversation(record: Record) -> bool:
    """True for what only a conversation with Claude leaves behind: its answer, not merely somebody's first question."""
    if record.response is not None and str(record.response.value.get("id")).startswith("msg_"):
        return True
    if record.request is None:
        return False
    request = record.request.value
    model = request["model"].lower()
    answered = any(isinstance(message, dict) and message.get("role") == "assistant" for message in request["messages"])
    return answered and ("claude" in model or "anthropic" in model or "anthropic_version" in request)


def _is_request(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("messages"), list)
        and isinstance(value.get("model"), str)
        and "max_tokens" in value
        and all(isinstance(message, dict) and "index" not in message for message in value["messages"][:1])
    )


def _is_response(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("type") == "message"
        and value.get("role") == "assistant"
        and isinstance(value.get("content"), list)
    )


def _is_failure(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "error" and isinstance(value.get("error"), dict)


def _batch(node: Node) -> Record | None:
    params, result = node.get("params"), node.get("result")
    if params is not None and _is_request(params.value):
        return Record(request=params)
    if result is None or not isinstance(result.value, dict) or result.value.get("type") not in _BATCH_OUTCOMES:
        return None
    message = result.get("message")
    return Record(response=message) if message is not None and _is_response(message.value) else Record(failure=result)


def _pair(node: Node) -> Record | None:
    request, response = _unwrapped(node.get("request")), _unwrapped(node.get("response"))
    asked = request if request is not None and _is_request(request.value) else None
    answered = response if response is not None and _is_response(response.value) else None
    failed = response if response is not None and _is_failure(response.value) else None
    return Record(asked, answered, failed) if asked or answered else None


def _unwrapped(node: Node | None) -> Node | None:
    body = node.get("body") if node is not None else None
    return body if body is not None and isinstance(body.value, dict) else node
