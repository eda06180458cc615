"""A file that the archive took in and that is gone: found wherever its bytes are, put back, never against a purge."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from conftest import REPOSITORY
from deduplication.archive import inventory
from deduplication.archive import restore as restoring
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.errors import ExportError
from deduplication.files.safe_read import read
from deduplication.project.client_transcripts import folder_name
from deduplication.project.paths import Project
from purge_scenes import Place, Talk
from transcript_lines import answer, prompt

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
SESSION = "11111111-2222-4333-8444-555555555555"

pytestmark = pytest.mark.usefixtures("plain_week")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with three processed exports in its archive, and the current folder in it."""
    made = Project((tmp_path / "project").resolve())
    made.exports.mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    monkeypatch.chdir(made.root)
    for sample in SAMPLES:
        shutil.copy(sample, made.root)
    assert export_dedup.main(["--yes", "--no-checkpoint"]) == 0
    return made


def run(capsys, *arguments):
    """Exit code and output of a command."""
    capsys.readouterr()
    code = deduplicate_export.main([str(argument) for argument in arguments])
    return code, capsys.readouterr().out


def is_back(project, capsys):
    """Everything verifies, and every export is restored as it was, with its time."""
    assert run(capsys, "verify")[0] == 0
    assert run(capsys, "restore", "--all", "out")[0] == 0
    for sample in SAMPLES:
        path = project.root / "out" / sample.name
        assert path.read_bytes() == sample.read_bytes()


@pytest.mark.parametrize("place", ["MEMORY-CONTEXT/exports/other name.txt", "in the root.txt"])
def test_a_copy_where_exports_lie_is_taken(project, capsys, place):
    """Under whatever name, by its bytes: verify says where it is, repair puts it back under the name and time that it had."""
    plain = project.archive / SAMPLES[1].name
    moment = plain.stat().st_mtime_ns
    shutil.move(plain, project.root / place)
    code, out = run(capsys, "verify")
    assert code == 1
    assert f"archived file {plain.name} (" in out
    assert f"repair takes it from {project.root / place}" in out
    code, out = run(capsys, "repair")
    assert (code, f"taken from {project.root / place}" in out) == (0, True)
    (project.root / place).unlink()
    is_back(project, capsys)
    assert (project.root / "out" / plain.name).stat().st_mtime_ns == moment


@pytest.mark.parametrize("packed", ["plain", "packed", "packed later"])
def test_a_backup_is_looked_into(project, capsys, tmp_path, packed):
    """Plain files of a snapshot, and what lies in its packs; the whole archive comes back where all of it is gone."""
    if packed == "packed":
        assert run(capsys, "pack", "--older-than", "0")[0] == 0
    assert run(capsys, "backup", tmp_path / "backup")[0] == 0
    if packed == "packed later":
        assert run(capsys, "pack", "--older-than", "0")[0] == 0
    shutil.rmtree(project.archive)
    code, out = run(capsys, "repair", "--dry-run")
    assert (code, out.count(f"repair takes it from backup {tmp_path / 'backup'}, snapshot 000001-")) == (0, 3)
    assert not project.archive.exists()
    assert run(capsys, "repair")[0] == 0
    is_back(project, capsys)
    assert run(capsys, "repair")[1] == "✅ Nothing to repair: everything is whole.\n"


