"""``deduplicate_export.py backup``: what is asked, what is told, and with which exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from backup_scenes import LONG_AGO, made, objects, take, truth
from deduplication.commands import deduplicate_export
from deduplication.errors import BackupMissing, RestoreRefused, UsageError
from deduplication.hooks import quick
from deduplication.project import config
from deduplication.project.paths import Project
from deduplication.reports import backup as backup_report

MADE_BY = {"generator": "export-dedup"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with something of everything, and the current folder in it."""
    project = made(tmp_path / "project")
    monkeypatch.chdir(project.root)
    return project


def run(capsys, *arguments):
    """Exit code, standard output, standard error."""
    capsys.readouterr()
    code = deduplicate_export.main(["backup", *(str(argument) for argument in arguments)])
    return (code, *capsys.readouterr())


def test_from_the_first_snapshot_to_a_restore(project, capsys, tmp_path):
    """Taken, taken again, listed, verified, refused, restored beside, restored in place."""
    code, out, err = run(capsys, "../backup")
    assert (code, err) == (0, "")
    assert out.startswith(f"💾 Snapshot 1 in {tmp_path / 'backup'}: ")
    assert "new parts" in out
    code, out, _ = run(capsys, "../backup")
    assert (code, "Written: nothing new" in out) == (0, True)
    code, out, _ = run(capsys, "../backup", "--list")
    assert (code, out.splitlines()[-1]) == (0, "2 snapshots")
    code, out, _ = run(capsys, "../backup", "--verify")
    assert (code, out.startswith("✅ Backup: 2 snapshots, ")) == (0, True)
    with pytest.raises(RestoreRefused):
        run(capsys, "../backup", "--restore")
    code, out, _ = run(capsys, "--restore", "../backup", "--output", "../beside", "--snapshot", "1")
    assert (code, "Restored snapshot 1 of " in out, "✅ Verified" in out) == (0, True, True)
    before = truth(project.memory)
    shutil.rmtree(project.memory)
    code, out, _ = run(capsys, "../backup", "--restore")
    assert (code, "settings were left as they are" in out) == (0, True)
    assert truth(project.memory) == before
    code, out, _ = run(capsys, "../backup", "--restore", "--storage-dir", "../alone")
    assert (code, "no part of the store itself" in out) == (0, True)


def test_json(project, capsys, tmp_path):
    """One object and nothing else, for each of them."""
    code, out, _ = run(capsys, "../backup", "--json")
    first = json.loads(out)
    assert (code, first["snapshot"], first["problems"], first["notes"]) == (0, 1, [], [])
    assert first["written_bytes"] <= first["bytes"]
    assert first["written_objects"] == len(objects(tmp_path / "backup"))
    code, out, _ = run(capsys, "../backup", "--list", "--json")
    (row,) = json.loads(out)["snapshots"]
    assert (code, row["bytes"], row["files"]) == (0, first["bytes"], first["files"])
    code, out, _ = run(capsys, "../backup", "--verify", "--json")
    assert (code, json.loads(out)) == (0, {**MADE_BY, "ok": True, "damaged": [], "costs": {}})
    code, out, _ = run(capsys, "../backup", "--restore", "--output", "../out", "--json")
    done = json.loads(out)
    assert (code, done["files"], done["bytes"]) == (0, first["files"], first["bytes"])
    assert (done["lost"], done["problems"], done["taken_with"], done["path"]) == ([], [], [], str(tmp_path / "out"))
    code, out, _ = run(capsys, "../backup", "--forget", "--json")
    assert (code, json.loads(out)) == (
        0,
        {**MADE_BY, "path": str(tmp_path / "backup"), "known": True, "has_purged": False},
    )


def test_forget(project, capsys, tmp_path):
    """A folder is taken from the list, what lies there stays, and asking again says so."""
    run(capsys, "../backup")
    assert "no longer among the known" in run(capsys, "../backup", "--forget")[1]
    assert "was not among the known" in run(capsys, "../backup", "--forget")[1]
    assert len(objects(tmp_path / "backup")) > 3


def test_damage_in_the_backup(project, capsys, tmp_path):
    """Exit code 1, what is damaged, which snapshots and files that costs, and what to do."""
    backup = tmp_path / "backup"
    run(capsys, backup)
    (project.sessions / "x.md").write_bytes(b"later")
    run(capsys, backup)
    log = project.state / "conversation_log.jsonl"
    (part,) = [path for path in objects(backup) if path.read_bytes() == log.read_bytes()]
    part.write_bytes(b"x" * part.stat().st_size)
    (backup / "snapshots" / min(os.listdir(backup / "snapshots"))).write_bytes(b"damaged")
    code, out, _ = run(capsys, backup, "--verify")
    assert code == 1
    assert "2 damaged parts" in out
    assert "lost 1 file:\n   - everything" in out
    assert "lost 1 file:\n   - dedup_state/conversation_log.jsonl" in out
    assert "Whole snapshots: 0 of 2" in out
    code, out, _ = run(capsys, backup, "--list")
    assert (code, "❌ snapshots/000001-" in out) == (1, True)
    code, out, _ = run(capsys, backup, "--restore", "--output", "../out", "--skip-damaged")
    assert code == 1
    assert "1 file is damaged in the backup and not restored" in out
    assert "✅" not in out


