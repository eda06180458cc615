"""The database of a hybrid store: whether it has all, and whether it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DedupError
from ..exchange import sending
from ..reports import exchange as report
from ..shared_archive import telling
from ..storage.log_backed import place_of
from .finding import NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject


def findings(subject: Subject) -> Iterator[Finding]:
    """Nothing for a store that lies in no database."""
    yield from _of_archive(subject)
    store = sending.hybrid_of(subject.store) if subject.store is not None else None
    if store is None:
        return
    from ..storage.database.session import Session

    with store.transaction(write=False):
        waits = sending.waits(store)
    said = report.state(waits)
    try:
        session = Session(store.database)
        with session.reading():
            pass
        session.close()
    except DedupError as error:
        yield Finding("database", PROBLEM, f"{error}. {said}", error.hint)
        return
    yield Finding("database", NOTE if waits.runs else OK, f"{session}: {said}")


def _of_archive(subject: Subject) -> Iterator[Finding]:
    """What a database does not have of the archive."""
    if subject.store is None or place_of(subject.store) is None:
        return
    waits, stays, is_waiting = telling.state(subject.project)
    yield Finding("archive in the database", NOTE if is_waiting else OK, waits)
    if stays:
        yield Finding("archive in the database", NOTE, stays)
