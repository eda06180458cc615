#!/usr/bin/env python3
"""Does the order of processing change what is stored? ``benchmarks/orders.py [--orders N] [--files GLOB] [--backend NAME]``.

The files of a corpus of real exports are processed in random orders (seeds 1 to N, and by name, forwards and backwards), each
order into a store of its own. What is read back is compared with what the first order gave, in a form in which names, sequence
numbers and times do not appear: for each conversation the content hashes of its messages in reading order. After each order the
store must find nothing wrong with itself, before and after its log was condensed. Ends with 1 where any order differs.
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from deduplication.errors import NotAnExport  # noqa: E402
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator  # noqa: E402

BACKENDS: Final = ("json", "default")
Read = tuple[str, ...]
"""One conversation: the content hashes of its messages in reading order."""


class Stored(NamedTuple):
    """What one order of processing left behind."""

    conversations: Counter[Read]
    occurrences: int
    unique: int
    problems: tuple[str, ...]
    condensed: tuple[str, ...]
    """Problems that were found after the log was condensed, and "reads otherwise" where that changed what is read."""
    texts: dict[str, str]
    """The beginning of each message, by content hash."""


def corpus() -> Path:
    """The folder of real exports, which is not part of the repository."""
    folder = Path(os.environ.get("EXPORT_DEDUP_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not folder.is_dir():
        raise SystemExit(f"no corpus of real exports at {folder} (EXPORT_DEDUP_CORPUS names another place)")
    return folder


def orders(paths: list[Path], random_orders: int) -> list[tuple[str, list[Path]]]:
    """By name, backwards, and in random order with the seeds 1 and up."""
    chosen = [("by name", paths), ("backwards", paths[::-1])]
    for seed in range(1, random_orders + 1):
        shuffled = list(paths)
        random.Random(seed).shuffle(shuffled)
        chosen.append((f"seed {seed}", shuffled))
    return chosen


def read_back(store: ClaudeConversationDeduplicator) -> tuple[Counter[Read], dict[str, str]]:
    """Every conversation as it is read, and the beginning of each message."""
    conversations: Counter[Read] = Counter()
    texts = {}
    for conversation in store.conversations():
        messages = store.get_full_conversation(conversation)
        texts.update({m["content_hash"]: f"{m['kind']} {str(m['content'])[:60]!r}" for m in messages})
        conversations[tuple(message["content_hash"] for message in messages)] += 1
    return conversations, texts


def process(paths: list[Path], backend: str, folder: Path) -> Stored:
    """Process the files in this order into a new store and say what it holds."""
    store = ClaudeConversationDeduplicator(storage_dir=folder, backend=backend)
    for path in paths:
        store.process_export(None, path)
    conversations, texts = read_back(store)
    occurrences = sum(store.get_statistics(name)["total_messages"] for name in store.conversations())
    unique = store.global_unique_count()
    problems = tuple(store.store.verify())
    store.store.condense()
    condensed = tuple(store.store.verify())
    if read_back(store)[0] != conversations:
        condensed += ("reads otherwise",)
    return Stored(conversations, occurrences, unique, problems, condensed, texts)


def differences(first: Stored, other: Stored, lines: int) -> list[str]:
    """In what two results differ, in at most so many lines."""
    texts = {**first.texts, **other.texts}
    found = []
    ours, theirs = (
        list((first.conversations - other.conversations).elements()),
        other.conversations - first.conversations,
    )
    left = list(theirs.elements())
    for conversation in sorted(ours, key=len, reverse=True):
        heads = Counter(conversation)
        like = max(left, key=lambda read: sum((Counter(read) & heads).values()), default=None)
        if like is None or not Counter(like) & heads:
            found.append(f"missing: {len(conversation)} messages, from {texts[conversation[0]]}")
            continue
        left.remove(like)
        matcher = difflib.SequenceMatcher(None, conversation, like, autojunk=False)
        for tag, begin, end, start, stop in matcher.get_opcodes():
            if tag != "equal":
                here = " | ".join(texts[one] for one in conversation[begin:end][:2])
                there = " | ".join(texts[one] for one in like[start:stop][:2])
                found.append(
                    f"{len(conversation)} against {len(like)} messages, at {begin}: "
                    f"{end - begin} [{here}] against {stop - start} [{there}]"
                )
    found += [f"more: {len(read)} messages, from {texts[read[0]]}" for read in left if read]
    if not found:
        found = [f"read back the same; occurrences {other[1]} against {first[1]}, unique {other[2]} against {first[2]}"]
    return found[:lines] + ([f"and {len(found) - lines} more"] if len(found) > lines else [])


def compare(paths: list[Path], backend: str, random_orders: int, lines: int) -> int:
    """Print a row for each order; how many of them are wrong."""
    wrong, first = 0, None
    for name, order in orders(paths, random_orders):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            stored = process(order, backend, Path(folder) / "state")
        first = first or stored
        same = stored[:3] == first[:3]
        wrong += not same or bool(stored.problems or stored.condensed)
        print(
            f"| {backend} | {name} | {sum(stored.conversations.values())} | {stored.occurrences} | {stored.unique} "
            f"| {len(stored.problems)} | {len(stored.condensed)} | {'same' if same else '**other**'} "
            f"| {time.perf_counter() - started:.1f} |",
            flush=True,
        )
        told = [] if same else differences(first, stored, lines)
        told += [f"verify: {problem}" for problem in stored.problems[:lines]]
        told += [f"condensed: {problem}" for problem in stored.condensed[:lines]]
        for line in told:
            print(f"    {line}", flush=True)
    return wrong


def exports(folder: Path, pattern: str) -> list[Path]:
    """The files of the corpus that are exports, by name."""
    found = []
    for path in sorted(folder.glob(pattern)):
        try:
            ClaudeConversationDeduplicator(storage_dir=os.devnull).ingest(
                path.read_bytes(), name=path.name, dry_run=True
            )
        except NotAnExport:
            continue
        found.append(path)
    return found


def main() -> int:
    """Compare all orders; 1 where one of them is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=30, metavar="N", help="random orders beside the two by name")
    parser.add_argument("--files", default="real-2025/*.txt", metavar="GLOB", help="which files of the corpus")
    parser.add_argument("--backend", choices=BACKENDS, help="one kind of index only (default: each)")
    parser.add_argument("--lines", type=int, default=6, metavar="N", help="differences shown for an order")
    arguments = parser.parse_args()
    paths = exports(corpus(), arguments.files)
    print(f"{len(paths)} exports\n")
    print("| index | order | conversations | occurrences | unique | verify | condensed | read back | seconds |")
    print("|---|---|---|---|---|---|---|---|---|")
    wrong = 0
    for backend in [arguments.backend] if arguments.backend else BACKENDS:
        wrong += compare(paths, backend, arguments.orders, arguments.lines)
    print(f"\n{wrong} orders are wrong" if wrong else "\nevery order gives the same")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
