#!/usr/bin/env python3
"""How long after ``/export`` the notice stands on the screen of the real client: ``benchmarks/notice.py [--exports N]``.

``EXPORT_DEDUP_CLIENT`` names the client. It runs in a terminal of our own, in a scratch home, against a stand-in for its API on
the loopback interface. Measured is from the Enter behind ``/export NAME`` until the notice can be read.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "support"), str(REPOSITORY / "scripts")]

from e2e.api import StandIn  # noqa: E402 - found through the lines above
from e2e.client import Client  # noqa: E402
from e2e.place import Place  # noqa: E402
from e2e.watching import NOTICE  # noqa: E402

WITHOUT_HINT = ("--model", "claude-haiku-4-5")
APART = 6.0
"""Seconds between two exports: while a notice stands on the screen, the next one waits."""


def scratch_home(folder: Path) -> None:
    """Let the client and its hooks see nothing of the user's own."""
    for name in [name for name in os.environ if name.startswith(("XDG_", "CLAUDE", "GIT_"))]:
        del os.environ[name]
    os.environ["HOME"] = str(folder)
    folder.mkdir()
    (folder / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@example.org\n", encoding="utf-8")


def timed(client: Client, name: str) -> float:
    """``/export NAME``; the seconds from Enter to the notice."""
    client.say(f"/export {name}")
    began = time.monotonic()
    client.wait_until(lambda: NOTICE in client.screen() and name in client.screen().rpartition(NOTICE)[2], name)
    return time.monotonic() - began


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exports", type=int, default=10, help="exports of the first row (default: 10)")
    asked = parser.parse_args()
    executable = os.environ.get("EXPORT_DEDUP_CLIENT", "")
    if not executable:
        print("EXPORT_DEDUP_CLIENT names no client: the path of claude")
        return 2
    print("| /export | exports | median, seconds | longest |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, StandIn() as api:
        scratch_home(Path(folder, "home"))
        place = Place(Path(folder, "my project"))
        place.begin()
        place.install(REPOSITORY)

        def row(what: str, times: list[float]) -> None:
            print(f"| {what} | {len(times)} | {statistics.median(times):.2f} | {max(times):.2f} |", flush=True)

        with Client(executable, place.root, api.url, *WITHOUT_HINT) as client:
            client.ask("What moves the water of the harbour twice a day?")
            first = timed(client, "first.txt")
            time.sleep(15)
            later = []
            for number in range(asked.exports):
                client.ask(f"And what about day {number}?")
                later.append(timed(client, f"later-{number}.txt"))
                time.sleep(APART)
            row("later in a session", later)
            row("the first turn of a session, a model without efforts", [first])
            timed(client, "before.txt")
            row("right after another notice", [timed(client, "after.txt")])
        with Client(executable, place.root, api.url) as client:
            began = time.monotonic()
            client.ask("What moves the water of the harbour twice a day?")
            early = timed(client, "early.txt")
            row(f"{time.monotonic() - began - early:.1f} s after the start, a model with efforts", [early])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
