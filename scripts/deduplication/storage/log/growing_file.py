"""A sealed file that is being written: its blocks compressed one after another, small ones together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import sealed_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .sealed_files import Block


class GrowingFile:
    """A file from byte ``start`` of the log on: its streams, and how many bytes of the log are in each."""

    def __init__(self, start: int, before: bytes = b"", blocks: Sequence[Block] = ()) -> None:
        self.start = start
        self.streams = [before[block.offset : block.offset + block.size] for block in blocks]
        self.lengths = [block.end - block.start for block in blocks]
        self.grew = False

    @property
    def size(self) -> int:
        """Bytes of the log in it."""
        return sum(self.lengths)

    def add(self, lines: bytes) -> None:
        """Another block; a small one before it is compressed once more, together with it."""
        if self.lengths and self.lengths[-1] + len(lines) <= sealed_blocks.TOGETHER:
            lines = sealed_blocks.unpacked(self.streams.pop()) + lines
            self.lengths.pop()
        self.streams.append(sealed_blocks.packed(lines))
        self.lengths.append(len(lines))
        self.grew = True
