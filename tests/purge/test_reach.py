"""Copies of what is purged that export-dedup made itself: backups, and what repair put aside."""

from __future__ import annotations

import json
import shutil

import pytest

from deduplication.backup import known
from deduplication.commands import deduplicate_export
from purge_scenes import Place, Talk, everything, left


@pytest.fixture
def talks():
    """Two conversations."""
    return Talk("alder"), Talk("birch")


@pytest.fixture
def place(tmp_path, talks):
    """A project with both, one of them packed."""
    made = Place(tmp_path / "project")
    made.export("2026-03-01-EXPORT-ALDER.txt", talks[0].text())
    made.pack()
    made.export("2026-03-02-EXPORT-BIRCH.txt", talks[1].text())
    return made


def command(place, name, *arguments):
    """Exit code of a command for this project."""
    return deduplicate_export.main([name, *map(str, arguments), "--project", str(place.project.root)])


def words_in(folder, words):
    """Which of these words are anywhere in a folder, by a reader that knows nothing of the product."""
    data = everything(folder)
    return sorted(each.decode() for each in words if each in data)


def test_no_backup_keeps_what_was_purged(place, talks, tmp_path, capsys):
    """Every known backup gets a fresh snapshot in the place of the earlier ones; it restores what is left, byte for byte."""
    alder, birch = talks
    folder = tmp_path / "backup"
    assert command(place, "backup", folder) == 0
    place.sessions()
    assert command(place, "backup", folder) == 0
    assert words_in(folder, alder.words()) != []
    assert command(place, "purge", "--session", "alder", "--dry-run") == 0
    assert f"Backups that get a fresh snapshot in the place of all earlier ones: {folder}" in capsys.readouterr().out
    assert words_in(folder, alder.words()) != []
    capsys.readouterr()
    assert command(place, "purge", "--session", "alder", "--yes", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["backups"], said["unreached_backups"]) == ([str(folder)], [])
    assert words_in(folder, alder.words()) == []
    assert set(words_in(folder, birch.words())) == {each.decode() for each in birch.words()}
    assert command(place, "backup", folder, "--verify") == 0
    shutil.rmtree(place.project.memory)
    assert command(place, "backup", folder, "--restore") == 0
    assert left(place, alder.words()) == []
    assert len(place.said("birch")) == 16


def test_a_backup_that_cannot_be_reached_is_named(place, talks, tmp_path, capsys):
    """A disk that is not there: the purge is done, the backup is named with the reason, exit code 1."""
    folder = tmp_path / "backup"
    assert command(place, "backup", folder) == 0
    folder.rename(tmp_path / "taken away")
    capsys.readouterr()
    assert command(place, "purge", "--session", "alder", "--yes") == 1
    out = capsys.readouterr().out
    assert f"❌ The backup {folder} may still have it" in out
    assert left(place, talks[0].words()) == []
    assert known.known(str(place.project.state)) == [str(folder)]


def test_what_repair_put_aside_goes(place, talks):
    """Damaged packs, exports and logs in quarantine: nobody can look into the compressed ones, so they go; others stay."""
    alder, birch = talks
    store, archive = place.project.state / "quarantine", place.project.archive / "quarantine"
    for folder in (store, archive):
        folder.mkdir(exist_ok=True)
        (folder / "damaged-20260301-export.txt").write_bytes(alder.text())
        (folder / "damaged-20260301-other.txt").write_bytes(birch.text())
    (archive / "damaged-20260301-pack-0001.pack").write_bytes(b"whatever it was")
    (store / "damaged-20260301-sealed-1.jsonl.xz").write_bytes(b"whatever it was")
    done = place.purge(sessions=["alder"])
    assert sorted(done.quarantine) == [
        "damaged-20260301-export.txt",
        "damaged-20260301-export.txt",
        "damaged-20260301-pack-0001.pack",
        "damaged-20260301-sealed-1.jsonl.xz",
    ]
    assert [path.name for folder in (store, archive) for path in folder.iterdir()] == ["damaged-20260301-other.txt"] * 2
    assert left(place, alder.words()) == []
