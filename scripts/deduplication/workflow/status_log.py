"""What runs said: a line for each in the status log, and beside the store the whole reports, one after the other.

The lock lies in the private state folder and not on the log itself, so that the log can be moved away at any time.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from ..files import atomic, beneath, lock_names, locking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..project.paths import Project

CUT_OFF: Final = "[The report above was cut off.]"
_WAIT: Final = 15.0
"""Seconds that a report waits for another one: an append takes milliseconds, so a longer wait means that something hangs."""


def append(project: Project, line: str, report: str, *, timeout: float = _WAIT) -> None:
    """Add ``line`` at the end of the status log and ``report`` at the end of the reports.

    Nothing relies on them, so that nobody waits for the disk. The folders are made where they are missing. What an interrupted
    write left is closed with a line that says so, never glued to what comes. Raises ``StoreNotWritable`` or ``StoreLocked``; then
    the status log is as it was.
    """
    state = os.fspath(project.state)
    with atomic.write_errors(os.fspath(project.status_log)):
        beneath.make_folders(os.fspath(project.memory))
        atomic.make_private_directory(state)
    with locking.exclusive(os.path.join(state, lock_names.STATUS_LOCK), timeout):
        _end_of(project.status_log)  # what cannot be written to is refused before anything is
        _append(project.reports, report.strip("\n"), apart="\n")
        _append(project.status_log, line)


def append_lines(project: Project, lines: Sequence[str], *, timeout: float = _WAIT) -> None:
    """Lines for the status log alone, of what is no run. Raises as :func:`append` does."""
    with locking.exclusive(os.path.join(os.fspath(project.state), lock_names.STATUS_LOCK), timeout):
        _append(project.status_log, "\n".join(lines))


def _append(path: Path, text: str, apart: str = "") -> None:
    """``text`` as whole lines; ``apart`` stands between it and what was there."""
    end = _end_of(path)
    before = "" if end is None else apart if end else f"\n{CUT_OFF}\n{apart}"
    atomic.append(os.fspath(path), f"{before}{text}\n".encode("utf-8", "backslashreplace"), durable=False)


def _end_of(path: Path) -> bool | None:
    """Whether a file ends with a whole line; None where it has nothing. Raises ``StoreNotWritable`` for what is no file."""
    log = os.fspath(path)
    with atomic.write_errors(log):
        try:
            found = os.lstat(log)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            # Opening a pipe would wait for a reader for ever, and a link may lead out of the project.
            raise OSError(errno.EINVAL, "not a regular file")
        if not found.st_size:
            return None
        with open(log, "rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) == b"\n"
