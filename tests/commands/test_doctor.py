"""``deduplicate_export.py doctor``: each thing that can be wrong is named with what to do, and nothing is created."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import settings_scenes
from deduplication import ClaudeConversationDeduplicator
from deduplication.commands import deduplicate_export, doctor, export_dedup
from deduplication.commands.setup import install_script as install
from deduplication.diagnosis import machine
from deduplication.errors import EXIT_FAILURE, EXIT_OK
from deduplication.hooks import forms, quick
from deduplication.hooks.quick import user_store
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.client_transcripts import folder_name
from exports import Story
from transcript_lines import SESSION, day, exported

DAY = 86_400


class House:
    """A project with everything the doctor looks at."""

    def __init__(self, root: Path, config: Path) -> None:
        self.root, self.config = root, config
        self.state = root / "MEMORY-CONTEXT" / "dedup_state"
        self.transcript = config / "projects" / folder_name(str(root)) / f"{SESSION}.jsonl"
        self.transcript.parent.mkdir(parents=True)

    def talk(self, *, age: float = 3600, turns: int = 2) -> None:
        """A session that was last written to ``age`` seconds ago."""
        self.transcript.write_bytes(day(turns).replace(b"/home/ada/project", str(self.root).encode()))
        self.touch(self.transcript, age)

    def touch(self, path: Path, age: float) -> None:
        """Make a file as old as that, in seconds."""
        os.utime(path, (time.time() - age, time.time() - age))

    def capture(self) -> None:
        """Store the session."""
        capture_file(ClaudeConversationDeduplicator(self.state), self.transcript)

    def fired(self, age: float) -> None:
        """Note that a hook was called ``age`` seconds ago."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age))
        (self.state / "hooks.json").write_text(json.dumps({"Stop": {"last": moment, "count": 3}}))
        (self.state / "hooks.json").chmod(0o600)

    def install(self, *options: str) -> None:
        """Install into the project."""
        assert install.main(["--project", str(self.root), "--offline", *options]) == 0
        settings = self.root / ".claude" / "settings.json"
        if settings.exists():
            self.touch(settings, 10 * DAY)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A project that opted in, with one session of which everything is captured."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("TZ", "UTC")
    root = tmp_path / "project"
    root.mkdir()
    made = House(root, tmp_path / "config")
    made.talk()
    made.capture()
    return made


@pytest.fixture
def examine(house, capsys):
    """Run the doctor in this process; findings by name, the exit code under "exit"."""

    def call(*options):
        capsys.readouterr()
        code = doctor.main(["--project", str(house.root), "--json", *options])
        said = json.loads(capsys.readouterr().out)
        assert said["ok"] == (code == EXIT_OK)
        found = {each["name"]: each for each in said["findings"]}
        assert all(each["cure"] for each in said["findings"] if each["state"] == "problem")
        assert code == (EXIT_FAILURE if any(each["state"] == "problem" for each in said["findings"]) else EXIT_OK)
        return found

    return call


def photo(folder):
    """Every path below a folder with its bytes and times."""
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.lstat().st_mtime_ns)
        for path in sorted(Path(folder).rglob("*"))
    }


# --- all is well --------------------------------------------------------------------------------------------------


def test_a_house_in_order(house, examine):
    """Installed, firing, captured: no problem, and every fact is there."""
    house.install()
    house.fired(3000)
    found = examine()
    assert {name: each["state"] for name, each in found.items() if each["state"] == "problem"} == {}
    assert found["store"]["text"].endswith("(in the project): 4 unique messages, 1 conversation")
    assert found["hooks"]["text"] == "in the project (.claude/settings.json)"
    assert found["firing"]["details"][0].startswith("Stop last at 20")
    assert found["capture"]["text"].startswith("last at 20")
    assert found["sessions"]["text"] == "1 is captured"
    assert found["settings"]["state"] == "ok"


