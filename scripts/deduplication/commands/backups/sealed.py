"""``deduplicate_export.py backup --seal`` and ``--unseal``: a backup as one encrypted file, and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...backup import folder as folders
from ...backup import sealed_file
from ...errors import EXIT_OK
from ...reports import backup as backup_report
from ...terminal.display import show
from ...terminal.progress import LONG, progress
from .. import arguments as shared

if TYPE_CHECKING:
    import argparse


def main(asked: argparse.Namespace) -> int:
    """A backup into one encrypted file, or out of it."""
    place = os.path.realpath(asked.folder)
    with progress(LONG, "Sealing" if asked.seal else "Opening") as advance:
        if asked.seal:
            with folders.opened(place) as folder:
                done = sealed_file.seal(folder, os.path.abspath(asked.seal), asked.encrypt_to, advance)
        else:
            done = sealed_file.unseal(os.path.abspath(asked.unseal), place, asked.identity, advance)
    if asked.json:
        shared.print_json(
            {"path": done.path, "snapshots": done.snapshots, "objects": done.objects, "bytes": done.bytes}
        )
    else:
        show(backup_report.sealed(done) if asked.seal else backup_report.unsealed(done, place))
    return EXIT_OK


def add_options(found: argparse.ArgumentParser) -> None:
    """The options of both."""
    add = found.add_argument
    add("--seal", metavar="FILE", help="put all snapshots into this new file, encrypted by age or gpg")
    shared.add_encrypt_to(found)
    add("--unseal", metavar="FILE", help="make DIR the backup that is in such a file")
    add(
        "--identity",
        metavar="KEYFILE",
        action="append",
        default=[],
        help="the file of the key that opens it, for age; gpg finds its own; may be given again",
    )
