"""What the log says, counted: the content of every index.

Built by applying log records one after another; the same log always gives the same state. Nothing here touches a file: what an
index has on disk already is asked for through :class:`~.table.Table` and :class:`Bodies`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...alignment.fingerprint import Fingerprint, fingerprint
from ...alignment.reading_order import BREAK, with_breaks
from ...alignment.tombstone import Bans
from ...figures.savings import Seen
from ...model import COMPACTION, counts
from ..carriers import Carriers
from ..contract import Counts, SeenExport
from ..log.lines import Damaged, is_commit
from ..log.records import (
    PURGE,
    PURGED,
    SAME,
    announces,
    audit_line,
    base64_size,
    blob_bytes,
    blobs_of,
    cursor_of,
    message_of,
    tombstone_from,
    tombstone_record,
)
from .announcements import Announcements
from .announcements import Bodies as RunBodies
from .bodies import MemoryBodies
from .checks import check_occurrence, check_run
from .conversation import ConversationState
from .figures import add_run
from .run_at_hand import RunAtHand
from .table import Table
from .table_records import ReadTo, ShownIn
from .uniting import adopt, unite_messages

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from ...alignment.tombstone import Tombstone
    from ..contract import Cursor, NewOccurrence
    from ..log.lines import Extent, Line, Record
    from .bodies import Bodies


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
        self._at_hand = RunAtHand(0)

    # -- applying the log --------------------------------------------------------------------------------------

    def conversation(self, conversation_id: str) -> ConversationState:
        """The state of a conversation; an unknown one is empty and not entered."""
        found = self.conversations.get(conversation_id)
        return found if found is not None else ConversationState()

    def begins_at(self, size: int) -> None:
        """What is to be applied next stands at this byte of the log."""
        self.size = size
        self._at_hand = RunAtHand(size)

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

    def entered(self, conversation_id: str) -> ConversationState:
        """The state of a conversation that is about to change."""
        state = self.conversation(conversation_id)
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

    def _occurrence(self, record: Record, line: Line | Extent, item: Fingerprint | None) -> bytes:
        self._adopt_pending()  # where the end of their run was lost
        identity, number = check_occurrence(record)
        tombstone = tombstone_from(record) if PURGED in record else None
        state = self.entered(record["conversation_id"])
        if number < len(state):
            raise Damaged(f"sequence number {number} is taken")
        if number > len(state) + self.missing:
            raise Damaged(f"sequence number {number} follows {len(state) - 1}")
        brings = False
        if tombstone is not None:
            item = Fingerprint(identity, tombstone.key, tombstone.kind, "", tombstone.weight)
        elif "message" in record:
            item = item or fingerprint(message_of(record))
            brings = self._carried(record, line, item)
        else:
            item = self._known(record)
        state.keep_lost(number)
        if tombstone is None and counts(item.kind):
            self._at_hand.count(state, record, item.content_hash, brings=brings)
        uuid = record.get("uuid") or ""
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

    def _carried(self, record: Record, line: Line | Extent, item: Fingerprint) -> bool:
        """Account for the body of a line and its blobs; False where another line carries it already."""
        identity = record["content_hash"]
        if item.content_hash != identity:
            raise Damaged("the message does not have the content hash it is stored under")
        if self.has_body(identity):
            return False
        self.bodies.add(identity, line.offset, item)
        self._at_hand.brings(record)
        for digest, size in blobs_of(record).items():
            self.pictures[identity] = (self.pictures.get(identity) or 0) + base64_size(size)
            if self.blobs.get(digest) is None:
                self.blobs[digest] = size
                self.seen_bytes = self.seen_bytes.plus(blobs=size)
            else:
                self._at_hand.blob_again(record, size)
        return True

    def _known(self, record: Record) -> Fingerprint:
        """What is known of the body of a line that does not carry it.

        Never that of the drawing at hand: one content hash can be drawn with two alignment keys, and an index made again from
        the log has only the drawing that the log holds. So the occurrences of a body share one text of its hash, too.
        """
        identity = record["content_hash"]
        item = self.bodies.fingerprint(identity)
        if item is None or not self.has_body(identity):
            raise Damaged(f"no line carries the body {identity[:12]}…")
        pictures = self.pictures.get(item.content_hash) if self.seen_bytes.blobs else 0
        if pictures:
            self._at_hand.pictures_again(record, pictures)
        return item

    def _adopt_pending(self) -> None:
        pending, self._pending = self._pending, []
        for record, line in pending:
            adopt(self, record, line)

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

    def _commit(self, record: Record, line: Line | Extent) -> bytes:
        conversation_id = record["conversation_id"]
        state = self.entered(conversation_id)
        highest, known = check_run(record, len(state) + self.missing)
        audit = audit_line(record, line.end - self._at_hand.start)
        self._announce(state, record, record["window"])
        if PURGE in record:
            state.figures["updated_at"] = record["timestamp"]
            state.figures["stored_bytes"] = state.figures.get("stored_bytes", 0) + line.size
            self._at_hand.start = line.end
            return audit
        cursor = cursor_of(record.get("cursor"))
        follows = record.get("follows", -1)
        if type(follows) is not int or follows > highest + 1 or not isinstance(record.get("session", ""), str):
            raise Damaged("a part of a file that follows nothing")
        state.keep_lost(highest + 1)
        position = self._show(state, record, cursor, follows)
        add_run(state.figures, record, line.size, self.run.stored, captures=cursor is not None)
        unite_messages(self, state, record)
        self._adopt_pending()
        self._at_hand.start = line.end
        if cursor is None:
            self._export(state, record, position, known)
        else:
            size = record["export"]["bytes"]
            doubled = self._at_hand.doubled()
            self.seen_bytes = self.seen_bytes.plus(distinct=size, captured=size, known=known, doubled=doubled)
            state.figures["raw_bytes"] = state.figures.get("raw_bytes", 0) + size
        return audit

    def _show(self, state: ConversationState, record: Record, cursor: Cursor | None, follows: int) -> int:
        """Account for the window of a run, its session and its compactions; the position of the window."""
        conversation_id, window = record["conversation_id"], record["window"]
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
        return position

    def _export(self, state: ConversationState, record: Record, position: int, known: int) -> None:
        """Account for a file that was processed as a whole: its bytes, once, and what became of it."""
        conversation_id, export = record["conversation_id"], record["export"]
        doubled = self._at_hand.doubled()
        seen = self.exports.get(export["sha256"]) or []
        if not seen:
            self.seen_bytes = self.seen_bytes.plus(distinct=export["bytes"], known=known, doubled=doubled)
        elif all(each.name != export["name"] for each in seen):
            self.seen_bytes = self.seen_bytes.plus(identical=export["bytes"])
        if all(each.conversation_id != conversation_id for each in seen):
            state.figures["raw_bytes"] = state.figures.get("raw_bytes", 0) + export["bytes"]
        shown = ShownIn(conversation_id, export["parser"], export["format"], export["total"], position, export["name"])
        if shown not in seen:
            self.exports[export["sha256"]] = [*seen, shown]

    def _announce(self, state: ConversationState, record: Record, window: list[list[int]]) -> None:
        """Take account of what the run that ends here brought and showed."""
        captures = not announces(record)
        may_wait = [] if captures else state.may_wait(window)
        shown = self._bodies_of(state, may_wait)
        self.run = self.announced.add(self._at_hand.bodies._replace(shown=shown), captures=captures)
        if captures:
            state.captured(self._at_hand.numbers)
        else:
            state.announced(may_wait)
        self._at_hand.announced()

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
        return self.announced.count(self._at_hand.bodies._replace(shown=shown), captures=captures)

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
