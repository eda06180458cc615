"""Images and documents of which the bytes are gone: from the export or the transcript that showed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..storage.log.lines import Damaged, decode_line
from ..storage.log.records import blobs_of
from ..storage.log.salvage import salvage
from ..storage.state.blobs import BlobLost, Blobs
from ..storage.state.references import lift
from . import damage

if TYPE_CHECKING:
    from ..storage.log.append_log import Log
    from .damage import Finding
    from .log_repair import RepairedLog


def keep_blobs(log: Log) -> None:
    """Have the images of messages as files: a damaged pack may have those of a file that cannot be restored."""
    records = (piece.record for piece in salvage(log).pieces if piece.record is not None)
    Blobs.beside(log).keep_own(sorted({digest for record in records for digest in blobs_of(record)}))
    log.close()


def repair_blobs(mended: RepairedLog) -> list[Finding]:
    """Look at every blob that the log refers to; what is damaged, and what has it goes into ``mended.blobs``."""
    found: dict[str, Finding] = {}
    for lines in mended.lines:
        for line in lines:
            if b'"blobs":{' not in line:
                continue
            try:
                record = decode_line(line)
            except Damaged:
                continue
            for digest in blobs_of(record):
                if digest not in found and digest not in mended.blobs and (fault := _fault(mended, digest)):
                    found[digest] = _found(mended, record, digest, fault)
    return list(found.values())


def _fault(mended: RepairedLog, digest: str) -> str:
    try:
        mended.replay.blobs.read(digest)
    except BlobLost:
        return mended.replay.blobs.lost[digest]
    return ""


def _found(mended: RepairedLog, record: dict[str, Any], digest: str, fault: str) -> Finding:
    name, number = record["conversation_id"], record["index"]
    file = ""
    shown = mended.evidence.found(name, number, record["content_hash"], exactly=True)
    if shown is not None:
        data: Optional[bytes] = lift(shown.message.content)[1].get(digest)
        if data is not None:
            mended.blobs[digest] = data
            file = shown.file
    where = f"blobs/{digest[:2]}/{digest}"
    return damage.Finding(
        damage.BLOB,
        where,
        fault,
        bool(file),
        conversation=name,
        numbers=((number, number),),
        messages=1,
        file=file,
        sha256=digest,
        bytes=int(blobs_of(record)[digest]),
    )
