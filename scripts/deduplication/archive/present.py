"""Which files are in the archive, by their SHA-256: those that its packs name, and the plain ones that can be read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..errors import DedupError
from ..files.safe_read import digest_of, opened
from ..packs.pack_set import opened_packs
from .places import packs_folder, plain_files

if TYPE_CHECKING:
    from ..project.paths import Project


def packed(project: Project) -> set[str]:
    """SHA-256 (64 digits) of every file of the packs."""
    with opened_packs(packs_folder(project)) as packs:
        return {packs.record(number).sha256.hex() for number in packs.numbers()}


def plain(project: Project) -> set[str]:
    """SHA-256 (64 digits) of every plain file of the archive."""
    found = set()
    for path, _ in plain_files(project):
        with contextlib.suppress(DedupError), opened(path) as (file, _):
            found.add(digest_of(file))
    return found
