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
