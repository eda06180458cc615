"""Sealed files written anew: without the bodies that the archive has by now, and compressed slowly when nobody waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import sealed_blocks
from .growing_file import assembled
from .sealed_files import COLUMNS

if TYPE_CHECKING:
    from .sealed import Sealed
    from .sealed_blocks import Sealing
    from .sealed_files import Segment


def improvable(sealed: Sealed) -> list[Segment]:
    """The files that would be smaller if they were written anew; none that is damaged."""
    return [
        segment
        for segment in sealed.segments
        if sealed.blocks_of(segment)[0].size
        and (segment.form != COLUMNS or not sealed.table_of(segment).thorough or keeps_archived(sealed, segment))
    ]


def keeps_archived(sealed: Sealed, segment: Segment) -> bool:
    """Whether a file keeps bodies that the archive has by now."""
    return any(map(sealed.archive.find, sealed.table_of(segment).kept))


def pays(sealed: Sealed, segment: Segment) -> bool:
    """Whether half of what a file keeps is in the archive by now: so a file is written anew as often as it can be halved, and not
    by each of many runs that all have lines in it.
    """
    kept = sealed.table_of(segment).kept
    archived = sum(size for wanted, size in kept.items() if sealed.archive.find(wanted))
    return 0 < archived >= sum(kept.values()) - archived


def improved(sealed: Sealed, segment: Segment, *, thorough: bool = True) -> tuple[bytes, int] | None:
    """A file as small as it gets, proven, and the bytes of the log in it; None where it is damaged.

    Needs no lock: a file is never changed. ``thorough`` takes a second for some megabytes.
    """
    data = sealed.bytes_of(segment)
    if not data:
        return None
    archive = sealed.archive
    stays = segment.form == COLUMNS and not keeps_archived(sealed, segment)
    blocks: list[Sealing] = []
    waiting: list[bytes] = []
    try:
        for block in sealed.streams_of(segment, data):
            if stays and block.lines > sealed_blocks.THOROUGH // 2:
                blocks += sealed_blocks.slowly(b"".join(waiting), archive, tail=False)
                waiting = []
                blocks.append(block)
                continue
            waiting.append(sealed_blocks.unpacked(block.stream, segment.form, archive))
        lines = b"".join(waiting)
        if thorough:
            blocks += sealed_blocks.slowly(lines, archive, tail=True)
        else:
            blocks += [sealed_blocks.packed(part, archive) for part in sealed_blocks.parts(lines, sealed_blocks.BLOCK)]
    except (OSError, ValueError):
        return None
    return assembled(blocks, sealed.table_of(segment).kept if stays else {}, thorough=thorough)
