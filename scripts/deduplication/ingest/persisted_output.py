"""Results that the client wrote to a file of their own for their size: what that file says belongs to the message."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..errors import DedupError
from ..files.safe_read import open_regular, take
from ..model import TOOL_RESULT
from ..start.late_dataclass import replace
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from pathlib import Path

    from ..model import Message

PERSISTED: Final = "<persisted-output>"
"""How a result begins that the client put aside, and how it ends; what stands behind that was read from the file."""
PERSISTED_ENDS: Final = "</persisted-output>"
_SAVED: Final = late_pattern(
    r"(?:Full output|were) saved to: [^\n]*?[/\\]tool-results[/\\]([A-Za-z0-9_-][A-Za-z0-9_.-]{0,199})(?=\s|$)"
)
_SIZE: Final = late_pattern(r"\(([\d.]{1,12})\s?(bytes|B|KB|MB|GB)\)")
_UNITS: Final = {"bytes": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_MOST_PERSISTED: Final = 64 * 1024 * 1024


def with_output(file: Path, message: Message) -> Message:
    """A result that the client wrote to a file of its own for its size, with what that file says behind its beginning.

    The file is looked for where the client puts it, beside this transcript, whatever path the line names.
    """
    content = message.content
    if message.kind != TOOL_RESULT or not isinstance(content, str) or not content.startswith(PERSISTED):
        return message
    place = place_of_output(file, content)
    if place is None:
        return message
    try:
        descriptor, identity = open_regular(place)
        try:
            output = take(descriptor, min(identity.size, _MOST_PERSISTED))
        finally:
            os.close(descriptor)
    except DedupError:
        return message  # gone, as the client deletes them; what the line itself says is kept
    return replace(message, content=f"{content}\n{output.decode(errors='surrogateescape')}")


def place_of_output(file: Path, content: str) -> Path | None:
    """Where the client put the result that begins with ``content``, beside the transcript ``file``; None where it names nothing."""
    name = name_of_output(content)
    folder = file.with_suffix("") if file.parent.name != "subagents" else file.parent.parent
    return folder / "tool-results" / name if name else None


def name_of_output(content: str) -> str:
    """The name of the file in which the client put the result that begins with ``content``; empty where it names none."""
    name = _SAVED.search(content)
    return name.group(1) if name else ""


def is_only_begun(content: str) -> bool:
    """Is this stored result the beginning alone of one that was put aside? False where the file's text stands behind it."""
    return content.startswith(PERSISTED) and content.rstrip().endswith(PERSISTED_ENDS)


def size_said(content: str) -> int:
    """Bytes of the whole result, about, as the client says it in words; 0 where it does not."""
    found = _SIZE.search(content[:500])
    try:
        return int(float(found.group(1)) * _UNITS[found.group(2)]) if found else 0
    except ValueError:
        return 0
