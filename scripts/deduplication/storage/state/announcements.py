"""Which messages are new: each is announced once, by the first export that shows it. One rule, and the log alone decides.

A run over an export announces every body that its window shows and that no run before it announced. A part of a growing file
announces nothing: what it brings waits for the export that shows it.

A body is counted while an occurrence stands for it. One whose place another drawing of the message took, or what a transcript
wrote of it, stands for nothing any more; and what took its place is no other message: it was announced where that one was. So
after every run, for the bodies that are counted (``unique``):

    the sum of all announcements + waiting = unique + redrawn

``redrawn`` is what drawings do to this: the bodies that were announced by themselves and are not counted any more, less those
that are counted and were announced only as the drawing whose place they took. Where one takes the place of one it stays as it was.
It grows where two bodies, each announced, turn out to be one message, and shrinks where one turns out to be two.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from ...start.late_tuple import NamedTuple
from ..contract import Counts, Totals
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY: Final = 16
"""Digits of a content hash by which a body is found here."""
_PLAIN: Final = 2
"""What is noted of a body that nothing is noted of: one occurrence stands for it, and it was announced."""


class Bodies(NamedTuple):
    """The bodies of a run by their content hashes; those of bookkeeping, and what was purged, are left out.

    ``brought``: those that come with it. ``again``: of each occurrence of a body that was there. ``redrawn``: of each occurrence
    that takes the place of another drawing its body and that one's. ``shown``: those of the window that were stored
    before, as far as they may wait.
    """

    brought: list[str]
    again: list[str]
    redrawn: list[tuple[str, str]]
    shown: Iterable[str] = ()


class Announcements:
    """What was announced of the bodies of a log, run by run.

    ``noted`` has of a body the occurrences that stand for it, doubled, and one more where it waits.
    """

    def __init__(self, noted: Table[int] | None = None) -> None:
        self.noted: Table[int] = noted if noted is not None else Table()
        self.unique = 0
        """Bodies that an occurrence stands for."""
        self.waiting = 0
        """Those of them that were captured and that no export announced yet."""
        self.redrawn = 0

    def totals(self) -> Totals:
        """What all runs come to."""
        return Totals(self.unique, self.waiting, self.redrawn)

    def count(self, bodies: Bodies, *, captures: bool) -> Counts:
        """What a run comes to; ``captures``: it is a part of a growing file. Nothing is changed."""
        return _Run(self.noted, self.waiting).of(bodies, captures=captures)

    def add(self, bodies: Bodies, *, captures: bool) -> Counts:
        """Take account of a run, as :meth:`count`."""
        run = _Run(self.noted, self.waiting)
        counts = run.of(bodies, captures=captures)
        self._take(run)
        return counts

    def merge(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Of two occurrences that turned out to be one message the second body stands for nothing any more."""
        run = _Run(self.noted, self.waiting)
        run.merge(pairs)
        self._take(run)

    def _take(self, run: _Run) -> None:
        for key, value in run.noted.items():
            if value != _PLAIN or self.noted.get(key) is not None:
                self.noted[key] = value
        self.unique += run.unique
        self.waiting = run.waiting
        self.redrawn += run.redrawn


class _Run:
    """One run over what was noted before it; ``unique`` and ``redrawn`` are what it changes of these numbers."""

    def __init__(self, before: Table[int], waiting: int) -> None:
        self._before = before
        self.noted: dict[str, int] = {}
        self.waiting = waiting
        self.unique = self.redrawn = 0

    def of(self, bodies: Bodies, *, captures: bool) -> Counts:
        """What it comes to."""
        announced = {identity: False for identity, _ in bodies.redrawn}
        for identity, drawn in bodies.redrawn:
            announced[identity] |= not self._waits(drawn)
        stored = 0
        for identity in bodies.brought:
            self.unique += 1
            self.noted[identity[:KEY]] = _PLAIN
            if identity not in announced:
                stored += 1
                self._set(identity, waits=captures)
            elif announced[identity]:
                self.redrawn -= 1
            else:
                self._set(identity, waits=True)
        for identity in bodies.again:
            self._set(identity, rows=1)
            if announced.get(identity) and self._waits(identity):
                self._set(identity, waits=False)
                self.redrawn -= 1
        for _, drawn in bodies.redrawn:
            self._set(drawn, rows=-1)
        if captures:
            return Counts(stored)
        captured = self._announce(chain(bodies.shown, bodies.again, bodies.brought))
        return Counts(stored, stored + captured, captured)

    def merge(self, pairs: Iterable[tuple[str, str]]) -> None:
        """The second body of each pair loses an occurrence to the first one."""
        for stays, goes in pairs:
            if stays != goes and self._waits(stays) and not self._waits(goes):
                self._set(stays, waits=False)
                self.redrawn -= 1
            self._set(goes, rows=-1)

    def _announce(self, shown: Iterable[str]) -> int:
        """Announce what waits; returns how many bodies that are."""
        if not self.waiting:
            return 0
        waiting = {identity[:KEY]: identity for identity in shown if self._waits(identity)}
        for identity in waiting.values():
            self._set(identity, waits=False)
        return len(waiting)

    def _value(self, key: str) -> int:
        value = self.noted.get(key)
        if value is None:
            value = self._before.get(key)
        return _PLAIN if value is None else value

    def _waits(self, identity: str) -> bool:
        return bool(self._value(identity[:KEY]) % 2)

    def _set(self, identity: str, *, rows: int = 0, waits: bool | None = None) -> None:
        """Note so many occurrences more of a body, or whether it waits, and keep the numbers in step."""
        key = identity[:KEY]
        before = self._value(key)
        after = before + 2 * rows
        if waits is not None:
            after = after - after % 2 + waits
        self.noted[key] = after
        stood, stands = before > 1, after > 1
        self.unique += stands - stood
        self.waiting += (stands and after % 2) - (stood and before % 2)
        self.redrawn += (not stands and not after % 2) - (not stood and not before % 2)
