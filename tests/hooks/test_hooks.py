"""Each hook as a process: an event in, at most one line of JSON out, exit code 0 whatever happens."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import settings_scenes
from deduplication.files import locking, turn
from deduplication.hooks import slash_commands
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import Project
from hook_session import expand
from transcript_lines import SESSION, answer, compacted, exported, line, prompt

EVENTS = (
    *("SessionStart", "FileChanged", "CwdChanged", "UserPromptSubmit", "Stop", "PreCompact", "SessionEnd"),
    *("UserPromptExpansion", "CatchUp", "Archive"),
)


def until(holds, what):
    """Wait for a process that was left behind."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


# --- sessions begin ----------------------------------------------------------------------------------------------


def test_a_session_s_start_watches_and_catches_up(session):
    """The transcript and the drop folder are watched, other sessions are captured, exports lying about are processed."""
    other = session.transcript.with_name("99999999-2222-4333-8444-555555555555.jsonl")
    data = prompt("said in another session", session=other.stem)
    other.write_bytes(data.replace(b"/home/ada/project", str(session.root).encode()))
    session.export()
    said = session.fire("SessionStart", source="startup")
    assert said["hookSpecificOutput"] == {
        "hookEventName": "SessionStart",
        "watchPaths": [str(session.transcript), str(session.memory / "exports")],
    }
    assert "notes.txt" in said["systemMessage"]
    assert "said in another session" in session.talk()
    assert session.archived() == ["notes.txt"]


def test_what_would_take_long_is_left_to_a_process_apart(session):
    """A session of several megabytes is captured behind the session's start."""
    other = session.transcript.with_name("99999999-2222-4333-8444-555555555555.jsonl")
    text = "a long answer, " * 4000
    data = b"".join(answer(f"{n} {text}", f"{n}", session=other.stem) for n in range(60))
    other.write_bytes(data.replace(b"/home/ada/project", str(session.root).encode()))
    assert "systemMessage" not in session.fire("SessionStart", source="startup")
    until(lambda: len(session.talk()) == 66, "everything is captured")


@pytest.mark.parametrize("source", ["compact", "resume"])
def test_after_a_compaction_the_assistant_reads_what_is_safe(session, source):
    """Two lines of facts, and only where something is stored and the setting allows it."""
    session.fire("Stop")
    said = session.fire("SessionStart", source=source)["hookSpecificOutput"]["additionalContext"]
    assert said.count("\n") == 1
    assert "has 6 messages of this conversation" in said
    off = session.fire("SessionStart", source=source, environment={"EXPORT_DEDUP_COMPACT_CONTEXT": "0"})
    assert "additionalContext" not in off["hookSpecificOutput"]
    assert "additionalContext" not in session.fire("SessionStart", source="startup")["hookSpecificOutput"]


def test_watched_paths_come_back_after_a_cd(session):
    """In a project's own installation a ``cd`` drops them."""
    session.memory.joinpath("exports").mkdir()
    said = session.fire("CwdChanged", old_cwd="/", new_cwd="/x")
    assert said["hookSpecificOutput"]["watchPaths"] == [str(session.transcript), str(session.memory / "exports")]


# --- turns and exports --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["UserPromptSubmit", "Stop", "FileChanged", "PreCompact"])
def test_a_turn_is_captured_in_silence(session, event):
    """Ordinary turns are stored, and nobody is told."""
    more = {"file_path": str(session.transcript), "event": "change"} if event == "FileChanged" else {}
    assert session.fire(event, **more) == {}
    assert len(session.talk()) == 6


@pytest.mark.unmeasured
@pytest.mark.parametrize("sentence", ["Conversation exported to: {}", "Conversation exported to {}", "Saved it as {}."])
@pytest.mark.parametrize("event", ["Stop", "FileChanged"])
def test_an_export_is_noticed_whatever_the_client_says_of_it(session, tmp_path, event, sentence):
    """Both known sentences, and one that no version has said yet; the file lies outside of the project."""
    session.export(tmp_path / "day 1.txt", sentence)
    said = session.fire(event, file_path=str(session.transcript), event="change")["systemMessage"]
    assert said.startswith("/compact is safe now · 6 new · day 1.txt")
    assert session.archived() == ["day 1.txt"]


def test_what_the_archive_has_is_no_new_export(session):
    """A line of the client that names a file which we archived brings it in no second time."""
    settings_scenes.own(pack_older_than_days=7)
    session.export()
    session.fire("Stop")
    kept = session.memory / "exports-archive" / "notes.txt"
    os.utime(kept)
    session.write(line("told", "system", subtype="local_command", content=f"Archived as {kept}"))
    assert session.fire("Stop") == {}


