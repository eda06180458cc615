"""What a store holds as rows: every message once, in reading order, and every run, whatever the backend."""

from __future__ import annotations

import pytest

from deduplication.errors import StoreError
from deduplication.files import clock
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from deduplication.storage import open_store
from deduplication.storage.contract import Cursor, Same
from deduplication.tables import message_rows
from deduplication.tables.choice import Choice
from deduplication.tables.columns import MESSAGES, RUNS, row_of
from deduplication.tables.of_store import tables_of
from in_memory_store import Content, MemoryStore
from table_scenes import HOSTILE, LONG, commit, content_of, fill, message, said

BACKENDS = {
    "memory": lambda _folder, content: MemoryStore(content),
    "json": lambda folder, _content: open_store("json", str(folder / "state")),
    "default": lambda folder, _content: open_store("default", str(folder / "state")),
}
EVERYTHING = Choice()
NAMES = ["plain", "ids 'of\" all, kinds", "grown"]


@pytest.fixture(params=BACKENDS)
def store(request, tmp_path):
    """A store of each kind, empty."""
    return BACKENDS[request.param](tmp_path, Content())


def told(store, name="messages", choice=EVERYTHING, redact=None):
    """The rows of a table as dictionaries, and their tally."""
    ((table, rows, tally),) = tables_of(store, [name], choice, redact)
    return [dict(zip((column.name for column in table.columns), row)) for row in rows], tally


def test_every_message_is_told_once_in_reading_order(store):
    """Of each conversation as it is read; one that grew in its last form, in the place of its first."""
    count = fill(store)
    rows, tally = told(store)
    assert (len(rows), tally.rows, tally.conversations) == (count, count, 3)
    for name in NAMES:
        own = [row for row in rows if row["conversation_id"] == name]
        assert [content_of(row) for row in own] == said(store, name)
        assert [row["reading_position"] for row in own] == list(range(len(own)))
    assert [row["message_index"] for row in rows if row["conversation_id"] == "grown"] == [2, 1]
    assert [row["extends"] for row in rows if row["conversation_id"] == "grown"] == [0, None]


def test_a_row_says_what_the_store_says(store):
    """Roles, kinds, hashes, ids, numbers, times; what 64 bits or a calendar do not hold is left empty, its spelling stays."""
    fill(store)
    first, blocks, untimed, *_, long = [row for row in told(store)[0] if row["conversation_id"] == NAMES[1]]
    assert (first["role"], first["kind"], first["fidelity"], first["clock"]) == ("user", "prompt", "exact", "source")
    assert (first["uuid"], first["source_index"], first["timestamp"]) == ("u-1", 7, "2026-02-03T04:05:06.789Z")
    assert clock.exactly(first["created_at"]) == "2026-02-03T04:05:06.789000Z"
    with store.transaction(write=False):
        assert first["content_hash"] == store.body_hash(NAMES[1], 0)
    assert (blocks["content_type"], blocks["uuid"], blocks["clock"]) == ("json", "u\\x00\\udc80", "capture")
    assert (untimed["created_at"], untimed["timestamp"]) == (None, "the day before\\x00yesterday")
    assert untimed["source_index"] is None
    assert (content_of(long), clock.exactly(long["created_at"])) == (LONG, "2026-02-04T02:30:00.000000Z")


@pytest.mark.parametrize(("most", "size"), [(1, 1 << 30), (3, 1 << 30), (1_000, 0), (1_000, 40)])
def test_however_it_is_read_it_is_the_same(store, monkeypatch, most, size):
    """Message by message, or many at a time."""
    fill(store)
    expected = told(store)[0]
    monkeypatch.setattr(message_rows, "_AT_ONCE", most)
    monkeypatch.setattr(message_rows, "_BYTES_AT_ONCE", size)
    assert told(store)[0] == expected


