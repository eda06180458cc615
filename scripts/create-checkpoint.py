#!/usr/bin/env python3
"""Write a checkpoint document and commit it, and nothing else of yours: ``create-checkpoint.py --help``."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "deduplication", "start"))

import import_path  # noqa: F401 - first of all: what lies in the current folder leaves the path

from deduplication.commands import create_checkpoint, entry

if __name__ == "__main__":
    entry.start(create_checkpoint.main)
