-- ============================================================================
-- Conversation Export Deduplication - the tables of a store on several machines, by Citus
-- ============================================================================
-- NOT TRIED: no Citus was at hand where this was written. What it rests on is held by a test on plain PostgreSQL: every primary,
-- unique and foreign key of the tables below holds conversation_id, and the program works without the triggers that are dropped here.
-- Read it, try it on a copy, and keep a dump. Written for Citus 13.
--
-- Run it once on the coordinator, as the owner of the tables, with psql, after create_schema.sql and create_roles.sql; rows that are
-- there are moved. Not after the messages were put into parts on one machine: Citus makes its own.
--
--     psql -v ON_ERROR_STOP=1 -1 -f distribute.sql postgresql://...
--
-- What is other than on one machine:
--
-- * The log is append-only by rights alone: Citus "does not yet support creating triggers on distributed tables". The owner of the
--   tables and superusers are not held back.
-- * conversations.last_updated and total_messages are set by the program, for statements written by hand by nobody.
-- * stores and schema_version stay on the coordinator: connect the program to it.
-- * A query that names a conversation goes to one machine; one that does not asks all of them.
-- * Row-level security is by owner, which is not the distribution column, and somebody found that such a policy hid nothing (Citus,
--   issue 7182, not settled). Try it with two users before you share the database; until then give each person one of their own.

CREATE EXTENSION IF NOT EXISTS citus;

-- Citus takes no table that has a trigger.
DROP TRIGGER IF EXISTS trg_messages_update_conversation ON messages;
DROP TRIGGER IF EXISTS trg_messages_append_only ON messages;
DROP TRIGGER IF EXISTS trg_runs_append_only ON runs;
DROP TRIGGER IF EXISTS trg_watermarks_update_timestamp ON watermarks;
DROP TRIGGER IF EXISTS trg_deduplication_log_append_only ON deduplication_log;

-- A table to which others refer comes before them. All lie together: what belongs to a conversation is on one machine.
SELECT create_distributed_table('conversations', 'conversation_id');
SELECT create_distributed_table('messages', 'conversation_id', colocate_with => 'conversations');
SELECT create_distributed_table('runs', 'conversation_id', colocate_with => 'conversations');
SELECT create_distributed_table('watermarks', 'conversation_id', colocate_with => 'conversations');
SELECT create_distributed_table('deduplication_log', 'conversation_id', colocate_with => 'conversations');
SELECT create_distributed_table('blobs', 'conversation_id', colocate_with => 'conversations');
SELECT create_distributed_table('index_entries', 'conversation_id', colocate_with => 'conversations');
SELECT create_distributed_table('archived_files', 'conversation_id', colocate_with => 'conversations');
SELECT create_distributed_table('archive_objects', 'conversation_id', colocate_with => 'conversations');
