#!/usr/bin/env python3
"""Run export-dedup.py, show its output, the banner and a summary, and keep the report, with a line of it in the status log."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "deduplication", "start"))

import import_path  # noqa: F401 - first of all: what lies in the current folder leaves the path

from deduplication.commands import entry, with_status

if __name__ == "__main__":
    entry.start(with_status.main)
