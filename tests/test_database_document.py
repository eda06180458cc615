"""docs/database.md is true: every block of it is run, in order, against real servers (``database_document`` says how).

Each section begins where "In five commands" ended, with a project and a server of its own.
"""

from __future__ import annotations

import gc
import re
import shutil

import pytest

import database_document
import postgres_fixtures
import postgres_server
import postgres_tls
from database_document import FIRST, PAGE, RUN, Place
from deduplication import ClaudeConversationDeduplicator
from deduplication.storage.database.server import address, connection
from documents import section, text_of

BLOCKS = list(database_document.blocks())
SETUP = "In five commands"
OWN = ("TLS", "Backups", "A new major version", "Settings of the server", "Several machines", "Read replicas")
"""Sections with a test of their own, which knows more of what must come out."""
EXPORT = "python3 .coditect/scripts/export-dedup.py --backend postgresql --no-checkpoint"
LATER = "~/Downloads/2026-03-05-EXPORT-TIDE-CLOCK.txt"
pytestmark = [pytest.mark.e2e, pytest.mark.unmeasured]


def below(heading):
    """The blocks below a heading that are run."""
    return [block for block in BLOCKS if block.heading == heading and block.language in RUN and not block.not_run]


@pytest.fixture(scope="session")
def prepared(installed_template, tmp_path_factory):
    """For a version: a place where the first section was run, and whose server is stopped. Each is made once."""
    made = {}

    def at(installation):
        if installation.major not in made:
            folder = tmp_path_factory.mktemp("database-document")
            sandbox = installed_template.copy(folder / "sandbox")
            shutil.rmtree(sandbox.state.parent)  # nothing was stored in the project's folder yet
            place = Place(sandbox, installation)
            try:
                place.serve()
                for block in below(SETUP):
                    place.run(block)
            finally:
                place.stop()
            made[installation.major] = place
        return made[installation.major]

    return at


@pytest.fixture
def places(prepared, tmp_path):
    """A copy of that place, with its server running."""
    made = []

    def at(installation):
        postgres_fixtures.require_psycopg()
        before = prepared(installation)
        made.append(before.copy(before.sandbox.copy(tmp_path / "sandbox")))
        return made[-1]

    yield at
    for place in made:
        place.stop()


@pytest.fixture(params=postgres_fixtures.versions(), ids=lambda version: f"postgres{version}")
def place(request, places):
    """The same for each version that is found here."""
    if request.param == "none":
        postgres_fixtures.missing("no PostgreSQL server is found")
    return places(next(each for each in postgres_server.installations() if str(each.major) == request.param))


def run(place, heading, before=()):
    """Run what is below a heading; ``before`` are pairs of a text and what is done before the first block that has it."""
    waiting = dict(before)
    for block in below(heading):
        for text in [text for text in waiting if text in block.body]:
            waiting.pop(text)()
        place.run(block)
    assert not waiting


# --- the document itself ------------------------------------------------------------------------------------------


def test_every_block_is_run_or_says_why_not():
    """A block is of a language that is run, the diagram, or below a paragraph that begins with "Not run" and gives a reason."""
    left = [block for block in BLOCKS if block.language not in {*RUN, "mermaid"} and not block.not_run]
    assert [(block.line, block.language) for block in left] == []
    assert [block.line for block in BLOCKS if block.not_run and len(block.not_run) < 60] == []


def test_files_and_servers_are_named():
    """A block of settings says for which file it is."""
    assert [block.line for block in BLOCKS if block.language == "ini" and "file" not in block.where] == []


def test_the_tables_are_those_of_the_catalogue(database):
    """The list of tables and the diagram are what the script makes of an empty database."""
    psycopg = pytest.importorskip("psycopg")
    from deduplication.storage.database import schema
    from test_documents import script_of

    with psycopg.connect(database, autocommit=True) as connection:
        schema.bring_up(connection)
        assert text_of(PAGE) == script_of("make_er_diagram").page(connection)


def test_the_limits_are_those_of_the_code():
    """The table of limits has every one of ours, with its value."""
    rows = re.findall(r"^\| (`.+?) \| (`.+?`) \| .+ \|$", section(text_of(PAGE), "## Connections"), re.MULTILINE)
    told = [
        pair for names, values in rows for pair in zip(re.findall(r"`(\w+)`", names), re.findall(r"`(\w+)`", values))
    ]
    ours = {key: value for key, value in address._DEFAULTS.items() if value.isdigit()}
    assert sorted(told) == sorted([*ours.items(), *connection.LIMITS.items()])


# --- what it shows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    [heading for heading in dict.fromkeys(block.heading for block in BLOCKS) if below(heading) and heading not in OWN],
)
def test_what_a_section_shows_is_what_happens(place, heading):
    """Every command and statement runs as written, and every session prints what it shows."""
    if heading != SETUP:
        run(place, heading)


def messages_of(place, host, database="dedup_db", user="alice"):
    """Every conversation of a user's store as it reads, read by the product in this process."""
    url = f"postgresql://{user}@localhost:{place.port(host)}/{database}"
    dedup = ClaudeConversationDeduplicator(place.sandbox.state, backend="postgresql", connection_string=url)
    assert dedup.store.log_backed().verify() == []
    found = {name: dedup.get_full_conversation(name) for name in dedup.conversations()}
    del dedup
    gc.collect()  # and with it its connection
    return found


