"""Is a file what it should be? Asked of those whose names or ends say so, when they are read for a snapshot."""

from __future__ import annotations

import contextlib
from typing import Final

from ..errors import ArchiveDamaged
from ..packs.pack_file import Pack
from ..start.late_pattern import late_pattern
from ..storage.log.sealed_files import PACK
from .source import ARCHIVE, STATE

SEALED: Final = late_pattern(rf"{STATE}/sealed/\d{{12}}-\d{{12,}}-([0-9a-f]{{8}})(\.pack|(?:\.lean)?\.jsonl\.xz)")
_BLOB: Final = late_pattern(rf"{STATE}/blobs/[0-9a-f]{{2}}/([0-9a-f]{{64}})")
_PACK: Final = late_pattern(rf"{ARCHIVE}/packs/pack-\d{{4,}}\.pack|{STATE}/sealed/[\d-]+-[0-9a-f]{{8}}\.pack")


def fault(path: str, place: str, sha256: str, crc32: int) -> str:
    """What is wrong with the file ``place``, read with this SHA-256 and CRC-32; empty where nothing is, or nobody can tell."""
    sealed = SEALED.fullmatch(path)
    if sealed and sealed[2] != PACK and int(sealed[1], 16) != crc32:
        return "its checksum does not match"
    blob = _BLOB.fullmatch(path)
    if blob and blob[1] != sha256:
        return "not the bytes that its name says"
    if _PACK.fullmatch(path):
        try:
            with contextlib.closing(Pack(place)) as pack:
                return "" if pack.is_intact() else "its SHA-256 does not match"
        except ArchiveDamaged as error:
            return error.detail
    return ""
