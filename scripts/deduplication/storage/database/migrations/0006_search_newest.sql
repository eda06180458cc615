-- What a search of the product asks: the newest messages first, of one store, whether the words are rare or everywhere.

-- Sequence numbers of one conversation are 32 bits wide, as in 0001.
-- squawk-ignore-file require-concurrent-index-creation
-- squawk-ignore-file prefer-bigint-over-int

ALTER TABLE messages ADD COLUMN IF NOT EXISTS extends INTEGER;

COMMENT ON COLUMN messages.extends IS 'The number of the shorter form of this message, whose place it takes';
COMMENT ON COLUMN messages.words IS 'The words that a search finds; none of what no search is for';

CREATE INDEX IF NOT EXISTS idx_messages_newest ON messages (owner, created_at DESC, message_index DESC);
CREATE INDEX IF NOT EXISTS idx_messages_extends ON messages (conversation_id, extends) WHERE extends IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_messages_words_cut ON messages (owner) WHERE words_cut;
CREATE INDEX IF NOT EXISTS idx_runs_same ON runs (owner, log_start) WHERE kind = 'same';

-- The places of messages that may have the words, newest first. With newest it looks at so many of the newest messages only, which is
-- quick where the words are everywhere; without, it asks the index of words, which is quick where they are rare. Messages with more
-- words than are kept may have any. Whose rows the caller may read is asked as in find_messages.
CREATE OR REPLACE FUNCTION search_messages(
    sought TSQUERY,
    of_owner TEXT DEFAULT NULL,
    newest INTEGER DEFAULT NULL,
    most INTEGER DEFAULT NULL,
    of_conversations TEXT[] DEFAULT NULL,
    of_role TEXT DEFAULT NULL,
    of_kind TEXT DEFAULT NULL,
    since TIMESTAMPTZ DEFAULT NULL,
    until TIMESTAMPTZ DEFAULT NULL
)
RETURNS TABLE (conversation_id TEXT, message_index INTEGER) AS $$
DECLARE
    caller NAME := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
    asked TEXT := coalesce(of_owner, caller::TEXT);
    filters TEXT := CASE WHEN of_conversations IS NULL THEN '' ELSE ' AND m.conversation_id = ANY ($3)' END
        || CASE WHEN since IS NULL THEN '' ELSE ' AND m.created_at >= $6' END
        || CASE WHEN until IS NULL THEN '' ELSE ' AND m.created_at < $7' END;
    kinds TEXT := CASE WHEN of_role IS NULL THEN '' ELSE ' AND m.role = $4' END
        || CASE WHEN of_kind IS NULL THEN '' ELSE ' AND m.kind = $5' END;
BEGIN
    IF asked <> caller AND NOT EXISTS (
        SELECT FROM pg_roles
        WHERE (rolname = 'dedup_team_role' OR oid = (SELECT relowner FROM pg_class WHERE oid = 'messages'::REGCLASS))
          AND pg_has_role(caller, oid, 'USAGE')
    ) THEN
        RETURN;
    END IF;
    IF newest IS NOT NULL THEN
        RETURN QUERY EXECUTE
            'SELECT m.conversation_id, m.message_index FROM (SELECT * FROM messages AS m WHERE m.owner = $2' || filters
            || ' ORDER BY m.created_at DESC, m.message_index DESC LIMIT $9) AS m WHERE (m.words @@ $1 OR m.words_cut)' || kinds
            || ' ORDER BY m.created_at DESC, m.message_index DESC LIMIT $8'
            USING sought, asked, of_conversations, of_role, of_kind, since, until, most, newest;
    ELSE
        -- An order that no index has: PostgreSQL would walk through all messages by their time wherever it takes the words for frequent.
        RETURN QUERY EXECUTE
            'SELECT m.conversation_id, m.message_index FROM messages AS m WHERE m.owner = $2 AND (m.words @@ $1 OR m.words_cut)'
            || filters || kinds || ' ORDER BY m.created_at AT TIME ZONE ''UTC'' DESC, m.message_index DESC LIMIT $8'
            USING sought, asked, of_conversations, of_role, of_kind, since, until, most;
    END IF;
END;
$$ LANGUAGE plpgsql STABLE SECURITY DEFINER;

-- Whatever its caller's search_path says, it reads the table beside it.
DO $$
DECLARE
    made TEXT := 'search_messages(TSQUERY, TEXT, INTEGER, INTEGER, TEXT[], TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ)';
BEGIN
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', made, current_schema());
    EXECUTE format('ALTER FUNCTION %s SET enable_seqscan = off', made);
END;
$$;

REVOKE ALL ON FUNCTION search_messages(TSQUERY, TEXT, INTEGER, INTEGER, TEXT[], TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ) FROM PUBLIC;

COMMENT ON FUNCTION search_messages(TSQUERY, TEXT, INTEGER, INTEGER, TEXT[], TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ)
    IS 'Where the words may be, newest first, in the store of the caller, or of another owner whose rows the caller may read';
