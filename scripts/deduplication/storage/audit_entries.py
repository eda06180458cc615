"""What an audit says of a run, however it is kept: as a line of a file, or as a row of a database."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final, Optional

from ..files import atomic
from ..project.paths import AUDIT
from ..start.late_tuple import NamedTuple
from .log.lines import decode_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .log.lines import Record

OF_RUNS: Final = ("process_export", "capture", "purge", "title")
"""Operations that follow from lines of the log."""
_BESIDES: Final = ("new_messages", "captured_messages")
"""What a line has besides that has no column in the original design."""


class AuditEntry(NamedTuple):
    """The original design's columns; ``created_at`` in ISO 8601."""

    conversation_id: str
    operation: str
    messages_processed: int
    duplicates_filtered: int
    storage_savings_pct: Optional[float]
    processing_time_ms: Optional[int]
    created_at: str
    metadata: Mapping[str, Any]


def entry_of(said: Record) -> AuditEntry:
    """What a line of the audit file says."""
    return AuditEntry(
        said["conversation_id"],
        said["operation"],
        said.get("messages_processed", 0),
        said.get("duplicates_filtered", 0),
        said.get("storage_savings_pct"),
        said.get("processing_time_ms"),
        said["created_at"],
        {**said["metadata"], **{name: said[name] for name in _BESIDES if name in said}},
    )


def read(folder: str) -> Iterator[AuditEntry]:
    """Those of the store in a folder. Raises ``Damaged``."""
    with contextlib.suppress(FileNotFoundError), atomic.open_regular(os.path.join(folder, AUDIT)) as file:
        for line in file:
            yield entry_of(decode_line(line))
