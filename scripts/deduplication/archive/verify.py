"""Re-hashes every byte of the archive and says what is damaged, what that costs, and what is gone."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from typing import TYPE_CHECKING, Final, Optional

from ..errors import ArchiveDamaged, DedupError, StoreNotWritable
from ..figures.counted import counted
from ..files import atomic, journal
from ..files.safe_read import digest_of, opened
from ..packs import pack_index
from ..packs.index_file import write_index
from ..packs.pack_names import index_path, listed
from ..packs.pack_set import opened_packs
from ..start.late_dataclass import dataclass, field
from . import drop_folder
from . import inventory as listing
from .listed import LOST, UNSURE
from .places import packs_folder, plain_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..packs.pack_set import Member, Packs
    from ..project.paths import Project
    from .listed import Inventory, Listed


_NUMBERED: Final = "file number "
"""How a file is called whose record is gone."""


@dataclass
class Checked:
    """What was found: ``lost`` are the names of files that cannot be restored, each with the reason.

    ``there``: SHA-256 (64 digits) of every file that can be; ``missing`` are
    files of the list that are nowhere, ``given_up`` those of which that is known, ``unsure`` exports that nobody knows of.
    """

    packs: int = 0
    files: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)
    there: set[str] = field(default_factory=set)
    missing: list[Listed] = field(default_factory=list)
    given_up: list[Listed] = field(default_factory=list)
    unsure: list[Listed] = field(default_factory=list)

    def all_problems(self) -> list[str]:
        """Everything that is wrong, one line each, with what it costs."""
        told = Counter(name for name, _ in self.lost)
        gone = []
        for each in self.missing:
            if told[each.name]:
                told[each.name] -= 1  # a line says already why it cannot be restored
            else:
                gone.append(f"{each.name} cannot be restored: it was archived ({each.size:,} bytes), and is not there")
        return [*self.problems, *(f"{name} cannot be restored: {reason}" for name, reason in self.lost), *gone]


def check_project(project: Project) -> Optional[Checked]:
    """The archive of ``project``, checked against the list of what it took in; None where there is nothing.

    Where the list is gone, or there never was one, against all that archive and log tell of. Nothing is created. Others go on
    meanwhile: what is open stays readable when they put packs together. Where something is wrong, or was replaced, all of it is
    looked at once more under the archive's lock, since only who holds that can tell the one from the other.
    """
    if not (os.path.isdir(project.archive) or listing.load(*_folders(project)).began):
        return None
    found = _checked_meanwhile(project)
    if found.all_problems():
        with _held(project):
            found = check_project_held(project)
    nothing = not (found.packs or found.all_problems() or found.given_up or found.unsure)
    return None if nothing else found


@contextlib.contextmanager
def _held(project: Project) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        if os.path.isdir(project.archive):
            with contextlib.suppress(StoreNotWritable):  # nobody writes to what cannot be written
                stack.enter_context(drop_folder.opened(project))
        yield


def _checked_meanwhile(project: Project) -> Checked:
    """The archive as it was at one moment, under whose lock it was opened."""
    with contextlib.ExitStack() as stack:
        with _held(project):
            packs = stack.enter_context(opened_packs(packs_folder(project)))
            indexes = _indexes(packs)
            have = listing.known(*_folders(project))
        found = _looked_through(packs, indexes)
    compare(*_folders(project), found, have)
    return found


def check_project_held(project: Project) -> Checked:
    """The same for whoever holds the archive's lock."""
    found = check(packs_folder(project))
    compare(*_folders(project), found)
    return found


def compare(state: str, archive: str, found: Checked, have: Optional[Inventory] = None) -> None:
    """Hold what can be restored against the list of what was archived, into ``found``. The folders of store and archive.

    ``have``: the list, for who has read it.
    """
    have = have or listing.known(state, archive)
    found.problems += have.faults
    if have.began:
        # The list has the names of files whose records cannot be read.
        found.problems += [f"{name}: its record cannot be read: {why}" for name, why in found.lost if _nameless(name)]
        found.lost = [each for each in found.lost if not _nameless(each[0])]
    if journal.waits(state, journal.ARCHIVE):
        return  # on a medium that cannot be written: the list has come further than the archive
    for path, _ in plain_in(archive):
        with contextlib.suppress(DedupError), opened(path) as (file, _):
            found.there.add(digest_of(file))
    found.missing = have.missing(found.there)
    found.given_up = [each for each in have.in_state(LOST) if each.sha256 not in found.there]
    found.unsure = [each for each in have.in_state(UNSURE) if each.sha256 not in found.there]


