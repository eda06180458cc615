"""Rows as Parquet, by pyarrow, compressed with zstd; a row group has some megabytes, and no more of it is in memory."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from ..errors import PackageMissing
from .columns import MOMENT, TEXT, VERSION, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .columns import Column, Table, Value

NAME: Final = "parquet"
_ROWS: Final = 32_768
"""Rows of a row group, at most."""
_CHARACTERS: Final = 32 * 1024 * 1024
"""Characters of text after which a row group ends."""


def require() -> Any:
    """The package pyarrow. Raises :class:`PackageMissing`."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError as error:
        hint = "Install it ('python3 -m pip install pyarrow', extra: analytics), or pass --jsonl or --csv, which need nothing."
        raise PackageMissing(f"pyarrow, for Parquet ({error})", hint=hint) from error


def write(out: BinaryIO, table: Table, rows: Iterable[tuple[Value, ...]]) -> None:
    """Write ``rows`` to ``out``. Raises :class:`PackageMissing`."""
    arrow = require()
    schema = arrow.schema(
        [arrow.field(column.name, _type(arrow, column), nullable=column.optional) for column in table.columns],
        metadata={"export-dedup.table": table.name, "export-dedup.version": str(VERSION)},
    )
    few = [column.name for column in table.columns if column.few]
    sink = arrow.PythonFile(out, mode="w")
    with arrow.parquet.ParquetWriter(sink, schema, compression="zstd", use_dictionary=few) as writer:
        for group in _groups(rows):
            columns = [arrow.array(values, field.type) for values, field in zip(zip(*group), schema)]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema), row_group_size=len(group))


def _type(arrow: Any, column: Column) -> Any:
    return {TEXT: arrow.string(), WHOLE: arrow.int64(), MOMENT: arrow.timestamp("us", tz="UTC")}[column.type]


def _groups(rows: Iterable[tuple[Value, ...]]) -> Iterator[list[tuple[Value, ...]]]:
    """The rows in parts, each of which becomes a row group."""
    group: list[tuple[Value, ...]] = []
    size = 0
    for row in rows:
        group.append(row)
        size += sum(len(value) for value in row if isinstance(value, str))
        if len(group) >= _ROWS or size > _CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group
