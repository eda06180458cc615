-- ============================================================================
-- Conversation Export Deduplication - PostgreSQL Schema
-- Version: 6
-- PostgreSQL 14 or newer
-- ============================================================================
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
-- DROP TABLE IF EXISTS archive_objects CASCADE;
-- DROP TABLE IF EXISTS archived_files CASCADE;
-- DROP TABLE IF EXISTS index_entries CASCADE;
-- DROP TABLE IF EXISTS blobs CASCADE;
-- DROP TABLE IF EXISTS deduplication_log CASCADE;
-- DROP TABLE IF EXISTS watermarks CASCADE;
-- DROP TABLE IF EXISTS runs CASCADE;
-- DROP TABLE IF EXISTS messages CASCADE;
-- DROP TABLE IF EXISTS conversations CASCADE;
-- DROP TABLE IF EXISTS stores CASCADE;
-- DROP TABLE IF EXISTS schema_version CASCADE;

BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = '120s';

-- Whoever makes the tables at the same time, by hand or not, waits.
SELECT pg_advisory_xact_lock(hashtextextended('export_dedup ' || current_schema(), 0));

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
    IF found > 6 THEN
        RAISE EXCEPTION 'These tables have version %, which is newer than this script (6)', found;
    END IF;
END;
$$;

-- ============================================================================
-- Migration 1: tables
-- ============================================================================

-- What a store in PostgreSQL holds. A store is (database, schema, owner): each database user has a store of their own in the same
-- tables, and row-level security (0004) shows each of them their own rows.
--
-- The log is the truth: `entry` and `body` hold its lines byte for byte, `log_start` is the offset of a line in the log of its
-- owner. Every other column follows from the log.
--
-- Ids, hashes and names have the collation "C": their order is that of their bytes, on every machine and in Python, an index on them
-- does not depend on the system's language data, and a policy that compares them with CURRENT_USER can use it.
--
-- Every primary, unique and foreign key holds conversation_id (but those of schema_version and stores, which stay on one machine):
-- PostgreSQL asks that of hash partitions, and Citus of tables that it distributes.

-- Counts of one conversation and one export stay far below 2,147,483,647; whatever adds up over a store is 64 bits wide.
-- squawk-ignore-file prefer-bigint-over-int

CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL
);

COMMENT ON TABLE schema_version IS 'The migrations of export-dedup that were applied to this schema';
COMMENT ON COLUMN schema_version.version IS 'Number of the migration';
COMMENT ON COLUMN schema_version.name IS 'Name of the migration';
COMMENT ON COLUMN schema_version.applied_at IS 'When it was applied';

-- ============================================================================
-- Table: stores
-- Purpose: One row an owner: where the owner's log ends
-- ============================================================================

CREATE TABLE IF NOT EXISTS stores (
    owner TEXT COLLATE "C" PRIMARY KEY DEFAULT CURRENT_USER,
    log_size BIGINT NOT NULL,
    log_head TEXT NOT NULL,
    about TEXT NOT NULL,

    CONSTRAINT chk_log_size_positive CHECK (log_size >= 0)
);

COMMENT ON TABLE stores IS 'One row an owner: where the owner''s log ends';
COMMENT ON COLUMN stores.owner IS 'Database user to whom the store belongs';
COMMENT ON COLUMN stores.log_size IS 'Bytes of the owner''s log: the offset of the next line';
COMMENT ON COLUMN stores.log_head IS 'Head of the chain: a hash of everything that the log holds';
COMMENT ON COLUMN stores.about IS 'Sums over the whole store (JSON in ASCII); follows from the log';

-- ============================================================================
-- Table: conversations
-- Purpose: Store metadata for each conversation/project
-- ============================================================================

