"""Re-hashes every byte of the archive and says what is damaged, and what that costs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

from .. import archiving, atomic
from ..errors import ArchiveDamaged
from . import index
from .packing import packs_folder
from .packs import index_path, listed, opened_packs, write_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..project import Project
    from .packs import Member, Packs


@dataclass
class Checked:
    """What was found: ``lost`` are the names of files that cannot be restored, each with the reason."""

    packs: int = 0
    files: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)

    def all_problems(self) -> list[str]:
        """Everything that is wrong, one line each, with what it costs."""
        return [*self.problems, *(f"{name} cannot be restored: {reason}" for name, reason in self.lost)]


def check_project(project: Project) -> Optional[Checked]:
    """The packs of ``project``, checked under the archive's lock; None where it has none."""
    folder = packs_folder(project)
    if not listed(folder):
        return None
    with archiving.opened(project):
        return check(folder)


def rebuild_project(project: Project) -> list[str]:
    """Every index of the packs of ``project`` made anew, under the archive's lock; one line for each that was wrong."""
    folder = packs_folder(project)
    if not listed(folder):
        return []
    with archiving.opened(project):
        return [f"{name}: did not say what its pack says; made anew" for name in rebuild(folder)]


def check(folder: str, advance: Callable[[int], None] = lambda _bytes: None) -> Checked:
    """Check every byte of every pack and restore every file of it. Whoever calls this holds the archive's lock.

    Nothing is changed, but that a missing index is made. ``advance`` is told the bytes restored.
    """
    found = Checked()
    with opened_packs(folder) as packs:
        found.problems += packs.problems
        for gap in packs.missing():
            files = gap.end_file - gap.first_file
            parts = gap.end_segment - gap.first_segment
            found.problems.append(
                f"a pack is missing or cannot be read: it had {files:,} file(s) and {parts:,} segment(s)"
            )
        found.packs = len(packs.members) + len(packs.unreadable)
        for member in packs.members:
            found.bytes += member.pack.size
            found.problems += _of_pack(member)
        for number in packs.numbers():
            found.files += 1
            size, reason = _of_file(packs, number)
            if reason is not None:
                found.lost.append(reason)
            advance(size)
    return found


def _of_pack(member: Member) -> list[str]:
    """What is wrong with the bytes of one pack, and with its index."""
    pack, found = member.pack, []
    for frame, fault in pack.scan():
        if frame is None:
            found.append(f"{pack.name}, {fault}")
            continue
        try:
            pack.body(frame)
        except ArchiveDamaged as error:
            found.append(error.detail)
    if not found and not pack.whole():
        found.append(f"{pack.name}: its SHA-256 does not match, but every frame's does: the trailer is damaged")
    if not found:
        path = index_path(pack.path)
        if _read(path) != index.made_from(pack):
            name = os.path.basename(path)
            found.append(f"{name}: does not say what the pack says (an index; 'rebuild' makes it again)")
    return found


def _of_file(packs: Packs, number: int) -> tuple[int, Optional[tuple[str, str]]]:
    """The bytes of a file, and its name with the reason where it cannot be restored."""
    try:
        record = packs.record(number)
    except ArchiveDamaged as error:
        return 0, (f"file {number}", error.detail)
    size = 0
    try:
        for part in packs.restore(number):
            size += len(part)
    except ArchiveDamaged as error:
        return size, (record.name, error.detail)
    return size, None


def rebuild(folder: str) -> list[str]:
    """Make every index anew from its pack; the names of those that were not what they should be. Under the archive's lock."""
    with opened_packs(folder) as packs:
        made = {index_path(member.pack.path): index.made_from(member.pack) for member in packs.members}
    wrong = []
    for path, data in made.items():
        if _read(path) != data:
            wrong.append(os.path.basename(path))
            write_index(path, data)
    return wrong


def _read(path: str) -> bytes:
    try:
        with atomic.open_regular(path) as file:
            return file.read()
    except OSError:
        return b""
