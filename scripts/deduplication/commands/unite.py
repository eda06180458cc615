"""``deduplicate_export.py unite``: what another machine has of a store taken in, from its folder, or from copies in this one."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ..errors import EXIT_OK, UsageError
from ..exchange.into_folder import unite
from ..metrics import operations
from ..project.paths import find_project
from ..reports import exchange as report
from ..storage.audit_entries import UNITE
from ..storage.log_backed import require_folder
from ..terminal.display import show
from ..united.folder import United, unite_copies
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Take in, and say what that came to. Raises ``StoreMissing``, ``CopyNotWhole`` and the ``StoreError`` family."""
    asked = parser().parse_args(arguments)
    store = require_folder(shared.deduplicator(asked, existing=True).store, "what another machine has")
    began = time.monotonic()
    if asked.folder is None:
        done = unite_copies(store, find_project(asked.project) if asked.storage_dir is None else None)
    else:
        if os.path.realpath(asked.folder) == os.path.realpath(store.folder):
            raise UsageError(
                f"{asked.folder} is the store itself", hint="Leave it out to take in the copies that lie in it."
            )
        done = United(*unite(store, asked.folder))
    operations.note(store, UNITE, began, **done._asdict())
    if asked.json:
        shared.print_json(done._asdict())
    else:
        show(report.taken_in(*done, asked.folder))
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py unite",
        "Take into the store what another machine has of it, each message once; what was purged there is purged here. Where\n"
        "something synchronises the store's folder (Dropbox, Syncthing) and two machines stored something meanwhile, it leaves a\n"
        'copy of the log ("conflicted copy") there, and copies of packs of the archive: without DIR each of them is taken in, and\n'
        "then deleted. With DIR it is the\n"
        "store in another folder, which stays as it is. Done again it changes nothing.",
    )
    found.add_argument(
        "folder", metavar="DIR", nargs="?", help="another store's folder (default: the copies in this one's)"
    )
    shared.add_store(found)
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