def test_nothing_is_created(house, examine, tmp_path):
    """Not in a project with a store, not in one without, not in a copied store without its lock."""
    examine()
    before = photo(tmp_path)
    examine()
    assert photo(tmp_path) == before
    (house.state / ".lock").unlink()
    before = photo(tmp_path)
    assert "copied here" in examine()["store"]["text"]
    assert photo(tmp_path) == before
    shutil.rmtree(house.state.parent)
    before = photo(tmp_path)
    assert examine()["store"]["text"].startswith("none yet")
    assert photo(tmp_path) == before


def test_a_person_reads_what_to_do(house, repository):
    """As a process: problems are marked, each with its cure; the exit code says that there are some."""
    house.state.chmod(0o755)
    command = [sys.executable, str(repository / "scripts" / "deduplicate_export.py"), "doctor"]
    done = subprocess.run(
        [*command, "--project", str(house.root)], capture_output=True, encoding="utf-8", check=False, cwd=house.root
    )
    assert done.returncode == 1
    assert done.stdout.startswith("🩺 export-dedup doctor: 1 thing to do, marked ❌\n")
    assert "❌ privacy: " in done.stdout
    assert "     the folder itself\n   → chmod -R go-rwx " in done.stdout


# --- the machine --------------------------------------------------------------------------------------------------


def test_missing_packages_are_no_problem(examine, monkeypatch):
    """What is lost without them is said."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = examine()
    assert (found["rich"]["state"], found["filelock"]["state"]) == ("ok", "ok")
    assert "progress bar" in found["rich"]["text"]


def test_the_interpreter_of_the_hooks_is_told(examine, monkeypatch, tmp_path):
    """The shim remembers which Python it found."""
    (tmp_path / "cache" / "export-dedup").mkdir(parents=True)
    (tmp_path / "cache" / "export-dedup" / "python").write_text("/opt/python3\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert examine()["python"]["details"] == ["the hooks start /opt/python3"]


SETTINGS = {
    "no JSON": ("{", "Expecting"),
    "no object": ("[]", "it is no JSON object"),
    "unknown": ('{"hoks": true, "user_store": "yes"}', "hoks, user_store"),
}


@pytest.mark.parametrize(("text", "told"), SETTINGS.values(), ids=SETTINGS)
def test_settings_that_do_not_hold(house, text, told):
    """A slip in the file of settings stops no hook; the doctor names it."""
    (house.root / ".coditect").mkdir()
    (house.root / ".coditect" / "config.json").write_text(text)
    (found,) = machine._settings(str(house.root))
    assert found.state == "problem"
    assert told in found.text


def test_settings_that_wait_and_those_that_were_approved(house):
    """What a project asks for and does not get is listed with its value, and so is every approved file."""
    settings_scenes.asked(house.root, privacy_allow=[".*"], hooks=False)
    loose = [each for each in machine._settings(str(house.root)) if "not in force" in each.text]
    assert [(each.state, each.details) for each in loose] == [("note", ('privacy_allow: [".*"]', "hooks: false"))]
    assert loose[0].text.endswith("privacy_allow, hooks")
    path = settings_scenes.approved(house.root, hooks=False)
    found = {each.name: each for each in machine._settings(str(house.root))}
    assert found["approved"].details == (str(path.resolve()),)
    assert "not in force" not in found["settings"].text


@pytest.mark.parametrize("own", ["{", '{"privacy_patterns": {"x": "(a+)+$"}}'], ids=["no JSON", "a slow pattern"])
def test_where_nothing_is_shared_the_doctor_says_why(house, own):
    """Before a checkpoint fails."""
    settings_scenes.own(own)
    found = {each.name: each for each in machine._settings(str(house.root))}
    assert found["redaction"].state == "problem"
    assert "nothing is shared" in found["redaction"].text


# --- the store ----------------------------------------------------------------------------------------------------


def test_a_store_that_others_can_read(house, examine):
    """One file with other permissions is named."""
    (house.state / "watermarks.json").chmod(0o644)
    found = examine()["privacy"]
    assert (found["state"], found["details"]) == ("problem", ["watermarks.json"])


def test_a_store_that_does_not_open(house, examine):
    """The failure's own words and advice."""
    (house.state / "conversation_log.jsonl").write_bytes(b"")
    found = examine()["store"]
    assert found["state"] == "problem"
    assert "shorter" in found["text"]


