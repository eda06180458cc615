"""Two stores that share no code give the engine the same answers, whatever it stores in them and in whatever order."""

from __future__ import annotations

import contextlib
import time
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from deduplication.alignment.fingerprint import fingerprint
from deduplication.alignment.tombstone import tombstone_of
from deduplication.errors import NothingToPurge
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.model import ASSISTANT, BOOKKEEPING, COMPACTION, PROMPT, TEXT, USER, Message, counts
from deduplication.project.paths import INDEX_NAMES
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from deduplication.storage import open_store, recount
from deduplication.storage.contract import Cursor, ExportRecord, Mark, NewOccurrence, Same, StoreFigures
from exports import Story, kept
from in_memory_store import MemoryStore
from purge_scenes import Talk
from store_answers import answers

TURNS = 14
WINDOW = st.tuples(st.integers(0, TURNS - 2), st.integers(2, TURNS), st.booleans(), st.sampled_from([60, 80]))
STEP = st.one_of(
    st.tuples(st.just("export"), st.integers(0, 1), WINDOW),
    st.tuples(st.just("transcript"), st.integers(0, 1), st.integers(1, TURNS)),
    st.tuples(st.just("capture"), st.integers(0, 1), st.integers(1, TURNS)),
)


def opened(folder, backend):
    """A deduplicator over an empty store."""
    dedup = ClaudeConversationDeduplicator(folder / backend, "json" if backend == "memory" else backend)
    if backend == "memory":
        dedup.store = MemoryStore()
    return dedup


def ban(dedup, message):
    """The store is one from which this message was purged, wherever it is shown."""
    left = tombstone_of(message, fingerprint(message), everywhere=True)
    gone = NewOccurrence(fingerprint(message), message, "2026-01-01T00:00:00Z", "source", purged=left)
    record = ExportRecord("gone", "0" * 64, 100, "text", 1, 1, 0, [[0, 0]])
    with dedup.store.transaction():
        dedup.store.commit("gone", [(0, gone)], record, time.perf_counter())


def follow(dedup, folder, talks, steps):
    """Do what the steps say; what each of them came to."""
    results = []
    for number, (what, whose, how) in enumerate(steps):
        talk, name = talks[whose], f"{number}.txt"
        if what == "export":
            first, end, compacted, width = how
            data = talk.text(first, max(end, first + 1), compacted=compacted, width=width)
        else:
            data = talk.lines(0, how)
        if what == "capture":
            path = folder / f"{whose}.jsonl"
            path.write_bytes(max(path.read_bytes() if path.exists() else b"", data, key=len))
            done = capture_file(dedup, path)
            results.append(done if done is None else (done.conversation_id, done.total, done.new))
            continue
        dry = dedup.ingest(data, name=name, dry_run=True)
        done = dedup.ingest(data, name=name)
        assert (dry.new, dry.captured, dry.total) == (done.new, done.captured, done.total)
        assert dedup.ingest(data, name=name).new == 0
        results.append((done.conversation_id, done.total, done.new, done.captured, done.duplicates))
    return results


@pytest.mark.unmeasured
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 999), steps=st.lists(STEP, min_size=1, max_size=5), banned=st.booleans())
@example(
    # Two halves, and the file that shows them to be one.
    seed=1,
    steps=[("export", 0, (0, 6, False, 80)), ("export", 0, (7, 14, True, 80)), ("export", 0, (0, 14, False, 60))],
    banned=True,
)
@example(
    # And what is shown, and captured, once they are one.
    seed=1,
    steps=[
        ("export", 0, (0, 6, False, 80)),
        ("export", 0, (7, 14, True, 80)),
        ("export", 0, (0, 14, False, 60)),
        ("export", 0, (5, 14, True, 80)),
        ("capture", 0, 14),
    ],
    banned=False,
)
@example(
    # A transcript grows, and exports of it announce what was captured.
    seed=2,
    steps=[("capture", 0, 5), ("capture", 0, 9), ("export", 0, (0, 14, False, 80)), ("capture", 0, 14)],
    banned=False,
)
def test_a_store_in_memory_and_one_on_the_disk_give_the_same_answers(tmp_path_factory, seed, steps, banned):
    """Conversations, counts, reading orders, announcements, cursors and bans are those of the contract, not of a backend."""
    folder = tmp_path_factory.mktemp("both")
    talks = [Talk(f"a{seed}", TURNS, images=False), Talk(f"b{seed}", TURNS, images=False)]
    found = []
    for backend in ("memory", "json"):
        dedup = opened(folder, backend)
        for old in folder.glob("*.jsonl"):
            old.unlink()
        if banned:
            ban(dedup, said(talks[0]))
        found.append((follow(dedup, folder, talks, steps), answers(dedup.store, talks)))
        assert dedup.store.verify() == []
    assert found[0] == found[1]
    assert any(found[0][1]["banned"]) == banned


