"""What every backend answers for: a new one joins by a line in ``BACKENDS``. The one in memory shares no code with the others."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from deduplication.alignment import fingerprint
from deduplication.alignment.columns import columns
from deduplication.alignment.tombstone import tombstone_of
from deduplication.errors import StoreKeepsNoFiles, UsageError
from deduplication.exchange.exchange import exchange
from deduplication.figures.savings import Seen
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.explain import explain
from deduplication.model import ASSISTANT, BOOKKEEPING, EXACT, PROMPT, PURGED, TEXT, USER, Message
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from deduplication.sessions.evidence import Evidence, gather
from deduplication.storage import contract as base
from deduplication.storage import open_in_folder, open_store
from deduplication.storage.contract import Cursor, ExportRecord, NewOccurrence, Same
from deduplication.storage.log.append_log import Log
from deduplication.storage.log.lines import Damaged
from deduplication.storage.log.records import tombstone_record
from deduplication.storage.log_backed import require_log
from deduplication.storage.log_rewrite import Instead
from deduplication.storage.state import run_places
from exports import Story, kept
from in_memory_store import Content, MemoryStore
from postgres_fixtures import database_in_parts, database_of, versions

BACKENDS = {
    "memory": lambda _folder, content: MemoryStore(content),
    "json": lambda folder, _content: open_store("json", str(folder / "state")),
    "sqlite": lambda folder, _content: open_store("sqlite", str(folder / "state")),
    "hybrid, away": lambda folder, _content: open_store("hybrid", str(folder / "state"), AWAY),
}
IN_A_FOLDER = ("json", "sqlite", "hybrid, away")
AWAY = "postgresql://nobody@127.0.0.1:9/nothing"
"""Where no server is."""
POSTGRES = {f"postgresql-{version}": version for version in versions()}
IN_PARTS = "postgresql in parts, without triggers"
HYBRID = {f"hybrid-{version}": version for version in versions()}


def exchanged(folder, url):
    """A hybrid store, after an exchange where there is something to be exchanged."""
    store = open_store("hybrid", str(folder), url)
    if folder.exists():
        exchange(store)
    return store


@pytest.fixture(params=[*BACKENDS, *POSTGRES, IN_PARTS, *HYBRID])
def opened(request, tmp_path):
    """Opens the same store anew each time it is called, as a new process would."""
    if request.param in BACKENDS:
        content = Content()
        yield lambda: BACKENDS[request.param](tmp_path, content)
        return
    if request.param in HYBRID:
        with database_of(request, HYBRID[request.param]) as url:
            yield lambda: exchanged(tmp_path / "state", url)
        return
    with (
        database_in_parts(request)
        if request.param == IN_PARTS
        else database_of(request, POSTGRES[request.param]) as url
    ):
        yield lambda: open_store("postgresql", str(tmp_path / "state"), url)


@pytest.fixture(params=IN_A_FOLDER)
def opened_log(request, tmp_path):
    """The same of those that lie in a folder, with their log."""
    return lambda: require_log(BACKENDS[request.param](tmp_path, Content()), "a test")


def said(text, role=USER, **more):
    """A message and its occurrence."""
    kind = more.pop("kind", PROMPT if role == USER else TEXT)
    message = Message(role, kind, text, **more)
    return NewOccurrence(fingerprint.fingerprint(message), message, "2026-01-01T00:00:00Z", "source")


def commit(store, conversation, occurrences, *, window=None, name="x", new=None, total=None, same=(), **more):
    """Store one run of occurrences after what the conversation holds."""
    with store.transaction():
        first = len(store.conversation(conversation).columns)
        rows = [(first + n, occurrence) for n, occurrence in enumerate(occurrences)]
        fresh = {o.fingerprint.content_hash for o in occurrences if not store.has_body(o.fingerprint.content_hash)}
        record = ExportRecord(
            name=name,
            sha256=(name * 64)[:64],
            bytes=1000,
            format="text",
            parser=1,
            total=len(rows) if total is None else total,
            new=len(fresh) if new is None else new,
            window=window if window is not None else ([[first, first + len(rows) - 1]] if rows else []),
            **more,
        )
        store.commit(conversation, rows, record, time.perf_counter(), same)


def texts(store, conversation):
    """The contents in reading order."""
    with store.transaction(write=False):
        order = store.conversation(conversation).reading().order
        return [body["content"] for body in store.bodies(conversation, order)]


def test_an_unknown_store_is_empty_and_reading_creates_nothing(opened, tmp_path):
    """Nothing stored: no conversation, no counts, nothing wrong, and no file."""
    store = opened()
    with store.transaction(write=False):
        assert store.conversations() == []
        assert len(store.conversation("c").columns) == 0
        assert store.conversation("c").reading().order == []
        assert not store.has_body("0" * 64)
        assert list(store.seen("0" * 64)) == []
        assert store.figures("c").watermark == -1
        assert (store.unique_count(), store.byte_counts()) == (0, (0, 0))
    assert store.verify() == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_committed_is_read_back_by_the_next_process(opened):
    """Order, repeats, roles, ids and times survive; a body is stored once."""
    messages = [
        said("yes"),
        said("A longer answer.", ASSISTANT, uuid="u-1", source_index=7, fidelity=EXACT),
        said("yes"),
    ]
    commit(opened(), "c", messages)
    store = opened()
    with store.transaction(write=False):
        assert store.conversations() == ["c"]
        rows = list(store.bodies("c", [2, 0, 1]))
        assert [row["content"] for row in rows] == ["yes", "yes", "A longer answer."]
        assert [row["index"] for row in rows] == [2, 0, 1]
        assert (rows[2]["role"], rows[2]["kind"], rows[2]["uuid"], rows[2]["source_index"]) == (
            ASSISTANT,
            TEXT,
            "u-1",
            7,
        )
        assert (rows[2]["fidelity"], rows[0]["fidelity"]) == (EXACT, "layout")
        assert (rows[0]["timestamp"], rows[0]["clock"]) == ("2026-01-01T00:00:00Z", "source")
        assert rows[0]["content_hash"] == messages[0].fingerprint.content_hash
        assert store.has_body(messages[0].fingerprint.content_hash)
        assert store.unique_count() == 2
        columns = store.conversation("c").columns
        assert columns.hashes == [m.fingerprint.content_hash for m in messages]
        assert columns.keys == [m.fingerprint.key for m in messages]
        assert columns.weights == [m.fingerprint.weight for m in messages]
        assert columns.kinds == [PROMPT, TEXT, PROMPT]
        assert columns.uuids == ["", "u-1", ""]
    assert store.verify() == []


def test_a_body_is_shared_between_conversations_and_never_confused(opened):
    """The same words in two conversations are one body and two occurrences."""
    commit(opened(), "one", [said("hello"), said("only here")])
    commit(opened(), "two", [said("hello"), said("only there")], name="y")
    store = opened()
    assert (texts(store, "one"), texts(store, "two")) == (["hello", "only here"], ["hello", "only there"])
    with store.transaction(write=False):
        assert store.unique_count() == 3
        assert store.conversations() == ["one", "two"]


def test_figures_are_counts(opened):
    """Bookkeeping is stored and not counted; exports, messages and duplicates add up."""
    store = opened()
    commit(store, "c", [said("a"), said("/compact", kind=BOOKKEEPING)], total=1, new=1)
    commit(store, "c", [], window=[[0, 1]], name="y", total=1)
    with opened().transaction(write=False):
        pass
    reader = opened()
    with reader.transaction(write=False):
        figures = reader.figures("c")
        assert (figures.watermark, figures.occurrences, figures.unique, figures.bookkeeping) == (1, 1, 1, 1)
        assert (figures.exports, figures.messages_seen, figures.duplicates) == (2, 2, 1)
        assert figures.raw_bytes == 2000
        assert figures.created_at <= figures.updated_at
        raw, stored = reader.byte_counts()
        assert raw == 2000
        assert 0 <= figures.stored_bytes <= stored
        assert (figures.stored_bytes > 0) == (reader.log_backed() is not None)
        assert reader.unique_count() == 1
    assert reader.verify() == []


def test_the_figures_of_all_conversations_are_summed(opened):
    """Exports, captures and messages of all of them, each run once; one that turned out to be another is none by itself."""
    store = opened()
    with store.transaction(write=False):
        assert store.store_figures() == (0, 0, 0, 0, 0)
    commit(opened(), "old", [said("a"), said("b")])
    commit(opened(), "new", [said("b"), said("c")], name="y", new=1, cursor=Cursor("/s", "s", 10, "p", "q", 1))
    commit(opened(), "other", [said("a")], name="o", new=0)
    with store.transaction(write=False):
        assert store.store_figures() == (3, 2, 1, 5, 2)
    commit(store, "old", [said("d")], name="z", same=[Same("new", 3, 2, ((1, 0, False),))])
    for reader in (store, opened()):
        with reader.transaction(write=False):
            assert reader.store_figures() == (2, 3, 1, 6, 2)
    assert store.rebuild() == store.verify() == []
    with store.transaction(write=False):
        assert store.store_figures() == (2, 3, 1, 6, 2)


def test_an_export_that_was_seen_is_known_by_its_hash(opened):
    """Which file went into which conversation."""
    commit(opened(), "c", [said("a")], name="y")
    store = opened()
    with store.transaction(write=False):
        assert [entry.conversation_id for entry in store.seen("y" * 64)] == ["c"]
        assert list(store.seen("z" * 64)) == []


def test_windows_give_the_reading_order(opened):
    """A later window puts a message between two stored ones; the numbers stay."""
    store = opened()
    commit(store, "c", [said("first"), said("third")])
    commit(store, "c", [said("second")], window=[[0, 0], [2, 2], [1, 1]], name="y", total=3)
    assert texts(opened(), "c") == ["first", "second", "third"]


def test_candidates_share_distinctive_messages(opened):
    """Only long messages make a conversation a candidate, the one that shares most first."""
    long = [
        said(f"A long and rather distinctive sentence number {n} about the harbour and its cranes.") for n in range(3)
    ]
    commit(opened(), "one", long[:1])
    commit(opened(), "three", long, name="y")
    commit(opened(), "short", [said("yes")], name="z")
    store = opened()
    with store.transaction(write=False):
        shown = columns([item.fingerprint for item in [*long, said("yes")]])
        assert list(store.candidates(shown)) == ["three", "one"]
        assert list(store.candidates(columns([said("yes").fingerprint]))) == []


def test_a_transaction_within_a_transaction_is_the_same_one(opened):
    """Nested transactions neither wait for themselves nor let go too early."""
    store = opened()
    with store.transaction():
        with store.transaction(write=False):
            assert store.conversations() == []
        commit(store, "c", [said("a")])
        assert store.conversations() == ["c"]
    assert texts(store, "c") == ["a"]


def test_a_transaction_that_fails_changes_nothing(opened):
    """An exception before the commit leaves the store as it was, and usable."""
    store = opened()
    commit(store, "c", [said("a")])
    with pytest.raises(ZeroDivisionError), store.transaction():
        raise ZeroDivisionError
    assert texts(store, "c") == ["a"]
    commit(store, "c", [said("b")], name="y")
    assert texts(opened(), "c") == ["a", "b"]
    assert opened().verify() == []


def test_rebuild_of_a_sound_store_finds_nothing_and_changes_no_answer(opened):
    """Rebuilding is always allowed."""
    commit(opened(), "c", [said("a"), said("b"), said("a")])
    store = opened()
    assert store.rebuild() == []
    assert store.verify() == []
    assert texts(opened(), "c") == ["a", "b", "a"]


def test_text_of_every_kind_survives(opened):
    """Lone surrogates, NUL, line separators, escapes, blocks: what was given is what is read."""
    contents = [
        "\ud800 lone",
        "nul \0 and \u2028 and \x1b[31m",
        "",
        [{"type": "text", "text": "\udcff"}],
        {"k": [1, None]},
    ]
    commit(opened(), "c\u2028", [said(content, fidelity=EXACT) for content in contents])
    assert texts(opened(), "c\u2028") == contents
    assert opened().verify() == []


def test_a_store_that_is_open_sees_what_others_stored(opened):
    """Two open stores take turns: each sees the other's runs at its next transaction."""
    one, two = opened(), opened()
    commit(one, "c", [said("a")])
    assert texts(two, "c") == ["a"]
    commit(two, "c", [said("b")], name="y")
    assert texts(one, "c") == ["a", "b"]
    commit(one, "c", [said("c")], name="z")
    assert texts(two, "c") == ["a", "b", "c"]


