#!/usr/bin/env python3
"""Process exports, verify and rebuild the store: ``deduplicate_export.py --help``."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from deduplication.commands import deduplicate_export, entry  # the package lies beside this file

if __name__ == "__main__":
    raise SystemExit(entry.run(deduplicate_export.main))
