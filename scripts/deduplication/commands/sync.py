"""``deduplicate_export.py sync``: a hybrid store and its database brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import EXIT_OK, UsageError
from ..exchange import sending
from ..exchange.exchange import exchange
from ..reports import exchange as exchange_report
from ..terminal.display import show
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Send what waits, and receive what others stored. Raises ``DatabaseError``."""
    asked = parser().parse_args(arguments)
    store = sending.hybrid_of(shared.deduplicator(asked).store)
    if store is None:
        hint = "Set backend to hybrid in your own settings, or pass --backend hybrid."
        raise UsageError("sync brings a hybrid store and its database together, and this is none", hint=hint)
    done = exchange(store)
    with store.transaction(write=False):
        waits = sending.waits(store)
    if asked.json:
        shared.print_json({**done._asdict(), **exchange_report.as_dict(waits)})
    elif not asked.quiet:
        show(exchange_report.done(*done, waits))
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py sync",
        "Bring a hybrid store and its database together: what waits here is sent, what others stored is received, in order,\n"
        "each once. It happens by itself after each run and while turns are captured; a server that cannot be reached costs\n"
        "nothing but time: what waits is sent later.",
    )
    shared.add_store(found)
    found.add_argument("--quiet", action="store_true", help="say nothing where all goes well")
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
