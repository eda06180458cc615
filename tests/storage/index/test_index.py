"""index: what it answers is what the log says, in whatever state its file is."""

from __future__ import annotations

import gc
import json
import os
import stat
from pathlib import Path
from unittest import mock

import pytest

from deduplication.accounting.store_totals import totals
from deduplication.alignment import fingerprint
from deduplication.errors import StoreDamaged, StoreNotWritable
from deduplication.figures.savings import Savings
from deduplication.files import atomic
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import EXACT, PROMPT, USER, Message
from deduplication.project.paths import FORMER_INDEX, HASHES, INDEX, LOG_NAME
from deduplication.storage import indexed_log, recount
from deduplication.storage.contract import Cursor, ExportRecord, NewOccurrence
from deduplication.storage.index import index as index_module
from deduplication.storage.index import sorted_runs
from deduplication.storage.index.index import Index
from deduplication.storage.index.index_file import IndexFile
from deduplication.storage.index.log_rows import LogRows
from deduplication.storage.index.sorted_runs import SortedRuns
from deduplication.storage.log_store import LogStore
from deduplication.storage.state import stretches
from exports import Story, kept
from thorough import THOROUGH

STORY = Story(8, exchanges=9)
FILES = STORY.exports(3, compact_every=2)


def dedup(folder):
    """As a new process has it."""
    return ClaudeConversationDeduplicator(folder)


@pytest.fixture
def folder(tmp_path):
    """A store with the first two exports of the story in it."""
    for file in FILES[:2]:
        dedup(tmp_path / "state").ingest(file.data, name=file.name, conversation_id="s")
    return tmp_path / "state"


@pytest.fixture
def runs(monkeypatch):
    """Indexes of many runs and blocks, as those of large stores are."""
    monkeypatch.setattr(sorted_runs, "SMALL", 0)
    monkeypatch.setattr(sorted_runs, "BLOCK", 64)
    monkeypatch.setattr(sorted_runs, "LARGEST", 20)


def content(folder):
    """What the index says of itself, and every entry of it."""
    store = LogStore(str(folder))._indexed
    store.log.recover(write=False)
    assert store.index.load() is not None
    return store.index._about, list(store.index._all())


def commit(store, name, texts, *, sha256, uuids=(), source=""):
    """Store these prompts as an export, or as a part of a growing file."""
    with store.transaction():
        at = store.tip(name)
        messages = [
            Message(USER, PROMPT, text, uuid=uuid or None, fidelity=EXACT)
            for text, uuid in zip(texts, [*uuids, *[""] * len(texts)])
        ]
        prints = fingerprint.fingerprints(messages)
        rows = [
            (at + n, NewOccurrence(prints[n], messages[n], "2026-01-01T00:00:00Z", "source")) for n in range(len(texts))
        ]
        window = [[at, at + len(texts) - 1]]
        counts = store.run_of(name, rows, window, captures=bool(source))
        new = counts.stored if source else counts.new
        cursor = Cursor(source, "session", 10 * at, "p", "q", at + len(texts) - 1) if source else None
        record = ExportRecord(
            "f", sha256 * 64, 10, "x", 1, len(texts), new, window, cursor=cursor, follows=at - 1 if source else -1,
            session="session" if source else "",
        )  # fmt: skip
        store.commit(name, rows, record, 0.0)


def tiny(folder):
    """A store of five messages in two conversations, one of them captured."""
    commit(LogStore(str(folder)), "one", ["yes", "a longer prompt about tides", "yes"], sha256="a")
    commit(LogStore(str(folder)), "two", ["yes", "go on"], sha256="b", uuids=["u1", "u2"], source="/t.jsonl")


