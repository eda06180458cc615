#!/usr/bin/env python3
"""Find exports, deduplicate them, archive them, make a checkpoint, say what happened: ``export-dedup.py --help``."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "deduplication", "start"))

import import_path  # noqa: F401 - first of all: what lies in the current folder leaves the path

from deduplication.commands import entry, export_dedup

if __name__ == "__main__":
    entry.start(export_dedup.main)