def test_a_named_store_and_the_users_own(house, examine, tmp_path):
    """Where the store lies, and why this one."""
    assert "named by --storage-dir" in examine("--storage-dir", str(tmp_path / "other"))["store"]["text"]
    own = Path(user_store(str(house.root))) / "MEMORY-CONTEXT" / "dedup_state"
    own.parent.mkdir(parents=True, mode=0o700)
    shutil.move(str(house.state), str(own))
    house.state.parent.rmdir()
    found = examine()
    assert "your own store: the project did not opt in" in found["store"]["text"]
    assert "exports" not in found


# --- exports of which nothing was stored ---------------------------------------------------------------------------


def say_exported(house, path, sentence="Conversation exported to {}"):
    """The client says now that it exported there; all of it is captured, as by hooks that missed the file."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    lines = exported(path, str(path), sentence).splitlines(keepends=True)
    with house.transcript.open("ab") as file:
        file.write(b"".join(re.sub(b'"timestamp":"[^"]*"', f'"timestamp":"{now}"'.encode(), each) for each in lines))
    house.touch(house.transcript, 3600)
    house.capture()


@pytest.mark.parametrize("sentence", ["Conversation exported to: {}", "Conversation exported to {}"])
def test_an_export_of_which_nothing_was_stored_is_named(house, examine, tmp_path, sentence):
    """Wherever it lies, until it was processed: under its name, or as the same bytes under another one."""
    path = tmp_path / "else where.txt"
    path.write_bytes(Story(8).show(0, 4))
    say_exported(house, path, sentence)
    finding = examine()["exported"]
    assert finding["state"] == "problem"
    assert f"that it exported {path}, nothing of it was stored" in finding["text"]
    assert shlex.quote(str(path)) in finding["cure"]
    dedup = ClaudeConversationDeduplicator(house.state)
    dedup.ingest(path.read_bytes(), name="another name.txt")
    assert "exported" not in examine()
    path.write_bytes(Story(8).show(0, 6))
    assert "exported" in examine()
    dedup.ingest(path.read_bytes(), name=path.name)
    path.write_text("changed since", encoding="utf-8")
    assert "exported" not in examine()


def test_an_export_that_is_gone_is_told_from_when_on_somebody_stored_exports(house, examine, tmp_path):
    """What was there before the installation is nobody's loss, and nothing can be done about it."""
    say_exported(house, tmp_path / "before.txt")
    assert "exported" not in examine()
    ClaudeConversationDeduplicator(house.state).ingest(Story(8).show(0, 4), name="x.txt")
    time.sleep(1.1)  # the client's times have milliseconds, those of this test whole seconds
    say_exported(house, tmp_path / "after.txt")
    finding = examine()["exported"]
    assert (finding["state"], finding["details"]) == ("note", [])
    assert "after.txt, nothing of it was stored, and it is gone" in finding["text"]


# --- hooks --------------------------------------------------------------------------------------------------------


def test_no_hooks_is_a_choice(house, examine):
    """Nothing installed, or turned off: said, and no problem."""
    assert examine()["hooks"]["text"].startswith("not installed")
    house.install("--no-hooks")
    assert examine()["hooks"]["state"] == "note"
    settings_scenes.own(hooks=False)
    assert examine()["hooks"]["text"] == "turned off by the setting 'hooks'"


def test_half_an_installation(house, examine):
    """An event that is lacking, a script that is not there."""
    house.install()
    settings = house.root / ".claude" / "settings.json"
    record = json.loads(settings.read_text())
    del record["hooks"]["Stop"]
    settings.write_text(json.dumps(record))
    assert examine()["hooks"]["text"] == "the project's own hooks lack Stop"
    (house.root / forms.SHIM).unlink()
    assert "which is not there" in examine()["hooks"]["text"]


