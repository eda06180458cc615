"""Entries and rows in an SQLite database, each answer checked: a flipped bit is noticed, also where it makes an entry vanish.

SQLite finds a page that makes no sense, not one that says something else. So entries live in buckets, and each bucket's
checksum stands in a table of its own: an entry that is missing, changed or in the wrong place does not agree with it. Rows, of
which it is known that they are there, carry their checksums themselves.
"""

from __future__ import annotations

import zlib
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    Entry = tuple[int, bytes]

BUCKETS: Final = 4096
LISTED: Final = 3
"""Kinds below this number are few, and can be listed."""
_SCHEMA: Final = (
    "CREATE TABLE entry (bucket INTEGER, kind INTEGER, key BLOB, value BLOB, PRIMARY KEY (bucket, kind, key)) WITHOUT ROWID",
    "CREATE TABLE digest (bucket INTEGER PRIMARY KEY, value INTEGER)",
    """CREATE TABLE occurrence (conversation INTEGER, number INTEGER, "row" BLOB, PRIMARY KEY (conversation, number))
    WITHOUT ROWID""",
    f"CREATE INDEX listed ON entry (kind, key) WHERE kind < {LISTED}",
)
_CRC: Final = 4
_LONG: Final = 255
ROWS: Final = 8
"""Rows in one record: alone each would cost SQLite a dozen bytes more; above a quarter of a page a record needs further pages."""
_STEP: Final = 1 << 32
"""What each entry adds to its digest besides its checksum: so that the number of entries counts as well."""


class IndexDamaged(Exception):
    """The database does not agree with its checksums, or SQLite says that it is none."""


