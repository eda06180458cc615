"""A sealed file that is being written: its blocks compressed one after another, small ones together."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from . import sealed_blocks
from .sealed_blocks import Sealing, Table, kept_in
from .sealed_files import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .column_format import Archived, Wanted


class GrowingFile:
    """A file from byte ``start`` of the log on; ``kept`` is what the blocks that it has already keep, see ``Table``."""

    def __init__(
        self,
        start: int,
        archive: Archived,
        blocks: Sequence[Sealing] = (),
        kept: Mapping[Wanted, int] = MappingProxyType({}),
    ) -> None:
        self.start = start
        self._archive = archive
        self._blocks = list(blocks)
        self._kept = kept
        self.grew = False

    @property
    def size(self) -> int:
        """Bytes of the log in it."""
        return sum(block.lines for block in self._blocks)

    def add(self, lines: bytes) -> None:
        """Another block; a small one before it is compressed once more, together with it, where its lines can be read."""
        last = self._blocks[-1] if self._blocks else None
        if last is not None and last.lines + len(lines) <= sealed_blocks.TOGETHER:
            try:
                lines = sealed_blocks.unpacked(last.stream, COLUMNS, self._archive) + lines
            except ValueError:  # archived bytes are damaged: the block stays, for repair
                pass
            else:
                self._blocks.pop()
        self._blocks.append(sealed_blocks.packed(lines, self._archive))
        self.grew = True

    def encode(self) -> tuple[bytes, int]:
        """The file, and the bytes of the log in it."""
        return assembled(self._blocks, self._kept, thorough=False)


def assembled(blocks: Sequence[Sealing], kept: Mapping[Wanted, int], *, thorough: bool) -> tuple[bytes, int]:
    """The file of these blocks, which keep this besides what each says, and the bytes of the log in it."""
    table = Table([block.parts for block in blocks], thorough, kept_in(blocks, kept))
    return b"".join(block.stream for block in blocks) + table.encode(), sum(block.lines for block in blocks)
