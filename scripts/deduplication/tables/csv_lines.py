"""Rows as CSV (RFC 4180): a heading, lines that end with CR LF, every text in quotation marks, nothing between commas for nothing.

So an empty text and a missing one are told apart by whoever looks at the marks (PostgreSQL, DuckDB). Nothing is put before a
text that a spreadsheet would take for a formula: what is read back is what was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from ..files import clock
from .columns import MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .columns import Table, Value

NAME: Final = "csv"


def write(out: BinaryIO, table: Table, rows: Iterable[tuple[Value, ...]]) -> None:
    """Write ``rows`` to ``out``, in UTF-8, below the names of the columns."""
    out.write(_line([column.name for column in table.columns]))
    times = [at for at, column in enumerate(table.columns) if column.type == MOMENT]
    for row in rows:
        values = list(row)
        for at in times:
            moment = values[at]
            if isinstance(moment, int):
                values[at] = clock.exactly(moment)
        out.write(_line(values))


def _line(values: Iterable[Value]) -> bytes:
    return (",".join(map(_cell, values)) + "\r\n").encode()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)
