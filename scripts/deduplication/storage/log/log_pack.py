"""A sealed file: a pack of the log's lines, in frames as those of the archive's packs, with their parity.

The body of a frame of lines is a *block*: how many parts; the bytes of lines in each of them; the bytes of each of them here; the
parts, each of them columns (``column_format``). What is unpacked at once is a block, what is read to know one line is a part. A
block ends where it has some bytes of columns: few, so that a search can look into many. Where the archive has the bodies, that
is many lines. The last frame says what the others keep of files that the archive did not have, and whether all were compressed
slowly. All numbers of bytes count from the beginning of the file's first line: a file may come to stand elsewhere in the log.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO, Final

from ...errors import ArchiveDamaged, StoreNotWritable
from ...files import varint
from ...packs import frames
from ...start.late_tuple import NamedTuple
from .column_format import Wanted
from .sealed_files import FOLDER, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ...packs.frames import Frame
    from ...packs.pack_file import Pack
    from .column_format import Archived

BLOCK: Final = 1024 * 1024
"""Bytes of lines in a block, or one line where it is longer."""
PART: Final = 32 * 1024
"""Bytes of lines in a part of a block."""
TOGETHER: Final = 512 * 1024
"""Bytes up to which the last block is compressed once more, together with what follows: small ones compress badly."""
THOROUGH: Final = 4 * 1024 * 1024
"""The same where nobody waits."""
UNPACKED: Final = 64 * 1024
"""Bytes of columns with which a block ends: a look takes 2 ms, and all of them take a fifth more room than blocks of a megabyte."""
UNPACKED_THOROUGH: Final = 256 * 1024
"""The same where nobody waits: LZMA gives bytes back twice as fast as bzip2, and gains more by long blocks."""
TAIL: Final = 64 * 1024
"""Bytes of the last lines that are then a block of their own: they are read more often than all others."""
_LITTLE: Final = 4096
"""Bytes of contents of one file below which it is not noted that they are kept."""
_MEMORY: Final = "Check this machine's memory."


class Sealing(NamedTuple):
    """A block as it is written: its frame, with its bytes, and those of contents that it keeps, by file."""

    frame: Frame
    data: bytes
    kept: Mapping[Wanted, int]


class Kept(NamedTuple):
    """What the last frame says: were all lines compressed slowly, and bytes of contents by the file that the archive lacked."""

    thorough: bool
    files: Mapping[Wanted, int]


# -- writing -------------------------------------------------------------------------------------------------------


def packed(lines: bytes, first: int, archive: Archived, *, slowly: bool = False) -> list[Sealing]:
    """Blocks, proven to give the same lines back; ``first``: how many bytes of lines are before them in their file.

    Raises ``StoreNotWritable`` where they do not.
    """
    most = UNPACKED_THOROUGH if slowly else UNPACKED
    found: list[Sealing] = []
    waiting = _Waiting(first)
    try:
        for part in parts(lines, PART):
            waiting.add(part, archive)
            if waiting.size >= most:
                found.append(waiting.sealing(slowly=slowly))
                waiting = _Waiting(waiting.end)
        if waiting.size:
            found.append(waiting.sealing(slowly=slowly))
    except ValueError as error:
        raise StoreNotWritable(f"a block of the log: {error}", hint=_MEMORY) from error
    return found


class _Waiting:
    """Parts that become one block, from byte ``end`` of the file's lines on."""

    def __init__(self, end: int) -> None:
        self._first = self.end = end
        self.size = 0
        """Bytes of columns."""
        self._lengths: list[int] = []
        self._parts: list[bytes] = []
        self._kept: dict[Wanted, int] = {}

    def add(self, part: bytes, archive: Archived) -> None:
        """One more. Raises :class:`ValueError` where it does not give its lines back."""
        from .column_writer import encode

        columns, kept = encode(part, archive)
        self._lengths.append(len(part))
        self._parts.append(columns)
        self._kept = _together(self._kept, kept)
        self.size += len(columns)
        self.end += len(part)

    def sealing(self, *, slowly: bool) -> Sealing:
        """The block. Raises :class:`ValueError` where it does not give its columns back."""
        numbers = varint.encode([len(self._parts), *self._lengths, *map(len, self._parts)])
        raw = b"".join([numbers, *self._parts])
        frame, data = frames.make(frames.LINES, self._first, self.end - self._first, raw, thorough=slowly)
        return Sealing(frame, data, self._kept)


def slowly(lines: bytes, first: int, archive: Archived, *, tail: bool) -> list[Sealing]:
    """Blocks as small as they get; with ``tail`` the last lines in one of their own."""
    cut = lines.rfind(b"\n", 0, max(len(lines) - TAIL, 0)) + 1 if tail else len(lines)
    found = []
    for part in (*parts(lines[:cut], THOROUGH), *parts(lines[cut:], THOROUGH)):
        found += packed(part, first, archive, slowly=True)
        first += len(part)
    return found


def assembled(blocks: Sequence[Sealing], kept: Mapping[Wanted, int], *, thorough: bool) -> tuple[bytes, int]:
    """The file of these blocks, which keep this besides what each says, and the bytes of the log in it."""
    from ...packs.pack_end import enclosed

    for block in blocks:
        kept = _together(kept, block.kept)
    files = {wanted: size for wanted, size in kept.items() if size >= _LITTLE}
    length = sum(block.frame.count for block in blocks)
    last = [frames.make(frames.KEPT, length, 0, _encode(Kept(thorough, files)))] if thorough or files else []
    return b"".join(enclosed([*((block.frame, block.data) for block in blocks), *last])), length


