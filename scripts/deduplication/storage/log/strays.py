"""Sealed files in a store's folder that are another machine's: something that synchronises the folder brought them.

They begin with the same lines, and go on otherwise. Nobody deletes them: that machine may need them.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ...files import atomic, beneath
from . import former_files, log_pack
from .growing_file import GrowingFile
from .opening import ending_of
from .sealed import BlockDamaged, Sealed
from .sealed_files import named

if TYPE_CHECKING:
    from .sealed_files import Segment


def collect_garbage(sealed: Sealed) -> None:
    """Delete what a longer or smaller file has taken the place of; nothing that has lines of its own."""
    atomic.remove_temporaries(sealed.folder)
    with contextlib.suppress(OSError):  # a file that is left does no harm
        for name in os.listdir(sealed.folder):
            found = named(sealed.folder, name)
            if name == former_files.PENDING or (found and found not in sealed.segments and has(sealed, found)):
                beneath.unlink(os.path.join(sealed.folder, name))


def strays_of(sealed: Sealed) -> list[Segment]:
    """Those with lines that are none of this log."""
    return [each for each in sealed.files() if each not in sealed.segments and not has(sealed, each)]


def has(sealed: Sealed, other: Segment) -> bool:
    """Whether a log has the lines of a file that is none of its own."""
    if other.end > sealed.end or other.path in sealed.replaced:
        return other.end <= sealed.end
    with contextlib.suppress(BlockDamaged):
        last = next(sealed.blocks(other.end - 1))
        return ending_of(sealed.read(last)[: other.end - last.start]) == sealed.ends(other)
    return False


def lines_before(sealed: Sealed, end: int, of: Segment) -> bytes:
    """The lines of a file, whoever's it is, that stand before byte ``end`` of its log; nothing where it does not go so far."""
    other = Sealed(os.path.dirname(sealed.folder), sealed.archive)
    other.refresh(of.end)
    if not of.start < end <= of.end or of not in other.segments:
        return b""
    with contextlib.suppress(BlockDamaged):
        return b"".join(other.read(block) for block in other.blocks(of.start) if block.start < end)[: end - of.start]
    return b""


def cut_off(sealed: Sealed, end: int, ends: str) -> None:
    """Have a file of what stands before byte ``end``, which ends so, where a longer one has it. Raises ``StoreNotWritable``."""
    for longer in sealed.files():
        lines = lines_before(sealed, end, longer)
        if lines and ending_of(lines) == ends:
            file = GrowingFile(longer.start, sealed.archive)
            for part in log_pack.parts(lines, log_pack.BLOCK):
                file.add(part)
            sealed.keep(file)
            sealed.refresh(end, ends)
            return
