"""By itself, in the real client: an export is processed as soon as it is written, and nothing is lost to a compaction."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

NOTICE = "NEW UNIQUE MESSAGES since the last export"
BANNER = "NEW UNIQUE MESSAGES ADDED & BACKED UP"
WIDE = 20.0
"""Seconds in which a slow machine must have done what takes three here; what it took is printed."""


def until(holds, what, seconds=WIDE):
    """Wait until ``holds()`` is true."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, what
        time.sleep(0.1)


def export(client, name):
    """``/export NAME``; the seconds until the notice stands on the screen.

    The client tells of a change of a file only some time after it told that the file came to be: a person reads the answer first.
    """
    time.sleep(8)
    client.say(f"/export {name}")
    client.wait_for("Conversation exported to")
    took = client.wait_for(NOTICE, WIDE)
    print(f"the notice came {took:.1f} s after /export {name}")
    return took


def test_an_export_is_processed_wherever_it_goes(opted_in, start, tmp_path):
    """In the root, in a subfolder after ``cd``, outside the project: the notice appears, the messages are stored."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "in the root.txt")
        until(lambda: opted_in.archived() == ["in the root.txt"], "the export is moved to the archive")
        client.ask("RUN: cd sub && pwd")
        client.ask("Which folder are we in now?")
        client.say("/export below.txt")
        until(lambda: "below.txt" in opted_in.archived(), "an export in a subfolder is archived")
        client.say(f"/export {tmp_path / 'outside.txt'}")
        until(lambda: "outside.txt" in opted_in.archived(), "an export outside the project is copied")
        assert (tmp_path / "outside.txt").exists()
    assert [text for text in opted_in.talk() if text.startswith(("What moves", "RUN", "Which"))] == [
        "What moves the water of the harbour twice a day?",
        "RUN: cd sub && pwd",
        "Which folder are we in now?",
    ]
    opted_in.verify()


def test_the_command_shows_the_banner_without_a_request(opted_in, start, api):
    """After the hook has taken the export, /export-dedup shows its numbers, and the model is not asked."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "notes.txt")
        asked = len(api.requests)
        client.say("/export-dedup")
        client.wait_for(BANNER)
        client.wait_for("SUCCESS")
        assert "No new export files found" not in client.history()
        assert len(api.requests) == asked
    opted_in.verify()


def test_nothing_is_lost_to_a_compaction(opted_in, start):
    """/compact: every message before and after is in the store once, in order, and the summary as a message of its own."""
    with start(opted_in) as client:
        client.ask("First question: how high is the spring tide here?")
        client.ask("Second question: and how low is the neap tide?")
        client.say("/compact")
        client.wait_for("Compacted", 60)
        client.ask("Third question: when is the next slack water?")
        until(lambda: any("Third" in text for text in opted_in.talk()), "the turn after the compaction is captured")
        client.leave()
    questions = [text.split(":")[0] for text in opted_in.talk() if "question" in text and not text.startswith("Answer")]
    assert questions == ["First question", "Second question", "Third question"]
    (messages,) = opted_in.conversations().values()
    assert [message["kind"] for message in messages].count("summary") == 1
    opted_in.verify()


def test_clear_and_resume_are_followed(opted_in, start):
    """After /clear the new session is captured as well, and a resumed session goes on in its conversation."""
    with start(opted_in) as client:
        client.ask("What is in the first session?")
        client.say("/clear")
        time.sleep(2)  # the client takes keys for the old line until the new session stands
        client.ask("What is in the second session?")
        client.leave()
    with start(opted_in, "--continue") as client:
        client.ask("What comes after the resume?")
        until(lambda: any("after the resume" in str(m) for m in opted_in.conversations().values()), "it is captured")
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


def test_our_own_words_are_never_conversation(opted_in, start):
    """Notices, banners and contexts of ours stand in later exports and transcripts, and in no message of the store."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "one.txt")
        client.say("/export-dedup")
        client.wait_for("SUCCESS")
        client.ask("And how often does it turn?")
        client.say("/export two.txt")
        until(lambda: "two.txt" in opted_in.archived(), "the second export is archived")
        client.leave()
    counted = [
        message
        for messages in opted_in.conversations().values()
        for message in messages
        if message["kind"] not in ("bookkeeping", "notice")
    ]
    assert [m["content"] for m in counted if "UNIQUE MESSAGES" in str(m["content"]) or "🔐" in str(m["content"])] == []
    assert len([m for m in counted if m["kind"] == "prompt"]) == 2


def test_a_project_that_did_not_opt_in_gets_nothing(project, plugin, start, monkeypatch):
    """With the plugin alone, the conversation is kept in the user's own store, and the project is left as it was."""
    before = project.files()
    with start(project) as client:
        client.ask("What is said in a project of somebody else?")
        client.leave()
    stores = Path(os.environ["XDG_DATA_HOME"], "export-dedup", "projects")
    until(lambda: list(stores.glob("*/MEMORY-CONTEXT/dedup_state/conversation_log.jsonl")), "it is in the user's store")
    assert project.files() == before
    (memory,) = stores.glob("*/MEMORY-CONTEXT")
    mine = type(project)(project.root, memory)
    until(lambda: len(mine.talk()) == 2, "prompt and answer are captured")
    mine.verify()


def test_a_store_that_cannot_be_written_never_breaks_the_session(opted_in, start):
    """Hooks fail, the session goes on, and what was missed is captured once the store can be written."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    state = opted_in.memory / "dedup_state"
    state.mkdir(parents=True)
    state.chmod(0o500)
    try:
        with start(opted_in) as client:
            client.ask("Does the session go on?")
            client.ask("And does it still?")
            client.leave()
    finally:
        state.chmod(0o700)
    with start(opted_in) as client:
        client.ask("Now it is writable again.")
        until(lambda: "Does the session go on?" in str(opted_in.conversations()), "it is caught up")
        client.leave()
