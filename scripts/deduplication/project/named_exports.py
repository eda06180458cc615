"""Which files a transcript says that its conversation was exported to.

The client writes down what ``/export`` printed. The sentence is its own affair and changes::

    Conversation exported to: notes.txt                  up to 2.1.47, from the line's working directory
    Conversation exported to: /home/ada/notes.txt        up to 2.1.300
    Conversation exported to /home/ada/notes.txt         2.1.330 and later

So these sentences are taken at their word, and whatever else a line *of the client's own* says: a path in it counts where an
export lies there that was written when the line was, or since. What the user, the assistant or a tool says names nothing:
they speak of old exports, and may be writing new ones of their own (a test's sample).
"""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ..errors import DedupError
from ..formats.client_commands import printed, slash_command
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

_OF_THE_CLIENT: Final = late_pattern(rb'<local-command-std|<command-name>/?export\b|"type":\s*"system"')
"""In every line that can name an export; the few others that have it are told apart once they are parsed."""
_SENTENCE: Final = late_pattern(r"\s*Conversation exported to:?\s+(\S(?:.*\S)?)\s*")
_EXPORT: Final = "/export "
_LOCAL: Final = "local_command"
_WORD: Final = late_pattern(r"\S+")
_AROUND: Final = "\"'`<>()[]{}«»“”‘’,;:!"
"""What stands around a path in a sentence; a full stop ends one, but never begins it."""
_SLACK: Final = 60.0
"""Seconds by which a file may seem older than the line that tells of it: coarse clocks, and those of other machines."""
_MOST_TEXT: Final = 4_000
_MOST_WORDS: Final = 40
_HEAD: Final = 256 * 1024
"""Bytes of a text export that suffice to tell what it is."""


class ExportNotice(NamedTuple):
    """What one line of the client tells. ``moment`` is when it was written, in seconds, 0 where it does not say.

    ``path`` is absolute, and set where the client says in so many words that the conversation was exported there; else
    ``text`` may name it, relative to ``folder``.
    """

    path: str
    text: str
    folder: str
    moment: float


def notices_in(lines: bytes) -> list[ExportNotice]:
    """What the lines of the client among ``lines``, a piece of a transcript, tell of exports."""
    found: list[ExportNotice] = []
    for match in _OF_THE_CLIENT.finditer(lines):
        start = lines.rfind(b"\n", 0, match.start()) + 1
        end = lines.find(b"\n", match.end())
        notice = _notice_in(lines[start : end if end >= 0 else len(lines)])
        if notice is not None and notice not in found[-1:]:
            found.append(notice)
    return found


def files_of(notices: Iterable[ExportNotice]) -> list[str]:
    """The files that were exported to, by these notices: each once, in that order. One that the client names need not exist."""
    found: dict[str, None] = {}
    for each in notices:
        if each.path:
            found[_where(each)] = None
        else:
            found.update(
                (path, None) for path in _named(each) if _written_since(path, each.moment) and _is_export(path)
            )
    return list(found)


def _where(notice: ExportNotice) -> str:
    """The file that the client named. 2.0.76 puts an absolute path below the working directory, and does not say so."""
    if notice.folder and not os.path.lexists(notice.path):
        below = os.path.join(notice.folder, os.path.splitdrive(notice.path)[1].lstrip("/\\"))
        if os.path.isfile(below):
            return below
    return notice.path


def _notice_in(line: bytes) -> ExportNotice | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    text = _own_words(record) if isinstance(record, dict) else None
    if text is None:
        return None
    folder = record.get("cwd")
    folder = folder if isinstance(folder, str) else ""
    sentence = _SENTENCE.fullmatch(text)
    path = _absolute(sentence.group(1), folder) if sentence else ""
    return ExportNotice(path, text[:_MOST_TEXT], folder, _moment(record.get("timestamp")))


def _own_words(record: dict[str, Any]) -> str | None:
    """What the client says in a line; None where somebody else speaks. Of ``/export NAME`` only the name."""
    if record.get("type") == "system":
        content = record.get("content")
    elif record.get("type") == "user":
        message = record.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
            content = content[0].get("text")
    else:
        return None
    if not isinstance(content, str):
        return None
    content = content.strip()
    output = printed(content, "local-command")
    if output is not None:
        return output
    command = slash_command(content)
    if command is not None:
        return command.text[len(_EXPORT) :] if command.text.startswith(_EXPORT) else None
    if record["type"] != "system":
        return None
    # Others of the system's lines quote: what a hook said, us among them, and the prompt that it stopped.
    return content if record.get("subtype") == _LOCAL or _SENTENCE.fullmatch(content) else None


def _moment(text: object) -> float:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if isinstance(text, str) else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _absolute(path: str, folder: str) -> str:
    """``path`` as the session meant it; empty where nobody knows which folder that was."""
    whole = os.path.join(folder, os.path.expanduser(path))
    return os.path.normpath(whole) if os.path.isabs(whole) else ""


def _named(notice: ExportNotice) -> Iterator[str]:
    """The files that exist under a name in the text: the longest run of words from each one on, since names have blanks."""
    for line in notice.text.splitlines():
        words = list(_WORD.finditer(line))[:_MOST_WORDS]
        number = 0
        while number < len(words):
            length = _longest(line, words[number:], notice.folder)
            if length:
                yield length[1]
            number += length[0] if length else 1


def _longest(line: str, words: list[re.Match[str]], folder: str) -> tuple[int, str] | None:
    """How many of ``words``, from the first one on, are the name of a file, and which one."""
    for count in range(len(words), 0, -1):
        plain = line[words[0].start() : words[count - 1].end()].lstrip(_AROUND)
        for name in dict.fromkeys((plain, plain.rstrip(_AROUND), plain.rstrip(_AROUND + "."), f"{plain}.txt")):
            path = _absolute(name, folder) if name else ""
            if path and os.path.isfile(path):
                return count, path
    return None


def _written_since(path: str, moment: float) -> bool:
    try:
        return bool(moment) and os.stat(path).st_mtime >= min(moment, time.time()) - _SLACK
    except OSError:
        return False


def _is_export(path: str) -> bool:
    """True for a text that ``/export`` could have written."""
    from pathlib import Path

    from ..files.safe_read import open_regular, take
    from ..formats import client_export

    try:
        descriptor, _ = open_regular(Path(path))
        try:
            return client_export().recognises(take(descriptor, _HEAD), strict=True)
        finally:
            os.close(descriptor)
    except DedupError:
        return False
