#!/usr/bin/env python3
"""What is missing of real exports, and what it costs to look: ``benchmarks/gaps.py [--corpus] [--messages N] [--state FOLDER]``.

``--corpus`` counts the lines that the real exports of ``EXPORT_DEDUP_CORPUS`` hide: each export by itself, all of them in one
store, and by a search for the client's mark in their bytes. Else a store of N messages in text exports is built, or the one in
FOLDER is taken (``dedup_state``), and processes are measured that look for gaps in all of it and in one conversation.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from large_store import BUILD, EACH, export, measured

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from deduplication import ClaudeConversationDeduplicator  # noqa: E402
from deduplication.errors import ExportError  # noqa: E402
from deduplication.gaps.look import look  # noqa: E402

FOLDERS = ("real-2025", "real-2026", "lab", "client-2.1.197")
MARK = re.compile(r"… \+([\d,]+) lines?\b")
KEPT = """
import sys
sys.path.insert(0, sys.argv[1])
from deduplication.gaps.look import look
from deduplication.storage import open_store
look(open_store("default", sys.argv[2]), read_log=False)
"""


def corpus() -> None:
    """A row for each folder of real exports."""
    folder = Path(os.environ.get("EXPORT_DEDUP_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not folder.is_dir():
        raise SystemExit(f"no corpus of real exports at {folder} (EXPORT_DEDUP_CORPUS names another place)")
    print(
        "| exports | distinct | results cut | lines hidden, each export by itself | in one store | marks in their bytes | lines |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name in FOLDERS:
        texts = {path.read_bytes(): path.name for path in sorted((folder / name).rglob("*.txt"), reverse=True)}
        lines = marks = said = count = results = 0
        with tempfile.TemporaryDirectory() as temporary:
            together = ClaudeConversationDeduplicator(Path(temporary) / "all")
            for number, (data, file) in enumerate(reversed(texts.items())):
                alone = ClaudeConversationDeduplicator(Path(temporary) / str(number))
                try:
                    alone.ingest(data, name=file)
                except ExportError:
                    continue
                together.ingest(data, name=file)
                found = look(alone.store)
                count += 1
                lines += found.hidden_lines
                results += sum(
                    int(gap.text.split(" of ")[1].split()[0].replace(",", "")) for gap in found.of("hidden_lines")
                )
                shown = [int(each.replace(",", "")) for each in MARK.findall(data.decode(errors="replace"))]
                marks, said = marks + len(shown), said + sum(shown)
            merged = look(together.store).hidden_lines
        print(f"| {name} | {count} | {results:,} | {lines:,} | {merged:,} | {marks:,} | {said:,} |", flush=True)


def costs(messages: int, state: Path | None) -> None:
    """Processor seconds and peak memory of processes that look."""
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary)
        (project / ".git").mkdir()
        if state is None:
            state = project / "MEMORY-CONTEXT" / "dedup_state"
            for seed in range(max(1, messages // EACH)):
                arguments = ["-c", BUILD, str(ROOT / "scripts"), str(state), f"conversation-{seed:04}"]
                measured(arguments, project, export(seed, min(messages, EACH)))
        tool = str(ROOT / "scripts" / "deduplicate_export.py")
        calls = {
            "gaps": [tool, "gaps", "--storage-dir", str(state)],
            "gaps of one conversation": [tool, "gaps", "conversation-0000", "--storage-dir", str(state)],
            "without its results (`read_log=False`)": ["-c", KEPT, str(ROOT / "scripts"), str(state)],
        }
        print("| look | seconds of the processor | peak MB |\n|---|--:|--:|")
        for what, arguments in calls.items():
            seconds, peak = measured(arguments, project)
            print(f"| {what} | {seconds:.1f} | {peak:.0f} |", flush=True)


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", action="store_true")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--state", type=Path)
    asked = parser.parse_args()
    if asked.corpus:
        corpus()
    else:
        costs(asked.messages, asked.state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
