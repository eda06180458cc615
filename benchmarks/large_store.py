#!/usr/bin/env python3
"""Commands on a large store: ``benchmarks/large_store.py [--messages N] [--checkout FOLDER] [--state FOLDER] [--small]``.

Builds a store of distinct conversations of short, mostly different messages, and prints processor seconds and peak memory of whole
processes: ``verify``, ``stats``, ``show``, and the first run of a new session with its session file. ``--checkout`` measures
another revision of the project, which lies in that folder; ``--state`` takes a store that is there, a copy of it, instead of
building one.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import COMPILED
from workload import WORDS

REPOSITORY = Path(__file__).resolve().parents[1]
BANNER = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Example 1.0\n  ▘▘ ▝▝    ~/x\n\n\n"
EACH = 5_000
"""Messages of a conversation."""
BUILD = """
import sys
sys.path.insert(0, sys.argv[1])
from deduplication import ClaudeConversationDeduplicator
ClaudeConversationDeduplicator(sys.argv[2]).process_export(sys.argv[3], sys.stdin.buffer.read())
"""


def export(seed: int, count: int) -> bytes:
    """A text export of a conversation: prompts, of which some are said often, calls, results and answers."""
    drawn = random.Random(seed)
    parts = [BANNER]
    for number in range(count):
        text = " ".join(drawn.choice(WORDS) for _ in range(drawn.randrange(3, 24))) + f" {seed}/{number}"
        said = text if drawn.random() > 0.3 else drawn.choice(["yes", "continue", "go on"])
        parts.append((f"❯ {said}\n\n", f"● Bash(grep -n {text})\n", f"  ⎿  {text}\n\n", f"● {text}\n\n")[number % 4])
    return "".join(parts).encode()


def measured(arguments: list[str], folder: Path, given: bytes = b"") -> tuple[float, float]:
    """Processor seconds and peak megabytes of one process, those that it started included in the seconds."""
    home = {**os.environ, **COMPILED, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    child = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=home
    )
    assert child.stdin is not None
    child.stdin.write(given)
    child.stdin.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        raise SystemExit(f"{arguments} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1_000_000 if sys.platform == "darwin" else 1_000)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--checkout", type=Path, default=REPOSITORY)
    parser.add_argument(
        "--state", type=Path, help="a store's folder, dedup_state, that this revision wrote or can read"
    )
    parser.add_argument("--small", action="store_true", help="2,000 messages")
    asked = parser.parse_args()
    count = 2_000 if asked.small else asked.messages
    scripts = asked.checkout.resolve() / "scripts"
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary) / "project"
        state = project / "MEMORY-CONTEXT" / "dedup_state"
        (project / "MEMORY-CONTEXT" / "exports").mkdir(parents=True)
        (project / ".coditect").mkdir()
        if asked.state is not None:
            shutil.copytree(asked.state, state)
        for seed in range(0 if asked.state is not None else max(count // EACH, 1)):
            data = export(seed, min(count, EACH))
            measured(["-c", BUILD, str(scripts), str(state), f"conversation-{seed:04}"], project, data)
        commands = {
            "a session of 50 messages, its first run": ["export-dedup.py", "--yes"],
            "the same session goes on": ["export-dedup.py", "--yes"],
            "stats": ["deduplicate_export.py", "stats"],
            "show, all conversations": ["deduplicate_export.py", "show"],
            "show, one of 5,000 messages": ["deduplicate_export.py", "show", "conversation-0000"],
            "verify": ["deduplicate_export.py", "verify"],
            "verify of the store alone": ["deduplicate_export.py", "verify", "--storage-dir", str(state)],
        }
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
        exports = project / "MEMORY-CONTEXT" / "exports"
        # A project's first run lists what its archive has; that is not what is measured.
        (exports / "2026-03-01-EXPORT-FIRST.txt").write_bytes(export(980_000, 20))
        measured([str(scripts / "export-dedup.py"), "--yes"], project)
        print("| command | seconds of the processor | peak MB |")
        print("|---|---|---|")
        for number, (what, (script, *rest)) in enumerate(commands.items()):
            if "session" in what:
                name = f"2026-03-0{number + 2}-EXPORT-NEW.txt"
                (exports / name).write_bytes(export(990_000, 50 + 10 * number))
            seconds, peak = measured([str(scripts / script), *rest], project)
            print(f"| {what} | {seconds:.2f} | {peak:.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
