"""The first line of the open part: where the lines before it are, and of which version the store is."""

from __future__ import annotations

import os
import struct
import zlib

import pytest

from deduplication.errors import StoreOfNewerVersion
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.packs import frames
from deduplication.storage import indexed_log
from deduplication.storage.log import opening
from deduplication.storage.log.lines import encode_line
from deduplication.storage.log.opening import Opening, opening_line, read_opening
from deduplication.storage.log.salvage import salvage
from exports import Story, kept
from in_process import call

STORY = Story(5, exchanges=10)
FILES = STORY.exports(3)
NEXT = encode_line({"conversation_id": "s", "index": 0})


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A store with sealed lines before some that are open."""
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    folder = tmp_path / "project" / "MEMORY-CONTEXT" / "dedup_state"
    dedup = ClaudeConversationDeduplicator(os.fspath(folder))
    for number, file in enumerate(FILES):
        dedup.ingest(file.data, name=file.name, conversation_id="s")
        if number == 1:
            dedup.store.condense()
    return folder


def test_it_says_where_the_open_part_begins():
    """Before the first line that is not sealed; nothing where none is."""
    line = opening_line(4711)
    assert read_opening(line + NEXT) == Opening(len(line), 4711)
    assert opening_line(0) == b""
    assert read_opening(NEXT) == read_opening(b"") == read_opening(b"no line") == Opening()


def test_a_flipped_bit_in_it_costs_nothing_and_is_named():
    """Wherever it is: the lines behind begin where they began, and the byte is known, or not believed."""
    line = opening_line(4711)
    for bit in range(8 * len(line)):
        data = bytearray(line + NEXT)
        data[bit // 8] ^= 1 << bit % 8
        found = read_opening(bytes(data))
        assert (found.size, found.begins in (4711, None), bool(found.fault)) == (len(line), True, True), bit


@pytest.mark.parametrize("at", [0, 3, 30, 60, 100, -12, -2, -1])
def test_a_damaged_one_costs_no_message(state, at):
    """It is named, every message is read, a run goes on, and it is written anew with the bytes that it had."""
    log = state / "conversation_log.jsonl"
    sound = log.read_bytes()
    line = sound[: sound.index(b"\n") + 1]
    found = read_opening(line)
    assert line == opening_line(found.begins, found.ends)
    data = bytearray(sound)
    data[at if at >= 0 else len(line) + at] ^= 4
    log.write_bytes(data)
    dedup = ClaudeConversationDeduplicator(os.fspath(state))
    assert kept(dedup.get_full_conversation("s")) == STORY.truth()
    (problem,) = dedup.store.verify()
    assert "first line" in problem
    assert dedup.ingest(FILES[-1].data, name="again", conversation_id="s").new == 0
    assert [each for each in dedup.store.rebuild() if "first line" in each]
    assert log.read_bytes().startswith(sound)
    assert dedup.store.verify() == []


def test_a_log_without_it_is_read_as_before(state):
    """Version 0.1 sealed lines and wrote none; the next run adds it, and a reader does without."""
    log = state / "conversation_log.jsonl"
    sound = log.read_bytes()
    lines = sound.split(b"\n", 1)[1]
    log.write_bytes(lines)
    dedup = ClaudeConversationDeduplicator(os.fspath(state))
    assert dedup.store.verify() == []
    assert kept(dedup.get_full_conversation("s")) == STORY.truth()
    assert log.read_bytes() == lines
    with dedup.store.transaction():
        pass
    assert log.read_bytes() == sound
    assert dedup.store.verify() == []


def test_one_that_does_not_say_how_the_lines_before_it_end_is_read_as_before(state):
    """Earlier versions wrote none that does: nothing is written until lines are sealed again."""
    log = state / "conversation_log.jsonl"
    line, lines = log.read_bytes().split(b"\n", 1)
    former = opening_line(read_opening(line + b"\n").begins) + lines
    log.write_bytes(former)
    dedup = ClaudeConversationDeduplicator(os.fspath(state))
    with dedup.store.transaction():
        pass
    assert dedup.store.verify() == []
    assert kept(dedup.get_full_conversation("s")) == STORY.truth()
    assert log.read_bytes() == former
    dedup.store.condense()
    assert read_opening(log.read_bytes()).ends
    assert dedup.store.verify() == []


COMMANDS = {
    "stats": [],
    "show": ["s"],
    "verify": [],
    "rebuild": [],
    "repair": [],
    "log": [],
    "search": ["tide"],
    "pack": [],
    "purge": ["--session", "s", "--yes"],
    "backup": ["BACKUP"],
    "session": ["--all"],
    "explain": ["EXPORT"],
    "EXPORT": [],
}


def newer_log(state):
    """The first line of a store that a later version wrote."""
    log = state / "conversation_log.jsonl"
    lines = log.read_bytes().split(b"\n", 1)[1]
    about = {"version": opening.VERSION + 1, "begins": [0, 1], "whatever": {}}
    log.write_bytes(encode_line({"conversation_id": "", "store": about}) + lines)


@pytest.mark.parametrize("word", COMMANDS)
def test_a_store_of_a_newer_version_is_refused_by_every_command(state, word):
    """By name, with what to do; not a byte of it is changed."""
    newer_log(state)
    project = state.parent.parent
    (project / "2026-03-02-EXPORT-X.txt").write_bytes(FILES[0].data)
    words = [word, *COMMANDS[word]]
    before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    named = {"EXPORT": "2026-03-02-EXPORT-X.txt", "BACKUP": os.fspath(project.parent / "backup")}
    told = call(*(named.get(each, each) for each in words), cwd=project)
    assert told.returncode == 1
    assert "written by a newer version of export-dedup" in told.stdout + told.stderr
    after = {path: path.read_bytes() for path in state.rglob("*") if path.is_file() and not path.name.endswith(".lock")}
    assert {path: data for path, data in before.items() if path in after} == after


def test_a_pack_of_a_newer_version_is_no_damage(state):
    """Neither read nor repaired, whatever else it may be."""
    (path,) = (state / "sealed").glob("*.pack")
    data = bytearray(path.read_bytes())
    for at in (0, len(data) - 96):
        data[at + 8 : at + 12] = struct.pack("<I", frames.VERSION + 1)
        data[at + 60 : at + 64] = struct.pack("<I", zlib.crc32(data[at : at + 60]))
    path.write_bytes(data)
    dedup = ClaudeConversationDeduplicator(os.fspath(state))
    for question in (dedup.store.verify, dedup.store.rebuild, lambda: dedup.get_full_conversation("s")):
        with pytest.raises(StoreOfNewerVersion):
            question()
    assert path.read_bytes() == data


def test_the_last_sealed_file_that_is_gone_is_missed(state):
    """No file behind it says so; the open part does. What no archive has is named, and the numbers stay."""
    for path in (state / "sealed").iterdir():
        path.unlink()
    dedup = ClaudeConversationDeduplicator(os.fspath(state))
    assert any("bytes of sealed lines before it are missing" in each for each in dedup.store.verify())
    with dedup.store.unrecovered_log() as log:
        assert [piece.fault for piece in salvage(log).pieces if piece.record is None] == ["the file is missing"]
