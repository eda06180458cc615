"""``deduplicate_export.py partition``: the messages of a database in parts, for when there are very many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import EXIT_OK, UsageError
from ...figures.counted import counted
from ...terminal.display import show
from .. import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Put them into parts. Raises ``PartitioningRefused``, ``DatabaseError``."""
    asked = parser().parse_args(arguments)
    store = shared.deduplicator(asked).store
    from ...storage.database.database_store import DatabaseStore
    from ...storage.database.partitions import partition

    if not isinstance(store, DatabaseStore):
        shared.deduplicator(asked, existing=True)  # a store that is none is named first
        raise UsageError("only the messages of a database are put into parts", hint="Pass --backend postgresql.")
    rows = store.database.outside(lambda connection: partition(connection, asked.parts))
    if asked.json:
        shared.print_json({"parts": asked.parts, "messages": rows})
    else:
        show(
            f"✅ {counted(rows, 'message is', 'messages are')} in {asked.parts} parts by conversation now: "
            "a query for one conversation reads one of them."
        )
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py partition",
        "Put the messages of a database into parts by conversation (PARTITION BY HASH), in one transaction: all of it or\n"
        "nothing. It pays past a million messages, needs the tables' owner, and others wait meanwhile.",
    )
    shared.add_store(found)
    found.add_argument("--parts", metavar="N", type=shared.whole_number, default=8, help="how many (default: 8)")
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
