"""The queries of a store in PostgreSQL: as the first design wrote them, as functions, and each by an index."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from deduplication.search import candidates
from deduplication.storage.database import queries, schema
from postgres_rows import fill
from postgres_scripts import psql

psycopg = pytest.importorskip("psycopg")

HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SAMPLES = """
INSERT INTO conversations (conversation_id, total_messages, metadata, number, state) VALUES (
    'rollout-master',
    26,
    '{"project": "CODITECT Rollout Master", "tags": ["coditect", "master"]}'::JSONB,
    0,
    '{}'
);
INSERT INTO watermarks (conversation_id, highest_index) VALUES (
    'rollout-master',
    25
);
INSERT INTO messages
    (conversation_id, message_index, content_hash, role, content, metadata, kind, log_start, entry, body, words) VALUES
('rollout-master', 0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'user', 'Hello, Claude', '{}',
    'prompt', 0, '', '{}', $$'claude' 'hello'$$),
('rollout-master', 1, 'a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a', 'assistant',
    'Deduplication saves storage. How can I help you today?', '{}', 'text', 100, '', '{}', $$'deduplication' 'saves' 'storage'$$),
('rollout-master', 25, '9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7', 'user', 'Create a new checkpoint', '{}',
    'prompt', 200, '', '{}', $$'checkpoint' 'create' 'new'$$);
INSERT INTO deduplication_log
    (conversation_id, operation, messages_processed, duplicates_filtered, storage_savings_pct, processing_time_ms, metadata)
