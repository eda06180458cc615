"""What the lines of a log come to, counted anew by nobody's word: to be asked as a store is, and for no more than that."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING, NoReturn

from .answers import Answers
from .index.index import Index
from .log.chain import Chain
from .recount import recount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .log.append_log import Log
    from .log_backed import LogMoment
    from .state.blobs import Blobs
    from .state.log_state import State


class _Known:
    """See ``known.Known``."""

    def __init__(self, state: State, moment: LogMoment) -> None:
        self.state = state
        self.log: Log = moment.log
        self.blobs: Blobs = moment.blobs


class Recounted(Answers):
    """``problems``: a line for each thing that is wrong with the lines. ``size``: bytes of its complete runs.

    ``audit`` has the lines of the audit file that follow, ``chain`` the heads.
    """

    def __init__(self, moment: LogMoment, folder: str) -> None:
        self.chain = Chain()
        self.audit: list[bytes] = []
        index = Index(folder, moment.log, moment.blobs, _no_other)
        lines = moment.lines()
        state, self.problems, self.size = recount(moment.log, index, self._note, self.chain, lines, moment.blobs)
        super().__init__(_Known(state, moment))

    def _note(self, said: bytes) -> None:
        if said:
            self.audit.append(said)

    def every_conversation(self) -> Sequence[str]:
        """All ids that the log has, those of conversations that turned out to be others included."""
        return self._known.state.conversations.names()

    def lost_blobs(self) -> frozenset[str]:
        """Images and documents that cannot be read, by the hashes of their bytes, of those that were asked for."""
        return frozenset(self._known.blobs.lost)


@contextlib.contextmanager
def recounted(moment: LogMoment) -> Iterator[Recounted]:
    """Read every line, recompute every content hash, and count; what it takes lies in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Recounted(moment, folder)


def _no_other(_index: Index, _size: int) -> NoReturn:
    """An index that nobody else writes is not made again."""
    raise AssertionError
