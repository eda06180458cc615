#!/usr/bin/env python3
"""Purge messages, then process others that begin as they do, and count which of them were touched: ``benchmarks/purge_pairs.py``.

Each pair is a message that is purged with ``--message`` and another one that agrees with it for 20 to 5,000 letters (as many
short as long ones) and then is longer, shorter or different; an answer, a prompt or a tool's result, each in a text export or in
a transcript. The other one comes in another conversation, later in the same one, or was stored before the purge. It must be
stored and shown with every letter, and its file must be archived byte for byte, unless that shows a purged one as well.
Exit code 1 where one was touched, or where a purged one is still to be read.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Final, NamedTuple

SCRIPTS: Final = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from deduplication.archive import restore as restoring  # noqa: E402
from deduplication.commands import deduplicate_export, export_dedup  # noqa: E402
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator  # noqa: E402
from deduplication.project.paths import Project  # noqa: E402

SHORTEST, LONGEST = 20, 5000
AT_ONCE: Final = 250
"""Pairs of one project."""
WORDS: Final = (
    *("lantern", "harbour", "keeper", "the", "a", "weighs", "nets", "of", "barrel", "rope", "and", "every", "morning"),
    *("counts", "tide", "into", "ledger", "with", "seven", "gulls", "under"),
)
BANNER: Final = "╭─── Claude Code v2.1.98 ───╮\n│ Welcome back!             │\n╰───────────────────────────╯\n\n"


class Said(NamedTuple):
    """One message: ``kind`` is ``prompt``, ``text`` or ``tool_result``."""

    kind: str
    text: str


class Pair(NamedTuple):
    """What is purged, and what only begins as it does."""

    gone: Said
    other: Said


def pair(chance: random.Random, number: int) -> Pair:
    """A pair whose messages agree in the beginning, letters counted without white space."""
    letters = round(SHORTEST * (LONGEST / SHORTEST) ** chance.random())
    words: list[str] = [f"n{number}"]
    while sum(map(len, words)) < letters:
        words.append(chance.choice(WORDS))
    common = " ".join(words)
    more = [" ".join(chance.choice(WORDS) for _ in range(chance.choice((1, 3, 10, 40)))) for _ in range(2)]
    one, other = {
        "longer": (common, f"{common} {more[0]}"),
        "shorter": (f"{common} {more[0]}", common),
        "different": (f"{common} one {more[0]}", f"{common} other {more[1]}"),
    }[chance.choice(("longer", "shorter", "different"))]
    kind = chance.choice(("prompt", "text", "tool_result"))
    return Pair(Said(kind, one), Said(kind, other))


def turns(said: list[Said], name: str) -> list[tuple[str, str]]:
    """Kind and text of a conversation that says these messages, each between turns of its own."""
    found = []
    for number, each in enumerate(said):
        asked, answered = (
            f"Question {number} of {name} about the ledger",
            f"Answer {number} of {name}, as the ledger has it",
        )
        if each.kind == "prompt":
            found += [("prompt", each.text), ("text", answered)]
        elif each.kind == "text":
            found += [("prompt", asked), ("text", each.text)]
        else:
            found += [("prompt", asked), ("tool_call", f"cat {name}-{number}.txt"), ("tool_result", each.text)]
            found.append(("text", answered))
    return found


def as_text(conversation: list[tuple[str, str]], width: int) -> bytes:
    """As ``/export`` shows it."""
    out = [BANNER]
    for kind, text in conversation:
        if kind == "tool_call":
            out.append(f"● Bash({text})\n")
        elif kind == "tool_result":
            out.append(f"  ⎿  {text}\n\n")
        else:
            lines = textwrap.wrap(text, width - 4)
            out.append(
                "\n".join([("❯ " if kind == "prompt" else "● ") + lines[0], *(f"  {each}" for each in lines[1:])])
            )
            out.append("\n\n")
    return "".join(out).encode()


def as_transcript(conversation: list[tuple[str, str]], session: str) -> bytes:
    """As the client writes it down."""
    lines, parent = [], None
    for number, (kind, text) in enumerate(conversation):
        uuid = f"{session[:8]}-0000-4000-8000-{number:012x}"
        blocks: list[dict[str, object]] = [{"type": "text", "text": text}]
        if kind == "tool_call":
            blocks = [{"type": "tool_use", "id": f"t{uuid}", "name": "Bash", "input": {"command": text}}]
        elif kind == "tool_result":
            before = f"{session[:8]}-0000-4000-8000-{number - 1:012x}"
            blocks = [{"type": "tool_result", "tool_use_id": f"t{before}", "content": text}]
        role = "assistant" if kind in ("text", "tool_call") else "user"
        line = {"parentUuid": parent, "isSidechain": False, "type": role, "uuid": uuid, "sessionId": session}
        moment = f"2026-11-20T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
        message = {"role": role, "content": text if kind == "prompt" else blocks}
        lines.append(json.dumps({**line, "timestamp": moment, "message": message}) + "\n")
        parent = uuid
    return "".join(lines).encode()


class Round:
    """A project with some pairs."""

    def __init__(self, folder: Path, pairs: list[Pair], chance: random.Random) -> None:
        (folder / ".git").mkdir(parents=True)
        self.project = Project(folder.resolve())
        self.project.exports.mkdir(parents=True)
        self.pairs, self.chance = pairs, chance
        self.files: dict[str, bytes] = {}

    def touched(self) -> tuple[list[Said], list[Said]]:
        """Other messages that were touched, and purged ones that are still to be read."""
        places = [self.chance.choice(("before", "after", "same")) for _ in self.pairs]
        first = [each.gone for each in self.pairs]
        self.process("first", turns(first, "first"), "first")
        before = [each.other for each, place in zip(self.pairs, places) if place == "before"]
        if before:
            self.process("before", turns(before, "before"), "before")
        wanted = {squeezed(each.text) for each in first}
        hashes = [str(m["content_hash"]) for m in self.said() if squeezed(str(m["content"])) in wanted]
        self.run(deduplicate_export.main, "purge", *(part for each in hashes for part in ("--message", each)), "--yes")
        after = [each.other for each, place in zip(self.pairs, places) if place == "after"]
        if after:
            self.process("after", turns(after, "after"), "after")
        same = [each.other for each, place in zip(self.pairs, places) if place == "same"]
        if same:
            self.process("same", turns(first, "first") + turns(same, "same"), "first")
        shown = {squeezed(str(m["content"])) for m in self.said()}
        lost = [each.other for each in self.pairs if squeezed(each.other.text) not in shown]
        lost += [Said("file", name) for name in self.changed()]
        return lost, [each for each in first if squeezed(each.text) in shown]

    def process(self, name: str, conversation: list[tuple[str, str]], session: str) -> None:
        """One export, as a text or a transcript by chance."""
        written = self.chance.random() < 0.5
        if written:
            data, ending = (
                as_transcript(conversation, f"{sum(session.encode()):08x}-2222-4333-8444-555555555555"),
                "jsonl",
            )
        else:
            data, ending = as_text(conversation, self.chance.choice((60, 80, 120))), "txt"
        file = f"2026-03-01-EXPORT-{name}.{ending}"
        self.files[file] = data
        (self.project.exports / file).write_bytes(data)
        self.run(export_dedup.main, "--yes", "--no-checkpoint")

    def run(self, main: object, *arguments: str) -> None:
        """A command; raises where it fails."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = main([*arguments, "--project", str(self.project.root)])  # type: ignore[operator]
        if code:
            raise SystemExit(out.getvalue()[-3000:])

    def said(self) -> list[dict[str, object]]:
        """Every message that the store shows."""
        dedup = ClaudeConversationDeduplicator(self.project.state)
        return [message for name in dedup.conversations() for message in dedup.get_full_conversation(name)]

    def changed(self) -> list[str]:
        """Files with none of the purged messages that are not archived byte for byte."""
        with restoring.opened(self.project) as shelf:
            kept = {entry.name: b"".join(shelf.parts(entry)) for entry in shelf.all()}
        return [
            name
            for name, data in self.files.items()
            if "-before." in name or "-after." in name
            if kept.get(name) != data
        ]


def squeezed(text: str) -> str:
    """Without white space."""
    return "".join(text.split())


def main() -> int:
    """Exit code 1 where a message was touched that was not to be purged, or is left that was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    chance = random.Random(options.seed)
    touched = left = 0
    for start in range(0, options.pairs, AT_ONCE):
        pairs = [pair(chance, start + number) for number in range(min(AT_ONCE, options.pairs - start))]
        with tempfile.TemporaryDirectory() as folder:
            lost, stays = Round(Path(folder) / "project", pairs, chance).touched()
        touched, left = touched + len(lost), left + len(stays)
        for each in (*lost, *stays)[:3]:
            print(
                f"  {'touched' if each in lost else 'left'}: {each.kind}, {len(each.text)} characters: {each.text[:60]}"
            )
    seconds = time.perf_counter() - started
    print(f"{options.pairs:,} pairs, {touched} touched, {left} purged ones left, {seconds:.0f} s")
    return 1 if touched or left else 0


if __name__ == "__main__":
    sys.exit(main())
