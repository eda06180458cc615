"""What copies of packs have that the archive has not, each file as it is to be archived: without what was purged here."""

from __future__ import annotations

import contextlib
import hashlib
import os
from functools import partial
from typing import TYPE_CHECKING, Final

from ..archive import copies, inventory, present, purged_files
from ..archive.listed import Listed
from ..archive.pack_files import BATCH_BYTES
from ..archive.places import packs_folder, quarantine_of
from ..errors import ArchiveDamaged
from ..packs.pack_copies import CopiedPacks
from ..packs.pack_set import opened_packs
from ..purge.archived import later_form
from ..start.late_dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..packs.file_records import FileRecord
    from ..packs.pack_copies import Held
    from ..packs.pack_set import Packs
    from ..project.paths import Project
    from ..storage.log_backed import LogBackedStore

_REPAIR: Final = "Run 'deduplicate_export.py repair' first, then this again. Nothing was changed."


@dataclass
class TakenIn:
    """``files``: how many the archive has gained; ``done``: paths of copies of which it has all; ``waiting``: names of others."""

    files: int = 0
    done: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def gained(store: LogBackedStore, project: Project, done: TakenIn) -> list[tuple[FileRecord, bytes]]:
    """Files that the archive does not have, with their bytes, as many as are packed at once; what there is goes into ``done``.

    What it has and its list does not name is named. All packs are closed afterwards: those that a new one takes in could not be
    removed on Windows.
    """
    folder = packs_folder(project)
    with contextlib.closing(CopiedPacks(folder, quarantine_of(project))) as copied, opened_packs(folder) as own:
        done.waiting = copied.incomplete()
        done.done = [path for path in copies.of_packs(project) if os.path.basename(path) not in done.waiting]
        if copied.fork < 0:
            return []
        if own.unreadable:
            raise ArchiveDamaged(own.problems[0], hint=_REPAIR)
        done.done += copied.doubled()
        there = {own.record(n).sha256 for n in own.numbers() if n < copied.fork or comes_back(own, n)}
        there |= {bytes.fromhex(each) for each in present.plain(project)}
        found: dict[bytes, tuple[FileRecord, bytes]] = {}
        known: list[Listed] = []
        for record, read in filter(None, (_archivable(store, project, held) for held in copied.files())):
            if record.sha256 in there:
                known.append(Listed.of(record))
            elif record.sha256 not in found:
                found[record.sha256] = record, read()
                if sum(each.size for each, _ in found.values()) >= BATCH_BYTES:
                    break
    inventory.add(project, known)
    return list(found.values())


def comes_back(packs: Packs, number: int) -> bool:
    """Whether a file of the packs comes back as it was archived."""
    try:
        for _ in packs.restore(number):
            pass
    except ArchiveDamaged:
        return False
    return True


def _archivable(store: LogBackedStore, project: Project, held: Held) -> tuple[FileRecord, Callable[[], bytes]] | None:
    """A file as it is to be archived: without what was purged here; None where nothing else is in it."""
    record = held.record
    form = later_form(store, held.data, os.path.basename(record.name), record.session)
    if form is None:
        return record, held.data
    if form.data is None:
        return None
    digest = hashlib.sha256(form.data)
    purged_files.add(os.fspath(project.archive), purged_files.PurgedFile(digest.hexdigest(), form.messages))
    return replace(record, sha256=digest.digest(), size=len(form.data)), partial(bytes, form.data)
