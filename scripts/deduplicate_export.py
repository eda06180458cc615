#!/usr/bin/env python3
"""Process exports, verify and rebuild the store: ``deduplicate_export.py --help``."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "deduplication", "start"))

import import_path  # noqa: F401 - first of all: what lies in the current folder leaves the path

from deduplication.commands import deduplicate_export, entry

if __name__ == "__main__":
    entry.start(deduplicate_export.main)
