"""A sealed file that is being written: its blocks compressed one after another, small ones together."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ...packs import frames
from . import log_pack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .column_format import Archived, Wanted
    from .log_pack import Sealing


class GrowingFile:
    """A file from byte ``start`` of the log on; ``kept`` is what the blocks that it has already keep, see ``log_pack.Kept``."""

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
        last = self._blocks[-1].frame if self._blocks else None
        return last.first + last.count if last else 0

    def add(self, lines: bytes) -> None:
        """More lines; a small block before them is compressed once more, together with it, where its lines can be read."""
        last = self._blocks[-1] if self._blocks else None
        if last is not None and last.frame.count + len(lines) <= log_pack.TOGETHER and not _is_full(last):
            try:
                lines = lines_of(last, self._archive) + lines
            except ValueError:  # archived bytes are damaged: the block stays, for repair
                pass
            else:
                self._blocks.pop()
        self._blocks += log_pack.packed(lines, self.size, self._archive)
        self.grew = True

    def encode(self) -> tuple[bytes, int]:
        """The file, and the bytes of the log in it."""
        return log_pack.assembled(self._blocks, self._kept, thorough=False)


def _is_full(block: Sealing) -> bool:
    return block.frame.raw >= log_pack.UNPACKED


def lines_of(block: Sealing, archive: Archived) -> bytes:
    """The lines of a block. Raises :class:`ValueError` where archived bytes are lost."""
    from .column_reader import decode

    raw = block.frame.unpack(block.data[frames.FRAME_HEAD :])
    return b"".join(decode(part, archive) for _, part in log_pack.split(raw))