def parts(data: bytes, size: int) -> Iterator[bytes]:
    """Whole lines of some ``size`` bytes each."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", min(start + size, len(data)) - 1) + 1 or len(data)
        yield data[start:end]
        start = end


def _together(kept: Mapping[Wanted, int], more: Mapping[Wanted, int]) -> dict[Wanted, int]:
    return {**kept, **{wanted: size + kept.get(wanted, 0) for wanted, size in more.items()}}


def _encode(kept: Kept) -> bytes:
    out = [varint.encode([kept.thorough, len(kept.files)])]
    for wanted, size in kept.files.items():
        name = wanted.name.encode("utf-8", "surrogateescape")
        out.append(wanted.sha256.encode() + b"\0" + name + b"\0" + varint.encode([wanted.start, wanted.size, size]))
    return b"".join(out)


def _decode(data: bytes) -> Kept:
    reader = varint.Reader(data)
    thorough, count = reader.numbers(2)
    files = {}
    for _ in range(count):
        sha256, name = (reader.text().decode("utf-8", "surrogateescape") for _ in range(2))
        start, size, bytes_kept = reader.numbers(3)
        files[Wanted(sha256, name, start, size)] = bytes_kept
    reader.end()
    return Kept(bool(thorough), files)


# -- reading -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(path: str, *, salvage: bool = False) -> Iterator[Pack]:
    """The pack at ``path``. Raises :class:`ArchiveDamaged` where it cannot be read."""
    from ...packs.pack_file import Pack

    with contextlib.closing(Pack(path, salvage=salvage)) as pack:
        yield pack


def stretches(path: str, size: int) -> list[Stretch]:
    """The frames of a file with ``size`` bytes of the log; one of them whose head is lost beyond parity leaves a hole.

    Raises :class:`ArchiveDamaged`.
    """
    with opened(path) as pack:
        found = [
            Stretch(frame.first, frame.first + frame.count, frame.at) for frame in _of(frames.LINES, pack.all_frames())
        ]
    at = 0
    whole = []
    for each in sorted(found):
        if each.start > at:
            whole.append(Stretch(at, each.start, -1))
        whole.append(each)
        at = each.end
    return [*whole, Stretch(at, size, -1)] if at < size else whole


def unpacked(path: str, stretch: Stretch) -> list[tuple[int, bytes]]:
    """The parts of a block, and the bytes of lines in each. Raises :class:`ArchiveDamaged`, :class:`ValueError`."""
    if stretch.at < 0:
        raise ValueError("the head of a frame is lost")
    with opened(path) as pack:
        return split(pack.unpacked(pack.head(stretch.at)))


def split(data: bytes) -> list[tuple[int, bytes]]:
    """The parts of a block that is unpacked, and the bytes of lines in each. Raises :class:`ValueError`."""
    reader = varint.Reader(data)
    count = reader.number()
    lengths, sizes = reader.numbers(count), reader.numbers(count)
    found = [(length, reader.take(size)) for length, size in zip(lengths, sizes)]
    reader.end()
    return found


def kept(path: str) -> Kept:
    """What a file says that it keeps; nothing where that cannot be told."""
    try:
        with opened(path) as pack:
            for frame in _of(frames.KEPT, pack.all_frames()):
                return _decode(pack.unpacked(frame))
    except (ArchiveDamaged, ValueError):
        pass
    return Kept(thorough=False, files={})


def blocks(path: str) -> list[Sealing]:
    """The blocks of a file as they were written; none where it is not what was written: nothing is added to it."""
    try:
        with opened(path) as pack:
            if not pack.is_intact():
                return []
            return [Sealing(frame, pack.bytes_of(frame), {}) for frame in _of(frames.LINES, pack.all_frames())]
    except ArchiveDamaged:
        return []


def faults(path: str) -> list[str]:
    """What is wrong with the bytes of a file, in a line each."""
    try:
        with opened(path) as pack:
            told = [f"{pack.name}, {each}" for each in pack.problems]
            return [f"{FOLDER}/{each}" for each in (*told, *pack.faults())]
    except ArchiveDamaged as error:
        return [f"{FOLDER}/{error.detail}"]


def mended(path: str) -> bytes | None:
    """The bytes of a damaged file as they were written, by its parity; None where it is intact, or that is not enough."""
    try:
        with opened(path) as pack:
            made = None if pack.is_intact() else pack.mended()
            return b"".join(made.parts()) if made is not None and made.is_intact() else None
    except ArchiveDamaged:
        return None


def _of(kind: int, found: Iterable[Frame]) -> Iterator[Frame]:
    return (frame for frame in found if frame.kind == kind)


def blocks_in(file: BinaryIO, length: int) -> Iterator[bytes]:
    """The first ``length`` bytes of ``file`` as blocks of whole lines."""
    while length > 0:
        data = file.read(min(BLOCK, length))
        if not data:
            return
        if len(data) < length and not data.endswith(b"\n"):
            data += file.readline(length - len(data))
        length -= len(data)
        yield data
