"""Everything that hooks and slash commands of ours show in the client, one after the other, and whether a line of it is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from deduplication.hooks import notices
from deduplication.project import client_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.client import Client
    from e2e.place import Place

WIDTHS: Final = (40, 60, 80, 100, 160)
"""Cells of a line of the terminals that were measured."""
SAID: Final = "said.jsonl"
"""In the home of the test: what each of our hooks answered."""


class Shown(NamedTuple):
    """In the ``place`` of the client: what we said, the screen below what was asked, and the lines of ours that are not on it."""

    place: str
    text: str
    screen: str
    broken: tuple[str, ...]


def listen() -> None:
    """Have our hooks started by an interpreter that notes what they answer, so that it is known to the letter."""
    home = Path(os.environ["HOME"])
    python = home / "listening python"
    python.write_text(f'#!/bin/sh\n"{sys.executable}" "$@" | tee -a "$HOME/{SAID}"\n', encoding="utf-8")
    python.chmod(0o755)
    chosen = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache", "export-dedup", "python")
    chosen.parent.mkdir(parents=True, exist_ok=True)
    chosen.write_text(f"{python}\n", encoding="utf-8")


def version_of(executable: str) -> str:
    """What a client says of itself: not every one says it on a narrow screen."""
    done = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def tour(client: Client, place: Place, version: str) -> Iterator[Shown]:
    """A first session of the plugin in a project that did not opt in, and then did: each word of ours and how it is shown."""
    said = _Said()
    events = client_version.known(client_version.parse(version)).events
    yield said.on(client, "first session (SessionStart)", "keeps")
    client.ask("What moves the water of the harbour twice a day?")
    commands = "UserPromptExpansion" in events
    if commands:
        client.say("/export one.txt")
        client.wait_for("Conversation exported")
        client.say("/export-dedup")
        yield said.on(client, "/export-dedup", "Done, nothing is blocked")
    else:
        place.memory.mkdir()
    client.ask("And how often does it turn?")
    yield said.on(client, "after the opt-in (UserPromptSubmit)", "your own store")
    if not commands:
        return
    time.sleep(notices.FIRST)
    client.say("/export two.txt")
    yield said.on(client, "/export (FileChanged)", "/compact is safe now")
    for command, sign in (
        ("/export-dedup-search water", "with water"),
        ("/export-dedup-search", "nothing to look for"),
        ("/export-dedup-show", "export-dedup show:"),
        ("/export-dedup-status", "export-dedup status:"),
        ("/export-dedup-doctor", "export-dedup doctor:"),
        ("/export-dedup-doctor --all", "python:"),
    ):
        client.say(command)
        yield said.on(client, command, sign)


class _Said:
    """What our hooks answered, in turn."""

    def __init__(self) -> None:
        self._path = Path(os.environ["HOME"], SAID)
        self._seen = 0

    def on(self, client: Client, place: str, *signs: str) -> Shown:
        """The next answer with one of ``signs``, once all of it is on the screen, or is not after a while."""
        found: list[str] = []
        client.wait_until(lambda: found.append(self._next(signs)) or found[-1], f"our word: {place}")
        text = found[-1]
        deadline = time.monotonic() + 20
        while True:
            screen = client.history()
            broken = missing(text, screen)
            if not broken or time.monotonic() > deadline:
                first = next((line for line in text.split("\n") if line.strip()), "")
                at = screen.rfind(first.strip()[:20])
                return Shown(place, text, screen[max(0, screen.rfind("\n", 0, at)) :].strip("\n"), broken)
            time.sleep(0.1)

    def _next(self, signs: tuple[str, ...]) -> str:
        if not self._path.exists():
            return ""
        answers = [
            json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines() if line.endswith("}")
        ]
        for number, answer in enumerate(answers[self._seen :], self._seen + 1):
            text = answer.get("systemMessage") or answer.get("reason") or ""
            if any(sign in " ".join(text.split()) for sign in signs):
                self._seen = number
                return text
        return ""


def missing(text: str, screen: str) -> tuple[str, ...]:
    """The lines of ``text`` that do not stand on the screen as they are, with nothing but the client's own margin beside them."""
    shown = {line.strip() for line in screen.split("\n")}
    shown |= {line.partition(" says: ")[2] for line in shown if " says: " in line}
    # A notice in the corner stands behind the client's own hint where there is room for both.
    ends = tuple(f"  {line.strip()}" for line in text.split("\n"))
    shown |= {end.strip() for end in ends for line in shown if line.endswith(end)}
    return tuple(line for line in text.split("\n") if line.strip() and line.strip() not in shown)