def test_no_more_is_read_than_was_asked_for(store, monkeypatch):
    """Rows are made as they are taken: of a large store a few megabytes are in memory, and it is free in between."""
    commit(store, "c", [message(f"message {n}") for n in range(100)])
    read = []
    bodies = type(store).bodies
    monkeypatch.setattr(type(store), "bodies", lambda *asked: (read.append(0) or each for each in bodies(*asked)))
    monkeypatch.setattr(message_rows, "_AT_ONCE", 10)
    (table,) = tables_of(store, ["messages"], EVERYTHING)
    for count in range(1, 31):
        next(table.rows)
        assert len(read) <= 10 * (1 + (count - 1) // 10)
    commit(store, "c", [message("while somebody reads")])
    assert len(list(table.rows)) == 70


def test_what_is_stored_meanwhile_comes_next_time(store):
    """The answer is what the store held at one moment: conversations that turn out to be one meanwhile are told as they were."""
    commit(store, "one", [message("a"), message("b")])
    commit(store, "two", [message("c")])
    (table,) = tables_of(store, ["messages"], EVERYTHING)
    rows = [next(table.rows)]
    commit(store, "three", [message("later")])
    with store.transaction():
        commit_same(store, "one", "two", 2, 1)
    rows += table.rows
    assert [(row[0], row[5]) for row in rows] == [("one", "a"), ("one", "b"), ("two", "c")]
    assert [(row[0], row[5]) for row in tables_of(store, ["messages"], EVERYTHING)[0].rows] == [
        ("one", "a"),
        ("one", "b"),
        ("one", "c"),
        ("three", "later"),
    ]


def commit_same(store, name, other, at, count):
    """A run that shows that another conversation is this one."""
    from deduplication.storage.contract import ExportRecord

    record = ExportRecord("same", "e" * 64, 10, "text", 1, total=1, new=0, window=[[0, 0]])
    store.commit(name, [], record, 0.0, [Same(other, at, count, ())])


@pytest.mark.parametrize("first", ["one", "two"])
def test_no_run_is_told_twice(store, first):
    """Nor left out, where conversations turn out to be one while runs are told; where that cannot be, it is an error."""
    commit(store, "one", [message("a")], file="of one")
    commit(store, "two", [message("b")], file="of two")
    (table,) = tables_of(store, ["runs"], EVERYTHING)
    names = [next(table.rows)[10]]
    other = "two" if first == "one" else "one"
    commit_same(store, first, other, 1, 1)
    if first == "one":
        names += [row[10] for row in table.rows]
        assert names == ["of one", "of two"]
    else:
        with pytest.raises(StoreError, match="turned out to be one"):
            list(table.rows)


def test_runs(store):
    """What exports announced and what was captured, by the names of the audit; those of one conversation in order."""
    commit(store, "a", [message("one"), message("two")], file="first.txt", session="s", gaps=["1 to 3"], known_bytes=9)
    commit(store, "b", [message("else")], file="second.txt")
    commit(store, "a", [message("three")], file="/t.jsonl", cursor=Cursor("/t.jsonl", "s", 9, "", "", 2))
    commit(store, "a", [message("one")], file="third.txt", purged=1)
    rows, tally = told(store, "runs")
    assert [row["export_name"] for row in rows] == ["first.txt", "/t.jsonl", "third.txt", "second.txt"]
    assert (tally.rows, tally.conversations) == (4, 2)
    first, captured, again, _ = rows
    assert (first["operation"], first["messages_processed"], first["new_messages"]) == ("process_export", 2, 2)
    assert (first["session"], first["gaps"], first["known_bytes"]) == ("s", '["1 to 3"]', 9)
    assert (first["export_sha256"], first["export_bytes"], first["parser"]) == ("00" * 32, 1000, 1)
    assert (captured["operation"], captured["new_messages"], captured["captured_messages"]) == ("capture", 0, 1)
    assert (again["new_messages"], again["duplicates_filtered"], again["purged_messages"]) == (0, 1, 1)
    assert all(row["created_at"] is not None for row in rows)
    assert [row["session"] for row in rows] == ["s", None, None, None]


def test_a_choice_of_time(store):
    """From the beginning, which belongs to it, to the end, which does not; what has no time is counted and left out."""
    fill(store)
    since, until = (clock.microseconds(text) for text in ("2026-02-03T04:05:06.789Z", "2026-02-04"))
    rows, tally = told(store, choice=Choice(since=since, until=until))
    assert [content_of(row) for row in rows] == ["first"]
    assert (tally.rows, tally.conversations, tally.without_time) == (1, 1, 1)
    rows, tally = told(store, choice=Choice(since=until))
    assert [content_of(row) for row in rows] == [LONG, "It begins and goes on"]
    assert [row["reading_position"] for row in rows] == [6, 0]
    assert told(store, choice=Choice(until=0))[0] == []
    assert told(store)[1].without_time == 0
    now = clock.microseconds("2100-01-01")
    assert len(told(store, "runs", Choice(until=now))[0]) == 4
    assert told(store, "runs", Choice(since=now))[0] == []


def test_a_choice_of_a_conversation(store):
    """That one alone, of both tables."""
    fill(store)
    chosen = Choice("grown")
    assert {row["conversation_id"] for row in told(store, choice=chosen)[0]} == {"grown"}
    assert [row["conversation_id"] for row in told(store, "runs", chosen)[0]] == ["grown", "grown"]


def test_secrets_are_taken_out_where_that_is_asked_for(store):
    """In texts and in blocks, in the names of exports and in gaps; hashes and ids stay, and each row says how many there were."""
    commit(
        store,
        "c",
        [message("the word is xyzzy, xyzzy"), message([{"type": "text", "text": "xyzzy"}]), message("nothing")],
        file="xyzzy.txt",
        gaps=["xyzzy"],
    )

    def redact(text):
        return text.replace("xyzzy", "[X]"), ["found"] * text.count("xyzzy")

    rows, tally = told(store, redact=redact)
    assert [content_of(row) for row in rows] == [
        "the word is [X], [X]",
        [{"type": "text", "text": "[X]"}],
        "nothing",
    ]
    assert ([row["redacted"] for row in rows], tally.redacted) == ([2, 1, 0], 3)
    exact = told(store)[0]
    assert [row["content_hash"] for row in rows] == [row["content_hash"] for row in exact]
    assert [row["redacted"] for row in exact] == [0, 0, 0]
    (run,), tally = told(store, "runs", redact=redact)
    assert (run["export_name"], run["gaps"], tally.redacted) == ("[X].txt", '["[X]"]', 2)


def test_an_empty_store_has_empty_tables(store):
    """And looking makes nothing."""
    assert told(store)[0] == told(store, "runs")[0] == []


def test_what_was_purged_is_left_out(tmp_path):
    """Its place is left: positions and numbers have a gap, and no row says anything of it; the purge is no run."""
    store = open_store("default", str(tmp_path / "state"))
    texts = [f"message number {n} of the tides" for n in range(4)]
    commit(store, "c", [message(text) for text in texts])
    with store.transaction(write=False):
        identity = store.body_hash("c", 1)
    purge(store, None, Scope(hashes=(identity,)))
    rows, tally = told(store)
    assert [row["content"] for row in rows] == [texts[0], *texts[2:]]
    assert [(row["message_index"], row["reading_position"]) for row in rows] == [(0, 0), (2, 2), (3, 3)]
    assert tally.without_time == 0
    assert told(store, choice=Choice(since=0))[1].without_time == 0
    assert [row["operation"] for row in told(store, "runs")[0]] == ["process_export"]


def test_a_column_that_must_be_there_is_there():
    """A row without a value that is not optional is a defect, and found where it is made."""
    with pytest.raises(KeyError):
        row_of(RUNS, {})
    assert row_of(MESSAGES, {column.name: column.name for column in MESSAGES.columns})[0] == "conversation_id"
    assert len(HOSTILE) == len(set(HOSTILE))
