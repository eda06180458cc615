"""sqlite_index: what it answers is what the log says, in whatever state the database is."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from deduplication.accounting.store_totals import totals
from deduplication.alignment import fingerprint
from deduplication.errors import StoreNotWritable
from deduplication.figures.savings import Savings
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import EXACT, PROMPT, USER, Message
from deduplication.storage import indexed_log
from deduplication.storage.contract import NewOccurrence
from deduplication.storage.index import sqlite_file, sqlite_index
from deduplication.storage.index.checked_entries import CheckedEntries
from deduplication.storage.index.json_index import JsonIndex
from deduplication.storage.index.sqlite_index import SqliteIndex
from deduplication.storage.log_store import LogStore
from exports import Story, kept

STORY = Story(8, exchanges=9)
FILES = STORY.exports(3, compact_every=2)
NAME = "index.sqlite3"


def dedup(folder, backend="sqlite"):
    """As a new process has it."""
    return ClaudeConversationDeduplicator(folder, backend=backend)


@pytest.fixture
def folder(tmp_path):
    """A store with the first two exports of the story in it."""
    for file in FILES[:2]:
        dedup(tmp_path / "state").ingest(file.data, name=file.name, conversation_id="s")
    return tmp_path / "state"


def records(folder):
    """Every record of the database, in order."""
    with sqlite3.connect(folder / NAME) as connection:
        tables = ("entry", "digest", "occurrence")
        result = {table: sorted(connection.execute(f"SELECT * FROM {table}")) for table in tables}
    connection.close()
    return result


def names(folder):
    """What lies in the folder, SQLite's passing files aside."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}


