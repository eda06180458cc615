"""A store in plain dictionaries, written from the contract alone: no log, no file, no line of the product's own store.

What it shares with that one is what the engine computes by itself: fingerprints, the reading order, and which turns tell a
conversation. Images stay in their messages, so that of a file with images ``seen_bytes`` says less than a store on a disk does.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from deduplication.alignment.columns import Columns
from deduplication.alignment.fingerprint import Fingerprint
from deduplication.alignment.overlap import telling
from deduplication.alignment.reading_order import reading_order
from deduplication.alignment.seams import at_seams
from deduplication.alignment.tombstone import Bans
from deduplication.figures.savings import Seen
from deduplication.model import COMPACTION, PURGED, SYSTEM, TURNS, counts
from deduplication.storage.contract import ConversationFigures, Counts, SeenExport, StoreFigures, Totals
from deduplication.storage.conversation import Adopted
from deduplication.storage.runs import LoggedRun

_BREAK = [-1, -1]


def _logged(name, moment, record):
    """What a run says of itself; how long it took nobody measured."""
    told = {each: getattr(record, each) for each in LoggedRun._fields if hasattr(record, each)}
    announces = record.announces and record.cursor is None
    told.update(announces=announces, captured=record.captured if announces else 0, gaps=tuple(record.gaps))
    return LoggedRun(conversation_id=name, timestamp=moment, processing_time_ms=0, **told)


class MemoryConversation:
    """One conversation: a list of fingerprints, and what is known of some of them by their sequence numbers."""

    def __init__(self):
        self.items = []
        self.extends = {}
        self.adopted = []
        self.continuations = []
        self.purged = set()
        self.windows = []
        self.growing = set()
        """Positions of windows that a growing file goes on with."""
        self.instead = {}
        """The number whose drawing stands in the place of another one's."""
        self.passed = set()
        self.rows = []
        """What is read of each: all but what its body says."""
        self.figures = Counter()
        self.created = self.updated = ""
        self.into = None
        """The conversation that this one turned out to be, and the number that its number 0 has there."""
        self.sessions = set()

    @property
    def columns(self):
        """The fingerprints, by sequence number."""
        found = Columns()
        for item in self.items:
            found.append(item)
        return found

    def __len__(self):
        return len(self.items)

    def reading(self):
        """The order in which they are read."""
        return reading_order(len(self), self.windows, self.extends, self.continuations, self.passed)

    def origin(self, number):
        """Where an adopted one came from."""
        for at, count, name, first in self.adopted:
            if at <= number < at + count:
                return name, first + number - at
        return None

    def copy(self):
        """A copy to be tried out."""
        return copy.deepcopy(self)

    # -- what a copy, and a commit, add to it --------------------------------------------------------------------

    def add(self, item, _line=-1):
        """One occurrence more."""
        self.items.append(item)
        self.rows.append({})

    def add_window(self, window):
        """What an export showed; the same window is kept once."""
        window = [list(each) for each in window]
        for position, known in enumerate(self.windows):
            if known == window and position not in self.growing:
                return position
        self.windows.append(window)
        return len(self.windows) - 1

    def go_on(self, position, follows, window):
        """What a growing file shows next: one window as long as it follows what the file showed last."""
        if position < 0 or follows < 0 or self.windows[position][-1][1] != follows:
            self.windows.append([[follows, follows]] if follows >= 0 else [])
            position = len(self.windows) - 1
            self.growing.add(position)
            self.windows[position] += [list(each) for each in window]
            return position
        for first, last in window:
            if self.windows[position][-1][1] + 1 == first:
                self.windows[position][-1][1] = last
            else:
                self.windows[position].append([first, last])
        return position

    def add_continuation(self, number):
        """An export began with it, after a compaction."""
        if number not in self.continuations:
            self.continuations.append(number)

    def first_of(self, number):
        """The first of all forms of a message."""
        while number in self.extends:
            number = self.extends[number]
        return number

    def standing(self, number):
        """The number whose drawing stands for this one."""
        while number in self.instead:
            number = self.instead[number]
        return number

    def body_of(self, number):
        """The body that stands for a number; empty where none counts."""
        number = self.standing(number)
        gone = number in self.purged or not 0 <= number < len(self)
        return "" if gone or not counts(self.items[number].kind) else self.items[number].content_hash

    def stand(self, stays, goes):
        """One drawing stands for two from now on."""
        stays, goes = self.standing(stays), self.standing(goes)
        if stays != goes:
            self.instead[goes] = stays

    def unite(self, one, other):
        """Two numbers are one message: that of the older one is read."""
        older, newer = sorted((self.first_of(one), self.first_of(other)))
        if older == newer:
            return False
        self.passed |= {newer, *(number for number in self.extends if self.first_of(number) == newer)}
        self.extends[newer] = older
        self.stand(one, other)
        return True

    def adopt(self, name, other, pairs):
        """All of another conversation, behind what is here."""
        at = len(self)
        forms = {}
        for number in other.extends:
            forms.setdefault(other.first_of(number), []).append(number)
        for number, item in enumerate(other.items):
            self.items.append(item)
            self.rows.append(other.rows[number])
            whose, there = other.origin(number) or (name, number)
            last = self.adopted[-1] if self.adopted else Adopted(-1, 0, "", 0)
            if last[::2] == (at + number - last.length, whose) and last.first + last.length == there:
                self.adopted[-1] = last._replace(length=last.length + 1)
            else:
                self.adopted.append(Adopted(at + number, 1, whose, there))
        self.growing |= {len(self.windows) + position for position in other.growing}
        self.windows += [
            [list(_BREAK) if first < 0 else [first + at, last + at] for first, last in window]
            for window in other.windows
        ]
        self.extends.update((number + at, earlier + at) for number, earlier in other.extends.items())
        self.instead.update((number + at, stays + at) for number, stays in other.instead.items())
        self.purged |= {number + at for number in other.purged}
        self.passed |= {number + at for number in other.passed}
        self.continuations += [number + at for number in other.continuations]
        self.sessions |= other.sessions
        for here, there, better in pairs:
            older, newer = self.first_of(here), self.first_of(there + at)
            if newer < at:
                continue
            self.extends[newer] = older
            if better:
                self.stand(there + at, here)
            else:
                self.stand(here, there + at)
                self.passed |= {newer, *(number + at for number in forms.get(newer - at, ()))}


