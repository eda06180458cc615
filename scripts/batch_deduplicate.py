#!/usr/bin/env python3
"""Process the exports of a folder, each one's new messages into a file of its own: ``batch_deduplicate.py --help``."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "deduplication", "start"))

import import_path  # noqa: F401 - first of all: what lies in the current folder leaves the path

from deduplication.commands import deduplicate, entry

if __name__ == "__main__":
    entry.start(deduplicate.batch)
