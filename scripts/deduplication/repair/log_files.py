"""What the log is to be, on the disk: what is damaged is copied into quarantine first, then the log is rewritten."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..files import atomic, beneath
from ..files.quarantine import quarantined
from ..project.paths import INDEX_NAMES, QUARANTINE

if TYPE_CHECKING:
    from ..storage.log.append_log import Log
    from ..storage.log.salvage import Place, Salvaged
    from .log_repair import RepairedLog


def changed(salvaged: Salvaged, mended: RepairedLog) -> bool:
    """Whether the log is to be another one than it is."""
    pairs = zip(salvaged.places[:-1], mended.lines)
    return _open_changed(salvaged, mended) or any(not _same(place, lines) for place, lines in pairs)


def write(log: Log, salvaged: Salvaged, mended: RepairedLog) -> list[str]:
    """Have the log be what ``mended`` says; the files in quarantine, relative to the store. Under the store's lock.

    Raises ``StoreNotWritable``; then the log is what it was, or as it is to be.
    """
    folder = os.path.dirname(log.path)
    moved: list[str] = []
    blobs = mended.replay.blobs
    for digest in mended.blobs:
        if os.path.lexists(blobs.path(digest)):
            moved += _copied(folder, blobs.path(digest), f"blob-{digest}")
    blobs.keep(mended.blobs)
    if not changed(salvaged, mended):
        return moved
    for place, lines in zip(salvaged.places, mended.lines):
        if place.segment is not None and not _same(place, lines):
            moved += _copied(folder, place.segment.path, f"sealed-{os.path.basename(place.segment.path)}")
    rest: bytes | None = None
    sealed: list[object] = []
    for place, lines in zip(salvaged.places[:-1], mended.lines):
        if place.segment is not None and _same(place, lines):
            sealed.append(place.segment)
        elif lines:
            sealed.append(b"".join(lines))
    if _open_changed(salvaged, mended):
        moved += _copied(folder, log.path, f"{_stem(log.path)}.jsonl")
        rest = b"".join(mended.lines[-1])
    # The indexes say where each line begins: from here on they would be wrong, and none is better than a wrong one.
    for name in INDEX_NAMES:
        with atomic.write_errors(os.path.join(folder, name)), contextlib.suppress(FileNotFoundError):
            beneath.unlink(os.path.join(folder, name))
    log.rewrite(sealed, rest)  # type: ignore[arg-type]
    return moved


def _open_changed(salvaged: Salvaged, mended: RepairedLog) -> bool:
    """What stands behind the last run is put aside by whoever makes the indexes again."""
    return not _same(salvaged.places[-1], [*mended.lines[-1], *mended.unfinished])


def _same(place: Place, lines: list[bytes]) -> bool:
    return not place.fault and place.content == b"".join(lines)


def _copied(folder: str, path: str, name: str) -> list[str]:
    """Copy a damaged file into the quarantine folder, once; its name there."""
    if not os.path.isfile(path) or os.path.islink(path):
        return []
    return [f"{QUARANTINE}/{quarantined(os.path.join(folder, QUARANTINE), path, name)}"]


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]
