"""Lines of a session's file into messages, spans and marks: shared by transcripts and by streams of the same session.

One JSON object a line; lines end at a line feed and nowhere else, and none is read before the one that it goes on from. Every
line is one span: of its first message's kind, of its type, or of one of the labels below. Where a line has several messages,
they share its bytes and the span stands once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from ..errors import ExportUnreadable
from ..model import COMPACTION, EXACT, PROMPT, REWIND, Export, Lineage, Mark, Message, Span
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .json_spans import check_depth, decoder
from .line_order import in_order, is_in_order, own_ids
from .transcript_lines import Reading, command_before, read_line
from .transcript_types import CONVERSATION, LINEAGE, TITLES, lineage_of, titles_of
from .unread_lines import objects_in, size_of, warnings

if TYPE_CHECKING:
    from collections.abc import Container

REPEATED: Final = "repeated"
"""A line whose uuid and content were in the file before: some versions wrote every message twice."""
UNKNOWN: Final = "unknown"
"""A line of a type that is not known, or a value that is no object."""
DAMAGED: Final = "damaged"
"""A line, or a part of one, that is no JSON."""
UNFINISHED: Final = "unfinished"
"""The last line, cut while the client was writing it."""
BLANK: Final = "blank"
SIDE: Final = "sub-agent"
"""A line of a sub-agent in the stream of its session: a conversation of its own."""

_BOM: Final = b"\xef\xbb\xbf"
_IN_CHAIN: Final = CONVERSATION | {"progress"}
"""Types whose lines follow one another by ``parentUuid``."""
_TIMESTAMP: Final = late_pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.,Zz+-]{0,25}")
_ID: Final = late_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
Before = Callable[[str], "tuple[bool, bool]"]
"""Of a line's id: do the parts of the file before have the line, and do they have one that names it as its parent?"""


def nothing_before(_: str) -> tuple[bool, bool]:
    """There is no part before."""
    return False, False


class Dialect(NamedTuple):
    """A kind of file by what is particular of it; ``read`` is :func:`transcript_lines.read_line` or stands in for it.

    ``adapt`` gives a decoded line the keys that a transcript's has. ``side`` names the sub-agent whose line it is, empty for
    the session's own.
    """

    name: str
    adapt: Callable[[dict[str, Any]], dict[str, Any]] = lambda line: line
    side: Callable[[dict[str, Any]], str] = lambda _: ""
    read: Callable[[dict[str, Any], str], Optional[Reading]] = read_line


