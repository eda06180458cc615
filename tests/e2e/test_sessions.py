"""Sessions in the real client: nothing is lost to a compaction, a clearing, a resume, or a prompt that came too early."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from deduplication.project import client_transcripts
from e2e.watching import COUNTED_NOT, OURS, export, until

SAFE = "export-dedup has "


def test_nothing_is_lost_to_a_compaction(opted_in, start, api):
    """Every message before and after is stored once, in order, the summary too; and the model is told what is safe."""
    with start(opted_in) as client:
        client.ask("First question: how high is the spring tide here?")
        client.ask("Second question: and how low is the neap tide?")
        client.say("/compact")
        client.wait_for("Compacted")
        assert SAFE not in api.heard()
        client.ask("Third question: when is the next slack water?")
        until(lambda: any("Third" in text for text in opted_in.talk()), "the turn after the compaction is captured")
        client.leave()
    questions = [text.split(":")[0] for text in opted_in.talk() if "question" in text and not text.startswith("Answer")]
    assert questions == ["First question", "Second question", "Third question"]
    (messages,) = opted_in.conversations().values()
    assert [message["kind"] for message in messages].count("summary") == 1
    told = api.last_heard()
    assert f"{SAFE}4 messages of this conversation in its store" in told
    assert "deduplicate_export.py" in told
    assert opted_in.hook_log() == ""
    opted_in.verify()


def test_clear_and_continue_are_followed(opted_in, start, api):
    """After /clear the new session is captured as well; a continued one goes on in its conversation, and the model is told."""
    with start(opted_in) as client:
        client.ask("What is in the first session?")
        client.clear()
        client.ask("What is in the second session?")
        client.leave()
    with start(opted_in, "--continue") as client:
        client.ask("What comes after the resume?")
        assert f"{SAFE}2 messages of this conversation in its store" in api.last_heard()
        export(client, "all.txt")
        client.leave()
    until(lambda: len(opted_in.conversations()) == 2, "both sessions are in the store")
    prompts = sorted(
        [message["content"] for message in messages if message["kind"] == "prompt"]
        for messages in opted_in.conversations().values()
    )
    assert prompts == [
        ["What is in the first session?"],
        ["What is in the second session?", "What comes after the resume?"],
    ]
    opted_in.verify()


def test_the_context_can_be_turned_off(with_plugin, start, api):
    """With compact_context false the model hears nothing of us, after a compaction and on resume."""
    with_plugin.set(compact_context=False)
    with start(with_plugin) as client:
        client.ask("First question: how high is the spring tide here?")
        client.ask("Second question: and how low is the neap tide?")
        client.say("/compact")
        client.wait_for("Compacted")
        client.ask("Third question: when is the next slack water?")
        client.leave()
    with start(with_plugin, "--continue") as client:
        client.ask("Fourth question: and the one after it?")
    assert "Fourth question" in api.last_heard()
    assert SAFE not in api.heard()


def test_the_first_prompt_may_come_before_anything_is_watched(opted_in, start):
    """A prompt on the command line, in a project without a session before it: captured, and its export noticed."""
    with start(opted_in, "What moves the water of the harbour twice a day?") as client:
        client.wait_until(lambda: "Answer" in client.screen() and "✻" in client.screen(), "the first turn")
        export(client, "early.txt")
    assert len(opted_in.talk()) == 2
    assert opted_in.archived() == ["early.txt"]
    opted_in.verify()


def test_turns_are_captured_without_any_export(opted_in, start):
    """Nobody exports anything, the client is killed: what was said is in the store."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.ask("RUN: echo high water")
        until(lambda: len(opted_in.talk()) >= 5, "prompts and answers are captured while the session runs")
    kinds = [message["kind"] for messages in opted_in.conversations().values() for message in messages]
    assert [kind for kind in kinds if kind not in COUNTED_NOT] == [
        *("prompt", "text", "prompt", "text", "tool_call", "tool_result", "text"),
    ]
    opted_in.verify()


def test_our_own_words_are_never_conversation(opted_in, start):
    """Notices, banners, contexts and reports stand in transcripts and later exports, and in no message that counts."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "one.txt")
        client.say("/export-dedup")
        client.wait_for("Status: ✅ SUCCESS")
        client.ask("And how often does it turn?")
        client.say("/compact")
        client.wait_for("Compacted")
        client.ask("When is the next slack water?")
        export(client, "two.txt")
        client.leave()
    opted_in.set(command_banner="model")
    with start(opted_in, "--continue") as client:
        client.ask("/export-dedup")
        client.ask("SAY: Slack water it is.")
        export(client, "three.txt")
        client.leave()
    until(lambda: len(opted_in.archived()) == 3, "all are archived")
    assert len(opted_in.conversations()) == 1
    (messages,) = opted_in.conversations().values()
    counted = [message for message in messages if message["kind"] not in COUNTED_NOT]
    assert [m for m in counted if any(word in str(m["content"]) for word in OURS)] == []
    assert [m["content"] for m in counted if m["kind"] == "prompt"] == [
        "What moves the water of the harbour twice a day?",
        "And how often does it turn?",
        "When is the next slack water?",
        "SAY: Slack water it is.",
    ]
    opted_in.verify()


def test_a_session_that_the_client_deleted_goes_on(opted_in, start, api):
    """The client's files are gone, as after its 30 days: put back from the archive, the session can be resumed as it was."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.ask("RUN: seq 1 30000")
        client.leave()
    sessions = (
        client_transcripts.config_dir() / "projects" / client_transcripts.folder_name(str(opted_in.root.resolve()))
    )
    before = {path.relative_to(sessions): path.read_bytes() for path in sessions.rglob("*") if path.is_file()}
    (session,) = [path.stem for path in before if path.suffix == ".jsonl" and len(path.parts) == 1]
    until(lambda: f"{session}.jsonl" in restored(opted_in, "--list"), "the transcript is in the archive")
    shutil.rmtree(sessions)
    said = restored(opted_in, "--session", session, "--to-client")
    assert f"claude --resume {session}" in said
    after = {path.relative_to(sessions): path.read_bytes() for path in sessions.rglob("*") if path.is_file()}
    assert after == before
    with start(opted_in, "--resume", session) as client:
        client.ask("And how often does it turn?")
        client.leave()
    heard = api.last_heard()
    assert "What moves the water" in heard
    assert "seq 1 30000" in heard
    until(lambda: opted_in.talk()[-2:-1] == ["And how often does it turn?"], "what was said since is captured")
    assert opted_in.talk().count("What moves the water of the harbour twice a day?") == 1
    opted_in.verify()


def restored(place, *arguments):
    """What ``restore`` says in the project."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "deduplicate_export.py"
    command = [sys.executable, str(script), "restore", "--project", str(place.root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