def answers(store):
    """What can be asked of the tiny store, every kind of question."""
    with store.transaction(write=False):
        names = store.conversations()
        shown = store.conversation("one").columns
        return {
            "bodies": {name: list(store.bodies(name, range(store.tip(name)))) for name in names},
            "heads": [
                (store.figures(name), store.conversation(name).windows, store.has_session(name)) for name in names
            ],
            "hashes": [store.body_hash(name, number) for name in names for number in range(store.tip(name))],
            "known": [store.has_body(each) for each in (*shown.hashes, "0" * 64)],
            "seen": [list(store.seen(digit * 64)) for digit in "abc"],
            "sessions": [store.session("session"), store.session("none")],
            "cursors": [store.cursor("/t.jsonl"), store.cursors(), store.cursor("none")],
            "uuids": [store.known_uuids(name, ["u1", "u2", "u3"]) for name in names],
            "candidates": store.candidates(shown),
            "sums": [store.store_figures(), store.unique_count(), store.announced(), store.seen_bytes()],
        }


@pytest.mark.unmeasured
def test_every_flipped_bit_and_every_cut_is_noticed_or_costs_nothing(tmp_path):
    """Every byte of a small store's index: whoever reads gets the right answers, whoever writes leaves a sound index."""
    folder = tmp_path / "state"
    tiny(folder)
    right, path = answers(LogStore(str(folder))), folder / INDEX
    sound = path.read_bytes()
    damaged = [
        sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :]
        for at in range(0, len(sound), 1 if THOROUGH else 3)
    ]
    damaged += [sound[:at] for at in range(0, len(sound), 1 if THOROUGH else 7)]
    damaged += [sound + b"torn", sound + bytes(5000), bytes(len(sound)), sound * 2]
    for number, data in enumerate(damaged):
        path.write_bytes(data)
        assert answers(LogStore(str(folder))) == right
        assert path.read_bytes() == data
        if number % 50 == 0 or number > len(damaged) - 5:
            commit(LogStore(str(folder)), "three", [f"text {number}"], sha256="c")
            assert LogStore(str(folder)).verify() == []
            right = answers(LogStore(str(folder)))


def test_an_index_grown_run_by_run_is_the_same_as_one_made_at_once(folder, runs):
    """I2: its content follows from the log: entry for entry what a rebuild makes."""
    dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
    dedup(folder).ingest(Story(9, exchanges=3).exports(3)[0].data, name="d", conversation_id="other")
    grown = content(folder)
    assert dedup(folder).store.rebuild() == []
    assert content(folder) == grown
    dedup(folder).store.condense()
    assert content(folder) == grown
    assert dedup(folder).store.verify() == []


def test_a_process_that_stays_open_saves_each_run(tmp_path, runs):
    """One open store, several runs: the index is what each of them made of it, and another process agrees."""
    one, other = dedup(tmp_path / "state"), dedup(tmp_path / "state")
    for file in FILES:
        one.ingest(file.data, name=file.name, conversation_id="s")
        assert kept(other.get_full_conversation("s")) == STORY.truth(0, file.end)
    assert other.store.verify() == []


def test_bodies_whose_hashes_begin_alike_are_told_apart(tmp_path, monkeypatch):
    """The beginning of a hash decides nothing: though all of them begin alike, each body is stored, once, and found."""
    for name in ("body_prefix", "turn_prefix"):
        monkeypatch.setattr(stretches, name, lambda _text: b"alike")
    folder = tmp_path / "state"
    for number in range(3):
        commit(LogStore(str(folder)), "one", [f"text {number}", f"more {number}", "yes"], sha256=str(number))
    store = LogStore(str(folder))
    with store.transaction(write=False):
        assert [each["content"] for each in store.bodies("one", range(9))][::3] == ["text 0", "text 1", "text 2"]
        assert sum("message" in record for _, record in store.records()) == store.unique_count() == 7
    assert store.verify() == []


