"""What the log says, counted: the content of every index, held in memory.

Built by applying log records one after another; the same log always gives the same state, and the same state always
the same bytes. Nothing here touches a file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..columns import Columns
from ..fingerprint import Fingerprint, fingerprint
from ..model import (
    BOOKKEEPING,
    COMMAND_OUTPUT,
    COMPACTION,
    EXACT,
    KINDS,
    LAYOUT,
    LOCAL_COMMAND,
    LOST,
    NOTICE,
    PROMPT,
    ROLES,
    SUMMARY,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    Message,
    counts,
)
from ..ordering import ReadingOrder, reading_order
from .base import ConversationFigures, Cursor, SeenExport
from .log import Damaged, encode_line, is_commit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .log import Line, Record

_CODES: Final = {
    PROMPT: "p",
    TEXT: "t",
    THINKING: "h",
    TOOL_CALL: "c",
    TOOL_RESULT: "r",
    LOCAL_COMMAND: "l",
    COMMAND_OUTPUT: "o",
    NOTICE: "n",
    SUMMARY: "s",
    BOOKKEEPING: "b",
    LOST: "x",
}
_KINDS: Final = {code: kind for kind, code in _CODES.items()}
_KEY: Final = 16


@dataclass
class ConversationState:
    """One conversation: a row a sequence number, and its windows."""

    columns: Columns = field(default_factory=Columns)
    lines: list[int] = field(default_factory=list)
    """Byte offset of each occurrence's line in the log."""
    windows: list[list[list[int]]] = field(default_factory=list)
    growing: list[int] = field(default_factory=list)
    """Positions of the windows that belong to growing files: no export shares them."""
    extends: dict[int, int] = field(default_factory=dict)
    continuations: list[int] = field(default_factory=list)
    """Numbers that an export began with right after a compaction."""
    figures: dict[str, Any] = field(default_factory=dict)
    _reading: ReadingOrder | None = None

    def reading(self) -> ReadingOrder:
        """The order in which the occurrences are read, computed when first asked for."""
        if self._reading is None:
            self._reading = reading_order(len(self.lines), self.windows, self.extends, self.continuations)
        return self._reading

    def add(self, item: Fingerprint, line: int) -> None:
        """Append one occurrence."""
        self.columns.append(item)
        self.lines.append(line)
        self._reading = None

    def keep_lost(self, number: int) -> None:
        """Lines that were lost keep their sequence numbers, up to ``number``."""
        while len(self.lines) < number:
            self.add(Fingerprint("", "", LOST, "", 0), -1)

    def add_window(self, window: list[list[int]]) -> int:
        """Append the window of one export unless it is there already; returns its position."""
        for position, known in enumerate(self.windows):
            if known == window and position not in self.growing:
                return position
        self.windows.append(window)
        self._reading = None
        return len(self.windows) - 1

    def go_on(self, position: int, follows: int, window: list[list[int]]) -> int:
        """Add what a further part of a file shows, after ``follows``; ``position`` is that of its window so far, or -1.

        A file that is captured turn by turn has one window, not one a turn.
        """
        self._reading = None
        own = self.windows[position] if position >= 0 else []
        if follows < 0 or not own or own[-1][1] != follows:
            self.windows.append([*([[follows, follows]] if follows >= 0 else []), *(list(each) for each in window)])
            self.growing.append(len(self.windows) - 1)
            return len(self.windows) - 1
        for first, last in window:
            if own[-1][1] == first - 1:
                own[-1][1] = last
            else:
                own.append([first, last])
        return position

    def add_continuation(self, number: int) -> None:
        """Note that an export began with this occurrence, after a compaction."""
        if number not in self.continuations:
            self.continuations.append(number)
            self._reading = None