CREATE TABLE IF NOT EXISTS conversations (
    conversation_id TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    last_updated TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    total_messages INTEGER DEFAULT 0 NOT NULL,
    metadata JSONB,
    number INTEGER NOT NULL,
    adopted_by TEXT COLLATE "C",
    state TEXT NOT NULL,

    PRIMARY KEY (conversation_id, owner),
    CONSTRAINT chk_total_messages_positive CHECK (total_messages >= 0)
);

COMMENT ON TABLE conversations IS 'Metadata for each conversation/project';
COMMENT ON COLUMN conversations.conversation_id IS 'Unique identifier for conversation (e.g., rollout-master)';
COMMENT ON COLUMN conversations.owner IS 'Database user to whom the conversation belongs';
COMMENT ON COLUMN conversations.created_at IS 'Timestamp when conversation first seen';
COMMENT ON COLUMN conversations.last_updated IS 'Timestamp of last export processing';
COMMENT ON COLUMN conversations.total_messages IS 'Cached count of the conversation''s messages';
COMMENT ON COLUMN conversations.metadata IS 'Additional metadata (project name, tags, etc.)';
COMMENT ON COLUMN conversations.number IS 'Its place among the conversations of its owner, by when they began';
COMMENT ON COLUMN conversations.adopted_by IS 'The conversation that this one turned out to be';
COMMENT ON COLUMN conversations.state IS 'What the index has of the conversation besides its messages (JSON in ASCII)';

-- ============================================================================
-- Table: messages
-- Purpose: Append-only log of all unique messages
-- ============================================================================

CREATE TABLE IF NOT EXISTS messages (
    message_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    conversation_id TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    message_index INTEGER NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    role TEXT,
    content TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    metadata JSONB,
    source_index BIGINT,
    kind TEXT COLLATE "C" NOT NULL,
    uuid TEXT COLLATE "C",
    alignment_key TEXT COLLATE "C",
    weight BIGINT DEFAULT 0 NOT NULL,
    log_start BIGINT NOT NULL,
    entry BYTEA NOT NULL,
    body_at INTEGER,
    body BYTEA,
    words TSVECTOR,
    words_cut BOOLEAN DEFAULT FALSE NOT NULL,

    PRIMARY KEY (conversation_id, owner, message_id),
    CONSTRAINT uk_conversation_message_index UNIQUE (conversation_id, message_index, owner),
    CONSTRAINT chk_message_index_positive CHECK (message_index >= 0),
    CONSTRAINT fk_messages_conversation FOREIGN KEY (conversation_id, owner)
        REFERENCES conversations (conversation_id, owner) ON DELETE CASCADE
);

COMMENT ON TABLE messages IS 'Append-only log of all unique messages';
COMMENT ON COLUMN messages.message_id IS 'Auto-incrementing unique message ID';
COMMENT ON COLUMN messages.conversation_id IS 'Foreign key to conversations table';
COMMENT ON COLUMN messages.owner IS 'Database user to whom the message belongs';
COMMENT ON COLUMN messages.message_index IS 'Sequence number in the conversation, from 0 (the export''s own number is source_index)';
COMMENT ON COLUMN messages.content_hash IS 'SHA-256 hash of normalized message content';
COMMENT ON COLUMN messages.role IS 'Message role: user, assistant, system';
COMMENT ON COLUMN messages.content IS 'Message content for reading: U+FFFD for what text cannot hold; the exact form is body';
COMMENT ON COLUMN messages.created_at IS 'When it was said, where the source knows, else when it was stored';
COMMENT ON COLUMN messages.metadata IS 'Additional metadata (timestamps, tool calls, etc.)';
COMMENT ON COLUMN messages.source_index IS 'The number that the export itself gives the message';
COMMENT ON COLUMN messages.kind IS 'prompt, text, thinking, tool_call, tool_result ...';
COMMENT ON COLUMN messages.uuid IS 'The source''s own id';
COMMENT ON COLUMN messages.alignment_key IS 'What a message is recognised by in another drawing';
COMMENT ON COLUMN messages.weight IS 'How much the alignment key tells';
COMMENT ON COLUMN messages.log_start IS 'Offset of the line in the owner''s log, in bytes';
COMMENT ON COLUMN messages.entry IS 'The exact line of the log, without its body';
COMMENT ON COLUMN messages.body_at IS 'Where in entry the body belongs, where this line carries it';
COMMENT ON COLUMN messages.body IS 'The exact JSON of the message, in the first row of that content in the conversation';
COMMENT ON COLUMN messages.words IS 'The words that a search finds, where body is';
COMMENT ON COLUMN messages.words_cut IS 'Only the first words are in words: there are more than it holds';