def test_an_export_that_brings_nothing_new_makes_no_checkpoint(session):
    """It goes where exports go, and that is said; no document, no commit, no session file is made for it, and no README entry."""
    (session.root / "README.md").write_text("# Tides\n")
    session.export()
    session.fire("Stop")
    documents = sorted((session.memory / "checkpoints").iterdir())
    sessions = {path: path.read_bytes() for path in (session.memory / "sessions").iterdir()}
    assert len(documents) == 1
    session.export(session.root / "again.txt")
    assert session.fire("Stop")["systemMessage"].startswith("/compact is safe now · 0 new · again.txt")
    assert not (session.root / "again.txt").exists()
    assert sorted((session.memory / "checkpoints").iterdir()) == documents
    assert {path: path.read_bytes() for path in (session.memory / "sessions").iterdir()} == sessions
    session.write(prompt("one more question"))
    session.export(session.root / "third.txt")
    assert " · 1 new · third.txt" in session.fire("Stop")["systemMessage"]
    assert len(list((session.memory / "checkpoints").iterdir())) == 2
    assert (session.root / "README.md").read_text() == "# Tides\n"


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("2.0.76", ["with the next prompt", "/export-dedup", "all of it works from 2.1.116 on"]),
        ("2.1.90", ["/export-dedup", "all of it works from 2.1.116 on"]),
        ("2.1.116", []),
    ],
)
def test_the_plugin_says_once_what_an_old_client_cannot_do(session, version, words):
    """In one line, at the first turn; where the client says its version itself, that one counts."""
    plugin = {"CLAUDE_PLUGIN_ROOT": str(session.repository)}
    session.transcript.write_bytes(session.transcript.read_bytes().replace(b'"2.1.197"', f'"{version}"'.encode()))
    agent = {"AI_AGENT": "claude-code_2-1-332_harness"}
    assert session.fire("Stop", {**plugin, **agent}) == {}
    session.write(prompt("two", version=version))
    said = session.fire("Stop", plugin).get("systemMessage", "")
    assert "\n" not in said
    assert bool(said) == bool(words)
    assert all(word in said for word in words)
    assert ("next prompt" in said) == (version == "2.0.76")
    session.write(prompt("three", version=version))
    assert session.fire("Stop", plugin) == {}


def test_hooks_that_were_installed_for_an_older_client_say_so_once(session):
    """The client was updated since: running the installer again brings in the rest."""
    (session.root / ".claude").mkdir()
    hooks = {"Stop": [{"hooks": [{"command": "sh .coditect/hooks/run.sh Stop"}]}]}
    (session.root / ".claude" / "settings.json").write_text(json.dumps({"hooks": hooks}))
    assert "run ./install.sh --project DIR again" in session.fire("Stop")["systemMessage"]
    session.write(prompt("one more"))
    assert session.fire("Stop") == {}


@pytest.mark.unmeasured
@pytest.mark.parametrize("where", ["root", "below", "outside"])
@pytest.mark.parametrize("event", ["UserPromptSubmit", "Stop", "FileChanged"])
def test_an_export_is_processed_wherever_it_went(session, tmp_path, event, where):
    """The transcript names the file: it is stored, archived, and the notice has the number that counts."""
    (session.root / "sub").mkdir()
    path = {"root": session.root, "below": session.root / "sub", "outside": tmp_path}[where] / "day 1.txt"
    session.fire("SessionStart", source="startup")
    session.export(path)
    more = {"file_path": str(session.transcript), "event": "change"} if event == "FileChanged" else {}
    said = session.fire(event, **more)["systemMessage"]
    assert said == "/compact is safe now · 6 new · day 1.txt · 6 messages, all stored · 6 in storage"
    assert session.archived() == ["day 1.txt"]
    assert path.exists() == (where == "outside")
    assert session.fire(event, **more) == {}


def test_a_file_in_the_drop_folder_is_processed_once_it_is_whole(session):
    """An empty file is left alone; one with content is taken when it has stopped growing."""
    session.fire("SessionStart", source="startup")
    path = session.memory / "exports" / "dropped.txt"
    path.touch()
    assert session.fire("FileChanged", file_path=str(path), event="add") == {}
    path.write_bytes(session.export().read_bytes())
    assert "dropped.txt" in session.fire("FileChanged", file_path=str(path), event="change")["systemMessage"]
    assert "dropped.txt" in session.archived()


