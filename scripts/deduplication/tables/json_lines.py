"""Rows as JSON lines: one object a row, every column in each of them, null where there is nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO, Final

from ..files import clock
from .columns import MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .columns import Table, Value

NAME: Final = "jsonl"
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False).encode


def write(out: BinaryIO, table: Table, rows: Iterable[tuple[Value, ...]]) -> None:
    """Write ``rows`` to ``out``, in UTF-8; times as :func:`clock.exactly` has them."""
    names = [column.name for column in table.columns]
    times = [at for at, column in enumerate(table.columns) if column.type == MOMENT]
    for row in rows:
        values = list(row)
        for at in times:
            moment = values[at]
            if isinstance(moment, int):
                values[at] = clock.exactly(moment)
        out.write(_ENCODE(dict(zip(names, values))).encode() + b"\n")
