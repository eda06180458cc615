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