def test_a_command_that_comes_while_a_hook_is_at_work_waits_and_shows_what_it_did(session):
    """Neither "no new export", nor known messages: whoever comes second finds the work of the first one whole."""
    session.fire("SessionStart", source="startup")
    session.fire("Stop")
    path, state = session.export(session.memory / "exports" / "dropped.txt"), str(session.state)
    command = [sys.executable, str(session.repository / "scripts" / "export-dedup.py"), "--yes", "--no-checkpoint"]
    run = functools.partial(subprocess.run, cwd=session.root, capture_output=True, encoding="utf-8", check=True)
    with ThreadPoolExecutor(2) as both:
        with locking.exclusive(os.path.join(state, ".lock")):
            hook = both.submit(session.fire, "FileChanged", file_path=str(path), event="change")
            until(lambda: locking.is_held(os.path.join(state, turn.LOCK)), "the hook has no turn")
            said = both.submit(run, command)
            until(lambda: [*Path(state, turn.WAITING).glob("*.wish")], "the command does not wait")
        assert "dropped.txt" in hook.result()["systemMessage"]
        assert "Already done: the hook processed dropped.txt" in said.result().stdout
    assert session.archived() == ["dropped.txt"]


@pytest.mark.parametrize(
    "more",
    [{"event": "unlink"}, {"event": "change", "file_path": "/etc/hosts"}, {"event": "add", "file_path": ""}],
    ids=str,
)
def test_other_changes_are_nothing(session, more):
    """Files that go, files elsewhere, and events without a file."""
    session.export()
    assert session.fire("FileChanged", **{"file_path": str(session.transcript), **more}) == {}
    assert not session.archived()


def test_a_sweep_takes_new_exports_only(session):
    """What lay there before the session began to be swept waits for the next start; notes of the user are never touched."""
    (session.root / "README.md").write_text("> not an export\n")
    session.fire("Stop")
    path = session.export(session.root / "x.txt")
    (session.root / "later.txt").write_bytes(path.read_bytes() + "\n\n❯ and one more".encode())
    said = session.fire("Stop")["systemMessage"]
    assert "x.txt" in said
    assert session.archived() == ["later.txt", "x.txt"]
    assert (session.root / "README.md").exists()


def imported_by_a_stop(session):
    """The modules that a hook at the end of a turn imports."""
    command = [sys.executable, "-S", "-E", "-X", "importtime", str(session.repository / "hooks" / "run.py"), "Stop"]
    payload = {"session_id": SESSION, "transcript_path": str(session.transcript), "cwd": str(session.root)}
    environment = {**os.environ, "CLAUDE_PROJECT_DIR": str(session.root)}
    done = subprocess.run(
        command, input=json.dumps(payload).encode(), capture_output=True, check=True, env=environment, cwd=session.root
    )
    return {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}


def test_nothing_new_is_told_without_the_engine(session):
    """When nothing changed since the last sweep, the hook imports nothing of the engine."""
    session.fire("Stop")
    session.fire("Stop")  # the first one made the store, which is a change as well
    imported = imported_by_a_stop(session)
    assert "deduplication.hooks.quick" in imported
    assert imported.isdisjoint(
        {"json", "re", "pathlib", "typing", "deduplication.hooks.events", "deduplication.storage"}
    )


def test_a_turn_is_captured_without_what_takes_long_to_import(session):
    """A prompt is stored, by the engine alone: no other process is started, and no class is made by ``dataclasses``."""
    session.fire("Stop")
    session.write(prompt("and what is said now"))
    imported = imported_by_a_stop(session)
    assert "deduplication.ingest.deduplicator" in imported
    assert session.talk()[-1] == "and what is said now"
    assert imported.isdisjoint({"subprocess", "threading", "argparse", "tempfile", "sqlite3", "dataclasses", "inspect"})


# --- compaction and end ----------------------------------------------------------------------------------------------


def test_before_a_compaction_everything_is_stored_however_often_it_fires(session):
    """PreCompact takes transcript and exports, may fire twice, and copes with an empty transcript path."""
    session.export()
    assert session.fire("PreCompact", trigger="auto", transcript_path="") == {}
    assert session.fire("PreCompact", trigger="auto") == {}
    assert len(session.talk()) == 6
    assert session.archived() == ["notes.txt"]
    session.write(compacted("What was said, in short") + prompt("and after it"))
    session.fire("Stop")
    assert session.talk()[-1] == "and after it"


def test_the_end_of_a_session_leaves_the_work_to_another_process(session):
    """SessionEnd says nothing and returns; what is left is captured all the same."""
    session.export()
    assert session.fire("SessionEnd", reason="exit") == {}
    until(lambda: session.archived() == ["notes.txt"] and len(session.talk()) == 6, "the rest is captured")


@pytest.mark.parametrize("event", ["SessionEnd", "PreCompact", "CatchUp"])
def test_the_transcript_itself_is_archived(session, event):
    """At the end of a session and before a compaction the client's file goes into the packs, and stays where it is."""
    session.fire("Stop")
    assert session.kept() == []
    session.fire(event)
    until(lambda: session.kept() == [session.transcript.read_bytes()], "the transcript is archived")
    session.write(prompt("and one more"))
    session.fire(event)
    until(lambda: session.kept()[-1:] == [session.transcript.read_bytes()], "its next state, too")
    assert session.kept()[-1].startswith(session.kept()[0])


