#!/usr/bin/env python3
"""Verify a store in PostgreSQL: ``verify_database_integrity.py --help``."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "deduplication", "start"))

import import_path  # noqa: F401 - first of all: what lies in the current folder leaves the path

from deduplication.commands import entry
from deduplication.commands.database import verify_database

if __name__ == "__main__":
    entry.start(verify_database.main)
