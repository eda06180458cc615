"""Connections that are lost in the middle: what was asked is asked again, what was stored is stored once, and it is said."""

from __future__ import annotations

import functools

import pytest

import postgres_proxy
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.storage.database.errors import DatabaseConnectionLost, DatabaseUnreachable, StoreChanged
from deduplication.storage.database.server import connection as connecting
from exports import Story, kept
from faults.children import run
from store_answers import log_of, moment
from store_backends import DATABASES, Stores

psycopg = pytest.importorskip("psycopg")

STORY = Story(5, exchanges=8)
FILES = STORY.exports(4)
BACKEND = next(iter(DATABASES))


def ingest(dedup, number):
    """Process an export in its minute."""
    with moment(number):
        return dedup.ingest(FILES[number].data, name=FILES[number].name, conversation_id="s")


@pytest.fixture
def stores(request, tmp_path):
    """Empty stores."""
    with Stores(request, tmp_path) as stores:
        yield stores


@pytest.fixture
def dedup(stores):
    """A store with one export."""
    dedup = stores.opened(BACKEND)
    ingest(dedup, 0)
    return dedup


@pytest.fixture
def proxy(stores):
    """A proxy before the server."""
    server, _ = stores.server(BACKEND)
    with postgres_proxy.Proxy(server.port) as proxy:
        yield proxy


def through(stores, proxy, place="state"):
    """The store at a place, by way of the proxy."""
    server, _ = stores.server(BACKEND)
    url = stores.url(BACKEND, place).replace(f"port={server.port}", f"port={proxy.port}")
    return stores.closing(ClaudeConversationDeduplicator("nowhere", "postgresql", url))


def end_sessions(stores, place="state"):
    """End every session that somebody has at the server as the owner of the store at a place."""
    server, database = stores.server(BACKEND)
    owner = stores.url(BACKEND, place).partition("user=")[2].split()[0]
    server.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s AND datname = %s",
        [owner, database],
    )


@pytest.fixture
def expected(stores):
    """What a store in a folder logs of both exports."""
    dedup = stores.opened("json")
    for number in range(len(FILES)):
        ingest(dedup, number)
    return log_of(dedup.store)


