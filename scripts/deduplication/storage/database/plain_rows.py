"""Rows of the catalogue as tuples, whatever a connection makes of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Union

    from psycopg import Connection

    Values = Union[Sequence[object], Mapping[str, object]]


def all_rows(connection: Connection[Any], query: str, values: Optional[Values] = None) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    from psycopg.rows import tuple_row

    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()


def first_row(connection: Connection[Any], query: str, values: Optional[Values] = None) -> Optional[tuple[Any, ...]]:
    """The first row of a query, if it has one."""
    return next(iter(all_rows(connection, query, values)), None)


def first_value(connection: Connection[Any], query: str, values: Optional[Values] = None) -> Any:
    """The first value of a query, None where it has no row."""
    return (first_row(connection, query, values) or (None,))[0]
