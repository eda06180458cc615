"""Readers, writers and owners of one database beside each other: each sees one moment, and their own."""

from __future__ import annotations

import pytest

from deduplication.storage.database.errors import StoreChanged
from deduplication.storage.database.session import Session
from exports import Story, kept
from faults.children import end, run, start
from store_answers import answers, asked_besides, audit_of, log_of, moment
from store_backends import DATABASES, Stores

psycopg = pytest.importorskip("psycopg")

STORY = Story(8, exchanges=9)
FILES = STORY.exports(3)
BACKEND = next(iter(DATABASES))


@pytest.fixture
def stores(request, tmp_path):
    """Empty stores."""
    with Stores(request, tmp_path) as stores:
        yield stores


def ingest(dedup, number):
    """Process an export in its minute."""
    with moment(number):
        return dedup.ingest(FILES[number].data, name=FILES[number].name, conversation_id="s")


@pytest.mark.parametrize("backend", DATABASES)
def test_a_reader_sees_the_moment_at_which_it_began(stores, backend):
    """Whatever is stored meanwhile: rows, lines, sums, all of one moment; the next look sees the rest."""
    reader, writer = stores.opened(backend), stores.opened(backend)
    ingest(writer, 0)
    with reader.store.transaction(write=False):
        before = answers(reader.store), reader.store.log_size()
        ingest(writer, 1)
        assert len(list(reader.store.lines())) == len(list(reader.store.lines(0, before[1])))
        assert (answers(reader.store), reader.store.log_size()) == before
        assert reader.store.database.rows("SELECT count(*) FROM runs")[0][0] == 1
    assert answers(reader.store) == answers(writer.store) != before[0]


def test_readers_beside_a_writer_see_whole_runs_only(stores):
    """A process stores export after export, and this one reads: each answer is the conversation after some run."""
    states = [[], *(STORY.truth(0, file.end) for file in FILES)]
    url = stores.opened(BACKEND)  # so that there is one
    ingest(url, 0)

    def write():
        dedup = stores.opened(BACKEND)
        for number in range(1, len(FILES)):
            ingest(dedup, number)

    child = start(write)
    reader = stores.opened(BACKEND)
    seen = []
    while states[-1] not in seen[-1:]:
        seen.append(kept(reader.get_full_conversation("s")))
        assert seen[-1] in states
    assert end(*child).trace == ""
    assert reader.store.warnings == []


def test_writers_wait_for_each_other(stores):
    """Who holds the store for writing holds it to the end of the transaction, whatever the others do."""
    dedup = stores.opened(BACKEND)
    ingest(dedup, 0)
    with dedup.store.transaction():
        child = start(lambda: ingest(stores.opened(BACKEND), 1).new)
        assert run(lambda: kept(stores.opened(BACKEND).get_full_conversation("s"))).value == STORY.truth(
            0, FILES[0].end
        )
        ingest(dedup, 1)
    assert end(*child).value == 0  # it was told of the run that it waited for
    with dedup.store.transaction(write=False):
        assert dedup.store.store_figures().exports == 3


def test_who_does_not_hold_the_lock_cannot_store_on_top_of_another_run(stores, monkeypatch):
    """Some program that knows of no lock: what was stored since it looked is compared, and nothing of its run is stored."""
    dedup, other = stores.opened(BACKEND), stores.opened(BACKEND)
    ingest(dedup, 0)
    monkeypatch.setattr(Session, "_lock", lambda _self, _connection: None)
    with pytest.raises(StoreChanged), dedup.store.transaction():
        ingest(other, 2)
        ingest(dedup, 1)
    monkeypatch.undo()
    assert ingest(dedup, 1).new == 0
    assert dedup.store.verify() == []


def test_owners_know_nothing_of_each_other(stores):
    """Two stores in the same tables, with the same words and ids in them: each is as if it were alone, byte for byte."""
    alone = stores.opened("json")
    both = [stores.opened(BACKEND, place) for place in ("one", "two")]
    for number in range(len(FILES)):
        for dedup in (*both, alone):
            ingest(dedup, number)
    for dedup in both:
        assert log_of(dedup.store) == log_of(alone.store)
        assert audit_of(dedup.store) == audit_of(alone.store)
        assert (answers(dedup.store), asked_besides(dedup.store)) == (answers(alone.store), asked_besides(alone.store))
        assert dedup.store.verify() == []
    assert both[0].store.rebuild() == []
    server, database = stores.server(BACKEND)
    server.execute("UPDATE watermarks SET highest_index = 99", database=database)
    assert both[0].store.rebuild() == []
    assert both[0].store.verify() == []
    assert len(both[1].store.verify()) == 1
