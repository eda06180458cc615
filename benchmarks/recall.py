#!/usr/bin/env python3
"""Twenty questions about what only the archive has, in the real client: ``benchmarks/recall.py [--form plugin]``.

``EXPORT_DEDUP_CLIENT`` names the client; it talks with a stand-in for its API on the loopback interface, in a scratch home. The
stand-in does what the skill says: it loads the skill, searches with the words that tell most, and with fewer where that finds
nothing useful. The words are taken from the question by a rule, not chosen for the answer. Counted is whether the client asked
for a permission, with which search the message was found, and what came into the context.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / each) for each in ("tests", "tests/support", "scripts", "benchmarks")]

from notice import WITHOUT_HINT, scratch_home  # noqa: E402

from e2e import recall  # noqa: E402 - found through the lines above
from e2e.api import StandIn  # noqa: E402
from e2e.client import Client, environment  # noqa: E402
from e2e.place import Place  # noqa: E402

CASES: Final = (
    ("Which port did we pick for the staging proxy?", "Let us put the staging proxy on port 8943, Jenkins has 8080."),
    ("Why did we drop the Redis cache?", "I removed Redis: the cache was cold after each deploy and saved nothing."),
    (
        "What was the name of the customer with the broken invoices?",
        "All invoices that come out broken are those of Brandt.",
    ),
    ("How long do we keep the audit rows?", "Audit rows stay for seven years, the auditors said."),
    ("Who owns the billing webhook?", "The billing webhook is Priya's; ask her before you rename a field in it."),
    ("Which migration locked the orders table?", "Migration 0047 took a lock on orders for nine minutes."),
    ("What did we decide about time zones in reports?", "Reports show UTC everywhere and the header names the zone."),
    ("Which flag makes the tests deterministic?", "Run them with --seed 1729, then their order is deterministic."),
    (
        "What caused the memory leak in the worker?",
        "The leak: each worker kept every parsed PDF, 40 MB of memory an hour.",
    ),
    ("Where do the nightly backups go?", "Nightly backups go to the bucket tidal-cold in Frankfurt."),
    ("What is the retry limit for uploads?", "An upload is tried five times with jitter, then the user is told."),
    (
        "Which library did we choose for parsing spreadsheets?",
        "For spreadsheets I took calamine, openpyxl needs 90 seconds.",
    ),
    (
        "How did we fix the flaky login test?",
        "The login test was flaky because a clock was a second ahead; I froze time.",
    ),
    (
        "What was the password rule that the security team wanted?",
        "Security wants fourteen signs as the one password rule.",
    ),
    ("Which feature did we postpone to the spring?", "Shared calendars are postponed until spring."),
    ("What does error E417 mean?", "E417 means that the scanner lost its feed and the page must be scanned again."),
    ("How big may an attachment be?", "An attachment may have 25 MB, the mail gateway cuts everything above."),
    ("What was wrong with the German translation?", "In the German texts Termin and Frist were mixed up."),
    (
        "Which index made the dashboard quick?",
        "A partial index on events where open took the dashboard from 4 s to 60 ms.",
    ),
    ("What did 会議室 mean in the sample data?", "会議室 in the sample data is the meeting room."),
)
"""A question, and the message that has the answer."""
OTHERS: Final = (
    "Please look at the {what} of module {number} again before the {when} release.",
    "The {what} in part {number} is fine now, the tests pass and I cleaned up the imports.",
    "Can you rename the {what} in file {number} and run everything once more?",
    "Done: {what} number {number} has a docstring and an owner, the {when} build is green.",
    "We could not reproduce the {what} from ticket {number}, the staging logs of {when} say nothing.",
)
WHAT: Final = (
    "report",
    "login",
    "worker",
    "cache",
    "table",
    "upload",
    "index",
    "proxy",
    "backup",
    "error",
    "test",
    "invoice",
)
WHEN: Final = ("Monday", "spring", "nightly", "March", "next")
_STOP: Final = frozenset(
    """a about an and are be did do does for from how in is it long made may mean of on our that the to two us wanted was we were
    what when where which who why will with big name decide choose go keep pick own owns make makes put said""".split()  # noqa: SIM905
)
_ENDINGS: Final = re.compile(r"(?:ing|ed|es|s)$")


def queries(question: str) -> list[list[str]]:
    """The searches that the skill describes, one after another: three telling words, then two, then each alone.

    What tells most is what is written in capitals or with digits, then the longest; endings are left off.
    """
    words = [word for word in re.findall(r"\w+", question) if word.lower() not in _STOP]
    words.sort(key=lambda word: (not re.search(r"\d|[^\x00-\x7f]|^[A-Z].*[A-Z0-9]", word), -len(word)))
    cut = [_ENDINGS.sub("", word.lower()) if len(word) > 4 else word.lower() for word in words]
    telling = list(dict.fromkeys(cut))[:3]
    tried = [telling, telling[:2], *([word] for word in telling)]
    return [list(each) for each in dict.fromkeys(tuple(each) for each in tried if each)]


def fill(place: Place, messages: int) -> None:
    """Store the twenty messages among others, in exports of forty turns each, by the command itself."""

    def other(number: int, shift: int) -> str:
        text = OTHERS[(number + shift) % len(OTHERS)]
        return text.format(
            what=WHAT[number * (1 + 2 * shift) % len(WHAT)], number=number, when=WHEN[number % len(WHEN)]
        )

    said = [(other(number, 0), other(number, 2)) for number in range(messages // 2)]
    for number, (_, answer) in enumerate(CASES):
        at = number * len(said) // len(CASES) + 7
        said[at] = (f"And what about point {number} of the list?", answer)
    head = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/x\n"
    for first in range(0, len(said), 40):
        turns = "".join(f"\n❯ {prompt}\n\n● {answer}\n" for prompt, answer in said[first : first + 40])
        name = f"2026-03-{1 + first // 40 % 28:02d}-EXPORT-part-{first // 40}.txt"
        (place.root / name).write_text(f"{head}{turns}\n✻ Baked for 0s", encoding="utf-8")
    command = [sys.executable, str(REPOSITORY / "scripts" / "export-dedup.py"), "--project", str(place.root), "--yes"]
    subprocess.run(command, check=True, capture_output=True)


class Assistant(StandIn):
    """What the stand-in does of a question, in one turn: the skill, then searches until one has printed the message."""

    def ask(self, client: Client, name: str, question: str, wanted: str) -> tuple[int, int]:
        """With which search it was found (0: with none), and the characters that the searches brought into the context."""
        before = len(recall.results(self._last()))
        self._wanted, self._first = wanted, before + 1
        self.calls = [recall.skill(name), *(recall.search(*words) for words in queries(question))]
        client.ask(question)
        asked = [text for text in recall.ASKED_FOR if text in client.history()]
        if asked:
            raise SystemExit(f"the client asked: {asked}\n{client.screen()}")
        texts = [text for text, _ in recall.results(self._last())[self._first :]]
        return (len(texts) if self._has(texts[-1:]) else 0), sum(map(len, texts))

    def _called(self, body: dict, number: int) -> list[dict]:
        if self.calls and self._has([text for text, _ in recall.results(body)[self._first :]][-1:]):
            self.calls.clear()
        return super()._called(body, number)

    def _has(self, texts: list[str]) -> bool:
        """Whether what a search printed has the message, with its session, its date and its number in front of it."""
        quotations = [match.group(0) for text in texts for match in recall.PLACE.finditer(text)]
        return any(self._wanted in each.replace("«", "").replace("»", "") for each in quotations)

    def _last(self) -> dict:
        return json.loads(self.last_heard())


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--form", choices=tuple(recall.NAMES), default="project")
    parser.add_argument("--messages", type=int, default=2_000, help="messages in the archive (default: 2000)")
    asked = parser.parse_args()
    executable = os.environ.get("EXPORT_DEDUP_CLIENT", "")
    if not executable:
        print("EXPORT_DEDUP_CLIENT names no client: the path of claude")
        return 2
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Assistant() as api:
        scratch_home(Path(folder, "home"))
        place = Place(Path(folder, "my project"), client=executable)
        place.begin()
        if asked.form == "plugin":
            for words in (["marketplace", "add", str(REPOSITORY)], ["install", "export-dedup@export-dedup"]):
                subprocess.run(
                    [executable, "plugin", *words], env=environment(api.url), check=True, capture_output=True
                )
        else:
            place.install(REPOSITORY)
        fill(place, asked.messages)
        name = recall.NAMES[asked.form]
        rows = []
        print("| question | words of the first search | found with search | characters read |\n|---|---|---|---|")
        with Client(executable, place.root, api.url, *WITHOUT_HINT) as client:
            for question, wanted in CASES:
                tried, came = api.ask(client, name, question, wanted)
                rows.append((tried, came))
                print(f"| {question} | {' '.join(queries(question)[0])} | {tried or 'none'} | {came:,} |", flush=True)
        listing = [text for body in api.requests for text in recall.standing(body, name)]
    found = [tried for tried, _ in rows if tried]
    print(f"\nfound {len(found)} of {len(rows)}, with the first search {found.count(1)}; no permission was asked for")
    print(f"characters read for an answer: median {statistics.median(came for _, came in rows):,.0f}")
    print(
        f"standing in the first request: {len(listing[0].encode()):,} bytes"
        if listing
        else "standing: not in a request"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
