"""Prompts that the client remembers by themselves, ``history.jsonl``: sessions and times of which nothing is stored.

A line for each prompt that was typed, ``{"display", "pastedContents", "timestamp" (milliseconds), "project", "sessionId"}``, as
2.0.76 to 2.1.332 write it; ``-p`` writes none. Commands of the client stand there as they were typed, ``/model``, and make no
conversation.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from ..errors import DedupError
from ..figures.counted import counted
from ..files.clock import nanoseconds, spelt
from ..files.safe_read import open_regular, take
from ..formats.json_spans import decoder
from ..model import CONTEXT, LOCAL_COMMAND, PROMPT
from ..project.client_transcripts import config_dir, lies_within
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .gap import LIKELY, POSSIBLE, PROMPTS, TIME_HOLE, UNSTORED_SESSION, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .client_side import ClientSide
    from .sequences import Stored

_MOST: Final = 64 * 1024 * 1024
"""Bytes at the end of the history that are read."""
_NO_PROMPT: Final = ("/", "#")
"""How a line begins that makes no conversation: a command of the client, a note for its memory."""
_PLACEHOLDER: Final = late_pattern(r"\[(?:Pasted text|Image|\.\.\.Truncated text) #\d+[^\]]*\]")
_TYPED: Final = (PROMPT, LOCAL_COMMAND, CONTEXT)
"""As what a prompt is stored."""
_NEAR: Final = 5.0
"""Seconds between a prompt in the history and the same one in the conversation, where it waited for nothing."""
_MANY: Final = 3
"""Prompts in a row that are missing: one or two the user may have taken back before they were sent."""


class Remembered(NamedTuple):
    """A prompt in the history: what was typed, and when, in seconds."""

    text: str
    moment: float


def prompts_of(root: Path) -> dict[str, list[Remembered]]:
    """The prompts of each session in ``root`` or below, in their order. Those of versions that named no session are left out."""
    found: dict[str, list[Remembered]] = {}
    for line in _lines():
        session, text, moment, project = (line.get(each) for each in ("sessionId", "display", "timestamp", "project"))
        if not (isinstance(session, str) and session and isinstance(text, str) and isinstance(project, str)):
            continue
        if isinstance(moment, bool) or not isinstance(moment, (int, float)) or not 0 < moment < 1e14:
            continue
        if text.strip() and not text.lstrip().startswith(_NO_PROMPT) and lies_within(root, project):
            found.setdefault(session, []).append(Remembered(text, moment / 1000))
    return {session: sorted(each, key=lambda one: one.moment) for session, each in found.items()}


def unstored(client: ClientSide, session: str, prompts: Sequence[Remembered]) -> Iterator[Gap]:
    """The session, where neither a conversation nor a transcript of it is there. A purge removes one, too."""
    if session not in client.sessions:
        yield Gap(
            UNSTORED_SESSION,
            f"session {session} has {counted(len(prompts), 'prompt')} in the client's history, and no conversation",
            LIKELY,
            "a backup of the client's folder that has its transcript",
            "",
            len(prompts),
            PROMPTS,
            since=spelt(prompts[0].moment),
            until=spelt(prompts[-1].moment),
            source=session,
        )


def holes(of: Stored, prompts: Sequence[Remembered]) -> Iterator[Gap]:
    """Stretches of time in which the client remembers prompts, and the conversation has none of them."""
    kinds = of.kinds
    numbers = [number for number in range(len(kinds)) if kinds[number] in _TYPED]
    stored = [
        (nanoseconds(str(body.get("timestamp", ""))) / 1e9, _bare(str(body["content"]))) for body in of.bodies(numbers)
    ]
    run: list[Remembered] = []
    for each in [*prompts, None]:
        if each is not None and not _is_stored(each, stored):
            run.append(each)
        elif run:
            yield Gap(
                TIME_HOLE,
                f"{counted(len(run), 'prompt')} that the client remembers {'is' if len(run) == 1 else 'are'} not stored",
                LIKELY if len(run) >= _MANY else POSSIBLE,
                "the session's transcript, or an export from then",
                of.conversation_id,
                len(run),
                PROMPTS,
                since=spelt(run[0].moment),
                until=spelt(run[-1].moment),
            )
            run = []


def _is_stored(each: Remembered, stored: Sequence[tuple[float, str]]) -> bool:
    """By its words, wherever they stand: what waited is stored later; or by its time, where the client made other words of it."""
    words = max((_bare(part) for part in _PLACEHOLDER.split(each.text)), key=len)
    return any((words and words in text) or abs(moment - each.moment) <= _NEAR for moment, text in stored)


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _lines() -> Iterator[dict[str, Any]]:
    try:
        descriptor, identity = open_regular(config_dir() / "history.jsonl")
        try:
            os.lseek(descriptor, max(0, identity.size - _MOST), os.SEEK_SET)
            data = take(descriptor, min(identity.size, _MOST))
        finally:
            os.close(descriptor)
    except DedupError:
        return
    read = decoder()
    for raw in data.split(b"\n"):
        try:
            value = read.decode(raw.decode(errors="replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value
