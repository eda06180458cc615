"""Past a million messages: the table of messages in parts, by a hash of the conversation.

A conversation lies in one part, so that what is asked of it reads that part alone. All is done in one transaction: a failure, or a
kill, leaves the table as it was. It needs room for the messages once more, and others wait until it is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...start.late_pattern import late_pattern
from ...start.late_tuple import NamedTuple
from .errors import PartitioningRefused
from .plain_rows import all_rows, first_value
from .schema import LOCK, TIMEOUTS, become_owner, version

if TYPE_CHECKING:
    from psycopg import Connection

PARTS: Final = 8
APPEND_ONLY: Final = "trg_messages_append_only"
"""The trigger that each part has of its own: one by statement is asked of the table alone that a statement names."""
_ON_MESSAGES: Final = late_pattern(r" ON (?:\S+\.)?messages ")
_INDEXES: Final = """
SELECT pg_get_indexdef(x.indexrelid),
    'COMMENT ON INDEX ' || quote_ident(i.relname) || ' IS ' || quote_literal(obj_description(i.oid, 'pg_class'))
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE x.indrelid = 'messages'::REGCLASS
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = x.indexrelid AND contype IN ('p', 'u', 'x'))
ORDER BY i.relname
"""
_CONSTRAINTS: Final = """
SELECT format('ALTER TABLE messages ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)),
    'COMMENT ON CONSTRAINT ' || quote_ident(conname) || ' ON messages IS ' || quote_literal(obj_description(oid, 'pg_constraint'))
FROM pg_constraint WHERE conrelid = 'messages'::REGCLASS AND contype IN ('p', 'u', 'f') ORDER BY contype DESC, conname
"""
_TRIGGERS: Final = """
SELECT pg_get_triggerdef(oid),
    'COMMENT ON TRIGGER ' || quote_ident(tgname) || ' ON messages IS ' || quote_literal(obj_description(oid, 'pg_trigger'))
FROM pg_trigger WHERE tgrelid = 'messages'::REGCLASS AND NOT tgisinternal ORDER BY tgname
"""
_POLICIES: Final = """
SELECT format(
        'CREATE POLICY %I ON messages AS %s FOR %s TO %s%s%s', polname,
        CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
        CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE role::REGROLE::TEXT END, ', ') FROM unnest(polroles) AS role),
        ' USING (' || pg_get_expr(polqual, polrelid) || ')',
        ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')'
    ),
    'COMMENT ON POLICY ' || quote_ident(polname) || ' ON messages IS ' || quote_literal(obj_description(oid, 'pg_policy'))
FROM pg_policy WHERE polrelid = 'messages'::REGCLASS ORDER BY polname
"""
_RIGHTS: Final = """
SELECT format(
        'GRANT %s%s ON messages TO %s%s', given.privilege_type, ' (' || quote_ident(of_column) || ')',
        CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE given.grantee::REGROLE::TEXT END,
        CASE WHEN given.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    ), NULL
