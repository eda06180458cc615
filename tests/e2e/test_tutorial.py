"""docs/tutorial.md in the real client: every line of it typed as it stands there, from ``/plugin`` to ``/compact``."""

from __future__ import annotations

import contextlib
import re

import pytest

from conftest import REPOSITORY
from deduplication.project import client_version
from documents import fences
from e2e import tour
from e2e.watching import until

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
START = "$ claude"
PROMPT = "❯ "


def steps():
    """What is typed, and the words that must be on the screen then."""
    for _, body in fences(TUTORIAL, "text"):
        typed, *shown = body.splitlines()
        assert typed == START or typed.startswith(PROMPT), body
        yield typed.removeprefix(PROMPT) if typed != START else START, shown


def squeezed(text):
    """Without white space: the client breaks lines."""
    return re.sub(r"\s", "", text)


def seen(client, words, since):
    """Wait until the words are on the screen once more than they were."""
    wanted = squeezed(words)
    client.wait_until(lambda: squeezed(client.history()).count(wanted) > since[words], words)


def test_the_tutorial_goes_from_the_plugin_to_the_compaction(project, checkout, executable, start):
    """Each command is taken, each answer that it shows comes, and the store has the whole conversation in the end."""
    if client_version.parse(tour.version_of(executable)) < client_version.LOWEST:
        pytest.skip("the tutorial is for newer clients")
    walked = list(steps())
    typed = [command for command, _ in walked]
    assert next(each for each in typed if each != START).startswith("/plugin ")
    assert "/compact" in typed
    with contextlib.ExitStack() as open_client:
        client = None
        for command, shown in walked:
            if command == START:
                client = open_client.enter_context(start(project, lines=200))
                since = dict.fromkeys(shown, 0)
            elif command == "/exit":
                client.leave()
                continue
            else:
                since = {words: squeezed(client.history()).count(squeezed(words)) for words in shown}
                act = client.say if command.startswith("/") else client.ask
                act(command.replace("~/export-dedup", str(checkout)))
            for words in shown:
                seen(client, words, since)
        questions = [each for each in typed if not each.startswith(("/", "$"))]
        assert len(questions) == 2
        until(lambda: all(each in str(project.conversations()) for each in questions), "the store has what was asked")
        client.leave()
    assert project.archived() == ["tides.txt"]
    assert len(project.checkpoints()) == 1
    project.verify()