def test_what_a_start_catches_up_on_is_archived(session):
    """A client that was killed left an unarchived transcript: the next session's start sees to it."""
    session.fire("SessionStart", source="startup", session_id="another", transcript_path="")
    until(lambda: session.kept() == [session.transcript.read_bytes()], "the transcript is archived")


@pytest.mark.parametrize("event", ["Stop", "FileChanged"])
def test_a_session_that_goes_on_is_archived_from_time_to_time(session, event):
    """Each time that the transcript grew over another MiB it is archived, without waiting for the session's end."""
    more = {"file_path": str(session.transcript), "event": "change"}
    session.write(prompt("x" * 400_000, "first"))
    session.fire(event, **more)
    session.write(prompt("y" * 800_000, "second"))
    session.fire(event, **more)
    until(lambda: session.kept() == [session.transcript.read_bytes()], "the transcript is archived")
    session.write(prompt("third"))
    session.fire(event, **more)
    assert len(session.kept()) == 1


def test_archiving_transcripts_can_be_turned_off(session):
    """With ``archive_transcripts`` off messages are captured, and no file of the client's is archived."""
    session.fire("CatchUp", environment={"EXPORT_DEDUP_ARCHIVE_TRANSCRIPTS": "no"})
    session.fire("SessionEnd", environment={"EXPORT_DEDUP_ARCHIVE_TRANSCRIPTS": "no"})
    assert len(session.talk()) == 6
    assert session.kept() == []


def test_a_transcript_that_cannot_be_archived_is_noted(session):
    """What stands in the way of the packs is in the hooks' log; the messages are captured all the same."""
    (session.memory / "exports-archive").mkdir(parents=True)
    (session.memory / "exports-archive" / "packs").write_bytes(b"")
    session.fire("CatchUp")
    assert len(session.talk()) == 6
    assert "packs" in (session.state / "hooks.log").read_text()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["export-dedup", "export-dedup:export-dedup"])
def test_the_command_shows_the_banner_without_the_model(session, name):
    """The prompt is blocked, and the reason is the whole banner with the summary."""
    session.export()
    said = expand(session, command_name=name)
    assert said["decision"] == "block"
    assert said["reason"].startswith(f"✅ Done, nothing is blocked\n{'🔐' * 40}\n")
    assert "📨 Total Messages Processed: 6" in said["reason"]
    assert "✓ Archived: notes.txt → MEMORY-CONTEXT/exports-archive/" in said["reason"]
    assert "Status: ✅ SUCCESS" in said["reason"]
    assert "Step 2" not in said["reason"]
    assert session.archived() == ["notes.txt"]
    assert len(session.talk()) == 6


def test_a_short_export_belongs_to_the_session_that_named_it(session):
    """Two short turns say too little to be recognised: the transcript tells whose they are, whoever takes the file."""
    session.transcript.unlink()
    session.write(prompt("why?") + answer("so."))
    session.export()
    expand(session, environment={"EXPORT_DEDUP_COMMAND_BANNER": "model"})
    assert (session.root / "notes.txt").exists()
    expand(session)
    assert ClaudeConversationDeduplicator(session.state).conversations() == [SESSION]
    assert session.talk() == ["why?", "so."]


def test_a_named_file_that_is_no_export_costs_itself_only(session):
    """The transcript names a file with something else in it: it stays where it is, that is noted, and the rest is stored."""
    path = session.root / "notes.txt"
    path.write_text("neither a prompt nor an answer")
    session.write(exported(path))
    assert expand(session)["decision"] == "block"
    assert path.exists()
    assert len(session.talk()) == 6
    assert "not a conversation export" in (session.state / "hooks.log").read_text()


def test_a_transcript_that_is_none_is_noted(session):
    """What the client names as its transcript is something else: nothing is stored, and the log says why."""
    session.fire("Stop")
    session.transcript.write_bytes(b"neither JSON\nnor a session\n")
    assert session.fire("Stop") == {}
    assert "no transcript of a session" in (session.state / "hooks.log").read_text()


def test_the_numbers_are_those_since_the_last_export(session):
    """What was captured as it came is new to whoever exports; what was counted once is not counted again."""
    session.fire("Stop")
    session.export()
    assert session.fire("Stop")["systemMessage"].startswith("/compact is safe now · 6 new · ")
    session.write(prompt("one more question") + answer("one more answer"))
    session.fire("Stop")
    session.export(session.root / "again.txt")
    said = expand(session)["reason"]
    assert "🆕 NEW UNIQUE MESSAGES ADDED & BACKED UP: 2\n" in said
    assert "   2 new (all captured earlier)\n" in said
    assert "🔄 Duplicate Messages Filtered: 6\n" in said
    again = expand(session)["reason"]
    assert "No new export files found" in again
    assert "Looked in:\n   - repo root\n" in again


