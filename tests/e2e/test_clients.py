"""Every form of installation in every client: an export in the project and outside of it, the command, and our files removed."""

from __future__ import annotations

import json
import shutil
import time

import pytest

from deduplication.hooks import notices
from deduplication.project import client_version
from e2e.watching import NOTICE, until

PATIENCE = 30.0


class Table:
    """What was measured: one line for each step, printed as it comes."""

    def __init__(self, client, form):
        self.head = f"{client} | {form}"

    def line(self, step, text):
        print(f"measured | {self.head} | {step} | {text}")


def version_of(client, screen):
    """The version in the banner of the client."""
    return client_version.parse(screen.partition("Claude Code v")[2]) or pytest.fail(f"no version of {client}")


@pytest.mark.parametrize("form", ["project", "plugin"])
def test_nothing_is_ever_blocked(request, project, checkout, each_client, start_each, api, form, tmp_path):
    """Install, export in and outside the project, /export-dedup, remove .coditect, go on typing: each prompt is answered."""
    settings = project.root / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"env": {"HARBOUR": "the tide gauge"}}), encoding="utf-8")
    if form == "plugin":
        request.getfixturevalue("plugin")
        project.memory.mkdir()
    else:
        project.install(checkout)
    with start_each(project) as client:
        version = version_of(each_client, client.screen())
        has = client_version.known(version).events
        table = Table(client_version.text(version), form)
        client.ask("RUN: printenv HARBOUR")
        assert "the tide gauge" in api.last_heard()
        table.line("settings of the user", "hold")
        until(lambda: "RUN: printenv HARBOUR" in str(project.conversations()), "the turn is captured")
        table.line("turn", "captured")
        # 2.0.76 puts an absolute path below the current folder.
        outside = str(tmp_path / "out side.txt") if "FileChanged" in has else "../out side.txt"
        for place, name in (("in the project", "inside.txt"), ("outside", outside)):
            client.ask(f"What moves the water {place}?")
            if "FileChanged" in has:
                client.wait_until(lambda: NOTICE not in client.screen(), "a free corner", PATIENCE)
                time.sleep(notices.FIRST)  # after the first notice the corner counts as taken for as long
            client.say(f"/export {name}")
            client.wait_for("Conversation exported to")
            if "FileChanged" in has:
                took = client.wait_until(lambda: NOTICE in client.screen(), f"the notice {place}", PATIENCE)
                table.line(f"export {place}", f"noticed after {took:.1f} s")
            else:
                client.ask(f"And what else is {place}?")
                said = f"new·{''.join(name.rpartition('/')[2].split())}·"
                client.wait_until(
                    lambda said=said: said in "".join(client.history().split()), f"the word {place}", PATIENCE
                )
                table.line(f"export {place}", "said with the next prompt")
            until(lambda name=name: name.rpartition("/")[2] in project.archived(), f"{name} is archived")
        if set(has) != set(client_version.EVENTS):
            told = " ".join(client.history().split())
            assert f"all of it works from {client_version.text(client_version.LOWEST)} on" in told
            table.line("what an old client cannot do", "said in one line")
        command(client, api, form, has, table)
        if form == "project":
            shutil.rmtree(project.root / ".coditect")
        else:
            remove_the_plugin()
        for number in range(2):
            asked = len(api.requests)
            client.ask(f"Is prompt {number} answered, with our files gone?")
            assert len(api.requests) > asked
            time.sleep(0.5)
        shown = client.history()
        assert "blocked by hook" not in shown.rpartition("Is prompt 0 answered")[2]
        assert "hook error" not in shown
        table.line("our files removed", "2 of 2 prompts answered")
        client.leave()
    with start_each(project) as client:
        client.ask("RUN: printenv HARBOUR")
        assert "the tide gauge" in api.last_heard()
        table.line("a new session without our files", "answered, the settings hold")


def command(client, api, form, has, table):
    """``/export-dedup`` as this client can run it."""
    asked = len(api.requests)
    client.say("/export-dedup")
    if "UserPromptExpansion" in has:
        took = client.wait_for("Status: ✅ SUCCESS")
        assert len(api.requests) == asked
        table.line("/export-dedup", f"banner after {took:.1f} s, no request")
    elif form == "project":
        client.wait_until(lambda: "BACKUP & DEDUPLICATION RESULTS" in api.heard(), "the report in a request")
        table.line("/export-dedup", "report handed to the model")
        time.sleep(3)
    else:
        time.sleep(3)
        table.line("/export-dedup", "the client asks for a permission or refuses")


def remove_the_plugin():
    """Every file of the plugin goes, as where its folder was cleaned."""
    import os
    from pathlib import Path

    gone = 0
    for folder in Path(os.environ["HOME"], ".claude", "plugins", "cache").glob("*/*/*"):
        shutil.rmtree(folder)
        gone += 1
    assert gone
