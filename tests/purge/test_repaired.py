"""Repair in a store of which something was purged: what is gone on purpose is no damage, and no damage brings it back."""

from __future__ import annotations

import json
import random
import shutil

import pytest

from deduplication.commands import deduplicate_export
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import OPERATIONS
from deduplication.storage import indexed_log
from purge_scenes import Place, Talk, left, word


@pytest.fixture(params=["json", "default"])
def place(request, tmp_path, monkeypatch):
    """A project with an export, plain and packed, and a captured session; a message of each and a whole one purged."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    made = Place(tmp_path / "project", backend=request.param)
    made.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    made.pack()
    made.export("2026-03-02-EXPORT-BIRCH.txt", Talk("birch").text())
    made.export("2026-03-03-EXPORT-CEDAR.txt", Talk("cedar").text())
    made.capture(tmp_path / "client" / "projects" / "-x", Talk("maple"))
    return made


def command(place, name, *arguments):
    """Exit code of a command for this project."""
    return deduplicate_export.main([name, *arguments, "--project", str(place.project.root), "--backend", place.backend])


def purged(place):
    """Purge a message of two conversations, and a whole one; the words that are gone."""
    gone = []
    for name, number in (("alder", 5), ("birch", 3)):
        message = next(m for m in place.dedup.get_full_conversation(name) if word(name, number) in m["content"])
        place.purge(hashes=[message["content_hash"]])
        gone.append(word(name, number).encode())
    place.purge(sessions=["cedar"])
    maple = next(name for name in place.dedup.conversations() if name not in ("alder", "birch", "cedar"))
    message = next(m for m in place.dedup.get_full_conversation(maple) if word("maple", 4) in m["content"])
    place.purge(sessions=[maple], hashes=[message["content_hash"]])
    return [*gone, *Talk("cedar").words(), word("maple", 4).encode()]


def test_what_was_purged_is_no_damage(place, capsys):
    """``verify`` finds nothing, ``repair`` changes nothing, dry or not, and notes that it was there; the archive's files stay."""
    gone = purged(place)
    capsys.readouterr()
    assert command(place, "verify", "--json") == 0
    assert json.loads(capsys.readouterr().out)["costs"] == []
    before = place.snapshot()
    for options, noted in ((["--dry-run"], set()), ([], {OPERATIONS})):
        assert command(place, "repair", *options) == 0
        after = place.snapshot()
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name) and "index" not in name}
        assert {name.rpartition("/")[2] for name in changed} == noted
    assert left(place, gone) == []


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(8))
def test_no_damage_brings_back_what_was_purged(place, seed, tmp_path):
    """Lines of the log are blanked, tombstones among them; the client still has its transcript: repair gives back the rest only."""
    gone = purged(place)
    said = {name: place.said(name) for name in place.dedup.conversations()}
    log = place.project.state / "conversation_log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    chance = random.Random(seed)
    tombs = [n for n, line in enumerate(lines) if b'"purged":' in line]
    for number in {chance.choice(tombs), *chance.sample(range(len(lines)), 3)}:
        half = len(lines[number]) // 2
        lines[number] = lines[number][:half] + bytes(len(lines[number]) - half - 1) + b"\n"
    log.write_bytes(b"".join(lines))
    command(place, "repair")
    assert left(place, gone) == []
    for name, before in said.items():
        now = place.said(name) if name in place.dedup.conversations() else []
        assert all(message in before or message[1] == "lost" for message in now)


def test_a_captured_message_stays_purged_when_the_session_goes_on(place, tmp_path):
    """After repair the transcript is captured on: nothing purged comes back."""
    gone = purged(place)
    command(place, "repair")
    talk = Talk("maple")
    capture_file(place.dedup, tmp_path / "client" / "projects" / "-x" / f"{talk.session}.jsonl", thorough=True)
    assert left(place, gone) == []
    assert place.dedup.store.verify() == []


def test_another_store_is_named(place, capsys):
    """A store that was made from the exports beside the project's own has what was purged, too: it is named."""
    command(place, "rebuild", "--from-exports")
    capsys.readouterr()
    assert command(place, "purge", "--session", "cedar", "--dry-run", "--json") == 0
    places = [each["what"] for each in json.loads(capsys.readouterr().out)["out_of_reach"]]
    assert "MEMORY-CONTEXT/dedup_state-from-exports, another store" in places
    shutil.rmtree(place.project.memory / "dedup_state-from-exports")
