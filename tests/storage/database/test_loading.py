"""Lines of another log taken over by a database: the same bytes, the same answers, however they are cut into parts."""

from __future__ import annotations

import pytest

from deduplication.storage import open_store
from deduplication.storage.database import loading, new_rows
from deduplication.storage.log.lines import Damaged
from full_store import FullStore


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A store in a folder with everything in it."""
    folder = tmp_path_factory.mktemp("full")
    return FullStore(folder / "state", folder / "client").filled()


def lines_of(store):
    """The bytes of a log, line by line."""
    with store.transaction(write=False):
        return [line.data for line in store.lines()]


def answers(store):
    """What a store says of all that it has."""
    with store.transaction(write=False):
        found = [store.store_figures(), store.seen_bytes(), store.announced(), store.unique_count(), store.cursors()]
        found.append(store.bans().__dict__)
        for name in store.conversations():
            order = store.conversation(name).reading().order
            found += [name, order, store.figures(name), list(store.bodies(name, order))]
    return found


def test_a_log_is_taken_over_as_it_is(database, full):
    """Line by line, images included; every answer is the same, and all of it verifies."""
    source, target = full.dedup.store, open_store("postgresql", "", database)
    with target.transaction():
        sizes = list(target.load(lines_of(source), source.blobs.read))
    assert sizes == [sum(map(len, lines_of(source)))]
    assert lines_of(target) == lines_of(source)
    assert answers(target) == answers(source)
    assert target.verify() == []


@pytest.mark.parametrize(("at_once", "piece", "many"), [(1, 2, 1), (3_000, 3, 2), (20_000, 100, 500)])
def test_however_it_is_cut_the_same_is_stored(newest_postgres, full, monkeypatch, at_once, piece, many):
    """Lines asked about, sent and committed in parts of any size; and lines that another process brings."""
    monkeypatch.setattr(loading, "_AT_ONCE", at_once)
    monkeypatch.setattr(loading, "_PIECE", piece)
    monkeypatch.setattr(new_rows, "_MANY", many)
    source = full.dedup.store
    lines = lines_of(source)
    name = newest_postgres.new_database()
    target = open_store("postgresql", "", newest_postgres.dsn(name))
    with target.transaction():
        size = next(target.load(lines, source.blobs.read))
    target = open_store("postgresql", "", newest_postgres.dsn(name))
    with target.transaction():
        assert target.log_size() == size
        with source.transaction(write=False):
            rest = [line.data for line in source.lines(size)]
        list(target.load(rest, source.blobs.read))
    assert lines_of(target) == lines
    assert answers(target) == answers(source)
    assert target.verify() == []
    target.database.close()
    newest_postgres.drop_database(name)


def test_half_a_run_and_a_damaged_line_are_refused_and_leave_nothing(database, full):
    """What is stored ends with a run, and what was sent of the one that failed is not there."""
    lines = lines_of(full.dedup.store)
    target = open_store("postgresql", "", database)
    for wrong in (lines[:1], [lines[0][:-5] + b"0000\n"]):
        with target.transaction(), pytest.raises(Damaged):
            list(target.load(wrong))
    with target.transaction(write=False):
        assert (target.log_size(), target.conversations()) == (0, [])
    assert target.verify() == []
