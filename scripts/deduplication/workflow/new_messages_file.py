"""The new messages of one export as a file: JSON for programs, Markdown for people."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from typing import TYPE_CHECKING, Any, Final

from ..alignment.fingerprint import encoded
from ..errors import OutputNotWritable, StoreNotWritable
from ..figures.counted import counted
from ..files import atomic, beneath
from ..model import ASSISTANT, CONTEXT, PROMPT, TEXT, TOOL_CALL, TOOL_RESULT, UNKNOWN, USER
from ..project.own_output import COMMENT, marked
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..ingest.deduplicator import Ingest

_HEADINGS: Final = {
    (USER, PROMPT): "👤 User",
    (ASSISTANT, TEXT): "🤖 Assistant",
    (ASSISTANT, TOOL_CALL): "🔧 Tool call",
    ("system", TOOL_RESULT): "📤 Tool result",
    ("system", CONTEXT): "🧩 Context",
    ("system", UNKNOWN): "❔ Unknown",
}
_FENCED: Final = frozenset({TOOL_CALL, TOOL_RESULT, "command_output", "local_command", "notice", CONTEXT, UNKNOWN})
_LONGEST_STEM: Final = 200
"""Bytes; an ending, a number and the name of a temporary file must fit behind it."""


def check_file(path: str, keep: Sequence[str | os.PathLike[str]]) -> str:
    """Refuse a ``path`` that :func:`write` could not write to, or must not: one that is, or lies in, one of ``keep``.

    Returns the real path, to be used from then on: a link of the user's own may lead anywhere, one that comes later may not.
    Raises :class:`OutputNotWritable`. Done before anything is stored, so that a slip of the pen costs nothing.
    """
    real = os.path.realpath(path)
    if os.path.isdir(real):
        raise OutputNotWritable(f"{path} is a folder", hint="Name a file in it, or use --output-dir.")
    if os.path.exists(path) and (
        not os.path.isfile(path) or _is_our_output(path)
    ):  # what a pipe resolves to is no path
        raise OutputNotWritable(f"{path} is no file of its own", hint="Name a file, --json prints to the screen.")
    _refuse_to_overwrite(path, real, keep)
    _check_folder(path, os.path.dirname(real))
    return real


def check_folder(folder: str, keep: Sequence[str | os.PathLike[str]]) -> str:
    """The same for :func:`write_into`, which makes missing folders itself."""
    whole = real = os.path.realpath(folder)
    _refuse_to_overwrite(folder, real, keep)
    while not os.path.lexists(real) and os.path.dirname(real) != real:
        real = os.path.dirname(real)
    _check_folder(folder, real)
    return whole


def _is_our_output(path: str) -> bool:
    """Whether standard output or error go to this file: replacing it would lose them (``--output /dev/stdout``)."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return True
    return False


def _refuse_to_overwrite(path: str, real: str, keep: Sequence[str | os.PathLike[str]]) -> None:
    for each in map(os.path.realpath, keep):
        same = os.path.exists(real) and os.path.exists(each) and os.path.samefile(real, each)
        if same or real == each or real.startswith(os.path.join(each, "")):
            raise OutputNotWritable(f"{path} lies where the export, the store or the archive is ({each})")


def _check_folder(path: str, folder: str) -> None:
    if not os.path.isdir(folder):
        fault = "it is no folder" if os.path.lexists(folder) else "there is no such folder"
        raise OutputNotWritable(f"{path}: {fault}: {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        refusal = PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        raise OutputNotWritable(f"{path}: no permission to write into {folder}") from refusal


def write(path: str, done: Ingest) -> None:
    """Write to ``path``: Markdown where it ends in ``.md``, else JSON. Raises ``OutputNotWritable``."""
    markdown = path.lower().endswith((".md", ".markdown"))
    put(path, encoded(as_markdown(done)) if markdown else as_json(done))


def write_into(folder: str, stem: str, done: Ingest) -> str:
    """Write Markdown to a new file in ``folder`` that is named after the export; returns its path."""
    try:
        beneath.make_folders(folder)
    except OSError as error:
        raise OutputNotWritable(f"{folder}: {error.strerror or error}") from error
    stem = os.fsencode(printable(stem))[:_LONGEST_STEM].decode("utf-8", "ignore")
    number, path = 1, os.path.join(folder, f"{stem}.md")
    while os.path.lexists(path):
        number += 1
        path = os.path.join(folder, f"{stem}-{number}.md")
    put(path, encoded(as_markdown(done)))
    return path


def put(path: str, data: bytes) -> None:
    """Replace the file at ``path`` whole. Raises ``OutputNotWritable``."""
    try:
        atomic.replace(path, data)
    except StoreNotWritable as error:
        raise OutputNotWritable(str(error).partition(": ")[2]) from error


def put_text(path: str, text: str) -> None:
    """The same with a text, whatever characters are in it."""
    put(path, encoded(text))


def as_json(done: Ingest) -> bytes:
    """One object: where the messages are from, and the messages in order."""
    document = marked(
        {
            "session_id": done.conversation_id,
            "export": done.name,
            "sha256": done.sha256,
            "total_messages": done.total,
            "new_messages": done.new,
            "duplicates_filtered": done.duplicates,
            "new_to_conversation": len(done.new_messages),
            "messages": done.new_messages,
        }
    )
    try:
        return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(document, indent=2).encode() + b"\n"


def as_markdown(done: Ingest) -> str:
    """A document that reads from top to bottom; what came from tools is fenced."""
    known = done.total - len(done.new_messages)
    lines = [
        f"# {printable(done.conversation_id)}: {counted(len(done.new_messages), 'new message')}",
        "",
        COMMENT,
        "",
        f"From `{printable(done.name).replace('`', chr(39))}`; {known:,} of {done.total:,} were in the conversation before.",
        "",
    ]
    for message in done.new_messages:
        lines += _section(message)
    return "\n".join(lines)


def _section(message: dict[str, Any]) -> list[str]:
    content = message["content"]
    text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)
    text = printable(text, newlines=True)
    kind = message["kind"]
    heading = _HEADINGS.get((message["role"], kind), f"{message['role']}: {kind.replace('_', ' ')}")
    if kind in _FENCED or not isinstance(content, str):
        fence = "`" * max(3, _longest_run(text, "`") + 1)
        text = f"{fence}\n{text}\n{fence}"
    return [f"## {heading} · {message['index']}", "", text, ""]


def _longest_run(text: str, character: str) -> int:
    import re

    return max((len(run) for run in re.findall(f"{character}+", text)), default=0)