def test_a_whole_story_through_the_engine(opened):
    """The engine over this backend: cumulative, compacted, rewrapped and repeated exports give the truth."""
    story = Story(31, exchanges=14)
    dedup = ClaudeConversationDeduplicator.__new__(ClaudeConversationDeduplicator)
    for file in story.exports(3, compact_every=2, rewrap=True, repeat=0.4):
        dedup.store = opened()
        dedup.ingest(file.data, name=file.name, conversation_id="s")
    dedup.store = opened()
    assert kept(dedup.get_full_conversation("s")) == story.truth()
    assert dedup.store.verify() == []


def test_two_numbers_that_are_one_message_are_read_once(opened):
    """What a run shows to be one message: the older one is read, and one body stands for both."""
    commit(opened(), "c", [said("yes"), said("no")])
    commit(opened(), "c", [said("no, not at all"), said("more")], name="y", one=[(1, 2)])
    store = opened()
    assert texts(store, "c") == ["yes", "no", "more"]
    with store.transaction(write=False):
        assert store.conversation("c").extends == {2: 1}
        assert (store.unique_count(), store.announced().announced) == (3, 4)
    assert store.verify() == []


def test_a_conversation_that_turned_out_to_be_another_is_part_of_it(opened):
    """Its messages, its windows and its session go on under the older id; what both hold is read once."""
    commit(opened(), "old", [said("a"), said("b")])
    commit(opened(), "new", [said("b"), said("c")], name="y", session="s")
    commit(opened(), "old", [said("d")], name="z", same=[Same("new", 3, 2, ((1, 0, False),))])
    store = opened()
    assert sorted(texts(store, "old")) == ["a", "b", "c", "d"]
    with store.transaction(write=False):
        assert store.conversations() == ["old"]
        assert (store.canonical("new"), store.session("s"), store.has_session("old")) == ("old", "old", True)
        assert [store.conversation("old").origin(n) for n in range(5)] == [None, None, None, ("new", 0), ("new", 1)]
        assert [each.window for each in store.seen("y" * 64)] == [[[3, 4]]]
        assert store.unique_count() == 4
    assert store.verify() == []


