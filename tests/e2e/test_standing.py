"""Where the hooks stand in the real client: beside the other form, in a project of somebody else, before a broken store."""

from __future__ import annotations

import os
from pathlib import Path

from e2e.watching import export, until


def test_a_project_that_did_not_opt_in_gets_nothing(project, plugin, start, tmp_path):
    """With the plugin alone the conversation is kept in the user's own store, and the project is left as it was."""
    before = project.files()
    with start(project) as client:
        client.ask("What is said in a project of somebody else?")
        client.leave()
    stores = Path(os.environ["XDG_DATA_HOME"], "export-dedup", "projects")
    until(lambda: list(stores.glob("*/MEMORY-CONTEXT/dedup_state/conversation_log.jsonl")), "it is in the user's store")
    (memory,) = stores.glob("*/MEMORY-CONTEXT")
    mine = type(project)(project.root, memory)
    until(lambda: len(mine.talk()) == 2, "prompt and answer are captured")
    assert project.files() == before
    assert mine.hook_log() == ""
    mine.verify()


def test_of_both_forms_one_stands_down_and_says_so(request, project, checkout, start):
    """The project's own installation does the work, once, and says that the plugin, which came later, leaves it to it."""
    project.install(checkout)
    request.getfixturevalue("plugin")
    with start(project) as client:
        client.wait_until(
            lambda: "export-dedup is here twice" in " ".join(client.screen().split()), "the word on both forms"
        )
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "once.txt")
        client.say("/export-dedup")
        client.wait_for("Status: ✅ SUCCESS")
        assert client.history().count("BACKUP & DEDUPLICATION RESULTS") == 1
        client.leave()
    assert project.archived() == ["once.txt"]
    assert len(project.checkpoints()) == 1
    assert len(project.talk()) == 2
    assert not list(Path(os.environ["XDG_DATA_HOME"]).glob("export-dedup/projects/*"))
    project.verify()


def test_a_store_that_cannot_be_used_never_breaks_the_session(opted_in, start):
    """Hooks fail and the session goes on; that is said once and noted; what was missed is captured when the store is back."""
    state = opted_in.memory / "dedup_state"
    opted_in.memory.mkdir(exist_ok=True)
    state.write_text("a file where a folder should be", encoding="utf-8")
    with start(opted_in) as client:
        client.wait_until(lambda: "nothing is captured" in " ".join(client.screen().split()), "the warning")
        client.ask("Does the session go on?")
        client.ask("And does it still?")
        client.say("/export lost.txt")
        client.wait_for("Conversation exported to")
        client.say("/export-dedup")
        client.wait_for("Status: ❌ FAILED")
        assert "hook error" not in client.history()
        client.leave()
    assert state.read_text(encoding="utf-8") == "a file where a folder should be"
    assert (opted_in.root / "lost.txt").exists()
    state.unlink()
    with start(opted_in) as client:
        client.ask("Now it can be used again.")
        until(lambda: "Does the session go on?" in str(opted_in.conversations()), "it is caught up")
        until(lambda: opted_in.archived() == ["lost.txt"], "the export is taken")
        client.leave()
    opted_in.verify()
