"""What a search looks for, and what it finds, wherever the store lies."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable, Optional

from ..alignment.plain_text import is_own_output, readable
from ..files.clock import microseconds
from ..model import counts
from ..start.late_dataclass import dataclass, field
from ..start.late_tuple import NamedTuple
from ..words.excerpts import Text
from ..words.terms import has
from .quick_look import looks, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..words.terms import Term
    from .quick_look import Look


class Place(NamedTuple):
    """Where a message stands."""

    conversation: str
    number: int
    timestamp: str


@dataclass(frozen=True)
class Wanted:
    """What is looked for. ``role``, ``kind`` and ``conversation`` None: any. From ``since`` on and before ``until``, both in
    microseconds since 1970; a message without a time is at no time. ``matches`` tells of a text whether it is one that is looked
    for besides, by a pattern.
    """

    terms: tuple[Term, ...]
    role: Optional[str] = None
    kind: Optional[str] = None
    conversation: Optional[str] = None
    since: Optional[int] = None
    until: Optional[int] = None
    matches: Optional[Callable[[str], bool]] = None

    @cached_property
    def looks(self) -> list[Look]:
        """What a line has that may hold the terms."""
        return looks(self.terms)

    @cached_property
    def rows(self) -> list[bytes]:
        """What several lines have that may hold the phrases."""
        return rows(self.terms)

    def kind_fits(self, role: str, kind: str) -> bool:
        """True for what may be found at all: bookkeeping never is."""
        return counts(kind) and self.role in (None, role) and self.kind in (None, kind)

    def time_fits(self, timestamp: str) -> bool:
        """True for a time that is asked for."""
        if self.since is None and self.until is None:
            return True
        moment = microseconds(timestamp)
        return moment is not None and (self.since or moment) <= moment and (self.until is None or moment < self.until)

    def hit(self, content_hash: str, message: dict[str, Any]) -> Optional[Hit]:
        """The message as a hit, where it is one."""
        text = readable(message["content"])
        fits = self.kind_fits(message["role"], message["kind"]) and has(text, self.terms)
        fits = fits and (self.matches is None or self.matches(text))
        return Hit(content_hash, message) if fits and not is_own_output(message["kind"], text) else None


@dataclass
class Hit:
    """A body that has every term, and its places, as many as it occurs; ``more``: it may have others."""

    content_hash: str
    message: dict[str, Any]
    places: list[Place] = field(default_factory=list)
    more: bool = False

    @property
    def text(self) -> Text:
        """What was searched, prepared anew: of thousands of hits a few are shown."""
        return Text(readable(self.message["content"]))

    @property
    def newest(self) -> Place:
        """The place with the latest time."""
        return max(self.places, key=lambda place: (place.timestamp, place.number))


@dataclass
class Found:
    """Hits, the newest first; ``capped``: there may be more than were counted. ``damaged``: lines that could not be read.

    ``unfiltered`` are bytes of the log that were read because they have no filters.
    """

    hits: list[Hit] = field(default_factory=list)
    damaged: int = 0
    capped: bool = False
    unfiltered: int = 0


def newest_first(hits: Iterable[Hit]) -> list[Hit]:
    """In the order in which they are shown: those that have a place."""
    shown = [hit for hit in hits if hit.places]
    return sorted(shown, key=lambda hit: (hit.newest.timestamp, hit.newest.number, hit.content_hash), reverse=True)