def _nameless(name: str) -> bool:
    return name.startswith(_NUMBERED)


def _folders(project: Project) -> tuple[str, str]:
    return str(project.state), str(project.archive)


def rebuild_project(project: Project) -> list[str]:
    """Every index of the packs of ``project`` made anew, under the archive's lock; one line for each that was wrong."""
    folder = packs_folder(project)
    if not listed(folder):
        return []
    with drop_folder.opened(project):
        return [*listing.heal(project), *rebuild(folder)]


def check(folder: str) -> Checked:
    """Check every byte of every pack and restore every file of it. Whoever calls this holds the archive's lock.

    Nothing is changed, but that a missing index is made.
    """
    with opened_packs(folder) as packs:
        return _looked_through(packs, _indexes(packs))


def _indexes(packs: Packs) -> dict[str, bytes]:
    """The index of each pack as it lies on the disk, by path."""
    return {path: _read(path) for path in (index_path(member.pack.path) for member in packs.members)}


def _looked_through(packs: Packs, indexes: Mapping[str, bytes]) -> Checked:
    """Every byte of packs that are open, and what lay beside them."""
    found = Checked()
    found.problems += packs.problems
    for gap in packs.missing():
        files = gap.end_file - gap.first_file
        parts = gap.end_segment - gap.first_segment
        found.problems.append(
            f"a pack is missing or cannot be read: it had {counted(files, 'file')} and {counted(parts, 'segment')}"
        )
    found.packs = len(packs.members) + len(packs.unreadable)
    for member in packs.members:
        found.bytes += member.pack.size
        found.problems += _of_pack(member, indexes)
    for number in packs.numbers():
        found.files += 1
        sha256, reason = _of_file(packs, number)
        if reason is not None:
            found.lost.append(reason)
        else:
            found.there.add(sha256)
    return found


def _of_pack(member: Member, indexes: Mapping[str, bytes]) -> list[str]:
    """What is wrong with the bytes of one pack, and with its index."""
    pack, found = member.pack, member.pack.faults()
    if not (found or pack.problems):
        path = index_path(pack.path)
        if indexes[path] != pack_index.made_from(pack):
            name = os.path.basename(path)
            found.append(f"{name}: does not say what the pack says (an index; 'rebuild' makes it again)")
    return found


def _of_file(packs: Packs, number: int) -> tuple[str, Optional[tuple[str, str]]]:
    """The SHA-256 of a file, and its name with the reason where it cannot be restored."""
    try:
        record = packs.record(number)
    except ArchiveDamaged as error:
        return "", (f"{_NUMBERED}{number}", error.detail)
    try:
        for _ in packs.restore(number):
            pass
    except ArchiveDamaged as error:
        return "", (record.name, error.detail)
    return record.sha256.hex(), None


def rebuild(folder: str) -> list[str]:
    """Make every index anew from its pack; a line for each that was not what it should be. Under the archive's lock.

    That of a damaged pack stays as it is: it may know more of the pack than what is left of it.
    """
    said, wrong = [], {}
    with opened_packs(folder) as packs:
        for member in packs.members:
            name, data = member.pack.name, pack_index.made_from(member.pack)
            path = index_path(member.pack.path)
            if member.pack.problems or pack_index.Index(data, member.pack.sha256).lacks():
                said.append(f"{name}: it is damaged, and its index stays as it is; 'repair' makes both anew")
            elif _read(path) != data:
                wrong[path] = data
    for path, data in wrong.items():
        said.append(f"{os.path.basename(path)}: did not say what its pack says; made anew")
        write_index(path, data)
    return said


def _read(path: str) -> bytes:
    try:
        with atomic.open_regular(path) as file:
            return file.read()
    except OSError:
        return b""
