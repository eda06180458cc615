"""What happens in a store: every event once, in its order, on every kind of store."""

from __future__ import annotations

import json
import time

import pytest

import dashboard_scenes as scenes
from deduplication.activity.feed import CAPTURE, EXPORT, FAILURE, HOOK, PURGE, Feed
from deduplication.activity.history import History
from deduplication.files import locking
from deduplication.hooks import event_log, failures
from deduplication.metrics.audited_runs import audited_runs, purges
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope


def ingest(dedup, name, count=3):
    """One export more."""
    dedup.ingest(scenes.numbered(name, range(count)), name=f"{name}.json", conversation_id=name)


@pytest.fixture
def in_folder(tmp_path):
    """A store in a folder with a few days in it."""
    return scenes.fortnight(tmp_path / "tides", days=3)


@pytest.fixture
def in_database(tmp_path, database):
    """The same in a database."""
    return scenes.fortnight(tmp_path / "tides", "postgresql", database, days=3)


def folder_of(dedup, tmp_path):
    """Where its log of runs lies; empty for a database."""
    return str(scenes.state_of(tmp_path / "tides")) if dedup.store.log_backed().in_folder() else ""


def anew(dedup):
    """The runs and purges that the audit has."""
    with dedup.store.transaction(write=False):
        entries = list(dedup.store.log_backed().audit())
    return list(audited_runs(entries)), purges(entries)


def reads_on(dedup, tmp_path, *, purges_too):
    """After each of many changes, a purge among them, what was read on is what is read from the beginning."""
    history = History(folder_of(dedup, tmp_path))
    for step in range(6):
        ingest(dedup, f"more-{step}", step + 2)
        if step == 3 and purges_too:
            purge(dedup.store, None, Scope(sessions=("more-1",)))
        if step == 4:
            dedup.store.rebuild()
        with dedup.store.transaction(write=False):
            history.read_on(dedup.store)
        runs, removed = anew(dedup)
        assert history.runs == runs
        assert purges(history.removals) == removed
        assert f"more-{step}" in history.changed
        assert [each.run for each in history.recent] == runs[-30:]
        history.changed.clear()


def test_reading_on_is_reading_anew_in_a_folder(in_folder, tmp_path):
    """Also after a purge and a rebuild, which write the audit anew."""
    reads_on(in_folder, tmp_path, purges_too=True)


def test_reading_on_is_reading_anew_in_a_database(in_database, tmp_path):
    """What a purge of its folder does to it comes as another log, which is read from the beginning."""
    reads_on(in_database, tmp_path, purges_too=False)


def test_a_database_whose_rows_are_others(in_database, tmp_path):
    """As after a purge: what was read does not go on, and all of it is read once more."""
    history = History()
    logged = in_database.store.log_backed()
    with in_database.store.transaction(write=False):
        history.read_on(in_database.store)
        entries = list(logged.audit())
    for rows in (entries[1:], entries[2:-1], [*entries[1:], entries[0]], []):
        logged.audit = lambda rows=rows: iter(rows)
        with in_database.store.transaction(write=False):
            history.read_on(in_database.store)
        assert history.runs == list(audited_runs(rows))


def test_every_event_of_a_folder_comes_once(in_folder, tmp_path):
    """And in its order."""
    comes_once(in_folder, tmp_path, purges_too=True)


def test_every_event_of_a_database_comes_once(in_database, tmp_path):
    """And in its order."""
    comes_once(in_database, tmp_path, purges_too=False)


def test_a_line_that_is_not_whole_waits(tmp_path):
    """Somebody is writing it: it is read when its end is there."""
    dedup = scenes.fortnight(tmp_path / "tides", days=2)
    path = scenes.state_of(tmp_path / "tides") / "deduplication_log.jsonl"
    data = path.read_bytes()
    history = History(str(path.parent))
    path.write_bytes(data[:-40])
    history.read_on(dedup.store)
    before = len(history.runs)
    with path.open("r+b") as file:
        file.write(data)
    history.read_on(dedup.store)
    assert len(history.runs) == before + 1
    assert history.runs == anew(dedup)[0]


def comes_once(dedup, tmp_path, *, purges_too):
    """Exports, captures and purges, with their numbers; a second look has only what is new."""
    feed = Feed(dedup.store, str(scenes.state_of(tmp_path / "tides")))
    first = feed.look()
    assert [event.kind for event in first].count(EXPORT) == 3
    assert [event.kind for event in first].count(CAPTURE) == 3
    assert feed.look() == []
    ingest(dedup, "new", 5)
    (event,) = feed.look()
    assert (event.kind, event.about, event.text, event.messages, event.new) == (EXPORT, "new", "new.json", 5, 5)
    if purges_too:
        purge(dedup.store, None, Scope(sessions=("new",)))
        assert [event.kind for event in feed.look()] == [PURGE]
    assert feed.look() == []


def test_hooks_and_their_failures(tmp_path):
    """How often each was called since; a failure with its reason; neither twice."""
    dedup = scenes.fortnight(tmp_path / "tides", days=1)
    state = str(scenes.state_of(tmp_path / "tides"))
    event_log.note(state, "Stop")
    feed = Feed(dedup.store, state)
    assert [(event.about, event.text) for event in feed.look() if event.kind == HOOK] == [
        ("Stop", "called, 1 time in all")
    ]
    for _ in range(3):
        event_log.note(state, "Stop")
    event_log.note(state, "SessionEnd")
    failures.append(
        f"{state}/hooks.log", f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} PreCompact: StoreLocked: it was\n"
    )
    found = {(event.kind, event.about): event.text for event in feed.look()}
    assert found[HOOK, "Stop"] == "called, 3 times since, 4 times in all"
    assert found[FAILURE, "PreCompact"] == "StoreLocked: it was"
    assert (HOOK, "SessionEnd") in found
    assert feed.look() == []


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"Stop": 1}', b'{"Stop": {"count": "x", "last": 5}}', b"\xff\x00"]
)
def test_notes_that_are_none(tmp_path, data):
    """They are for nobody's bread and butter: what cannot be read is passed over."""
    dedup = scenes.fortnight(tmp_path / "tides", days=1)
    state = scenes.state_of(tmp_path / "tides")
    (state / "hooks.json").write_bytes(data)
    (state / "hooks.log").write_bytes(data)
    assert all(event.kind in (EXPORT, CAPTURE) for event in Feed(dedup.store, str(state)).look())


def test_how_things_stand(tmp_path):
    """Totals are the store's, today's is what came today, and who holds a lock is seen."""
    root = tmp_path / "tides"
    dedup = scenes.fortnight(root, days=3)
    state = scenes.state_of(root)
    feed = Feed(dedup.store, str(state))
    feed.look()
    now = feed.now()
    with dedup.store.transaction(write=False):
        assert now.messages == dedup.store.unique_count()
    assert now.today == sum(run.added for run in anew(dedup)[0] if time.time() - run.moment < 3600)
    assert now.busy == ()
    with locking.present(str(state / locking.RUNS)):
        assert feed.now().busy == ("a run",)
    assert json.dumps(now.as_dict())