def test_both_forms_at_once(house, examine):
    """The plugin stands down, and that is said; alone it does the work."""
    (house.config / "settings.json").write_text('{"enabledPlugins": {"export-dedup@market": true}}')
    assert examine()["hooks"]["text"] == "as a plugin"
    assert install.main(["--project", str(house.root), "--offline"]) == 0  # leaves the hooks to the plugin
    assert not forms.project_form(str(house.root))
    (house.config / "settings.json").unlink()
    house.install()
    (house.config / "settings.json").write_text('{"enabledPlugins": {"export-dedup@market": true}}')
    assert "those of the plugin stand down" in examine()["hooks"]["text"]


@pytest.mark.parametrize("name", forms.NEEDED)
def test_an_entry_whose_file_is_gone_is_named(house, examine, name):
    """The settings that call it, the events, the file: in the project, or in the user's own settings."""
    house.install()
    (house.root / name).unlink()
    finding = examine()["hooks"]
    assert finding["state"] == "problem"
    assert (
        f"{house.root / '.claude' / 'settings.json'} calls {name}, which is not there, at SessionStart, "
        in finding["text"]
    )
    (house.root / ".claude" / "settings.json").rename(house.config / "settings.json")
    assert f"{house.config / 'settings.json'} calls {name}, which is not there, at " in examine()["hooks"]["text"]


def test_events_that_the_client_does_not_know_are_named(house, examine):
    """An older client than the one that it was installed for refuses the settings; one that lacks nothing new is in order."""
    house.install()
    assert examine()["hooks"]["state"] == "ok"
    older = house.transcript.read_bytes().replace(b'"version":"2.1.197"', b'"version":"2.0.76"')
    house.transcript.write_bytes(older)
    house.touch(house.transcript, 3600)
    finding = examine()["hooks"]
    assert (finding["state"], "2.0.76 does not know: it refuses the whole file" in finding["text"]) == ("problem", True)
    house.install("--client", "2.0.76")
    finding = examine()["hooks"]
    assert finding["state"] == "ok"
    assert (
        "without FileChanged, CwdChanged, UserPromptExpansion: that needs Claude Code 2.1.116 or newer"
        in finding["text"]
    )
    house.talk()
    assert examine()["hooks"]["text"] == ("the project's own hooks lack FileChanged, CwdChanged, UserPromptExpansion")


def test_hooks_that_are_not_called(house, examine):
    """A session went on long after the last hook: something is wrong; before the installation it says nothing."""
    house.install()
    house.talk(age=2 * DAY)
    house.capture()
    assert "no hook was called at all" in examine()["firing"]["text"]
    house.fired(5 * DAY)
    assert "no hook was called since" in examine()["firing"]["text"]
    house.fired(2 * DAY)
    assert examine()["firing"]["state"] == "ok"
    house.talk(age=20 * DAY)
    (house.state / "hooks.json").write_text("{")
    (house.state / "hooks.json").chmod(0o600)
    assert examine()["firing"]["state"] == "note"


def test_what_failed_in_hooks_is_told_without_traces(house, examine):
    """The last lines of the log that begin with a time."""
    log = house.state / "hooks.log"
    log.write_text("2026-03-04T10:00:00Z Stop: StoreDamaged: x\nTraceback\n  File y\n" * 5)
    log.chmod(0o600)
    assert examine()["failures"]["details"] == ["2026-03-04T10:00:00Z Stop: StoreDamaged: x"] * 3
    log.write_text("Traceback\n")
    assert "failures" not in examine()


# --- what waits ---------------------------------------------------------------------------------------------------


def test_a_session_that_is_not_captured(house, examine):
    """Its bytes, and the days left before the client deletes it; while it is being written to it is no problem."""
    house.talk(turns=5, age=28.5 * DAY)
    found = examine()["sessions"]
    assert found["state"] == "problem"
    captured = len(day(2).replace(b"/home/ada/project", str(house.root).encode()))
    (told,) = found["details"]
    assert told.startswith(f"{SESSION}.jsonl: {captured:,} of {house.transcript.stat().st_size:,} bytes, ")
    assert told.endswith(" 1 day until the client deletes it")
    house.touch(house.transcript, 1)
    assert examine()["sessions"]["state"] == "note"
    (house.root / ".coditect").mkdir()
    settings_scenes.own(capture_transcripts=False)
    assert "turned off" in examine()["sessions"]["text"]