class CheckedEntries:
    """The tables of one open database. What is put is kept in memory until :meth:`write`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._buckets: dict[int, dict[Entry, bytes]] = {}
        self._changed: dict[int, set[Entry]] = {}
        self._listed: dict[int, int] = {}
        self._rows: list[tuple[int, int, Iterable[bytes]]] = []

    def create(self) -> None:
        """Make the tables in an empty database."""
        for statement in _SCHEMA:
            self._connection.execute(statement)

    def forget(self) -> None:
        """Drop what is in memory: somebody else may have written."""
        self._buckets, self._changed, self._listed, self._rows = {}, {}, {}, []

    # -- entries -----------------------------------------------------------------------------------------------

    def get(self, kind: int, key: bytes) -> bytes | None:
        """The value of an entry, None where there is none. Raises :class:`IndexDamaged`."""
        return self._bucket(bucket_of(kind, key)).get((kind, key))

    def put(self, kind: int, key: bytes, value: bytes) -> None:
        """Set the value of an entry. Raises :class:`IndexDamaged`."""
        number = bucket_of(kind, key)
        bucket = self._bucket(number)
        if kind < LISTED:
            before = bucket.get((kind, key))
            self._listed[kind] = (
                self._listed_digest(kind)
                - (digest_of(kind, key, before) if before is not None else 0)
                + digest_of(kind, key, value)
            )
        bucket[kind, key] = value
        self._changed.setdefault(number, set()).add((kind, key))

    def listing(self, kind: int) -> list[tuple[bytes, bytes]]:
        """Every entry of a kind that can be listed, by key. Raises :class:`IndexDamaged`."""
        query = f"SELECT key, value FROM entry WHERE kind = ? AND kind < {LISTED} ORDER BY key"  # noqa: S608 - a constant
        found = {key: value for key, value in self._select(query, kind)}  # noqa: C416 - pairs, and nothing else
        if sum(digest_of(kind, *each) for each in found.items()) != self._digest_of(-1 - kind):
            raise IndexDamaged(f"entries of kind {kind} do not agree with their checksum")
        for entries in self._changed.values():
            found.update((key, self._buckets[bucket_of(k, key)][k, key]) for k, key in entries if k == kind)
        return sorted(found.items())

    def _bucket(self, number: int) -> dict[Entry, bytes]:
        bucket = self._buckets.get(number)
        if bucket is None:
            rows = self._select("SELECT kind, key, value FROM entry WHERE bucket = ?", number)
            bucket = {(kind, key): value for kind, key, value in rows}
            if sum(digest_of(*entry, value) for entry, value in bucket.items()) != self._digest_of(number):
                raise IndexDamaged(f"bucket {number} does not agree with its checksum")
            self._buckets[number] = bucket
        return bucket

    def _listed_digest(self, kind: int) -> int:
        if kind not in self._listed:
            self._listed[kind] = self._digest_of(-1 - kind)
        return self._listed[kind]

    def _digest_of(self, number: int) -> int:
        for (value,) in self._select("SELECT value FROM digest WHERE bucket = ?", number):
            if isinstance(value, int):
                return value
        return 0

    # -- rows --------------------------------------------------------------------------------------------------

    def row(self, conversation: int, number: int) -> bytes:
        """One row that is known to be there. Raises :class:`IndexDamaged`."""
        found = self._group(conversation, number // ROWS)
        if number % ROWS >= len(found):
            raise IndexDamaged(f"row {number} of conversation {conversation} is missing")
        return found[number % ROWS]

    def rows(self, conversation: int, count: int) -> Iterator[bytes]:
        """The first ``count`` rows, which are known to be there. Raises :class:`IndexDamaged` on the way."""
        query = 'SELECT number, "row" FROM occurrence WHERE conversation = ? AND number < ? ORDER BY number'
        found = 0
        for number, sealed in self._each(query, conversation, -(-count // ROWS)):
            if number * ROWS != found:
                break
            rows = _unsealed(conversation, number, sealed)
            yield from rows[: count - found]
            found += len(rows)
        if found < count:
            raise IndexDamaged(f"rows of conversation {conversation} are missing")

    def add_rows(self, conversation: int, start: int, rows: Iterable[bytes]) -> None:
        """Add rows, the next ones of their conversation from number ``start`` on. They are asked for by :meth:`write`."""
        self._rows.append((conversation, start, rows))

    def _group(self, conversation: int, number: int) -> list[bytes]:
        """The rows of one record; none where there is no such record. Raises :class:`IndexDamaged`."""
        query = 'SELECT "row" FROM occurrence WHERE conversation = ? AND number = ?'
        for (sealed,) in self._select(query, conversation, number):
            return _unsealed(conversation, number, sealed)
        return []

    def fill(
        self, entries: Iterable[Sequence[object]], digests: Iterable[Sequence[object]], rows: Iterable[Sequence[object]]
    ) -> None:
        """The records of the three tables into an empty database, in this order. Raises ``sqlite3.Error``."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", entries)
        connection.executemany("INSERT INTO digest VALUES (?, ?)", digests)
        connection.executemany("INSERT INTO occurrence VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")

    def _groups(self) -> Iterator[tuple[int, int, bytes]]:
        """The records that the new rows make, with the rows that the last one of a conversation has already."""
        for conversation, start, rows in self._rows:
            group = self._group(conversation, start // ROWS) if start % ROWS else []
            if len(group) != start % ROWS:
                raise IndexDamaged(f"row {start} of conversation {conversation} does not follow the one before")
            yield from grouped(conversation, start // ROWS, chain(group, rows))

    # -- all of it ---------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Everything that was put, all or nothing. Raises ``sqlite3.Error`` and :class:`IndexDamaged`."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany("INSERT OR REPLACE INTO occurrence VALUES (?, ?, ?)", self._groups())
            for number, entries in self._changed.items():
                bucket = self._buckets[number]
                connection.executemany(
                    "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)",
                    [(number, *entry, bucket[entry]) for entry in sorted(entries)],
                )
                digest = sum(digest_of(*entry, value) for entry, value in bucket.items())
                connection.execute("INSERT OR REPLACE INTO digest VALUES (?, ?)", (number, digest))
            for kind, digest in self._listed.items():
                connection.execute("INSERT OR REPLACE INTO digest VALUES (?, ?)", (-1 - kind, digest))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._changed, self._rows = {}, []

    def everything(self) -> Iterator[tuple[object, ...]]:
        """Every record of every table, in order: for comparing two databases. Raises :class:`IndexDamaged`."""
        yield from self._each("SELECT * FROM entry ORDER BY bucket, kind, key")
        yield from self._each("SELECT * FROM digest ORDER BY bucket")
        yield from self._each("SELECT * FROM occurrence ORDER BY conversation, number")
        yield from self._each(
            f"SELECT kind, key FROM entry INDEXED BY listed WHERE kind < {LISTED} ORDER BY kind, key"  # noqa: S608
        )

    def _select(self, query: str, *values: int) -> list[tuple[Any, ...]]:
        return list(self._each(query, *values))

    def _each(self, query: str, *values: int) -> Iterator[tuple[Any, ...]]:
        """The records that a query finds, one at a time."""
        import sqlite3

        try:
            yield from self._connection.execute(query, values)
        except (sqlite3.DatabaseError, ValueError, OverflowError) as error:
            raise IndexDamaged(str(error)) from error


def grouped(conversation: int, number: int, rows: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """The records of rows that are the next ones from record ``number`` on."""
    group: list[bytes] = []
    for data in rows:
        group.append(data)
        if len(group) == ROWS:
            yield conversation, number, _sealed(conversation, number, group)
            number, group = number + 1, []
    if group:
        yield conversation, number, _sealed(conversation, number, group)


def bucket_of(kind: int, key: bytes) -> int:
    """The bucket of an entry."""
    return zlib.crc32(key, kind) % BUCKETS


def digest_of(kind: int, key: object, value: object) -> int:
    """What an entry adds to the digest of its bucket. Raises :class:`IndexDamaged` for what is no entry."""
    if not (isinstance(kind, int) and isinstance(key, bytes) and isinstance(value, bytes)):
        raise IndexDamaged("an entry of another type")
    return _STEP + zlib.crc32(value, zlib.crc32(key, kind & 0xFFFFFFFF))


def _sealed(conversation: int, number: int, rows: list[bytes]) -> bytes:
    """A record: a checksum, the number of rows in a byte, and each row behind its length, in one byte or 255 and four more."""
    data = bytes([len(rows)]) + b"".join(_length(row) + row for row in rows)
    return zlib.crc32(data, zlib.crc32(b"%d/%d" % (conversation, number))).to_bytes(_CRC, "big") + data


def _unsealed(conversation: int, number: int, sealed: object) -> list[bytes]:
    data = sealed[_CRC:] if isinstance(sealed, bytes) else b""
    crc32 = zlib.crc32(data, zlib.crc32(b"%d/%d" % (conversation, number)))
    if not isinstance(sealed, bytes) or not data or crc32.to_bytes(_CRC, "big") != sealed[:_CRC]:
        raise IndexDamaged(f"rows {number * ROWS} ... of conversation {conversation} do not agree with their checksum")
    rows, at = [], 1
    for _ in range(data[0]):
        size, at = data[at], at + 1
        if size == _LONG:
            size, at = int.from_bytes(data[at : at + 4], "big"), at + 4
        rows.append(data[at : at + size])
        at += size
    return rows


def _length(row: bytes) -> bytes:
    size = len(row)
    return bytes([size]) if size < _LONG else bytes([_LONG]) + size.to_bytes(4, "big")
