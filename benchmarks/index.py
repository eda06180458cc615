#!/usr/bin/env python3
"""The index of a store: ``benchmarks/index.py [--messages N ...] [--checkout FOLDER] [--small]``.

Builds a store of distinct conversations of short, mostly different messages for each number of messages. Prints the bytes of
its index, and what it costs to open it and ask about 50 new messages, to store a run with 50 new messages, to read the rows of
one conversation of 5,000, to verify and to rebuild it, each in a process of its own. Seconds are those of the processor without
the start of Python; memory is the peak of the whole process. ``--checkout`` measures another revision of the project, which lies
in that folder; ``--state`` takes the log of a store that is there, of which a copy gets its index by ``rebuild``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from large_store import BUILD, EACH, REPOSITORY, export

LOG = ("conversation_log.jsonl", "deduplication_log.jsonl", ".lock", ".gitignore")
CHILD = """
import hashlib, json, resource, sys, time
sys.path.insert(0, sys.argv[1])
from deduplication import ClaudeConversationDeduplicator
folder, what = sys.argv[2:]
data = sys.stdin.buffer.read()
import deduplication.storage.log_store
start = time.process_time()
dedup = ClaudeConversationDeduplicator(folder)
if what == "ask":
    with dedup.store.transaction(write=False):
        for number in range(50):
            assert not dedup.store.has_body(hashlib.sha256(b"%d" % number).hexdigest())
        assert dedup.store.known_uuids("0", [str(number) for number in range(50)]) == {}
        assert not dedup.store.seen("f" * 64) and dedup.store.tip("0") > 0
elif what == "run":
    assert dedup.process_export("new", data)
elif what == "verify":
    assert dedup.store.verify() == []
elif what == "rebuild":
    assert dedup.store.rebuild() == []
elif what == "whole":
    with dedup.store.transaction(write=False):
        assert len(dedup.store.conversation("0").columns.hashes) > 0
took = time.process_time() - start
print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000]))
"""
STEPS = {"ask": 5, "run": 3, "whole": 3, "verify": 1, "rebuild": 1}
"""What is measured, and how often; the median counts."""


def child(scripts: Path, state: Path, what: str, given: bytes) -> tuple[float, float]:
    """Processor seconds and peak megabytes of one step."""
    command = [sys.executable, "-c", CHILD, str(scripts), str(state), what]
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True, cwd=state.parent)
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def index_bytes(state: Path) -> int:
    """Bytes of everything beside log, sealed lines and audit."""
    return sum(path.stat().st_size for path in state.iterdir() if path.is_file() and path.name not in LOG)


def main() -> int:
    """Print a line for each number of messages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, nargs="+", default=[20_000, 400_000])
    parser.add_argument("--checkout", type=Path, default=REPOSITORY)
    parser.add_argument("--state", type=Path, help="a store's folder, dedup_state, that this revision can read")
    parser.add_argument("--small", action="store_true", help="2,000 messages")
    asked = parser.parse_args()
    scripts = asked.checkout.resolve() / "scripts"
    print("| messages | bytes of the index | " + " | ".join(f"{what}, s / MB" for what in STEPS) + " |")
    for count in [0] if asked.state is not None else [2_000] if asked.small else asked.messages:
        with tempfile.TemporaryDirectory() as temporary:
            state = Path(temporary) / "state"
            if asked.state is not None:
                shutil.copytree(asked.state, state, ignore=shutil.ignore_patterns("index.*", "*.json", LOG[1]))
                child(scripts, state, "rebuild", b"")
            each = max(min(count, EACH), 1)
            for seed in range(count // each):
                command = [sys.executable, "-c", BUILD, str(scripts), str(state), str(seed)]
                subprocess.run(command, input=export(seed, each), check=True, cwd=temporary)
            cells = [f"{count:,}" if count else str(asked.state), f"{index_bytes(state):,}"]
            for what, times in STEPS.items():
                found = []
                for number in range(times):
                    copy = Path(temporary) / "copy"
                    shutil.rmtree(copy, ignore_errors=True)
                    shutil.copytree(state, copy)
                    found.append(child(scripts, copy, what, export(1_000_000 + number, 50)))
                seconds, megabytes = map(statistics.median, zip(*found))
                cells.append(f"{seconds:.3f} / {megabytes:.0f}")
            print("| " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
