"""Files that the archive took in and that it does not have: looked for in every other place, and put back into a pack.

What is put back has the SHA-256 that the list of archived files says, and shows nothing that was purged since.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Optional

from ..archive import inventory
from ..archive.entry import Entry
from ..archive.legacy_inventory import named_by_packs
from ..archive.places import packs_folder
from ..errors import ArchiveDamaged, StoreError
from ..packs.pack_set import opened_packs
from ..packs.pack_writer import PackWriter
from ..purge.archived import later_form
from ..start.late_tuple import NamedTuple
from . import damage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..archive.listed import Inventory, Listed
    from ..project.paths import Project
    from ..storage.contract import Store
    from .damage import Finding
    from .other_copies import Copy, OtherCopies


class Missing(NamedTuple):
    """A file of the list, where its bytes are, and why they are not taken from there."""

    listed: Listed
    copy: Optional[Copy]
    refused: str = ""

    def finding(self, where: str) -> Finding:
        """What is to be told of it."""
        listed, copy = self.listed, self.copy
        entry = Entry(listed.name, listed.session, listed.size, listed.mtime_ns, listed.sha256)
        fault = "neither a pack nor a plain file has it"
        if copy is not None and self.refused:
            fault = f"{fault}; {copy.path} does, but {self.refused}"
        return damage.Finding(
            damage.FILE,
            where,
            fault,
            copy is not None and not self.refused,
            conversation=listed.session,
            file=copy.path if copy is not None and not self.refused else "",
            name=listed.name,
            sha256=listed.sha256,
            bytes=listed.size,
            date=entry.day if listed.mtime_ns else "",
        )


def listed_in(project: Optional[Project]) -> Inventory:
    """The list of what was archived; where it is not whole, also what archive and log tell of. Nothing is changed.

    It has nothing where there is no project.
    """
    if project is None:
        return inventory.none()
    state, archive = os.fspath(project.state), os.fspath(project.archive)
    found = inventory.load(state, archive)
    return inventory.known(state, archive) if found.began or os.path.isdir(archive) else found


def name_all(project: Project) -> list[str]:
    """Name in the list what packs and indexes tell of and it does not: the evidence is about to be repaired.

    Returns what was wrong with the list, a line each. Under the archive's lock.
    """
    state, archive = os.fspath(project.state), os.fspath(project.archive)
    hashes = {each.sha256 for each in inventory.known(state, archive).files.values()}
    return inventory.add(project, [each for each in named_by_packs(state, archive) if each.sha256 not in hashes])


def find_missing(store: Store, have: Inventory, there: set[str], elsewhere: OtherCopies) -> list[Missing]:
    """The files of the list that are not ``there``, each with the place that has its bytes."""
    gone = have.missing(there)
    elsewhere.expect(bytes.fromhex(each.sha256) for each in gone if each.sha256)
    return [_find(store, each, elsewhere) for each in gone]


def _find(store: Store, listed: Listed, elsewhere: OtherCopies) -> Missing:
    sha256 = bytes.fromhex(listed.sha256)
    if not sha256:
        return Missing(listed, None)
    copy = elsewhere.find(listed.name, listed.size, sha256) or elsewhere.transcript(listed.size, sha256)
    return Missing(listed, copy, _refused(store, listed, copy.data) if copy is not None else "")


def _refused(store: Store, listed: Listed, data: bytes) -> str:
    """Why bytes are not to come back: messages were purged that they show, or nobody can tell whether they were."""
    try:
        form = later_form(store, lambda: data, os.path.basename(listed.name), listed.session)
    except StoreError:
        return "the log, which says what was purged, cannot be read"
    return "it shows messages that were purged" if form is not None else ""


def put_back(project: Project, found: list[Missing]) -> None:
    """Pack what is to be had. Under the archive's lock. Raises ``StoreNotWritable`` and :class:`ArchiveDamaged`."""
    wanted = [each for each in found if each.copy is not None and not each.refused]
    if not wanted:
        return
    folder = packs_folder(project)
    with opened_packs(folder) as packs:
        addition = PackWriter(packs, thorough=True)
        for listed, copy, _ in wanted:
            if copy is not None:
                mtime_ns = listed.mtime_ns or copy.mtime_ns
                addition.add(copy.data, name=listed.name, mtime_ns=mtime_ns, session_of=_always(listed.session))
        addition.commit()
    with opened_packs(folder) as packs:
        for listed, _, _ in wanted:
            number = packs.file(bytes.fromhex(listed.sha256))
            if number < 0:
                raise ArchiveDamaged(f"{listed.name} did not come back from what was packed")
            for _ in packs.restore(number):
                pass


def _always(session: str) -> Callable[[str], str]:
    return lambda _sha256: session
