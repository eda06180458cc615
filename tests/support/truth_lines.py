"""A session as the client writes it into its transcript: one JSON object a line, with ids, each naming the line before it."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from truth_session import CALL, PROMPT, RESULT, TEXT, THINKING, Announced, Said

if TYPE_CHECKING:
    from truth_session import Session


@dataclass(frozen=True)
class Line:
    """One line with its line feed. ``id`` is empty where it holds no message; ``text`` is what a person or the assistant said."""

    data: bytes
    id: str = ""
    kind: str = ""
    text: str = ""


class Transcript:
    """The transcript of a session. ``compacted``: before so many of its turns the context was compacted."""

    def __init__(self, name: str, session: Session, *, compacted: tuple[int, ...] = (), rewound: tuple[int, ...] = ()):
        self.name = name
        self.session = str(uuid.uuid5(uuid.NAMESPACE_URL, f"session/{name}"))
        self.lines: list[Line] = []
        self._parent: str | None = None
        self._seconds = 0
        self._starts: dict[int, str | None] = {}
        """The line before each turn."""
        turn = 0
        for at, event in enumerate(session.events):
            if turn < len(session.turns) and session.turns[turn] == at:
                self._begin_turn(turn, compacted, rewound)
                turn += 1
            if isinstance(event, Said):
                self._said(f"{at}", event)
            elif not isinstance(event, Announced):
                for number, call in enumerate(event.calls):
                    self._called(f"{at}/{number}", call.tool, call.argument, "\n".join(call.lines))

    def _begin_turn(self, turn: int, compacted: tuple[int, ...], rewound: tuple[int, ...]) -> None:
        if turn in compacted:
            self._compact(turn)
        elif turn in rewound and turn > 1:
            self._parent = self._starts[turn - 1]
        self._starts[turn] = self._parent
        self._bare({"type": "file-history-snapshot", "messageId": self._id(f"snapshot {turn}"), "snapshot": {}})

    def branch(self, name: str, count: int, session: Session) -> Transcript:
        """Another session that begins with the first ``count`` lines of this one, under their ids, and goes on with ``session``."""
        other = Transcript(name, session)
        copied = []
        last: str | None = None
        for line in self.lines[:count]:
            value = json.loads(line.data)
            value["sessionId"] = other.session
            if "uuid" in value:
                value["forkedFrom"] = {"sessionId": self.session, "messageUuid": value["uuid"]}
                last = value["uuid"]
            copied.append(Line(_encoded(value), line.id, line.kind, line.text))
        for number, line in enumerate(other.lines):
            value = json.loads(line.data)
            if value.get("parentUuid", "") is None:
                value["parentUuid"] = last
                other.lines[number] = Line(_encoded(value), line.id, line.kind, line.text)
                break
        other.lines[:0] = copied
        return other

    @property
    def data(self) -> bytes:
        """The file."""
        return b"".join(line.data for line in self.lines)

    @property
    def truth(self) -> list[Line]:
        """The lines that hold a message."""
        return [line for line in self.lines if line.id]

    # -- lines -----------------------------------------------------------------------------------------------------

    def _id(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.session}/{name}"))

    def _bare(self, value: dict[str, Any]) -> None:
        self.lines.append(Line(_encoded({**value, "sessionId": self.session})))

    def _line(self, name: str, value: dict[str, Any], kind: str = "", text: str = "") -> None:
        self._seconds += 7
        clock = f"{self._seconds // 3600:02}:{self._seconds // 60 % 60:02}:{self._seconds % 60:02}"
        own = self._id(name)
        whole = {
            "parentUuid": self._parent,
            "isSidechain": False,
            **value,
            "uuid": own,
            "timestamp": f"2031-04-01T{clock}.000Z",
            "userType": "external",
            "cwd": "/srv/workshop",
            "sessionId": self.session,
            "version": "2.1.197",
            "gitBranch": "main",
        }
        self._parent = own
        self.lines.append(Line(_encoded(whole), own if kind else "", kind, text))

    def _said(self, name: str, said: Said) -> None:
        if said.kind == PROMPT:
            message = {"role": "user", "content": said.text}
            origin = {"origin": {"kind": "human"}, "promptSource": "typed"}
            self._line(name, {"type": "user", "message": message, **origin}, PROMPT, said.text)
        elif said.kind == THINKING:
            self._assistant(name, {"type": "thinking", "thinking": said.text, "signature": "c2ln"}, THINKING, said.text)
        else:
            self._assistant(name, {"type": "text", "text": said.text}, TEXT, said.text)
            self._line(
                f"{name} took", {"type": "system", "subtype": "turn_duration", "durationMs": 1234, "isMeta": False}
            )

    def _assistant(self, name: str, block: dict[str, Any], kind: str, text: str = "") -> None:
        message = {
            "id": f"msg_{self._id(name)[:22]}",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [block],
        }
        self._line(name, {"type": "assistant", "message": message}, kind, text)

    def _called(self, name: str, tool: str, argument: str, result: str) -> None:
        called = f"toolu_{self._id(name)[:22]}"
        key = "command" if tool == "Bash" else "file_path" if tool == "Read" else "pattern"
        self._assistant(
            f"{name} call", {"type": "tool_use", "id": called, "name": tool, "input": {key: argument}}, CALL
        )
        block = {"tool_use_id": called, "type": "tool_result", "content": result, "is_error": False}
        value = {"type": "user", "message": {"role": "user", "content": [block]}, "toolUseResult": {"stdout": result}}
        self._line(f"{name} result", value, RESULT)

    def _compact(self, turn: int) -> None:
        before, self._parent = self._parent, None
        boundary = {
            "type": "system",
            "subtype": "compact_boundary",
            "content": "Conversation compacted",
            "isMeta": False,
        }
        self._line(
            f"boundary {turn}", {**boundary, "logicalParentUuid": before, "compactMetadata": {"trigger": "manual"}}
        )
        text = (
            f"This session is being continued from a previous conversation that ran out of context. It was turn {turn}."
        )
        message = {"role": "user", "content": text}
        value = {"type": "user", "message": message, "isCompactSummary": True, "isVisibleInTranscriptOnly": True}
        self._line(f"summary {turn}", value, "summary", text)


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def transcript_differences(transcript, messages):
    """Lines of a transcript that are missing, doubled or elsewhere in what is stored, and words that changed."""
    ids = [message.get("uuid") for message in messages]
    wanted = [line.id for line in transcript.truth]
    if ids != wanted:
        return [*(Counter(wanted) - Counter(ids)), *(Counter(ids) - Counter(wanted))] or ["another order"]
    return [
        line.text for line, message in zip(transcript.truth, messages) if line.text and message["content"] != line.text
    ]
