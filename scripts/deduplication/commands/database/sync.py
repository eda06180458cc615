"""``deduplicate_export.py sync``: a store and its database brought together, and its archive sent there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...accounting.storage_account import project_of
from ...errors import EXIT_OK, UsageError
from ...exchange import sending
from ...exchange.exchange import exchange
from ...reports import exchange as exchange_report
from ...reports import shared_archive as archive_report
from ...shared_archive import exchange as exchanging
from ...shared_archive import telling
from ...storage.log_backed import place_of
from ...terminal.display import show
from .. import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...storage.contract import Store


def main(arguments: Sequence[str]) -> int:
    """Send what waits, and receive what others stored. Raises ``DatabaseError``."""
    asked = parser().parse_args(arguments)
    store = shared.deduplicator(asked).store
    place, project = place_of(store), project_of(shared.store_folder(asked))
    if place is None:
        shared.deduplicator(asked, existing=True)  # a store that is none is named first
        hint = "Set backend to hybrid or postgresql in your own settings, or pass --backend."
        raise UsageError("sync brings a store and its database together, and this one has none", hint=hint)
    figures, lines = _log(store)
    if project is not None:
        sent = exchanging.exchange(project, place, thorough=not asked.quiet)
        staying = [held.name for held in sent.stays]
        figures["archive"] = archive_report.as_dict(sent.files, sent.size, sent.removed, staying, sent.problems)
        lines += telling.told(sent)
    if asked.json:
        shared.print_json(figures)
    elif not asked.quiet:
        show("\n".join(lines))
    return EXIT_OK


def _log(store: Store) -> tuple[dict[str, Any], list[str]]:
    """Of a store that lies in the database altogether nothing waits."""
    hybrid = sending.hybrid_of(store)
    if hybrid is None:
        return {}, []
    done = exchange(hybrid)
    with hybrid.transaction(write=False):
        waits = sending.waits(hybrid)
    return {**done._asdict(), **exchange_report.as_dict(waits)}, [exchange_report.done(*done, waits)]


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py sync",
        "Bring a hybrid store and its database together: what waits here is sent, what others stored is received, in order,\n"
        "each once. It happens by itself after each run and while turns are captured; a server that cannot be reached costs\n"
        "nothing but time: what waits is sent later. The archive is sent, too, of a store in the database as well; all that\n"
        "is there of it is read once more by the server, and what is damaged is replaced, which does not happen by itself.",
    )
    shared.add_store(found)
    found.add_argument("--quiet", action="store_true", help="say nothing where all goes well")
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
