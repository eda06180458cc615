"""/export-dedup in the real client: a banner that costs no request, or the classic way with the model's comment."""

from __future__ import annotations

import time

from e2e.watching import BANNER, export, until


def test_the_banner_costs_no_request(opted_in, start, api):
    """After the hook has taken the export the command shows its numbers, its time and what came since."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "notes.txt")
        client.ask("And how often does it turn?")
        until(lambda: len(opted_in.talk()) == 4, "the second turn is captured")
        asked = len(api.requests)
        client.say("/export-dedup")
        client.wait_for("Status: ✅ SUCCESS")
        shown = client.screen()
        assert len(api.requests) == asked
    assert f"🆕 {BANNER} 2\n" in shown
    assert "2 new (all captured earlier)" in shown
    assert "📨 Total Messages Processed: 2\n" in shown
    assert "💾 Total Unique Messages in Storage: 4\n" in shown
    assert "Already done: the hook processed notes.txt at " in shown
    assert "2 new messages were captured since." in shown
    assert "No new export" not in shown
    assert opted_in.archived() == ["notes.txt"]
    opted_in.verify()


def test_the_command_right_after_the_export_takes_it_once(opted_in, start, api):
    """Whichever of both comes first, the hook or the command: one run, one conversation, and a banner that has it."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.say("/export notes.txt")
        client.wait_for("Conversation exported to")
        asked = len(api.requests)
        client.say("/export-dedup")
        client.wait_for("Status: ✅ SUCCESS")
        shown = client.screen()
        assert len(api.requests) == asked
    assert f"🆕 {BANNER} 2\n" in shown
    assert "📨 Total Messages Processed: 2\n" in shown
    assert "No new export" not in shown
    assert opted_in.archived() == ["notes.txt"]
    assert len(opted_in.talk()) == 2
    assert len(opted_in.checkpoints()) == 1
    opted_in.verify()


def test_what_follows_the_command_are_its_arguments(opted_in, start):
    """``--no-checkpoint`` makes none, and ``--description "two words"`` is the checkpoint's title."""
    opted_in.set(hook_checkpoint=False)
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.ask("RUN: printf '❯ A prompt?\\n\\n● An answer.\\n' > notes.md; cp /dev/null empty.txt; rm empty.txt")
        client.say("/export-dedup --no-checkpoint")
        client.wait_for("Status: ✅ SUCCESS")
        assert opted_in.checkpoints() == []
        paths = opted_in.root / "kept" / "old export.txt"
        paths.parent.mkdir()
        paths.write_text(opted_in.shown("Is this an older export?", "It is one."), encoding="utf-8")
        client.say('/export-dedup "kept/old export.txt" --description "two words" --no-archive')
        client.wait_until(lambda: client.screen().count("Status: ✅ SUCCESS") == 2, "the second banner")
        client.say('/export-dedup --description "open')
        client.wait_for("the arguments cannot be read")
        assert client.running
    assert paths.exists()
    assert [name for name in opted_in.checkpoints() if "two-words" in name] == opted_in.checkpoints()
    assert len(opted_in.checkpoints()) == 1
    opted_in.verify()


def test_without_an_export_it_says_where_it_looked(with_plugin, start):
    """Where nothing was exported at all, that is said on the screen, with what to do."""
    with start(with_plugin) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.say("/export-dedup")
        client.wait_for("Status: ✅ SUCCESS")
        shown = client.screen()
    assert "No new export files found" in shown
    assert "repo root" in shown
    assert "Run /export in Claude Code" in shown


def test_the_classic_command_hands_the_report_to_the_model(opted_in, start, api):
    """With command_banner "model" the command processes the export and puts its report before the model."""
    opted_in.set(command_banner="model")
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.say("/export notes.txt")
        client.wait_for("Conversation exported to")
        client.say("/export-dedup")
        client.wait_until(lambda: BANNER in api.heard(), "the report in a request")
        time.sleep(1)
    assert opted_in.archived() == ["notes.txt"]
    assert len(opted_in.conversations()) == 1
    assert "What moves the water of the harbour twice a day?" in opted_in.talk()
    opted_in.verify()


def test_search_and_its_siblings_are_answered_without_a_request(opted_in, start, api):
    """What was said a moment ago is found and shown on the screen; nothing in the arguments is executed; no request is made."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        asked = len(api.requests)
        client.say('/export-dedup-search "the harbour" $(touch pwned) ; touch pwned')
        client.wait_for("no message with")
        client.say("/export-dedup-search harbour twice")
        client.wait_for("What moves the water of the «harbour» «twice» a day?")
        client.say("/export-dedup-show")
        client.wait_for("1 conversation")
        client.say("/export-dedup-status")
        client.wait_for("no export was processed yet")
        client.say("/export-dedup-doctor")
        client.wait_for("export-dedup doctor:")
        assert len(api.requests) == asked
    assert not (opted_in.root / "pwned").exists()
    assert not [text for text in opted_in.talk() if "export-dedup" in text]
    opted_in.verify()


def test_the_classic_command_refuses_arguments_that_a_shell_obeys(opted_in, start, api):
    """With command_banner "model" the hook stops them before the client has put them into a line of shell."""
    opted_in.set(command_banner="model")
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        asked = len(api.requests)
        client.say("/export-dedup x ; touch pwned")
        client.wait_for("through a shell")
        assert len(api.requests) == asked
    assert not (opted_in.root / "pwned").exists()


def test_the_classic_search_hands_its_words_to_the_model_as_data(opted_in, start, api):
    """With command_banner "model" the words stand in the request, and no shell has seen them."""
    opted_in.set(command_banner="model")
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.say("/export-dedup-search don't $(touch pwned) !`touch pwned`")
        client.wait_until(lambda: "don't $(touch pwned)" in str(api.requests[-1:]), "the words in a request")
    assert not (opted_in.root / "pwned").exists()
