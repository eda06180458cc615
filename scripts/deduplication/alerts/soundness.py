"""Rules for a store that is not what it was: the database, damage, files of the archive, a total that fell."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from ..accounting.run_history import seconds
from ..archive import completeness, inventory
from ..errors import ArchiveDamaged, StoreDamaged
from ..figures.counted import counted
from ..files import atomic
from ..project.paths import STATUS_LOG
from ..start.late_pattern import late_pattern
from . import alert
from .alert import Raised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .audit_tail import AuditTail
    from .book import Book
    from .place import Place

_TAIL: Final = 64 * 1024
_STORED: Final = late_pattern(
    r"^(?P<day>\d{4}-\d\d-\d\d) (?P<time>\d\d:\d\d:\d\d) .* (?P<count>[\d,]+) in storage", re.MULTILINE
)
_REPAIR: Final = "Run 'deduplicate_export.py repair': it makes whole what is damaged."


def database(place: Place, _book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """The database of the store does not answer, or did not when it was last sent something."""
    from ..exchange import sending
    from ..storage.database.errors import DatabaseError

    cure = "Run 'deduplicate_export.py doctor': it says what the database answers."
    if isinstance(place.fault, DatabaseError):
        yield Raised(alert.DATABASE, "", str(place.fault), place.fault.hint or cure)
    store = sending.hybrid_of(place.store) if place.store is not None else None
    if store is not None:
        with store.transaction(write=False):
            failure = sending.waits(store).failure
        if failure:
            yield Raised(alert.DATABASE, "", failure, cure)


def corruption(place: Place, book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """The store cannot be read, or the last ``verify`` found damage."""
    if isinstance(place.fault, (StoreDamaged, ArchiveDamaged)):
        yield Raised(alert.CORRUPTION, "store", str(place.fault), place.fault.hint or _REPAIR)
    if book.verified:
        yield Raised(alert.CORRUPTION, "verify", f"verify found damage: {book.verified}", _REPAIR)


def archive(place: Place, _book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """Files that the archive took in are gone or damaged: every pack is read for it, so that it is not asked with every run."""
    project = place.project
    if os.path.realpath(place.folder) != os.path.realpath(project.state):
        return
    if not (os.path.isdir(project.archive) or inventory.load(str(project.state), str(project.archive)).began):
        return
    found = completeness.compare_with_inventory(project)
    if found.missing or found.problems:
        lost = f"{counted(len(found.missing), 'archived file is', 'archived files are')} not there"
        yield Raised(alert.CORRUPTION, "archive", lost if found.missing else f"archive: {found.problems[0]}", _REPAIR)


def total_of(place: Place) -> int:
    """What the store came to: a count that no run lowers. Two drawings of one message count as both."""
    assert place.store is not None
    with place.store.transaction(write=False):
        figures = place.store.announced()
    return figures.unique + figures.redrawn


def shrunk(place: Place, book: Book, audit: AuditTail) -> Iterator[Raised]:
    """The store has fewer messages than before, and nobody purged any: told by the book, and by the status log beside the store."""
    if place.store is None:
        return
    now = total_of(place)
    before = {book.total: seconds(book.total_at)} if book.total and book.total_at else {}
    last = _last_stored(os.path.join(os.path.dirname(place.folder), STATUS_LOG))
    if last is not None and last[1] > (seconds(book.settled) if book.settled else 0.0):
        before[last[0]] = last[1]
    fell = {total: at for total, at in before.items() if total > now and not audit.purged_after(at)}
    if fell:
        most = max(fell)
        text = f"the store had {most:,} messages and has {now:,} now, and nothing was purged"
        cure = "Look for a store that was replaced or emptied; 'deduplicate_export.py repair' and 'backup' bring messages back."
        yield Raised(alert.SHRUNK, "", text, cure)


def _last_stored(path: str) -> tuple[int, float] | None:
    """How many messages the last run that said so had in storage, and when (seconds)."""
    from datetime import datetime

    try:
        with atomic.open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            found = list(_STORED.finditer(file.read().decode("utf-8", "replace")))
        if not found:
            return None
        moment = datetime.fromisoformat(f"{found[-1]['day']}T{found[-1]['time']}").timestamp()
        return int(found[-1]["count"].replace(",", "")), moment
    except (OSError, ValueError, OverflowError):
        return None
