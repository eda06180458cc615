"""What went wrong in a hook, for whoever looks: a bounded log in the store, or in the temporary folder."""

from __future__ import annotations

import os
import time
from typing import Final

from ..files import anchored, beneath
from ..project.paths import HOOKS_LOG
from . import quick

NAME: Final = HOOKS_LOG
MOST: Final = 256 * 1024
"""Bytes; beyond them the older half goes."""


def path_for(data: bytes) -> str:
    """Where the log lies for the project of an event: beside its store, where there is one."""
    root = quick.project_root(os.environ.get("CLAUDE_PROJECT_DIR") or quick.field(data, "cwd"))
    place = root if quick.opted_in(root) else quick.user_store(root)
    anchored.anchor(place)
    memory = os.path.join(place, quick.MEMORY)
    state = os.path.join(memory, "dedup_state")
    # A repository may bring the folder as a link to anywhere.
    inside = os.path.realpath(state).startswith(os.path.join(os.path.realpath(os.path.dirname(memory)), ""))
    if inside and os.path.isdir(state) and os.access(state, os.W_OK):
        return os.path.join(state, NAME)
    import tempfile

    return os.path.join(tempfile.gettempdir(), f"export-dedup-hooks-{getattr(os, 'getuid', int)()}.log")


def note(event: str, data: bytes, error: BaseException) -> str:
    """Append the failure of one hook, with a trace where it is a defect of ours; returns the log's path."""
    from ..errors import DedupError

    text = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {event}: {type(error).__name__}: {error}\n"
    if not isinstance(error, DedupError):
        import traceback

        text += "".join(traceback.format_exception(type(error), error, error.__traceback__))
    path = path_for(data)
    append(path, text)
    if os.path.basename(path) == NAME:
        _count(os.path.dirname(path), error)
    return path


def _count(state: str, error: BaseException) -> None:
    """Among what failed over the store, which is counted by kind."""
    from ..metrics.operations import kind_of
    from ..storage import audit_entries

    audit_entries.note(
        state, audit_entries.operation(audit_entries.FAILURE, kind=kind_of(error), error=type(error).__name__)
    )


def append(path: str, text: str) -> None:
    """Add to a bounded log."""
    descriptor = beneath.open_file(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0))
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        if size > MOST:
            os.lseek(descriptor, -MOST // 2, os.SEEK_END)
            kept = os.read(descriptor, MOST).partition(b"\n")[2]
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, kept)
        os.write(descriptor, text.encode("utf-8", "backslashreplace"))
    finally:
        os.close(descriptor)
