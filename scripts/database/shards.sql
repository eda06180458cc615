-- ============================================================================
-- Conversation Export Deduplication - messages on two machines, by postgres_fdw
-- ============================================================================
-- For new, empty databases, on PostgreSQL as it is: one that everybody connects to, and two that hold the messages. Run with psql, as
-- a superuser of the first one (or a user who may use the postgres_fdw extension):
--
--     psql -v shard_user=dedup -v shard_password=... \
--         -v shard0_host=a.example -v shard0_port=5432 -v shard0_dbname=dedup \
--         -v shard1_host=b.example -v shard1_port=5432 -v shard1_dbname=dedup \
--         -f shards.sql postgresql://...
--
-- psql itself connects to the shards as shard_user, with the password from PGPASSWORD or ~/.pgpass.
--
-- What it cannot do, each of which a test shows:
--
-- * No unique key on messages as a whole (a parent with foreign parts takes no unique index): each shard refuses a second message of
--   the same number by itself. ON CONFLICT with a key is refused, ON CONFLICT DO NOTHING without one works.
-- * No foreign key from messages to conversations: a purge deletes the messages itself, before their conversation.
-- * No two-phase commit: where one shard fails at the very end of a transaction, the other may have stored its part. 'verify' finds
--   that, and the next run stores what is missing.
-- * conversations.total_messages is not counted for statements written by hand (the trigger cannot see rows of foreign parts).
-- * create_schema.sql must not be run there again: it would make that trigger anew, and then no message could be added.
-- * Where one shard is down, conversations of the other one are read and written, and whatever asks for all messages fails.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT current_schema() AS schema \gset
\set home_dbname :DBNAME
\set home_user :USER
\set home_host :HOST
\set home_port :PORT

-- ============================================================================
-- Each shard: the table as it always is, without what lies elsewhere
-- ============================================================================

\connect :shard0_dbname :shard_user :shard0_host :shard0_port
\ir create_schema.sql
ALTER TABLE messages DROP CONSTRAINT IF EXISTS fk_messages_conversation;
DROP TRIGGER IF EXISTS trg_messages_update_conversation ON messages;
DROP TRIGGER IF EXISTS trg_messages_append_only ON messages; -- the one on the other end sees who it is

\connect :shard1_dbname :shard_user :shard1_host :shard1_port
\ir create_schema.sql
ALTER TABLE messages DROP CONSTRAINT IF EXISTS fk_messages_conversation;
DROP TRIGGER IF EXISTS trg_messages_update_conversation ON messages;
DROP TRIGGER IF EXISTS trg_messages_append_only ON messages;

-- ============================================================================
-- Where everybody connects to
-- ============================================================================

\connect :home_dbname :home_user :home_host :home_port
\ir create_schema.sql

BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;

CREATE SERVER dedup_shard0 FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host :'shard0_host', port :'shard0_port', dbname :'shard0_dbname', batch_size '500', async_capable 'true');
CREATE SERVER dedup_shard1 FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host :'shard1_host', port :'shard1_port', dbname :'shard1_dbname', batch_size '500', async_capable 'true');
CREATE USER MAPPING FOR PUBLIC SERVER dedup_shard0 OPTIONS (user :'shard_user', password :'shard_password');
CREATE USER MAPPING FOR PUBLIC SERVER dedup_shard1 OPTIONS (user :'shard_user', password :'shard_password');

ALTER TABLE messages RENAME TO messages_before_shards;
CREATE TABLE messages (LIKE messages_before_shards INCLUDING ALL EXCLUDING INDEXES) PARTITION BY HASH (conversation_id);
CREATE FOREIGN TABLE messages_p0 PARTITION OF messages FOR VALUES WITH (MODULUS 2, REMAINDER 0)
    SERVER dedup_shard0 OPTIONS (schema_name :'schema', table_name 'messages');
CREATE FOREIGN TABLE messages_p1 PARTITION OF messages FOR VALUES WITH (MODULUS 2, REMAINDER 1)
    SERVER dedup_shard1 OPTIONS (schema_name :'schema', table_name 'messages');
INSERT INTO messages SELECT * FROM messages_before_shards; -- none, in a new database
DROP TABLE messages_before_shards;

CREATE TRIGGER trg_messages_append_only
BEFORE UPDATE OR DELETE ON messages
FOR EACH STATEMENT
EXECUTE FUNCTION refuse_unannounced_change();
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON messages USING (owner = CURRENT_USER) WITH CHECK (owner = CURRENT_USER);
COMMENT ON POLICY own ON messages IS 'Each user sees and writes their own rows';
COMMIT;
