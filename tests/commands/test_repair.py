"""``repair``, what ``verify`` says of costs, and ``rebuild --from-exports``, as they are called from a shell."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from deduplication.commands import deduplicate_export
from deduplication.errors import OutputNotWritable, StoreHasLog, StoreMissing, UsageError
from deduplication.storage import indexed_log
from repair_scenes import Scene

LOST = "3 messages of 'quarry', sequence numbers 3-5"


@pytest.fixture(autouse=True)
def one_file(monkeypatch):
    """The log is one file, whose lines a test can damage."""
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A project whose exports are plain and packed."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    made = Scene(tmp_path)
    monkeypatch.chdir(made.project.root)
    return made


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A project that keeps nothing but the log."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    made = Scene(tmp_path, archived=lambda _name: False)
    shutil.rmtree(tmp_path / "client")
    monkeypatch.chdir(made.project.root)
    return made


def run(capsys, *arguments):
    """The exit code and what was printed."""
    code = deduplicate_export.main(arguments)
    return code, capsys.readouterr().out


def hole(scene):
    """Blank the lines of three messages."""
    log = scene.state / "conversation_log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    lines[3:6] = [bytes(len(b"".join(lines[3:6])) - 1) + b"\n"]
    log.write_bytes(b"".join(lines))


def snapshot(scene):
    """Every file of the project by its digest."""
    paths = [path for path in scene.project.root.rglob("*") if path.is_file()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_a_whole_store_has_nothing_to_repair(scene, capsys):
    """Exit code 0 and one line, dry or not, and nothing goes into quarantine."""
    assert run(capsys, "repair", "--dry-run") == (0, "✅ Nothing to repair.\n")
    assert run(capsys, "repair") == (0, "✅ Nothing to repair: everything is whole.\n")
    assert not list(scene.project.root.rglob("quarantine"))


def test_verify_says_what_damage_costs_and_who_has_it(scene, capsys):
    """The conversation, the sequence numbers, the export and the archived file; by name in JSON."""
    hole(scene)
    code, said = run(capsys, "verify")
    assert code == 1
    assert f"{LOST}, from export quarry-2026-03-01-EXPORT-STORY-9.txt; repair takes them from quarry-" in said
    code, said = run(capsys, "verify", "--json")
    (cost,) = json.loads(said)["costs"]
    assert (code, cost["conversation"], cost["numbers"], cost["repaired"]) == (1, "quarry", [[3, 5]], True)


def test_a_dry_run_changes_nothing_and_a_repair_gives_the_messages_back(scene, capsys):
    """The same is said of both; afterwards the store verifies, and the damaged log lies in quarantine."""
    hole(scene)
    damaged = (scene.state / "conversation_log.jsonl").read_bytes()
    before = snapshot(scene)
    code, said = run(capsys, "repair", "--dry-run")
    assert (code, snapshot(scene)) == (0, before)
    assert LOST in said
    assert "All of it can be repaired" in said
    code, said = run(capsys, "repair")
    assert code == 0
    assert LOST in said
    assert scene.messages() == (scene.truth, [])
    (kept,) = (scene.state / "quarantine").iterdir()
    assert kept.read_bytes() == damaged
    assert f"dedup_state/quarantine/{kept.name}" in said
    assert run(capsys, "verify")[0] == 0


def test_what_nothing_has_is_named_and_stays_named(bare, capsys):
    """Exit code 1, the loss by name, in JSON too; everything else is read, and verify goes on naming it."""
    hole(bare)
    code, said = run(capsys, "repair", "--dry-run")
    assert code == 1
    assert "cost something that nothing has" in said
    code, said = run(capsys, "repair", "--json")
    done = json.loads(said)
    assert (code, done["ok"]) == (1, False)
    assert [(each["conversation"], each["numbers"]) for each in done["lost"]] == [("quarry", [[3, 5]])]
    code, said = run(capsys, "repair")
    assert code == 1
    assert f"{LOST}, from export quarry-2026-03-01-EXPORT-STORY-9.txt; lost: nothing else has them" in said
    messages = bare.messages()[0]
    assert {n for n in bare.truth["quarry"] if n not in messages["quarry"]} == {3, 4, 5}
    assert "message 4 of 'quarry' is lost" in run(capsys, "verify")[1]


def test_a_lost_file_of_the_archive_is_named_with_what_the_log_has_of_it(scene, capsys):
    """Name, conversation, date, size, how many of its messages are stored; again and again, until it is given up."""
    (plain,) = [path for path in scene.project.archive.iterdir() if path.suffix == ".txt"]
    size = plain.stat().st_size
    plain.write_bytes(plain.read_bytes()[:-40])
    code, said = run(capsys, "verify")
    assert code == 1
    assert f"archived file {plain.name} (conversation 'harbour'" in said
    assert f"{size:,} bytes) cannot be restored" in said
    code, said = run(capsys, "repair")
    assert code == 1
    assert "Lost for good: 1" in said
    assert not plain.exists()
    assert len(list((scene.project.archive / "quarantine").iterdir())) == 1
    for command in ("verify", "repair", "rebuild"):
        code, said = run(capsys, command)
        assert (code, f"{plain.name}" in said, "cannot be restored" in said) == (1, True, True), command
    code, said = run(capsys, "repair", "--accept-lost")
    assert (code, f"Given up: 1 archived file, noted as known to be lost\n   - {plain.name}" in said) == (0, True)
    code, said = run(capsys, "verify")
    assert (code, f"Given up, known to be lost: 1 file: {plain.name}" in said) == (0, True)
    with pytest.raises(UsageError):
        run(capsys, "repair", "--accept-lost", "--dry-run")


def test_the_store_alone_can_be_repaired_as_far_as_it_goes(scene, capsys):
    """With --storage-dir there is no archive: what its windows and its own lines tell is all there is."""
    hole(scene)
    code, said = run(capsys, "repair", "--storage-dir", str(scene.state))
    assert code == 1
    assert "lost: nothing else has them" in said


def test_a_new_store_is_made_beside_the_old_one(scene, capsys, tmp_path):
    """The project keeps its store; a folder that holds something is refused; the numbers are said, in JSON too."""
    before = snapshot(scene)
    code, said = run(capsys, "rebuild", "--from-exports", "--into", str(tmp_path / "new"))
    assert code == 0
    assert "Everything that the old store had is in it" in said
    assert {path: digest for path, digest in snapshot(scene).items() if path in before} == before
    with pytest.raises(OutputNotWritable):
        run(capsys, "rebuild", "--from-exports", "--into", str(tmp_path / "new"))
    code, said = run(capsys, "rebuild", "--from-exports", "--json")
    assert (code, json.loads(said)["missing"]) == (0, [])


def test_what_no_archived_file_has_is_named(bare, capsys, tmp_path):
    """By conversation, file and number of messages."""
    code, said = run(capsys, "rebuild", "--from-exports", "--into", str(tmp_path / "new"))
    assert code == 1
    assert "captured from quarry-2026-03-01-EXPORT-STORY-9.txt, that no archived file has" in said


def test_a_new_store_takes_the_place_of_one_without_a_log_only(scene, capsys):
    """With --yes: refused while there is a log; without one the old store is moved aside, and nothing of it is deleted."""
    with pytest.raises(StoreHasLog):
        run(capsys, "rebuild", "--from-exports", "--yes")
    (scene.state / "conversation_log.jsonl").unlink()
    assert run(capsys, "verify")[0] == 1
    code, said = run(capsys, "rebuild", "--from-exports", "--yes")
    assert code == 0
    (old,) = scene.project.memory.glob("dedup_state.old-*")
    assert str(old) in said
    assert (old / "watermarks.json").exists()
    messages, problems = scene.messages()
    assert problems == []
    assert {name: len(rows) for name, rows in messages.items()} == {
        name: len(rows) for name, rows in scene.truth.items()
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["--into", "x"],
        ["--yes"],
        ["--from-exports", "--storage-dir", "x"],
        ["--from-exports", "--into", "x", "--yes"],
        ["--from-exports", "--into", ""],
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_refused(scene, arguments):
    """A usage error, and nothing is made."""
    before = snapshot(scene)
    with pytest.raises(UsageError):
        deduplicate_export.main(["rebuild", *arguments])
    assert snapshot(scene) == before


def test_there_must_be_a_store(tmp_path):
    """A mistyped folder is neither repaired nor filled."""
    with pytest.raises(StoreMissing):
        deduplicate_export.main(["repair", "--storage-dir", str(tmp_path / "nowhere")])
