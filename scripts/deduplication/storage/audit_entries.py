"""What an audit says of a run, however it is kept: as a line of a file, or as a row of a database.

The audit of the runs follows from the log, and is made again from it. What is done to a store besides, and what failed, follows
from nothing: that is kept in a file of its own, which is only appended to, or among the rows of the database, in the same columns.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import StoreError
from ..files import atomic
from ..files.clock import timestamp
from ..project.paths import AUDIT, OPERATIONS
from ..start.late_tuple import NamedTuple
from .log.lines import Damaged, decode_line, encode_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .log.lines import Record

OF_RUNS: Final = ("process_export", "capture", "purge", "title")
"""Operations that follow from lines of the log."""
REBUILD: Final = "rebuild"
MIGRATE: Final = "migrate"
REPAIR: Final = "repair"
BACKUP: Final = "backup"
RESTORE: Final = "restore"
UNITE: Final = "unite"
FAILURE: Final = "failure"
"""Operations that no line of the log tells of. Of a failure ``metadata`` has the ``kind`` and the error's name, and no text."""
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


def operation(name: str, milliseconds: int = 0, messages: int = 0, **figures: Any) -> AuditEntry:
    """What is to be noted of an operation that just ended. ``figures`` are counts and names of ours: nothing that anybody said."""
    return AuditEntry("", name, messages, 0, None, milliseconds, timestamp(), figures)


def note(folder: str, entry: AuditEntry) -> None:
    """Append an operation to those of the store in a folder. Raises ``StoreNotWritable``, and ``StoreNotPrivate`` for another's.

    It is one write, so that two processes at once leave two lines. What a killed one left half is ended by the next line's break.
    """
    from .store_folder import require_own

    require_own(folder)
    told = {name: value for name, value in entry._asdict().items() if value is not None}
    path = os.path.join(folder, OPERATIONS)
    atomic.append(path, (b"" if _ends_with_a_line(path) else b"\n") + encode_line(told), durable=False)


def note_in_folder(folder: str, name: str, began: float, **figures: Any) -> None:
    """The same of what was done to the files of a folder since ``began`` of the monotonic clock. Best effort: it is done."""
    if os.path.isdir(folder):
        with contextlib.suppress(StoreError, OSError):
            note(folder, operation(name, round(1000 * (time.monotonic() - began)), **figures))


def operations(folder: str) -> Iterator[AuditEntry]:
    """Those noted of the store in a folder, in their order; a line that is none is passed over."""
    with contextlib.suppress(FileNotFoundError), atomic.open_regular(os.path.join(folder, OPERATIONS)) as file:
        for line in file:
            with contextlib.suppress(Damaged, KeyError, TypeError, AttributeError):
                yield entry_of(decode_line(line))


def _ends_with_a_line(path: str) -> bool:
    try:
        with atomic.open_regular(path) as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    except OSError:
        return True  # missing, or empty
