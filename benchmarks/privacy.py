#!/usr/bin/env python3
"""Count what redaction finds and what it takes for a secret although it is none: ``benchmarks/privacy.py [--strict]``.

Two Markdown tables. The first plants made-up secrets of known formats (``tests/support/planted.py``) and counts those of which ten
characters in a row are left. The second redacts a folder of real conversations (``EXPORT_DEDUP_CORPUS``) and counts the words
that it touched: nobody's secrets are in there as far as is known, so each of them counts as a mistake, at the level ``public``
with the names and addresses that are meant to go. The limit is 1 % of the words. With ``--strict`` a missed limit is exit code 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE.parent / "tests" / "support")]

from deduplication.redaction import detect_secrets  # noqa: E402
from deduplication.redaction.detectors import OwnRules, WithDetectSecrets  # noqa: E402 - found by the line above
from deduplication.redaction.matches import PLACEHOLDER  # noqa: E402
from deduplication.redaction.redact import LEVELS, Policy, redact  # noqa: E402

LIMIT = 1.0
"""Percent of the words."""


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="exit 1 where a secret was left or the limit was missed")
    asked = parser.parse_args()
    detectors: dict[str, Any] = {"own rules": OwnRules()}
    if detect_secrets.installed():
        detectors["with detect-secrets"] = WithDetectSecrets()
    missed = _planted(detectors) + _corpus(detectors)
    return 1 if missed and asked.strict else 0


def _planted(detectors: dict[str, Any]) -> int:
    try:
        planted = importlib.import_module("planted")
    except ImportError:
        print("No planted secrets: tests/support/planted.py is not here.")
        return 0
    missed = 0
    print("| planted secrets | rules | planted | left | left where wrapped at 60 to 133 columns |")
    print("|---|---|---|---|---|")
    for name, detector in detectors.items():
        rules = Policy(LEVELS[0], detector)
        listed = [each for seed in range(4) for each in planted.planted(500, seed)]
        left = sum(_shows(secret, redact(text, rules)[0]) for _, secret, text in listed)
        wrapped = sum(
            _shows(secret, redact(planted.wrapped(f"said some time ago that it is: {text}", width), rules)[0])
            for _, secret, text in listed
            for width in (60, 77, 100, 133)
        )
        missed += left + wrapped
        print(
            f"| {len(planted.FORMATS)} formats, JWTs, passwords, private keys | {name} | {len(listed):,} | {left} | {wrapped} |"
        )
    print()
    return missed


def _shows(secret: str, text: str) -> bool:
    return any(secret[at : at + 10] in text for at in range(max(1, len(secret) - 9)))


def _corpus(detectors: dict[str, Any]) -> int:
    folder = Path(os.environ.get("EXPORT_DEDUP_CORPUS") or HERE.parent.parent / "shared" / "corpus")
    if not folder.is_dir():
        print(f"No real conversations at {folder}: EXPORT_DEDUP_CORPUS names another place.")
        return 0
    texts = [path.read_bytes().decode("utf-8", "replace") for path in sorted(folder.rglob("*")) if path.is_file()]
    words, size = sum(len(text.split()) for text in texts), sum(len(text) for text in texts)
    print(f"{len(texts)} files, {words:,} words, {size / 1e6:.1f} million characters.\n")
    print("| rules | level | words redacted | of all words | by rule | limit | million characters a second |")
    print("|---|---|---|---|---|---|---|")
    missed = 0
    for name, detector in detectors.items():
        for level in LEVELS:
            touched, rules, started = 0, Counter(), time.perf_counter()
            for text in texts:
                clean, findings = redact(text, Policy(level, detector))
                rules.update(finding.rule for finding in findings)
                touched += sum(1 for word in clean.split() if PLACEHOLDER.search(word)) if findings else 0
            speed = size / 1e6 / (time.perf_counter() - started)
            share = 100 * touched / words
            missed += share > LIMIT
            listed = ", ".join(f"{rule} {count:,}" for rule, count in rules.most_common())
            print(f"| {name} | {level} | {touched:,} | {share:.4f} % | {listed} | {LIMIT:g} % | {speed:.1f} |")
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