-- ============================================================================
-- Table: runs
-- Purpose: What each run showed: the lines of the log that are no messages
-- ============================================================================

CREATE TABLE IF NOT EXISTS runs (
    conversation_id TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    log_start BIGINT NOT NULL,
    entry BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    export_name TEXT,
    export_sha256 TEXT COLLATE "C",
    export_bytes BIGINT,
    format TEXT,
    session TEXT COLLATE "C",
    total INTEGER,
    new INTEGER,
    "window" JSONB,
    metadata JSONB,

    PRIMARY KEY (conversation_id, owner, log_start),
    CONSTRAINT fk_runs_conversation FOREIGN KEY (conversation_id, owner)
        REFERENCES conversations (conversation_id, owner) ON DELETE CASCADE
);

COMMENT ON TABLE runs IS 'Append-only: what each run showed of a conversation, and what was decided of it';
COMMENT ON COLUMN runs.conversation_id IS 'Foreign key to conversations table';
COMMENT ON COLUMN runs.owner IS 'Database user to whom the run belongs';
COMMENT ON COLUMN runs.log_start IS 'Offset of the line in the owner''s log, in bytes';
COMMENT ON COLUMN runs.entry IS 'The exact line of the log';
COMMENT ON COLUMN runs.kind IS 'run, capture, same or purge';
COMMENT ON COLUMN runs.created_at IS 'When the run was stored';
COMMENT ON COLUMN runs.export_name IS 'Name of the export; empty for data that came from Python';
COMMENT ON COLUMN runs.export_sha256 IS 'SHA-256 of the export';
COMMENT ON COLUMN runs.export_bytes IS 'Size of the export in bytes';
COMMENT ON COLUMN runs.format IS 'Format of the export';
COMMENT ON COLUMN runs.session IS 'Session that the export names';
COMMENT ON COLUMN runs.total IS 'Messages that the export shows';
COMMENT ON COLUMN runs.new IS 'Those of them that are new';
COMMENT ON COLUMN runs."window" IS 'Ranges of sequence numbers that the export shows, in its order';
COMMENT ON COLUMN runs.metadata IS 'Cursor, marks, gaps and what else the line says';

-- ============================================================================
-- Table: watermarks
-- Purpose: Track highest processed message index per conversation
-- ============================================================================

CREATE TABLE IF NOT EXISTS watermarks (
    conversation_id TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    highest_index INTEGER NOT NULL,
    last_updated TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,

    PRIMARY KEY (conversation_id, owner),
    CONSTRAINT chk_highest_index_positive CHECK (highest_index >= -1),
    CONSTRAINT fk_watermarks_conversation FOREIGN KEY (conversation_id, owner)
        REFERENCES conversations (conversation_id, owner) ON DELETE CASCADE
);

COMMENT ON TABLE watermarks IS 'Highest processed message index per conversation';
COMMENT ON COLUMN watermarks.conversation_id IS 'Foreign key to conversations table';
COMMENT ON COLUMN watermarks.owner IS 'Database user to whom the watermark belongs';
COMMENT ON COLUMN watermarks.highest_index IS 'Highest message index processed (-1 = none yet)';
COMMENT ON COLUMN watermarks.last_updated IS 'Timestamp of last watermark update';

