"""What the log says, counted: the content of every index.

Built by applying log records one after another (``apply``). Nothing here touches a file: what an index has on disk already is
asked for through :class:`Stored`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ...alignment.tombstone import Bans
from ...figures.savings import Seen
from ..contract import Counts, StoreFigures
from ..log.lines import BEGINNING
from ..log.records import tombstone_from, tombstone_record
from .announcements import Announcements
from .bodies import Bodies
from .conversation import ConversationState
from .run_at_hand import RunAtHand
from .stretches import Stretches
from .table import Table

if TYPE_CHECKING:
    from ...alignment.tombstone import Tombstone
    from ..log.lines import Extent, Line, Record
    from .prefixes import NotedPrefix
    from .table_records import ReadTo, ShownIn
    from .whereabouts import Whereabouts


class Stored(Protocol):
    """What an index has already."""

    def table(self, name: str) -> Table[Any]:
        """The table of this name."""

    def whereabouts(self) -> Whereabouts:
        """Where bodies, ids and turns stand."""


def _in_memory(_name: str) -> Table[Any]:
    return Table()


class State:
    """Everything the indexes hold. ``size`` is the number of log bytes that it accounts for."""

    def __init__(self, stored: Stored | None = None) -> None:
        self.size = 0
        self.head = BEGINNING
        """The head of these bytes of the log (``log.lines``): what the next commit record names."""
        table = stored.table if stored is not None else _in_memory
        self.conversations: Table[ConversationState] = table("conversations")
        self.names: Table[str] = table("names")
        """Of each conversation by its number."""
        self.exports: Table[list[ShownIn]] = table("exports")
        self.sessions: Table[str] = table("sessions")
        self.cursors: Table[ReadTo] = table("cursors")
        """By the path of each growing file."""
        self.blobs: Table[int] = table("blobs")
        """Bytes of each blob that a line refers to."""
        self.pictures: Table[int] = table("pictures")
        """Bytes as Base64 of the blobs in each body that has any, by its content hash."""
        self.standing: Table[int] = table("standing")
        """See ``standing``."""
        self.whereabouts: Whereabouts = stored.whereabouts() if stored is not None else Stretches()
        self.bodies = Bodies(self.whereabouts)
        self.begun = 0
        """Conversations that were ever begun."""
        self.fresh = 0
        """Occurrences since an index had everything."""
        self.announced: Announcements = Announcements(table("noted"))
        self.prefixes: Table[list[NotedPrefix]] = table("prefixes")
        """How exports begin, by their heads."""
        self.seen_bytes = Seen()
        self.figures = StoreFigures()
        """The sums of what :func:`~.figures.add_run` added to conversations that are none of another's."""
        self.pending: list[tuple[Record, Line | Extent]] = []
        """What the run at hand says of conversations that are one: it holds from its end on."""
        self.occurrences = 0
        """Sequence numbers given, lost ones aside."""
        self.banned: list[Record] = []
        """What was purged wherever it is shown: the lines of their tombstones, without their places."""
        self.unreadable = 0
        """Damaged lines that were passed over so far: as many sequence numbers may be missing."""
        self.run = Counts()
        """What the last run came to."""
        self.at_hand = RunAtHand(0)
        """The run whose lines are being read."""

    # -- applying the log --------------------------------------------------------------------------------------

    def conversation(self, conversation_id: str) -> ConversationState:
        """The state of a conversation; an unknown one is empty and not entered."""
        found = self.conversations.get(conversation_id)
        return found if found is not None else ConversationState()

    def begins_at(self, size: int) -> None:
        """What is to be applied next stands at this byte of the log."""
        self.size = size
        self.at_hand = RunAtHand(size)

    def entered(self, conversation_id: str) -> ConversationState:
        """The state of a conversation that is about to change."""
        state = self.conversations.get(conversation_id)
        if state is None:
            state = ConversationState()
            state.number = self.begun
            self.names[str(self.begun)] = conversation_id
            self.begun += 1
            self.figures = self.figures.plus(conversations=1)
        self.conversations[conversation_id] = state
        return state

    def lose(self, conversation_id: str, number: int) -> None:
        """The sequence number stays taken, by a message of which no line is left."""
        self.entered(conversation_id).keep_lost(number + 1)

    @property
    def missing(self) -> int:
        """How many sequence numbers the lines that could not be read may have taken.

        One of them may have said that a whole conversation is part of another one.
        """
        return self.unreadable and self.unreadable + self.occurrences

    def canonical(self, conversation_id: str) -> tuple[str, int]:
        """The conversation that this one turned out to be, and the number that its number 0 has there."""
        at = 0
        while True:
            if conversation_id in self.whereabouts.apart and self.conversations.known(conversation_id) is None:
                return conversation_id, at
            adopted_by = self.conversation(conversation_id).adopted_by
            if adopted_by is None:
                return conversation_id, at
            conversation_id, at = adopted_by.conversation_id, adopted_by.at + at

    def ban(self, tombstone: Tombstone) -> None:
        """What was purged wherever it is shown is noted once."""
        ban = tombstone_record("", 0, tombstone, None, None)
        ban.pop("uuid", None)
        if tombstone.everywhere and ban not in self.banned:
            self.banned.append(ban)

    def bans(self) -> Bans:
        """What was purged wherever it is shown."""
        return Bans(map(tombstone_from, self.banned))

    def saved(self) -> None:
        """An index has everything now."""
        for name in self.conversations.changed:
            self.conversation(name).saved()
        for table in self._tables():
            table.changed.clear()
        self.whereabouts.saved()
        self.bodies.saved()
        self.fresh = 0

    def let_go(self) -> None:
        """Keep nothing in memory that an index has: of a log of any length it can be told."""
        for table in self._tables():
            table.let_go()
        self.whereabouts.let_go()
        self.bodies.let_go()

    def table(self, name: str) -> Table[Any]:
        """The table of this name."""
        table: Table[Any] = self.announced.noted if name == "noted" else getattr(self, name)
        return table

    def _tables(self) -> tuple[Table[Any], ...]:
        return (
            self.conversations,
            self.names,
            self.exports,
            self.sessions,
            self.cursors,
            self.blobs,
            self.pictures,
            self.standing,
            self.announced.noted,
            self.prefixes,
        )

    # -- answers -----------------------------------------------------------------------------------------------

    @property
    def unique(self) -> int:
        """Bodies stored, bookkeeping aside, each message once."""
        return self.announced.unique

    def has_body(self, identity: str) -> bool:
        """True where a line carries the body with this content hash."""
        return self.bodies.offset(identity) is not None