def test_a_line_that_never_ended_is_not_waited_for(house, examine):
    """A session that was killed in the middle of a line is captured as far as it can be; one that was cut is not."""
    with house.transcript.open("ab") as file:
        file.write(b'{"type":"user","mess')
    house.touch(house.transcript, DAY)
    assert examine()["sessions"]["state"] == "ok"
    house.talk(turns=1)
    assert examine()["sessions"]["state"] == "problem"


def test_without_a_store_every_session_waits(house, examine):
    """Nothing was captured yet."""
    shutil.rmtree(house.state)
    assert examine()["sessions"]["text"].startswith("1 of 1 are not")


def test_exports_that_lie_about(house, examine):
    """They are named; once processed they are the last run."""
    file = Story(7, 8).exports()[0]
    (house.root / file.name).write_bytes(file.data)
    found = examine()
    assert (found["exports"]["state"], found["exports"]["details"]) == ("problem", [file.name])
    assert found["run"]["text"] == "no export was processed yet"
    ClaudeConversationDeduplicator(house.state).process_export(None, house.root / file.name)
    (house.root / file.name).unlink()
    found = examine()
    assert found["exports"]["state"] == "ok"
    assert found["run"]["text"].endswith(f": {file.name}")


def test_exports_whose_messages_are_stored_wait_for_nothing(house, examine):
    """``deduplicate_export.py`` leaves a file where it is: its bytes were processed, so nothing is to be done."""
    file = Story(7, 8).exports()[0]
    (house.root / file.name).write_bytes(file.data)
    ClaudeConversationDeduplicator(house.state).process_export(None, house.root / file.name)
    assert (examine()["exports"]["state"], examine()["exports"]["text"]) == (
        "ok",
        "none waits; what lies about is stored: 1",
    )


def test_exports_that_cannot_be_processed(house, examine):
    """An export that the client wrote nothing into, alone and beside one that waits."""
    (house.root / "2026-03-01-EXPORT-TIDES.txt").touch()
    found = examine()["exports"]
    assert (found["state"], found["text"]) == ("problem", "1 cannot be processed")
    assert found["details"] == ["2026-03-01-EXPORT-TIDES.txt: the file is empty (0 bytes)"]
    assert "before /compact" in found["cure"]
    (house.root / "MEMORY-CONTEXT" / "exports").mkdir()
    (house.root / "MEMORY-CONTEXT" / "exports" / "x.txt").write_bytes(Story(7, 8).exports()[0].data)
    assert examine()["exports"]["text"] == "2 not processed"
    assert examine()["exports"]["details"][0] == "MEMORY-CONTEXT/exports/x.txt"


def test_exports_in_a_project_that_is_not_set_up(house, examine, monkeypatch):
    """They are told there, too, as what it is: nothing that must be done."""
    monkeypatch.setattr(quick, "opted_in", lambda _: False)
    assert "exports" not in examine()
    (house.root / "x.txt").write_bytes(Story(7, 8).exports()[0].data)
    assert examine()["exports"]["state"] == "note"


def test_our_own_output_is_no_export_that_waits(house, examine):
    """The file of ``--output`` and a restored export: neither has to be processed."""
    file = Story(7, 8).exports()[0]
    (house.root / file.name).write_bytes(file.data)
    root = ["--project", str(house.root)]
    assert deduplicate_export.main([str(house.root / file.name), "--output", str(house.root / "new.json"), *root]) == 0
    assert export_dedup.main(["--yes", "--no-checkpoint", *root]) == 0
    assert deduplicate_export.main(["restore", file.name, "--output", str(house.root / file.name), *root]) == 0
    assert examine()["exports"]["text"] == "none lies about"