def test_damage_in_the_store(project, capsys, tmp_path):
    """Exit code 1, what was damaged, now and when it is restored."""
    next(project.state.glob("blobs/*/*")).write_bytes(b"other")
    code, out, _ = run(capsys, "../backup")
    assert (code, "not the bytes that its name says" in out) == (1, True)
    code, out, _ = run(capsys, "../backup", "--list")
    assert (code, "⚠ 1 problem" in out) == (0, True)
    code, out, _ = run(capsys, "../backup", "--restore", "--output", "../out")
    assert code == 1
    assert "When the snapshot was taken this was wrong" in out
    assert "'verify' finds 1 problem in it" in out


def test_retention(project, capsys, tmp_path):
    """The option comes before the setting, which comes before 30 days; below 0 nothing goes."""
    backup = tmp_path / "backup"
    for _ in range(2):
        take(project, backup, LONG_AGO)
    assert "Removed" not in run(capsys, backup, "--retention-days", "-1")[1]
    (project.root / ".coditect" / "config.json").write_text('{"backup_retention_days": -1}', encoding="utf-8")
    assert "Removed" not in run(capsys, backup)[1]
    (project.root / ".coditect" / "config.json").write_text("{}", encoding="utf-8")
    assert "Removed: 2 old snapshots" in run(capsys, backup)[1]
    assert config.DEFAULTS["backup_retention_days"] == 30


def test_a_snapshot_that_cannot_be_read_is_said(project, capsys, tmp_path):
    """No part goes while nobody knows what it needs, and the user is told whom to ask."""
    backup = tmp_path / "backup"
    take(project, backup, LONG_AGO)
    run(capsys, backup)
    newest = max((backup / "snapshots").iterdir())
    take(project, backup, LONG_AGO)
    newest.write_bytes(b"damaged")
    assert "no part was removed" in run(capsys, backup)[1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["b", "--list", "--verify"],
        ["b", "--restore", "--forget"],
        ["b", "--snapshot", "1"],
        ["b", "--list", "--output", "x"],
        ["b", "--verify", "--skip-damaged"],
        ["b", "--restore", "--full"],
        ["b", "--list", "--retention-days", "3"],
        ["b", "--retention-days", "many"],
        ["b", "--retention-days", "nan"],
        ["b", "--restore", "--output", "x", "--storage-dir", "y"],
        ["b", "--restore", "--output", ""],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant(project, capsys, arguments):
    """A usage error, and nothing is made."""
    before = sorted(os.listdir(project.root))
    with pytest.raises(UsageError):
        run(capsys, *arguments)
    assert sorted(os.listdir(project.root)) == before


def test_no_backup_there(project, capsys, tmp_path):
    """A mistyped folder has none, and is not made one."""
    for action in ("--list", "--verify", "--restore"):
        with pytest.raises(BackupMissing):
            run(capsys, tmp_path / "typo", action)
    assert not (tmp_path / "typo").exists()


def test_a_store_alone(project, capsys, tmp_path):
    """--storage-dir takes the store's folder without archive and sessions."""
    code, out, _ = run(capsys, "../backup", "--storage-dir", project.state, "--json")
    assert code == 0
    assert json.loads(out)["files"] < len(truth(project.memory))


def test_the_users_own_store(project, capsys, tmp_path, monkeypatch):
    """Of a project that did not opt in, what was captured of it in the user's own store is kept."""
    plain = tmp_path / "plain"
    plain.mkdir()
    own = Project((tmp_path / "x").resolve())
    place = quick.user_store(os.path.realpath(plain))
    os.makedirs(os.path.dirname(place))
    shutil.move(made(own.root).root, place)
    monkeypatch.chdir(plain)
    code, out, _ = run(capsys, tmp_path / "backup")
    assert (code, "Snapshot 1" in out) == (0, True)
    assert list(plain.iterdir()) == []
    assert (tmp_path / "backup" / "snapshots").is_dir()


def test_a_folder_in_a_work_tree(project, capsys, tmp_path, monkeypatch):
    """Git would see it: said, once it is not ignored; its own rule keeps it out of commits all the same."""
    outer = tmp_path / "repository"
    outer.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=outer, check=True)
    code, _, err = run(capsys, outer / "backup")
    assert (code, "lies in a git work tree" in err) == (0, True)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=outer, check=True, capture_output=True)
    assert status.stdout == b""
    (outer / ".gitignore").write_text("/backup/\n", encoding="utf-8")
    assert run(capsys, outer / "backup")[2] == ""
    monkeypatch.setenv("PATH", "")
    assert run(capsys, outer / "backup")[2] == ""


def test_long_lists_are_cut():
    """Ten lines, and how many more there are."""
    assert backup_report._some([str(number) for number in range(12)])[-1] == "   … and 2 more"
