"""What the archive keeps of a file besides its bytes, and how the records of a run lie in a frame: column by column."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ..files import varint
from ..start.late_dataclass import dataclass
from . import recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .recipe import Recipe


@dataclass(frozen=True)
class FileRecord:
    """One archived file. ``name`` and ``session`` are text as ``os.fsdecode`` gives it; ``mtime_ns`` since the epoch."""

    number: int
    name: str
    session: str
    size: int
    mtime_ns: int
    sha256: bytes
    recipe: Recipe
    head: int = 0
    """CRC-32 of its first kilobyte, 0 where it is shorter: files that may begin alike."""
    depth: int = 0
    """How many files must be looked at to put it together, besides itself."""


def encode(records: Sequence[FileRecord], expected: int) -> bytes:
    """The records of consecutive files; the first run of each recipe is counted from segment ``expected`` on."""
    texts = [_text(record.name) + b"\0" + _text(record.session) + b"\0" for record in records]
    recipes = [record.recipe.encode(record.number, expected) for record in records]
    return b"".join(
        [
            varint.encode([expected]),
            varint.encode(record.size for record in records),
            varint.encode(map(len, recipes)),
            varint.encode(record.depth for record in records),
            *texts,
            *recipes,
            *(struct.pack("<q", record.mtime_ns) for record in records),
            *(struct.pack("<I", record.head) for record in records),
            *(record.sha256 for record in records),
        ]
    )


def decode(data: bytes, first: int, count: int) -> list[FileRecord]:
    """The ``count`` records from file number ``first`` on. Raises :class:`ValueError` where ``data`` is none."""
    reader = varint.Reader(data)
    expected = reader.number()
    sizes, lengths, depths = (reader.numbers(count) for _ in range(3))
    names = [reader.text().decode("utf-8", "surrogateescape") for _ in range(2 * count)]
    recipes = [recipe.decode(reader.take(length), first + n, expected) for n, length in enumerate(lengths)]
    times = struct.unpack(f"<{count}q", reader.take(8 * count))
    heads = struct.unpack(f"<{count}I", reader.take(4 * count))
    hashes = [reader.take(32) for _ in range(count)]
    reader.end()
    return [
        FileRecord(
            first + n,
            names[2 * n],
            names[2 * n + 1],
            sizes[n],
            times[n],
            hashes[n],
            recipes[n],
            heads[n],
            depths[n],
        )
        for n in range(count)
    ]


def _text(text: str) -> bytes:
    """A name's bytes; lone surrogates of bytes that were no UTF-8 become those bytes again, others a question mark."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "replace")
    return data.replace(b"\0", b"?")
