#!/usr/bin/env python3
"""Migrate a state folder to PostgreSQL: ``migrate_json_to_postgresql.py --help``."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "deduplication", "start"))

import import_path  # noqa: F401 - first of all: what lies in the current folder leaves the path

from deduplication.commands import entry
from deduplication.commands.database import migrate_json
from deduplication.migration.json_to_postgresql import JSONToPostgreSQLMigrator, migrate_to_postgresql

__all__ = ["JSONToPostgreSQLMigrator", "migrate_to_postgresql"]

if __name__ == "__main__":
    entry.start(migrate_json.main)