def test_full_text_finds_something(place):
    """Query 7 of the page finds messages of the conversation that was stored."""
    (query,) = re.findall(r"^-- 7\..*\n(SELECT(?:.*\n)+?)\n", below("Queries")[0].body, re.MULTILINE)
    url = f"postgresql://alice@{FIRST}/dedup_db"
    assert place.must(f"psql -X -At -d {url} <<'EOF'\n{query}EOF")


def test_tls(places):
    """With the certificates that the section makes, Alice is let in without a password, and nobody without TLS."""
    place = places(postgres_tls.tls_installation())
    run(place, "TLS")
    (place.sandbox.home / ".pgpass").unlink()
    address = "postgresql://{}@db.example.com/dedup_db?sslmode={}"
    ask = f"psql -At -d '{address}' -c 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'"
    assert place.must(ask.format("alice", "verify-full")) == "t\n"
    for told in (("alice", "disable"), ("bob", "verify-full")):
        code, output = place.bash(ask.format(*told), place.sandbox.project)
        assert (code, "t\n" in output) == (2, False)


@pytest.mark.slow
def test_backups(place):
    """The restored dump and the server restored to a moment have the same conversations, and ``verify`` finds nothing wrong."""
    before = messages_of(place, FIRST)
    assert [len(messages) for messages in before.values()] == [33]

    def noon():
        (moment,) = place.query("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')||'+00'")
        place.moments["2026-11-30 11:59:00+00"] = moment

    def old_ones():
        place.must(
            """
            sudo -u postgres touch -d '91 days ago' /mnt/backups/dumps/dedup_db-20200101.dump
            sudo -u postgres mkdir /mnt/backups/base/20200101
            sudo -u postgres touch -d '91 days ago' /mnt/backups/base/20200101
            """
        )

    run(place, "Backups", {"an accident": noon, "-mtime +90": old_ones})
    assert place.query("SELECT count(*) FROM messages") == ["0"]
    assert messages_of(place, "restored.example.com") == before
    assert messages_of(place, FIRST, "dedup_lost") == before
    left = place.must("sudo -u postgres ls /mnt/backups/dumps /mnt/backups/base /mnt/backups/wal")
    assert "20200101" not in left
    assert ".dump" in left
    (started,) = place.must(
        "sudo -u postgres sed -n 's/^START WAL.*(file //p' /mnt/backups/base/*/backup_label"
    ).split()
    assert min(re.findall(r"^[0-9A-F]{24}$", left, re.MULTILINE)) == started.rstrip(")")


@pytest.mark.slow
def test_a_new_major_version(places):
    """The new server has every conversation and goes on, the old one takes no changes any more, and one ends as the other."""
    oldest, newest = postgres_server.installations()[-1], postgres_server.installations()[0]
    if oldest == newest:
        postgres_fixtures.missing("there is only one version of PostgreSQL here")
    place = places(oldest)
    place.serve("new.example.com", newest)
    run(place, "A new major version")
    before, after = messages_of(place, FIRST), messages_of(place, "new.example.com")
    assert [*before] == ["tide-clock", "conversation"]
    assert after["conversation"] == before["conversation"]
    assert after["tide-clock"][: len(before["tide-clock"])] == before["tide-clock"]
    assert len(after["tide-clock"]) == len(before["tide-clock"]) + 2
    code, output = place.bash(f"{EXPORT} --db-url postgresql://alice@{FIRST}/dedup_db {LATER}", place.sandbox.project)
    assert code
    assert "The database takes no changes" in output


def test_settings_of_the_server(place):
    """With the settings of the section the server's log has nothing of a message, and with the original design's it has."""
    run(place, "Settings of the server")
    place.must(f"{EXPORT} ~/Downloads/conversation.json")
    log = place.servers[FIRST].said
    assert "harbour master" not in log()
    place.configure(FIRST, "postgresql.conf", "log_statement = 'mod'\nlog_parameter_max_length = -1\n")
    place.must(f"{EXPORT} {LATER}")
    assert "And the moon?" in log()


def test_several_machines(place):
    """A run stores into a database whose messages lie on two others, and ``verify`` finds nothing wrong."""
    for host in ("second.example.com", "third.example.com"):
        place.serve(host)
    run(place, "Several machines")
    counts = [
        int(place.query("SELECT count(*) FROM messages WHERE owner = 'alice'", host, "dedup_shared")[0])
        for host in (FIRST, "second.example.com", "third.example.com")
    ]
    assert counts[0] == sum(counts[1:]) > 30


@pytest.mark.slow
def test_read_replicas(place):
    """The standby has everything, takes over with the same address, and the old server follows it."""
    run(place, "Read replicas")
    there = "standby.example.com"
    assert place.query("SELECT pg_is_in_recovery()") == ["t"]
    assert place.query("SELECT pg_is_in_recovery()", there) == ["f"]
    before = messages_of(place, there)
    assert {name: len(messages) for name, messages in before.items()} == {"tide-clock": 35, "conversation": 2}
    behind = "SELECT coalesce(bool_and(replay_lsn < pg_current_wal_lsn()), TRUE) FROM pg_stat_replication"
    postgres_server.wait_for(lambda: place.query(behind, there) == ["f"], "the old server is behind")
    assert messages_of(place, FIRST) == before