def test_what_was_stored_before_the_hooks_came_is_not_new(session, repository):
    """Hooks that are installed into a project with a store begin to count there."""
    script = repository / "scripts" / "export-dedup.py"
    command = [sys.executable, str(script), "--project", str(session.root), "--no-checkpoint", "--json"]
    session.export(session.root / "before.txt")
    subprocess.run(command, check=True, capture_output=True)
    (session.state / "last_run.json").unlink()
    session.transcript.unlink()
    session.write(prompt("one more question") + answer("one more answer"))
    session.fire("Stop")
    session.export(session.root / "after.txt")
    assert session.fire("Stop")["systemMessage"].startswith("/compact is safe now · 2 new · ")
    assert json.loads((session.state / "last_run.json").read_bytes())["captured"] == 2


def test_the_command_shows_what_the_hook_has_done(session):
    """Never "no export found" after an /export that worked; and what came since."""
    session.export()
    assert session.fire("Stop")["systemMessage"]
    session.write(prompt("one more question"))
    said = expand(session)["reason"]
    assert "📨 Total Messages Processed: 6" in said
    assert "💾 Total Unique Messages in Storage: 7" in said
    log = (session.state / "reports.txt").read_text(encoding="utf-8")
    assert "Already done: the hook processed notes.txt at" in log
    assert "1 new message was captured since" in log
    assert "No new export files found" not in log


def test_the_command_in_json_has_what_the_hook_has_done(session):
    """The object of --json has ``earlier`` beside its zeros."""
    session.export()
    session.fire("Stop")
    script = session.repository / "scripts" / "export-dedup.py"
    done = subprocess.run(
        [sys.executable, str(script), "--json", "--project", str(session.root)], capture_output=True, check=True
    )
    said = json.loads(done.stdout)
    assert (said["total_messages"], said["earlier"]["total_messages"], said["earlier"]["by"]) == (0, 6, "hook")


def test_an_export_outside_is_taken_by_the_command_too(session, tmp_path):
    """What only the transcript names is processed before the banner is made."""
    session.export(tmp_path / "elsewhere.txt")
    assert "📨 Total Messages Processed: 6" in expand(session)["reason"]
    assert session.archived() == ["elsewhere.txt"]


def test_arguments_reach_the_command(session, tmp_path):
    """Extra text is taken as arguments, quotes included; what cannot be read is said."""
    path = session.export(tmp_path / "a name.txt")
    assert "Total Messages Processed: 6" in expand(session, command_args=f'"{path}" --no-archive')["reason"]
    assert "cannot be read" in expand(session, command_args='"open')["reason"]
    assert "❌" in expand(session, command_args="--no-such-option")["reason"]


def test_other_commands_and_the_classic_way_are_left_alone(session):
    """Only our own command is answered, and not where the model is to comment."""
    assert expand(session, command_name="review") == {}
    (session.root / ".coditect").mkdir()
    settings_scenes.approved(session.root, command_banner="model")
    assert expand(session) == {}


# --- the other commands ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "export-dedup:"])
def test_search_show_status_and_doctor_are_answered_without_the_model(session, prefix):
    """What was said a moment ago is found; each command's output is the reason of the block."""
    session.write(prompt("Where is the don't-panic button?"))
    found = expand(session, command_name=f"{prefix}export-dedup-search", command_args="don't-panic")
    assert found["decision"] == "block"
    assert "Where is the «don't-panic» button?" in found["reason"]
    shown = expand(session, command_name=f"{prefix}export-dedup-show", command_args=f"{SESSION[:8]} --last 1")
    assert shown["reason"].endswith("Where is the don't-panic button?")
    assert "no export was processed yet" in expand(session, command_name=f"{prefix}export-dedup-status")["reason"]
    doctor = expand(session, command_name=f"{prefix}export-dedup-doctor")["reason"]
    assert doctor.startswith("✅ Done, nothing is blocked\n🩺 export-dedup doctor: ")
    assert "✓ sessions" not in doctor
    assert "(/export-dedup-doctor --all lists them)" in doctor
    every = expand(session, command_name=f"{prefix}export-dedup-doctor", command_args="--all")["reason"]
    assert "✓ sessions: 1 is captured" in every


HOSTILE = {
    "command substitution": "$(touch pwned)",
    "backticks": "`touch pwned`",
    "semicolon": "x; touch pwned",
    "pipe": "x | touch pwned",
    "newline": "x\ntouch pwned",
    "open quote": "'\" ; touch pwned",
    "backslash": "\\$(touch pwned)\\",
    "redirection": "x > pwned",
    "glob": "* ?",
    "variable": "$HOME ${PATH}",
    "the client's own": "!`touch pwned`",
}