def test_of_a_body_that_comes_again_and_again_the_log_is_read_once(tmp_path):
    """From the second time on the index has what a hit is proven by."""
    folder = tmp_path / "state"
    commit(LogStore(str(folder)), "one", ["yes", "text"], sha256="a")
    commit(LogStore(str(folder)), "one", ["yes", "more"], sha256="b")
    with mock.patch.object(LogRows, "prove", side_effect=AssertionError("the log was read")):
        commit(LogStore(str(folder)), "one", ["yes", "other"], sha256="c")
    assert LogStore(str(folder)).verify() == []


def test_what_is_new_is_told_without_reading_the_log_or_all_of_the_index(folder, runs):
    """New bodies, ids and files are looked up in a block or two of each run; no row is read."""
    dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
    store, asked = LogStore(str(folder)), []
    read = IndexFile.read

    def counted(file, start, size):
        asked.append(size)
        return read(file, start, size)

    with store.transaction(write=False), mock.patch.object(LogRows, "_lines", side_effect=AssertionError("read")):
        with mock.patch.object(
            store._indexed.index._places, "_read", lambda *a: counted(store._indexed.index._file, *a)
        ):
            assert not store.has_body("0123456789" + "0" * 54)
        assert store.known_uuids("s", ["none"]) == {}
        assert not store.seen("f" * 64)
        assert store.tip("s") > 0
    assert 0 < sum(asked) < (folder / INDEX).stat().st_size / 2