def ended(house, code, seconds):
    """A report in the status log whose run ended with ``code`` at this time."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000000", time.localtime(seconds))
    status = "❌ FAILED" if code else "✅ SUCCESS"
    with (house.root / "MEMORY-CONTEXT" / "export-dedup-status.txt").open("a", encoding="utf-8") as log:
        log.write(f"Status: {status}\nExit Code: {code}\nCompleted: {moment}\n")


@pytest.fixture(params=["UTC", "Asia/Kolkata", "America/Los_Angeles"])
def zone(request, house):
    """The user's own clock, set back afterwards."""
    with pytest.MonkeyPatch.context() as own:
        own.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the clock is not the process's own")
@pytest.mark.usefixtures("zone")
def test_a_last_run_that_failed_is_told(house, examine):
    """By the report that was kept of it; one that came after it, by whatever way, makes it good."""
    ended(house, 0, time.time() - 60)
    assert examine()["run"]["state"] == "note"
    ended(house, 1, time.time() - 30)
    found = examine()["run"]
    assert (found["state"], "exit code 1" in found["text"]) == ("problem", True)
    assert "status --full" in found["cure"]
    ClaudeConversationDeduplicator(house.state).process_export("a", Story(7, 8).exports()[0].data)
    assert examine()["run"]["state"] == "ok"
    ended(house, 3, time.time() + 30)
    assert "exit code 3" in examine()["run"]["text"]
    ended(house, 0, time.time() + 60)
    assert examine()["run"]["state"] == "ok"


def test_a_run_in_which_one_export_failed(house, examine):
    """The run noted it: how many, beside the names, also without a report."""
    file = Story(7, 8).exports()[0]
    (house.root / file.name).write_bytes(file.data)
    paths = [str(house.root / file.name), str(house.root / "gone.txt")]
    assert export_dedup.main([*paths, "--no-checkpoint", "--project", str(house.root)]) == 1
    found = examine()["run"]
    assert (found["state"], "1 export failed" in found["text"]) == ("problem", True)


def test_nothing_captured_yet(house, examine):
    """A store of exports alone says so."""
    shutil.rmtree(house.state)
    house.transcript.unlink()
    ClaudeConversationDeduplicator(house.state).process_export("a", Story(7, 8).exports()[0].data)
    assert examine()["capture"]["text"] == "nothing yet"


# --- git ----------------------------------------------------------------------------------------------------------


def git(house, *arguments):
    """git in the project."""
    subprocess.run(["git", "-C", str(house.root), *arguments], check=True, capture_output=True)


def test_private_files_in_git(house, examine):
    """No repository is no problem; a tracked state folder is one, and the cure cures it."""
    assert "no repository" in examine()["git"]["text"]
    git(house, "init")
    assert examine()["git"]["text"] == "nothing private is tracked"
    git(house, "add", "-f", "MEMORY-CONTEXT/dedup_state/conversation_log.jsonl")
    found = examine()["git"]
    assert found["state"] == "problem"
    assert found["details"] == ["MEMORY-CONTEXT/dedup_state/conversation_log.jsonl"]
    cure = found["cure"].partition(",")[0]
    subprocess.run(cure, shell=True, cwd=house.root, check=True, capture_output=True)
    assert examine()["git"]["state"] == "ok"


def test_what_git_would_take(house, examine):
    """An archive without the block in .gitignore is noted; with it all is well."""
    git(house, "init")
    (house.root / "MEMORY-CONTEXT" / "exports-archive").mkdir()
    (house.root / "MEMORY-CONTEXT" / "export-dedup-status.txt").touch()
    found = examine()["git"]
    assert found["state"] == "note"
    assert "MEMORY-CONTEXT/exports-archive, MEMORY-CONTEXT/export-dedup-status.txt" in found["text"]
    house.install()
    assert examine()["git"]["state"] == "ok"


def test_without_git(examine, monkeypatch):
    """No git on the path: said."""
    monkeypatch.setattr("deduplication.diagnosis.privacy.find_executable", lambda: None)
    assert "not installed" in examine()["git"]["text"]