def test_a_damaged_backup_gives_nothing_wrong(project, capsys, tmp_path):
    """What of it cannot be read is passed over, and the file stays named."""
    assert run(capsys, "backup", tmp_path / "backup")[0] == 0
    for path in (tmp_path / "backup" / "objects").glob("*/*"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    shutil.rmtree(project.archive)
    code, out = run(capsys, "repair")
    assert (code, out.count("cannot be restored")) == (1, 3)


def test_a_restored_backup_has_the_list_and_is_held_against_it(project, capsys, tmp_path):
    """The list comes back with the store; where a snapshot was taken of a damaged archive, restoring it says what was gone."""
    backup = tmp_path / "backup"
    assert run(capsys, "backup", backup)[0] == 0
    (project.archive / SAMPLES[0].name).unlink()
    assert run(capsys, "backup", backup)[0] == 0
    code, out = run(capsys, "backup", backup, "--restore", "--output", tmp_path / "two")
    assert (code, f"{SAMPLES[0].name} cannot be restored" in out) == (1, True)
    shutil.rmtree(project.memory)
    assert run(capsys, "backup", backup, "--restore", "--snapshot", "1")[0] == 0
    assert (project.archive / ".archived.jsonl").read_bytes() == (project.state / "archived.jsonl").read_bytes()
    is_back(project, capsys)


def test_the_clients_own_transcript_is_taken_up_to_where_it_was(project, capsys, tmp_path):
    """It has grown since: its beginning has the hash of what was archived, and goes back."""
    path = tmp_path / "client" / "projects" / folder_name(str(project.root)) / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    lines = [prompt("Which tide?", at=0, session=SESSION, cwd=str(project.root))]
    path.write_bytes(b"".join(lines))
    assert run(capsys, "capture")[0] == 0
    path.write_bytes(b"".join([*lines, answer("The spring tide.", at=9, session=SESSION, cwd=str(project.root))]))
    shutil.rmtree(project.archive / "packs")
    code, out = run(capsys, "repair")
    assert (code, f"taken from {path}" in out) == (0, True)
    code, out = run(capsys, "restore", SESSION, "--output", "-")
    assert run(capsys, "verify")[0] == 0
    assert code == 0


def test_a_middle_pack_that_is_gone_is_no_lasting_problem(project, capsys, monkeypatch):
    """Its files are named and given up; the packs around it are joined, and the archive verifies and packs as before."""
    monkeypatch.setattr("deduplication.packs.merge_policy.TIERS", ((10, 0),))
    for number, letter in enumerate("abc"):
        path = project.archive / f"{letter}.txt"
        path.write_bytes(letter.encode() * 4000)
        os.utime(path, (number, number))
        export_dedup.main(["--yes", "--no-checkpoint", str(SAMPLES[0])])
    packs = sorted((project.archive / "packs").glob("*.pack"))
    assert len(packs) == 3
    for path in (packs[1], packs[1].with_suffix(".idx")):
        path.unlink()
    code, out = run(capsys, "repair")
    assert code == 1
    assert "archived file b.txt (" in out
    assert "every file of it is had otherwise" not in out
    assert run(capsys, "repair", "--accept-lost")[0] == 0
    code, out = run(capsys, "verify")
    assert (code, "Given up, known to be lost: 1 file: b.txt" in out) == (0, True)
    assert run(capsys, "pack", "--older-than", "0")[0] == 0
    code, out = run(capsys, "stats")
    assert (code, "Given up, known to be lost: 1 file: b.txt" in out) == (0, True)
    code, out = run(capsys, "doctor", "--json")
    (note,) = [f for f in json.loads(out)["findings"] if f["name"] == "archive" and f["state"] == "note"]
    assert note["details"] == ["b.txt, 4,000 bytes"]


def test_a_plain_file_that_cannot_be_read_keeps_nobody_else_back(project, capsys, monkeypatch):
    """It is named, also as missing, and every other file is restored."""
    genuine = restoring.read

    def refused(path):
        if path.name == SAMPLES[1].name:
            raise ExportError(path.name)
        return genuine(path)

    monkeypatch.setattr(restoring, "read", refused)
    code = deduplicate_export.main(["restore", "--all", "out"])
    assert (code, SAMPLES[1].name in capsys.readouterr().err) == (1, True)
    given = sorted(path.name for path in (project.root / "out").iterdir())
    assert given == sorted(sample.name for sample in SAMPLES if sample != SAMPLES[1])


def test_repair_names_what_only_the_evidence_tells_that_it_changes(project, capsys):
    """An index alone knows a file that the list does not: it is listed before its pack is put aside, and named from then on."""
    assert run(capsys, "pack", "--older-than", "0")[0] == 0
    state, archive = str(project.state), str(project.archive)
    inventory.write(state, archive, list(inventory.load(state, archive).files.values())[1:])
    (project.archive / "packs" / "pack-0001.pack").unlink()
    for _ in range(2):
        code, out = run(capsys, "repair")
        assert (code, all(f"archived file {sample.name} (" in out for sample in SAMPLES)) == (1, True)
        assert out.count("cannot be restored") == 3


# --- purges ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path):
    """A project with two conversations."""
    made = Place(tmp_path / "project")
    for name in ("alder", "birch"):
        made.export(f"2026-03-01-EXPORT-{name.upper()}.txt", Talk(name).text())
    return made


def test_after_a_purge_the_list_has_what_is_there(place, capsys):
    """A file that went is missed by nobody, one that shows less has its new hash, and no copy names what told something."""
    telling = "2026-03-02-birch-question-number-one.txt"
    place.export(telling, Talk("birch").text())
    root = place.project.root
    assert run(capsys, "purge", "--project", root, "--session", "alder", "--yes")[0] == 0
    assert run(capsys, "verify", "--project", root)[0] == 0
    copies = (place.project.state / "archived.jsonl", place.project.archive / ".archived.jsonl")
    assert copies[0].read_bytes() == copies[1].read_bytes()
    assert b"ALDER" not in copies[0].read_bytes()
    code, out = run(capsys, "repair", "--project", root)
    assert (code, out) == (0, "✅ Nothing to repair: everything is whole.\n")


def test_what_was_purged_does_not_come_back_as_a_missing_file(place, capsys):
    """A file was gone when its messages were purged: found later it is not put back, and the reason is said."""
    root = place.project.root
    name = "2026-03-01-EXPORT-ALDER.txt"
    data, _ = read(place.project.archive / name)
    (place.project.archive / name).unlink()
    code, out = run(capsys, "purge", "--project", root, "--session", "alder", "--yes")
    assert (code, f"{name} cannot be restored" in out) == (1, True)  # purged, and the archive does not verify
    place.project.exports.mkdir(exist_ok=True)
    (place.project.exports / name).write_bytes(data)
    code, out = run(capsys, "repair", "--project", root, "--json")
    (lost,) = json.loads(out)["lost"]
    assert (code, "it shows messages that were purged" in lost["fault"]) == (1, True)
    (place.project.exports / name).unlink()
    code, out = run(capsys, "restore", "--project", root, "--list", "--json")
    assert [each["sha256"] for each in json.loads(out)["missing"]] == [lost["sha256"]]
    assert run(capsys, "repair", "--project", root, "--accept-lost")[0] == 0
