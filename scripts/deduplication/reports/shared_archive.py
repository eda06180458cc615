"""What the user reads of an archive that a database has, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..figures.counted import counted
from ..files import clock
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence


def done(files: int, size: int, removed: int) -> str:
    """What an exchange did."""
    parts = [f"{counted(files, 'file')} sent ({_bytes(size)})"] if files else []
    parts += [f"{counted(removed, 'file')} removed that others have taken in"] if removed else []
    return f"🗄 Archive: {', '.join(parts) or 'the database has all of it'}"


def stays(count: int, size: int) -> str:
    """What is on this machine alone, and what can be done about it."""
    one = count == 1
    what = f"{counted(count, 'file')} ({_bytes(size)}) {'stays' if one else 'stay'} on this machine alone"
    return f"⚠ Archive: {what}: larger than archive_database_mb, and no archive_folder is set"


def problem(text: str) -> str:
    """Something that went wrong with a part of it."""
    return f"⚠ Archive: {printable(text)}"


def failed(text: str, hint: str) -> str:
    """It was not sent."""
    return f"⚠ Archive: not sent to the database, which the next run does: {printable(text)}. {hint}".rstrip()


def purge_waits(text: str) -> str:
    """Of a purge: it is done here, and not there."""
    return f"the archive in the database still has what was purged here, until the next 'sync' ({text})"


def others(count: int) -> str:
    """Of a purge: other archives were not looked into."""
    which = "1 archive" if count == 1 else f"{count:,} archives"
    return f"the database has {which} of other machines of yours: run the same purge there, too"


def state(waiting: int, size: int, at: str, failure: str, failed_at: str) -> str:
    """What waits, and why."""
    if not waiting:
        return (
            f"has all that it takes of the archive (since {clock.local(at)})"
            if at
            else "nothing of the archive to send yet"
        )
    tried = f"; the last attempt ({clock.local(failed_at)}) failed: {printable(failure)}" if failure else ""
    return f"{counted(waiting, 'file')} of the archive ({_bytes(size)}) {'waits' if waiting == 1 else 'wait'} to be sent{tried}"


def line(text: str) -> str:
    """The same, by itself."""
    return f"🗄 Database: {text}"


def as_dict(files: int, size: int, removed: int, staying: Sequence[str], problems: Sequence[str]) -> dict[str, Any]:
    """For ``--json``."""
    sent = {"files": files, "bytes": size, "removed": removed}
    return {**sent, "only_here": list(staying), "problems": list(problems)}


def _bytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB" if size >= 100_000 else f"{size / 1000:,.1f} kB"
