"""log_store: the log is the truth, its files are the seed's, and every index can be deleted at any time."""

from __future__ import annotations

import itertools
import json
import os
import stat
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from deduplication.errors import StoreDamaged, StoreError, StoreNotPrivate, StoreNotWritable
from deduplication.files import atomic, locking
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import AUDIT, HASHES, INDEX, LOG_NAME, WATERMARKS
from deduplication.storage.log.lines import decode_line, encode_line
from deduplication.storage.log_store import LogStore
from exports import Story, kept

INDEX_NAMES = (INDEX, WATERMARKS, HASHES, AUDIT)
STORY = Story(5, exchanges=9)
FILES = STORY.exports(3, compact_every=2)


@pytest.fixture
def folder(tmp_path):
    """A store with the first two exports of the story in it, and another conversation."""
    state = tmp_path / "state"
    for file in FILES[:2]:
        dedup(state).ingest(file.data, name=file.name, conversation_id="s")
    dedup(state).ingest(Story(6, exchanges=2).exports(2)[0].data, name="other.txt", conversation_id="other")
    return state


def dedup(folder):
    """As a new process has it."""
    return ClaudeConversationDeduplicator(folder, "json")


def files(folder):
    """Every file's bytes by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_watermarks_that_were_lost_have_the_order_in_which_conversations_were_begun(folder):
    """Whatever the order in which an index that is behind is told of them."""
    behind = (folder / INDEX).read_bytes()
    dedup(folder).ingest(Story(6, exchanges=4).exports(2)[-1].data, name="later.txt", conversation_id="other")
    dedup(folder).ingest(FILES[2].data, name="last.txt", conversation_id="s")
    before = (folder / WATERMARKS).read_bytes()
    (folder / WATERMARKS).unlink()
    (folder / INDEX).write_bytes(behind)
    with dedup(folder).store.transaction():
        pass
    assert (folder / WATERMARKS).read_bytes() == before
    assert dedup(folder).store.verify() == []


def test_the_files_are_those_of_the_original_design(folder):
    """Names and forms: watermarks by conversation, hashes in sequence order, one audit entry a run with the seed's keys."""
    assert {path.name for path in folder.iterdir()} == {LOG_NAME, *INDEX_NAMES, ".lock", ".gitignore"}
    watermarks = json.loads((folder / "watermarks.json").read_bytes())
    hashes = json.loads((folder / "content_hashes.json").read_bytes())
    end = FILES[1].end
    assert list(watermarks) == ["s", "other"]
    assert watermarks["s"] == end - 1 == len(hashes["s"]) - 1
    messages = dedup(folder).get_full_conversation("s")
    assert hashes["s"] == [message["content_hash"] for message in messages]
    audit = [decode_line(line + b"\n") for line in (folder / "deduplication_log.jsonl").read_bytes().splitlines()]
    assert [entry["operation"] for entry in audit] == ["process_export"] * 3
    first = audit[0]
    assert set(first) >= {
        "conversation_id", "operation", "messages_processed", "duplicates_filtered", "storage_savings_pct",
        "processing_time_ms", "created_at", "metadata",
    }  # fmt: skip
    assert first["messages_processed"] == first["new_messages"] + first["duplicates_filtered"] == FILES[0].end
    assert first["metadata"]["name"] == FILES[0].name
    stored = [entry["metadata"]["stored_bytes"] for entry in audit]
    assert sum(stored) == (folder / LOG_NAME).stat().st_size
    assert (folder / ".gitignore").read_text(encoding="utf-8").endswith("*\n")


@pytest.mark.parametrize("how", ["next run", "rebuild"])
@pytest.mark.parametrize(
    "names",
    [names for count in range(1, 5) for names in itertools.combinations(INDEX_NAMES, count)],
    ids=lambda names: "+".join(name.split(".")[0] for name in names),
)
def test_any_indexes_can_be_deleted_and_come_back_with_the_same_bytes(folder, names, how):
    """I2: whichever of the indexes are gone, the next run, or a rebuild, makes the very same files of the log."""
    before = files(folder)
    for name in names:
        (folder / name).unlink()
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    if how == "rebuild":
        assert dedup(folder).store.rebuild() == []
    else:
        with dedup(folder).store.transaction():
            pass
    assert files(folder) == before


