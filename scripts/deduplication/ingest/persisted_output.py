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

_PERSISTED: Final = "<persisted-output>"
_SAVED: Final = late_pattern(
    r"Full output saved to: [^\n]*?[/\\]tool-results[/\\]([A-Za-z0-9_-][A-Za-z0-9_.-]{0,199})(?=\s|$)"
)
_MOST_PERSISTED: Final = 64 * 1024 * 1024


def with_output(file: Path, message: Message) -> Message:
    """A result that the client wrote to a file of its own for its size, with what that file says behind its beginning.

    The file is looked for where the client puts it, beside this transcript, whatever path the line names.
    """
    content = message.content
    if message.kind != TOOL_RESULT or not isinstance(content, str) or not content.startswith(_PERSISTED):
        return message
    name = _SAVED.search(content)
    if name is None:
        return message
    folder = file.with_suffix("") if file.parent.name != "subagents" else file.parent.parent
    try:
        descriptor, identity = open_regular(folder / "tool-results" / name.group(1))
        try:
            output = take(descriptor, min(identity.size, _MOST_PERSISTED))
        finally:
            os.close(descriptor)
    except DedupError:
        return message  # gone, as the client deletes them; what the line itself says is kept
    return replace(message, content=f"{content}\n{output.decode(errors='surrogateescape')}")