def test_single_rows_and_bodies_are_asked_for_by_themselves(opened):
    """What is known of a number, of a body, whether a conversation has one, and how many of its turns have a key."""
    first, again, other = said("Does the tide clock tick?"), said("does the tide clock tick"), said("Yes.", ASSISTANT)
    commit(opened(), "c", [first, again, other, again])
    commit(opened(), "d", [other], name="y")
    store = opened()
    with store.transaction(write=False):
        row = store.row("c", 1)
        assert (row.content_hash, row.key) == (again.fingerprint.content_hash, again.fingerprint.key)
        assert store.print_of(first.fingerprint.content_hash).key == first.fingerprint.key
        assert store.print_of("0" * 64) is None
        held = [
            [store.holds(name, each.fingerprint.content_hash) for each in (first, other)] for name in ("c", "d", "e")
        ]
        assert held == [[True, True], [False, True], [False, False]]
        assert [store.turns_with(name, first.fingerprint.key) for name in ("c", "d")] == [3, 0]
        assert list(store.prefixes("0" * 16)) == []


def test_what_was_purged_everywhere_is_banned(opened):
    """A tombstone has its place and no body; what it says of itself tells the message wherever it is shown."""
    gone = said("a secret")
    left = tombstone_of(gone.message, gone.fingerprint, everywhere=True)
    commit(opened(), "c", [said("a"), replace(gone, purged=left)], new=1)
    store = opened()
    with store.transaction(write=False):
        assert store.conversation("c").purged == {1}
        assert store.bans().has(gone.message, gone.fingerprint)
        assert not store.bans().has(said("a").message, said("a").fingerprint)
        assert not store.has_body(gone.fingerprint.content_hash)
        (body,) = store.bodies("c", [1])
        assert (body["kind"], body["content"], body["tombstone"].identity) == (PURGED, "", left.identity)
        assert (store.figures("c").purged, store.unique_count()) == (1, 1)
    assert store.verify() == []