VALUES (
    'rollout-master',
    'process_export',
    26,
    11,
    73.08,
    150,
    '{"export_file": "2025-11-17-EXPORT-ROLLOUT-MASTER.txt", "export_size_kb": 51}'::JSONB
);
"""
"""The sample rows of the first design, with the columns that have come since."""
AS_WRITTEN = {
    "1. watermark": """
        SELECT highest_index
        FROM watermarks
        WHERE conversation_id = 'rollout-master';
    """,
    "2. all messages": """
        SELECT message_index, role, content, created_at
        FROM messages
        WHERE conversation_id = 'rollout-master'
        ORDER BY message_index ASC;
    """,
    "3. by index": """
        SELECT EXISTS (
            SELECT 1 FROM messages
            WHERE conversation_id = 'rollout-master'
              AND message_index = 25
        );
    """,
    "4. by hash": """
        SELECT EXISTS (
            SELECT 1 FROM messages
            WHERE conversation_id = 'rollout-master'
              AND content_hash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
        );
    """,
    "5. statistics": """
        SELECT
            conversation_id,
            SUM(messages_processed) as total_processed,
            SUM(duplicates_filtered) as total_duplicates,
            AVG(storage_savings_pct) as avg_savings_pct,
            AVG(processing_time_ms) as avg_processing_time_ms
        FROM deduplication_log
        GROUP BY conversation_id;
    """,
    "6. latest": """
        SELECT message_index, role, content, created_at
        FROM messages
        WHERE conversation_id = 'rollout-master'
        ORDER BY message_index DESC
        LIMIT 10;
    """,
    "7. full text": """
        SELECT message_index, role, content
        FROM messages
        WHERE conversation_id = 'rollout-master'
          AND to_tsvector('english', content) @@ to_tsquery('english', 'deduplication & storage');
    """,
    "8. summary": """
        SELECT
            c.conversation_id,
            c.total_messages,
            c.created_at,
            c.last_updated,
            w.highest_index,
            (SELECT COUNT(*) FROM deduplication_log WHERE conversation_id = c.conversation_id) as export_count
        FROM conversations c
        LEFT JOIN watermarks w ON c.conversation_id = w.conversation_id
        WHERE c.conversation_id = 'rollout-master';
    """,
}
ROLES = "dedup_owner_role, dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role"
PEOPLE = {"ann": "dedup_app_role", "ben": "dedup_app_role, dedup_team_role"}
MANY = tuple(f"conversation-{number}" for number in range(40))


@pytest.fixture(scope="module")
def prepared(postgres_servers):
    """Of each server a database with the tables, roles and people, and a copy of it with 20,000 messages of each of two owners."""
    made = {}

    def names(server):
        if server.major not in made:
            name = server.new_database()
            with server.connect(name) as connection:
                schema.bring_up(connection)
            psql(server, name, "create_roles.sql")
            for person, roles in PEOPLE.items():
                server.execute(f"CREATE ROLE {person} LOGIN IN ROLE {roles}")
            many = server.new_database(name)
            with server.connect(many) as connection:
                for owner in ("postgres", "ann"):
                    fill(connection, owner, MANY, 500)
                connection.execute("ANALYZE")
            made[server.major] = {"empty": name, "many": many}
        return made[server.major]

    yield names
    for major, databases in made.items():
        server = postgres_servers(str(major))
        for name in databases.values():
            server.drop_database(name)
        server.execute(f"DROP ROLE {', '.join(PEOPLE)}, {ROLES}")


@pytest.fixture(params=["postgres", "ann"])
def person(request):
    """The owner of the tables, and a user whom row-level security binds."""
    return request.param


@pytest.fixture
def sampled(postgres, prepared, person):
    """A connection to a store with the sample rows."""
    name = postgres.new_database(prepared(postgres)["empty"])
    with postgres.connect(name, person) as connection:
        connection.execute(SAMPLES)
        yield connection
    postgres.drop_database(name)


@pytest.fixture
def large(postgres, prepared, person):
    """A connection to a store of 20,000 messages, which is only read."""
    with postgres.connect(prepared(postgres)["many"], person) as connection:
        yield connection


def test_the_queries_as_they_were_written(sampled):
    """All eight run as the first design has them, and say what it expects of its samples."""
    said = {name: sampled.execute(query).fetchall() for name, query in AS_WRITTEN.items()}
    assert said["1. watermark"] == [(25,)]
    assert [row[:2] for row in said["2. all messages"]] == [(0, "user"), (1, "assistant"), (25, "user")]
    assert said["3. by index"] == said["4. by hash"] == [(True,)]
    assert said["5. statistics"] == [("rollout-master", 26, 11, Decimal("73.08"), Decimal(150))]
    assert [row[0] for row in said["6. latest"]] == [25, 1, 0]
    assert [row[0] for row in said["7. full text"]] == [1]
    ((conversation, total, created, updated, highest, exports),) = said["8. summary"]
    assert (conversation, total, highest, exports) == ("rollout-master", 29, 25, 1)  # 26, and the trigger counted three
    assert created <= updated


def test_the_same_as_functions(sampled):
    """Each function answers as its query does."""
    name = "rollout-master"
    assert queries.watermark(sampled, name) == 25
    messages = queries.all_messages(sampled, name)
    assert [message.message_index for message in messages] == [0, 1, 25]
    assert messages[0][1:3] == ("user", "Hello, Claude")
    assert isinstance(messages[0].created_at, datetime)
    assert messages[0].created_at.tzinfo is not None
    assert queries.exists_by_index(sampled, name, 25)
    assert queries.exists_by_hash(sampled, name, HASH)
    assert queries.statistics(sampled) == [queries.Statistics(name, 26, 11, Decimal("73.08"), Decimal(150))]
    assert queries.latest(sampled, name) == messages[::-1]
    assert queries.latest(sampled, name, 1) == messages[-1:]
    (found,) = queries.full_text(sampled, "'deduplication' & 'storage'", name)
    assert found == (name, 1, "assistant", "Deduplication saves storage. How can I help you today?")
    assert queries.full_text(sampled, "'hello' | 'checkpoint'")[0].message_index == 25
    assert len(queries.full_text(sampled, "'hello' | 'checkpoint'", count=1)) == 1
    about = queries.summary(sampled, name)
    assert (about.total_messages, about.highest_index, about.export_count) == (29, 25, 1)


def test_what_is_not_there(sampled):
    """A conversation that nobody knows has no watermark, no messages and no summary, whatever its name holds."""
    for name in ("nobody", "", "'; DROP TABLE messages; --", "%s", "rollout-master "):
        assert queries.watermark(sampled, name) == queries.NONE_YET
        assert queries.all_messages(sampled, name) == queries.latest(sampled, name) == []
        assert queries.full_text(sampled, "'hello'", name) == []
        assert not queries.exists_by_index(sampled, name, 0)
        assert not queries.exists_by_hash(sampled, name, HASH)
        assert queries.summary(sampled, name) is None
    assert not queries.exists_by_index(sampled, "rollout-master", 24)
    assert not queries.exists_by_hash(sampled, "rollout-master", HASH[::-1])


def test_other_operations_are_no_exports(sampled):
    """The audit has other lines, too: they are in the statistics, and no exports."""
    sampled.execute(
        "INSERT INTO deduplication_log (conversation_id, operation, messages_processed, duplicates_filtered)"
        " VALUES ('rollout-master', 'rebuild', 4, 0), ('', 'verify', 1, 0)"
    )
    assert queries.summary(sampled, "rollout-master").export_count == 1
    assert [row[:3] for row in queries.statistics(sampled)] == [("", 1, 0), ("rollout-master", 30, 11)]


def test_another_owners_store(sampled, person):
    """Whoever may read it names its owner; whoever may not is told of nothing."""
    assert queries.watermark(sampled, "rollout-master", owner=person) == 25
    assert queries.watermark(sampled, "rollout-master", owner="nobody") == queries.NONE_YET
    if person != "ann":
        return
    with psycopg.connect(sampled.info.dsn, user="ben", autocommit=True) as ben:
        ben.execute(SAMPLES)
        assert queries.watermark(ben, "rollout-master", "ann") == 25
        assert len(queries.full_text(ben, "'hello'", owner="ann")) == 1
        assert ben.execute("SELECT * FROM find_messages('hello', 9, ARRAY['ann', 'ben'])").rowcount == 2
    assert queries.full_text(sampled, "'hello'", owner="ben") == []
    assert sampled.execute("SELECT owner FROM find_messages('hello', 9, ARRAY['ann', 'ben'])").fetchall() == [("ann",)]
    assert queries.all_messages(sampled, "rollout-master", "ben") == []


def test_a_search_is_that_of_the_role_at_hand(sampled, person):
    """Who takes another role finds what that role may read, and a table of the same name in the way is not asked."""
    with psycopg.connect(sampled.info.dsn, user="postgres", autocommit=True) as superuser:
        count = "SELECT count(*) FROM find_messages('hello')"
        if person == "ann":
            assert superuser.execute(count).fetchone() == (0,)
            superuser.execute("SET ROLE ann")
        assert superuser.execute(count).fetchone() == (1,)
    sampled.execute("CREATE TEMPORARY TABLE messages (LIKE public.messages)")
    assert sampled.execute(count).fetchone() == (1,)


def plan(connection, query, values=None):
    """How a query is answered."""
    return "\n".join(line for (line,) in connection.execute(f"EXPLAIN {query}", values))


HOT = {name: AS_WRITTEN[name] for name in AS_WRITTEN if name[0] not in "57"}
"""Those that somebody waits for."""
FEW = {"1. watermark", "8. summary", "WATERMARK", "SUMMARY"}
"""Of tables with a row a conversation; with so few of them an index is slower, and is asked only where it must be."""
VALUES = {"conversation": MANY[7], "owner": None, "index": 25, "hash": HASH, "count": 10, "words": "'storage' & '77'"}


def test_by_an_index_as_written(large):
    """No query reads a whole table, nor sorts a conversation to show its end."""
    for name, query in HOT.items():
        large.execute(f"SET enable_seqscan = {'off' if name in FEW else 'on'}")
        told = plan(large, query.replace("rollout-master", MANY[7]))
        assert "Index" in told
        assert "Seq Scan on messages" not in told
        assert name in FEW or "Seq Scan" not in told
        assert name != "6. latest" or "Sort" not in told


def test_by_an_index_as_functions(large):
    """The same of the functions, also where the plan is made before the values are known."""
    for name in ("ALL_MESSAGES", "EXISTS_BY_INDEX", "EXISTS_BY_HASH", "LATEST", "SUMMARY", "WATERMARK"):
        large.execute(f"SET enable_seqscan = {'off' if name in FEW else 'on'}")
        for mode in ("force_custom_plan", "force_generic_plan"):
            large.execute(f"SET plan_cache_mode = {mode}")
            told = plan(large, getattr(queries, name), VALUES)
            assert "Index" in told, told
            assert "Seq Scan" not in told, told


SEARCHES = {
    "for people": ("find_messages($$'storage' & '77'$$::TSQUERY)", len(MANY)),
    "rare words": ("search_messages($$'storage':* & '77':*$$::TSQUERY)", len(MANY)),
    "no words": ("search_messages($$'nothing'$$::TSQUERY)", 0),
    "of a conversation": (f"search_messages($$'77'$$::TSQUERY, of_conversations => ARRAY['{MANY[3]}'])", 1),
    "of a kind": ("search_messages($$'77'$$::TSQUERY, of_role => 'user', of_kind => 'text')", 0),
    "of a time": ("search_messages($$'77'$$::TSQUERY, since => 'tomorrow')", 0),
    "words that are everywhere": ("search_messages($$'storage'$$::TSQUERY, newest => 100, most => 50)", 50),
    "nothing in the newest ones": ("search_messages($$'nothing'$$::TSQUERY, newest => 100)", 0),
}


@pytest.mark.parametrize(("called", "count"), SEARCHES.values(), ids=SEARCHES)
def test_a_search_asks_the_index(large, called, count):
    """The function that searches for whom row-level security binds reads few pages, however many messages there are."""
    query = f"SELECT count(*) FROM {called}"
    assert large.execute(query).fetchone() == (count,)
    told = "\n".join(
        line for (line,) in large.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) {query}")
    )
    (pages,) = large.execute("SELECT relpages FROM pg_class WHERE oid = 'messages'::REGCLASS").fetchone()
    read = sum(int(word.split("=")[1]) for word in told.split() if word.startswith(("hit=", "read=")))
    assert 0 < read < pages


def test_what_a_search_asks_besides(large):
    """Rows at their places, places and bodies of contents, and which conversations are one: each by an index."""
    values = {"owner": "ann", "names": [MANY[7]], "numbers": [5], "hashes": [HASH], "most": 10}
    for name in ("TEXTS", "ROWS", "PLACES", "BODIES", "SAME"):
        large.execute(f"SET enable_seqscan = {'off' if name == 'SAME' else 'on'}")
        told = plan(large, getattr(candidates, name), values)
        assert "Index" in told, told
        assert "Seq Scan" not in told, told


def test_another_owner_is_not_searched(large, person):
    """Only whoever may read a store searches it."""
    count = large.execute("SELECT count(*) FROM search_messages($$'77'$$::TSQUERY, 'postgres')").fetchone()
    assert count == (len(MANY) if person == "postgres" else 0,)


@pytest.mark.parametrize("person", ["ann"])
def test_policies_use_indexes(large):
    """What a user may see is part of the index condition, not a filter over everybody's rows."""
    told = plan(large, "SELECT log_start FROM messages WHERE log_start BETWEEN 100 AND 300")
    assert "(owner = CURRENT_USER)" in told.partition("Index Cond")[2].partition("\n")[0], told


INDEXED_TEXT = """
    SELECT DISTINCT x.indrelid::REGCLASS::TEXT, a.attname::TEXT FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
    JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY(x.indkey)
    WHERE c.relnamespace = 'public'::REGNAMESPACE AND a.atttypid = 'text'::REGTYPE
        AND a.attcollation <> 'pg_catalog."C"'::REGCOLLATION
"""


def test_no_index_depends_on_a_language(sampled):
    """Each text that is indexed has the order of its bytes: a new version of the system's language data damages no index."""
    assert sampled.execute(INDEXED_TEXT).fetchall() == []
