"""The tables of a store, each with what makes its rows, and what was counted on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_tuple import NamedTuple
from .choice import Choice, Tally
from .columns import MESSAGES, RUNS
from .message_rows import message_rows
from .run_rows import run_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Callable, Optional

    from ..sessions.redaction import Redact
    from ..storage.contract import Store
    from .columns import Table, Value

    Maker = Callable[[Store, Choice, Tally, Optional[Redact]], Iterator[tuple[Value, ...]]]

TABLES: Final[Mapping[str, tuple[Table, Maker]]] = {
    MESSAGES.name: (MESSAGES, message_rows),
    RUNS.name: (RUNS, run_rows),
}
"""By name: the columns, and what makes the rows of a store."""


class StoreTable(NamedTuple):
    """A table of a store: its rows can be taken once, and ``tally`` counts them as they are."""

    table: Table
    rows: Iterator[tuple[Value, ...]]
    tally: Tally


def tables_of(store: Store, names: Sequence[str], choice: Choice, redact: Redact | None = None) -> list[StoreTable]:
    """The tables of these names (keys of :data:`TABLES`). Their rows are taken outside of a transaction."""
    found = []
    for name in names:
        table, maker = TABLES[name]
        tally = Tally()
        found.append(StoreTable(table, maker(store, choice, tally, redact), tally))
    return found
