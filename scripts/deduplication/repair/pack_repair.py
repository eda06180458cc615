"""What is damaged in the packs, and every file of theirs whose bytes are anywhere: first in a pack's own parity, then elsewhere.

What is to be done about it is a plan, which ``packs_anew`` carries out. A file that cannot be had is named.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final, Optional

from ..archive import present
from ..archive.entry import Entry
from ..archive.places import packs_folder
from ..errors import ArchiveDamaged
from ..figures.counted import counted
from ..packs.file_records import FileRecord
from ..packs.pack_names import index_path
from ..packs.recipe import Recipe
from ..packs.salvage import SalvagedPacks
from ..start.late_dataclass import dataclass, field
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from . import damage
from .other_copies import OtherCopies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..packs.pack_set import Member
    from ..project.paths import Project
    from .damage import Finding
    from .shared_copies import SharedCopies

PARITY: Final = "its parity"
"""Where a pack comes from that is written as it was."""
_PACK: Final = late_pattern(r"pack-\d+\.pack")


class SalvagedFile(NamedTuple):
    """A file that the packs are to have: its record, and its number where they give its bytes, else ``data`` from elsewhere."""

    record: FileRecord
    number: int
    data: Optional[bytes] = None


@dataclass
class Plan:
    """What is to be done with the packs in ``folder``: nothing where nothing was found.

    ``first``: the number of the first file that is packed anew; what comes before lies in packs that are whole.
    """

    folder: str
    findings: list[Finding] = field(default_factory=list)
    first: int = 0
    whole: list[str] = field(default_factory=list)
    """Paths of the packs that stay as they are."""
    damaged: list[str] = field(default_factory=list)
    """Paths of what goes into quarantine."""


@contextlib.contextmanager
def examined(
    project: Project, shared: Optional[SharedCopies] = None
) -> Iterator[tuple[Plan, SalvagedPacks, list[SalvagedFile]]]:
    """What is damaged in the packs of ``project``, and every file that can be had. Under the archive's lock."""
    folder = packs_folder(project)
    packs = SalvagedPacks(folder)
    try:
        plan = Plan(folder)
        kept = _files(plan, packs, OtherCopies(project, shared))
        yield plan, packs, kept
    finally:
        packs.close()


def _files(plan: Plan, packs: SalvagedPacks, elsewhere: OtherCopies) -> list[SalvagedFile]:
    for path, (_, fault) in packs.mended.items():
        name = os.path.basename(path)
        plan.findings.append(damage.Finding(damage.PACK, name, fault, repaired=True, file=PARITY))
    damaged = {member.pack.path: member for member in [*packs.damaged(), *_misfits(packs)]}
    gaps = packs.missing()
    orphans = packs.orphans()
    if not (damaged or gaps or orphans or packs.unreadable or packs.problems):
        plan.whole, (_, plan.first) = [member.pack.path for member in packs.members], packs.ends()
        return []
    plan.damaged = [
        *damaged,
        *(os.path.join(plan.folder, name) for name in packs.unreadable),
        *(index_path(os.path.join(plan.folder, name)) for name in orphans),
    ]
    reach = min((gap.first_file for gap in gaps), default=None)
    for member in packs.members:
        if member.pack.path in damaged or (reach is not None and member.index.first_file >= reach):
            break
        plan.whole.append(member.pack.path)
        plan.first = member.index.first_file + member.index.files
    kept, waiting = _restored(packs)
    told = {known.sha256 for _, known, _ in packs.remembered()} - {each.record.sha256 for each in kept}
    elsewhere.expect({record.sha256 for _, record in waiting} | {each for each in told if any(each)})
    if waiting:
        ends = {packs.record(each.recipe.base).size for _, each in waiting if _known(packs, each.recipe.base)}
        packs.lend(elsewhere.files(), ends)
    had: set[bytes] = {each.record.sha256 for each in kept}
    for fault, record in waiting:
        found = _restored_elsewhere(packs, elsewhere, record)
        if found is not None:
            kept.append(found[0])
            had.add(record.sha256)
        same = "another file of the archive" if record.sha256 in had else None
        _tell(plan, record, fault, found[1] if found is not None else same)
    _nameless(plan, packs, elsewhere, kept, had)
    said = {finding.where for finding in plan.findings}
    for path in plan.damaged:
        name = os.path.basename(path)
        if name not in said:
            plan.findings.append(damage.Finding(damage.PACK, name, _fault(packs, name), repaired=True))
    for gap in gaps if not orphans else ():  # whichever files those were: the list of archived files has their names
        fault = f"a pack is missing: it had {counted(gap.end_file - gap.first_file, 'file')}"
        plan.findings.append(damage.Finding(damage.PACK, os.path.basename(plan.folder), fault, repaired=True))
    kept.sort(key=lambda each: each.record.number)
    return kept


