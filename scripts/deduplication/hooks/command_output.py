"""What one of our slash commands prints, and as much of it as the client shows."""

from __future__ import annotations

import os
import sys
from typing import Final

from ..terminal import called
from .slash_commands import COMMANDS

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
_WRONG: Final = ("⚠", "❌", "✓ No new export")
"""Beginnings of those that a narrow screen shows, too."""
_ELSEWHERE: Final = ("📝 Full report", "Exit code:")
"""Below a report, and of no use in the client."""


def output_of(name: str, bundle: str, root: str, words: list[str], most: int = MOST_CHARACTERS) -> tuple[int, str]:
    """The exit code of the command ``name`` of ours, called with words and not through a shell, and what it prints."""
    import subprocess

    command = COMMANDS[name]
    script = os.path.join(bundle, "scripts", command.script)
    own = [*command.words, str(most)] if "--characters" in command.words else [*command.words]
    # What it prints is fitted to the screen afterwards, all of it.
    kept = {variable: value for variable, value in os.environ.items() if variable != "COLUMNS"}
    # The user's own project, even where it did not opt in: the main command is what opts in.
    done = subprocess.run(
        [sys.executable, script, *own, "--project", root, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Our bundle may be a plugin's folder: what Python compiles goes where the hook's own goes.
        env={
            **kept,
            "PYTHONIOENCODING": "utf-8",
            called.SLASH: f"/{name} {command.arguments}",
            **({"PYTHONPYCACHEPREFIX": sys.pycache_prefix} if sys.pycache_prefix else {}),
        },
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def cut(text: str) -> str:
    """At most what the client shows, cut between lines; the commands themselves cut between messages before."""
    text = text.rstrip("\n")
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS].rpartition(chr(10))[0]}\n… There is more, in a shell."


def of_the_report(output: str, *, narrow: bool) -> str:
    """What a person wants to see of a run's report: its banner, what became of the exports, how it ended.

    ``narrow``: the four numbers in short lines, and nothing else but what went wrong. Where there are no numbers, the failure;
    and all of an output that is no report.
    """
    from ..figures import run_result
    from ..reports import execution
    from ..reports import hooks as report

    lines = output.rstrip("\n").split("\n")
    ends = [number for number, line in enumerate(lines) if line == execution.REPORT_RULE]
    if not ends:
        return output
    figures = run_result.extract(output)
    bars = [number for number, line in enumerate(lines) if line == execution.LOCKS]
    steps = lines[: bars[0]] if bars else []
    failure = [line for line in lines[ends[-1] + 1 :] if not line.lstrip().startswith(_ELSEWHERE)]
    summary = dict(line.split(": ", 1) for line in lines[ends[-2] :] if ": " in line)
    if figures is None:
        return "\n".join([*failure, "", report.ended(summary)]).strip("\n")
    told = _told(steps)[:_MOST_LINES]
    if narrow:
        wrong = [line for line in (*told, *failure) if line.startswith(_WRONG)]
        return "\n".join([report.short_banner(figures), *dict.fromkeys(wrong)])
    numbers = (figures.new, figures.duplicates, figures.total, figures.unique)
    banner = execution.banner(*numbers, captured=figures.captured).strip("\n")
    below = [*told, *filter(None, lines[bars[-1] + 1 : ends[-3]])]
    return "\n".join([banner, "", *below, *failure, report.ended(summary)])


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
