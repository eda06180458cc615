"""A damaged pack as it was written: what is wrong in the file comes from its parity, and each frame proves what came of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Optional

from . import codec, frames, parity
from .pack_end import PackEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .frames import Header

_CHUNK: Final = 1024 * 1024
_BEGINNING: Final = bytes([frames.PARITY, codec.STORED]) + frames.MARK


class Mended:
    """The bytes of a pack up to its parity, with what that made good; ``read`` gives those of the file.

    ``header`` is the pack's where all of it is as it was written: then its parity and its trailer follow, made anew.
    """

    def __init__(self, read: Callable[[int, int], bytes], covered: int, blocks: dict[int, bytes]) -> None:
        self._read, self._blocks = read, blocks
        self._size = parity.layout(covered).block
        self.covered = covered
        self._behind = b""
        self.header = self._proven()

    @property
    def gained(self) -> bool:
        """Whether it has anything that the file does not have."""
        return bool(self._blocks) or self.header is not None

    def read(self, at: int, size: int) -> bytes:
        """The bytes from an offset on, fewer at the end."""
        within = max(min(size, self.covered - at), 0)
        data = bytearray(self._read(at, within).ljust(within, b"\0"))
        for start in range(at - at % self._size, at + within, self._size) if self._blocks else ():
            block = self._blocks.get(start)
            if block is not None:
                first = max(at - start, 0)
                part = block[first : at + within - start]
                data[start + first - at : start + first - at + len(part)] = part
        from_behind = max(at - self.covered, 0)
        return bytes(data) + self._behind[from_behind : from_behind + size - within]

    def parts(self) -> Iterator[bytes]:
        """The whole pack, in parts of a megabyte."""
        size = self.covered + len(self._behind)
        return (self.read(at, _CHUNK) for at in range(0, size, _CHUNK))

    def _proven(self) -> Optional[Header]:
        """The header, where each frame has its SHA-256 and all of them together are what the header says."""
        try:
            header = frames.Header.decode(self.read(0, frames.HEADER_SIZE))
            at, count = frames.HEADER_SIZE, 0
            held = {frames.SEGMENTS: 0, frames.FILES: 0, frames.LINES: 0, frames.KEPT: 0}
            while at < self.covered:
                frame = frames.head(self.read(at, frames.FRAME_HEAD), at, self.covered)
                frame.check(self.read(at + frames.FRAME_HEAD, frame.stored))
                at, count = frame.end, count + 1
                held[frame.kind] += frame.count
        except (ValueError, KeyError):
            return None
        segments = held[frames.SEGMENTS] + held[frames.LINES]
        says = (header.end, header.frames, header.segments, header.files, header.parity)
        size = frames.FRAME_HEAD + parity.layout(self.covered).size
        if (at, count, segments, held[frames.FILES], size) != says:
            return None
        self._behind = self._made_behind()
        return header

    def _made_behind(self) -> bytes:
        """The frame of parity and the trailer: they follow from what is before them."""
        end = PackEnd(self.covered)
        for at in range(0, self.covered, _CHUNK):
            end.update(self.read(at, min(_CHUNK, self.covered - at)))
        return end.encode()


def mended(read: Callable[[int, int], bytes], size: int) -> Optional[Mended]:
    """A pack of ``size`` bytes, of which ``read`` gives some from an offset on, with what its parity makes good.

    None where it has no parity, or none is found.
    """
    best: Optional[Mended] = None
    for covered in _ends(read, size):
        spare = read(covered + frames.FRAME_HEAD, parity.layout(covered).size)
        for strict in (True, False):
            blocks = parity.recovered(read, covered, spare, strict=strict)
            found = Mended(read, covered, blocks)
            if found.header is not None:
                return found
            best = best or found
    return best


def _ends(read: Callable[[int, int], bytes], size: int) -> list[int]:
    """Where the frames may end: as header or trailer say, else where a frame of parity says that it is in its place."""
    found: list[int] = []
    told = False
    for at in (0, max(size - frames.TRAILER_SIZE, 0)):
        try:
            header = frames.Header.decode(read(at, frames.HEADER_SIZE))
        except ValueError:
            continue
        told = True
        if header.parity and header.end > 0 and header.end not in found:
            found.append(header.end)
    return found if told else list(_parity_frames(read, size))


def _parity_frames(read: Callable[[int, int], bytes], size: int) -> Iterator[int]:
    at = 0
    while at < size:
        part = read(at, _CHUNK)
        found = part.find(_BEGINNING)
        if found < 0:
            at += max(len(part) - len(_BEGINNING) + 1, 1)
            continue
        at += found
        try:
            frame = frames.head(read(at, frames.FRAME_HEAD), at, size + _CHUNK)
        except ValueError:
            frame = None
        if frame is not None and frame.first == at > 0:
            yield at
        at += 1
