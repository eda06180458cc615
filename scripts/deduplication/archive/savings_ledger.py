"""What the packs of an archive saved, and by what: counted from every record and every segment in them.

Bytes of the files = bytes of the packs + what identical files, beginnings of earlier files, repeated parts and compression
saved. It says nothing of what was processed: the versions of a growing file are all files here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ArchiveDamaged
from ..packs.frames import SEGMENTS
from ..packs.pack_set import opened_packs
from ..packs.recipe import Drawn, Encoded, Run
from ..start.late_dataclass import dataclass

if TYPE_CHECKING:
    from ..packs.file_records import FileRecord
    from ..packs.pack_set import Packs


@dataclass(frozen=True)
class Ledger:
    """Bytes. ``raw`` are those of all ``files``, ``stored`` those of packs and indexes.

    ``identical``: files whose bytes an earlier one has. Of the others, ``in_base``: what the earlier file has that they go on
    from; and ``repeated``: parts that stood in them or in an earlier one before.
    """

    files: int = 0
    raw: int = 0
    identical: int = 0
    in_base: int = 0
    repeated: int = 0
    stored: int = 0

    @property
    def compression(self) -> int:
        """What compression saved, less what the packs add."""
        return self.raw - self.identical - self.in_base - self.repeated - self.stored


def ledger(folder: str, stored: int) -> Ledger:
    """The ledger of the packs in ``folder``, which take ``stored`` bytes. Whoever calls this holds the archive's lock.

    Every segment is unpacked for its length. Raises :class:`ArchiveDamaged` where not everything can be counted.
    """
    with opened_packs(folder) as packs:
        if packs.problems or packs.missing():
            raise ArchiveDamaged("; ".join(packs.problems) or "a pack is missing")
        lengths = _lengths(packs)
        known: set[bytes] = set()
        used: set[int] = set()
        raw = identical = in_base = repeated = files = 0
        for number in packs.numbers():
            record = packs.record(number)
            files, raw = files + 1, raw + record.size
            if record.sha256 in known:
                identical += record.size
                continue
            known.add(record.sha256)
            in_base += record.recipe.prefix
            repeated += _repeated(record, lengths, used)
    return Ledger(files, raw, identical, in_base, repeated, stored)


def _lengths(packs: Packs) -> dict[int, int]:
    """The bytes of every segment, by its number."""
    lengths: dict[int, int] = {}
    for member in packs.members:
        for frame, fault in member.pack.scan():
            if frame is None:
                raise ArchiveDamaged(f"{member.pack.name}, {fault}")
            if frame.kind == SEGMENTS:
                first, _, starts = member.pack.block(frame)
                lengths.update((first + n, end - start) for n, (start, end) in enumerate(zip(starts, starts[1:])))
    return lengths


def _repeated(record: FileRecord, lengths: dict[int, int], used: set[int]) -> int:
    """Bytes of a file in segments that are ``used`` already; what it uses is added to them."""
    total, repeated = record.recipe.prefix, 0
    for item in record.recipe.items:
        if isinstance(item, bytes):
            total += len(item)
            continue
        if isinstance(item, Drawn):
            total += item.length
            repeated += item.length
            continue
        run = Run(item.first, 1) if isinstance(item, Encoded) else item
        for segment in range(run.first, run.first + run.length):
            size = lengths.get(segment)
            if size is None:
                raise ArchiveDamaged(f"{record.name}: segment {segment} is lost")
            size = item.length if isinstance(item, Encoded) else size
            total += size
            repeated += size if segment in used else 0
            used.add(segment)
    if total != record.size:
        raise ArchiveDamaged(f"{record.name}: its parts have {total:,} bytes instead of {record.size:,}")
    return repeated
