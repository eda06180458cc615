#!/usr/bin/env python3
"""The statistics of a conversation, or of the whole store: ``dedup_stats.py --help``."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "deduplication", "start"))

import import_path  # noqa: F401 - first of all: what lies in the current folder leaves the path

from deduplication.commands import entry, stats

if __name__ == "__main__":
    entry.start(stats.of_session)
