"""``deduplicate_export.py unite``: copies that lie in the store's folder, or another store; what came of it is said."""

from __future__ import annotations

import json
import shutil

import pytest

from deduplication.commands import deduplicate_export, doctor, export_dedup
from deduplication.errors import CopyNotWhole, PurgeRefused, StoreMissing, UsageError
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from purge_scenes import Talk

COPY = "conversation_log (ada's conflicted copy 2026-03-05).jsonl"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project with a store, and one beside it that began with a copy of it and went on, without a purged session."""
    monkeypatch.delenv("CLAUDE_PROJECT_DIR", raising=False)
    (tmp_path / "here" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    stored(tmp_path / "here", "alder")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    stored(tmp_path / "there", "birch")
    return tmp_path


def state(project):
    """Its store's folder."""
    return project / "MEMORY-CONTEXT" / "dedup_state"


def stored(project, name):
    """Store an export that nobody else has."""
    dedup = ClaudeConversationDeduplicator(state(project))
    dedup.ingest(Talk(name, 6).text(), name=f"{name}.txt")
    return dedup


def copied(place):
    """The other one's log, as something that synchronises folders leaves it here."""
    stored(place / "here", "cedar")
    return shutil.copy(state(place / "there") / "conversation_log.jsonl", state(place / "here") / COPY)


def unite(capsys, *arguments):
    """What it prints."""
    assert deduplicate_export.main(["unite", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_a_copy_is_taken_in_and_goes(place, capsys):
    """The doctor names it with the command until then; afterwards there is nothing to do."""
    copied(place)
    doctor.main([])
    told = capsys.readouterr().out
    assert COPY in told
    assert "deduplicate_export.py unite" in told
    assert unite(capsys) == "1 run taken in, 1 copy is gone.\n"
    assert ClaudeConversationDeduplicator(state(place / "here")).conversations() == ["alder", "cedar", "birch"]
    assert unite(capsys) == "Nothing to do: no copy of the log lies in the store's folder.\n"
    doctor.main([])
    assert "unite" not in capsys.readouterr().out


def test_another_store_is_taken_in_with_what_was_purged_there(place, capsys):
    """It stays as it is, and a second time nothing is done."""
    purge(ClaudeConversationDeduplicator(state(place / "there")).store, None, scope_of(["alder"], None, []))
    before = {path: path.read_bytes() for path in state(place / "there").glob("*.jsonl")}
    there = state(place / "there")
    assert json.loads(unite(capsys, there, "--json")) == {
        "generator": "export-dedup",
        "runs": 1,
        "purged": 6,
        "copies": 0,
    }
    assert unite(capsys, there) == "Everything was there already.\n"
    assert {path: path.read_bytes() for path in there.glob("*.jsonl")} == before


@pytest.mark.parametrize(
    ("folder", "error"), [("nowhere", StoreMissing), ("here/MEMORY-CONTEXT/dedup_state", UsageError)]
)
def test_what_is_no_other_store_is_named(place, folder, error):
    """A folder without one, and the store itself."""
    with pytest.raises(error):
        deduplicate_export.main(["unite", str(place / folder)])


def test_a_damaged_copy_is_named_and_stays(place):
    """With what to do."""
    copy = copied(place)
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    with pytest.raises(CopyNotWhole, match="ada's conflicted copy") as raised:
        deduplicate_export.main(["unite"])
    assert "stays" in raised.value.hint
    assert copy.read_bytes() == data


def test_a_purge_waits_for_a_copy_that_may_have_the_same_messages(place, capsys):
    """Nothing is purged before it was taken in; looking at what would go is free."""
    copied(place)
    store = ClaudeConversationDeduplicator(state(place / "here")).store
    with pytest.raises(PurgeRefused, match="copy of the log"):
        purge(store, None, scope_of(["alder"], None, []))
    assert purge(store, None, scope_of(["alder"], None, []), dry_run=True)
    unite(capsys)
    assert len(purge(store, None, scope_of(["alder"], None, [])).plan.tombstones) == 6


def archived(project, name, count):
    """Run the whole thing on an export: it goes into the archive, and what is sealed refers to it."""
    export = project / f"2026-03-05-EXPORT-{name.upper()}.txt"
    export.write_bytes(Talk(name, count).text())
    assert export_dedup.main(["--project", str(project), "--no-checkpoint", str(export)]) == 0


def test_words_that_only_the_other_archive_has_come_along(place, capsys):
    """Both archived an export into a pack of the same name: what is sealed of one is read from the copy of that pack.

    Until then neither the log nor what repair would do is misled by the other one's sealed file.
    """
    here, there = place / "here", place / "there"
    for each in (state(here), there):
        shutil.rmtree(each)
    archived(here, "cedar", 30)
    shutil.copytree(here, there)
    archived(here, "dogwood", 30)
    archived(there, "elder", 40)
    shutil.copy(state(there) / "conversation_log.jsonl", state(here) / COPY)
    for sealed in (state(there) / "sealed").iterdir():
        shutil.copy(sealed, state(here) / "sealed")
    packs = "MEMORY-CONTEXT/exports-archive/packs"
    shutil.copy(there / packs / "pack-0001.pack", here / packs / "pack-0001.sync-conflict-20260305-101010-ABCDEFG.pack")
    assert deduplicate_export.main(["verify"]) == 0
    capsys.readouterr()
    assert deduplicate_export.main(["repair", "--dry-run"]) == 0
    assert capsys.readouterr().out == "✅ Nothing to repair.\n"
    assert "1 run taken in" in unite(capsys)
    told = ClaudeConversationDeduplicator(state(here)).get_full_conversation("elder")
    assert all(turn.text.split()[0] in each["content"] for turn, each in zip(Talk("elder", 40).turns, told))
    assert len(told) == 40
    assert deduplicate_export.main(["verify"]) == 0
