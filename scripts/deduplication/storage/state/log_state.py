"""What the log says, counted: the content of every index.

Built by applying log records one after another; the same log always gives the same state. Nothing here touches a file: what an
index has on disk already is asked for through :class:`~.table.Table` and :class:`Bodies`.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ...alignment.fingerprint import Fingerprint, fingerprint
from ...alignment.reading_order import BREAK, with_breaks
from ...alignment.tombstone import Bans
from ...figures.savings import Seen
from ...model import COMPACTION, counts
from ..carriers import Carriers
from ..contract import ConversationFigures, Counts, SeenExport
from ..log.lines import Damaged, is_commit
from ..log.records import (
    PURGE,
    PURGED,
    RECOUNTED,
    SAME,
    announces,
    audit_line,
    base64_size,
    blob_bytes,
    blobs_of,
    cursor_of,
    message_of,
    same_of,
    tombstone_from,
    tombstone_record,
)
from .announcements import Announcements
from .announcements import Bodies as RunBodies
from .conversation import AdoptedBy, ConversationState
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from ...alignment.tombstone import Tombstone
    from ..contract import Cursor, NewOccurrence
    from ..log.lines import Extent, Line, Record

Span = tuple[int, int]
_NOWHERE: Final = (-1, -1)


class ReadTo(NamedTuple):
    """How far a growing file was read: into which conversation, and which number was the next one then.

    ``window`` is the position of its window among those of the conversation, -1 where it showed nothing.
    """

    conversation_id: str
    cursor: Cursor
    tip: int
    window: int


class ShownIn(NamedTuple):
    """An export that was processed: what it came to in a conversation, and the position of its window there."""

    conversation_id: str
    parser: int
    format: str
    total: int
    window: int
    name: str


class Bodies(Protocol):
    """Where the bodies are."""

    def offset(self, identity: str) -> int | None:
        """At which byte of the log does the line begin that carries the body with this content hash?"""

    def fingerprint(self, identity: str) -> Fingerprint | None:
        """What is known of it? Its role and its ids are not kept."""

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another line carries a body."""