@pytest.mark.unmeasured
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["search", "show", "status", "doctor"])
def test_nothing_in_the_arguments_is_executed(session, name, text):
    """Whatever a shell would obey is a word like any other: it is looked for, or refused."""
    before = sorted(path.name for path in session.root.iterdir())
    said = expand(session, command_name=f"export-dedup-{name}", command_args=text)
    assert said["decision"] == "block"
    assert sorted(path.name for path in session.root.iterdir()) == before
    assert "Unexpected" not in said["reason"]
    if name == "search":
        session.write(prompt(f"What does {text} do?"))
        found = expand(session, command_name="export-dedup-search", command_args=text)["reason"]
        assert "1 message with" in found or "Pass a word or a phrase" in found
        assert "1 message with" in found or text in {HOSTILE["open quote"], HOSTILE["glob"]}


WORDS = {
    "a quoted word is asked for alone": (
        "export-dedup-search",
        'tide "clock" "a phrase"',
        ["tide", '"clock"', '"a phrase"'],
    ),
    "but for the value of an option": ("export-dedup-search", '"" --session "a b" tide', ["--session", "a b", "tide"]),
    "an open quote": ("export-dedup-search", '"tide clo', ['"tide clo"']),
    "elsewhere quotes hold together": ("export-dedup-show", '"a b" don\'t', ["a b", "don't"]),
}


@pytest.mark.parametrize(("name", "text", "words"), WORDS.values(), ids=WORDS)
def test_arguments_are_cut_into_words(name, text, words):
    """Double quotes hold words together; a search is told of them."""
    assert slash_commands.words_of(name, text) == words


@pytest.mark.unmeasured
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_classic_way_refuses_what_a_shell_would_obey(session, text):
    """With command_banner "model" the client puts the main command's arguments into a shell: only plain ones go on."""
    model = {"EXPORT_DEDUP_COMMAND_BANNER": "model"}
    assert "a shell obeys" in expand(session, command_args=text, environment=model)["reason"]
    for plain in ("", '--description "Sprint 3: done" --no-archive', "notes/größe-1.txt"):
        assert expand(session, command_args=plain, environment=model) == {}
    assert expand(session, command_name="export-dedup-search", command_args=text, environment=model) == {}


def test_long_answers_are_cut_between_messages(session):
    """The client cuts at 10,000 characters: whole messages are left out before, and how to see the rest is said."""
    session.write(b"".join(prompt(f"{n} harbour " + "and its cranes " * 100, f"long {n}") for n in range(30)))
    shown = expand(session, command_name="export-dedup-show", command_args=SESSION)["reason"]
    assert len(shown) <= 9_500
    assert f"more left out. The whole of it: /export-dedup-show {SESSION} --output FILE" in shown
    assert shown.rstrip().endswith("and its cranes")
    found = expand(session, command_name="export-dedup-search", command_args="harbour --limit 30 --context 3")["reason"]
    assert len(found) <= 9_500
    assert "… and " in found


def test_a_command_that_prints_nothing_says_that_it_is_done(session):
    """show --output writes a file; the user reads more than an empty line."""
    said = expand(session, command_name="export-dedup-show", command_args=f'{SESSION} --output "my talk.md"')
    assert said["reason"] == "✅ Done, nothing is blocked"
    assert "harbour" in (session.root / "my talk.md").read_text(encoding="utf-8")


def test_the_doctor_is_answered_at_any_length(session):
    """A diagnosis too long for the client is cut between lines."""
    from deduplication.hooks.command_output import MOST_CHARACTERS, cut

    text = cut("a line\n" * 5_000)
    assert len(text) <= MOST_CHARACTERS + 60
    assert text.endswith("a line\n… There is more, in a shell.")


def test_commands_of_a_project_that_did_not_opt_in_look_into_the_users_own_store(session):
    """What the plugin captured there is found, and nothing is made in the project."""
    shutil.rmtree(session.memory)
    session.fire("Stop")
    found = expand(session, command_name="export-dedup-search", command_args="cranes")["reason"]
    assert "messages with cranes" in found
    assert os.listdir(session.root) == []


# --- where ----------------------------------------------------------------------------------------------------------


def test_a_project_that_did_not_opt_in_is_left_as_it_is(session, monkeypatch):
    """Its sessions go to the user's own store; no file of it is moved or made; a setting turns even that off."""
    shutil.rmtree(session.memory)
    path = session.export()
    session.fire("SessionStart", source="startup", environment={"EXPORT_DEDUP_USER_STORE": "no"})
    session.fire("Stop", environment={"EXPORT_DEDUP_USER_STORE": "no"})
    stores = Path(os.environ["XDG_DATA_HOME"]) / "export-dedup"
    assert not stores.exists()
    session.fire("SessionStart", source="startup")
    session.fire("Stop")
    session.fire("PreCompact")
    assert os.listdir(session.root) == ["notes.txt"]
    assert path.exists()
    (memory,) = stores.glob("projects/*/MEMORY-CONTEXT")
    assert len(session.talk(memory)) == 6


