"""Each statement that a run, a capture and a reader send is answered by an index, whoever asks and whichever plan is made.

The statements are those that are really sent, so that a new one is proved by itself.
"""

from __future__ import annotations

import re

import pytest

import made_log
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.storage import open_store
from deduplication.storage.database import partitions, schema
from postgres_scripts import psql
from purge_scenes import Talk

psycopg = pytest.importorskip("psycopg")

CONVERSATIONS, EACH = 500, 20
"""Of each of two owners: 20,000 messages in all."""
MOST = 2 * CONVERSATIONS
"""Rows that a question may read: those of what is said in each conversation."""
TOLD_BY = {
    "messages": {"conversation_id", "content_hash", "log_start", "alignment_key", "uuid", "message_id"},
    "runs": {"conversation_id", "log_start", "export_sha256"},
    "index_entries": {"key"},
    "conversations": {"conversation_id", "number"},
}
"""Columns of which an index must be asked for at least one; the owner's alone are a whole store."""
ROLES = "dedup_owner_role, dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role"
OWNER, BOUND = "postgres", "ann"
"""Of the tables, and a user whom row-level security binds."""
ASKED = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
OF_ONE = re.compile(r"FROM messages\s+WHERE conversation_id = %s")
NOT_OF_THE_STORE = re.compile(r"pg_catalog|pg_temp|set_config|pg_advisory|FROM schema_version")


@pytest.fixture(scope="module", params=["whole", "in parts"])
def stored(request, postgres_servers):
    """Of each server a database with two stores, and a person who has the second one; whole, and with the messages in parts."""
    made = {}

    def database(server):
        if server.major not in made:
            name = made[server.major] = server.new_database()
            with server.connect(name) as connection:
                schema.bring_up(connection)
                if request.param == "in parts":
                    partitions.partition(connection)
            psql(server, name, "create_roles.sql")
            server.execute(f"CREATE ROLE {BOUND} LOGIN IN ROLE dedup_app_role")
            for person in (OWNER, BOUND):
                store = open_store("postgresql", "", server.url(name, person))
                with store.transaction():
                    assert list(store.load(made_log.lines(range(CONVERSATIONS), store.head, EACH)))
                store.database.close()
        return made[server.major]

    database.in_parts = request.param == "in parts"
    yield database
    for major, name in made.items():
        server = postgres_servers(str(major))
        server.drop_database(name)
        server.execute(f"DROP ROLE {BOUND}, {ROLES}")


@pytest.fixture
def recorded(monkeypatch):
    """What is asked of a store, with the parameters of the last time."""
    recorded = {}
    for kind in (psycopg.Cursor, psycopg.ServerCursor):

        def execute(self, query, parameters=None, *, real=kind.execute, **options):
            text = query.decode() if isinstance(query, bytes) else str(query)
            if ASKED.match(text) and not NOT_OF_THE_STORE.search(text):
                recorded[text] = parameters or ()
            return real(self, query, parameters, **options)

        monkeypatch.setattr(kind, "execute", execute)
    return recorded


def used(url, folder):
    """Runs and questions of every kind."""
    dedup = ClaudeConversationDeduplicator(backend="postgresql", connection_string=url)
    assert dedup.ingest(made_log.export(1_000, 90), name="new.txt").new
    assert dedup.ingest(made_log.export(1_000, 140), name="new.txt").new
    dedup.ingest(made_log.export(1_000, 140), name="new.txt")
    assert dedup.ingest(made_log.export(7, EACH + 20), name="known.txt").conversation_id == "made-00007"
    talk, path = Talk("turn"), folder / "turn.jsonl"
    for end in (4, 8, 12):
        path.write_bytes(talk.lines(0, end))
        assert capture_file(dedup, path)
    dedup.ingest(talk.text(), name="turn.txt")
    store = dedup.store
    with store.transaction(write=False):
        order = store.conversation("made-00003").reading().order
        assert len(list(store.bodies("made-00003", order))) == EACH
        first, body = order[0], store.body_hash("made-00003", 5)
        assert list(store.bodies("made-00003", [first]))
        assert store.has_body(body)
        assert store.holds("made-00003", body)
        store.known_uuids("made-00003", ["nobody", "knows"])
        store.seen("0" * 64)
        store.log_span(1_000, 2_000)
    store.database.close()


