#!/usr/bin/env python3
"""What ``similar`` finds and what it costs: ``benchmarks/similar.py [--contents N ...] [--semantic]``.

Stores of N answers of 20 to 300 words, drawn as in natural text (a word's frequency falls with its rank). One in twenty is said
again in another conversation with a share of its words replaced, at places of their own: 2, 5, 10 or 14 in a hundred, all of
them above the threshold. Recall is how many of these pairs stand in one group; what else is in groups was not planted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from large_store import measured

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from deduplication import ClaudeConversationDeduplicator  # noqa: E402

CHANGED = (0.02, 0.05, 0.10, 0.14)
VOCABULARY = [f"w{number:x}" for number in range(30_000)]
WEIGHTS = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(VOCABULARY))))


def texts(count: int) -> tuple[list[str], dict[str, tuple[str, float]]]:
    """``count`` answers, and by a part of them what is said nearly the same, with the share that was changed."""
    chosen = random.Random(count)
    made = [
        " ".join(chosen.choices(VOCABULARY, cum_weights=WEIGHTS, k=int(chosen.triangular(20, 300, 60))))
        for _ in range(count)
    ]
    planted = {}
    for number, said in enumerate(made[::20]):
        words, share = said.split(), CHANGED[number % len(CHANGED)]
        for place in chosen.sample(range(len(words)), max(1, int(len(words) * share))):
            words[place] = f"new{chosen.randrange(10**9):x}"
        planted[said] = " ".join(words), share
    return made, planted


def store(folder: Path, count: int) -> dict[tuple[str, str], float]:
    """A store of them; the places of what was planted, as the command names them, with the share that was changed."""
    made, planted = texts(count)
    dedup = ClaudeConversationDeduplicator(folder)
    again = [other for other, _ in planted.values()]
    places = {}
    for name, said in (("first", made), ("again", again)):
        for part in range(0, len(said), 5_000):
            talk = f"{name}-{part // 5_000:03}"
            messages = [
                {"index": index, "role": "assistant", "content": each}
                for index, each in enumerate(said[part : part + 5_000])
            ]
            dedup.process_export(talk, {"messages": messages})
            places.update({each["content"]: f"{talk} {each['index']}" for each in messages})
    return {(places[one], places[other]): share for one, (other, share) in planted.items()}


def row(count: int, more: list[str]) -> None:
    """A row of the table."""
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary)
        state = project / "dedup_state"
        planted = store(state, count)
        arguments = [
            str(ROOT / "scripts" / "deduplicate_export.py"), "similar", "--storage-dir", str(state), "--json", *more,
        ]  # fmt: skip
        seconds, peak = measured(arguments, project)
        said = subprocess.run([sys.executable, *arguments], cwd=project, capture_output=True, check=True).stdout
    told = json.loads(said)
    group = {
        f"{member['conversation_id']} {member['number']}": number
        for number, each in enumerate(told["messages"])
        for member in each["members"]
    }
    found: Counter[float] = Counter()
    for (one, other), share in planted.items():
        found[share] += one in group and group[one] == group.get(other)
    total = Counter(planted.values())
    recall = " | ".join(f"{100 * found[share] / total[share]:.1f}" for share in CHANGED)
    others = len(group) - len({place for pair in planted for place in pair if place in group})
    print(f"| {told['contents']:,} | {recall} | {others} | {seconds:.1f} | {peak:.0f} |", flush=True)


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contents", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--semantic", action="store_true", help="with --semantic (of the last 30,000 contents)")
    asked = parser.parse_args()
    shares = " | ".join(f"recall, {100 * share:.0f} % changed" for share in CHANGED)
    print(f"| contents | {shares} | not planted | seconds of the processor | peak MB |")
    print("|--:" * (5 + len(CHANGED)) + "|")
    for count in asked.contents:
        row(count, ["--semantic"] if asked.semantic else [])
    return 0


if __name__ == "__main__":
    sys.exit(main())
