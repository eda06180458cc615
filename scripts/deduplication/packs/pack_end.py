"""What stands behind the frames of a pack, made of all bytes before it: the frame of parity, the header once more, the SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from . import frames, parity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .frames import Frame


class PackEnd:
    """Takes the ``covered`` bytes of header and frames as they come."""

    def __init__(self, covered: int) -> None:
        self._covered = covered
        self._encoder = parity.Encoder(covered)
        self._digest = hashlib.sha256()
        self._header = b""

    def update(self, part: bytes) -> None:
        """The next bytes."""
        missing = frames.HEADER_SIZE - len(self._header)
        self._header += part[:missing]
        self._digest.update(part[missing:])
        self._encoder.update(part)

    def encode(self) -> bytes:
        """The bytes behind them, of which the last 32 are the SHA-256; all must have come."""
        last = frames.of_parity(self._covered, self._encoder.parity()) + self._header
        self._digest.update(last)
        return last + self._digest.digest()


def enclosed(found: Sequence[tuple[Frame, bytes]], first_segment: int = 0, first_file: int = 0) -> Iterator[bytes]:
    """A pack with these frames, each with its bytes, in parts: header, frames, and what stands behind them."""
    held = {frames.SEGMENTS: 0, frames.FILES: 0, frames.LINES: 0, frames.KEPT: 0}
    for frame, _ in found:
        held[frame.kind] += frame.count
    covered = frames.HEADER_SIZE + sum(len(data) for _, data in found)
    spare = frames.FRAME_HEAD + parity.layout(covered).size
    size = covered + spare + frames.TRAILER_SIZE
    segments = held[frames.SEGMENTS] + held[frames.LINES]
    header = frames.Header(first_segment, segments, first_file, held[frames.FILES], len(found), size, spare)
    end = PackEnd(covered)
    for part in (header.encode(), *(data for _, data in found)):
        end.update(part)
        yield part
    yield end.encode()