def test_a_growing_file_goes_on_where_it_was_read_to(opened):
    """Its cursor, the next number then, and one window for all of its parts."""
    commit(opened(), "c", [said("a")], cursor=Cursor("/s.jsonl", "s", 10, "p", "q", 0), new=1)
    commit(opened(), "c", [said("b")], cursor=Cursor("/s.jsonl", "s", 20, "p", "q", 1), follows=0, name="y", new=1)
    store = opened()
    with store.transaction(write=False):
        assert store.cursor("/s.jsonl") == ("c", Cursor("/s.jsonl", "s", 20, "p", "q", 1), 2)
        assert store.cursors() == [("c", Cursor("/s.jsonl", "s", 20, "p", "q", 1))]
        assert store.conversation("c").windows == [[[0, 1]]]
        assert store.announced() == (2, 2, 0)
        assert store.seen_bytes() == Seen(distinct=2000, captured=2000)
    assert store.verify() == []


# -- stores that lie in a folder -----------------------------------------------------------------------------------------


def test_a_store_that_keeps_no_files_says_so_to_who_needs_them(tmp_path):
    """The error names what cannot be done, and what to do; nothing is asked of such a store that it does not have."""
    store = MemoryStore()
    assert store.log_backed() is None
    with pytest.raises(StoreKeepsNoFiles, match="keeps no files: there is no log in a folder for a purge") as caught:
        purge(store, None, Scope(sessions=("c",)))
    assert "default or json" in caught.value.hint
    assert gather(store, "c", Evidence()) == Evidence()
    assert explain(store, Story(1, exchanges=2).show(0, 2), "a.txt")[0] == "claude-code-text"


