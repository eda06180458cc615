"""The figures of a store: what they are counted of, the same on every backend."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from deduplication.accounting.run_history import seconds
from deduplication.errors import NotAnExport, StoreDamaged, StoreLocked
from deduplication.metrics import operations
from deduplication.metrics.audited_runs import AuditedRun, audited_runs
from deduplication.metrics.distribution import Distribution, distribution
from deduplication.metrics.measurement import growth, measure, rate_trend
from deduplication.metrics.trends import CONVERSATION, EVERY, trend
from deduplication.storage import open_store
from deduplication.storage.audit_entries import BACKUP, REBUILD
from deduplication.storage.database.errors import DatabaseUnreachable
from exports import Story
from migration_scenes import LOGGED, full, moved, stores
from postgres_fixtures import database_of, versions

__all__ = ["full", "stores"]
DAY = 24 * 3600
NOON = time.mktime((2026, 3, 4, 12, 0, 0, 0, 0, -1))
HERE = ("measured", "store", "stored_bytes", "saved_bytes", "savings_pct", "database", "disk")
"""Figures of the place where a store lies, and of the moment."""


def run(days=0.0, **more):
    """A run so many days before noon of a Wednesday."""
    figures = {"total": 10, "duplicates": 4, "new": 6, "captured": 0, "added": 6, "raw": 100, "stored": 50}
    return AuditedRun(NOON - days * DAY, "c", False, **{**figures, "milliseconds": 5, **more})


def same_everywhere(metrics):
    """What must not depend on where the store lies."""
    return {name: value for name, value in metrics.as_dict().items() if name not in HERE}


@pytest.fixture(scope="session")
def expected(full):
    """The figures of the store with everything in it."""
    operations.note(full.dedup.store, REBUILD, time.monotonic(), found=3)
    operations.note_failures(full.dedup.store, str(full.folder), [NotAnExport("x")])
    return measure(full.dedup, str(full.folder))


@pytest.mark.parametrize("backend", LOGGED)
def test_every_backend_has_the_same_figures(full, expected, stores, backend):
    """A store with everything in it, moved: every figure, every trend, and what was done to it is the same."""
    target = stores.opened(backend)
    moved(full.dedup, target)
    assert operations.carry(full.dedup.store, target.store) == 2
    assert operations.carry(full.dedup.store, target.store) == 0
    folder = str(stores._folder / "state" / backend)
    now = expected.measured
    found = measure(target, folder, now=now)
    assert same_everywhere(found) == same_everywhere(expected)
    for by in EVERY:
        assert trend(target.store, by, 30, now) == trend(full.dedup.store, by, 30, now)
    if backend in stores._servers:
        assert found.database.reachable
        assert found.database.queries.number
        assert found.database.size_bytes
        assert found.database.most_connections >= sum(found.database.connections.values()) >= 1
    else:
        assert found.database is None


@pytest.mark.parametrize("version", versions())
def test_a_hybrid_store_has_the_same_figures(request, full, expected, tmp_path, version):
    """And it tells how its database is; one that cannot be reached costs nothing but that."""
    with database_of(request, version) as url:
        for address, there in ((url, True), ("postgresql://nobody@127.0.0.1:9/nothing", False)):
            dedup = type(full.dedup)(tmp_path / f"state-{there}", "hybrid", address)
            moved(full.dedup, dedup)
            operations.carry(full.dedup.store, dedup.store)
            found = measure(dedup, str(tmp_path / f"state-{there}"), now=expected.measured)
            assert same_everywhere(found) == same_everywhere(expected)
            assert found.database.reachable is there
            assert bool(found.database.error) is not there


def test_the_sums_of_the_audit_are_the_totals_of_the_store(full, expected):
    """What went in by exports and transcripts is what the store says of itself, also after unions and purges."""
    totals, exports, parts = expected.totals, expected.exports, expected.transcripts
    assert exports.files == totals["exports_processed"]
    assert parts.files == totals["captures"]
    assert exports.messages + parts.messages == totals["messages_processed"]
    assert all(each.new + each.duplicates == each.messages for each in (exports, parts))
    assert expected.duplicates == exports.duplicates + parts.duplicates
    assert expected.purges.times == 2
    assert expected.purges.messages > 0
    assert json.loads(json.dumps(expected.as_dict())) == expected.as_dict()


def test_an_empty_store_has_figures_too(tmp_path):
    """Nothing is divided by nothing."""
    from deduplication import ClaudeConversationDeduplicator

    found = measure(ClaudeConversationDeduplicator(tmp_path / "state"), str(tmp_path / "state"))
    assert (found.duplicates_pct, found.messages_per_conversation, found.active_conversations) == (0.0, 0.0, 0)
    assert found.processing_ms == Distribution()
    assert not (tmp_path / "state").exists()


def test_percentiles_are_values_that_were_there():
    """The nearest rank: 95 of 100 values do not exceed the one told."""
    found = distribution([*range(1, 101)])
    assert (found.p50, found.p95, found.p99, found.most, found.mean) == (50, 95, 99, 100, 50.5)
    assert distribution([7]) == Distribution(1, 7.0, 7.0, 7, 7, 7, 7)
    assert distribution([1, 2]).p50 == 1
    assert distribution([1, 2, 3]).p50 == 2


def test_today_is_held_against_a_week_ago():
    """Days of the user's own clock: what was stored in no form before, and what the log grew by."""
    first_hours = 0.4
    six_days_ago, week_ago, before = 6.4, (6.6, 7.0, 7.4), (7.6, 13.4)
    runs = [run(0), run(first_hours), run(six_days_ago, added=2), *(run(each, added=3) for each in week_ago)]
    runs += [*(run(each, added=100) for each in before), run(14), run(-1)]
    found = growth(runs, NOON)
    assert (found.today, found.week_ago) == (12, 9)
    assert (found.last_7_days, found.before_7_days) == (14, 209)
    assert (found.log_bytes, found.log_bytes_per_day) == (150, 150 / 7)