@pytest.mark.parametrize("event", EVENTS)
def test_hooks_can_be_turned_off(session, event):
    """With ``hooks`` off nothing is read, written or said."""
    session.export()
    before = sorted(session.root.rglob("*"))
    assert (
        session.fire(event, command_name="export-dedup", source="startup", environment={"EXPORT_DEDUP_HOOKS": "0"})
        == {}
    )
    assert sorted(session.root.rglob("*")) == before


def test_the_plugin_stands_down_where_the_project_has_hooks_of_its_own(session):
    """Both forms at once: the plugin's hooks leave the work to those of the project."""
    (session.root / ".coditect" / "hooks").mkdir(parents=True)
    (session.root / ".coditect" / "hooks" / "run.py").touch()
    (session.root / ".claude").mkdir()
    settings = session.root / ".claude" / "settings.json"
    settings.write_text('{"hooks":{"Stop":[{"hooks":[{"command":"sh .coditect/hooks/run.sh Stop"}]}]}}')
    plugin = {"CLAUDE_PLUGIN_ROOT": "/plugin"}
    assert session.fire("Stop", environment=plugin) == {}
    for source in ("startup", "compact"):
        assert session.fire("SessionStart", plugin, source=source) == {}
    assert not session.state.exists()
    settings.unlink()
    session.fire("Stop", environment={"CLAUDE_PLUGIN_ROOT": "/plugin"})
    assert len(session.talk()) == 6


@pytest.fixture
def both(session, repository, tmp_path):
    """The plugin enabled for the user, and the project with hooks of its own; each fired as the client does."""
    install = [str(repository / "install.sh"), "--project", str(session.root), "--offline"]
    environment = {**os.environ, "PYTHON": sys.executable}
    subprocess.run(install, env=environment, capture_output=True, check=True)
    (tmp_path / "config" / "settings.json").write_text('{"enabledPlugins": {"export-dedup@market": true}}')

    def fire(event, **more):
        payload = {"session_id": SESSION, "transcript_path": str(session.transcript), "cwd": str(session.root), **more}
        said = []
        for shim, root in (
            (repository / "hooks" / "run.sh", {"CLAUDE_PLUGIN_ROOT": str(repository)}),
            (session.root / ".coditect" / "hooks" / "run.sh", {}),
        ):
            done = subprocess.run(
                ["sh", str(shim), event],
                input=json.dumps(payload).encode(),
                capture_output=True,
                check=True,
                cwd=session.root,
                env={**os.environ, "CLAUDE_PROJECT_DIR": str(session.root), **root},
            )
            said.append(json.loads(done.stdout) if done.stdout else {})
        return said

    return fire


def test_both_forms_at_once_as_processes(session, both):
    """Fired by both shims, the plugin says and stores nothing; the project's answers; the user is told once."""
    assert both("Stop") == [{}, {}]
    assert len(session.talk()) == 6
    plugin, project = both("SessionStart", source="startup")
    assert plugin == {}
    assert project["systemMessage"].startswith("export-dedup is here twice")
    plugin, project = both("SessionStart", source="startup")
    assert (plugin, "systemMessage" in project) == ({}, False)
    session.export()
    plugin, project = both("UserPromptExpansion", command_name="export-dedup", command_args="")
    assert plugin == {}
    assert project["decision"] == "block"
    assert session.archived() == ["notes.txt"]
    seen = json.loads((session.state / "hooks.json").read_text())
    assert seen["SessionStart"]["count"] == 2


def test_the_plugin_works_once_the_project_s_hooks_are_taken_out(session, both, repository):
    """After the way out again the plugin's hooks are the only ones, and do the work."""
    script = str(repository / "install.sh")
    environment = {**os.environ, "PYTHON": sys.executable}
    uninstall = [script, "--uninstall", "--project", str(session.root)]
    subprocess.run(uninstall, env=environment, capture_output=True, check=True)
    session.fire("Stop", environment={"CLAUDE_PLUGIN_ROOT": str(repository)})
    assert len(session.talk()) == 6


def test_transcripts_are_left_alone_where_the_setting_says_so(session):
    """Without capture of transcripts an export is still processed when the command is called."""
    off = {"EXPORT_DEDUP_CAPTURE_TRANSCRIPTS": "off"}
    assert session.fire("Stop", environment=off) == {}
    assert "systemMessage" not in session.fire("SessionStart", environment=off, source="startup")
    assert not session.state.exists()


# --- whatever happens ---------------------------------------------------------------------------------------------------