class State:
    """Everything the indexes hold. ``size`` is the number of log bytes that it accounts for."""

    def __init__(self) -> None:
        self.size = 0
        self.conversations: dict[str, ConversationState] = {}
        self.exports: dict[str, list[list[Any]]] = {}
        self.sessions: dict[str, str] = {}
        self.cursors: dict[str, list[Any]] = {}
        """For each growing file: its conversation, the cursor, the next sequence number then, and its window's position."""
        self.raw_bytes = 0
        self.unique = 0
        self.unreadable = 0
        """Damaged lines that were passed over so far: as many sequence numbers may be missing."""
        self._bodies: dict[str, int] | None = None
        self._prints: dict[str, Fingerprint] | None = None
        self._run_start = 0

    # -- applying the log --------------------------------------------------------------------------------------

    def conversation(self, conversation_id: str) -> ConversationState:
        """The state of a conversation; an unknown one is empty and not entered."""
        return self.conversations.get(conversation_id) or ConversationState()

    def bodies(self) -> dict[str, int]:
        """For each content hash the offset of the log line that carries the body."""
        if self._bodies is None:
            bodies: dict[str, int] = {}
            for state in self.conversations.values():
                # Backwards, so that of several occurrences the first one stays: its line has the body.
                own = dict(zip(reversed(state.columns.hashes), reversed(state.lines)))
                for shared in own.keys() & bodies.keys():
                    own[shared] = min(own[shared], bodies[shared])
                bodies.update(own)
            self._bodies = bodies
        return self._bodies

    def _known(self, identity: str) -> Fingerprint | None:
        """What is known of a stored body."""
        if self._prints is None:
            self._prints = {}
            for state in self.conversations.values():
                c = state.columns
                for row in zip(c.hashes, c.keys, c.kinds, c.weights):
                    self._prints[row[0]] = Fingerprint(row[0], row[1], row[2], "", row[3])
        return self._prints.get(identity)

    def apply(self, record: Record, line: Line, item: Fingerprint | None = None) -> bytes:
        """Account for one log line; returns the audit line that follows from it (empty for an occurrence).

        ``item`` is the fingerprint of the message where the caller just computed it; without it the message's content
        hash is checked. Raises :class:`Damaged` where the record contradicts what came before.
        """
        try:
            audit = self._commit(record, line) if is_commit(record) else self._occurrence(record, line, item)
        except Damaged:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Damaged(f"a record of another form ({error!r})") from error
        self.size = line.end
        return audit

    def _occurrence(self, record: Record, line: Line, item: Fingerprint | None) -> bytes:
        identity, number = record.get("content_hash"), record.get("index")
        if not isinstance(identity, str) or type(number) is not int:
            raise Damaged("an occurrence without number or content hash")
        if not isinstance(record["timestamp"], str) or not isinstance(record["source"]["clock"], str):
            raise Damaged("an occurrence without time or source")
        state = self.conversations.setdefault(record["conversation_id"], ConversationState())
        if number < len(state.lines):
            raise Damaged(f"sequence number {number} is taken")
        if number > len(state.lines) + self.unreadable:
            raise Damaged(f"sequence number {number} follows {len(state.lines) - 1}")
        if "message" in record:
            item = item or fingerprint(message_of(record))
            if item.content_hash != identity:
                raise Damaged("the message does not have the content hash it is stored under")
            if self.bodies().setdefault(identity, line.offset) == line.offset:
                self.unique += counts(item.kind)
        else:
            item = item or self._known(identity)
            if item is None or identity not in self.bodies():
                raise Damaged(f"no line carries the body {identity[:12]}…")
        if self._prints is not None:
            self._prints[identity] = item
        state.keep_lost(number)
        if record.get("uuid"):
            item = Fingerprint(identity, item.key, item.kind, item.role, item.weight, record["uuid"])
        if isinstance(record.get("extends"), int):
            state.extends[number] = record["extends"]
        state.add(item, line.offset)
        state.figures["stored_bytes"] = state.figures.get("stored_bytes", 0) + len(line.data)
        return b""

    def _commit(self, record: Record, line: Line) -> bytes:
        conversation_id, export = record["conversation_id"], record["export"]
        state = self.conversations.setdefault(conversation_id, ConversationState())
        window = record["window"]
        if any(type(bound) is not int for each in window for bound in each) or any(not 0 <= a <= b for a, b in window):
            raise Damaged("a window that is none")
        whole = ("bytes", "parser", "total", "new")
        if any(type(export[name]) is not int for name in whole) or not isinstance(record["timestamp"], str):
            raise Damaged("a run without its numbers")
        highest = max((last for _, last in window), default=-1)
        if highest >= len(state.lines) + self.unreadable:
            raise Damaged("the window names messages that are not in the log")
        audit = _audit(record, line.end - self._run_start)
        cursor = _cursor(record.get("cursor"))
        follows = record.get("follows", -1)
        if type(follows) is not int or follows > highest + 1 or not isinstance(record.get("session", ""), str):
            raise Damaged("a part of a file that follows nothing")
        state.keep_lost(highest + 1)
        if cursor is None:
            position = state.add_window(window)
        else:
            before = self.cursors.get(cursor.source)
            position = before[3] if before is not None and before[0] == conversation_id else -1
            if window:
                position = state.go_on(position, follows, window)
            self.cursors[cursor.source] = [conversation_id, cursor, len(state.lines), position]
        if record.get("session"):
            self.sessions.setdefault(record["session"], conversation_id)
        if record["window"] and [COMPACTION, record["window"][0][0]] in record.get("marks", []):
            state.add_continuation(record["window"][0][0])
        f = state.figures
        kind = "exports" if cursor is None else "captures"
        f[kind] = f.get(kind, 0) + 1
        f["messages_seen"] = f.get("messages_seen", 0) + export["total"]
        f["duplicates"] = f.get("duplicates", 0) + export["total"] - export["new"]
        f["stored_bytes"] = f.get("stored_bytes", 0) + len(line.data)
        f.setdefault("created_at", record["timestamp"])
        f["updated_at"] = record["timestamp"]
        self._run_start = line.end
        if cursor is not None:
            self.raw_bytes += export["bytes"]
            f["raw_bytes"] = f.get("raw_bytes", 0) + export["bytes"]
            return audit
        seen = self.exports.setdefault(export["sha256"], [])
        if not seen:
            self.raw_bytes += export["bytes"]
        if all(entry[0] != conversation_id for entry in seen):
            f["raw_bytes"] = f.get("raw_bytes", 0) + export["bytes"]
        entry = [conversation_id, export["parser"], export["format"], export["total"], position]
        if entry not in seen:
            seen.append(entry)
        return audit

    # -- answers -----------------------------------------------------------------------------------------------

    def seen(self, sha256: str) -> list[SeenExport]:
        """Into which conversations a file with this hash went."""
        return [
            SeenExport(name, parser, form, total, self.conversations[name].windows[position])
            for name, parser, form, total, position in self.exports.get(sha256, [])
        ]

    def figures(self, conversation_id: str) -> ConversationFigures:
        """The counts of one conversation."""
        state = self.conversation(conversation_id)
        kinds = state.columns.kinds
        counted = {h for h, kind in zip(state.columns.hashes, kinds) if counts(kind)}
        bookkeeping = sum(not counts(kind) for kind in kinds)
        f = state.figures
        return ConversationFigures(
            watermark=len(kinds) - 1,
            occurrences=len(kinds) - bookkeeping - len(state.extends),
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
        )

    # -- to and from an index file -----------------------------------------------------------------------------

    def content_hashes(self) -> dict[str, list[str]]:
        """The seed's ``content_hashes.json``: hashes in sequence order."""
        return {name: state.columns.hashes for name, state in self.conversations.items()}

    def watermarks(self) -> dict[str, int]:
        """The seed's ``watermarks.json``: the highest sequence number of each conversation."""
        return {name: len(state.lines) - 1 for name, state in self.conversations.items()}

    def as_dict(self) -> dict[str, Any]:
        """Everything that the seed's two index files do not hold."""
        return {
            "size": self.size,
            "raw_bytes": self.raw_bytes,
            "unique": self.unique,
            "exports": self.exports,
            "sessions": self.sessions,
            "cursors": {
                source: [name, asdict(cursor), tip, position]
                for source, (name, cursor, tip, position) in self.cursors.items()
            },
            "conversations": {
                name: {
                    "keys": "".join(key or " " * _KEY for key in state.columns.keys),
                    "kinds": "".join(_CODES[kind] for kind in state.columns.kinds),
                    "weights": state.columns.weights,
                    "uuids": {str(n): uuid for n, uuid in enumerate(state.columns.uuids) if uuid},
                    "lines": state.lines,
                    "windows": state.windows,
                    "growing": state.growing,
                    "extends": {str(number): root for number, root in state.extends.items()},
                    "continuations": state.continuations,
                    "figures": state.figures,
                }
                for name, state in self.conversations.items()
            },
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], hashes: dict[str, list[str]]) -> State:
        """The state that :meth:`as_dict` and :meth:`content_hashes` wrote. Raises KeyError, TypeError, ValueError."""
        state = cls()
        state.size = state._run_start = data["size"]
        state.raw_bytes, state.unique, state.exports = data["raw_bytes"], data["unique"], data["exports"]
        state.sessions = data["sessions"]
        state.cursors = {
            source: [name, Cursor(**cursor), tip, position]
            for source, (name, cursor, tip, position) in data["cursors"].items()
        }
        for name, entry in data["conversations"].items():
            keys = entry["keys"]
            count = len(entry["kinds"])
            uuids = [""] * count
            for number, uuid in entry["uuids"].items():
                uuids[int(number)] = uuid
            columns = Columns(
                hashes[name],
                [keys[n : n + _KEY].strip() for n in range(0, len(keys), _KEY)],
                [_KINDS[code] for code in entry["kinds"]],
                entry["weights"],
                uuids,
            )
            if not len(columns.hashes) == len(columns.keys) == len(entry["weights"]) == len(entry["lines"]) == count:
                raise ValueError(f"the columns of {name} differ in length")
            extends = {int(number): root for number, root in entry["extends"].items()}
            state.conversations[name] = ConversationState(
                columns,
                entry["lines"],
                entry["windows"],
                entry["growing"],
                extends,
                entry["continuations"],
                entry["figures"],
            )
        return state


