"""``verify_database_integrity.py``: what ``verify`` says of a store in a database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import arguments as shared
from .. import verify

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Recount everything from the lines of the log; 0 where all is well, 1 where something is damaged."""
    asked = parser().parse_args(arguments)
    passed = ["--backend", "postgresql", "--storage-dir", os.curdir]
    for option, value in (("--db-url", asked.db_url), ("--since", asked.since)):
        passed += [option, value] if value is not None else []
    return verify.main([*passed, *(["--json"] if asked.json else [])])


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "verify_database_integrity.py",
        "Recount a store in PostgreSQL from the lines of its log: every checksum, every content hash, every number, every row and\n"
        "column against what the lines say, the audit. It looks at one snapshot, and changes nothing: also of a restored copy.",
    )
    add = found.add_argument
    add("--db-url", metavar="URL", help="the database (default: as EXPORT_DEDUP_DATABASE_URL or the settings name it)")
    add(
        "--since", metavar="HASH", type=shared.head_digits, help="prove that all is what it was at this head of the log"
    )
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
