"""What can still be read of a damaged line: evidence for what it said, and the whole message where it proves itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Optional

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..storage.log.lines import Damaged, is_commit
from ..storage.log.records import message_of

if TYPE_CHECKING:
    from ..storage.state.blobs import Blobs

_WHOSE: Final = late_pattern(rb'\{"conversation_id":"((?:[^"\\]|\\.){1,300})"')
_INDEX: Final = late_pattern(rb'"index":(\d{1,12}),"timestamp"')
_HASH: Final = late_pattern(rb'"content_hash":"([0-9a-f]{64})"')
_MOMENT: Final = late_pattern(rb'"timestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)"')
_EXTENDS: Final = late_pattern(rb'"extends":(\d{1,12}),"')
_EXPORT: Final = late_pattern(rb'"sha256":"([0-9a-f]{64})","bytes":\d+,"format"')
_TOOK: Final = late_pattern(rb'"processing_time_ms":(\d{1,9})[,}]')
_HEAD: Final = 1000


class PartialLine(NamedTuple):
    """What a damaged line still says of itself; what cannot be read is empty, -1 or None."""

    conversation: str = ""
    number: int = -1
    content_hash: str = ""
    timestamp: str = ""
    extends: Optional[int] = None
    export: str = ""
    """SHA-256 of the export where the line was a commit record."""
    took: Optional[int] = None
    purged: bool = False
    """Whether it was a tombstone."""


def parse_partial(line: bytes) -> PartialLine:
    """What can be read of a damaged line."""
    head = line[:_HEAD]
    whose, number, identity = _WHOSE.match(head), _INDEX.search(head), _HASH.search(head)
    moment, extends = _MOMENT.search(head), _EXTENDS.search(head)
    export, took = _EXPORT.search(line[:4096]), _TOOK.search(line)
    name = ""
    if whose:
        try:
            name = json.loads(b'"%s"' % whose[1])
        except ValueError:
            name = ""
    return PartialLine(
        name,
        int(number[1]) if number else -1,
        identity[1].decode() if identity else "",
        moment[1].decode() if moment else "",
        int(extends[1]) if extends else None,
        export[1].decode() if export else "",
        int(took[1]) if took else None,
        b'"purged":' in head,
    )


def proven(line: bytes, blobs: Blobs) -> Optional[dict[str, Any]]:
    """The record of a damaged line whose message still has the content hash that it names; None where it does not.

    Damage in the checksum, or in a member beside the message, leaves such a line.
    """
    record = _loaded(line)
    if record is None or "message" not in record or not isinstance(record.get("conversation_id"), str):
        return None
    if type(record.get("index")) is not int or not isinstance(record.get("content_hash"), str):
        return None
    from ..alignment.fingerprint import fingerprint

    try:
        found = blobs.fingerprint(record) or fingerprint(message_of(record))
    except (Damaged, KeyError, TypeError, ValueError, AttributeError):
        return None
    source = record.get("source")
    whole = isinstance(source, dict) and isinstance(source.get("clock"), str) and isinstance(source.get("export"), str)
    if found.content_hash != record["content_hash"] or not whole or not isinstance(record.get("timestamp"), str):
        return None
    return record


def commit(line: bytes) -> Optional[dict[str, Any]]:
    """A damaged commit record that is still one by its form; whether it is right, what it counts must show."""
    record = _loaded(line)
    if record is None or not is_commit(record) or not isinstance(record.get("conversation_id"), str):
        return None
    return record


def _loaded(line: bytes) -> Optional[dict[str, Any]]:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    record.pop("crc32", None)
    return record
