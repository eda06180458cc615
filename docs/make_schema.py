"""Writes ``scripts/database/create_schema.sql`` from the migrations: all of them in one transaction, for who wants it by hand.

``python docs/make_schema.py`` after a migration was added. A test compares, and another one compares what both make.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SCRIPT: Final = ROOT / "scripts" / "database" / "create_schema.sql"
sys.path.insert(0, str(ROOT / "scripts"))
from deduplication.storage.database import schema  # noqa: E402

RULE: Final = "-- " + "=" * 76
_HEAD: Final = """\
{rule}
-- Conversation Export Deduplication - PostgreSQL Schema
-- Version: {newest}
-- PostgreSQL 14 or newer
{rule}
-- export-dedup makes these tables by itself where its database user may. This script is for whoever makes them by hand:
--
--     psql -v ON_ERROR_STOP=1 -f create_schema.sql postgresql://...
--
-- It may be run again, and brings tables of an earlier version up to this one. All of it is one transaction. The tables go into the
-- schema that search_path names first (SET search_path = NAME; or PGOPTIONS="-c search_path=NAME"). create_roles.sql, beside it, is
-- run after it.
--
-- Written by docs/make_schema.py from scripts/deduplication/storage/database/migrations: change those.

-- Drop existing schema (WARNING: This will delete all data!)
-- Uncomment only if you want to recreate from scratch
{drops}

BEGIN;
SET LOCAL client_min_messages = warning;
{timeouts};

-- Whoever makes the tables at the same time, by hand or not, waits.
{lock};

DO $$
DECLARE
    found INTEGER;
    keeper TEXT;
BEGIN
    IF to_regclass(format('%I.schema_version', current_schema())) IS NULL THEN
        IF to_regclass(format('%I.conversations', current_schema())) IS NOT NULL
            OR to_regclass(format('%I.messages', current_schema())) IS NOT NULL
        THEN
            RAISE EXCEPTION 'Schema % has tables of these names that export-dedup did not make', current_schema();
        END IF;
        RETURN;
    END IF;
    SELECT pg_catalog.pg_get_userbyid(relowner) INTO keeper FROM pg_catalog.pg_class
    WHERE oid = to_regclass(format('%I.schema_version', current_schema()));
    IF keeper <> current_user THEN
        EXECUTE format('SET LOCAL ROLE %I', keeper); -- what is added belongs to whom the tables belong
    END IF;
    EXECUTE format('SELECT max(version) FROM %I.schema_version', current_schema()) INTO found;
    IF found > {newest} THEN
        RAISE EXCEPTION 'These tables have version %, which is newer than this script ({newest})', found;
    END IF;
END;
$$;
"""
_TAIL: Final = """\
COMMIT;

{rule}
-- Schema Creation Complete
{rule}

-- Verify schema
SELECT table_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema = current_schema()
  AND table_name IN ({names})
ORDER BY table_name, ordinal_position;

-- Success message
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM schema_version WHERE version = {newest}) THEN
        RAISE EXCEPTION 'The schema was not created; the first error above says why';
    END IF;
    RAISE NOTICE 'Conversation Deduplication schema created successfully!';
    RAISE NOTICE 'Tables created: {tables}';
    RAISE NOTICE 'Ready for data import.';
END $$;
"""


def script() -> str:
    """The whole of create_schema.sql as it should be."""
    drops = [f"-- DROP TABLE IF EXISTS {table} CASCADE;" for table in reversed(schema.TABLES)]
    parts = [
        _HEAD.replace("{drops}", "\n".join(drops))
        .replace("{lock}", schema.LOCK)
        .replace("{timeouts}", schema.TIMEOUTS.replace("; ", ";\n"))
    ]
    for migration in schema.migrations():
        parts.append(f"{RULE}\n-- Migration {migration.version}: {migration.name}\n{RULE}\n\n{migration.sql}")
        parts.append(f"{schema.RECORD} ({migration.version}, '{migration.name}') ON CONFLICT DO NOTHING;\n")
    # The four that the first design had are named first.
    first = ("conversations", "messages", "watermarks", "deduplication_log")
    tables = [*first, *(table for table in schema.TABLES if table not in first)]
    names = ", ".join(f"'{table}'" for table in tables)
    parts.append(_TAIL.replace("{names}", names).replace("{tables}", ", ".join(tables)))
    return "\n".join(parts).replace("{rule}", RULE).replace("{newest}", str(schema.newest()))


if __name__ == "__main__":
    SCRIPT.write_text(script(), encoding="utf-8")
