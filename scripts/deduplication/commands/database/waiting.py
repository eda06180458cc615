"""What of a store and its archive a database does not have yet: as lines for people, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...accounting.storage_account import project_of
from ...reports import exchange as exchange_report
from ...storage.log_backed import place_of

if TYPE_CHECKING:
    from ...storage.contract import Store


def told(store: Store, folder: str) -> tuple[list[str], dict[str, Any]]:
    """Nothing of a store that lies in ``folder`` alone."""
    if place_of(store) is None:
        return [], {}
    lines, data = _of_log(store)
    return lines + _of_archive(folder), data


def _of_log(store: Store) -> tuple[list[str], dict[str, Any]]:
    from ...exchange import sending

    hybrid = sending.hybrid_of(store)
    if hybrid is None:
        return [], {}
    with store.transaction(write=False):
        waits = sending.waits(hybrid)
    return [exchange_report.line(waits)], {"database": exchange_report.as_dict(waits)}


def _of_archive(folder: str) -> list[str]:
    project = project_of(folder)
    if project is None:
        return []
    from ...shared_archive import telling

    return telling.lines(project)