def test_a_run_after_the_indexes_were_lost_ends_with_the_same_bytes_as_one_that_had_them(tmp_path, folder, monkeypatch):
    """A run over a store without indexes stores the same as over one that has them."""
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    monkeypatch.setattr("deduplication.files.clock.datetime", SimpleNamespace(now=lambda _zone: noon))
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    results = []
    for lost in ([], INDEX_NAMES):
        copy = tmp_path / f"copy{len(lost)}"
        copy.mkdir(mode=0o700)
        for name, data in files(folder).items():
            if name not in lost:
                (copy / name).write_bytes(data)
        dedup(copy).ingest(FILES[2].data, name="x", conversation_id="s")
        results.append(files(copy))
    assert results[0] == results[1]
    assert results[0][LOG_NAME] != files(folder)[LOG_NAME]


def test_the_log_only_grows(folder):
    """I2: a run appends; what was in the log before is its beginning."""
    before = (folder / LOG_NAME).read_bytes()
    dedup(folder).ingest(FILES[2].data, name="x", conversation_id="s")
    after = (folder / LOG_NAME).read_bytes()
    assert after.startswith(before)
    assert len(after) > len(before)


def test_indexes_from_another_store_are_not_believed(folder, tmp_path):
    """Each index is bound to the others by its checksum: one that was put there from elsewhere is made again."""
    dedup(tmp_path / "b").ingest(FILES[2].data, name="x", conversation_id="s")
    before = files(folder)
    for name in ("watermarks.json", "content_hashes.json"):
        (folder / name).write_bytes((tmp_path / "b" / name).read_bytes())
        assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
        with dedup(folder).store.transaction():
            pass
        assert files(folder) == before


def test_a_log_that_is_ahead_of_its_indexes_is_replayed(folder):
    """The indexes of an earlier moment: what the log has more is applied, reading or writing."""
    old = {name: (folder / name).read_bytes() for name in INDEX_NAMES}
    dedup(folder).ingest(FILES[2].data, name="x", conversation_id="s")
    now = files(folder)
    for name, data in old.items():
        (folder / name).write_bytes(data)
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth()
    assert (folder / "watermarks.json").read_bytes() == old["watermarks.json"]
    with dedup(folder).store.transaction():
        pass
    assert files(folder) == now


def test_a_log_shorter_than_its_indexes_say_is_an_alarm(folder):
    """A log that lost its end is never taken for the truth in silence; rebuild goes on with what is there."""
    data = (folder / LOG_NAME).read_bytes()
    lines = data.splitlines(keepends=True)
    (folder / LOG_NAME).write_bytes(b"".join(lines[:-3]))
    with pytest.raises(StoreDamaged, match="bytes shorter"):
        dedup(folder).get_full_conversation("s")
    with pytest.raises(StoreDamaged, match="bytes shorter"):
        dedup(folder).ingest(FILES[2].data, name="x", conversation_id="s")
    dedup(folder).store.rebuild()
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    assert dedup(folder).store.verify() == []


def test_verify_names_every_file_that_is_wrong(folder):
    """Missing and changed indexes and a run that did not finish are each named; verify itself changes nothing."""
    (folder / "watermarks.json").unlink()
    (folder / "content_hashes.json").write_bytes(b"{}")
    (folder / "deduplication_log.jsonl").write_bytes(b"")
    row = (folder / LOG_NAME).read_bytes().splitlines(keepends=True)[0]
    record = decode_line(row)
    del record["message"]
    record["index"] = FILES[1].end
    with open(folder / LOG_NAME, "ab") as log:
        log.write(encode_line(record))
    before = files(folder)
    problems = dedup(folder).store.verify()
    assert files(folder) == before
    for name in ("watermarks.json: missing", "content_hashes.json: does not", "deduplication_log.jsonl: does not"):
        assert any(problem.startswith(name) for problem in problems)
    assert any(f"{LOG_NAME}: the last run did not finish" in problem for problem in problems)