-- ============================================================================
-- Table: deduplication_log
-- Purpose: Audit trail of deduplication operations
-- No foreign key: the audit outlives a purge
-- ============================================================================

CREATE TABLE IF NOT EXISTS deduplication_log (
    log_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    conversation_id TEXT COLLATE "C" DEFAULT '' NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    messages_processed INTEGER NOT NULL,
    duplicates_filtered INTEGER NOT NULL,
    storage_savings_pct NUMERIC,
    processing_time_ms INTEGER,
    processing_time_us BIGINT,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    metadata JSONB,

    PRIMARY KEY (conversation_id, owner, log_id),
    CONSTRAINT chk_messages_processed_positive CHECK (messages_processed >= 0),
    CONSTRAINT chk_duplicates_filtered_positive CHECK (duplicates_filtered >= 0),
    CONSTRAINT chk_duplicates_among_processed CHECK (duplicates_filtered <= messages_processed),
    CONSTRAINT chk_processing_time_positive CHECK (processing_time_ms >= 0 AND processing_time_us >= 0)
);

COMMENT ON TABLE deduplication_log IS 'Audit trail of deduplication operations';
COMMENT ON COLUMN deduplication_log.log_id IS 'Auto-incrementing log entry ID';
COMMENT ON COLUMN deduplication_log.conversation_id IS 'Conversation being processed; empty where the operation concerns none';
COMMENT ON COLUMN deduplication_log.owner IS 'Database user whose store it was';
COMMENT ON COLUMN deduplication_log.operation IS 'Operation type: process_export, migrate, rebuild';
COMMENT ON COLUMN deduplication_log.messages_processed IS 'Total messages in export';
COMMENT ON COLUMN deduplication_log.duplicates_filtered IS 'Number of duplicates filtered';
COMMENT ON COLUMN deduplication_log.storage_savings_pct IS 'Percentage of storage saved';
COMMENT ON COLUMN deduplication_log.processing_time_ms IS 'Processing time in milliseconds';
COMMENT ON COLUMN deduplication_log.processing_time_us IS 'Processing time in microseconds';
COMMENT ON COLUMN deduplication_log.created_at IS 'Timestamp of operation';
COMMENT ON COLUMN deduplication_log.metadata IS 'Additional operation metadata';

-- ============================================================================
-- Table: blobs
-- Purpose: Images and documents that were taken out of messages
-- ============================================================================

CREATE TABLE IF NOT EXISTS blobs (
    conversation_id TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL,

    PRIMARY KEY (conversation_id, owner, digest)
);

COMMENT ON TABLE blobs IS 'Images and documents that were taken out of messages';
COMMENT ON COLUMN blobs.conversation_id IS 'Conversation whose message has it';
COMMENT ON COLUMN blobs.owner IS 'Database user to whom it belongs';
COMMENT ON COLUMN blobs.digest IS 'SHA-256 of data';
COMMENT ON COLUMN blobs.data IS 'Its bytes';

-- ============================================================================
-- Table: index_entries
-- Purpose: What else follows from the log: sessions, cursors, exports, prefixes, counts
-- ============================================================================

CREATE TABLE IF NOT EXISTS index_entries (
    conversation_id TEXT COLLATE "C" DEFAULT '' NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    key BYTEA NOT NULL,
    value BYTEA NOT NULL,

    PRIMARY KEY (conversation_id, owner, name, key)
);

COMMENT ON TABLE index_entries IS 'What else follows from the log: sessions, cursors, exports, prefixes, counts';
COMMENT ON COLUMN index_entries.conversation_id IS 'Conversation that it is about; empty where it is of the whole store';
COMMENT ON COLUMN index_entries.owner IS 'Database user to whom the store belongs';
COMMENT ON COLUMN index_entries.name IS 'What is looked up';
COMMENT ON COLUMN index_entries.key IS 'By what';
COMMENT ON COLUMN index_entries.value IS 'What is found';

