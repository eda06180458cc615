#!/usr/bin/env python3
"""Find exports, deduplicate them, archive them, make a checkpoint, say what happened: ``export-dedup.py --help``."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from deduplication.commands import entry, export_dedup  # the package lies beside this file

if __name__ == "__main__":
    raise SystemExit(entry.run(export_dedup.main))
