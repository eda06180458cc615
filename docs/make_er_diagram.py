"""Writes the tables of a store in PostgreSQL into database.md, as a diagram and as a list: read from a database's catalogue.

``python docs/make_er_diagram.py postgresql://...`` after a migration was added; the database may be empty, the tables are made in it
then. A test compares.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "database.md"
_SECTION: Final = re.compile(r"(<!-- tables: docs/make_er_diagram\.py -->\n).*?(<!-- end of tables -->\n)", re.DOTALL)
_TABLES: Final = """
SELECT c.relname::TEXT, obj_description(c.oid, 'pg_class') FROM pg_class AS c
WHERE c.relnamespace = current_schema()::REGNAMESPACE AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.oid
"""
_COLUMNS: Final = """
SELECT a.attname::TEXT, format_type(a.atttypid, a.atttypmod), a.attnotnull, col_description(a.attrelid, a.attnum),
    coalesce((SELECT string_agg(DISTINCT k.contype::TEXT, '') FROM pg_constraint AS k
        WHERE k.conrelid = a.attrelid AND a.attnum = ANY(k.conkey) AND k.contype IN ('p', 'f', 'u')), '')
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_REFERENCES: Final = """
SELECT k.confrelid::REGCLASS::TEXT, k.conrelid::REGCLASS::TEXT, k.conname::TEXT,
    EXISTS (SELECT FROM pg_constraint AS u WHERE u.conrelid = k.conrelid AND u.contype IN ('p', 'u') AND u.conkey <@ k.conkey)
FROM pg_constraint AS k
WHERE k.connamespace = current_schema()::REGNAMESPACE AND k.contype = 'f' AND k.conparentid = 0 ORDER BY k.conname
"""
_TYPES: Final = {"timestamp with time zone": "timestamptz"}
"""Mermaid takes a type for one word."""
_KEYS: Final = (("p", "PK"), ("f", "FK"), ("u", "UK"))


def tables(connection: Connection[Any]) -> list[str]:
    """A row for each table, in the order in which the migrations make them."""
    found = connection.execute(_TABLES).fetchall()
    return ["| table | what |", "|---|---|", *(f"| `{name}` | {about} |" for name, about in found)]


def diagram(connection: Connection[Any]) -> Iterator[str]:
    """The lines of the diagram: each table with its columns and keys, and which table refers to which."""
    yield "erDiagram"
    for one, many, name, only in connection.execute(_REFERENCES).fetchall():
        yield f"    {one} ||--o{'|' if only else '{'} {many} : {name}"
    for table, _ in connection.execute(_TABLES).fetchall():
        yield f"    {table} {{"
        for name, kind, _needed, about, found in connection.execute(_COLUMNS.encode(), [table]).fetchall():
            keys = ", ".join(word for letter, word in _KEYS if letter in found)
            told = (about or "").replace('"', "'")
            yield f'        {_TYPES.get(kind, kind)} {name}{f" {keys}" if keys else ""} "{told}"'
        yield "    }"


def page(connection: Connection[Any]) -> str:
    """The whole of database.md as it should be."""
    text = "\n".join([*tables(connection), "", "```mermaid", *diagram(connection), "```"])
    return _SECTION.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    import psycopg

    sys.path.insert(0, str(ROOT / "scripts"))
    from deduplication.storage.database import schema

    with psycopg.connect(sys.argv[1], autocommit=True) as opened:
        schema.bring_up(opened)
        PAGE.write_text(page(opened), encoding="utf-8")