class LineReader:
    """Turns lines into messages, spans and marks; remembers uuids, the last command and what to warn of."""

    def __init__(
        self,
        dialect: Dialect,
        after: str = "",
        before: Before = nothing_before,
        *,
        session: str | None = None,
        begins: int = 0,
    ) -> None:
        """``before`` tells what the parts of the file before this one have, which begins at the byte ``begins``.

        ``session`` is the one that they name; offsets are given from the beginning of the file.
        """
        self.dialect = dialect
        self._before, self._begins = before, begins
        self.sides: dict[str, LineReader] = {}
        """The readers of the sub-agents whose lines stand between those of the session."""
        self.after, _, self.tip = after.partition("/")
        """The kind of the command whose output may come next, and the id of the last line of the conversation."""
        self.known = 0
        self._decode = decoder()
        self._messages: list[Message] = []
        self.spans: list[Span] = []
        self._marks: list[Mark] = []
        self._seen: dict[str, list[list[Any]]] = {}
        self._lineage: dict[Lineage, None] = {}
        self._titling: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}
        """How many messages were said up to each line of the conversation, itself included."""
        self._parents: set[str] = set()
        self._session = session
        self._agent: str | None = None
        self._unknown: dict[str, int] = {}
        self._damaged: list[int] = []
        self._foreign = False
        self._ids: dict[bytes, int] | None = None
        self.in_order = True
        """Each line stood behind the one that it names as its parent."""

    def read(self, data: bytes) -> Export:
        """The export that ``data`` is."""
        begins = self._begins
        self.in_order = is_in_order(data, self.ids(data))
        for number, start, end in in_order(data, told=self.in_order):
            raw = data[start:end]
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                text = raw.decode(errors="surrogateescape")
                self._foreign = self._foreign or raw.endswith(b"\n")  # a cut last line may be cut inside a letter
            if begins + start == 0 and raw.startswith(_BOM):
                text = " " * len(_BOM) + text[1:]
            self._line(number, begins + start, begins + end, text)
        return self.export()

    def ids(self, data: bytes) -> dict[bytes, int]:
        """What stands like the id of a line in ``data``; looked for once."""
        if self._ids is None:
            self._ids = own_ids(data)
        return self._ids

    def only_has(self, ids: Container[bytes]) -> bool:
        """True where each id that a line has stands among ``ids``."""
        return all(uuid.encode(errors="surrogatepass") in ids for uuid in {*self._seen, *self._places})

    @property
    def own_session(self) -> str | None:
        """The session whose file it is; None where none is named, or it is that of a sub-agent."""
        return self._session if self._agent is None else None

    def export(self) -> Export:
        """What was read so far; the lines of sub-agents are not in it."""
        return Export(
            self.dialect.name,
            tuple(self._messages),
            tuple(sorted(self.spans, key=lambda span: span.start)),
            tuple(self._marks),
            conversation_id=f"{self._session}-agent-{self._agent}" if self._agent else self._session,
            warnings=tuple(warnings(self._damaged, self._unknown, foreign=self._foreign)),
            lineage=tuple(self._lineage),
            titles=tuple(
                titles_of(self._titling, self._session, lambda id_: id_ in self._places or self._before(id_)[0])
            ),
        )

    def _line(self, number: int, start: int, end: int, text: str) -> None:
        try:
            value = self._decode.decode(text)
            self.take(start, end, value)
        except (ValueError, RecursionError, ExportUnreadable):
            if not text.strip():
                self.spans.append(Span(start, end, BLANK))
            elif not text.endswith("\n"):
                self.spans.append(Span(start, end, UNFINISHED))
            else:
                self._broken(number, start, end, text)

    def _broken(self, number: int, start: int, end: int, text: str) -> None:
        """A line that is not one object: where a client died in the middle of a line, the next one follows on it."""
        done, torn = 0, False
        for first, last, value in objects_in(text):
            try:
                check_depth(value, lambda: ExportUnreadable("nested too deeply"))
            except ExportUnreadable:
                continue
            begin = start + size_of(text[:done])
            if text[done:first].strip():
                torn = True
                middle = start + size_of(text[:first])
                self.spans.append(Span(begin, middle, DAMAGED))
                begin = middle
            done = last if text[last:].strip() else len(text)
            self.take(begin, start + size_of(text[:done]), value)
        if done < len(text):
            torn = True
            self.spans.append(Span(start + size_of(text[:done]), end, DAMAGED))
        if torn:
            self._damaged.append(number)

    def take(self, start: int, end: int, value: Any) -> None:
        """One decoded line and its bytes.

        Raises :class:`ExportUnreadable`, before anything is noted, where it is nested too deeply.
        """
        reading = None
        if isinstance(value, dict):
            value = self.dialect.adapt(value)
            side = self.dialect.side(value)
            if side:
                self.sides.setdefault(side, LineReader(self.dialect._replace(side=lambda _: ""))).take(
                    start, end, value
                )
                self.known += 1
                self.spans.append(Span(start, end, SIDE))
                return
            reading = self.dialect.read(value, self.after)
        if reading is None:
            type_ = value.get("type") if isinstance(value, dict) else None
            name = f'the unknown type "{type_[:40]}"' if isinstance(type_, str) else "no type"
            if isinstance(type_, str) and type_ in CONVERSATION:
                name = f'the type "{type_}" without its message'
            self._unknown[name] = self._unknown.get(name, 0) + 1
            self.spans.append(Span(start, end, UNKNOWN))
            return
        self.known += 1
        if value["type"] in CONVERSATION:
            self._note_session(value)
        if reading.label in TITLES:
            self._titling.append(value)
        if reading.label in LINEAGE:
            self._lineage.update(dict.fromkeys(lineage_of(value)))
        if (reading.parts or reading.label == COMPACTION) and self._is_repeat(value, reading):
            self.spans.append(Span(start, end, REPEATED))
            return
        self.spans.append(Span(start, end, reading.label))
        self._note_place(value, reading)
        if reading.label == COMPACTION:
            self._marks.append(Mark(COMPACTION, len(self._messages)))
        elif reading.parts:
            self._put(start, end, reading, value)

    def _note_session(self, value: dict[str, Any]) -> None:
        """The first line names the session; it is the file of a sub-agent where every line is one of its side chain."""
        if self._session is None:
            self._session = _identifier(value.get("sessionId"))
            self._agent = _identifier(value.get("agentId")) if self._session else None
        if self._agent is not None and value.get("isSidechain") is not True:
            self._agent = None

    def _note_place(self, value: dict[str, Any], reading: Reading) -> None:
        """A prompt follows the line before it; where it names an earlier one, what came after that one was abandoned.

        Of other lines this says nothing: results of parallel calls name different lines without any rewind. Nor does a
        parent that stands nowhere, which the client only had in memory, or one that nothing else went on from.
        """
        uuid, parent = _text(value.get("uuid")), _text(value.get("parentUuid"))
        prompted = value["type"] == "user" and any(part.kind == PROMPT for _, part in reading.parts)
        if prompted and parent and self.tip not in ("", parent) and self._went_on_from(parent):
            self._marks.append(Mark(REWIND, len(self._messages)))
        if value["type"] in _IN_CHAIN:
            if parent is not None:
                self._parents.add(parent)
            if uuid is not None:
                self.tip = uuid
                self._places[uuid] = len(self._messages) + len(reading.parts)

    def _went_on_from(self, uuid: str) -> bool:
        """True where the line stands before, another line names it as its parent, and something was said since."""
        said = self._places.get(uuid)
        if said is not None:
            return uuid in self._parents and said < len(self._messages)
        stands, went_on = self._before(uuid)
        return stands and (went_on or uuid in self._parents)

    def _put(self, start: int, end: int, reading: Reading, value: dict[str, Any]) -> None:
        uuid, timestamp = _text(value.get("uuid")), value.get("timestamp")
        if not isinstance(timestamp, str) or not _TIMESTAMP.fullmatch(timestamp):
            timestamp = None
        for ordinal, (role, kind, content) in reading.parts:
            several = reading.blocks > 1 or "." in ordinal
            identity = f"{uuid}:{ordinal}" if uuid is not None and several else uuid
            self._messages.append(Message(role, kind, content, start, end, None, timestamp, identity, EXACT))
        self.after = command_before(reading.parts, self.after)

    def _is_repeat(self, value: dict[str, Any], reading: Reading) -> bool:
        """True where the uuid came with the same content before, or with more; other content is a further version, and stays."""
        uuid = _text(value.get("uuid"))
        if uuid is None:
            return False
        said = [(part.role, part.content) for _, part in reading.parts]
        versions = self._seen.get(uuid)
        if versions is None:
            self._seen[uuid] = [said]
            return False
        if said in versions or any(_is_part(said, version) for version in versions):
            return True
        versions.append(said)
        return False


def _is_part(said: list[Any], version: list[Any]) -> bool:
    """A line that was cut short: what it says is the beginning of what the earlier one said."""
    return len(said) == len(version) and all(
        role == other and isinstance(text, str) and isinstance(whole, str) and whole.startswith(text)
        for (role, text), (other, whole) in zip(said, version)
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _identifier(value: Any) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
