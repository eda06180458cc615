"""Runs, sync, restore, verify, doctor, status and purge over an archive in a database."""

from __future__ import annotations

import json

import pytest

from archives import Archives, object_of, objects
from deduplication.archive import inventory
from deduplication.commands import export_dedup
from deduplication.exchange import sending
from exports import Story
from in_process import call
from purge_scenes import Place, Talk, word


@pytest.fixture
def archives(tmp_path, newest_database, monkeypatch):
    """Machines on an empty database; a run of a hybrid store starts nothing in the background."""
    monkeypatch.setenv("EXPORT_DEDUP_DATABASE_URL", newest_database)
    monkeypatch.setattr(sending, "start", lambda _store: None)
    return Archives(tmp_path, newest_database)


def _run(archives, name, backend, files):
    project = archives.project(name)
    project.exports.mkdir(exist_ok=True)
    for file in files:
        (project.exports / file.name).write_bytes(file.data)
    where = ("--project", project.root, "--backend", backend)
    assert call(*where, "--yes", "--no-checkpoint", main=export_dedup.main).returncode == 0
    return where


def test_a_run_of_a_store_in_a_database_sends_its_archive(archives):
    """Another project restores it, lists it, and verify reads every byte of it."""
    files = Story(3, exchanges=6).exports(2)
    where = _run(archives, "a", "postgresql", files)
    other = ("--project", archives.project("b").root, "--backend", "postgresql")
    assert {row["name"] for row in json.loads(call("restore", "--list", "--json", *other).stdout)["files"]} == {
        file.name for file in files
    }
    out = archives.folder / "out"
    assert call("restore", "--all", f"{out}/", *other).returncode == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {file.name: file.data for file in files}
    assert call("verify", *where).returncode == 0
    archives.execute("UPDATE archive_objects SET data = substr(data, 1, 10) WHERE name LIKE 'object/%'")
    done = call("verify", *where)
    assert (done.returncode, "in the database" in done.stdout) == (1, True)
    assert call("sync", *where).returncode == 0
    assert call("verify", *where).returncode == 0


@pytest.mark.usefixtures("nobody_is_waited_for")
def test_sync_sends_what_a_hybrid_store_archived(archives):
    """Doctor and status say what waits, until it is sent; offline a restore gives what is here."""
    file, *_ = Story(4, exchanges=4).exports(1)
    where = _run(archives, "a", "hybrid", [file])
    assert "1 file of the archive" in call("doctor", "--all", *where).stdout
    assert "of the archive" in call("status", *where).stdout
    told = json.loads(call("sync", "--json", *where).stdout)
    assert told["archive"]["files"] == 2
    assert "has all that it takes of the archive" in call("doctor", "--all", *where).stdout
    away = {"EXPORT_DEDUP_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    done = call("restore", file.name, "--output", archives.folder / "file", *where, environment=away)
    assert (done.returncode, (archives.folder / "file").read_bytes()) == (0, file.data)
    assert "cannot be reached" in call("restore", "--list", *where, environment=away).stderr


def test_a_purge_reaches_the_archive_in_the_database(archives):
    """Packs, list and notes there are those that the purge left; that another machine's were not looked into is said."""
    place = Place(archives.project("a").root, backend="hybrid")
    talk = Talk("lantern")
    place.export("2026-03-05-EXPORT-LANTERN.txt", talk.text(), "--no-checkpoint")
    archives.add("b", {"other.txt": b"Of another machine.\n"})
    archives.send("b")
    where = ("--project", place.project.root, "--backend", "hybrid")
    assert call("sync", *where).returncode == 0
    before = set(objects(archives))
    done = call(
        "purge",
        "--session",
        place.dedup.conversations()[0],
        "--yes",
        "--project",
        place.project.root,
        "--backend",
        "hybrid",
    )
    assert "run the same purge there" in done.stdout
    here = [*place.project.archive.glob("packs/*"), place.project.archive / "purged.jsonl"]
    there = [*archives.project("b").archive.glob("packs/*")]
    assert sorted(objects(archives)) == sorted(map(object_of, [*here, *there]))
    assert len(before - set(objects(archives))) == 2
    lines = [bytes(entry) for (entry,) in archives.execute("SELECT entry FROM archived_files ORDER BY position")]
    own = (place.project.state / inventory.NAME).read_bytes().splitlines(keepends=True)
    other = (archives.project("b").state / inventory.NAME).read_bytes().splitlines(keepends=True)
    assert sorted(lines) == sorted([*own, *other])
    found, _ = archives.restored("c")
    assert not any(word("lantern", 3).encode() in data for data in found.values())
