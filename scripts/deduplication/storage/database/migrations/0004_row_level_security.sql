-- Each database user sees and writes their own rows. The owner of the tables is not bound by it (ENABLE, not FORCE): whoever
-- uses a database alone needs no roles. scripts/database/create_roles.sql adds the policy of the team.

DO $$
DECLARE
    protected TEXT;
BEGIN
    FOREACH protected IN ARRAY ARRAY[
        'stores', 'conversations', 'messages', 'runs', 'watermarks', 'deduplication_log', 'blobs', 'index_entries',
        'archived_files', 'archive_objects'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', protected);
        IF NOT EXISTS (
            SELECT FROM pg_catalog.pg_policies
            WHERE schemaname = current_schema() AND tablename = protected AND policyname = 'own'
        ) THEN
            EXECUTE format(
                'CREATE POLICY own ON %I USING (owner = CURRENT_USER) WITH CHECK (owner = CURRENT_USER)', protected
            );
        END IF;
        EXECUTE format('COMMENT ON POLICY own ON %I IS %L', protected, 'Each user sees and writes their own rows');
    END LOOP;
END;
$$;
