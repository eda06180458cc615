"""A file without some of its messages: each gives way to a few words of ours, and everything else stays byte for byte.

In a text export a message becomes one line under its own mark. In a transcript the line keeps its ids, so that the lines that go on
from it still find it. Whoever has a file blanked reads the result again, and it must show the rest unchanged; a file of which
that is not true goes as a whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..alignment.tombstone import MARKER, MARKERS
from ..errors import DedupError
from ..start.late_pattern import late_pattern
from .client_commands import is_bookkeeping, shell_command, slash_command
from .transcript_lines import read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..model import Export
    from .base import Purging

_MARK: Final = late_pattern(
    rb"[ \t]*(?:!|>|\xe2\x9d\xaf|\xe2\x8f\xba|\xe2\x97\x8f|\xe2\x8e\xbf)(?: |\xc2\xa0)+"
)  # ! > ❯ ⏺ ● ⎿
_KEPT: Final = ("parentUuid", "logicalParentUuid", "isSidechain", "agentId", "sessionId", "session_id", "type", "uuid")
"""What a line of a transcript keeps: who it is, and behind whom it stands."""
_COPIES: Final = ("toolUseResult", "mcpMeta")
"""Members of a line that say again what its blocks say."""


def blank_screen(data: bytes, exports: Sequence[Export], purging: Purging) -> bytes:
    """A text export without its purged messages, and without what is no message and quotes one."""
    spans: list[tuple[int, int, str]] = []
    for export in exports:
        kinds = {message.kind for message in export.messages}
        spans += [(each.start, each.end, each.kind) for each in export.messages if purging.purged(each)]
        others = [(span.start, span.end) for span in export.spans if span.label not in kinds]
        spans += [(a, b, "") for a, b in others if purging.quoted(data[a:b].decode("utf-8", "replace"))]
    return blank_text(data, spans)


def blank_transcript(data: bytes, exports: Sequence[Export], purging: Purging) -> bytes:
    """JSON lines of the client without the purged messages of these conversations."""
    flags: dict[int, list[bool]] = {}
    ids: set[str] = set()
    for export in exports:
        for message in export.messages:
            purged = purging.purged(message)
            flags.setdefault(message.start, []).append(purged)
            if purged and message.uuid:
                ids.add(message.uuid.partition(":")[0])
    return blank_lines(data, flags, _ordinals, purging.quoted, ids)


def _ordinals(value: Any) -> list[int]:
    """The position of the block of each message of a line."""
    try:
        reading = read_line(value)
    except DedupError:
        return []
    return [int(position.partition(".")[0]) for position, _ in reading.parts] if reading is not None else []


def blank_text(data: bytes, gone: Iterable[tuple[int, int, str]]) -> bytes:
    """A text export without the messages that stand at these bytes (half open), each with its kind."""
    out: list[bytes] = []
    at = 0
    for start, end, kind in sorted(gone):
        if start < at:
            continue
        mark = _MARK.match(data, start, end)
        shell = mark is not None and mark.group().lstrip().startswith(b"!")
        said = (MARKER if shell else MARKERS.get(kind, MARKER)).encode()
        out += (data[at:start], mark.group() if mark else b"\xe2\x8f\xba ", said, b"\n\n")
        at = end
    return b"".join([*out, data[at:]])


def blank_lines(
    data: bytes,
    gone: Mapping[int, list[bool]],
    ordinals: Callable[[Any], list[int]],
    holds: Callable[[str], bool],
    ids: set[str],
) -> bytes:
    """JSON lines without some messages. ``gone``: for the byte at which a line begins, which of its messages go, in their order.

    ``ordinals`` gives the position of the block of each message of a line, ``holds`` says of a text that it says something that
    goes: lines that are no messages are then blanked as well, and so are those with one of the ``ids``.
    """
    out: list[bytes] = []
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        line = data[at:end]
        out.append(_line(line, gone.get(at), ordinals, holds, ids))
        at = end
    return b"".join(out)


def _line(
    line: bytes,
    gone: list[bool] | None,
    ordinals: Callable[[Any], list[int]],
    holds: Callable[[str], bool],
    ids: set[str],
) -> bytes:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return b"" if holds(line.decode("utf-8", "replace")) else line
    if not isinstance(value, dict):
        return line
    if gone is None or not any(gone):
        # A message that stays may quote what goes; what is no message, or an older copy of the line, is nobody's words.
        foreign = gone is None and (value.get("uuid") in ids or any(map(holds, _strings(value))))
        return _dumped(_shell(value)) if foreign else line
    places = ordinals(value)
    content = (value.get("message") or {}).get("content")
    if all(gone) or len(places) != len(gone) or not isinstance(content, list):
        return _dumped(_shell(value))
    blocks = list(content)
    for place, goes in zip(places, gone):
        if goes:
            blocks[place] = _block(blocks[place])
    kept = {key: inner for key, inner in value.items() if key not in _COPIES}
    return _dumped({**kept, "message": {**value["message"], "content": blocks}})


def _shell(value: dict[str, Any]) -> dict[str, Any]:
    """A line of which only its place is left."""
    line: dict[str, Any] = {key: value[key] for key in _KEPT if key in value}
    message, type_ = value.get("message"), value.get("type")
    if isinstance(message, dict):
        role = message.get("role") if message.get("role") in ("user", "assistant") else type_
        said: Any = _user(message.get("content")) if role == "user" else [{"type": "text", "text": MARKER}]
        line["message"] = {"role": role, "content": said}
    elif type_ == "attachment":
        line["attachment"] = {"type": "queued_command", "prompt": MARKER}
    elif type_ == "system":
        if isinstance(value.get("subtype"), str):
            line["subtype"] = value["subtype"]
        line["content"] = _user(value.get("content"))
    return line


def _user(content: Any) -> str:
    """What a user's line says instead: a command stays one, so that what it printed stays an output."""
    if not isinstance(content, str):
        return MARKER
    text = content.strip()
    command = slash_command(text)
    if command is not None and not command.prompt:
        name = "/export" if is_bookkeeping(command.text) else "/purged"
        return f"<command-name>{name}</command-name>\n<command-args>{MARKER}</command-args>"
    return f"<bash-input>{MARKER}</bash-input>" if shell_command(text) is not None else MARKER


def _block(block: Any) -> dict[str, Any]:
    """A block of which only its ids are left."""
    type_ = block.get("type") if isinstance(block, dict) else None
    if type_ == "tool_use":
        return {"type": type_, "id": block.get("id"), "name": block.get("name"), "input": {"purged": MARKER}}
    if type_ == "tool_result":
        return {"type": type_, "tool_use_id": block.get("tool_use_id"), "content": MARKER}
    return {"type": "text", "text": MARKER}


def _dumped(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
