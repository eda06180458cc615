#!/usr/bin/env python3
"""Time the hooks as whole processes and print a Markdown table: ``benchmarks/hooks.py [--small] [--runs N]``.

A hook with nothing to do, and a captured turn: a prompt, an answer and a tool call appended to a transcript, on top of
transcripts and stores of growing size.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

from measure import Table
from workload import prose

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from deduplication import ClaudeConversationDeduplicator  # noqa: E402 - found beside this script

SIZES: Final = ((1, 1_000), (10, 10_000), (50, 100_000))
"""Megabytes of the transcript, messages in the store."""


def lines(source: random.Random, session: str, folder: Path, turns: int, each: int) -> Iterator[bytes]:
    """The lines of ``turns`` exchanges, three messages of some ``each`` bytes in each."""
    for number in range(turns):
        call = {
            "type": "tool_use",
            "id": f"toolu_{source.getrandbits(64):x}",
            "name": "Bash",
            "input": {"command": "ls"},
        }
        texts = prose(source, each), prose(source, each)
        for type_, content in (
            ("user", texts[0]),
            ("assistant", [{"type": "text", "text": texts[1]}]),
            ("assistant", [call]),
        ):
            message = {"role": type_, "content": content, **({"id": f"msg_{number}"} if type_ == "assistant" else {})}
            line = {
                "type": type_,
                "uuid": str(uuid.UUID(int=source.getrandbits(128))),
                "parentUuid": None,
                "sessionId": session,
                "cwd": str(folder),
                "timestamp": "2026-01-02T03:04:05.000Z",
                "message": message,
            }
            yield json.dumps(line, separators=(",", ":")).encode() + b"\n"


class Scene:
    """A project with a store of so many messages, and a transcript of so many bytes that is captured already."""

    def __init__(self, base: Path, size: int, messages: int) -> None:
        self.source = random.Random(size + messages)
        self.root, self.config = base / f"project {size} {messages}", base / f"config {size} {messages}"
        (self.root / "MEMORY-CONTEXT").mkdir(parents=True)
        self.session = str(uuid.UUID(int=self.source.getrandbits(128)))
        folder = self.config / "projects" / "".join(c if c.isalnum() else "-" for c in str(self.root))
        folder.mkdir(parents=True)
        self.transcript = folder / f"{self.session}.jsonl"
        third = messages // 30
        each = max(100, (size - 900 * third) // (2 * third))
        for _ in range(9):
            name = str(uuid.UUID(int=self.source.getrandbits(128)))
            self._write(folder / f"{name}.jsonl", name, third, 200)
        self._write(self.transcript, self.session, third, each)
        self.environment = {"CLAUDE_CONFIG_DIR": str(self.config), "CLAUDE_PROJECT_DIR": str(self.root)}
        command = [
            sys.executable,
            str(ROOT / "scripts" / "deduplicate_export.py"),
            "capture",
            "--project",
            str(self.root),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **self.environment})

    def _write(self, path: Path, session: str, turns: int, each: int) -> None:
        with path.open("ab") as file:
            file.writelines(lines(self.source, session, self.root, turns, each))

    def event(self, **more: str) -> bytes:
        """What the client hands to a hook."""
        event = {"session_id": self.session, "transcript_path": str(self.transcript), "cwd": str(self.root), **more}
        return json.dumps(event, separators=(",", ":")).encode()

    def turn(self) -> None:
        """The client appends one exchange."""
        self._write(self.transcript, self.session, 1, 500)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--runs", type=int, default=9, help="runs of each hook (default 9)")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a limit was missed")
    asked = parser.parse_args()
    table = Table(2 if asked.small else asked.runs)
    with tempfile.TemporaryDirectory(prefix="export-dedup hooks ") as name:
        base = Path(name)
        for megabytes, messages in SIZES[:1] if asked.small else SIZES:
            _measure(table, base, megabytes, messages)
    return 1 if table.missed and asked.strict else 0


def _measure(table: Table, base: Path, megabytes: int, messages: int) -> None:
    scene = Scene(base, megabytes * 1_000_000, messages)
    run = [sys.executable, "-S", "-E", str(ROOT / "hooks" / "run.py")]
    shell = ["sh", str(ROOT / "hooks" / "run.sh")]

    def quiet(command: list[str]) -> tuple[list[str], Path]:
        return [*command, "Stop"], scene.root

    def turn(command: list[str], event: str) -> tuple[list[str], Path]:
        scene.turn()
        return [*command, event], scene.root

    what = f"{megabytes} MB transcript, {messages:,} messages stored"
    for command in (run, shell):  # what the first one finds, and what it made itself
        for _ in range(2):
            subprocess.run(
                [*command, "Stop"],
                input=scene.event(),
                check=True,
                env={**os.environ, **scene.environment},
                cwd=scene.root,
            )
    table.row(f"nothing to do, {what}", lambda: quiet(run), times_python=2.5, given=scene.event, **scene.environment)
    table.row(
        f"nothing to do, by way of the shell, {what}", lambda: quiet(shell), given=scene.event, **scene.environment
    )
    table.row(
        f"a captured turn (Stop), {what}", lambda: turn(run, "Stop"), limit=0.15, given=scene.event, **scene.environment
    )
    table.row(
        f"a captured turn (FileChanged), {what}",
        lambda: turn(shell, "FileChanged"),
        limit=0.15,
        given=lambda: scene.event(event="change", file_path=str(scene.transcript)),
        **scene.environment,
    )
    # A hook that did nothing would be fast.
    store = ClaudeConversationDeduplicator(scene.root / "MEMORY-CONTEXT" / "dedup_state")
    stored = store.get_statistics(scene.session)["total_messages"]
    written = sum(1 for _ in scene.transcript.open("rb"))
    if stored != written:
        raise SystemExit(f"{stored} messages were captured of {written}")
    shutil.rmtree(scene.root)
    shutil.rmtree(scene.config)


if __name__ == "__main__":
    raise SystemExit(main())