def test_bytes_of_the_log_are_read_wherever_lines_begin(opened):
    """Of a store that has a log, any span of it is a piece of all its lines."""
    store = opened()
    if store.log_backed() is None:
        return
    commit(store, "c", [said("a"), said("b"), said("a")])
    commit(store, "c", [said("c")])
    log = opened().log_backed()
    with log.transaction(write=False):
        whole = b"".join(line.data for line in log.lines())
        for start in (0, 7, len(whole) // 2, len(whole)):
            for end in (start, len(whole) - 7, len(whole)):
                assert log.log_span(start, end) == whole[start:end]


def test_the_log_of_a_store_in_a_folder_can_be_read(opened_log, tmp_path):
    """Lines, records, bytes and sizes agree with each other; nothing is there before something is stored."""
    store = opened_log()
    assert store.folder == str(tmp_path / "state")
    with store.transaction(write=False):
        assert (store.log_size(), list(store.lines()), list(store.records())) == (0, [], [])
    commit(store, "c", [said("a"), said("b"), said("a")])
    with store.transaction(write=False):
        lines = list(store.lines())
        assert sum(line.size for line in lines) == store.log_size()
        assert b"".join(line.data for line in lines) == store.log_span(0, store.log_size())
        assert list(store.lines(lines[1].offset, lines[2].offset)) == [lines[1]._replace(number=1)]
        assert ["message" in record for _, record in store.records()] == [True, True, False, False]
        assert not store.has_blob("0" * 64)
    with store.locked_log() as log:
        assert list(log.lines()) == lines
    with store.unrecovered_log() as log:
        assert list(log.lines()) == lines
        known = store.remembered()
    assert known.kinds == {"c": [said(text).fingerprint.kind for text in "aba"]}


def test_the_runs_of_a_conversation_are_told_as_they_were_stored(opened):
    """With their numbers, in order; those of a conversation that turned out to be this one belong to it, a purge does not."""
    store = opened()
    commit(store, "a", [said("a1"), said("a2")], name="a", session="s", gaps=["1 to 3"], known_bytes=4, purged=1)
    commit(store, "b", [said("b1")], name="b", cursor=Cursor("/t", "s", 9, "", "", 0))
    commit(store, "c", [said("c1")], name="c", announces=False)
    commit(store, "a", [said("a3")], name="d", same=[Same("b", 3, 1, ())], new=1, captured=1)
    read = opened()
    with read.transaction(write=False):
        runs = list(read.logged_runs("a"))
        assert [(run.name, run.conversation_id, run.announces) for run in runs] == [
            ("a", "a", True),
            ("b", "a", False),
            ("d", "a", True),
        ]
        assert [(run.total, run.new, run.duplicates, run.captured) for run in runs] == [
            (2, 2, 0, 0),
            (1, 1, 0, 0),
            (1, 1, 0, 1),
        ]
        first = runs[0]
        told = (first.session, first.gaps, first.known_bytes, first.purged, first.bytes, first.format, first.parser)
        assert told == ("s", ("1 to 3",), 4, 1, 1000, "text", 1)
        assert first.sha256 == "a" * 64
        assert first.timestamp.endswith("Z")
        assert first.processing_time_ms >= 0
        assert [run.name for run in read.logged_runs("b")] == ["b"]
        assert [run.announces for run in read.logged_runs("c")] == [False]
        assert list(read.logged_runs("nobody")) == []


@pytest.mark.parametrize(("near", "most"), [(0, 256), (0, 2), (500, 3), (65536, 256)])
def test_the_runs_of_conversations_are_told_from_any_byte_on(opened_log, monkeypatch, near, most):
    """However few ranges are kept of where they stand: by this process, the next one, and one that had to count anew."""
    monkeypatch.setattr(run_places, "NEAR", near)
    monkeypatch.setattr(run_places, "MOST", most)
    store = opened_log()
    for number, name in enumerate("aabacabbcüaa"):
        commit(store, name, [said(f"{name} {number}")], name=str(number))
    counted = opened_log()
    counted.rebuild()
    for told in (store, opened_log(), counted):
        with told.transaction(write=False):
            everything = [(line.offset, record) for line, record in told.records() if "window" in record]
            assert all(len(told.conversation(name).runs) <= most for name in "abcü")
            for names in ("a", "b", "cü", "abcü", "x", ""):
                for start in (0, *(offset for offset, _ in everything), told.log_size()):
                    expected = [run for at, run in everything if at >= start and run["conversation_id"] in set(names)]
                    assert list(told.runs_of(set(names), start)) == expected


def test_the_runs_of_a_conversation_cost_no_reading_of_the_others(opened_log, monkeypatch):
    """The lines that are read for them do not grow with what else is stored."""
    read = []
    lines = Log.lines
    monkeypatch.setattr(Log, "lines", lambda *asked: (read.append(line) or line for line in lines(*asked)))
    monkeypatch.setattr(run_places, "NEAR", 0)
    store = opened_log()
    for rounds in range(3):
        commit(store, "a", [said(f"a {rounds}")], name=f"a{rounds}")
        for number in range(5):
            commit(store, f"b{number}", [said(f"{number} {rounds}")], name=f"{number} {rounds}")
    with store.transaction(write=False):
        read.clear()
        assert [run["export"]["name"] for run in store.runs_of({"a"})] == ["a0", "a1", "a2"]
    assert len(read) == 3


@pytest.mark.parametrize("wrong", [{"window": [[0, 7]]}, {"follows": 9}], ids=["window", "follows"])
def test_a_run_that_no_reader_would_take_is_refused_before_it_is_written(opened_log, wrong):
    """A mistake in front of the store costs the run, never the log."""
    commit(opened_log(), "one", [said("yes"), said("no", ASSISTANT)])
    before = list(opened_log().lines())
    with pytest.raises(Damaged):
        commit(opened_log(), "one", [said("Something new.")], name="y", **wrong)
    assert list(opened_log().lines()) == before
    assert opened_log().verify() == []
    commit(opened_log(), "one", [said("Something new.")], name="y")
    assert len(texts(opened_log(), "one")) == 3


def test_the_log_of_a_store_in_a_folder_can_be_rewritten_beside_the_old_one(opened_log, tmp_path):
    """The body moves to the next line that says it, and what the new files take the place of is named."""
    store = opened_log()
    commit(store, "c", [said("a"), said("b"), said("a")])
    gone = said("a")
    left = tombstone_record("c", 0, tombstone_of(gone.message, gone.fingerprint), None, None)
    with store.transaction():
        made = store.rewrite_log(str(tmp_path / "stage"), Instead({("c", 0): left}, []))
        assert made.files == ["conversation_log.jsonl"]
        assert made.superseded
        assert all((tmp_path / "state" / name).is_file() for name in made.superseded)
    assert texts(store, "c") == ["a", "b", "a"]
    records = [record for _, record in open_in_folder(str(tmp_path / "stage")).records()]
    assert ["message" in record for record in records] == [False, True, True, False]


def test_mending_takes_the_place_of_setting_bits_right(opened_log):
    """Whoever mends a log gets it under the lock, and the index follows from what it says then."""
    store, seen = opened_log(), []
    commit(store, "c", [said("a")])

    def mend(log):
        seen.append(len(list(log.lines())))
        return ["mended"]

    assert store.rebuild(mend) == ["mended"]
    assert seen == [2]
    assert store.verify() == []


def test_a_backend_that_does_not_exist_is_a_usage_error():
    """The error names the backends there are."""
    with pytest.raises(UsageError, match="cassandra") as caught:
        open_store("cassandra", "x")
    assert "json" in caught.value.hint
    with pytest.raises(UsageError, match="database URL"):
        open_store("json", "x", "postgresql://localhost/x")
    assert base.Store
