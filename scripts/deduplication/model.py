"""The records that travel between the rooms: what a parser yields and what the store keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Optional, Union

from .start.late_dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Sequence

USER: Final = "user"
ASSISTANT: Final = "assistant"
SYSTEM: Final = "system"
ROLES: Final = (USER, ASSISTANT, SYSTEM)

PROMPT: Final = "prompt"
"""Something a person typed (role user)."""
TEXT: Final = "text"
"""What the assistant said, or the system prompt of an API request."""
THINKING: Final = "thinking"
TOOL_CALL: Final = "tool_call"
TOOL_RESULT: Final = "tool_result"
LOCAL_COMMAND: Final = "local_command"
"""A slash command or a ``!`` shell command that the client ran itself (role user)."""
COMMAND_OUTPUT: Final = "command_output"
"""What a local command printed (role system)."""
NOTICE: Final = "notice"
"""What the client said itself: files it read for a prompt, an interruption (role system)."""
CONTEXT: Final = "context"
"""What a machine wrote into a user line: the editor's open file, a teammate's message, a notification (role system)."""
UNKNOWN: Final = "unknown"
"""What no rule explains: kept as it stands, by itself, never added to what somebody said (role system)."""
SUMMARY: Final = "summary"
"""What the client wrote down of the turns before a compaction, for itself to go on from (role system)."""
BOOKKEEPING: Final = "bookkeeping"
"""``/export``, ``/compact`` and the like with their output: stored in its place, but no conversation, never counted."""
LOST: Final = "lost"
"""Stands for a stored message whose log line is damaged: its sequence number stays taken. No parser yields it."""
PURGED: Final = "purged"
"""Stands for a stored message that was removed for good: its sequence number stays taken. No parser yields it."""
KINDS: Final = (
    PROMPT,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    LOCAL_COMMAND,
    COMMAND_OUTPUT,
    NOTICE,
    CONTEXT,
    UNKNOWN,
    SUMMARY,
    BOOKKEEPING,
)

CLIENT_TITLES: Final = ("custom", "ai", "summary")
"""The kinds of title that a client gives: set by its user, made by a model, that of versions up to 2.0. The first one holds."""

LEAST_BLOB: Final = 1024
"""Bytes of an image or a document below which its Base64 stays where it stands: by itself it would take more room."""

TURNS: Final = frozenset({PROMPT, TEXT})
"""What was said: the rest is what was done."""

LAYOUT: Final = "layout"
"""The content was laid out for a screen: white space and wrapping say nothing about what was written."""
EXACT: Final = "exact"
"""The content is what was written, character for character."""

COMPACTION: Final = "compaction"
BANNER: Final = "banner"
REWIND: Final = "rewind"
"""The conversation goes on from an earlier point: what stands between that one and here was abandoned."""
TRUNCATION: Final = "truncation"
"""The source itself says that earlier messages are not shown."""

Content = Union[str, "list[Any]", "dict[str, Any]"]


@dataclass(frozen=True)
class Message:
    """One prompt, assistant text, thinking block, tool call, tool result or local command of an export.

    ``start`` and ``end`` are byte offsets in the export, half open; both are -1 where the source has no bytes
    (a Python object). ``content`` is text, or the source's own blocks where it has them.
    """

    role: str
    kind: str
    content: Content
    start: int = -1
    end: int = -1
    source_index: Optional[int] = None
    timestamp: Optional[str] = None
    uuid: Optional[str] = None
    fidelity: str = LAYOUT


@dataclass(frozen=True)
class Span:
    """A run of bytes of an export, half open, and what it is: a message's kind, or one of the labels of its format."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Mark:
    """Something that stands between messages: a compaction, a rewind, a further banner. ``before`` is a message's position."""

    kind: str
    before: int


@dataclass(frozen=True)
class Lineage:
    """Where a session came from or went to, as a line of its transcript says: that line's type, and the session or folder."""

    relation: str
    target: str


@dataclass(frozen=True)
class SafePlace:
    """Where the reading of a longer export may begin that has the same bytes before it: at the byte ``at``, behind ``messages``.

    ``state`` is what the format must know of what stands before; it is its format's own.
    """

    at: int
    messages: int
    state: tuple[Union[int, str], ...]


@dataclass(frozen=True)
class Export:
    """One parsed input file.

    ``spans`` cover every byte of the file in order, without overlap: concatenated they are the file again.
    ``messages`` stand in the order of the file; ``marks`` refer to positions in ``messages``.
    ``conversation_id`` is set where the source itself names its session, ``lineage`` where it names others; ``titles``
    are those that it gives to it, the last one of each kind, as pairs of :data:`CLIENT_TITLES` and a text. ``safe`` is the last
    place from which a longer export may be read, None where all of it decides how its beginning is read.
    """

    format: str
    messages: Sequence[Message]
    spans: Sequence[Span] = ()
    marks: tuple[Mark, ...] = ()
    conversation_id: Optional[str] = None
    warnings: tuple[str, ...] = field(default=())
    lineage: tuple[Lineage, ...] = ()
    titles: tuple[tuple[str, str], ...] = ()
    safe: Optional[SafePlace] = None


def counts(kind: str) -> bool:
    """True where a message of this kind is part of the conversation, and so of every number shown."""
    return kind not in (BOOKKEEPING, LOST, PURGED)
