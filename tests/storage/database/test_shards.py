"""Messages on two machines, by what PostgreSQL itself has: what works, and what does not."""

from __future__ import annotations

import pytest

from deduplication.storage.database import schema
from postgres_rows import insert
from postgres_scripts import psql

psycopg = pytest.importorskip("psycopg")

CONVERSATIONS = tuple(f"conversation-{number}" for number in range(20))
FAILS_AT_COMMIT = """
    CREATE FUNCTION fail() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RAISE ''no room''; END';
    CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail();
"""


class Sharded:
    """A database that everybody connects to, and two that hold its messages."""

    def __init__(self, server):
        self.server = server
        self.names = [server.new_database() for _ in range(3)]
        variables = {"shard_user": "postgres", "shard_password": "none is asked for"}
        for number, name in enumerate(self.names[1:]):
            for key, value in (("host", "127.0.0.1"), ("port", server.port), ("dbname", name)):
                variables[f"shard{number}_{key}"] = value
        psql(server, self.names[0], "shards.sql", **variables)
        self.connection = server.connect(self.names[0])

    def on_shards(self, query):
        """The first value of a query on each shard."""
        return [self.server.execute(query, database=name)[0][0] for name in self.names[1:]]

    def ids_by_shard(self):
        """Which conversations lie where."""
        return self.on_shards("SELECT array_agg(DISTINCT conversation_id) FROM messages")


@pytest.fixture
def sharded(postgres):
    """A store on two shards, with 20 conversations of 5 messages each."""
    made = Sharded(postgres)
    for number, conversation in enumerate(CONVERSATIONS):
        insert(made.connection, "conversations", conversation=conversation, number=number)
        insert(made.connection, "messages", conversation=conversation, count=5, number=number)
    yield made
    made.connection.close()
    for name in made.names:
        postgres.drop_database(name)


def test_every_message_is_there_once(sharded):
    """All are found from the one place, each lies on one shard, all of a conversation on the same, and their ids are unique."""
    connection = sharded.connection
    assert connection.execute("SELECT count(*), count(DISTINCT message_id) FROM messages").fetchone() == (100, 100)
    here, there = map(set, sharded.ids_by_shard())
    assert here | there == set(CONVERSATIONS)
    assert here & there == set()
    assert here
    assert there
    found = connection.execute(
        "SELECT message_index FROM messages WHERE conversation_id = %s ORDER BY 1", [CONVERSATIONS[3]]
    )
    assert [index for (index,) in found] == list(range(5))
    assert schema.bring_up(connection) == schema.newest()


def test_one_conversation_is_asked_of_one_shard(sharded):
    """The plan has one foreign scan for a conversation, and one each, at the same time, for all."""
    one = plan(
        sharded.connection,
        "SELECT content FROM messages WHERE conversation_id = 'conversation-4' ORDER BY message_index",
    )
    assert one.count("Foreign Scan") == 1
    every = plan(sharded.connection, "SELECT content FROM messages")
    assert every.count("Async Foreign Scan") == 2


def plan(connection, query):
    """How a query is answered."""
    return "\n".join(line for (line,) in connection.execute(f"EXPLAIN {query}"))


def test_no_unique_key_on_the_whole(sharded):
    """A unique index is refused, and so is ON CONFLICT with a key; without one it works; the shard refuses a second message."""
    connection = sharded.connection
    with pytest.raises(psycopg.errors.WrongObjectType, match="cannot create unique index"):
        connection.execute("CREATE UNIQUE INDEX ON messages (conversation_id, message_index, owner)")
    values = (
        "INSERT INTO messages (conversation_id, message_index, content_hash, content, kind, log_start, entry)"
        " VALUES ('conversation-4', 3, '', '', 'text', 0, '')"
    )
    with pytest.raises(psycopg.errors.InvalidColumnReference, match="no unique or exclusion constraint"):
        connection.execute(f"{values} ON CONFLICT (conversation_id, message_index, owner) DO NOTHING")
    with pytest.raises(psycopg.errors.UniqueViolation, match="uk_conversation_message_index"):
        connection.execute(values)
    assert connection.execute(f"{values} ON CONFLICT DO NOTHING").rowcount == 0
    assert sum(sharded.on_shards("SELECT count(*) FROM messages")) == 100


def test_no_foreign_key(sharded):
    """A message of a conversation that is not there is taken, and one whose conversation was deleted stays."""
    insert(sharded.connection, "messages", conversation="nobody knows it", count=1)
    with sharded.connection.transaction():
        sharded.connection.execute("SET LOCAL export_dedup.purging = 'on'")
        sharded.connection.execute("DELETE FROM conversations")
    assert sharded.connection.execute("SELECT count(*) FROM messages").fetchone() == (101,)


def test_append_only_on_shards_too(sharded):
    """The owner changes no message without announcing a purge, and does with it."""
    connection = sharded.connection
    for statement in (
        "DELETE FROM messages WHERE conversation_id = 'conversation-4'",
        "UPDATE messages SET weight = 1",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            connection.execute(statement)
    with connection.transaction():
        connection.execute("SET LOCAL export_dedup.purging = 'on'")
        assert connection.execute("DELETE FROM messages WHERE conversation_id = 'conversation-4'").rowcount == 5


def test_no_two_phase_commit(sharded):
    """A transaction on shards cannot be prepared; and where a shard fails at the end, the other may have stored its part."""
    connection = sharded.connection
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="cannot PREPARE"), connection.transaction():
        insert(connection, "messages", conversation=CONVERSATIONS[0], count=1, first=50)
        connection.execute("PREPARE TRANSACTION 'both'")
    outcomes = set()
    for failing, name in enumerate(sharded.names[1:]):
        before = sharded.on_shards("SELECT count(*) FROM messages")
        sharded.server.execute(FAILS_AT_COMMIT, database=name)
        with pytest.raises(psycopg.Error, match="no room"), connection.transaction():
            for conversation in CONVERSATIONS:
                insert(connection, "messages", conversation=conversation, count=1, first=100 + failing)
        after = sharded.on_shards("SELECT count(*) FROM messages")
        assert after[failing] == before[failing]
        outcomes.add(after[1 - failing] == before[1 - failing])
        sharded.server.execute("DROP FUNCTION fail() CASCADE", database=name)
    assert False in outcomes, "the first shard to be told had stored its part"


def test_one_shard_down(sharded):
    """Conversations of the other one are read and written, what asks for all fails, and what was on it is there afterwards."""
    here, there = sharded.ids_by_shard()
    down = sharded.names[2]
    sharded.server.execute(f'ALTER DATABASE "{down}" ALLOW_CONNECTIONS FALSE')
    sharded.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [down])
    with sharded.server.connect(sharded.names[0]) as connection:
        one = "SELECT count(*) FROM messages WHERE conversation_id = %s"
        assert connection.execute(one, [here[0]]).fetchone() == (5,)
        insert(connection, "messages", conversation=here[0], count=1, first=50)
        for query, values in ((one, [there[0]]), ("SELECT count(*) FROM messages", None)):
            with pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection):
                connection.execute(query, values)
        sharded.server.execute(f'ALTER DATABASE "{down}" ALLOW_CONNECTIONS TRUE')
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (101,)