-- ============================================================================
-- Tables: archived_files, archive_objects
-- Purpose: The archive of raw exports
-- ============================================================================

CREATE TABLE IF NOT EXISTS archived_files (
    conversation_id TEXT COLLATE "C" DEFAULT '' NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    entry BYTEA NOT NULL,
    position BIGINT NOT NULL,

    PRIMARY KEY (conversation_id, owner, name, position)
);

COMMENT ON TABLE archived_files IS 'Append-only: which files the archive took in';
COMMENT ON COLUMN archived_files.conversation_id IS 'Conversation of the file; empty where it is not known';
COMMENT ON COLUMN archived_files.owner IS 'Database user to whom the archive belongs';
COMMENT ON COLUMN archived_files.name IS 'Name of the file in the archive';
COMMENT ON COLUMN archived_files.entry IS 'The exact line of the list';
COMMENT ON COLUMN archived_files.position IS 'Place of the line in the list';

CREATE TABLE IF NOT EXISTS archive_objects (
    conversation_id TEXT COLLATE "C" DEFAULT '' NOT NULL,
    owner TEXT COLLATE "C" DEFAULT CURRENT_USER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    part INTEGER NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    data BYTEA,
    place TEXT,

    PRIMARY KEY (conversation_id, owner, name, part),
    CONSTRAINT chk_part_positive CHECK (part >= 0),
    CONSTRAINT chk_size_positive CHECK (size >= 0)
);

COMMENT ON TABLE archive_objects IS 'Files of the archive: raw exports and packs';
COMMENT ON COLUMN archive_objects.conversation_id IS 'Conversation of the file; empty where it holds several or none';
COMMENT ON COLUMN archive_objects.owner IS 'Database user to whom the archive belongs';
COMMENT ON COLUMN archive_objects.name IS 'object/ and the SHA-256 of a file, or archive/ and the id of an archive whose state it is';
COMMENT ON COLUMN archive_objects.part IS 'Number of the part, from 0';
COMMENT ON COLUMN archive_objects.size IS 'Size of the part in bytes';
COMMENT ON COLUMN archive_objects.sha256 IS 'SHA-256 of the part';
COMMENT ON COLUMN archive_objects.data IS 'Its bytes, where they lie in the database';
COMMENT ON COLUMN archive_objects.place IS 'Folder that the team named, where they lie there';

INSERT INTO schema_version (version, name) VALUES (1, 'tables') ON CONFLICT DO NOTHING;

-- ============================================================================
-- Migration 2: indexes
-- ============================================================================

-- What is looked up. The first design's idx_messages_conversation_index is not among them: uk_conversation_message_index has an index
-- on the same columns already, and a second one would be written with every message for nothing.

-- The tables are new, nobody waits, and nothing is made CONCURRENTLY in a transaction. A later index on messages is another matter.
-- squawk-ignore-file require-concurrent-index-creation

-- The owner comes second: of an owner who began after the tables were analyzed PostgreSQL expects no rows, and would take an index that
-- begins with the owner to read all of them. Nor does it know then which of two indexes on a conversation reads less of it: the other
-- name of the collation "C" says which one is meant.

CREATE INDEX IF NOT EXISTS idx_conversations_last_updated ON conversations (last_updated DESC);
CREATE INDEX IF NOT EXISTS idx_conversations_metadata ON conversations USING GIN (metadata);

-- Of an owner, by their numbers
CREATE INDEX IF NOT EXISTS idx_conversations_number ON conversations (number, owner);

-- Duplicate detection: messages by content hash, in a conversation and in the whole store. What is said again and again has many rows,
-- of which one carries the body, and one more of each other conversation has it: those are looked for.
CREATE INDEX IF NOT EXISTS idx_messages_content_hash ON messages (conversation_id, content_hash);
CREATE INDEX IF NOT EXISTS idx_messages_owner_content_hash ON messages (content_hash, owner) WHERE body_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_messages_owner_content_again ON messages
(content_hash, owner, conversation_id COLLATE "POSIX")
WHERE body IS NOT NULL AND body_at IS NULL;

