"""Sealed files written anew: without the bodies that the archive has by now, and compressed slowly when nobody waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import former_files, log_pack
from .growing_file import lines_of
from .sealed_files import PACK

if TYPE_CHECKING:
    from .log_pack import Sealing
    from .sealed import Sealed
    from .sealed_files import Segment


def improvable(sealed: Sealed) -> list[Segment]:
    """The files that would be smaller if they were written anew; of those that are damaged only ones that say nothing of it."""
    return [
        segment
        for segment in sealed.segments
        if segment.form != PACK or not sealed.kept_of(segment).thorough or keeps_archived(sealed, segment)
    ]


def keeps_archived(sealed: Sealed, segment: Segment) -> bool:
    """Whether a file keeps bodies that the archive has by now."""
    return any(map(sealed.archive.find, sealed.kept_of(segment).files))


def pays(sealed: Sealed, segment: Segment) -> bool:
    """Whether half of what a file keeps is in the archive by now: so a file is written anew as often as it can be halved, and not
    by each of many runs that all have lines in it.
    """
    kept = sealed.kept_of(segment).files
    archived = sum(size for wanted, size in kept.items() if sealed.archive.find(wanted))
    return 0 < archived >= sum(kept.values()) - archived


def improved(sealed: Sealed, segment: Segment, *, thorough: bool = True) -> tuple[bytes, int] | None:
    """A file as small as it gets, proven, and the bytes of the log in it; None where it is damaged.

    Needs no lock: a file is never changed. ``thorough`` takes a second for some megabytes.
    """
    archive = sealed.archive
    stays = segment.form == PACK and not keeps_archived(sealed, segment)
    blocks: list[Sealing] = []
    lines = b""
    try:
        if segment.form != PACK:
            lines = _former(segment)
        else:
            for block in log_pack.blocks(segment.path):
                if stays and _is_large(block):
                    blocks += log_pack.slowly(lines, block.frame.first - len(lines), archive, tail=False)
                    lines = b""
                    blocks.append(block)
                    continue
                lines += lines_of(block, archive)
        at = blocks[-1].frame.first + blocks[-1].frame.count if blocks else 0
        if thorough:
            blocks += log_pack.slowly(lines, at, archive, tail=True)
        else:
            for part in log_pack.parts(lines, log_pack.BLOCK):
                blocks += log_pack.packed(part, at, archive)
                at += len(part)
    except (OSError, ValueError):
        return None
    made = (
        log_pack.assembled(blocks, sealed.kept_of(segment).files if stays else {}, thorough=thorough)
        if blocks
        else None
    )
    return made if made and made[1] == segment.size else None


def _is_large(block: Sealing) -> bool:
    """Whether a block is as large as those that are compressed slowly."""
    return block.frame.count > log_pack.THOROUGH // 2 or block.frame.raw >= log_pack.UNPACKED_THOROUGH


def _former(segment: Segment) -> bytes:
    found = former_files.read(segment)
    if found.fault:
        raise ValueError(found.fault)
    return b"".join(former_files.unpacked(segment, each) for each in former_files.stretches(segment))
