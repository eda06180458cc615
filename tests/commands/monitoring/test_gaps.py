"""``gaps`` as a person and as a program call it: what it prints, what it exits with, and that it changes nothing."""

from __future__ import annotations

import json

import pytest

from deduplication.commands import doctor
from gap_scenes import Scene, cut, put_aside, turns
from in_process import call
from transcript_lines import SESSION, day, exported, prompt

OTHER = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A project in which something of nearly every kind is missing."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("TZ", "UTC")
    made = Scene(tmp_path)
    origin = {"sessionId": OTHER, "messageUuid": "x"}
    data = day(2) + put_aside() + exported(str(made.root / "gone.txt")) + prompt("Go on from there", forkedFrom=origin)
    made.capture(made.transcript(data, days_old=27.5))
    with (
        (made.config / "projects")
        .joinpath(next((made.config / "projects").iterdir()).name, f"{SESSION}.jsonl")
        .open("ab") as file
    ):
        file.write(day(1, 7))
    made.dedup.ingest(cut(1_204), name="a.txt", conversation_id="alpha")
    made.history(("What is the tide today?", 1_795_133_000.0), session="22222222-0000-4000-8000-000000000000")
    return made


def photo(folder):
    """Every file with its bytes and its time."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def test_what_a_person_reads(scene, monkeypatch):
    """The sum first, a paragraph for each kind, with each gap what would fill it; 0, though something is missing."""
    monkeypatch.chdir(scene.root)
    ended = call("gaps")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert (
        lines[0]
        == "🔍 export-dedup gaps: 4 gaps in 2 conversations and 1 transcript of the client, 1,204 hidden lines among them"
    )
    assert "Lines that exports hide: 1" in lines
    at = lines.index("Lines that exports hide: 1") + 1
    assert lines[at].startswith("  alpha: the exports hide 1,204 lines of 1 result (certain, at ")
    assert lines[at + 1] == "    → the session's transcript, or an export that shows more of these results"
    assert lines[-1].startswith("In the archive, byte for byte and verified: 0 of 1 file of the client, 0 of ")


def test_what_a_program_reads(scene):
    """One object, as its schema says."""
    ended = call("gaps", "--project", scene.root, "--json")
    answer = json.loads(ended.stdout)
    counts = {kind: count for kind, count in answer["counts"].items() if count}
    assert counts == {"missing_origin": 1, "missing_output": 1, "hidden_lines": 1, "unstored_session": 1}
    assert (answer["hidden_lines"], answer["transcripts"], len(answer["gaps"])) == (1_204, 1, 4)
    assert answer["client_files"]["files"] == 1


def test_one_conversation(scene):
    """Named as everywhere: by its beginning, or by its session."""
    for name, kinds in (("alp", {"hidden_lines"}), (SESSION[:8], {"missing_origin", "missing_output"})):
        answer = json.loads(call("gaps", name, "--project", scene.root, "--json").stdout)
        assert ({gap["kind"] for gap in answer["gaps"]}, answer["client_files"]) == (kinds, None)
    ended = call("gaps", "nobody", "--project", scene.root)
    assert (ended.returncode, "none begins with 'nobody'" in ended.stderr) == (1, True)


def test_nothing_is_changed(scene, tmp_path):
    """No file, no index, no time of one, in the project or with the client."""
    before = photo(tmp_path)
    for words in (["gaps"], ["gaps", "--json"], ["gaps", "alpha"]):
        assert call(*words, "--project", scene.root).returncode == 0
    assert photo(tmp_path) == before


def test_a_store_by_itself(scene, tmp_path):
    """Nobody knows whose sessions it has: the client's files are not looked at, which is said."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in scene.place.state.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    ended = call("gaps", "--storage-dir", folder)
    assert ended.returncode == 0
    assert "Not looked at:\n  the client's own files" in ended.stdout
    answer = json.loads(call("gaps", "--storage-dir", folder, "--json").stdout)
    assert (answer["transcripts"], answer["client_files"]) == (0, None)


def test_no_store_is_an_error(tmp_path):
    """Nothing could be looked at."""
    ended = call("gaps", "--storage-dir", tmp_path / "none")
    assert (ended.returncode, ended.stdout) == (1, "")


def test_no_more_than_some_of_a_kind_unless_somebody_asks(scene):
    """The rest is counted."""
    for number in range(7):
        name = f"c{number}"
        scene.dedup.ingest(
            cut(number + 1).replace(b"harbour", name.encode() * 9), name=f"{name}.txt", conversation_id=name
        )
    some = call("gaps", "--project", scene.root).stdout
    assert "Lines that exports hide: 8" in some
    assert "  … 3 more (--all lists them)" in some
    every = call("gaps", "--project", scene.root, "--all").stdout
    assert (every.count("the exports hide"), "more (--all" in every) == (8, False)


def test_nothing_is_known_to_be_missing(tmp_path, monkeypatch):
    """Then that is all."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    made = Scene(tmp_path)
    made.dedup.ingest(turns("Which of the cranes is the oldest?", "The third of them, from the north."), name="a.txt")
    said = call("gaps", "--project", made.root).stdout
    assert said == "🔍 export-dedup gaps: nothing is known to be missing in 1 conversation\n"


def test_the_doctor_says_which_sessions_are_at_risk(tmp_path, monkeypatch, capsys):
    """Those that go soon first, and how many of them there are; a session of Desktop stays."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    made = Scene(tmp_path)
    made.dedup.ingest(turns("Which of the cranes is the oldest?", "The third of them, from the north."), name="a.txt")
    sessions = [f"{number}1111111-2222-4333-8444-555555555555" for number in range(4)]
    for session, days_old in zip(sessions, (1.5, 24.5, 28.5, 300)):
        data = day(1).replace(SESSION.encode(), session.encode())
        data = data.replace(b'"version"', b'"entrypoint":"claude-desktop","version"') if days_old > 100 else data
        made.transcript(data, session, days_old=days_old)
    doctor.main(["--project", str(made.root), "--json"])
    (found,) = (each for each in json.loads(capsys.readouterr().out)["findings"] if each["name"] == "sessions")
    assert found["state"] == "problem"
    assert found["text"] == "4 of 4 are not, or not wholly, captured; the client deletes 2 of them within 6 days"
    assert [detail.split(":")[0][0] for detail in found["details"]] == ["2", "1", "0"]
    assert found["details"][0].endswith("1 day until the client deletes it")
