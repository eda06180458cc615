"""A store with a log copied into another one, run by run, and proven: what ``migrate`` does between backends."""

from __future__ import annotations

import contextlib
import time
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from ..start.late_tuple import NamedTuple
from ..storage.heads import head_at
from ..storage.log.followed_log import LogReplaced
from ..storage.recounted import recounted
from .copying import copy
from .errors import MigrationUnproven, SourceDamaged, SourceRewritten
from .proof import Proof, chain_of, prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from ..storage.log.lines import Line
    from ..storage.log_backed import LogBackedStore, LogMoment
    from .copying import Copied

    Progress = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]

_MOST: Final = 20
"""Differences that are named."""


class Moved(NamedTuple):
    """What was copied, and what was proven then, with the seconds that each took."""

    copied: Copied
    proof: Proof
    copy_seconds: float
    proof_seconds: float


def move(source: LogBackedStore, target: LogBackedStore, progress: Progress) -> Moved:
    """Copy what the target lacks, then prove that both say the same.

    The source is taken as it is when this begins: what comes into it meanwhile is for the next time. Raises what
    :func:`.copying.copy` raises, :class:`MigrationUnproven`, and :class:`SourceRewritten`.
    """
    began = time.perf_counter()
    with _unchanged(source) as moment:
        with progress(moment.size, "Migrating") as advance:
            copied = copy(moment, target, Steps(advance).reached)
        copied_at = time.perf_counter()
        with progress(moment.size, "Verifying") as advance:
            found = _extended(moment, target) if copied.ahead else _proven(moment, target, advance)
    problems = [each for each in target.verify() if not any(digest in each for digest in found.lost)]
    require(target, [*found.differences, *problems])
    return Moved(copied, found, copied_at - began, time.perf_counter() - copied_at)


@contextlib.contextmanager
def _unchanged(source: LogBackedStore) -> Iterator[LogMoment]:
    """The source at this moment. Raises :class:`SourceRewritten` at the end, where its log does not go on from there."""
    try:
        with source.at_one_moment() as moment:
            yield moment
    except LogReplaced as error:
        raise SourceRewritten(source.where()) from error
    with source.transaction(write=False):
        if head_at(source, moment.size) != moment.head:
            raise SourceRewritten(source.where())


def require(target: LogBackedStore, differences: list[str]) -> None:
    """Raise :class:`MigrationUnproven` where there are any."""
    if differences:
        more = [f"and {len(differences) - _MOST:,} more"] if len(differences) > _MOST else []
        raise MigrationUnproven(f"{target.where()}: {'; '.join([*differences[:_MOST], *more])}")


class Steps:
    """Where somebody is, told as the steps between."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._at = 0

    def reached(self, at: int) -> None:
        """So far."""
        self._advance(at - self._at)
        self._at = at


def _proven(moment: LogMoment, target: LogBackedStore, advance: Callable[[int], None]) -> Proof:
    with recounted(moment) as source:
        lost = source.lost_blobs()
        problems = [each for each in source.problems if not any(digest in each for digest in lost)]
        if problems:
            raise SourceDamaged(problems[0])
        return prove(source, target, advance)


def _extended(moment: LogMoment, target: LogBackedStore) -> Proof:
    """Of a target that had all of the source already, and went on since: that it has its lines."""
    with target.transaction(write=False):
        pairs = zip_longest(_data(moment.lines()), _data(target.lines(0, moment.size)))
        same = all(one == other for one, other in pairs)
    chain = chain_of(moment.lines())
    differences = [] if same else ["the log: it has other lines than the source"]
    return Proof(chain.head.run, 0, 0, 0, chain.head.digest, frozenset(), differences)


def _data(lines: Iterable[Line]) -> Iterator[bytes]:
    return (line.data for line in lines)
