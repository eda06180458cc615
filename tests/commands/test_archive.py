"""``pack``, ``restore``, ``verify``, ``rebuild`` and the end of a run, from the command line."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

import settings_scenes
from archive_scenes import without_parity
from conftest import REPOSITORY
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.errors import NotInArchive, OutputNotWritable, UsageError
from deduplication.project import config

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))

pytestmark = pytest.mark.usefixtures("plain_week")


@pytest.fixture
def project(tmp_path):
    """A project with three processed exports in its archive, and the current folder in it."""
    folder = tmp_path / "project"
    (folder / "MEMORY-CONTEXT").mkdir(parents=True)
    for sample in SAMPLES:
        shutil.copy(sample, folder)
    os.chdir(folder)
    assert export_dedup.main(["--yes", "--no-checkpoint"]) == 0
    return folder


def run(capsys, *arguments):
    """Exit code and output of a command."""
    capsys.readouterr()
    code = deduplicate_export.main([str(argument) for argument in arguments])
    return code, capsys.readouterr().out


def packs(project):
    """The files of the packs."""
    return sorted(path.name for path in (project / "MEMORY-CONTEXT" / "exports-archive" / "packs").iterdir())


def test_pack_and_restore(project, capsys):
    """What was packed is said and counted; every export comes back as it was, with its conversation as the store has it."""
    code, out = run(capsys, "pack", "--older-than", "0")
    assert code == 0
    assert "Packed: 3 files, 10,083 bytes" in out
    assert packs(project) == ["pack-0001.idx", "pack-0001.pack"]
    code, out = run(capsys, "restore", "tide-clock", "--output", "out/")
    assert (code, out.count("Restored")) == (0, 3)
    for sample in SAMPLES:
        assert (project / "out" / sample.name).read_bytes() == sample.read_bytes()
    code, out = run(capsys, "restore", "--all", "out")
    assert (code, out.count("byte for byte")) == (0, 3)


def test_pack_without_anything_to_do(project, capsys):
    """Young exports stay plain by default, which is no failure."""
    code, out = run(capsys, "pack", "--older-than", "36500")
    assert (code, out) == (0, "✓ Nothing to pack: no plain file in the archive is older than 36500 days\n")


def test_json(project, capsys):
    """With --json there is one object and nothing else."""
    code, out = run(capsys, "pack", "--older-than", "0", "--json")
    assert code == 0
    figures = json.loads(out)
    assert (len(figures["packed"]), figures["raw_bytes"], figures["packs"], figures["failed"]) == (3, 10083, 1, [])
    code, out = run(capsys, "restore", SAMPLES[0].name, "nothing", "--json")
    assert code == 1
    done = json.loads(out)
    assert done["restored"][0]["path"] == os.path.join(".", SAMPLES[0].name)
    assert done["failed"] == [{"name": "nothing", "error": str(NotInArchive("nothing"))}]
    code, out = run(capsys, "restore", "--list", "--json")
    rows = json.loads(out)["files"]
    assert [row["name"] for row in rows] == [sample.name for sample in SAMPLES]
    assert {row["session"] for row in rows} == {"tide-clock"}
    assert all(row["packed"] for row in rows)


def test_standard_output(project, capfdbinary):
    """``--output -`` writes the bytes and nothing else."""
    assert deduplicate_export.main(["restore", SAMPLES[0].name, "--output", "-"]) == 0
    sys.stdout.flush()
    assert capfdbinary.readouterr().out.endswith(SAMPLES[0].read_bytes())


def test_standard_output_that_breaks(project, monkeypatch):
    """A full disk behind standard output is OutputNotWritable; a reader that has gone is left to the one handler."""

    class Broken:
        buffer = property(lambda self: self)
        error = OSError(28, "No space left on device")

        def flush(self):
            """Nothing is held."""

        def write(self, _data):
            raise self.error

    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(OutputNotWritable, match="No space"):
        deduplicate_export.main(["restore", SAMPLES[0].name, "--output", "-"])
    monkeypatch.setattr(Broken, "error", BrokenPipeError())
    with pytest.raises(BrokenPipeError):
        deduplicate_export.main(["restore", SAMPLES[0].name, "--output", "-"])


def test_the_list(project, capsys):
    """Every archived file with its day, its size, and whether it is packed."""
    code, out = run(capsys, "restore", "--list")
    assert code == 0
    assert out.splitlines()[0] == f"  2026-03-02         1,919  plain   {SAMPLES[0].name}"
    assert out.splitlines()[-1] == "3 files, 10,083 bytes"


def test_one_file_to_a_name(project, capsys):
    """``--output`` with a name that does not exist writes the one file there."""
    assert run(capsys, "restore", SAMPLES[0].name, "--output", "copy.txt")[0] == 0
    assert Path("copy.txt").read_bytes() == SAMPLES[0].read_bytes()
    Path("taken").mkdir()
    assert run(capsys, "restore", SAMPLES[0].name, "--output", "taken")[0] == 0
    assert (project / "taken" / SAMPLES[0].name).exists()


def test_what_is_there_is_not_overwritten(project, capsys):
    """Another file in the way is a failure of that file; the others are restored."""
    Path(SAMPLES[0].name).write_text("mine", encoding="utf-8")
    code, out = run(capsys, "restore", "tide-clock")
    assert (code, out.count("Restored")) == (1, 2)
    assert Path(SAMPLES[0].name).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ["restore"],
        ["restore", "x", "--list"],
        ["restore", "x", "--all", "y"],
        ["restore", "--all", "y", "--output", "z"],
        ["restore", ""],
        ["restore", "x", "--output", ""],
        ["restore", "x", "--session", "y"],
        ["restore", "--session", ""],
        ["restore", "x", "--to-client"],
        ["restore", "--session", "x", "--to-client", "--output", "y"],
        ["restore", "--all", ""],
        ["restore", "tide-clock", "--output", "one-file"],
        ["restore", "tide-clock", "--output", "-"],
        ["pack", "--older-than", "-1"],
        ["pack", "--older-than", "never"],
        ["pack", "--older-than", "nan"],
        ["pack", "more"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused(project, arguments):
    """Contradictory, empty or impossible arguments are a UsageError, and nothing is written."""
    before = sorted(project.rglob("*"))
    with pytest.raises(UsageError):
        deduplicate_export.main(arguments)
    assert sorted(project.rglob("*")) == before


def test_verify_names_damage_and_what_it_costs(project, capsys):
    """verify checks the packs: a flipped bit is named with the files that it costs, exit code 1; within parity it costs none."""
    run(capsys, "pack", "--older-than", "0")
    code, out = run(capsys, "verify")
    assert code == 0
    assert "✅ Archive: 3 files in 1 pack, every byte is right." in out
    path = project / "MEMORY-CONTEXT" / "exports-archive" / "packs" / "pack-0001.pack"
    whole = path.read_bytes()
    without_parity(path.parent)
    bare, none, all_ = path.read_bytes(), "3 of 3 files that it took in cannot be restored.", "can still be restored."
    for right, place, ending in ((bare, 300, none), (bare, 20, all_), (whole, 300, all_)):
        wrong = bytearray(right)
        wrong[place] ^= 1
        path.write_bytes(wrong)
        code, out = run(capsys, "verify")
        assert code == 1
        assert "pack-0001.pack" in out
        assert out.endswith(ending + "\n")
    code, out = run(capsys, "verify", "--json")
    assert json.loads(out)["ok"] is False
    assert "Archive" not in run(capsys, "verify", "--storage-dir", "MEMORY-CONTEXT/dedup_state")[1]
    assert (
        "does not match; nothing of the pack is lost: 'repair' makes it again from its parity"
        in run(capsys, "verify")[1]
    )
    assert "does not match; repair makes it again from its parity" in run(capsys, "repair", "--dry-run")[1]
    assert path.read_bytes() == wrong
    code, out = run(capsys, "repair")
    assert code == 0
    assert "does not match; made again from its parity" in out
    assert path.read_bytes() == whole


def test_damage_is_a_failure_of_restore(project, capsys):
    """A file that is lost is named and the exit code is 1; restoring everything names what its pack does not name any more."""
    run(capsys, "pack", "--older-than", "0")
    path = project / "MEMORY-CONTEXT" / "exports-archive" / "packs" / "pack-0001.pack"
    without_parity(path.parent)
    data = bytearray(path.read_bytes())
    data[-110] ^= 1
    path.write_bytes(data)
    code = deduplicate_export.main(["restore", "--all", "out"])
    assert code == 1
    said = capsys.readouterr().err
    assert "A file" in said
    assert all(f"{sample.name}: The archive is damaged: it was archived (" in said for sample in SAMPLES)


def test_rebuild_makes_the_archives_indexes_too(project, capsys):
    """A damaged index of a pack is named by verify, made anew by rebuild, with the same bytes."""
    run(capsys, "pack", "--older-than", "0")
    path = project / "MEMORY-CONTEXT" / "exports-archive" / "packs" / "pack-0001.idx"
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    code, out = run(capsys, "verify")
    assert code == 1
    assert "pack-0001.idx: does not say what the pack says" in out
    code, out = run(capsys, "rebuild")
    assert code == 0
    assert "pack-0001.idx" in out
    assert path.read_bytes() == right
    assert "pack-0001.idx" not in run(capsys, "rebuild")[1]


def test_a_failure_of_pack_is_said(project, capsys, monkeypatch):
    """A file that could not be packed is named on standard error, and the exit code is 1."""
    from deduplication.archive import pack_files, places

    monkeypatch.setattr(places, "is_ours", lambda name: name in {".lock", ".gitignore"})
    real = pack_files.read

    def reading(path):
        if path.name == SAMPLES[1].name:
            path.unlink()
        return real(path)

    monkeypatch.setattr(pack_files, "read", reading)
    capsys.readouterr()
    assert deduplicate_export.main(["pack", "--older-than", "0"]) == 1
    printed = capsys.readouterr()
    assert SAMPLES[1].name in printed.err
    assert "Packed: 2 files" in printed.out


def age(project, days):
    """Make every plain file of the archive older."""
    moment = time.time() - days * 86_400
    for path in (project / "MEMORY-CONTEXT" / "exports-archive").glob("*.txt"):
        os.utime(path, (moment, moment))


def next_export(project):
    """One more export to process."""
    (project / "2026-03-05-EXPORT-TIDE-CLOCK.txt").write_bytes(
        SAMPLES[2].read_bytes() + "\n\n❯ More?\n\n● No.\n".encode()
    )
    return export_dedup.main(["--yes", "--no-checkpoint"])


def test_a_run_packs_what_it_archived(project, capsys):
    """By default an export goes into a pack at once; said, and given back; the same bytes again are archived already."""
    settings_scenes.own()
    assert next_export(project) == 0
    assert "✓ Packed: 4 files, " in capsys.readouterr().out
    assert list((project / "MEMORY-CONTEXT" / "exports-archive").glob("*.txt")) == []
    for _ in range(2):
        assert next_export(project) == 0
        out = capsys.readouterr().out
        assert "Archived already: 2026-03-05-EXPORT-TIDE-CLOCK.txt" in out
        assert "Packed" not in out
    assert run(capsys, "restore", "tide-clock", "--output", "out/")[0] == 0
    assert len(list((project / "out").iterdir())) == 4


def test_the_end_of_a_run_packs_what_is_old_enough(project, capsys):
    """A run packs the archived exports of more than a week, quickly, and leaves the new one plain."""
    age(project, 8)
    assert next_export(project) == 0
    assert "✓ Packed: 3 files, 10,083 bytes" in capsys.readouterr().out
    assert packs(project) == ["pack-0001.idx", "pack-0001.pack"]
    plain = [path.name for path in (project / "MEMORY-CONTEXT" / "exports-archive").glob("*.txt")]
    assert plain == ["2026-03-05-EXPORT-TIDE-CLOCK.txt"]
    assert run(capsys, "restore", "tide-clock", "--output", "out/")[0] == 0
    assert len(list((project / "out").iterdir())) == 4
    rows = json.loads(run(capsys, "restore", "--list", "--json")[1])["files"]
    assert {row["session"] for row in rows} == {"tide-clock"}


def test_a_run_packs_nothing_where_the_setting_says_never(project, capsys, monkeypatch):
    """A negative number of days in the settings: exports stay plain files."""
    age(project, 400)
    monkeypatch.setenv("EXPORT_DEDUP_PACK_OLDER_THAN_DAYS", "-1")
    assert next_export(project) == 0
    assert "Packed" not in capsys.readouterr().out
    assert not (project / "MEMORY-CONTEXT" / "exports-archive" / "packs").exists()
    assert run(capsys, "pack")[1].startswith("📦 Packed: 4 files")


def test_a_run_whose_packing_fails_has_done_its_work(project, capsys, tmp_path):
    """A link in the place of the packs: the export is processed and archived, the failure is said, the files stay plain."""
    age(project, 8)
    archive = project / "MEMORY-CONTEXT" / "exports-archive"
    (archive / "packs").symlink_to(tmp_path)
    assert next_export(project) == 0
    assert "stays a plain file" in capsys.readouterr().out
    assert len(list(archive.glob("*.txt"))) == 4


def test_a_file_that_fails_at_the_end_of_a_run_is_named(project, capsys, monkeypatch):
    """One file that cannot be packed is said in the run's report; the run itself succeeded."""
    from deduplication.errors import ArchiveDamaged
    from deduplication.packs import pack_and_verify

    age(project, 8)
    monkeypatch.setattr(
        pack_and_verify, "_checked", lambda packed, folder: [(each, ArchiveDamaged("x")) for each in packed]
    )
    assert next_export(project) == 0
    assert capsys.readouterr().out.count("stays a plain file") == 3


@pytest.mark.parametrize(("text", "days"), [("0", 0), ("3.5", 3.5), ("-1", -1), ("never", 0), ("nan", 0)], ids=str)
def test_the_setting_takes_numbers(tmp_path, monkeypatch, text, days):
    """From the environment and the file alike: a number is taken, anything else is passed over."""
    settings_scenes.own()
    monkeypatch.setenv("EXPORT_DEDUP_PACK_OLDER_THAN_DAYS", text)
    assert config.load(str(tmp_path))["pack_older_than_days"] == days
    monkeypatch.delenv("EXPORT_DEDUP_PACK_OLDER_THAN_DAYS")
    written = text if text in {"never", "nan"} else float(text)
    settings_scenes.own(pack_older_than_days=written)
    assert config.load(str(tmp_path))["pack_older_than_days"] == days