@pytest.mark.unmeasured
@pytest.mark.parametrize("event", [*EVENTS, "Nonsense", ""])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"session_id": 1, "cwd": [], "transcript_path": {}}',
        b"\xff\xfe",
        b'{"cwd":"/no/such"}',
    ],
    ids=["empty", "torn", "list", "null", "types", "bytes", "gone"],
)
def test_any_input_ends_in_silence_or_json(session, event, data):
    """A hook never breaks the session: exit code 0, nothing on standard error, nothing or one line of JSON."""
    done = session.raw(event, data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not done.stdout or isinstance(json.loads(done.stdout), dict)


@pytest.mark.parametrize("event", EVENTS)
def test_a_store_that_cannot_be_used_never_breaks_the_session(session, event):
    """The store's folder is a file: every hook still ends well, and the reason is noted."""
    session.state.write_text("in the way")
    done = session.raw(event, json.dumps({"session_id": "s", "transcript_path": str(session.transcript)}).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert session.state.read_text() == "in the way"


def test_a_store_that_cannot_be_used_is_said_once(session):
    """Where a session starts, not with every turn; and the command fails on the screen, not before the model."""
    session.state.write_text("in the way")
    for source, told in (("startup", True), ("resume", True), ("clear", False)):
        said = session.fire("SessionStart", source=source).get("systemMessage", "")
        assert said.startswith("⚠ export-dedup: nothing is captured: ") == told
    assert session.fire("Stop") == {}
    said = expand(session)
    assert said["decision"] == "block"
    assert "Status: ❌ FAILED" in said["reason"]


def test_a_folder_that_cannot_be_written_is_noticed(session, monkeypatch):
    """Permissions are looked at where the store is, or would be."""
    from deduplication.errors import StoreNotWritable
    from deduplication.hooks.store_location import StoreLocation
    from deduplication.hooks.work import Work

    work = Work(StoreLocation(session.root, Project(session.root), opted_in=True), {})
    work.check()
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(session.memory))
    with pytest.raises(StoreNotWritable, match="permission denied"):
        work.check()


def test_a_failure_is_noted_in_a_bounded_log(session):
    """A damaged log of the store: the person is told that nothing is captured; the hook's log says why, and has its bound."""
    session.fire("Stop")
    (session.state / "conversation_log.jsonl").write_bytes(b"damaged\n")
    (session.state / "hooks.log").write_bytes(b"old line\n" * 40_000)
    session.write(prompt("more"))
    assert "does not capture this session: StoreDamaged" in session.fire("Stop")["systemMessage"]
    noted = (session.state / "hooks.log").read_bytes()
    assert len(noted) < 256 * 1024 + 10_000
    assert b"StoreDamaged" in noted.splitlines()[-1]


def test_hooks_at_once_do_nothing_twice(session):
    """All hooks of a turn at the same moment: one notice, one archived file, every message once."""
    session.fire("SessionStart", source="startup")
    session.export()
    payload = {"session_id": SESSION, "transcript_path": str(session.transcript), "cwd": str(session.root)}
    events = ["Stop", "UserPromptSubmit", "FileChanged", "Stop", "PreCompact", "FileChanged"]
    data = json.dumps({**payload, "file_path": str(session.transcript), "event": "change"}).encode()
    running = [
        subprocess.Popen(
            [sys.executable, "-S", "-E", str(session.repository / "hooks" / "run.py"), event],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "CLAUDE_PROJECT_DIR": str(session.root)},
        )
        for event in events
    ]
    for process in running:
        process.stdin.write(data)
        process.stdin.close()
    said = [process.stdout.read() for process in running]
    assert [process.wait() for process in running] == [0] * len(events)
    for process in running:
        process.stdout.close()
    assert sum(b"notes.txt" in text for text in said) <= 1
    assert session.archived() == ["notes.txt"]
    assert len(session.talk()) == 6
    store = ClaudeConversationDeduplicator(session.state)
    assert store.store.verify() == []


def test_what_fired_is_remembered(session):
    """For whoever asks whether the client calls the hooks at all."""
    session.fire("Stop")
    session.write(prompt("more"))
    session.fire("Stop")
    session.fire("FileChanged", file_path=str(session.transcript), event="change")
    seen = json.loads((session.state / "hooks.json").read_text())
    assert seen["Stop"]["count"] >= 1
    assert set(seen) == {"Stop", "FileChanged"}


def test_the_process_that_is_left_behind_prunes(session):
    """Not the hooks that somebody waits for."""
    session.fire("Stop")
    old = session.state / "live" / "of-long-ago"
    old.write_text("")
    os.utime(old, (0, 0))
    session.fire("Stop")
    assert old.exists()
    session.fire("CatchUp")
    assert not old.exists()
    assert (session.state / "live" / SESSION).exists()
