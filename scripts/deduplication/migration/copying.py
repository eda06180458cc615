"""The lines of a source's log taken over by a target as they are, behind those that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_tuple import NamedTuple
from ..storage.database.errors import DatabaseError
from ..storage.heads import head_at
from ..storage.log.lines import Damaged
from .errors import SourceDamaged, TargetHoldsOther

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..storage.log_backed import LogBackedStore, LogMoment

_PATIENCE: Final = 5
"""Times that a connection to the target may be lost before anything more was stored."""


class Copied(NamedTuple):
    """Bytes of the log that the target had, and has; ``ahead``: so many that the source does not have."""

    before: int
    size: int
    ahead: int = 0


def copy(
    source: LogMoment,
    target: LogBackedStore,
    tell: Callable[[int], None],
    each: Callable[[bytes], None] = lambda _line: None,
) -> Copied:
    """Take over what the target lacks, durably as it goes; ``tell`` hears how many bytes are there, ``each`` of each line.

    Raises :class:`TargetHoldsOther` where the target does not have a beginning of the source's log, :class:`SourceDamaged`,
    ``StoreNotWritable``, ``DatabaseError``.
    """
    before = size = lost_at = -1
    failures = 0
    while True:
        try:
            with target.transaction():
                size = common(source, target)
                before = size if before < 0 else before
                ahead = target.log_size() - size
                tell(size)
                for reached in _load(source, target, size, each):
                    size = reached
                    tell(size)
            return Copied(before, size, ahead)
        except DatabaseError as error:
            failures = failures + 1 if size == lost_at else 1
            lost_at = size
            if size < 0 or not error.transient or failures == _PATIENCE:
                raise  # who did not even get there has waited already


def common(source: LogMoment, target: LogBackedStore) -> int:
    """Bytes with which both begin: all of the one that has fewer. Raises :class:`TargetHoldsOther`."""
    at = min(source.size, target.log_size())
    if head_at(source, at) != head_at(target, at):
        raise TargetHoldsOther(target.where())
    return at


def _load(source: LogMoment, target: LogBackedStore, at: int, each: Callable[[bytes], None]) -> Iterator[int]:
    def lines() -> Iterator[bytes]:
        for line in source.lines(at):
            yield line.data
            each(line.data)

    try:
        yield from target.load(lines(), source.blobs.read)
    except Damaged as error:
        raise SourceDamaged(str(error)) from error
