"""``migrate_json_to_postgresql.py``: the original design's migration of a state folder to PostgreSQL."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ...errors import EXIT_OK, DedupError, UsageError
from ...migration.json_to_postgresql import JSONToPostgreSQLMigrator
from ...storage.database.server.address import VARIABLE
from ...terminal.console import printable
from ...terminal.display import show
from .. import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Migrate; the exit code of the error where that fails, after it was said."""
    asked = parser().parse_args(arguments)
    if asked.db_url is None and not os.environ.get(VARIABLE):
        raise UsageError("--db-url is missing", hint=f"Pass it, or set {VARIABLE}, which no list of processes shows.")
    try:
        JSONToPostgreSQLMigrator(asked.json_dir, asked.db_url).migrate()
    except DedupError as error:
        if error.hint:
            show(f"   → {printable(error.hint)}", sys.stderr)
        return error.exit_code
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "migrate_json_to_postgresql.py",
        "Migrate a state folder to PostgreSQL: a store of export-dedup, or a folder of the original project. A copy of the folder\n"
        "is made before; the folder itself is not changed. Every message is taken, whatever its number, and everything is\n"
        "counted and compared before it says that it is complete. Stopped anywhere, the same command goes on.\n\n"
        "  migrate_json_to_postgresql.py --json-dir ./MEMORY-CONTEXT/dedup_state --db-url postgresql://user@localhost/dedup_db",
    )
    add = found.add_argument
    add("--json-dir", metavar="DIR", required=True, help="the state folder")
    add(
        "--db-url",
        metavar="URL",
        type=shared.database_address,
        help=f"the database (default: {VARIABLE}; one of them must be there). Others see it in the list of processes",
    )
    return found
