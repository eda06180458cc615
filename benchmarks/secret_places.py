#!/usr/bin/env python3
"""Count the kinds of secrets that redaction leaves, and words that it takes for some: ``benchmarks/secret_places.py [--strict]``.

Two Markdown tables. The first plants every kind of ``tests/support/secret_kinds.py`` in five places of a conversation, with values
of a seeded generator, and counts the kinds of which eight characters in a row can still be read anywhere. The second redacts texts
in which nobody's secrets are known to be: real conversations (``EXPORT_DEDUP_CORPUS``), this project's own code and documents, and
Python's standard library. Each word that is touched there counts as a mistake. With ``--strict`` a missed limit is exit code 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import sysconfig
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE.parent / "tests" / "support")]

from deduplication.redaction.detectors import OwnRules  # noqa: E402 - found by the line above
from deduplication.redaction.matches import PLACEHOLDER  # noqa: E402
from deduplication.redaction.redact import LEVELS, PUBLIC, Policy, redact  # noqa: E402

MOST_LEFT = 1 / 150
"""Of the kinds, in each place."""
MOST_TOUCHED = 0.2
"""Percent of the words of the conversations; at the level ``public`` without the people that are meant to go."""
PEOPLE = ("email", "user", "phone-number", "ip-address")


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="exit 1 where a limit was missed")
    parser.add_argument("--seeds", type=int, default=5, help="values of each kind in each place; default: 5")
    parser.add_argument(
        "--first", type=int, default=0, help="the first value's seed; the rules were made with 0 to 5 in sight"
    )
    parser.add_argument("--show", action="store_true", help="list what was left")
    parser.add_argument(
        "--small",
        action="store_true",
        help="of this project and of Python's library every twentieth file, to see that it works",
    )
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    missed = _kinds(seeds, show=asked.show) + _touched(20 if asked.small else 1)
    return 1 if missed and asked.strict else 0


def _kinds(seeds: range, *, show: bool) -> int:
    try:
        kinds_of = importlib.import_module("secret_kinds")
    except ImportError:
        print("No kinds of secrets: tests/secret_kinds.py is not here.\n")
        return 0
    print("| place | kinds | with a value left | values | left |")
    print("|---|---|---|---|---|")
    missed = 0
    for place in kinds_of.PLACES:
        kept: Counter[str] = Counter()
        for kind in kinds_of.KINDS:
            for seed in seeds:
                text, secret = kinds_of.made(kind, seed)
                shown = redact(kinds_of.placed(text, secret, place, seed), LEVELS[0])[0]
                kept[kind] += kinds_of.left(secret, shown)
        kinds = [kind for kind, number in kept.items() if number]
        missed += len(kinds) > MOST_LEFT * len(kinds_of.KINDS)
        print(f"| {place} | {len(kept)} | {len(kinds)} | {len(seeds) * len(kept):,} | {sum(kept.values())} |")
        if show:
            print(*(f"  {kind}: {kept[kind]}" for kind in kinds), sep="\n", file=sys.stderr)
    print()
    return missed


def _touched(step: int) -> int:
    corpus = Path(os.environ.get("EXPORT_DEDUP_CORPUS") or HERE.parent.parent / "shared" / "corpus")
    own = [path for folder in ("scripts", "docs", "benchmarks", "hooks") for path in (HERE.parent / folder).rglob("*")]
    library = Path(sysconfig.get_path("stdlib"))
    python = [path for path in library.rglob("*.py") if not {"site-packages", "test", "tests"} & set(path.parts)]
    sources = {
        "real conversations": sorted(corpus.rglob("*")),
        "this project": sorted(path for path in own if path.suffix in (".py", ".md", ".sh", ".json"))[::step],
        "Python's standard library": sorted(python)[::step],
    }
    print("| texts | words | level | touched | of all words | by rule | million characters a second |")
    print("|---|---|---|---|---|---|---|")
    missed = 0
    for name, paths in sources.items():
        texts = [path.read_bytes().decode("utf-8", "replace") for path in paths if path.is_file()]
        words, size = sum(len(text.split()) for text in texts), sum(len(text) for text in texts)
        for level in LEVELS if words else ():
            people = PEOPLE if level == PUBLIC else ()
            rules, touched, started = Counter[str](), 0, time.process_time()
            for text in texts:
                clean, findings = redact(text, Policy(level, OwnRules(), rules_off=frozenset(people)))
                rules.update(finding.rule for finding in findings)
                touched += sum(1 for word in clean.split() if PLACEHOLDER.search(word)) if findings else 0
            speed = size / 1e6 / (time.process_time() - started)
            share = 100 * touched / words
            missed += share > MOST_TOUCHED and name == "real conversations"
            listed = ", ".join(f"{rule} {number:,}" for rule, number in rules.most_common())
            print(f"| {name} | {words:,} | {level} | {touched:,} | {share:.4f} % | {listed} | {speed:.1f} |")
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
