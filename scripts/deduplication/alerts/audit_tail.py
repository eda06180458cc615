"""The last lines of the audit: what rules of runs look at. Bounded, whatever the age of the store."""

from __future__ import annotations

import contextlib
import os
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ..accounting.run_history import seconds
from ..files import atomic
from ..project.paths import AUDIT
from ..storage.audit_entries import entry_of
from ..storage.log.audit import PROCESS_EXPORT
from ..storage.log.lines import Damaged, decode_line
from ..storage.log.records import CAPTURE, PURGE
from ..storage.log_backed import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.audit_entries import AuditEntry
    from .place import Place

_TAIL: Final = 2 * 1024 * 1024
"""Bytes: some four thousand runs."""


class AuditTail:
    """What the audit of a place says last."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @cached_property
    def entries(self) -> list[AuditEntry]:
        """The last entries in their order. Raises ``StoreError`` where a database has them and cannot be reached."""
        store = self._place.store
        if store is not None and folder_of(store) is None:
            elsewhere = store.log_backed()
            if elsewhere is None:
                return []
            with elsewhere.transaction(write=False):
                return [each for each in elsewhere.audit() if _has_a_time(each)]
        return [each for each in _last_lines(os.path.join(self._place.folder, AUDIT)) if _has_a_time(each)]

    @property
    def exports(self) -> list[AuditEntry]:
        """Those of exports."""
        return [each for each in self.entries if each.operation == PROCESS_EXPORT]

    @property
    def runs(self) -> list[AuditEntry]:
        """Those of exports and of parts of transcripts."""
        return [each for each in self.entries if each.operation in (PROCESS_EXPORT, CAPTURE)]

    def purged_after(self, moment: float) -> bool:
        """Whether something was purged after a moment, in seconds, or in the very second before it."""
        return any(each.operation == PURGE and seconds(each.created_at) > moment - 1 for each in self.entries)


def _has_a_time(entry: AuditEntry) -> bool:
    try:
        seconds(entry.created_at)
    except (ValueError, OverflowError):
        return False
    return True


def _last_lines(path: str) -> Iterator[AuditEntry]:
    try:
        with atomic.open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")
    except OSError:
        return
    for line in lines[1 if size > _TAIL else 0 :]:
        with contextlib.suppress(Damaged, KeyError, TypeError, ValueError):
            yield entry_of(decode_line(line + b"\n"))