def said(talk):
    """A turn of it."""
    turn = next(turn for turn in talk.turns[2:] if turn.kind in (PROMPT, TEXT))
    return Message(turn.role, turn.kind, turn.text)


def standing_body(conversation, number):
    """The body that counts for an occurrence, of whichever store; empty where none does."""
    asked = conversation.body_of if hasattr(conversation, "body_of") else conversation.stands_for
    return asked(number)


class Run:
    """A run that an engine could ask a store to commit, drawn at random; the same for every store that has the same answers."""

    def __init__(self, draw, store, number):
        self.name = draw(st.sampled_from(["one", "two", "three"]))
        self.name = store.canonical(self.name)
        conversation = store.conversation(self.name)
        first = len(conversation)
        standing = {number: standing_body(conversation, number) for number in range(first)}
        self.rows = []
        for end in range(first, first + draw(st.integers(0, 4))):
            self.rows.append((end, self._occurrence(draw, standing, first, end)))
        end = first + len(self.rows)
        said = dict(standing)
        taken = {new.extends for _, new in self.rows if new.redrawn}  # what takes a place is shown in it
        shown = [number for number in range(first) if number not in taken]
        window = [[at, at] for at in (draw(st.lists(st.sampled_from(shown), max_size=3)) if shown else ())]
        window += [[first, end - 1]] if self.rows else []
        breaks = sorted(draw(st.sets(st.integers(1, len(window) - 1)))) if len(window) > 1 else []
        one = draw(st.lists(st.tuples(st.integers(0, end - 1), st.integers(0, end - 1)), max_size=2)) if end else []
        one = [pair for pair in one if said.get(pair[0]) and said.get(pair[0]) == said.get(pair[1])]
        self.same = self._same(draw, store, said, end)
        source = draw(st.sampled_from(["", "", "/a", "/b"]))
        last = end - 1
        cursor = Cursor(source, source, 10 * number, "", "", last) if source else None
        before = store.cursor(source) if source else None
        goes_on = before is not None and before[0] == self.name and 0 <= before[1].last < end
        announces = bool(source) or draw(st.booleans())  # only a file that is read as a whole may be left for later
        counted = store.run_of(self.name, self.rows, window, captures=cursor is not None or not announces)
        kinds = [*conversation.columns.kinds, *(new.fingerprint.kind for _, new in self.rows)]
        self.record = ExportRecord(
            name=f"{number}.txt",
            sha256=draw(st.sampled_from("abc")) * 64 if not source else f"{number:064}",
            bytes=1000,
            format="text",
            parser=1,
            total=sum(counts(kinds[n]) for a, b in window for n in range(a, b + 1)),
            new=counted.new if cursor is None and announces else counted.stored,
            captured=counted.captured,
            window=window,
            breaks=breaks,
            one=[(min(pair), max(pair)) for pair in one if pair[0] != pair[1]],
            marks=[Mark(COMPACTION, window[at][0]) for at in (0, *breaks)] if window and draw(st.booleans()) else [],
            session=draw(st.sampled_from(["", "s", "t"])),
            cursor=cursor,
            follows=before[1].last if goes_on and window else -1,
            known_bytes=0,
            announces=announces,
        )

    @staticmethod
    def _occurrence(draw, standing, first, number):
        """A message; another form only of one that counts, another drawing only of a stored one that says something else."""
        text = draw(
            st.sampled_from(["yes", "no", "A longer answer about the harbour, its cranes and what the tide does."])
        )
        kind = draw(st.sampled_from([PROMPT, TEXT, TEXT, BOOKKEEPING]))
        message = Message(ASSISTANT if kind == TEXT else USER, kind, text, uuid=draw(st.sampled_from([None, "u", "v"])))
        item = fingerprint(message)
        gone = draw(st.integers(0, 9)) == 0 and counts(kind)
        forms = [earlier for earlier, body in standing.items() if body] if counts(kind) and not gone else []
        extends = draw(st.none() | st.sampled_from(forms)) if forms else None
        stored = extends is not None and extends < first and standing[extends] != item.content_hash
        redrawn = stored and draw(st.booleans())
        if redrawn:
            standing.pop(extends)
        standing[number] = item.content_hash if counts(kind) and not gone else ""
        purged = tombstone_of(message, item, everywhere=True) if gone else None
        return NewOccurrence(item, message, "2026-01-01T00:00:00Z", "source", extends, purged, redrawn=redrawn)

    def _same(self, draw, store, said, end):
        others = [name for name in store.conversations() if name != self.name]
        if not others or not end or draw(st.integers(0, 3)):
            return []
        other = draw(st.sampled_from(others))
        count = store.tip(other)
        if not count:
            return []
        pairs = draw(st.dictionaries(st.integers(0, end - 1), st.tuples(st.integers(0, count - 1), st.booleans())))
        found = {}
        for here, (there, better) in sorted(pairs.items()):
            says_the_same = said.get(here) and said[here] == standing_body(store.conversation(other), there)
            if says_the_same and there not in {each[1] for each in found.values()}:
                found[here] = (here, there, better)
        return [Same(other, end, count, tuple(found.values()))]


