"""/export in the real client: found wherever the file goes, stored, archived, and a notice on the screen."""

from __future__ import annotations

import json
import re

from e2e.watching import NOTICE, export, noticed, until


def test_an_export_is_processed_wherever_it_goes(opted_in, start, tmp_path):
    """In the root, in a subfolder after ``cd``, outside the project, by the dialog: each is noticed, stored and archived."""
    outside = tmp_path / "out side.txt"
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "in the root.txt")
        client.ask("RUN: cd sub && pwd")
        client.ask("Which folder are we in now?")
        export(client, "below.txt")
        export(client, str(outside))
        for copied in range(
            3
        ):  # on a busy machine the second Enter of the driver may take the first choice: the clipboard
            client.say("/export")
            client.wait_until(
                lambda copied=copied: (
                    "Save to file" in client.screen() or client.screen().count("to clipboard") > copied
                ),
                "the dialog",
            )
            if "Save to file" in client.screen():
                break
        client.press("down")
        client.wait_until(lambda: re.search(r"❯ .*Save to file", client.screen()), "the second choice")
        client.press("enter")
        client.wait_for("what-moves-the-water")  # the name that the client proposes
        client.press("enter")
        client.wait_until(lambda: client.screen().count("Conversation exported to") == 4, "the fourth export")
        noticed(client, re.split("Conversation exported to:? ", client.screen())[-1].split("/sub/")[-1][:18])
    until(lambda: len(opted_in.archived()) == 4, "all four are archived")
    assert opted_in.archived()[1:] == ["below.txt", "in the root.txt", "out side.txt"]
    assert outside.exists(), "a file outside the project is copied, not moved"
    assert list(opted_in.root.glob("**/sub/*.txt")) == []
    assert [text for text in opted_in.talk() if text.startswith(("What moves", "RUN", "Which"))] == [
        "What moves the water of the harbour twice a day?",
        "RUN: cd sub && pwd",
        "Which folder are we in now?",
    ]
    assert len(opted_in.checkpoints()) == 2, "the last two brought nothing new"
    assert opted_in.hook_log() == ""
    opted_in.verify()


def test_the_numbers_of_the_notice_are_counted(opted_in, start):
    """New is what came since the last export, captured or not; a second notice is not lost behind the first one."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "one.txt")
        assert f"{NOTICE}2 new · one.txt · 2 messages" in client.screen()
        client.ask("And which of the two is the higher one?")
        client.ask("When does it come next?")
        export(client, "two.txt")
        assert f"{NOTICE}4 new · two.txt · 6 messages" in client.screen()
    assert len(opted_in.talk()) == 6
    opted_in.verify()


def test_the_notice_waits_for_the_client_s_own_hint(with_plugin, start):
    """With a model that has efforts the client shows them first, in the same corner; the notice comes when they have gone."""
    with start(with_plugin, model=None) as client:
        client.wait_for("/effort")
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "one.txt")
        assert "/effort" not in client.screen()
    assert with_plugin.archived() == ["one.txt"]


def test_a_narrow_screen_shows_what_counts(with_plugin, start):
    """At 80 columns, and with a name that is longer than the corner, the words that count can be read."""
    name = "2026-11-03-the-tides-of-the-harbour-and-what-moves-them.txt"
    with start(with_plugin, columns=80) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, name)
        assert f"{NOTICE}2 new" in client.screen()


def test_what_fired_and_what_was_done_is_kept(with_plugin, start):
    """Beside the store lie what fired, the last run's figures and the markers, and nothing else of ours in the project."""
    with start(with_plugin) as client:
        client.ask("What moves the water of the harbour twice a day?")
        export(client, "one.txt")
        client.leave()
    state = with_plugin.memory / "dedup_state"
    assert {"FileChanged", "SessionEnd"} <= json.loads((state / "hooks.json").read_text()).keys()
    assert json.loads((state / "last_run.json").read_text())["captured"] == 2
    assert {name.split("/")[0] for name in with_plugin.files()} == {"MEMORY-CONTEXT", "sub"}
