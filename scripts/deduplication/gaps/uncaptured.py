"""Which transcripts are not, or not wholly, captured: told by how far each was read, and by whether a whole line stands behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..errors import DedupError
from ..files.safe_read import open_regular, take
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..project.client_transcripts import Transcript
    from ..storage.contract import Store

QUIET: Final = 300
"""Seconds after which a session that is not captured is no longer one that is just being written to."""
AT_RISK_DAYS: Final = 7
"""Days before the client deletes a transcript in which it is at risk, where it is not captured."""
_STEP: Final = 1 << 20


class Behind(NamedTuple):
    """A transcript, and up to which byte it is captured."""

    transcript: Transcript
    offset: int

    @property
    def known(self) -> int:
        """Up to which byte of the file as it is now; 0 for one that became shorter."""
        return self.offset if self.offset <= self.transcript.size else 0

    @property
    def bytes(self) -> int:
        """What is not captured; all of a file that became shorter, which has to be read again."""
        return self.transcript.size - self.known


def behind(store: Store | None, transcripts: Iterable[Transcript]) -> list[Behind]:
    """Those of ``transcripts`` that are not wholly captured; ``store`` None: all of them, where they have a whole line."""
    offsets: dict[str, int] = {}
    if store is not None:
        with store.transaction(write=False):
            offsets = {cursor.source: cursor.offset for _, cursor in store.cursors()}
    found = [Behind(each, offsets.get(os.path.realpath(each.path), 0)) for each in transcripts]
    return [each for each in found if _lags(each)]


def _lags(each: Behind) -> bool:
    """True where a whole line stands behind what was captured; a file that was cut has to be read again as well."""
    if each.transcript.size <= each.offset:
        return each.transcript.size < each.offset
    try:
        descriptor, _ = open_regular(each.transcript.path)
        try:
            os.lseek(descriptor, each.offset, os.SEEK_SET)
            return any(b"\n" in part for part in iter(lambda: take(descriptor, _STEP), b""))
        finally:
            os.close(descriptor)
    except DedupError:
        return False
