#!/usr/bin/env python3
"""Time and peak memory of the data export of claude.ai: ``benchmarks/claude_ai.py [--megabytes 150] [--folder DIR]``.

Makes a ``conversations.json`` on a single line (one conversation of 5 MB in it) and its ZIP, and measures whole processes: the
first time, the same file again, and a later export in which one conversation in a hundred went on. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from run import SCRIPTS, process

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE = 1500
"""Characters of a message's text, on average; the export says it twice."""
LONG = 5_000_000
"""Bytes of the longest conversation."""
WORDS = (
    "harbour",
    "crane",
    "counted",
    "north",
    "“berth”",
    "café",
    "pier",
    "Straße",
    "on\n\n`sum(rows)`",
    "is",
    "東京",
    "of",
)


def conversation(number: int, messages: int) -> dict[str, Any]:
    """A made-up conversation, the same for the same numbers; a longer one begins as the shorter one."""
    chance = random.Random(number)
    at = f"2026-01-02T10:{number % 60:02}:00.000000Z"
    return {
        "uuid": str(UUID(int=number + 1)),
        "name": f"Conversation {number}",
        "summary": "",
        "created_at": at,
        "updated_at": at,
        "account": {"uuid": str(UUID(int=1))},
        "chat_messages": [_message(chance, number, position, at) for position in range(messages)],
    }


def _message(chance: random.Random, number: int, position: int, at: str) -> dict[str, Any]:
    text = f"{number}.{position}: " + " ".join(chance.choices(WORDS, k=chance.randrange(10, MESSAGE // 3)))
    block = {"start_timestamp": at, "stop_timestamp": at, "flags": None, "type": "text", "text": text, "citations": []}
    return {
        "uuid": str(UUID(int=(number + 1) * 1_000_000 + position)),
        "text": text,
        "content": [block],
        "sender": "assistant" if position % 2 else "human",
        "created_at": at,
        "updated_at": at,
        "attachments": [],
        "files": [],
    }


def _written(path: Path, size: int, more: int) -> tuple[int, int]:
    """Write about ``size`` bytes; of every hundredth conversation ``more`` messages. Returns conversations and messages."""
    count = done = messages = 0
    with path.open("w", encoding="ascii") as file:
        for text, said in _conversations(more):
            file.write(("," if count else "[") + text)
            count, done, messages = count + 1, done + len(text), messages + said
            if done > size:
                break
        file.write("]")
    return count, messages


def _conversations(more: int) -> Iterator[tuple[str, int]]:
    number = 0
    while True:
        said = LONG // (4 * MESSAGE) if number == 3 else 2 + number * 7919 % 40
        said += more if number % 100 == 0 else 0
        yield json.dumps(conversation(number, said)), said
        number += 1


def main() -> int:
    """Make the files and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=150)
    parser.add_argument("--folder", help="where to work (default: a temporary folder)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="export-dedup benchmark ", dir=asked.folder) as name:
        base = Path(name)
        export, later = base / "conversations.json", base / "later" / "conversations.json"
        later.parent.mkdir()
        count, messages = _written(export, asked.megabytes * 1_000_000, 0)
        _written(later, asked.megabytes * 1_000_000, 2)
        packed = base / "data-2026-01-01.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(export, "conversations.json")
            archive.writestr("users.json", "[]")
        print(f"{export.stat().st_size / 1e6:.0f} MB, {count:,} conversations, {messages:,} messages\n")
        print("| what | seconds | peak MB |\n|---|---|---|")
        for what, file, fresh in (
            ("conversations.json, empty store", export, True),
            ("the same file again", export, False),
            ("a later export, one conversation in a hundred went on", later, False),
            (f"its ZIP ({packed.stat().st_size / 1e6:.0f} MB), empty store", packed, True),
        ):
            if fresh:
                shutil.rmtree(base / "store", ignore_errors=True)
            command = [
                sys.executable,
                str(SCRIPTS / "deduplicate_export.py"),
                str(file),
                "--storage-dir",
                str(base / "store"),
            ]
            seconds, peak = process(command, base)
            print(f"| {what} | {seconds:.1f} | {peak:.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