@pytest.mark.unmeasured
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data(), runs=st.integers(1, 6))
def test_any_run_that_can_be_committed_comes_to_the_same(tmp_path_factory, data, runs):
    """Also runs that no export makes: forms of forms, windows back and forth, pairs, conversations that are one, growing files."""
    folder = tmp_path_factory.mktemp("both")
    memory, disk = MemoryStore(), open_store("json", str(folder / "state"))
    database = open_store("sqlite", str(folder / "database"))
    for number in range(runs):
        with disk.transaction():
            run = Run(data.draw, memory, number)
            captures = run.record.cursor is not None or not run.record.announces
            asked = (run.name, run.rows, run.record.window)
            assert memory.run_of(*asked, captures=captures) == disk.run_of(*asked, captures=captures)
        for store in (memory, disk, database):
            with store.transaction():
                store.commit(run.name, run.rows, run.record, time.perf_counter(), run.same)
        assert answers(memory, ()) == answers(disk, ())
        with disk.transaction(write=False):
            for digit in "abc":
                assert list(memory.seen(digit * 64)) == list(disk.seen(digit * 64))
            for session in "st":
                assert memory.session(session) == disk.session(session)
            for name in ("one", "two", "three"):
                assert memory.canonical(name) == disk.canonical(name)
                shown = memory.conversation(name).columns
                shared = [sorted(each.candidates(shown)) for each in (memory, disk)]
                assert shared[0] == shared[1]
                logged = [
                    [run._replace(timestamp="", processing_time_ms=0) for run in each.logged_runs(name)]
                    for each in (memory, disk)
                ]
                assert logged[0] == logged[1]
        with disk.transaction(write=False):
            committed = [record for _, record in disk.records() if "window" in record]
            for names in ({"one"}, {"two", "three"}):
                assert list(disk.runs_of(names)) == [each for each in committed if each["conversation_id"] in names]
    assert disk.verify() == []
    for many in (1, 16_384):  # told to an index one run at a time, and all of it at once
        with mock.patch.object(recount, "MANY", many):
            assert disk.verify() == []


