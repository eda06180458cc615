"""The database of a hybrid store: whether it has all, and whether it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DedupError
from ..exchange import sending
from ..reports import exchange as report
from .finding import NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject


def findings(subject: Subject) -> Iterator[Finding]:
    """Nothing for a store that lies in one place."""
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
