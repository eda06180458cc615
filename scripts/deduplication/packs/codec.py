"""How a frame's bytes are compressed: LZMA2 or bzip2 of the standard library, whichever is smaller, or not at all.

Measured on transcripts and text exports: without position bits and with four literal context bits LZMA is a little smaller
than ``xz -9e``; bzip2 is smaller by 3 % on a few hundred kilobytes of text and larger on everything else. Zstandard is no
codec here: at its highest level it makes idle packs 2 to 6 % larger (``benchmarks/codecs.py``), and without it any Python reads
an archive.
"""

from __future__ import annotations

from typing import Any, Final

STORED: Final = 0
LZMA: Final = 1
BZIP2: Final = 2

MAX_RAW: Final = 16 * 1024 * 1024
"""Bytes that a frame may have when it is unpacked: what a reader must be ready to hold."""
_WINDOW: Final = 8 * 1024 * 1024
"""The largest window: an encoder needs eleven times as much memory."""
_BZIP2_PAYS: Final = 1024 * 1024
"""Above this size bzip2 is not tried: it forgets after 900 kB."""
_BOTH_UP_TO: Final = 65_536
"""Above this size, where somebody waits, bzip2 alone is enough: a quarter of the time, and the same size within 1 %."""
_KEY_EVERY: Final = 250
"""Bytes: where there is a JSON key more often it is not tried either; LZMA is always better at those."""
_QUICK: Final = 4
_THOROUGH: Final = 9 | 1 << 31
"""xz's preset 9 with "extreme"."""


def compress(raw: bytes, *, thorough: bool = False) -> tuple[int, bytes]:
    """The codec that makes ``raw`` smallest, and what it makes of it. ``thorough`` takes three times as long and saves 7 %."""
    import lzma

    best, codec = raw, STORED
    if len(raw) <= _BZIP2_PAYS and raw.count(b'":') * _KEY_EVERY < len(raw):
        import bz2

        packed = bz2.compress(raw)
        if len(packed) < len(best):
            best, codec = packed, BZIP2
        if len(raw) > _BOTH_UP_TO and not thorough and codec == BZIP2:
            return codec, best
    settings = {"id": lzma.FILTER_LZMA2, "preset": _THOROUGH if thorough else _QUICK, "dict_size": _window(len(raw))}
    filters: list[dict[str, Any]] = [{**settings, "lc": 4, "lp": 0, "pb": 0}]
    packed = lzma.compress(raw, format=lzma.FORMAT_RAW, filters=filters)
    return (LZMA, packed) if len(packed) < len(best) else (codec, best)


def decompress(codec: int, packed: bytes, size: int) -> bytes:
    """The ``size`` bytes of which ``packed`` was made. Raises :class:`ValueError` where it cannot be them."""
    if codec == STORED:
        raw = packed
    elif codec == LZMA:
        raw = _unlzma(packed, size)
    elif codec == BZIP2:
        import bz2

        try:
            raw = bz2.BZ2Decompressor().decompress(packed, size + 1)
        except OSError as error:
            raise ValueError(str(error)) from error
    else:
        raise ValueError(f"compressed in a way that this version does not know ({codec})")
    if len(raw) != size:
        raise ValueError(f"{len(raw)} bytes come out of it instead of {size}")
    return raw


def _unlzma(packed: bytes, size: int) -> bytes:
    import lzma

    reader = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": _window(size)}])
    try:
        return reader.decompress(packed, size + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(str(error)) from error


def _window(size: int) -> int:
    """The power of two that holds ``size`` bytes, from 4 KiB to 8 MiB: writer and reader must choose the same."""
    return min(max(4096, 1 << max(size - 1, 0).bit_length()), _WINDOW)
