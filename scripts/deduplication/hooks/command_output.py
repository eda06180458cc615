"""What one of our slash commands prints, and as much of it as the client shows."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .slash_commands import Command

MOST_CHARACTERS: Final = 9_500
"""The client cuts what a hook says at 10,000."""
_MOST_LINES: Final = 30
"""Lines above a banner at most."""
_TELLING: Final = (
    "⚠",
    "❌",
    "✓ Already done",
    "✓ No new export",
    "✓ Archived",
    "✓ Checkpoint",
    "· Left",
    "· Not an export",
)
"""Beginnings of lines that tell what became of an export."""


def output_of(command: Command, bundle: str, root: str, words: list[str]) -> str:
    """What a command of ours prints, called with words and not through a shell."""
    import subprocess

    script = os.path.join(bundle, "scripts", command.script)
    own = [*command.words, str(MOST_CHARACTERS)] if "--characters" in command.words else [*command.words]
    # The user's own project, even where it did not opt in: the main command is what opts in.
    done = subprocess.run(
        [sys.executable, script, *own, "--project", root, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Our bundle may be a plugin's folder: what Python compiles goes where the hook's own goes.
        env={
            **os.environ,
            "PYTHONIOENCODING": "utf-8",
            **({"PYTHONPYCACHEPREFIX": sys.pycache_prefix} if sys.pycache_prefix else {}),
        },
        check=False,
    )
    return done.stdout.decode("utf-8", "replace")


def cut(output: str) -> str:
    """At most what the client shows, cut between lines; the commands themselves cut between messages before."""
    text = output.rstrip("\n")
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS].rpartition(chr(10))[0]}\n… There is more: run the command in a shell."


def whole_output(output: str) -> str:
    """What a person wants to see of a report: the banner, what became of the exports, the summary; all of it without a banner."""
    from ..reports.execution import LOCKS

    lines = output.rstrip("\n").split("\n")
    bars = [n for n, line in enumerate(lines) if line.startswith(LOCKS)]
    if not bars:
        return "\n".join(lines)[-MOST_CHARACTERS:]
    told = _told(lines[: bars[0]])[:_MOST_LINES]
    told = ["", *told] if told else []
    return "\n".join([*lines[bars[0] : bars[-1] + 1], *told, *lines[bars[-1] + 1 :]])[:MOST_CHARACTERS]


def _told(steps: list[str]) -> list[str]:
    """Of the five steps the lines that tell what became of the exports, and what stands indented below them."""
    told: list[str] = []
    below = 1000
    for line in steps:
        text = line.lstrip()
        depth = len(line) - len(text)
        if text.startswith(_TELLING):
            below = depth + 3
            told.append(text)
        elif text and depth >= below:
            told.append(f"   {text}")
        else:
            below = 1000
    return told