class MemoryBodies:
    """The bodies of a state that is in memory as a whole, found when first asked for."""

    def __init__(self, conversations: Table[ConversationState]) -> None:
        self._conversations = conversations
        self._offsets: dict[str, int] | None = None
        self._prints: dict[str, Fingerprint] | None = None

    def offset(self, identity: str) -> int | None:
        """The byte offset of the line that carries the body."""
        return self._all().get(identity)

    def fingerprint(self, identity: str) -> Fingerprint | None:
        """What is known of the body."""
        if self._prints is None:
            self._prints = {}
            for state in self._conversations.values():
                c = state.columns
                for row in zip(c.hashes, c.keys, c.kinds, c.weights):
                    self._prints[row[0]] = Fingerprint(row[0], row[1], row[2], "", row[3])
        return self._prints.get(identity)

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another body."""
        self._all()[identity] = offset
        if self._prints is not None:
            self._prints[identity] = item

    def _all(self) -> dict[str, int]:
        if self._offsets is None:
            self._offsets = {}
            for state in self._conversations.values():
                # Backwards, so that of several occurrences the first one stays: its line has the body.
                rows = zip(reversed(state.columns.hashes), reversed(state.lines))
                numbers = range(len(state) - 1, -1, -1)
                own = dict(row for number, row in zip(numbers, rows) if not state.purged or number not in state.purged)
                for shared in own.keys() & self._offsets.keys():
                    own[shared] = min(own[shared], self._offsets[shared])
                self._offsets.update(own)
        return self._offsets


class State:
    """Everything the indexes hold. ``size`` is the number of log bytes that it accounts for."""

    def __init__(
        self,
        conversations: Table[ConversationState] | None = None,
        exports: Table[list[ShownIn]] | None = None,
        sessions: Table[str] | None = None,
        cursors: Table[ReadTo] | None = None,
        bodies: Bodies | None = None,
        blobs: Table[int] | None = None,
        pictures: Table[int] | None = None,
        noted: Table[int] | None = None,
    ) -> None:
        self.size = 0
        self.conversations: Table[ConversationState] = conversations if conversations is not None else Table()
        self.exports: Table[list[ShownIn]] = exports if exports is not None else Table()
        self.sessions: Table[str] = sessions if sessions is not None else Table()
        self.cursors: Table[ReadTo] = cursors if cursors is not None else Table()
        """By the path of each growing file."""
        self.bodies: Bodies = bodies if bodies is not None else MemoryBodies(self.conversations)
        self.blobs: Table[int] = blobs if blobs is not None else Table()
        """Bytes of each blob that a line refers to."""
        self.pictures: Table[int] = pictures if pictures is not None else Table()
        """Bytes as Base64 of the blobs in each body that has any, by its content hash."""
        self.announced = Announcements(noted)
        self.seen_bytes = Seen()
        self._pending: list[tuple[Record, Line | Extent]] = []
        """What the run at hand says of conversations that are one: it holds from its end on."""
        self.occurrences = 0
        """Sequence numbers given, lost ones aside."""
        self.banned: list[Record] = []
        """What was purged wherever it is shown: the lines of their tombstones, without their places."""
        self.unreadable = 0
        """Damaged lines that were passed over so far: as many sequence numbers may be missing."""
        self.run = Counts()
        """What the last run came to."""
        self._run_start = 0
        self._run_bodies = RunBodies([], [], [])
        """The bodies of the run at hand."""
        self._run_numbers = array("q")
        """The sequence numbers that it brings, of a part of a growing file."""
        self._run_new: set[Span] = set()
        """Where in its file the run at hand has new messages."""
        self._run_again: list[tuple[Span, int]] = []
        """Where in its file it has blobs that were there before, and their bytes as Base64."""

    # -- applying the log --------------------------------------------------------------------------------------

    def conversation(self, conversation_id: str) -> ConversationState:
        """The state of a conversation; an unknown one is empty and not entered."""
        found = self.conversations.get(conversation_id)
        return found if found is not None else ConversationState()

    def begins_at(self, size: int) -> None:
        """What is to be applied next stands at this byte of the log."""
        self.size = self._run_start = size
        self._run_bodies, self._run_numbers = RunBodies([], [], []), array("q")
        self._run_new, self._run_again = set(), []

    def apply(self, record: Record, line: Line | Extent, item: Fingerprint | None = None) -> bytes:
        """Account for one log line; returns the audit line that follows from it (empty for an occurrence).

        ``item`` is the fingerprint of the message where the caller just computed it; without it the message's content
        hash is checked. Raises :class:`Damaged` where the record contradicts what came before.
        """
        try:
            if SAME in record:
                self._pending.append((record, line))
                audit = b""
            else:
                audit = self._commit(record, line) if is_commit(record) else self._occurrence(record, line, item)
        except Damaged:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Damaged(f"a record of another form ({error!r})") from error
        self.size = line.end
        return audit

    def _entered(self, conversation_id: str) -> ConversationState:
        """The state of a conversation that is about to change."""
        state = self.conversation(conversation_id)
        self.conversations[conversation_id] = state
        return state

    def lose(self, conversation_id: str, number: int) -> None:
        """The sequence number stays taken, by a message of which no line is left."""
        self._entered(conversation_id).keep_lost(number + 1)

    def _occurrence(self, record: Record, line: Line | Extent, item: Fingerprint | None) -> bytes:
        self._adopt_pending()  # where the end of their run was lost
        identity, number = record.get("content_hash"), record.get("index")
        if not isinstance(identity, str) or type(number) is not int:
            raise Damaged("an occurrence without number or content hash")
        tombstone = tombstone_from(record) if PURGED in record else None
        if tombstone is None and not (
            isinstance(record["timestamp"], str) and isinstance(record["source"]["clock"], str)
        ):
            raise Damaged("an occurrence without time or source")
        brings = False
        state = self._entered(record["conversation_id"])
        if number < len(state):
            raise Damaged(f"sequence number {number} is taken")
        # A damaged line may have said that a whole conversation is part of this one.
        if number > len(state) + (self.unreadable and self.unreadable + self.occurrences):
            raise Damaged(f"sequence number {number} follows {len(state) - 1}")
        uuid = record.get("uuid") or ""
        if tombstone is not None:
            item = Fingerprint(identity, tombstone.key, tombstone.kind, "", tombstone.weight)
        elif "message" in record:
            item = item or fingerprint(message_of(record))
            if item.content_hash != identity:
                raise Damaged("the message does not have the content hash it is stored under")
            if not self.has_body(identity):
                self.bodies.add(identity, line.offset, item)
                brings = True
                self._refer(record, identity)
        else:
            # Never that of the drawing at hand: one content hash can be drawn with two alignment keys, and an index made
            # again from the log has only the drawing that the log holds.
            item = self.bodies.fingerprint(identity)
            if item is None or not self.has_body(identity):
                raise Damaged(f"no line carries the body {identity[:12]}…")
            identity = item.content_hash  # one text for all the occurrences of a body
            pictures = self.pictures.get(identity) if self.seen_bytes.blobs else 0
            if pictures:
                self._run_again.append((_span(record), pictures))
        state.keep_lost(number)
        if tombstone is None and counts(item.kind):
            self._count(state, record, identity, brings=brings)
        if item.uuid != uuid:
            item = item._replace(uuid=uuid)
        if isinstance(record.get("extends"), int):
            state.extends[number] = record["extends"]
        if tombstone is not None:
            state.purged.add(number)
            self._ban(tombstone)
        state.add(item, line.offset)
        self.occurrences += 1
        state.figures["stored_bytes"] = state.figures.get("stored_bytes", 0) + line.size + blob_bytes(record)
        return b""

    def _count(self, state: ConversationState, record: Record, identity: str, *, brings: bool) -> None:
        """Note the body of an occurrence for the run at hand, and the occurrence whose place it takes."""
        self._run_numbers.append(len(state))
        (self._run_bodies.brought if brings else self._run_bodies.again).append(identity)
        taken = record.get("extends")
        if record["source"].get("redrawn") and type(taken) is int:
            drawn = state.take_place(taken, len(state))
            if drawn:
                self._run_bodies.redrawn.append((identity, drawn))

    def _refer(self, record: Record, identity: str) -> None:
        """Account for a new body and its blobs."""
        span = _span(record)
        self._run_new.add(span)
        for digest, size in blobs_of(record).items():
            self.pictures[identity] = (self.pictures.get(identity) or 0) + base64_size(size)
            if self.blobs.get(digest) is None:
                self.blobs[digest] = size
                self.seen_bytes = self.seen_bytes.plus(blobs=size)
            else:
                self._run_again.append((span, base64_size(size)))

    def _doubled(self) -> int:
        """Of the run that ends here: bytes of blobs that were there before, in the places of new messages.

        One line of a transcript has several messages: where one of them is new, all of the line is.
        """
        new, again = self._run_new - {_NOWHERE}, self._run_again
        self._run_new, self._run_again = set(), []
        return sum(size for span, size in again if span in new)

    def _unite(self, state: ConversationState, record: Record) -> None:
        """Account for messages that the run showed to be one."""
        for one, other in record.get("one", ()):
            if not 0 <= one < other < len(state):
                raise Damaged("messages that cannot be one")
            pair = state.stands_for(one), state.stands_for(other)
            if state.unite(one, other) and all(pair):
                self.announced.merge([pair])

    def _adopt_pending(self) -> None:
        pending, self._pending = self._pending, []
        for record, line in pending:
            self._adopt(record, line)

    def _adopt(self, record: Record, line: Line | Extent) -> None:
        """Account for a line that says that another conversation turned out to be this one."""
        same = same_of(record)
        state, other = self._entered(record["conversation_id"]), self._entered(same.conversation_id)
        missing = self.unreadable and self.unreadable + self.occurrences
        if state.adopted_by or other.adopted_by or not 0 <= same.at - len(state) <= missing:
            raise Damaged("two conversations that cannot be one")
        if not 0 <= same.count - len(other) <= missing:
            raise Damaged(f"a conversation of {same.count} messages, and there are {len(other)}")
        state.keep_lost(same.at)
        other.keep_lost(same.count)
        merged = []
        for here, there, better in same.pairs:
            pair = state.stands_for(here), other.stands_for(there)
            merged += [pair[::-1] if better else pair] if all(pair) else []
        state.adopt(same.conversation_id, other, same.pairs)
        self.announced.merge(merged)
        other.adopted_by = AdoptedBy(record["conversation_id"], same.at)
        f, g = state.figures, other.figures
        for name, value in g.items():
            if isinstance(value, int):
                f[name] = f.get(name, 0) + value
        f["stored_bytes"] = f.get("stored_bytes", 0) + line.size
        f["created_at"] = min(filter(None, (f.get("created_at"), g.get("created_at"))), default="")

    def canonical(self, conversation_id: str) -> tuple[str, int]:
        """The conversation that this one turned out to be, and the number that its number 0 has there."""
        at = 0
        while True:
            adopted_by = self.conversation(conversation_id).adopted_by
            if adopted_by is None:
                return conversation_id, at
            conversation_id, at = adopted_by.conversation_id, adopted_by.at + at

    def _ban(self, tombstone: Tombstone) -> None:
        ban = tombstone_record("", 0, tombstone, None, None)
        ban.pop("uuid", None)
        if tombstone.everywhere and ban not in self.banned:
            self.banned.append(ban)

    def bans(self) -> Bans:
        """What was purged wherever it is shown."""
        return Bans(map(tombstone_from, self.banned))

    def _checked(self, record: Record, stored: int) -> tuple[int, int]:
        """The highest number of a run's window, and the bytes that it knew; raises :class:`Damaged` for what is no run.

        ``stored`` is how many messages of its conversation there are.
        """
        export, window = record["export"], record["window"]
        if any(type(bound) is not int for each in window for bound in each) or any(not 0 <= a <= b for a, b in window):
            raise Damaged("a window that is none")
        if any(type(at) is not int or not 0 < at < len(window) for at in record.get("breaks", ())):
            raise Damaged("a window that is none")
        whole = ("bytes", "parser", "total", "new")
        texts = (record["timestamp"], export["name"])
        whole += tuple({"captured", RECOUNTED} & export.keys())
        if any(type(export[name]) is not int for name in whole) or not all(isinstance(text, str) for text in texts):
            raise Damaged("a run without its numbers")
        highest = max((last for _, last in window), default=-1)
        if highest >= stored + (self.unreadable and self.unreadable + self.occurrences):
            raise Damaged("the window names messages that are not in the log")
        known = export.get("known_bytes", 0)
        if type(known) is not int or not 0 <= known <= export["bytes"]:
            raise Damaged("a run that knew more than it saw")
        return highest, known

    def _commit(self, record: Record, line: Line | Extent) -> bytes:
        conversation_id, export, window = record["conversation_id"], record["export"], record["window"]
        state = self._entered(conversation_id)
        highest, known = self._checked(record, len(state))
        audit = audit_line(record, line.end - self._run_start)
        self._announce(state, record, window)
        if PURGE in record:
            state.figures["updated_at"] = record["timestamp"]
            state.figures["stored_bytes"] = state.figures.get("stored_bytes", 0) + line.size
            self._run_start = line.end
            return audit
        cursor = cursor_of(record.get("cursor"))
        follows = record.get("follows", -1)
        if type(follows) is not int or follows > highest + 1 or not isinstance(record.get("session", ""), str):
            raise Damaged("a part of a file that follows nothing")
        state.keep_lost(highest + 1)
        if cursor is None:
            position = state.add_window(with_breaks(window, record.get("breaks", ())))
        else:
            before = self.cursors.get(cursor.source)
            position = before.window if before is not None and before.conversation_id == conversation_id else -1
            if window:
                position = state.go_on(position, follows, window)
            self.cursors[cursor.source] = ReadTo(conversation_id, cursor, len(state), position)
        if record.get("session") and self.sessions.get(record["session"]) is None:
            self.sessions[record["session"]] = conversation_id
            state.has_session = True
        for at in (0, *record.get("breaks", ())) if window else ():
            if [COMPACTION, window[at][0]] in record.get("marks", []):
                state.add_continuation(window[at][0])
        f = state.figures
        kind = "exports" if cursor is None else "captures"
        f[kind] = f.get(kind, 0) + 1
        f["messages_seen"] = f.get("messages_seen", 0) + export["total"]
        f["duplicates"] = f.get("duplicates", 0) + export["total"] - self.run.stored
        f["stored_bytes"] = f.get("stored_bytes", 0) + line.size
        f.setdefault("created_at", record["timestamp"])
        f["updated_at"] = record["timestamp"]
        self._unite(state, record)
        self._adopt_pending()
        self._run_start = line.end
        doubled = self._doubled()
        if cursor is not None:
            size = export["bytes"]
            self.seen_bytes = self.seen_bytes.plus(distinct=size, captured=size, known=known, doubled=doubled)
            f["raw_bytes"] = f.get("raw_bytes", 0) + export["bytes"]
            return audit
        seen = self.exports.get(export["sha256"]) or []
        if not seen:
            self.seen_bytes = self.seen_bytes.plus(distinct=export["bytes"], known=known, doubled=doubled)
        elif all(each.name != export["name"] for each in seen):
            self.seen_bytes = self.seen_bytes.plus(identical=export["bytes"])
        if all(each.conversation_id != conversation_id for each in seen):
            f["raw_bytes"] = f.get("raw_bytes", 0) + export["bytes"]
        shown = ShownIn(conversation_id, export["parser"], export["format"], export["total"], position, export["name"])
        if shown not in seen:
            self.exports[export["sha256"]] = [*seen, shown]
        return audit

    def _announce(self, state: ConversationState, record: Record, window: list[list[int]]) -> None:
        """Take account of what the run that ends here brought and showed."""
        captures = not announces(record)
        may_wait = [] if captures else state.may_wait(window)
        shown = self._bodies_of(state, may_wait)
        self.run = self.announced.add(self._run_bodies._replace(shown=shown), captures=captures)
        if captures:
            state.captured(self._run_numbers)
        else:
            state.announced(may_wait)
        self._run_bodies, self._run_numbers = RunBodies([], [], []), array("q")

    def saved(self) -> None:
        """An index has everything now."""
        for name in self.conversations.changed:
            self.conversation(name).saved()
        for table in self._tables():
            table.changed.clear()

    def _tables(self) -> tuple[Table[Any], ...]:
        return (
            self.conversations,
            self.exports,
            self.sessions,
            self.cursors,
            self.blobs,
            self.pictures,
            self.announced.noted,
        )

    # -- answers -----------------------------------------------------------------------------------------------

    @property
    def unique(self) -> int:
        """Bodies stored, bookkeeping aside, each message once."""
        return self.announced.unique

    def has_body(self, identity: str) -> bool:
        """True where a line carries the body with this content hash."""
        return self.bodies.offset(identity) is not None

    def run_of(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        window: Iterable[Sequence[int]],
        *,
        captures: bool,
        besides: Container[str] = (),
    ) -> Counts:
        """What a run that is not in the log yet would come to; the bodies ``besides`` count as stored and announced."""
        state = self.conversation(conversation_id)
        carriers = Carriers(self.has_body)
        brought: list[str] = []
        again: list[str] = []
        redrawn: list[tuple[str, str]] = []
        fresh: dict[int, str] = {}
        drawn_again = {new.extends for _, new in occurrences if new.redrawn}
        for number, new in occurrences:
            identity = new.fingerprint.content_hash
            if new.purged is not None or not counts(new.fingerprint.kind):
                continue
            if identity in besides:
                continue
            (brought if carriers.carries(identity) else again).append(identity)
            if number in drawn_again:
                fresh[number] = identity
            if new.redrawn and new.extends is not None:
                drawn = fresh.get(new.extends) or state.stands_for(new.extends)
                redrawn += [(identity, drawn)] if drawn else []
        shown = [] if captures else self._bodies_of(state, state.may_wait(window))
        shown = [each for each in shown if each not in besides]
        return self.announced.count(RunBodies(brought, again, redrawn, shown), captures=captures)

    def run_at_hand(self, conversation_id: str, window: Iterable[Sequence[int]], *, captures: bool) -> Counts:
        """What the run comes to of which the occurrences were applied, and the commit record was not."""
        state = self.conversation(conversation_id)
        shown = self._bodies_of(state, state.may_wait(window))
        return self.announced.count(self._run_bodies._replace(shown=shown), captures=captures)

    @staticmethod
    def _bodies_of(state: ConversationState, numbers: list[int]) -> list[str]:
        """The bodies that stand for these numbers."""
        if len(numbers) > len(state) // 4:
            state.lines  # noqa: B018 - most of them: all rows at once cost less than each by itself
        return list(filter(None, map(state.stands_for, numbers)))

    def seen(self, sha256: str) -> list[SeenExport]:
        """Into which conversations a file with this hash went."""
        found = []
        for each in self.exports.get(sha256) or []:
            root, at = self.canonical(each.conversation_id)
            window: list[list[int]] = []
            breaks: list[int] = []
            for first, last in self.conversation(each.conversation_id).windows[each.window]:
                if [first, last] == BREAK:
                    breaks.append(len(window))
                else:
                    window.append([first + at, last + at])
            found.append(SeenExport(root, each.parser, each.format, each.total, window, breaks))
        return found

    def figures(self, conversation_id: str) -> ConversationFigures:
        """The counts of one conversation."""
        state = self.conversation(conversation_id)
        kinds = state.columns.kinds
        gone = state.purged
        aside = gone | state.redrawn.keys()
        counted = {h for n, (h, kind) in enumerate(zip(state.columns.hashes, kinds)) if counts(kind) and n not in aside}
        purged = sum(counts(kinds[number]) and number not in state.extends for number in gone)
        bookkeeping = sum(not counts(kind) for kind in kinds)
        f = state.figures
        return ConversationFigures(
            watermark=len(kinds) - 1,
            occurrences=sum(counts(kind) and n not in state.extends for n, kind in enumerate(kinds)) - purged,
            unique=len(counted),
            bookkeeping=bookkeeping,
            exports=f.get("exports", 0),
            captures=f.get("captures", 0),
            messages_seen=f.get("messages_seen", 0),
            duplicates=f.get("duplicates", 0),
            raw_bytes=f.get("raw_bytes", 0),
            stored_bytes=f.get("stored_bytes", 0),
            created_at=f.get("created_at", ""),
            updated_at=f.get("updated_at", ""),
            purged=purged,
        )


def _span(record: Record) -> Span:
    """Where in its file an occurrence stands."""
    span = record["source"].get("span", _NOWHERE)
    if len(span) != 2 or not all(type(each) is int for each in span):
        raise Damaged("a span that is none")
    return span[0], span[1]
