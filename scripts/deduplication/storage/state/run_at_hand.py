"""The run whose lines are being read: what it brought up to now. Its commit record, which comes last, says what it showed."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from ..log.records import announces, base64_size
from . import unannounced
from .announcements import Bodies
from .checks import NOWHERE, span_of
from .run_counts import bodies_of
from .run_places import note_run

if TYPE_CHECKING:
    from ..log.lines import Extent, Line, Record
    from .checks import Span
    from .conversation import ConversationState
    from .log_state import State


class RunAtHand:
    """Begins at byte ``start`` of the log."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.bodies = Bodies([], [], [])
        self.numbers = array("q")
        """The sequence numbers that it brings, of a part of a growing file."""
        self._new: set[Span] = set()
        """Where in its file it has new messages."""
        self._again: list[tuple[Span, int]] = []
        """Where in its file it has blobs that were there before, and their bytes as Base64."""

    def count(self, state: ConversationState, record: Record, identity: str, *, brings: bool) -> None:
        """Note the body of the next occurrence of a conversation, and the occurrence whose place it takes."""
        self.numbers.append(len(state))
        (self.bodies.brought if brings else self.bodies.again).append(identity)
        taken = record.get("extends")
        if record["source"].get("redrawn") and type(taken) is int:
            drawn = state.take_place(taken, len(state))
            if drawn:
                self.bodies.redrawn.append((identity, drawn))

    def brings(self, record: Record) -> None:
        """An occurrence brings a body."""
        self._new.add(span_of(record))

    def blob_again(self, record: Record, size: int) -> None:
        """A blob of so many bytes in a new body was there before."""
        self._again.append((span_of(record), base64_size(size)))

    def pictures_again(self, record: Record, characters: int) -> None:
        """A body that was there before has blobs of so many characters as Base64."""
        self._again.append((span_of(record), characters))

    def announced(self) -> None:
        """Its bodies and numbers are accounted for."""
        self.bodies, self.numbers = Bodies([], [], []), array("q")

    def doubled(self) -> int:
        """Once it ends: bytes of blobs that were there before, in the places of new messages.

        One line of a transcript has several messages: where one of them is new, all of the line is.
        """
        new, again = self._new - {NOWHERE}, self._again
        self._new, self._again = set(), []
        return sum(size for span, size in again if span in new)


def announce(state: State, conversation: ConversationState, record: Record, line: Line | Extent) -> None:
    """Account for what the run at hand brought, for what its commit record says that it showed, and for where that stands."""
    note_run(conversation.runs, line.offset, line.end)
    captures = not announces(record)
    may_wait = [] if captures else unannounced.may_wait(conversation, record["window"])
    shown = bodies_of(conversation, may_wait)
    state.run = state.announced.add(state.at_hand.bodies._replace(shown=shown), captures=captures)
    if captures:
        unannounced.captured(conversation, state.at_hand.numbers)
    else:
        unannounced.announced(conversation, may_wait)
    state.at_hand.announced()
