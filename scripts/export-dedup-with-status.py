#!/usr/bin/env python3
"""Run export-dedup.py, show its output, the banner and a summary, and keep the whole report in the status log."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from deduplication.commands.entry import run
from deduplication.commands.with_status import main

if __name__ == "__main__":
    sys.exit(run(main))