def test_an_unfinished_run_is_quarantined_and_said_once(folder):
    """The warning tells where the part went; the part is there, privately; the next run does not warn again."""
    whole = (folder / LOG_NAME).read_bytes()
    with open(folder / LOG_NAME, "ab") as log:
        log.write(b'{"conversation_id":"s"')
    result = dedup(folder).ingest(FILES[2].data, name="x", conversation_id="s")
    assert len(result.warnings) == 1
    (aside,) = (folder / "quarantine").iterdir()
    assert aside.name in result.warnings[0]
    assert aside.read_bytes() == b'{"conversation_id":"s"'
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert (folder / LOG_NAME).read_bytes().startswith(whole)
    assert dedup(folder).ingest(FILES[2].data, name="x", conversation_id="s").warnings == ()


def test_indexes_that_cannot_be_written_are_a_warning(folder, monkeypatch):
    """The messages are stored and reported as stored; the next run makes the indexes again."""
    real = atomic.replace

    def refused(path, *arguments, **options):
        if path.endswith("watermarks.json"):
            raise StoreNotWritable(path)
        real(path, *arguments, **options)

    monkeypatch.setattr(atomic, "replace", refused)
    store = dedup(folder)
    result = store.ingest(FILES[2].data, name="x", conversation_id="s")
    assert result.new > 0
    assert any("indexes will be made again" in warning for warning in result.warnings)
    assert kept(store.get_full_conversation("s")) == STORY.truth()
    monkeypatch.undo()
    assert kept(store.get_full_conversation("s")) == STORY.truth()
    with dedup(folder).store.transaction():
        pass
    assert dedup(folder).store.verify() == []


def test_a_store_of_somebody_else_is_refused(folder, monkeypatch):
    """A folder that belongs to another user is not written, unless root does it."""
    monkeypatch.setattr(os, "geteuid", lambda: 4242, raising=False)
    with pytest.raises(StoreNotPrivate), dedup(folder).store.transaction():
        pass
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    with dedup(folder).store.transaction():
        pass


def test_a_store_whose_lock_cannot_be_made_can_be_read_and_verified(folder, monkeypatch):
    """Where nothing can be written nobody else writes either: reading goes without the lock."""

    def refused(*_arguments):
        raise StoreNotWritable("lock")

    monkeypatch.setattr(locking, "exclusive", refused)
    assert kept(dedup(folder).get_full_conversation("s")) == STORY.truth(0, FILES[1].end)
    assert dedup(folder).store.verify() == []
    for write in (dedup(folder).store.rebuild, lambda: dedup(folder).ingest(FILES[0].data, name="x")):
        with pytest.raises(StoreNotWritable):
            write()


def test_a_folder_in_the_place_of_an_index_stops_a_rebuild_before_it_begins(folder):
    """It is not ours to delete a folder: the error names it, and nothing else was touched."""
    (folder / "watermarks.json").unlink()
    (folder / "watermarks.json").mkdir()
    before = files(folder)
    with pytest.raises(StoreError, match=r"watermarks\.json is a folder"):
        dedup(folder).store.rebuild()
    assert files(folder) == before
    assert any("watermarks.json: Not a regular file" in problem for problem in dedup(folder).store.verify())


def test_what_a_damaged_line_held_is_said_as_far_as_it_can_be_read(folder):
    """A message by its number, a run by its conversation, or that it cannot be told."""
    lines = (folder / LOG_NAME).read_bytes().splitlines(keepends=True)
    commit = next(n for n, line in enumerate(lines) if b'"window":' in line)
    lines[2] = lines[2].replace(b'"role"', b'"ROLE"')
    lines[commit] = lines[commit].replace(b'"window"', b'"WINDOW"')
    lines[commit + 2] = b"?" * 40 + b"\n"
    (folder / LOG_NAME).write_bytes(b"".join(lines))
    problems = [problem for problem in dedup(folder).store.verify() if problem.startswith(LOG_NAME)]
    assert [problem.split("; ")[-1] for problem in problems[:3]] == [
        "message 2 of 's' is lost",
        "a run of 's' is not counted",
        "it cannot be told whose it was",
    ]
    assert "line 3 (byte" in problems[0]


def test_rebuild_makes_the_folder_where_there_is_none(tmp_path):
    """A store that does not exist is rebuilt to an empty one."""
    store = LogStore(str(tmp_path / "state"))
    assert store.rebuild() == []
    assert store.verify() == []
