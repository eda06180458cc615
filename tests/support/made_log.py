"""Logs and exports of made-up conversations of any number, in which some prompts are said, and some calls made, everywhere."""

from __future__ import annotations

import hashlib
import random

from deduplication.alignment.fingerprint import fingerprint
from deduplication.model import PROMPT, TEXT, TOOL_CALL, TOOL_RESULT, Message
from deduplication.storage.contract import ExportRecord, NewOccurrence
from deduplication.storage.log.lines import PREVIOUS, encode_line
from deduplication.storage.log.records import commit_record, occurrence_record

EACH = 200
"""Messages of a conversation of a log."""
SHORT = ("yes", "continue", "go on")
_CALLS = ("git status --short", "cat README.md")
_WORDS = (
    "harbour",
    "tide",
    "table",
    "crane",
    "ledger",
    "lantern",
    "copper",
    "signal",
    "window",
    "column",
    "branch",
    "order",
)
_BANNER = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Example 1.0\n  ▘▘ ▝▝    ~/x\n\n\n"
_MOMENT = "2026-01-01T00:00:00.000Z"
_FORMS = (("user", PROMPT), ("assistant", TOOL_CALL), ("system", TOOL_RESULT), ("assistant", TEXT))


def said(seed, count):
    """What is said in a conversation, message by message: each time the same for the same seed."""
    drawn = random.Random(seed)
    for number in range(count):
        text = " ".join(drawn.choice(_WORDS) for _ in range(drawn.randrange(3, 24))) + f" {seed}/{number}"
        often = {0: SHORT, 1: _CALLS}.get(number % 4, ())
        yield drawn.choice(often) if often and drawn.random() < 0.3 else text


def export(seed, count):
    """A text export of it: prompts, calls, results and answers."""
    parts = [_BANNER]
    for number, text in enumerate(said(seed, count)):
        parts.append((f"❯ {text}\n\n", f"● Bash({text})\n", f"  ⎿  {text}\n\n", f"● {text}\n\n")[number % 4])
    return "".join(parts).encode()


def lines(seeds, head, each=EACH):
    """The lines of a run for each of these conversations, behind a log that ends with this head."""
    carried = set()
    for seed in seeds:
        name, run = f"made-{seed:05}", hashlib.sha256()
        for number, text in enumerate(said(seed, each)):
            message = Message(*_FORMS[number % 4], text)
            item = fingerprint(message)
            carries = item.content_hash not in carried
            if text in SHORT or text in _CALLS:  # the others are said once
                carried.add(item.content_hash)
            new = NewOccurrence(item, message, _MOMENT, "source")
            line = encode_line(occurrence_record(name, number, new, "0" * 64, carries=carries))
            run.update(line)
            yield line
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        entry = ExportRecord(
            f"{name}.txt", sha256, 20_000, "text", parser=1, total=each, new=each, window=[[0, each - 1]]
        )
        line = encode_line({**commit_record(name, entry, 0.0), PREVIOUS: head})
        run.update(line)
        yield line
        head = run.hexdigest()