def _cursor(record: Any) -> Cursor | None:
    """The cursor of a commit record. Raises :class:`Damaged` where it has another form."""
    if record is None:
        return None
    texts = ("source", "session", "prefix", "after")
    if not all(isinstance(record.get(name), str) for name in texts) or not all(
        type(record.get(name)) is int for name in ("offset", "last")
    ):
        raise Damaged("a cursor of another form")
    return Cursor(**{name: record[name] for name in (*texts, "offset", "last")})


def message_of(record: Record) -> Message:
    """The message that a log line carries. Raises :class:`Damaged` where it has another form."""
    message = record["message"]
    try:
        fidelity = EXACT if message.get("fidelity") == EXACT else LAYOUT
        if message["kind"] not in KINDS or message["role"] not in ROLES:
            raise Damaged("a message of an unknown role or kind")
        return Message(message["role"], message["kind"], message["content"], uuid=record.get("uuid"), fidelity=fidelity)
    except (KeyError, TypeError, AttributeError) as error:
        raise Damaged("a message without role, kind or content") from error


def _audit(record: Record, written: int) -> bytes:
    """The audit entry of one run (the seed's ``deduplication_log``), derived from its commit record."""
    export = record["export"]
    savings = round(100 * (1 - written / export["bytes"]), 1) if export["bytes"] else 0.0
    return encode_line(
        {
            "conversation_id": record["conversation_id"],
            "operation": "process_export",
            "messages_processed": export["total"],
            "new_messages": export["new"],
            "duplicates_filtered": export["total"] - export["new"],
            "storage_savings_pct": savings,
            "processing_time_ms": record["processing_time_ms"],
            "created_at": record["timestamp"],
            "metadata": {**export, "stored_bytes": written, "gaps": record.get("gaps", [])},
        }
    )


def replay(state: State, lines: Iterable[tuple[Line, Record]]) -> bytes:
    """Apply records in order; returns the audit lines that follow from them."""
    return b"".join(state.apply(record, line) for line, record in lines)
