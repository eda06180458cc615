"""The status log: every run's full report, one after the other, whole reports only.

The lock lies in the private state folder and not on the log itself, so that the log can be moved away at any time.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from ..files import atomic, beneath, lock_names, locking

if TYPE_CHECKING:
    from pathlib import Path

CUT_OFF: Final = "[The report above was cut off.]"
_STATE: Final = "dedup_state"
_WAIT: Final = 15.0
"""Seconds that a report waits for another one: an append takes milliseconds, so a longer wait means that something hangs."""


def append(path: Path, report: str, *, timeout: float = _WAIT) -> None:
    """Add ``report`` at the end of the log at ``path``. Nothing relies on it, so that nobody waits for the disk.

    The folders are made where they are missing. What an interrupted write left at the end of the log is closed with
    a line that says so, never glued to the new report. Raises ``StoreNotWritable`` or ``StoreLocked``; then the log is as it was.
    """
    log = os.fspath(path)
    state = os.path.join(os.path.dirname(log), _STATE)
    with atomic.write_errors(log):
        beneath.make_folders(os.path.dirname(log))
        atomic.make_private_directory(state)
    with locking.exclusive(os.path.join(state, lock_names.STATUS_LOCK), timeout):
        with atomic.write_errors(log):
            before = _end_of(log)
        text = before + report.strip("\n") + "\n"
        atomic.append(log, text.encode("utf-8", "backslashreplace"), durable=False)


def _end_of(log: str) -> str:
    """What has to stand between the end of the log as it is and the next report."""
    try:
        found = os.lstat(log)
    except FileNotFoundError:
        return ""
    if not stat.S_ISREG(found.st_mode):
        # Opening a pipe would wait for a reader for ever, and a link may lead out of the project.
        raise OSError(errno.EINVAL, "not a regular file")
    if not found.st_size:
        return ""
    with open(log, "rb") as stream:
        stream.seek(-1, os.SEEK_END)
        torn = stream.read(1) != b"\n"
    return f"\n{CUT_OFF}\n\n" if torn else "\n"