FROM (
    SELECT relacl, NULL FROM pg_class WHERE oid = 'messages'::REGCLASS
    UNION ALL SELECT attacl, attname FROM pg_attribute WHERE attrelid = 'messages'::REGCLASS AND attnum > 0
) AS lists (list, of_column), aclexplode(list) AS given
WHERE given.grantee <> (SELECT relowner FROM pg_class WHERE oid = 'messages'::REGCLASS)
"""
_ABOUT: Final = """
SELECT format('COMMENT ON TABLE messages IS %L', obj_description('messages'::REGCLASS, 'pg_class')), relname::TEXT
FROM pg_class WHERE oid = pg_get_serial_sequence('messages', 'message_id')::REGCLASS
"""
_IS_PARTITIONED: Final = """
SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(format('%I.messages', current_schema()))
"""


class _Former(NamedTuple):
    """What the table had, as statements: what makes it again, and the comment on it, where there is one."""

    constraints: list[tuple[Any, ...]]
    indexes: list[tuple[Any, ...]]
    others: list[tuple[Any, ...]]
    """Triggers, policies and rights."""
    comment: str
    sequence: str
    """Where the ids of messages come from."""


def is_partitioned(connection: Connection[Any]) -> bool:
    """Whether the messages lie in parts."""
    with connection.transaction():
        return first_value(connection, _IS_PARTITIONED) is True


def partition(connection: Connection[Any], parts: int = PARTS) -> int:
    """Put the messages into ``parts`` parts, ``messages_p0`` and so on; how many messages there are.

    To be called by a member of the role that owns the tables, outside of a transaction. Constraints, indexes, triggers, policies,
    rights and comments are as they were. Raises :class:`PartitioningRefused` where it was done before, where this user does not own
    the tables, and where something else in the database depends on the table.
    """
    from psycopg import errors

    if parts < 1:
        raise PartitioningRefused(f"{parts} parts")
    if not version(connection):
        raise PartitioningRefused("there are no tables yet")
    try:
        with connection.transaction():
            connection.execute(TIMEOUTS)
            connection.execute(LOCK)
            become_owner(connection)
            connection.execute("LOCK TABLE conversations IN SHARE ROW EXCLUSIVE MODE")
            connection.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
            if is_partitioned(connection):
                raise PartitioningRefused("they are", hint="Nothing was changed.")
            former = _former(connection)
            moved = _move(connection, parts)
            _finish(connection, parts, former)
            return moved
    except (errors.InsufficientPrivilege, errors.DependentObjectsStillExist, errors.DuplicateTable) as error:
        raise PartitioningRefused(" ".join(str(error).splitlines()[:2])) from error


def _former(connection: Connection[Any]) -> _Former:
    """What the table has now."""
    (about,) = all_rows(connection, _ABOUT)
    return _Former(
        all_rows(connection, _CONSTRAINTS),
        all_rows(connection, _INDEXES),
        [*all_rows(connection, _TRIGGERS), *all_rows(connection, _POLICIES), *all_rows(connection, _RIGHTS)],
        *about,
    )


def _move(connection: Connection[Any], parts: int) -> int:
    """The rows into a table of the same columns that has parts, but no indexes yet, which are quicker to make later; how many."""
    _run(connection, "ALTER TABLE messages RENAME TO messages_before_partition")
    columns = "LIKE messages_before_partition INCLUDING ALL EXCLUDING INDEXES"
    _run(connection, f"CREATE TABLE messages ({columns}) PARTITION BY HASH (conversation_id)")
    for part in range(parts):
        values = f"WITH (MODULUS {parts}, REMAINDER {part})"
        _run(connection, f"CREATE TABLE messages_p{part} PARTITION OF messages FOR VALUES {values}")
    return connection.execute("INSERT INTO messages SELECT * FROM messages_before_partition").rowcount


def _finish(connection: Connection[Any], parts: int, former: _Former) -> None:
    """What the table had, on the new one; the former one is gone."""
    from psycopg import sql

    name = sql.Identifier(former.sequence)
    new = first_value(connection, "SELECT pg_get_serial_sequence('messages', 'message_id')")
    connection.execute(sql.SQL("SELECT setval(%s, last_value, is_called) FROM {}").format(name), (new,))
    _run(connection, "DROP TABLE messages_before_partition")
    connection.execute(sql.SQL("ALTER SEQUENCE {} RENAME TO {}").format(sql.SQL(new), name))
    for statement, comment in [*former.constraints, *former.indexes, *former.others]:
        _run(connection, statement)
        if comment:
            _run(connection, comment)
    _run(connection, former.comment)
    # Of a part nobody but its owner asks directly; there, too, the log is append-only.
    own = [statement for statement, _ in former.others if f"TRIGGER {APPEND_ONLY} " in statement]
    for part in (f"messages_p{number}" for number in range(parts)):
        _run(connection, f"ALTER TABLE {part} ENABLE ROW LEVEL SECURITY")
        for statement in own:
            _run(connection, _ON_MESSAGES.sub(f" ON {part} ", statement, count=1))
    _run(connection, "ALTER TABLE messages ENABLE ROW LEVEL SECURITY")
    _run(connection, "ANALYZE messages")


def _run(connection: Connection[Any], statement: str) -> None:
    """One statement, as it stands."""
    connection.execute(statement.encode())
