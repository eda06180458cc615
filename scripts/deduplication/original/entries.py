"""The lines of the original project's logs: which files they stand in, what is called what, and which of them can be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from ..errors import UsageError
from ..files.safe_read import check_size, largest
from ..project.paths import LOG_NAME
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(NamedTuple):
    """One of its logs: the file, and what an entry calls its conversation, its hash, and the time at which it was stored."""

    file: str
    conversation: str
    identity: str
    moment: str


CONVERSATION_LOG: Final = Kind(LOG_NAME, "conversation_id", "content_hash", "timestamp")
"""By conversation, as ``ClaudeConversationDeduplicator`` wrote it: the ids are those that a person gave."""
POOL: Final = Kind("unique_messages.jsonl", "checkpoint", "hash", "first_seen")
"""Of all exports, as ``MessageDeduplicator`` wrote it: each message once, with the checkpoint at which it was seen first."""
KINDS: Final = (CONVERSATION_LOG, POOL)
UNNAMED: Final = "uncategorized"
"""What the original project called the messages that no checkpoint has."""
_FOREIGN: Final = late_pattern("[\udc80-\udcff]")
"""What a byte that is no UTF-8 is read as."""
_OURS: Final = "crc32"
"""Every line of our own log has it, and no line of theirs."""


class Entry(NamedTuple):
    """A line that can be read: its number from 1, its byte offset, its size, and what it says.

    ``conversation`` is empty where it names none. ``moment`` is as it was written, empty where there is none. ``is_text`` is False
    where bytes of it are no UTF-8; in the message they are halves of surrogate pairs.
    """

    number: int
    offset: int
    size: int
    conversation: str
    message: Any
    identity: str
    moment: str
    is_text: bool = True


class Unreadable(NamedTuple):
    """A line that cannot be read: its file, its number from 1, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


def entries(file: BinaryIO, kind: Kind) -> Iterator[Entry | Unreadable]:
    """The lines of a log from its beginning, blank ones left out.

    Raises :class:`UsageError` where it is a log of ours, :class:`ExportTooLarge` for a line that no memory should hold.
    """
    number = offset = 0
    while line := file.readline(largest() + 1):
        number += 1
        check_size(f"{kind.file}, line {number}", len(line))
        if line.strip():
            yield entry_of(line, kind, number, offset)
        offset += len(line)


def entry_of(line: bytes, kind: Kind, number: int, offset: int) -> Entry | Unreadable:
    """What one line says, or why nobody can tell. Raises :class:`UsageError` for a line of ours."""
    text = line.decode("utf-8-sig", "surrogateescape")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = f"it is no JSON ({error})" if line.endswith(b"\n") else "it breaks off"
        return Unreadable(kind.file, number, reason)
    if not isinstance(said, dict):
        return Unreadable(kind.file, number, "it is no object")
    if _OURS in said:
        raise UsageError(
            f"{kind.file} is a log of export-dedup itself, not of the original project",
            hint="A store of ours is moved with --from and the name of its backend.",
        )
    if said.get("message") is None:
        return Unreadable(kind.file, number, "it has no message")
    named = said.get(kind.conversation)
    identity, moment = said.get(kind.identity), said.get(kind.moment)
    return Entry(
        number,
        offset,
        len(line),
        named if isinstance(named, str) else "",
        said["message"],
        identity if isinstance(identity, str) else "",
        moment if isinstance(moment, str) else "",
        is_text=not _FOREIGN.search(text),
    )
