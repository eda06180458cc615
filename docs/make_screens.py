#!/usr/bin/env python3
"""Make ``screens.md``: what we show in real clients, on screens of several widths, with each line that the client broke.

``EXPORT_DEDUP_CLIENTS`` names the clients, as for ``tests/e2e``; it takes about a minute for each width of each client.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE.parent / "tests"), str(HERE.parent / "tests" / "support")]

from e2e import tour  # noqa: E402 - found beside the package
from e2e.api import StandIn  # noqa: E402
from e2e.client import Client, environment  # noqa: E402
from e2e.place import Place  # noqa: E402

LINES = 300
PICTURED = {40: ("first session (SessionStart)", "/export-dedup", "/export (FileChanged)"), 80: ("/export-dedup",)}
"""Of the last client: what is shown whole."""
HEAD = """# Screens

What export-dedup shows inside Claude Code, made by [`docs/make_screens.py`](make_screens.py) in real clients. Each hook's words are
noted as they leave it and looked for on the screen: a line that does not stand there as it was is one that the client broke.

## What the client keeps of a line

| where our words stand | cells kept | a longer line |
|:--|:--|:--|
| `systemMessage` of SessionStart, UserPromptSubmit, Stop | 5 before it (4 in 2.0.76); before the first one also `NAME says: ` | is broken where it ends, inside a word |
| the reason of a blocked prompt: the answer of a slash command | 2 before it, 8 behind it | is broken |
| `systemMessage` of FileChanged, in the corner | 2 before it, 2 behind it | one line, which ends in `…` |
| standard error of a hook that ends with 2 | as a reason, behind `[COMMAND]: ` | is broken; ours never ends with 2 |

The width is what 2.1.197 and newer tell their hooks (`COLUMNS`); of 2.0.76 the terminal is asked, which works on Linux. Where nobody
tells it, nothing is fitted. Below 60 columns `/export-dedup` answers with four numbers and what went wrong.

`operation blocked by hook` is the client's own heading of every answer that needs no model: 2.1.197 and 2.1.332 have no other way.
`continue: false` is headed "Operation stopped by hook", and its text goes to the model with the next prompt; a `systemMessage` of the
same event is not shown. So the first line below it says that nothing is blocked.

## Widths

Lines of ours on the screen, and of them broken ones. A dash: this client has no such place.

"""


def main() -> int:
    """Measure, write, and say how many lines were broken."""
    named = [each for each in os.environ.get("EXPORT_DEDUP_CLIENTS", "").split(os.pathsep) if each]
    if not named:
        print("EXPORT_DEDUP_CLIENTS names no client")
        return 2
    rows: dict[str, dict[tuple[str, int], str]] = {}
    pictures: dict[tuple[int, str], str] = {}
    versions, broken = [], 0
    for client in named:
        for columns in tour.WIDTHS:
            version, shown = measured(client, columns)
            versions += [version] * (version not in versions)
            for each in shown:
                count = len([line for line in each.text.split("\n") if line.strip()])
                rows.setdefault(each.place, {})[version, columns] = f"{count} / {len(each.broken)}"
                broken += len(each.broken)
                print(version, columns, each.place, count, each.broken, flush=True)
                if client == named[-1] and each.place in PICTURED.get(columns, ()):
                    pictures[columns, each.place] = each.screen
    (HERE / "screens.md").write_text(
        HEAD + _table(rows, versions) + _pictures(pictures, versions[-1]), encoding="utf-8"
    )
    return 1 if broken else 0


def measured(client: str, columns: int) -> tuple[str, list[tour.Shown]]:
    """The version of a client, and what a first session shows in it, in a home and a project of its own."""
    with tempfile.TemporaryDirectory() as folder, StandIn() as api:
        home = Path(folder, "home")
        home.mkdir()
        for name in [name for name in os.environ if name.startswith("XDG_")]:
            del os.environ[name]
        os.environ.update(HOME=str(home), USERPROFILE=str(home), GIT_CONFIG_GLOBAL=str(home / "gitconfig"))
        (home / "gitconfig").write_text("[user]\nname = Tide\nemail = tide@example.org\n", encoding="utf-8")
        for arguments in (["marketplace", "add", str(HERE.parent)], ["install", "export-dedup@export-dedup"]):
            subprocess.run(
                [client, "plugin", *arguments], env=environment(api.url), check=True, stdout=subprocess.DEVNULL
            )
        tour.listen()
        place = Place(Path(folder, "harbour"), client=client)
        place.begin()
        arguments = ("--model", "claude-haiku-4-5", "--allowedTools", "Bash")
        with Client(client, place.root, api.url, *arguments, columns=columns, lines=LINES) as started:
            version = tour.version_of(client)
            return version, list(tour.tour(started, place, version))


def _table(rows: dict[str, dict[tuple[str, int], str]], versions: list[str]) -> str:
    text = ""
    for version in versions:
        text += f"### {version}\n\n| | {' | '.join(map(str, tour.WIDTHS))} |\n|:--|{'--:|' * len(tour.WIDTHS)}\n"
        for place, cells in rows.items():
            text += f"| {place} | {' | '.join(cells.get((version, width), '–') for width in tour.WIDTHS)} |\n"
        text += "\n"
    return text


def _pictures(pictures: dict[tuple[int, str], str], version: str) -> str:
    text = f"## In {version}\n"
    for (columns, place), screen in pictures.items():
        lines = screen.split("\n")
        ends = next((number for number, line in enumerate(lines) if number and "─" * 20 in line), len(lines))
        ends = next(
            (number for number in range(ends - 1) if not any(lines[number : number + 3])), ends
        )  # where it is empty
        shown = "\n".join(lines if "FileChanged" in place else lines[:ends]).rstrip()
        text += f"\n{place}, {columns} columns:\n\n```text\n{shown}\n```\n"
    return text


if __name__ == "__main__":
    sys.exit(main())