-- Latest messages
CREATE INDEX IF NOT EXISTS idx_messages_created_at ON messages (created_at DESC);

CREATE INDEX IF NOT EXISTS idx_messages_metadata ON messages USING GIN (metadata);

-- Full-text search, by the words that the product itself finds in a text
CREATE INDEX IF NOT EXISTS idx_messages_content_fts ON messages USING GIN (words);

-- The log in its order
CREATE INDEX IF NOT EXISTS idx_messages_log_start ON messages (log_start, owner);
CREATE INDEX IF NOT EXISTS idx_runs_log_start ON runs (log_start, owner);

-- To which conversation an export belongs: by what was said in it, by its messages' own ids, by the file itself
CREATE INDEX IF NOT EXISTS idx_messages_alignment_key ON messages (alignment_key, owner, conversation_id)
WHERE kind IN ('prompt', 'text');
CREATE INDEX IF NOT EXISTS idx_messages_uuid ON messages (conversation_id, uuid) WHERE uuid IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_runs_export_sha256 ON runs (export_sha256, owner);

CREATE INDEX IF NOT EXISTS idx_deduplication_log_conversation ON deduplication_log (conversation_id, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_deduplication_log_created_at ON deduplication_log (created_at DESC);
CREATE INDEX IF NOT EXISTS idx_deduplication_log_operation ON deduplication_log (operation);
CREATE INDEX IF NOT EXISTS idx_deduplication_log_metadata ON deduplication_log USING GIN (metadata);

CREATE INDEX IF NOT EXISTS idx_blobs_digest ON blobs (digest, owner);

INSERT INTO schema_version (version, name) VALUES (2, 'indexes') ON CONFLICT DO NOTHING;

-- ============================================================================
-- Migration 3: triggers
-- ============================================================================

-- Two triggers for statements that are written by hand, which may be dropped (Citus has none): the product itself sets what they
-- set. Three that keep the log append-only, for the owner of the tables, too.

-- conversations follows its messages: one UPDATE a conversation and statement. For each row, 20,000 messages take 38 s.
CREATE OR REPLACE FUNCTION update_conversation_last_updated()
RETURNS TRIGGER AS $$
BEGIN
    EXECUTE format(
        'UPDATE %I.conversations AS c
         SET last_updated = CURRENT_TIMESTAMP, total_messages = c.total_messages + added.messages
         FROM (SELECT conversation_id, owner, count(*)::INTEGER AS messages FROM new_messages GROUP BY 1, 2) AS added
         WHERE c.conversation_id = added.conversation_id AND c.owner = added.owner',
        TG_TABLE_SCHEMA
    );
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

COMMENT ON FUNCTION update_conversation_last_updated() IS 'Counts new messages in conversations, and says when they came';

CREATE OR REPLACE TRIGGER trg_messages_update_conversation
AFTER INSERT ON messages
REFERENCING NEW TABLE AS new_messages
FOR EACH STATEMENT
EXECUTE FUNCTION update_conversation_last_updated();

-- A statement that says itself when it was is believed.
CREATE OR REPLACE FUNCTION update_watermark_timestamp()
RETURNS TRIGGER AS $$
BEGIN
    NEW.last_updated = CURRENT_TIMESTAMP;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

COMMENT ON FUNCTION update_watermark_timestamp() IS 'Says when a watermark was moved, where the statement does not';

CREATE OR REPLACE TRIGGER trg_watermarks_update_timestamp
BEFORE UPDATE ON watermarks
FOR EACH ROW
WHEN (NEW.last_updated IS NOT DISTINCT FROM OLD.last_updated)
EXECUTE FUNCTION update_watermark_timestamp();

-- Who may change the log: a member of dedup_purge_role; the tables' owner, once it has announced a purge in its transaction. A
-- superuser is a member of every role and counts as the owner here. What a foreign key deletes with a conversation, the owner of
-- the tables deletes: that, too, must be announced.
CREATE OR REPLACE FUNCTION refuse_unannounced_change()
RETURNS TRIGGER AS $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_roles AS purge, pg_catalog.pg_roles AS me
        WHERE purge.rolname = 'dedup_purge_role' AND me.rolname = current_user AND NOT me.rolsuper
          AND pg_catalog.pg_has_role(me.oid, purge.oid, 'USAGE')
    ) THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.current_setting('export_dedup.purging', TRUE) = 'on' AND EXISTS (
        SELECT FROM pg_catalog.pg_class AS changed
        WHERE changed.oid = TG_RELID AND pg_catalog.pg_has_role(current_user, changed.relowner, 'USAGE')
    ) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% of % is refused: it is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'A purge is announced by: SET LOCAL export_dedup.purging = ''on''';