@pytest.mark.parametrize("direction", [postgres_proxy.UP, postgres_proxy.DOWN])
def test_an_import_that_is_cut_anywhere_stores_everything_once(stores, proxy, expected, direction):
    """After so many bytes from here or from there, the answer to the commit among them: the log is the same, byte for byte."""
    whole = through(stores, proxy, "whole")
    ingest(whole, 0)
    before = proxy.passed[direction]
    new = ingest(whole, 1).new
    size = proxy.passed[direction] - before
    assert log_of(whole.store) == expected
    ends = sorted({*range(1, size, size // 10), *range(size - 90, size, 12)})
    said = 0
    for end in ends:
        dedup = through(stores, proxy, f"cut after {end}")
        ingest(dedup, 0)
        proxy.cut_after(end, direction)
        done = ingest(dedup, 1)
        assert done.new == new
        said += len(done.warnings)
        assert log_of(dedup.store) == expected
        assert dedup.store.verify() == []
    assert 0 < said < len(ends)  # who only lost the way to let go of the lock has nothing to say


def test_a_commit_whose_answer_was_lost_is_not_made_again(stores, dedup, monkeypatch):
    """The server has it: the head of the log says so."""
    commit, cut = psycopg.Transaction._commit_gen, []

    def lost(self):
        yield from commit(self)
        if not cut:
            cut.append(True)
            end_sessions(stores)
            raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(psycopg.Transaction, "_commit_gen", lost)
    ingest(dedup, 1)
    assert cut
    assert kept(dedup.get_full_conversation("s")) == STORY.truth()
    assert dedup.store.figures("s").exports == 2
    assert dedup.store.verify() == []


def test_a_reader_goes_on_where_nothing_was_stored_meanwhile(stores, dedup):
    """The snapshot is another one, of the same store."""
    with dedup.store.transaction(write=False):
        size = dedup.store.log_size()
        end_sessions(stores)
        assert len(list(dedup.store.bodies("s", [0, 1]))) == 2
        assert dedup.store.log_size() == size
    assert len(dedup.store.warnings) == 1
    assert "connected again after" in dedup.store.warnings[0]


def test_a_reader_is_told_that_the_store_is_another_one_by_now(stores, dedup):
    """What it has read and what it would read belong to two moments."""
    with pytest.raises(StoreChanged), dedup.store.transaction(write=False):
        end_sessions(stores)
        ingest(stores.opened(BACKEND), 1)
        list(dedup.store.bodies("s", [0, 1]))
    assert kept(dedup.get_full_conversation("s")) == STORY.truth()


def test_a_writer_who_lost_the_lock_to_another_stores_nothing(stores, dedup):
    """Somebody stored something in between: the run is refused whole, and can be done again."""
    with pytest.raises(StoreChanged), dedup.store.transaction():
        end_sessions(stores)
        ingest(stores.opened(BACKEND), 1)
        ingest(dedup, 1)
    assert ingest(dedup, 1).new == 0
    assert dedup.store.verify() == []


def test_a_long_answer_goes_on_where_it_was(stores, dedup):
    """What was read already is not read again, in a reader's snapshot and under a writer's lock."""
    for write in (False, True):
        with dedup.store.transaction(write=write):
            session = dedup.store.database
            rows = session.stream("SELECT n FROM generate_series(1, 25) AS n ORDER BY n", at_once=4)
            found = []
            for (number,) in rows:
                found.append(number)
                if number in (6, 17):
                    end_sessions(stores)
        assert found == list(range(1, 26))


def test_a_server_that_stays_away_is_an_error_with_a_name(stores, dedup, proxy, monkeypatch):
    """After some seconds, in which it is tried again and again."""
    dedup = through(stores, proxy)
    monkeypatch.setattr(connecting, "retried", functools.partial(connecting.retried, patience=0.3))
    with pytest.raises(DatabaseUnreachable), dedup.store.transaction():
        proxy.mode = postgres_proxy.REFUSE
        proxy.cut()
        dedup.store.has_body("0" * 64)
    proxy.mode = postgres_proxy.PASS
    assert ingest(dedup, 1).new > 0


def test_what_a_child_inherits_stays_its_parents(stores, dedup):
    """A process that was forked off makes a connection of its own, and leaves that of its parent as it is."""
    with dedup.store.transaction():
        assert run(lambda: dedup.store.database.connected().info.backend_pid).value != (
            dedup.store.database.connected().info.backend_pid
        )
        assert dedup.store.has_body(dedup.store.body_hash("s", 0))
    assert dedup.store.warnings == []


def test_a_line_that_was_cut_leaves_no_lock_behind(stores, dedup):
    """The server's process knows nothing of it, and would hold the lock until it asks: the next connection ends it."""
    with dedup.store.transaction():
        kept_open = dedup.store.database.connected()
        dedup.store.database._link._connection = None
        assert dedup.store.has_body(dedup.store.body_hash("s", 0))
        assert ingest(dedup, 1).new > 0
    with pytest.raises(psycopg.errors.AdminShutdown):
        kept_open.execute("SELECT 1")
    kept_open.close()


def test_a_rebuild_whose_connection_is_lost_changes_nothing(stores, dedup, monkeypatch):
    """It is one transaction: what another connection would make of its second half is not even tried."""
    server, database = stores.server(BACKEND)
    server.execute("UPDATE watermarks SET highest_index = 99", database=database)
    problems = dedup.store.verify()
    forget = dedup.store._stored.forget

    def lose():
        monkeypatch.undo()
        end_sessions(stores)
        forget()

    monkeypatch.setattr(dedup.store._stored, "forget", lose)
    with pytest.raises(DatabaseConnectionLost):
        dedup.store.rebuild()
    assert dedup.store.verify() == problems != []
    assert dedup.store.rebuild() == []
