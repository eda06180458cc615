-- Full-text search for whom row-level security binds. PostgreSQL asks an index on their behalf only by operators that are known to tell
-- nothing of rows that they do not see, and @@ is none of them: their own query would read every row. This function asks the index,
-- and gives its caller the places of rows that the caller may read, newest first; the rows themselves are read as by any query.

CREATE OR REPLACE FUNCTION find_messages(
    sought TSQUERY,
    most INTEGER DEFAULT 500,
    of_owners TEXT[] DEFAULT NULL,
    of_conversation TEXT DEFAULT NULL
)
RETURNS TABLE (conversation_id TEXT, owner TEXT, message_index INTEGER) AS $$
DECLARE
    caller NAME := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
    reads_all BOOLEAN := EXISTS (
        SELECT FROM pg_roles
        WHERE (rolname = 'dedup_team_role' OR oid = (SELECT relowner FROM pg_class WHERE oid = 'messages'::REGCLASS))
          AND pg_has_role(caller, oid, 'USAGE')
    );
BEGIN
    RETURN QUERY EXECUTE
        'SELECT m.conversation_id, m.owner, m.message_index FROM messages AS m WHERE m.words @@ $1 AND m.owner = ANY ($2)'
        || CASE WHEN of_conversation IS NULL THEN '' ELSE ' AND m.conversation_id = $3' END
        || ' ORDER BY m.created_at DESC, m.log_start DESC LIMIT $4'
        USING
            sought,
            ARRAY(SELECT o FROM unnest(coalesce(of_owners, ARRAY[caller::TEXT])) AS o WHERE reads_all OR o = caller),
            of_conversation,
            most;
END;
$$ LANGUAGE plpgsql STABLE SECURITY DEFINER;

-- Whatever its caller's search_path says, it reads the table beside it.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION find_messages(TSQUERY, INTEGER, TEXT[], TEXT) SET search_path = pg_catalog, %I, pg_temp', current_schema()
    );
END;
$$;

REVOKE ALL ON FUNCTION find_messages(TSQUERY, INTEGER, TEXT[], TEXT) FROM PUBLIC;

COMMENT ON FUNCTION find_messages(TSQUERY, INTEGER, TEXT[], TEXT)
    IS 'Where the words are, newest first: of the caller''s own messages, or of these owners'' where the caller may read them';