@dataclass
class Content:
    """What all who open the same store see."""

    conversations: dict[str, MemoryConversation] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By content hash the first form that was seen: its fingerprint and what it says."""
    exports: dict[str, list[tuple[str, int, str, int, list, list, str]]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    cursors: dict[str, tuple[str, Any, int, int]] = field(default_factory=dict)
    banned: list[Any] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    announced: set[str] = field(default_factory=set)
    """Bodies that an export announced, or another drawing of what they stand for."""
    announcements: int = 0
    runs: list[LoggedRun] = field(default_factory=list)
    """Each under the id that it was stored under."""


class MemoryStore:
    """See ``storage.contract.Store`` for what each method promises."""

    def __init__(self, content=None):
        self._content = content if content is not None else Content()
        self.warnings = []

    def where(self):
        """In no place that has a name."""
        return "memory"

    def log_backed(self):
        """It keeps no files."""

    @contextlib.contextmanager
    def transaction(self, *, write=True):
        """There is nobody else."""
        yield

    # -- conversations -------------------------------------------------------------------------------------------

    def conversations(self):
        """All but those that turned out to be others."""
        return [name for name, each in self._content.conversations.items() if each.into is None]

    def conversation(self, conversation_id):
        """What is known of it."""
        return self._content.conversations.get(conversation_id, MemoryConversation())

    def canonical(self, conversation_id):
        """What it turned out to be."""
        return self._root(conversation_id)[0]

    def _root(self, name):
        at = 0
        while self.conversation(name).into is not None:
            name, further = self.conversation(name).into
            at += further
        return name, at

    def candidates(self, shown):
        """Those that have telling turns of it, or what stands at its ends."""
        keys, hashes = telling(shown), at_seams(shown)
        shared = {}
        for name, each in self._content.conversations.items():
            turns = sum(item.kind in TURNS and item.key in keys for item in each.items)
            ends = len(hashes & {item.content_hash for item in each.items})
            root = self.canonical(name)
            shared[root] = max(shared.get(root, 0), turns, ends)
        return sorted(filter(shared.get, shared), key=lambda name: -shared[name])

    def tip(self, conversation_id):
        """The next number."""
        return len(self.conversation(conversation_id))

    def known_uuids(self, conversation_id, uuids):
        """The numbers of ids."""
        found = {}
        for number, item in enumerate(self.conversation(conversation_id).items):
            if item.uuid in uuids:
                found.setdefault(item.uuid, []).append(number)
        return found

    def body_hash(self, conversation_id, number):
        """The body of a number."""
        return self.conversation(conversation_id).items[number].content_hash

    def has_body(self, content_hash):
        """Whether a body is stored."""
        return content_hash in self._content.bodies

    def expect_bodies(self, content_hashes):
        """It has all at hand."""

    def prefixes(self, _head):
        """It notes none: every export is read whole."""
        return ()

    def print_of(self, content_hash):
        """What is known of a body, as it was drawn first."""
        every = (item for found in self._content.conversations.values() for item in found.items)
        return next((item for item in every if item.content_hash == content_hash), None)

    def row(self, conversation_id, number):
        """What is known of a message."""
        return self.conversation(conversation_id).items[number]

    def holds(self, conversation_id, content_hash):
        """Whether a conversation has a body."""
        found = self.conversation(conversation_id)
        return any(each.content_hash == content_hash and n not in found.purged for n, each in enumerate(found.items))

    def turns_with(self, conversation_id, key):
        """How many turns of a conversation have a key."""
        return sum(each.key == key and each.kind in TURNS for each in self.conversation(conversation_id).items)

    def bodies(self, conversation_id, numbers):
        """What the messages say."""
        conversation = self.conversation(conversation_id)
        for number in numbers:
            identity, row = conversation.items[number].content_hash, conversation.rows[number]
            if number in conversation.purged:
                yield {"role": SYSTEM, "kind": PURGED, "content": "", "content_hash": "", **row, "index": number}
                continue
            extends = {"extends": conversation.extends[number]} if number in conversation.extends else {}
            said = self._content.bodies[identity]["says"]
            yield {"index": number, **said, "content_hash": identity, **row, **extends}

    # -- sessions and growing files ------------------------------------------------------------------------------

    def session(self, session_id):
        """The conversation of a session."""
        found = self._content.sessions.get(session_id)
        return self.canonical(found) if found else ""

    def has_session(self, conversation_id):
        """Whether it has one."""
        return bool(self.conversation(conversation_id).sessions)

    def cursor(self, source):
        """How far a file was read."""
        entry = self._content.cursors.get(source)
        if entry is None:
            return None
        name, cursor, tip, _ = entry
        root, at = self._root(name)
        if root == name:
            return name, cursor, tip
        return root, replace(cursor, last=cursor.last + at if cursor.last >= 0 else -1), -1

    def cursors(self):
        """All of them."""
        return [self.cursor(source)[:2] for source in self._content.cursors]

    # -- what was seen, and counted ------------------------------------------------------------------------------

    def seen(self, sha256):
        """What became of a file."""
        found = []
        for name, parser, form, total, window, breaks, _ in self._content.exports.get(sha256, ()):
            root, at = self._root(name)
            shifted = [[first + at, last + at] for first, last in window]
            found.append(SeenExport(root, parser, form, total, shifted, list(breaks)))
        return found

    def bans(self):
        """What was purged wherever it is shown."""
        return Bans(self._content.banned)

    def run_of(self, conversation_id, occurrences, window, *, captures, besides=()):
        """What a run comes to: it is tried out on a copy."""
        tried = MemoryStore(copy.deepcopy(self._content))
        tried._content.announced |= set(besides)
        fitting = [
            (number, new) for number, new in occurrences if new.purged or new.fingerprint.content_hash not in besides
        ]
        brought = {
            new.fingerprint.content_hash
            for _, new in fitting
            if not new.purged and counts(new.fingerprint.kind) and not self.has_body(new.fingerprint.content_hash)
        }
        stored = len(brought - {new.fingerprint.content_hash for _, new in fitting if new.redrawn})
        conversation = tried._entered(conversation_id)
        for number, new in occurrences:
            tried._store(conversation, number, new)
        if captures:
            return Counts(stored)
        told = tried._tell(conversation, window)
        return Counts(stored, len(told), len(told) - stored)

    def announced(self):
        """The law of announcements: what was announced and what waits are what is there, and what drawings did to that."""
        standing = self._standing()
        waiting = len(standing - self._content.announced)
        return Totals(len(standing), waiting, self._content.announcements + waiting - len(standing))

    def unique_count(self):
        """Bodies that stand for a message."""
        return len(self._standing())

    def _standing(self):
        found = set()
        for each in self._content.conversations.values():
            if each.into is None:
                found |= {each.body_of(number) for number in range(len(each))}
        return found - {""}

    def byte_counts(self):
        """Nothing lies on a disk."""
        return self._content.seen.distinct, 0

    def seen_bytes(self):
        """Bytes of what was processed."""
        return self._content.seen

    def figures(self, conversation_id):
        """What can be counted."""
        of = self.conversation(conversation_id)
        counted = [number for number, item in enumerate(of.items) if counts(item.kind)]
        here = [number for number in counted if number not in of.purged]
        return ConversationFigures(
            watermark=len(of) - 1,
            occurrences=sum(number not in of.extends for number in here),
            unique=len({of.items[number].content_hash for number in here if number not in of.instead}),
            bookkeeping=len(of) - len(counted),
            exports=of.figures["exports"],
            captures=of.figures["captures"],
            messages_seen=of.figures["messages_seen"],
            duplicates=of.figures["duplicates"],
            raw_bytes=of.figures["raw_bytes"],
            stored_bytes=0,
            created_at=of.created,
            updated_at=of.updated,
            purged=sum(number in of.purged and number not in of.extends for number in counted),
        )

    def logged_runs(self, conversation_id):
        """The runs of it, and of all that turned out to be it."""
        for run in self._content.runs:
            name = run.conversation_id
            while name != conversation_id and self.conversation(name).into is not None:
                name = self.conversation(name).into[0]
            if name == conversation_id:
                yield run._replace(conversation_id=name)

    def store_figures(self):
        """Those of all conversations, one after another."""
        found = [self.figures(name) for name in self.conversations()]
        sums = {
            name: sum(getattr(each, name) for each in found) for name in StoreFigures._fields if name != "conversations"
        }
        return StoreFigures(len(found), **sums)

    # -- storing -------------------------------------------------------------------------------------------------

    def commit(self, conversation_id, occurrences, record, started, same=()):
        """Store a run: its occurrences, its window, what it announces, and which conversations it shows to be this one."""
        conversation = self._entered(conversation_id)
        brought = {
            new.fingerprint.content_hash
            for _, new in occurrences
            if not new.purged and counts(new.fingerprint.kind) and not self.has_body(new.fingerprint.content_hash)
        }
        stored = len(brought - {new.fingerprint.content_hash for _, new in occurrences if new.redrawn})
        for number, new in occurrences:
            assert number == len(conversation)
            self._store(conversation, number, new)
        if record.cursor is None and record.announces:
            told = self._tell(conversation, record.window)
            self._content.announced |= told
            self._content.announcements += len(told)
        self._show(conversation_id, conversation, record)
        self._count(conversation_id, conversation, record, stored)
        for one, other in record.one:
            pair = conversation.body_of(one), conversation.body_of(other)
            if conversation.unite(one, other) and all(pair):
                self._told_of(*pair)
        for each in same:
            self._adopt(conversation_id, conversation, each)

    def _entered(self, name):
        return self._content.conversations.setdefault(name, MemoryConversation())

    def _store(self, conversation, number, new):
        item, message = new.fingerprint, new.message
        row = {} if message.source_index is None else {"source_index": message.source_index}
        row.update({"uuid": message.uuid} if message.uuid else {})
        if new.purged is not None:
            left = new.purged
            item = Fingerprint(left.identity, left.key, left.kind, "", left.weight, left.uuid)
            row = {name: value for name, value in row.items() if name != "uuid"}
            row.update({"uuid": left.uuid} if left.uuid else {}, tombstone=left)
            row.update({"extends": new.extends} if new.extends is not None else {})
            conversation.purged.add(number)
            if left.everywhere and left not in self._content.banned:
                self._content.banned.append(replace(left, uuid=""))
        else:
            says = {"role": message.role, "kind": message.kind, "content": message.content}
            says["fidelity"] = message.fidelity
            body = self._content.bodies.setdefault(item.content_hash, {"item": item, "says": says})
            item = body["item"]._replace(uuid=message.uuid or "")
            row.update(timestamp=new.timestamp, clock=new.clock)
        conversation.add(item)
        conversation.rows[number] = row
        if new.redrawn and new.extends is not None and counts(item.kind):
            drawn = conversation.body_of(new.extends)
            conversation.stand(number, new.extends)
            if drawn in self._content.announced:
                self._content.announced.add(item.content_hash)
        if new.extends is not None:
            conversation.extends[number] = new.extends

    def _tell(self, conversation, window):
        """Bodies that an export with this window announces."""
        shown = {conversation.body_of(number) for first, last in window for number in range(first, last + 1)}
        return shown - self._content.announced - {""}

    def _told_of(self, stays, goes):
        """What was announced as one body was announced as the other one."""
        if goes in self._content.announced:
            self._content.announced.add(stays)

    def _show(self, name, conversation, record):
        window = [list(each) for each in record.window]
        cursor = record.cursor
        if cursor is None:
            full = []
            for at, each in enumerate(window):
                full += [list(_BREAK), each] if at in record.breaks else [each]
            conversation.add_window(full)
        else:
            before = self._content.cursors.get(cursor.source)
            position = before[3] if before is not None and before[0] == name else -1
            if window:
                position = conversation.go_on(position, record.follows, window)
            self._content.cursors[cursor.source] = (name, cursor, len(conversation), position)
        if record.session and record.session not in self._content.sessions:
            self._content.sessions[record.session] = name
            conversation.sessions.add(record.session)
        for at in (0, *record.breaks) if window else ():
            if any(kind == COMPACTION and before == window[at][0] for kind, before in record.marks):
                conversation.add_continuation(window[at][0])

    def _count(self, name, conversation, record, stored):
        figures, size = conversation.figures, record.bytes
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        conversation.created, conversation.updated = conversation.created or now, now
        figures.update(messages_seen=record.total, duplicates=record.total - stored)
        self._content.runs.append(_logged(name, now, record))
        if record.cursor is not None:
            figures.update(captures=1, raw_bytes=size)
            self._content.seen = self._content.seen.plus(distinct=size, captured=size, known=record.known_bytes)
            return
        figures.update(exports=1)
        known = self._content.exports.setdefault(record.sha256, [])
        if not known:
            self._content.seen = self._content.seen.plus(distinct=size, known=record.known_bytes)
        elif all(each[-1] != record.name for each in known):
            self._content.seen = self._content.seen.plus(identical=size)
        if all(each[0] != name for each in known):
            figures.update(raw_bytes=size)
        window = [list(each) for each in record.window]
        entry = (name, record.parser, record.format, record.total, window, list(record.breaks), record.name)
        if entry not in known:
            known.append(entry)

    def _adopt(self, name, conversation, same):
        other = self._entered(same.conversation_id)
        assert (same.at, same.count) == (len(conversation), len(other))
        for here, there, better in same.pairs:
            pair = conversation.body_of(here), other.body_of(there)
            if all(pair):
                self._told_of(*(pair[::-1] if better else pair))
        conversation.adopt(same.conversation_id, other, same.pairs)
        conversation.figures.update(other.figures)
        conversation.created = min(filter(None, (conversation.created, other.created)), default="")
        other.into = (name, same.at)

    # -- upkeep --------------------------------------------------------------------------------------------------

    def settle(self):
        """There is no archive that it could leave anything to."""

    def condense(self):
        """It is as small as it gets."""

    def verify(self):
        """What is in memory is what it is."""
        return []

    def rebuild(self):
        """There is no index."""
        return []
