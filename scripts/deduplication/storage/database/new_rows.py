"""New rows of a table: few as one statement, many by COPY, which takes a tenth of the time to send.

COPY into a table with row-level security is refused: it goes into a table of the transaction's own, and from there on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg import Connection

_MANY: Final = 1_000
_BYTES_AT_ONCE: Final = 8 * 1024 * 1024
_ROWS_AT_ONCE: Final = 10_000
_SENT_AS: Final = {"jsonb": "text", "numeric": "float8", "tsvector": "text"}
"""Types that values have which are no objects of their own in Python."""
_OWN: Final = "pg_temp.export_dedup_rows"
_MAY: Final = "SELECT has_database_privilege(current_database(), 'TEMPORARY')"


class NewRows(NamedTuple):
    """``types`` are those of the columns, by name; ``owner`` is whoever is connected."""

    table: str
    types: Mapping[str, str]
    rows: Sequence[Sequence[Any]]

    @property
    def are_many(self) -> bool:
        """Too many for one statement."""
        return len(self.rows) >= _MANY


def insert(connection: Connection[Any], new: NewRows) -> None:
    """Add them; those that are many not in a pipeline."""
    if new.are_many and connection.execute(_MAY).fetchone() == (True,):
        _copy(connection, new)
        return
    arrays = ", ".join(f"%s::{each}[]" for each in new.types.values())
    sql = f"INSERT INTO {new.table} ({', '.join(new.types)}) SELECT * FROM unnest({arrays})"
    for some in _at_once(new.rows):
        connection.execute(sql.encode(), [*map(list, zip(*some))])


def _at_once(rows: Sequence[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """So many of them together that neither side has to hold very much at a time."""
    some: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum(len(each) for each in row if isinstance(each, (str, bytes)))
        if size > _BYTES_AT_ONCE or len(some) == _ROWS_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _copy(connection: Connection[Any], new: NewRows) -> None:
    sent = {name: _SENT_AS.get(each, each) for name, each in new.types.items()}
    names = ", ".join(new.types)
    columns = ", ".join(f"{name} {each}" for name, each in sent.items())
    connection.execute(f"CREATE TEMPORARY TABLE {_OWN} ({columns}) ON COMMIT DROP".encode())
    with connection.cursor().copy(f"COPY {_OWN} FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.set_types([*sent.values()])
        for row in new.rows:
            copy.write_row(row)
    values = ", ".join(f"{name}::{each}" for name, each in new.types.items())
    connection.execute(f"INSERT INTO {new.table} ({names}) SELECT {values} FROM {_OWN}".encode())
    connection.execute(f"DROP TABLE {_OWN}".encode())