def _misfits(packs: SalvagedPacks) -> list[Member]:
    """Packs that were written behind others than those before them: another machine's."""
    found = []
    for member in packs.members:
        for number in range(member.index.first_file, member.index.first_file + member.index.files):
            with contextlib.suppress(ArchiveDamaged):
                for _ in packs.restore(number):
                    pass
                continue
            found.append(member)
            break
    return found


def had(project: Project, packs: SalvagedPacks, plan: Plan, kept: list[SalvagedFile]) -> set[str]:
    """SHA-256 (64 digits) of every file that the packs are to have, and of the plain ones."""
    if kept or plan.damaged:
        found = {each.record.sha256.hex() for each in kept}
    else:
        found = {packs.record(number).sha256.hex() for number in packs.numbers()}
    return found | present.plain(project)


def _known(packs: SalvagedPacks, number: int) -> bool:
    try:
        return number >= 0 and packs.record(number) is not None
    except ArchiveDamaged:
        return False


def _restored(packs: SalvagedPacks) -> tuple[list[SalvagedFile], list[tuple[str, FileRecord]]]:
    """The files that the packs give whole, and those of which they have no more than the record, with the reason."""
    kept, waiting = [], []
    for number in packs.numbers():
        try:
            record = packs.record(number)
        except ArchiveDamaged:
            continue
        try:
            for _ in packs.restore(number):
                pass
        except ArchiveDamaged as error:
            waiting.append((error.detail, record))
        else:
            kept.append(SalvagedFile(record, number))
    return kept, waiting


def _restored_elsewhere(
    packs: SalvagedPacks, elsewhere: OtherCopies, record: FileRecord
) -> Optional[tuple[SalvagedFile, str]]:
    """A file once more, with what was lent, else whole from elsewhere; and where its bytes are."""
    with contextlib.suppress(ArchiveDamaged):
        for _ in packs.restore(record.number):
            pass
        return SalvagedFile(record, record.number), "parts of it in other files"
    same = packs.file(record.sha256)
    if same >= 0 and same != record.number:
        with contextlib.suppress(ArchiveDamaged):
            return SalvagedFile(record, -1, b"".join(packs.restore(same))), "another file of the archive"
    copy = elsewhere.find(record.name, record.size, record.sha256)
    return (SalvagedFile(record, -1, copy.data), copy.path) if copy is not None else None


def _nameless(
    plan: Plan, packs: SalvagedPacks, elsewhere: OtherCopies, kept: list[SalvagedFile], had: set[bytes]
) -> None:
    """Files of which no record is left: an index tells their SHA-256, and they may be elsewhere."""
    recorded = {number for number in packs.numbers() if _known(packs, number)}
    for number, known, pack in packs.remembered():
        if number in recorded or not any(known.sha256):
            continue
        name = f"file {number} of {pack}"
        found = "another file of the archive" if known.sha256 in had else ""
        if not found:
            copy = elsewhere.find("", known.size, known.sha256) or elsewhere.transcript(known.size, known.sha256)
            if copy is not None:
                found, name = copy.path, copy.name or os.path.basename(copy.path)
            if copy is not None and copy.name:
                session = os.path.splitext(os.path.basename(name))[0]
                recipe = Recipe(-1, 0, ())
                record = FileRecord(number, name, session, known.size, copy.mtime_ns, known.sha256, recipe)
                kept.append(SalvagedFile(record, -1, copy.data))
                had.add(known.sha256)
        plan.findings.append(
            damage.Finding(
                damage.FILE,
                pack,
                "its record cannot be read",
                bool(found),
                file=found,
                name=name,
                sha256=known.sha256.hex(),
                bytes=known.size,
            )
        )


def _tell(plan: Plan, record: FileRecord, fault: str, file: Optional[str]) -> None:
    entry = Entry(record.name, record.session, record.size, record.mtime_ns, record.sha256.hex(), record.number)
    pack = _PACK.search(fault)
    where = pack.group() if pack is not None else os.path.basename(plan.folder)
    plan.findings.append(
        damage.Finding(
            damage.FILE,
            where,
            fault,
            bool(file),
            conversation=record.session,
            file=file or "",
            name=record.name,
            sha256=entry.sha256,
            bytes=record.size,
            date=entry.day,
        )
    )


def _fault(packs: SalvagedPacks, name: str) -> str:
    own = [problem for problem in packs.problems if problem.startswith(name)]
    if name.endswith(".idx"):
        return "its pack is missing"
    return own[0] if own else "some of its bytes are not what was written"