def test_a_reader_mends_in_memory_only(folder):
    """Somebody who only reads gets the right answer from a damaged index, and changes nothing on the disk."""
    damaged = bytearray((folder / INDEX).read_bytes())
    damaged[40] ^= 255
    (folder / INDEX).write_bytes(damaged)
    store = dedup(folder)
    assert kept(store.get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    assert store.get_statistics("s")["exports_processed"] == 2
    assert (folder / INDEX).read_bytes() == damaged


@pytest.mark.parametrize("write", [False, True])
def test_damage_that_is_met_half_way_is_mended_half_way(folder, write):
    """The store was opened, then the file was damaged: the question is asked again of an index made from the log."""
    store = dedup(folder).store
    with store.transaction(write=write):
        data = (folder / INDEX).read_bytes()
        with open(folder / INDEX, "r+b") as file:
            file.write(data[:20] + bytes(len(data) - 400))
        assert store.figures("s").exports == 2
        assert next(iter(store.bodies("s", [3])))["index"] == 3
    with dedup(folder).store.transaction(write=write):
        pass
    assert (dedup(folder).store.verify() == []) is write


def test_a_torn_end_costs_no_more_than_what_it_told(folder, runs):
    """A killed process left half of what it was writing: the root before that is taken, and the log's end replayed."""
    dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
    before = (folder / INDEX).read_bytes()
    other = Story(9, exchanges=1).exports(1)[0]
    dedup(folder).ingest(other.data, name="d", conversation_id="other")
    after = (folder / INDEX).read_bytes()
    assert after.startswith(before)
    sound = content(folder)
    (folder / INDEX).write_bytes(after[:-7])
    with mock.patch.object(Index, "begin", side_effect=AssertionError("all of the log was read")):
        assert dedup(folder).conversations() == ["s", "other"]
        with dedup(folder).store.transaction():
            pass
    assert content(folder) == sound
    assert dedup(folder).store.verify() == []


def test_an_index_of_another_store_or_version_is_not_believed(folder, tmp_path):
    """A shorter log's index, put here from another store: its end is not that of a run here. A later version's as well."""
    dedup(tmp_path / "other").ingest(FILES[0].data, name="x", conversation_id="s")
    sound = (folder / INDEX).read_bytes()
    (folder / INDEX).write_bytes((tmp_path / "other" / INDEX).read_bytes())
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    with dedup(folder).store.transaction():
        pass
    assert (folder / INDEX).read_bytes() == sound
    with mock.patch.object(index_module, "VERSION", 99):
        dedup(folder).store.rebuild()
    assert dedup(folder).store.verify() != []
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    with dedup(folder).store.transaction():
        pass
    assert (folder / INDEX).read_bytes() == sound


def test_the_indexes_of_version_0_1_go_once_there_is_a_new_one(folder):
    """They are derived data: the first run that writes makes the index from the log, then deletes them."""
    sound = (folder / INDEX).read_bytes()
    (folder / INDEX).unlink()
    for name in (*FORMER_INDEX, HASHES):
        (folder / name).write_bytes(b"of an earlier version")
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    assert (folder / FORMER_INDEX[0]).exists()
    with dedup(folder).store.transaction():
        pass
    assert not [name for name in (*FORMER_INDEX, HASHES) if (folder / name).exists()]
    assert (folder / INDEX).read_bytes() == sound
    assert dedup(folder).store.verify() == []


def test_a_store_of_plain_files_stays_one(tmp_path, monkeypatch):
    """Named json once it has its hashes as JSON and seals nothing, whoever opens it afterwards."""
    monkeypatch.setattr(indexed_log, "OPEN", 1)
    folder = tmp_path / "state"
    ClaudeConversationDeduplicator(folder, backend="json").ingest(FILES[0].data, name="a", conversation_id="s")
    dedup(folder).ingest(FILES[1].data, name="b", conversation_id="s")
    dedup(folder).store.condense()
    assert not (folder / "sealed").exists()
    hashes = json.loads((folder / HASHES).read_bytes())
    assert hashes == {"s": [each["content_hash"] for each in dedup(folder).get_full_conversation("s")]}
    (folder / HASHES).unlink()
    with dedup(folder).store.transaction():
        pass
    assert json.loads((folder / HASHES).read_bytes()) == hashes
    assert dedup(folder).store.verify() == []


def test_the_file_is_private(folder):
    """Mode 0600; one that was opened up is closed again by the next run."""
    os.chmod(folder / INDEX, 0o644)
    dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
    assert stat.S_IMODE((folder / INDEX).stat().st_mode) == 0o600


def test_a_save_that_fails_is_a_warning_and_the_run_is_stored(folder, monkeypatch, runs):
    """The log has the run; the same process goes on with right answers, and the next one brings the index up to it."""
    real = {name: getattr(atomic, name) for name in ("append", "replace")}

    def full(name):
        def write(path, *arguments, **options):
            if str(path).endswith(INDEX):
                raise StoreNotWritable(f"{path}: no space left")
            real[name](path, *arguments, **options)

        return write

    for name in real:
        monkeypatch.setattr(atomic, name, full(name))
    store = dedup(folder)
    result = store.ingest(FILES[2].data, name="c", conversation_id="s")
    assert any("no space left" in warning for warning in result.warnings)
    assert kept(store.get_full_conversation("s")) == STORY.truth()
    assert store.ingest(FILES[2].data, name="c", conversation_id="s").new == 0
    monkeypatch.undo()
    with dedup(folder).store.transaction():
        pass
    assert dedup(folder).store.verify() == []


def test_a_file_that_vanished_under_an_open_store_comes_back_whole(folder, runs):
    """What it had is written again together with what is new."""
    store = dedup(folder)
    with store.store.transaction():
        (folder / INDEX).unlink()
        store.ingest(FILES[2].data, name="c", conversation_id="s")
    assert dedup(folder).store.verify() == []


def test_the_sums_over_all_conversations_cost_no_entry(folder, monkeypatch):
    """What a run with a checkpoint asks of the whole store stands in the root: nothing of a conversation is read."""
    store = LogStore(str(folder))
    for name in ("get", "beginning", "everything"):
        monkeypatch.setattr(SortedRuns, name, mock.Mock(side_effect=AssertionError("something was read")))
    figures = totals(store, Savings())
    assert (figures["conversations"], figures["exports_processed"], figures["captures"]) == (1, 2, 0)


def test_verify_names_an_index_that_says_something_else(folder):
    """With checksums that agree: entry for entry it is compared with what the log says."""
    store = LogStore(str(folder))
    with store.transaction():
        store._indexed.state.entered("s").figures["exports"] += 1
        store._indexed.save(b"")
    assert [each for each in dedup(folder).store.verify() if each.startswith(INDEX)]
    dedup(folder).store.rebuild()
    assert dedup(folder).store.verify() == []


def test_a_log_is_told_to_an_index_in_parts(folder, monkeypatch):
    """However often it is written in between, what comes of it is the same."""
    sound = content(folder)
    monkeypatch.setattr(recount, "MANY", 1)
    (folder / INDEX).unlink()
    with dedup(folder).store.transaction():
        pass
    assert content(folder) == sound
    assert dedup(folder).store.verify() == []


def test_ids_of_any_form_are_found_again(tmp_path):
    """Ids that are no UUIDs, and the same id in two conversations, are each found in their own."""
    ids = [
        "0f0e0d0c-0b0a-4908-8706-050403020100",
        "0F0E0D0C-0B0A-4908-8706-050403020100",
        "msg_1:0",
        "ü\ud800",
        "x" * 300,
    ]
    folder = tmp_path / "state"
    for number, name in enumerate(("one", "two")):
        commit(LogStore(str(folder)), name, [f"text {n}" for n in range(5)], sha256=str(number), uuids=ids)
    again = LogStore(str(folder))
    with again.transaction(write=False):
        assert again.known_uuids("two", [*ids, "unknown"]) == {uuid: [n] for n, uuid in enumerate(ids)}
        assert again.known_uuids("three", ids) == {}
        assert again.conversation("one").columns.uuids == ids
    assert again.verify() == []


def test_a_folder_in_its_place_is_named_and_the_store_works(folder):
    """The index's place is taken by a folder: every answer is right, writing warns, rebuild says what to do."""
    (folder / INDEX).unlink()
    (folder / INDEX).mkdir()
    result = dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
    assert any(INDEX in warning for warning in result.warnings)
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth()
    assert [problem for problem in dedup(folder).store.verify() if problem.startswith(INDEX)]
    with pytest.raises(Exception, match="is a folder"):
        dedup(folder).store.rebuild()


def test_a_log_whose_old_lines_are_damaged_is_aligned_with_nothing(folder):
    """What cannot be read is not taken for what is not there: the run is refused, and nothing was stored twice."""
    log = folder / LOG_NAME
    data = log.read_bytes()
    log.write_bytes(data.replace(b"step 0", b"step 1", 1))
    with pytest.raises(StoreDamaged, match="cannot be read"):
        dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
    assert log.stat().st_size == len(data)


def test_a_body_whose_line_is_damaged_is_not_taken_for_new(tmp_path):
    """It may be the very line that carries it: the run is refused before anything is written."""
    folder = tmp_path / "state"
    commit(LogStore(str(folder)), "one", ["text of the tides", "more"], sha256="a")
    log = folder / LOG_NAME
    data = log.read_bytes()
    log.write_bytes(data.replace(b"of the tides", b"of the tidal", 1).replace(b'"index":0', b'"index":9', 1))
    with pytest.raises(StoreDamaged, match="cannot be read"):
        commit(LogStore(str(folder)), "two", ["text of the tides"], sha256="b")
    assert log.stat().st_size == len(data)


def test_a_store_that_nobody_holds_has_no_file_open(folder):
    """Its file is closed the moment it is dropped, without a collector: a file system can be unmounted, a folder removed."""
    gc.disable()
    try:
        store = dedup(folder)
        store.ingest(FILES[2].data, name="c", conversation_id="s")
        assert store.get_full_conversation("s")
        before = opened_below(folder)
        del store
        after = opened_below(folder)
    finally:
        gc.enable()
    assert INDEX in before
    assert after == []


def opened_below(folder):
    """The names of this process's open files in a folder."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system does not list a process's open files")
    targets = [Path(os.readlink(each)) for each in descriptors.iterdir() if each.is_symlink()]
    return sorted(target.name for target in targets if target.parent == folder)
