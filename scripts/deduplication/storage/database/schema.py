"""The tables of a store in PostgreSQL: numbered migrations, each applied once, under a lock.

They go into the schema that the connection's ``search_path`` names first, which is ``public`` where nobody says otherwise.
``scripts/database/create_schema.sql`` does the same by hand, takes the same lock and leaves the same record.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...start.late_tuple import NamedTuple
from .errors import DatabaseSchemaForeign, DatabaseSchemaNewer, DatabaseSchemaOlder
from .plain_rows import all_rows, first_row, first_value

if TYPE_CHECKING:
    from psycopg import Connection

FOLDER: Final = Path(__file__).parent / "migrations"
TABLES: Final = (
    "schema_version",
    "stores",
    "conversations",
    "messages",
    "runs",
    "watermarks",
    "deduplication_log",
    "blobs",
    "index_entries",
    "archived_files",
    "archive_objects",
)
LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('export_dedup ' || current_schema(), 0))"
"""Held by whoever changes the tables, to the end of the transaction; one lock a schema."""
TIMEOUTS: Final = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '120s'"
"""Of a transaction that changes tables: it takes what it takes, but waits only so long for others' locks."""
RECORD: Final = "INSERT INTO schema_version (version, name) VALUES"
_PRESENT: Final = """
SELECT c.relname::TEXT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relname::TEXT = ANY(%s)
"""
_OWNER: Final = """
SELECT pg_catalog.pg_get_userbyid(c.relowner)::TEXT, pg_catalog.pg_has_role(current_user, c.relowner, 'MEMBER')
FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass(format('%I.schema_version', current_schema()))
"""
_MAY_CREATE: Final = """
SELECT pg_catalog.pg_get_userbyid(
    CASE WHEN pg_catalog.pg_get_userbyid(n.nspowner) = 'pg_database_owner' THEN d.datdba ELSE n.nspowner END
)::TEXT
FROM pg_catalog.pg_database AS d LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = current_schema()
WHERE d.datname = current_database()
"""


class Migration(NamedTuple):
    """One step from a version to the next: statements that change nothing where they ran before."""

    version: int
    name: str
    sql: str


@lru_cache(maxsize=1)
def migrations() -> tuple[Migration, ...]:
    """All of this version of export-dedup, the first one first."""
    found = []
    for path in sorted(FOLDER.glob("*.sql")):
        number, name = path.stem.split("_", 1)
        found.append(Migration(int(number), name, path.read_text(encoding="utf-8")))
    return tuple(found)


def newest() -> int:
    """The version to which :func:`bring_up` brings a schema."""
    return migrations()[-1].version


def version(connection: Connection[Any]) -> int:
    """Which version the tables have; 0 where there are none. Raises :class:`DatabaseSchemaForeign` where they are not ours."""
    with connection.transaction():
        return max(_applied(connection), default=0)


def bring_up(connection: Connection[Any]) -> int:
    """Apply what is missing, all of it or nothing; the version that the tables have then.

    To be called outside of a transaction. Processes that do it at the same time wait for each other. Raises
    :class:`DatabaseSchemaNewer`, :class:`DatabaseSchemaOlder` where something is missing and this user may not add it, and
    :class:`DatabaseSchemaForeign`.
    """
    from psycopg import errors

    found = version(connection)
    if found > newest():
        raise DatabaseSchemaNewer(f"it has version {found} of the tables, this export-dedup knows {newest()}")
    if found == newest():
        return found
    try:
        with connection.transaction():
            _apply_missing(connection)
    except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction) as error:
        raise _older(connection, found, str(error)) from error
    return version(connection)


def _apply_missing(connection: Connection[Any]) -> None:
    """What :func:`bring_up` does in its transaction."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")  # or what others did meanwhile is not seen
    connection.execute(TIMEOUTS)
    _make_schema(connection)
    connection.execute(LOCK)
    applied = _applied(connection)
    become_owner(connection)
    for migration in migrations():
        if migration.version not in applied:
            connection.execute(migration.sql.encode())
            connection.execute(f"{RECORD} (%s, %s)", (migration.version, migration.name))


def _make_schema(connection: Connection[Any]) -> None:
    """Make the schema that ``search_path`` names, where none of those that it names exists."""
    from psycopg import sql

    if first_value(connection, "SELECT current_schema()") is not None:
        return
    path = first_value(connection, "SELECT current_setting('search_path')")
    named = [quoted.replace('""', '"') or plain for quoted, plain in re.findall(r'"((?:[^"]|"")+)"|([^\s,"]+)', path)]
    wanted = next((name for name in named if name != "$user"), "public")
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('export_dedup schema', 0))")
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(wanted)))


def become_owner(connection: Connection[Any]) -> None:
    """For the rest of the transaction: a member of the role that owns the tables adds to them in its name."""
    from psycopg import sql

    found = first_row(connection, _OWNER)
    if found is not None and found[1] and found[0] != first_value(connection, "SELECT current_user::TEXT"):
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(found[0])))


def _applied(connection: Connection[Any]) -> set[int]:
    """The numbers of the migrations that were applied."""
    present = {name for (name,) in all_rows(connection, _PRESENT, (list(TABLES),))}
    if not present:
        return set()
    if not {"schema_version", "stores"} <= present:
        schema = first_value(connection, "SELECT current_schema()::TEXT")
        raise DatabaseSchemaForeign(f"{', '.join(sorted(present))} in schema {schema}")
    return {number for (number,) in all_rows(connection, "SELECT version FROM schema_version")}


def _older(connection: Connection[Any], found: int, reason: str) -> DatabaseSchemaOlder:
    """What is said where a migration is missing and cannot be applied."""
    with connection.transaction():
        owner = first_row(connection, _OWNER)
        role = owner[0] if owner else first_value(connection, _MAY_CREATE)
        user = first_value(connection, "SELECT current_user::TEXT")
    lacks = f"version {found}, this export-dedup needs {newest()}" if found else "there are none yet"
    return DatabaseSchemaOlder(
        f"{lacks}, and {user} may not make them ({reason.splitlines()[0]})",
        hint=f"Have {role} run scripts/database/create_schema.sql, then create_roles.sql beside it, in this database.",
    )