def test_a_large_store_gets_a_database_in_the_place_of_the_json_files(tmp_path, monkeypatch):
    """Past the limit the three JSON files go, a database comes, and no answer changes."""
    folder = tmp_path / "state"
    dedup(folder, "json").ingest(FILES[0].data, name="a", conversation_id="s")
    assert set(JsonIndex.files) <= names(folder)
    before = kept(dedup(folder, "json").get_full_conversation("s"))
    monkeypatch.setattr(indexed_log, "LARGE", len(before) + 1)
    dedup(folder, "json").ingest(FILES[1].data, name="b", conversation_id="s")
    assert names(folder) == {NAME, "conversation_log.jsonl", "deduplication_log.jsonl", ".lock", ".gitignore"}
    assert kept(dedup(folder, "json").get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    assert dedup(folder, "json").store.verify() == []
    result = dedup(folder, "json").ingest(FILES[2].data, name="c", conversation_id="s")
    assert result.new > 0
    assert kept(dedup(folder, "json").get_full_conversation("s")) == STORY.truth()


def test_a_database_grown_run_by_run_is_the_same_as_one_made_at_once(folder):
    """I2: the content follows from the log: record for record what a rebuild makes."""
    dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
    dedup(folder).ingest(Story(9, exchanges=3).exports(3)[0].data, name="d", conversation_id="other")
    grown = records(folder)
    assert dedup(folder).store.rebuild() == []
    assert records(folder) == grown
    assert dedup(folder).store.verify() == []


def test_a_process_that_stays_open_saves_each_run(tmp_path):
    """One open store, several runs: the database is what each of them made of it, and another process agrees."""
    one, other = dedup(tmp_path / "state"), dedup(tmp_path / "state")
    for file in FILES:
        one.ingest(file.data, name=file.name, conversation_id="s")
        assert kept(other.get_full_conversation("s")) == STORY.truth(0, file.end)
    assert other.store.verify() == []


CHANGES = {
    "every entry of bodies is gone": "DELETE FROM entry WHERE kind = 4",
    "an entry says something else": "UPDATE entry SET value = x'0000000000000005' WHERE kind = 4",
    "an entry is in the wrong place": "UPDATE entry SET bucket = (bucket + 1) % 4096 WHERE kind = 6",
    "the digests are gone": "DELETE FROM digest",
    "a digest is text": "UPDATE digest SET value = 'x'",
    "rows are gone": "DELETE FROM occurrence WHERE number = 0",
    "rows are changed": "UPDATE occurrence SET \"row\" = x'00'",
    "rows are text": "UPDATE occurrence SET \"row\" = 'x'",
    "a conversation is gone": "DELETE FROM entry WHERE kind = 0",
    "what it says of itself is gone": "DELETE FROM entry WHERE kind = 8",
    "a table is gone": "DROP TABLE occurrence",
    "it is empty": "DELETE FROM entry; DELETE FROM digest; DELETE FROM occurrence",
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_was_changed_in_the_database_is_noticed_and_mended(folder, change):
    """Verify names it, every answer and every count is right all the same, and the next run leaves a sound database."""
    sound = records(folder)
    connection = sqlite3.connect(folder / NAME)
    connection.executescript(CHANGES[change])
    connection.close()
    assert [problem for problem in dedup(folder).store.verify() if problem.startswith(NAME)]
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    assert dedup(folder).ingest(FILES[1].data, name="again", conversation_id="s").new == 0
    expected = dedup(folder / "apart")
    for file in FILES[:2]:
        expected.ingest(file.data, name=file.name, conversation_id="s")
    result = dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
    assert result.new == expected.ingest(FILES[2].data, name="c", conversation_id="s").new
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth()
    dedup(folder).store.rebuild()
    assert dedup(folder).store.verify() == []
    assert set(records(folder)) == set(sound)


def test_a_reader_mends_in_memory_only(folder):
    """Somebody who only reads gets the right answer from a damaged database, and changes nothing on the disk."""
    connection = sqlite3.connect(folder / NAME)
    connection.executescript(CHANGES["rows are gone"])
    connection.close()
    before = (folder / NAME).read_bytes()
    store = dedup(folder)
    assert kept(store.get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    assert store.get_statistics("s")["exports_processed"] == 2
    del store
    assert (folder / NAME).read_bytes() == before


def test_the_database_is_private_and_so_is_what_sqlite_keeps_beside_it(folder):
    """Mode 0600 for the database, its journal and its shared memory; one that was opened up is closed again."""
    os.chmod(folder / NAME, 0o644)
    store = dedup(folder)
    store.ingest(FILES[2].data, name="c", conversation_id="s")
    beside = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob(f"{NAME}*")}
    assert f"{NAME}-wal" in beside
    assert set(beside.values()) == {0o600}


def test_a_process_that_ends_at_once_leaves_its_journal_for_the_next(folder):
    """A hook leaves without closing: what it saved is there, also without the journal, from the log."""
    pid = os.fork()
    if not pid:
        store = dedup(folder)
        store.ingest(FILES[2].data, name="c", conversation_id="s")
        os._exit(0)
    os.waitpid(pid, 0)
    assert (folder / f"{NAME}-wal").stat().st_size > 0
    for name in (f"{NAME}-wal", f"{NAME}-shm"):
        (folder / name).unlink()
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth()
    with dedup(folder).store.transaction():
        pass
    assert dedup(folder).store.verify() == []


def test_a_save_that_fails_is_a_warning_and_the_run_is_stored(folder, monkeypatch):
    """The log has the run; the next one brings the database up to it."""

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite_index.CheckedEntries, "write", full)
    store = dedup(folder)
    result = store.ingest(FILES[2].data, name="c", conversation_id="s")
    assert any("disk is full" in warning for warning in result.warnings)
    assert kept(store.get_full_conversation("s")) == STORY.truth()
    monkeypatch.undo()
    with dedup(folder).store.transaction():
        pass
    assert dedup(folder).store.verify() == []


def test_without_sqlite_a_large_store_keeps_its_json_files(tmp_path, monkeypatch):
    """A Python that was built without SQLite works on, only slower."""
    monkeypatch.setattr(sqlite_file, "available", lambda: False)
    monkeypatch.setattr(indexed_log, "LARGE", 1)
    folder = tmp_path / "state"
    for backend in ("json", "sqlite"):
        dedup(folder, backend).ingest(FILES[0].data, name=backend, conversation_id="s")
    assert set(JsonIndex.files) <= names(folder)
    assert NAME not in names(folder)


def test_the_sums_over_all_conversations_cost_no_row(folder, monkeypatch):
    """What a run with a checkpoint asks of the whole store is answered from one entry: nothing of a conversation is read."""
    store = LogStore(str(folder), sqlite=True)

    def refused(*_):
        raise AssertionError("something of a conversation was read")

    for name in ("rows", "row", "listing"):
        monkeypatch.setattr(CheckedEntries, name, refused)
    figures = totals(store, Savings())
    assert (figures["conversations"], figures["exports_processed"], figures["captures"]) == (1, 2, 0)


def test_a_version_from_another_time_is_made_again(folder):
    """A database as a later version writes it is not believed."""
    store = LogStore(str(folder), sqlite=True)
    with store.transaction():
        entries = store._indexed.index._entries
        own = entries.get(8, b"")
        assert b'"version":5' in own
        entries.put(8, b"", own.replace(b'"version":5', b'"version":9'))
        entries.write()
    del store
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    dedup(folder).ingest(FILES[2].data, name="c", conversation_id="s")
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
    messages = [Message(USER, PROMPT, f"text {n}", uuid=uuid, fidelity=EXACT) for n, uuid in enumerate(ids)]
    store = LogStore(str(tmp_path / "state"), sqlite=True)
    prints = fingerprint.fingerprints(messages)
    with store.transaction():
        for conversation in ("one", "two"):
            rows = [(n, NewOccurrence(prints[n], messages[n], "2026-01-01T00:00:00Z", "source")) for n in range(5)]
            record = record_of(conversation)
            store.commit(conversation, rows, record, 0.0)
    again = LogStore(str(tmp_path / "state"))
    with again.transaction(write=False):
        assert again.known_uuids("two", [*ids, "unknown"]) == {uuid: [n] for n, uuid in enumerate(ids)}
        assert again.known_uuids("three", ids) == {}
        assert again.conversation("one").columns.uuids == ids
        assert again.body_hash("two", 2) == prints[2].content_hash
    assert again.verify() == []


def record_of(name):
    """A commit record of five messages."""
    from deduplication.storage.contract import ExportRecord

    return ExportRecord(
        name=name, sha256=(name * 64)[:64], bytes=10, format="x", parser=1, total=5, new=5 if name == "one" else 0,
        window=[[0, 4]],
    )  # fmt: skip


def test_a_folder_in_its_place_is_named_and_the_store_works(folder):
    """The database's place is taken by a folder: every answer is right, writing warns, rebuild says what to do."""
    (folder / NAME).unlink()
    (folder / NAME).mkdir()
    store = dedup(folder)
    result = store.ingest(FILES[2].data, name="c", conversation_id="s")
    assert any(NAME in warning for warning in result.warnings)
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth()
    assert [problem for problem in dedup(folder).store.verify() if problem.startswith(NAME)]
    with pytest.raises(Exception, match="is a folder"):
        dedup(folder).store.rebuild()


def test_a_state_that_no_database_could_take_answers_itself(tmp_path, monkeypatch):
    """A full disk: the database cannot be made, the log has the run, and the same process goes on with right answers."""
    store = LogStore(str(tmp_path / "state"), sqlite=True)
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    dedup.store = store
    story = Story(4, exchanges=6)

    def full(*_arguments, **_options):
        raise StoreNotWritable("no space left")

    monkeypatch.setattr(SqliteIndex, "_make", full)
    first, second = story.exports(3)
    assert dedup.ingest(first.data, name="a").new > 0
    assert dedup.ingest(first.data, name="b").new == 0
    assert kept(dedup.get_full_conversation(dedup.ingest(second.data, name="c").conversation_id)) == story.truth()
    with store.transaction(write=False):
        assert store.known_uuids("nobody", ["x"]) == {}


def test_a_store_that_nobody_holds_has_no_file_open(folder):
    """Its database is closed the moment it is dropped, without a collector: a file system can be unmounted, a folder removed."""
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
    assert any(name.startswith(NAME) for name in before)
    assert after == []


def opened_below(folder):
    """The names of this process's open files in a folder."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system does not list a process's open files")
    targets = [Path(os.readlink(each)) for each in descriptors.iterdir() if each.is_symlink()]
    return sorted(target.name for target in targets if target.parent == folder)