def test_the_rate_of_the_last_week_is_held_against_that_before():
    """In percentage points; parts of transcripts, which show everything once, say nothing of it."""
    runs = [run(1, duplicates=9), run(8, duplicates=5), run(1, total=1000, duplicates=0)]
    runs[2] = runs[2]._replace(captures=True)
    found = rate_trend(runs, NOON)
    assert found == (90.0, 50.0)
    assert found.change == 40.0
    assert rate_trend([run(1)], NOON).change is None


def test_only_what_grew_is_active(tmp_path):
    """An export that shows nothing new does not make its conversation active."""
    from deduplication import ClaudeConversationDeduplicator

    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    for seed in (1, 2):
        file = Story(seed).exports(1)[0]
        dedup.ingest(file.data, name=file.name, conversation_id=f"story-{seed}")
    found = measure(dedup, str(tmp_path / "state"))
    assert found.active_conversations == 2
    assert measure(dedup, str(tmp_path / "state"), now=found.measured + 8 * DAY).active_conversations == 0
    rows = trend(dedup.store, CONVERSATION, 1, found.measured)
    assert [row.name for row in rows] == [
        max(("story-1", "story-2"), key=lambda n: len(dedup.get_full_conversation(n)))
    ]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotAnExport("x"), operations.EXPORT),
        (DatabaseUnreachable("x"), operations.DATABASE),
        (StoreDamaged("x"), operations.DAMAGE),
        (StoreLocked("x"), operations.STORE),
        (ZeroDivisionError(), operations.DEFECT),
    ],
)
def test_a_failure_has_a_kind(error, kind):
    """By which it is counted."""
    assert operations.kind_of(error) == kind


def test_what_fails_is_noted_beside_a_database_that_cannot_be_reached(tmp_path):
    """The folder has it, without what the error said; where there is no folder nothing is made."""
    store = open_store("postgresql", str(tmp_path), "postgresql://nobody@127.0.0.1:9/nothing")
    operations.note_failures(store, str(tmp_path / "nowhere"), [DatabaseUnreachable("the secret place")])
    assert list(tmp_path.iterdir()) == []
    operations.note_failures(store, str(tmp_path), [DatabaseUnreachable("the secret place")])
    (path,) = tmp_path.iterdir()
    assert b"secret" not in path.read_bytes()
    assert json.loads(path.read_bytes())["metadata"] == {"kind": "database", "error": "DatabaseUnreachable"}


def test_a_torn_line_costs_only_itself(tmp_path):
    """A process was killed while it noted something: the next note begins on a line of its own."""
    from deduplication import ClaudeConversationDeduplicator

    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    dedup.ingest(b'{"conversation_id": "c", "messages": [{"role": "user", "content": "hello"}]}', name="c.json")
    operations.note(dedup.store, REBUILD, time.monotonic())
    path = Path(tmp_path / "state" / "operations.jsonl")
    path.write_bytes(path.read_bytes() + b'{"conversation_id": "", "oper')
    operations.note(dedup.store, BACKUP, time.monotonic(), snapshot=3)
    with dedup.store.transaction(write=False):
        assert [each.operation for each in operations.operations(dedup.store, "")] == [REBUILD, BACKUP]
    assert dedup.store.verify() == []
    dedup.store.rebuild()
    with dedup.store.transaction(write=False):
        assert [each.metadata for each in operations.operations(dedup.store, "")] == [{}, {"snapshot": 3}]


def test_an_audit_that_cannot_be_read_in_part_is_read_in_part(full):
    """A line that says something else is no run."""
    with full.dedup.store.transaction(write=False):
        audit = list(full.dedup.store.audit())
    broken = [audit[0]._replace(metadata={}), audit[1]._replace(created_at="yesterday"), *audit[2:]]
    assert [*audited_runs(broken)] == [*audited_runs(audit[2:])]
    assert seconds(audit[0].created_at) > 0