def nodes(plan):
    """Every step of a plan."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def table_of(node):
    """The table that a step reads; of an index in a bitmap scan that of its name."""
    name = node.get("Relation Name") or re.sub(r"^(?:idx_)?(\w+?)_.*", r"\1", node.get("Index Name", ""))
    name = re.sub(r"_p\d+$", "", name)
    return next((table for table in TOLD_BY if name == table or name == table.partition("_")[0]), None)


def faults(plan):
    """Steps that read a table whole, or all of an owner."""
    for node in nodes(plan):
        table, kind = table_of(node), node["Node Type"]
        if table is None or kind == "Bitmap Heap Scan" or "Scan" not in kind:
            continue
        condition = re.sub(r"'[^']*'", "''", node.get("Index Cond", ""))
        if kind == "Seq Scan" or not TOLD_BY[table] & set(re.findall(r"\w+", condition)):
            yield f"{kind} of {table}: {condition or 'no condition'}"


def read(plan):
    """How many rows its steps read of the tables."""
    counted = "Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"
    return sum(
        node.get("Actual Loops", 0) * sum(node.get(name, 0) for name in counted)
        for node in nodes(plan)
        if node.get("Relation Name")
    )


def parts(plan):
    """How many parts of the table a plan reads, without those that are left out once the values are known."""
    named = {node["Relation Name"] for node in nodes(plan) if "Relation Name" in node}
    left_out = max(node.get("Subplans Removed", 0) for node in nodes(plan))
    return partitions.PARTS - left_out if left_out else len(named)


def numbered(query, parameters):
    """The query with PostgreSQL's own placeholders, and how many there are."""
    names = [*parameters] if isinstance(parameters, dict) else []
    found = iter(range(1, 1_000))
    text = re.sub(
        r"%(?:\((\w+)\))?s", lambda at: f"${names.index(at[1]) + 1 if at[1] else next(found)}", query
    ).replace("%%", "%")
    return text, len(parameters)


def explained(connection, query, parameters, plan="force_custom_plan"):
    """The plan with which a query is answered, and what it read where it changes nothing."""
    text, count = numbered(query, parameters)
    values = [*parameters.values()] if isinstance(parameters, dict) else parameters
    options = "ANALYZE, FORMAT JSON" if query.strip().startswith("SELECT") else "FORMAT JSON"
    with connection.transaction(force_rollback=True):
        connection.execute(f"SET LOCAL plan_cache_mode = {plan}".encode())
        connection.execute(f"PREPARE asked AS {text}".encode())
        execute = f"EXECUTE asked({', '.join(['%s'] * count)})" if count else "EXECUTE asked"
        answer = psycopg.ClientCursor(connection).execute(f"EXPLAIN ({options}) {execute}", values).fetchone()[0]
    connection.execute("DEALLOCATE ALL")
    return answer[0]["Plan"]


@pytest.fixture
def asking(postgres, stored):
    """Connects a person as the product does."""
    opened = []

    def connect(person):
        opened.append(psycopg.connect(postgres.url(stored(postgres), person), autocommit=True))
        opened[-1].execute("SET enable_seqscan = off")
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def wrong(query, plan, *, in_parts):
    """What is wrong with a plan for a query."""
    yield from faults(plan)
    if in_parts and OF_ONE.search(query) and parts(plan) > 1:
        yield f"{parts(plan)} parts"
    if read(plan) > MOST:
        yield f"{read(plan)} rows"


@pytest.mark.unmeasured
@pytest.mark.parametrize("person", [OWNER, BOUND])
def test_every_question_is_answered_by_an_index(postgres, stored, recorded, asking, person, tmp_path):
    """With the plan for the values at hand, and with that for any; before the server counted the rows of this owner, too.

    What is asked of one conversation is asked of one part of the table.
    """
    name, connection = stored(postgres), asking(person)
    recorded.clear()
    used(postgres.url(name, person), tmp_path)
    asked = dict(recorded)
    assert len(asked) > 20
    assert sum(bool(OF_ONE.search(query)) for query in asked) > 1
    found = []

    def look(when, plan):
        for query, parameters in asked.items():
            said = wrong(query, explained(connection, query, parameters, plan), in_parts=stored.in_parts)
            found.extend(f"{when}, {plan}: {each}\n{query}" for each in said)

    look("before", "force_generic_plan")
    look("before", "force_custom_plan")
    postgres.execute("ANALYZE", database=name)
    look("after", "force_generic_plan")
    look("after", "force_custom_plan")
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT content FROM messages WHERE role = 'user'",
        "SELECT content FROM messages WHERE owner = 'ann' AND role = 'user'",
        "SELECT value FROM index_entries WHERE conversation_id = '' AND owner = 'ann' AND name = 'noted'",
        "SELECT entry FROM runs",
    ],
)
def test_a_question_without_an_index_would_be_noticed(asking, query):
    """Of a table, and of an owner."""
    assert list(faults(explained(asking(BOUND), query, ())))