END;
$$ LANGUAGE plpgsql;

COMMENT ON FUNCTION refuse_unannounced_change() IS 'Keeps a table append-only, but for a purge';

CREATE OR REPLACE TRIGGER trg_messages_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON messages
FOR EACH STATEMENT
EXECUTE FUNCTION refuse_unannounced_change();

CREATE OR REPLACE TRIGGER trg_runs_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON runs
FOR EACH STATEMENT
EXECUTE FUNCTION refuse_unannounced_change();

CREATE OR REPLACE TRIGGER trg_deduplication_log_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON deduplication_log
FOR EACH STATEMENT
EXECUTE FUNCTION refuse_unannounced_change();

COMMENT ON TRIGGER trg_messages_update_conversation ON messages IS 'For statements written by hand; may be dropped';
COMMENT ON TRIGGER trg_watermarks_update_timestamp ON watermarks IS 'For statements written by hand; may be dropped';
COMMENT ON TRIGGER trg_messages_append_only ON messages IS 'Keeps the log append-only';
COMMENT ON TRIGGER trg_runs_append_only ON runs IS 'Keeps the log append-only';
COMMENT ON TRIGGER trg_deduplication_log_append_only ON deduplication_log IS 'Keeps the audit append-only';

INSERT INTO schema_version (version, name) VALUES (3, 'triggers') ON CONFLICT DO NOTHING;

-- ============================================================================
-- Migration 4: row_level_security
-- ============================================================================

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

INSERT INTO schema_version (version, name) VALUES (4, 'row_level_security') ON CONFLICT DO NOTHING;

-- ============================================================================
-- Migration 5: search
-- ============================================================================

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

INSERT INTO schema_version (version, name) VALUES (5, 'search') ON CONFLICT DO NOTHING;

-- ============================================================================
-- Migration 6: search_newest
-- ============================================================================

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

INSERT INTO schema_version (version, name) VALUES (6, 'search_newest') ON CONFLICT DO NOTHING;

COMMIT;

-- ============================================================================
-- Schema Creation Complete
-- ============================================================================

-- Verify schema
SELECT table_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema = current_schema()
  AND table_name IN ('conversations', 'messages', 'watermarks', 'deduplication_log', 'schema_version', 'stores', 'runs', 'blobs', 'index_entries', 'archived_files', 'archive_objects')
ORDER BY table_name, ordinal_position;

-- Success message
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM schema_version WHERE version = 6) THEN
        RAISE EXCEPTION 'The schema was not created; the first error above says why';
    END IF;
    RAISE NOTICE 'Conversation Deduplication schema created successfully!';
    RAISE NOTICE 'Tables created: conversations, messages, watermarks, deduplication_log, schema_version, stores, runs, blobs, index_entries, archived_files, archive_objects';
    RAISE NOTICE 'Ready for data import.';
END $$;
