"""What a schema of a database consists of, as PostgreSQL's own catalogue says it: to be compared as a whole."""

from __future__ import annotations

_QUERIES = {
    "tables": """
        SELECT c.relname::TEXT, c.relkind::TEXT, c.relrowsecurity, c.relforcerowsecurity, obj_description(c.oid, 'pg_class')
        FROM pg_class c
        WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT c.relispartition
    """,
    "columns": """
        SELECT c.relname::TEXT, a.attname::TEXT, format_type(a.atttypid, a.atttypmod), a.attcollation::REGCOLLATION::TEXT,
            a.attnotnull, a.attidentity::TEXT,
            pg_get_expr(d.adbin, d.adrelid), a.attstorage::TEXT, a.attcompression::TEXT, a.attnum,
            array(SELECT unnest(a.attacl)::TEXT ORDER BY 1), col_description(c.oid, a.attnum)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "constraints": """
        SELECT c.relname::TEXT, k.conname::TEXT, pg_get_constraintdef(k.oid), k.convalidated,
            obj_description(k.oid, 'pg_constraint')
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE c.relnamespace = to_regnamespace(%s) AND NOT c.relispartition AND k.conparentid = 0
    """,
    "indexes": """
        SELECT t.relname::TEXT, i.relname::TEXT, replace(pg_get_indexdef(i.oid), ' ON ONLY ', ' ON '), x.indisvalid,
            obj_description(i.oid, 'pg_class')
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        WHERE t.relnamespace = to_regnamespace(%s) AND NOT t.relispartition
    """,
    "triggers": """
        SELECT c.relname::TEXT, t.tgname::TEXT, pg_get_triggerdef(t.oid), t.tgenabled::TEXT, obj_description(t.oid, 'pg_trigger')
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = to_regnamespace(%s) AND NOT t.tgisinternal AND NOT c.relispartition
    """,
    "functions": """
        SELECT p.proname::TEXT, pg_get_functiondef(p.oid), array(SELECT unnest(p.proacl)::TEXT ORDER BY 1),
            pg_get_userbyid(p.proowner)::TEXT, obj_description(p.oid, 'pg_proc')
        FROM pg_proc p WHERE p.pronamespace = to_regnamespace(%s)
    """,
    "policies": """
        SELECT c.relname::TEXT, p.polname::TEXT, p.polcmd::TEXT, p.polpermissive, p.polroles::REGROLE[]::TEXT,
            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy')
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        WHERE c.relnamespace = to_regnamespace(%s) AND NOT c.relispartition
    """,
    "privileges": """
        SELECT c.relname::TEXT, pg_get_userbyid(c.relowner)::TEXT, array(SELECT unnest(c.relacl)::TEXT ORDER BY 1)
        FROM pg_class c WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind IN ('r', 'p', 'S') AND NOT c.relispartition
    """,
}


def catalogue(connection, schema="public"):
    """Everything in a schema but partitions, by kind: sorted rows of the catalogue, without object ids."""
    with connection.transaction():
        (path,) = connection.execute("SELECT current_setting('search_path')").fetchone()
        connection.execute("SELECT set_config('search_path', '', TRUE)")
        found = {
            kind: sorted(connection.execute(query, (f'"{schema}"',)).fetchall(), key=repr)
            for kind, query in _QUERIES.items()
        }
        connection.execute("SELECT set_config('search_path', %s, TRUE)", (path,))
    return found
