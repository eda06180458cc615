"""Rules for what lasts around a store: disk, backups, purges, hooks."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from typing import TYPE_CHECKING, Any, Final

from ..accounting.run_history import seconds
from ..backup import known
from ..backup.folder import Folder
from ..figures.counted import counted
from ..files import atomic, clock, journal
from ..project.paths import HOOKS_CALLED, HOOKS_LOG
from ..start.late_pattern import late_pattern
from . import alert
from .alert import Raised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .audit_tail import AuditTail
    from .book import Book
    from .place import Place

_DAY: Final = 86_400.0
_RELIEF: Final = 1.1
"""By which a threshold must be left behind until an alert of free space is over: who is at its edge hears of it once."""
_TAIL: Final = 64 * 1024
_FAILED: Final = late_pattern(
    r"^(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<event>[A-Z]\w+): (?P<error>\w+: .*)$", re.MULTILINE
)
_SETTLED: Final = 60.0
"""Seconds after which a hook that was called has ended."""


def disk(place: Place, book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """Less of the disk is free than the setting says, in percent."""
    least = place.number("alert_disk_percent")
    folder = place.folder
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    usage = shutil.disk_usage(folder)
    free = 100 * usage.free / usage.total if usage.total else 100.0
    if free < least * (_RELIEF if book.active(alert.DISK) else 1):
        text = f"{free:.1f} % of the disk is free, {usage.free / 1e9:,.1f} GB"
        yield Raised(alert.DISK, "", text, "Free some space: what cannot be written is not stored.")


def backups(place: Place, _book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """The newest snapshot is older than the setting says. A backup that cannot be reached says nothing; nor does having none."""
    most = place.number("alert_backup_days")
    if not os.path.isfile(os.path.join(place.folder, known.NAME)):
        return
    names = [name for path in known.known(place.folder) if os.path.isdir(path) for name in Folder(path).names()]
    newest = max((clock.seconds(name.time) for name in names), default=None)
    if newest is not None and most and time.time() - newest > most * _DAY:
        days = int((time.time() - newest) / _DAY)
        yield Raised(
            alert.BACKUP,
            "",
            f"the newest backup is {counted(days, 'day')} old",
            "Run 'deduplicate_export.py backup DIR'.",
        )


def purges(place: Place, _book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """A purge was stopped half way, or has not reached every backup."""
    if journal.unfinished(place.folder):
        yield Raised(
            alert.PURGE, "", "a purge was stopped and is not finished", "Run 'deduplicate_export.py purge' once more."
        )
    elif os.path.isfile(os.path.join(place.folder, known.NAME)) and known.owed(place.folder):
        owed = known.owed(place.folder)
        text = f"{counted(len(owed), 'backup')} may have what was purged"
        yield Raised(alert.PURGE, "backups", text, "Connect it, and run 'deduplicate_export.py backup DIR'.")


def hooks(place: Place, _book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """A hook failed within a day, and was not called since or failed again."""
    try:
        with atomic.open_regular(os.path.join(place.folder, HOOKS_LOG)) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return
    failed = {found["event"]: (seconds(found["at"]), found["error"]) for found in _FAILED.finditer(text)}
    called = _called(os.path.join(place.folder, HOOKS_CALLED))
    now = time.time()
    for event, (moment, error) in sorted(failed.items()):
        again = called.get(event, 0.0)
        if now - moment < _DAY and not (again > moment and now - again > _SETTLED):
            yield Raised(
                alert.HOOK,
                event,
                f"the hook {event} failed: {error}",
                "Run 'deduplicate_export.py doctor', and report it.",
            )


def _called(path: str) -> dict[str, float]:
    """When each event was last fired, in seconds."""
    try:
        with atomic.open_regular(path) as file:
            said: dict[str, Any] = json.loads(file.read())
        return {str(event): seconds(str(each["last"])) for event, each in said.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
