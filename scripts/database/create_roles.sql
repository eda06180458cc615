-- ============================================================================
-- Conversation Export Deduplication - roles of a database that several people share
-- ============================================================================
-- Run by an administrator with psql, after create_schema.sql, and again after each version that added tables:
--
--     psql -v schema=public -f create_roles.sql postgresql://...
--
-- It may be run again: rights that a role should not have are taken away. All of it is one transaction.
--
--     dedup_owner_role    owns the tables; makes and changes them; is not bound by row-level security
--     dedup_app_role      stores: adds to the log, never changes it; puts larger packs in the place of smaller ones
--     dedup_reader_role   reads
--     dedup_purge_role    removes for good what is its own
--     dedup_team_role     reads what belongs to everybody
--
-- None of them can log in. Each person has a user of their own, whose rows are theirs (column owner):
--
--     CREATE ROLE alice LOGIN IN ROLE dedup_app_role;              -- then \password alice
--     GRANT dedup_team_role TO alice;                              -- she may read what the others stored
--     GRANT dedup_purge_role TO alice;                             -- for as long as a purge takes; then REVOKE it
--
-- Sequences need no rights: the identity columns use their own.

\set ON_ERROR_STOP on
\if :{?schema}
\else
    \set schema public
\endif

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident(:'schema'), TRUE) AS search_path;
SELECT pg_advisory_xact_lock(hashtextextended('export_dedup roles', 0));

-- ============================================================================
-- The roles
-- ============================================================================

SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY[
    'dedup_owner_role', 'dedup_app_role', 'dedup_reader_role', 'dedup_purge_role', 'dedup_team_role'
]) AS name
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name)
\gexec

GRANT CONNECT ON DATABASE :"DBNAME"
    TO dedup_owner_role, dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role;
GRANT USAGE ON SCHEMA :"schema" TO dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role;
GRANT USAGE, CREATE ON SCHEMA :"schema" TO dedup_owner_role;

-- ============================================================================
-- dedup_owner_role: owns the tables
-- ============================================================================

-- Who gives a table away must be a member of the role that gets it.
SELECT 'GRANT dedup_owner_role TO CURRENT_USER'
WHERE NOT pg_catalog.pg_has_role('dedup_owner_role', 'USAGE')
\gexec

SELECT format('ALTER %s %I OWNER TO dedup_owner_role', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, relname)
FROM pg_catalog.pg_class
WHERE relnamespace = to_regnamespace(quote_ident(:'schema')) AND relkind IN ('r', 'p')
  AND pg_catalog.pg_get_userbyid(relowner) <> 'dedup_owner_role'
  AND (
      relname IN (
          'schema_version', 'stores', 'conversations', 'messages', 'runs', 'watermarks', 'deduplication_log', 'blobs',
          'index_entries', 'archived_files', 'archive_objects'
      )
      OR oid IN (SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = to_regclass('messages'))
  )
\gexec

ALTER FUNCTION update_conversation_last_updated() OWNER TO dedup_owner_role;
ALTER FUNCTION update_watermark_timestamp() OWNER TO dedup_owner_role;
ALTER FUNCTION refuse_unannounced_change() OWNER TO dedup_owner_role;
ALTER FUNCTION find_messages(TSQUERY, INTEGER, TEXT[], TEXT) OWNER TO dedup_owner_role;
ALTER FUNCTION search_messages(TSQUERY, TEXT, INTEGER, INTEGER, TEXT[], TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ)
    OWNER TO dedup_owner_role;

-- ============================================================================
-- Rights
-- ============================================================================

REVOKE ALL ON schema_version, stores, conversations, messages, runs, watermarks, deduplication_log, blobs, index_entries,
    archived_files, archive_objects
    FROM PUBLIC, dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role;

GRANT SELECT ON schema_version, stores, conversations, messages, runs, watermarks, deduplication_log, blobs, index_entries,
    archived_files, archive_objects
    TO dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role;

REVOKE ALL ON FUNCTION find_messages(TSQUERY, INTEGER, TEXT[], TEXT),
    search_messages(TSQUERY, TEXT, INTEGER, INTEGER, TEXT[], TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ)
    FROM PUBLIC, dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role;
GRANT EXECUTE ON FUNCTION find_messages(TSQUERY, INTEGER, TEXT[], TEXT),
    search_messages(TSQUERY, TEXT, INTEGER, INTEGER, TEXT[], TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ)
    TO dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role;

-- The log, the audit and the archive: append-only.
GRANT INSERT ON messages, runs, deduplication_log, blobs, archived_files, archive_objects TO dedup_app_role;

-- What follows from the log.
GRANT INSERT, UPDATE ON conversations, watermarks, stores, index_entries TO dedup_app_role;
GRANT DELETE ON index_entries TO dedup_app_role;

-- Packs of the archive take in others, which are removed then. What was archived stays known by name: archived_files.
GRANT DELETE ON archive_objects TO dedup_app_role;

GRANT INSERT, UPDATE, DELETE ON stores, conversations, messages, runs, watermarks, deduplication_log, blobs, index_entries,
    archived_files, archive_objects
    TO dedup_purge_role;

-- ============================================================================
-- The team reads everybody's rows; each one's own rows are the policy that came with the tables
-- ============================================================================

SELECT format('DROP POLICY team ON %I', tablename)
FROM pg_catalog.pg_policies
WHERE schemaname = :'schema' AND policyname = 'team'
\gexec

SELECT format('CREATE POLICY team ON %I FOR SELECT TO dedup_team_role USING (TRUE)', tablename),
    format('COMMENT ON POLICY team ON %I IS %L', tablename, 'The team reads what belongs to everybody')
FROM pg_catalog.pg_policies
WHERE schemaname = :'schema' AND policyname = 'own'
\gexec

COMMIT;