def recounted(store):
    """The sums over the figures of all conversations, one after another."""
    found = [store.figures(name) for name in store.conversations()]
    members = ("exports", "captures", "messages_seen", "duplicates")
    return StoreFigures(len(found), *(sum(getattr(each, member) for each in found) for member in members))


def told_by(log):
    """The same from the commit records alone: each run counts once, whatever its conversation turned out to be."""
    runs = [record for record in log if "window" in record and "purge" not in record]
    names = {record["conversation_id"] for record in log} - {
        each["same"]["conversation"] for each in log if "same" in each
    }
    captures = sum("cursor" in record for record in runs)
    return (len(names), len(runs) - captures, captures, sum(record["export"]["total"] for record in runs))


UPKEEP = ("reopen", "rebuild", "condense", "older index", "no index", "purge a message", "purge a conversation")


def look_after(folder, backend, store, what, older):
    """Do it to a store; the store as a new process opens it."""
    state = folder / "state"
    hashes = [each for name in store.conversations() for each in store.conversation(name).columns.hashes if each]
    if what == "rebuild":
        assert store.rebuild() == []
    elif what == "condense":
        store.condense()
    elif what.startswith("purge") and hashes:
        whose = store.conversations()[-1]
        with contextlib.suppress(NothingToPurge):  # it was purged before
            purge(store, None, Scope(sessions=(whose,)) if what.endswith("conversation") else Scope(hashes=hashes[:1]))
    elif what.endswith("index"):
        del store
        for name in INDEX_NAMES:
            (state / name).unlink(missing_ok=True)
        for name, data in older.items() if what == "older index" else ():
            (state / name).write_bytes(data)
    return open_store(backend, str(state))


@pytest.mark.parametrize("backend", ["json", "default"])
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), runs=st.integers(1, 5))
def test_what_is_kept_of_all_conversations_is_what_a_recount_comes_to(tmp_path_factory, backend, data, runs):
    """After random runs, captures, conversations that are one, purges, rebuilds, and replays on an index of an earlier moment."""
    folder = tmp_path_factory.mktemp("sums")
    store, older = open_store(backend, str(folder / "state")), {}
    for number in range(runs):
        with store.transaction():
            run = Run(data.draw, store, number)
            store.commit(run.name, run.rows, run.record, time.perf_counter(), run.same)
            assert store.store_figures() == recounted(store)
        what = data.draw(st.sampled_from(UPKEEP))
        with store.transaction(write=False):
            before, log = store.store_figures(), [record for _, record in store.records()]
        if not any("purged" in record for record in log):
            assert before[:4] == told_by(log)
        store = look_after(folder, backend, store, what, older)
        with store.transaction(write=False):
            assert store.store_figures() == recounted(store)
            assert store.store_figures() == before or what.startswith("purge")
        older = {
            name: (folder / "state" / name).read_bytes() for name in INDEX_NAMES if (folder / "state" / name).exists()
        }
    with store.transaction():
        assert store.store_figures() == recounted(store)
    assert store.verify() == []


@pytest.mark.parametrize("backend", ["memory", "json", "default"])
@pytest.mark.parametrize("seed", [5, 6])
def test_the_engine_keeps_the_truth_over_every_backend(tmp_path, backend, seed):
    """Cumulative, compacted, rewrapped and repeated exports, newest first: the conversation is what was said, once."""
    story = Story(seed, exchanges=12)
    dedup = opened(tmp_path, backend)
    new = 0
    for file in reversed(story.exports(3, compact_every=2, rewrap=True, repeat=0.4)):
        new += dedup.ingest(file.data, name=file.name, conversation_id="s").new
    assert kept(dedup.get_full_conversation("s")) == story.truth()
    assert new == dedup.global_unique_count() == dedup.store.announced().announced
    assert sum(counts(kind) for kind in dedup.store.conversation("s").columns.kinds) >= len(story.truth())
