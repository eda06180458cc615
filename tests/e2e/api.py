"""A stand-in for the Messages API on the loopback interface, so that the real client talks without a network.

What it answers is decided by the prompt:

- ``RUN: <command>``: the assistant calls Bash with the command, and closes with one sentence after the result;
- ``SAY: <text>``: the assistant answers with exactly this text;
- a request for a summary (``/compact``): a summary;
- where ``calls`` has any and the client offers skills: the next of them, one a request;
- anything else: a sentence that quotes the prompt.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SUMMARY: Final = "The user and the assistant talked about the tides of a small harbour."
_SUMMARY_ASKED: Final = "create a detailed summary of the conversation"
_INJECTED: Final = re.compile("<system-reminder>.*?</system-reminder>", re.DOTALL)
_PIECE: Final = 200  # characters of an answer in one event of its stream


class StandIn:
    """The server; ``with StandIn() as api`` runs it in a thread of its own.

    ``url`` is what the client is told; ``requests`` are all that were made (bodies as the client sent them), ``answers``
    the texts that belong to the conversation: titles and summaries are none; ``calls`` are tools that the assistant calls next,
    each with what makes its input of the request.
    """

    def __init__(self) -> None:
        self.requests: list[dict] = []
        self.answers: list[str] = []
        self.calls: list[tuple[str, Callable[[dict], dict]]] = []
        self._numbers = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_BoundHandler", (_Handler,), {"api": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, body: dict) -> dict:
        """The whole message that answers ``body``, in the shape of the Messages API."""
        self.requests.append(body)
        number = next(self._numbers)
        blocks = self._called(body, number) or _blocks(body, number)
        if body.get("tools") and _SUMMARY_ASKED not in prompt(body)[0]:
            self.answers += [block["text"] for block in blocks if block["type"] == "text"]
        return {
            "id": f"msg_{number:08d}",
            "type": "message",
            "role": "assistant",
            "model": body.get("model"),
            "content": blocks,
            "stop_reason": "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 20},
        }

    def _called(self, body: dict, number: int) -> list[dict]:
        """The next of ``calls``; none where the request is about something else than the conversation."""
        offered = any(tool["name"] == "Skill" for tool in body.get("tools", []))
        if not self.calls or not offered or _SUMMARY_ASKED in prompt(body)[0]:
            return []
        name, asked = self.calls.pop(0)
        return [{"type": "tool_use", "id": f"toolu_{number:06d}", "name": name, "input": asked(body)}]

    def last_heard(self) -> str:
        """The last request that had the conversation in it, as JSON text; an empty object while there is none."""
        bodies = [body for body in self.requests if body.get("tools") and _SUMMARY_ASKED not in prompt(body)[0]]
        return json.dumps(bodies[-1] if bodies else {}, ensure_ascii=False)

    def heard(self) -> str:
        """Everything that was ever sent to the model, as one JSON text: what must not be in it can be looked for."""
        return json.dumps(self.requests, ensure_ascii=False)


def prompt(body: dict) -> tuple[str, bool]:
    """The last text of the user in a request without what the client injects, and whether it answers a tool call."""
    content = next(
        (message["content"] for message in reversed(body.get("messages", [])) if message["role"] == "user"), ""
    )
    if isinstance(content, str):
        return content, False
    texts = [_INJECTED.sub("", block["text"]).strip() for block in content if block["type"] == "text"]
    own = [text for text in texts if text]
    return (own[-1] if own else ""), any(block["type"] == "tool_result" for block in content)


def _blocks(body: dict, number: int) -> list[dict]:
    text, after_tool = prompt(body)
    if _SUMMARY_ASKED in text:
        return [_text(f"<analysis>\nShort.\n</analysis>\n<summary>\n{SUMMARY}\n</summary>")]
    if after_tool:
        return [_text(f"Done, answer {number}: the command has finished and its output stands above, as you asked.")]
    command = re.search("RUN: (.*)", text)
    if command and any(tool["name"] == "Bash" for tool in body.get("tools", [])):
        asked = {"command": command[1].strip(), "description": "Run the command"}
        call = {"type": "tool_use", "id": f"toolu_{number:06d}", "name": "Bash", "input": asked}
        return [_text(f"Answer {number}: I run this command for you now."), call]
    said = re.search("SAY: (.*)", text, re.DOTALL)
    return [_text(said[1].strip() if said else f"Answer {number} to this prompt of yours: {text[-200:].strip()}")]


def _text(text: str) -> dict:
    return {"type": "text", "text": text}


def _events(message: dict) -> list[tuple[str, dict]]:
    """A message as the events of its stream."""
    head = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    events: list[tuple[str, dict]] = [("message_start", {"message": head})]
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            start = {**block, "text": ""}
            text = block["text"]
            pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
        else:
            start = {**block, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        events.append(("content_block_start", {"index": index, "content_block": start}))
        events.extend(("content_block_delta", {"index": index, "delta": delta}) for delta in deltas)
        events.append(("content_block_stop", {"index": index}))
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events.append(("message_delta", {"delta": end, "usage": {"output_tokens": message["usage"]["output_tokens"]}}))
    events.append(("message_stop", {}))
    return events


class _Handler(BaseHTTPRequestHandler):
    api: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Nothing: a test's output is its own."""

    def do_HEAD(self) -> None:
        self._send(200, "application/json", b"")

    def do_GET(self) -> None:
        self._send(404, "application/json", b"{}")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        if "count_tokens" in self.path:
            self._send_json({"input_tokens": 100})
        elif not self.path.startswith("/v1/messages"):
            self._send_json({})
        elif body.get("stream"):
            events = [
                f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"
                for name, data in _events(self.api.answer(body))
            ]
            self._send(200, "text/event-stream", "".join(events).encode())
        else:
            self._send_json(self.api.answer(body))

    def _send_json(self, value: dict) -> None:
        self._send(200, "application/json", json.dumps(value).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            # The client that asked was ended by its test.
            self.close_connection = True
