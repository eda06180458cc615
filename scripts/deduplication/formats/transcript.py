"""Session transcripts of Claude Code: ``~/.claude/projects/<folder>/<session>.jsonl`` and those of sub-agents, 2.0 to 2.1.330.

One JSON object a line, only ever appended to (see ``transcript_lines`` for what a line can be). Lines end at a line feed and
nowhere else. The client writes lines side by side, so that an answer may stand before its prompt: no line is read before the one
that it names as its parent, where that is in the same part.

Every line is one span: of its first message's kind, of its type, or of one of the labels below. Where a line has several
messages (text and image of a prompt), they share its bytes, the span stands once, and the uuid of each is the line's with
``:n`` for the n-th block, from 0. The client writes each block of a streamed answer as a line of its own: nothing is merged.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Optional

from ..errors import ExportUnreadable, NotAnExport
from ..model import COMPACTION, EXACT, PROMPT, REWIND, Export, Mark, Message, Span
from .json_spans import decoder
from .transcript_lines import CONVERSATION, OTHERS, Reading, command_before, read_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME: Final = "claude-code-transcript"

REPEATED: Final = "repeated"
"""A line whose uuid and content were in the file before: some versions wrote every message twice."""
UNKNOWN: Final = "unknown"
"""A line of a type that is not known, or a value that is no object."""
DAMAGED: Final = "damaged"
"""A line, or a part of one, that is no JSON."""
UNFINISHED: Final = "unfinished"
"""The last line, cut while the client was writing it."""
BLANK: Final = "blank"

_BOM: Final = b"\xef\xbb\xbf"
_START: Final = re.compile(r'\{"(?:parentUuid|type|uuid|sessionId|isSidechain|messageId|leafUuid)":')
"""How the client's objects begin."""
_STARTS_TRIED: Final = 64
_IN_CHAIN: Final = CONVERSATION | {"progress"}
"""Types whose lines follow one another by ``parentUuid``."""
_PROBED: Final = 2000
"""Lines; a session may begin with many snapshots and titles, but not with this many."""
_TYPES_NAMED: Final = 20
_PARENT: Final = re.compile(rb'^\{"parentUuid":"([0-9a-f-]{36})"', re.MULTILINE)
_OWN: Final = re.compile(rb'"uuid":"([0-9a-f-]{36})"')
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.,Zz+-]{0,25}")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_Found = tuple[int, int, Optional[Reading], Any]


class Slice(NamedTuple):
    """A part of a transcript, and what the reader of the next part must know: pass ``after`` on."""

    export: Export
    after: str


def recognises(data: bytes, *, strict: bool) -> bool:
    """True where a line is one of the client's; ``strict``: a prompt or an answer of a session, nothing foreign before it."""
    read = decoder()
    for number, (start, end) in enumerate(_lines(data)):
        if number >= _PROBED:
            break
        try:
            text = data[start:end].decode().strip(" \t\r\n\ufeff")
            if not text:
                continue
            line = read.decode(text)
        except (ValueError, RecursionError):
            if strict:
                return False
            continue
        type_ = line.get("type") if isinstance(line, dict) else None
        if not isinstance(type_, str):
            if strict:
                return False
        elif type_ in ("user", "assistant") and isinstance(line.get("message"), dict) and "uuid" in line:
            if isinstance(line.get("sessionId"), str) or ("parentUuid" in line and not strict):
                return True
        elif not strict and ("sessionId" in line or "leafUuid" in line) and (type_ in CONVERSATION or type_ in OTHERS):
            return True
    return False


def parse(data: bytes) -> Export:
    """Every message of a transcript in the order of its lines.

    Damaged lines and unknown types are counted in warnings, never fatal. Raises :class:`NotAnExport` where no line is known.
    """
    reader = _Reader("")
    export = reader.read(data)
    if not reader.known:
        raise NotAnExport("no line of a session transcript in it")
    return export


def parse_slice(data: bytes, after: str = "") -> Slice:
    """The same for a part that begins where a line begins; offsets and positions count from the beginning of the part.

    Whether an output belongs to ``/export`` is known from the command before, and that a prompt goes on from an earlier point,
    from the line before, which may lie in the part before: ``after`` is that of the part before. Repeats are found within a
    part only; their uuids tell the rest.
    """
    reader = _Reader(after)
    export = reader.read(data)
    return Slice(export, f"{reader.after}/{reader.tip}")


class _Reader:
    """Turns lines into messages, spans and marks; remembers uuids, the last command and what to warn of."""

    def __init__(self, after: str) -> None:
        self.after, _, self.tip = after.partition("/")
        """The kind of the command whose output may come next, and the id of the last line of the conversation."""
        self.known = 0
        self._decode = decoder()
        self._messages: list[Message] = []
        self._spans: list[Span] = []
        self._marks: list[Mark] = []
        self._seen: dict[str, list[list[Any]]] = {}
        self._session: str | None = None
        self._agent: str | None = None
        self._unknown: dict[str, int] = {}
        self._damaged: list[int] = []
        self._foreign = False

    def read(self, data: bytes) -> Export:
        """The export that ``data`` is."""
        for number, start, end in _in_order(data):
            raw = data[start:end]
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                text = raw.decode(errors="surrogateescape")
                self._foreign = self._foreign or raw.endswith(b"\n")  # a cut last line may be cut inside a letter
            if start == 0 and raw.startswith(_BOM):
                text = " " * len(_BOM) + text[1:]
            self._line(number, start, end, text)
        return Export(
            NAME,
            tuple(self._messages),
            tuple(sorted(self._spans, key=lambda span: span.start)),
            tuple(self._marks),
            conversation_id=f"{self._session}-agent-{self._agent}" if self._agent else self._session,
            warnings=tuple(self._warnings()),
        )

    def _line(self, number: int, start: int, end: int, text: str) -> None:
        try:
            value = self._decode.decode(text)
            reading = read_line(value, self.after) if isinstance(value, dict) else None
        except (ValueError, RecursionError, ExportUnreadable):
            if not text.strip():
                self._spans.append(Span(start, end, BLANK))
            elif not text.endswith("\n"):
                self._spans.append(Span(start, end, UNFINISHED))
            else:
                self._broken(number, start, end, text)
            return
        self._take(start, end, reading, value)

    def _broken(self, number: int, start: int, end: int, text: str) -> None:
        """A line that is not one object: where a client died in the middle of a line, the next one follows on it."""
        done, torn = 0, False
        for first, last, value in self._objects(text):
            try:
                reading = read_line(value, self.after)
            except ExportUnreadable:
                continue
            begin = start + _size(text[:done])
            if text[done:first].strip():
                torn = True
                middle = start + _size(text[:first])
                self._spans.append(Span(begin, middle, DAMAGED))
                begin = middle
            done = last if text[last:].strip() else len(text)
            self._take(begin, start + _size(text[:done]), reading, value)
        if done < len(text):
            torn = True
            self._spans.append(Span(start + _size(text[:done]), end, DAMAGED))
        if torn:
            self._damaged.append(number)

    def _objects(self, text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """The whole objects in a line; those inside a damaged one are none: what follows them goes on with it."""
        done = 0
        for match in islice(_START.finditer(text), _STARTS_TRIED):
            if match.start() < done:
                continue
            try:
                value, last = self._decode.raw_decode(text, match.start())
            except (ValueError, RecursionError):
                continue
            if text[last : last + 1] in ("{", "", "\r", "\n", " "):
                yield match.start(), last, value
                done = last

    def _take(self, start: int, end: int, reading: Reading | None, value: Any) -> None:
        if reading is None:
            type_ = value.get("type") if isinstance(value, dict) else None
            name = f'the unknown type "{type_[:40]}"' if isinstance(type_, str) else "no type"
            if isinstance(type_, str) and type_ in CONVERSATION:
                name = f'the type "{type_}" without its message'
            self._unknown[name] = self._unknown.get(name, 0) + 1
            self._spans.append(Span(start, end, UNKNOWN))
            return
        self.known += 1
        if value["type"] in CONVERSATION:
            self._note_session(value)
        if (reading.parts or reading.label == COMPACTION) and self._is_repeat(value, reading):
            self._spans.append(Span(start, end, REPEATED))
            return
        self._spans.append(Span(start, end, reading.label))
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

        Of other lines this says nothing: results of parallel calls name different lines without any rewind.
        """
        uuid, parent = _text(value.get("uuid")), _text(value.get("parentUuid"))
        prompted = value["type"] == "user" and any(part.kind == PROMPT for _, part in reading.parts)
        if prompted and parent and self.tip not in ("", parent):
            self._marks.append(Mark(REWIND, len(self._messages)))
        if uuid is not None and value["type"] in _IN_CHAIN:
            self.tip = uuid

    def _put(self, start: int, end: int, reading: Reading, value: dict[str, Any]) -> None:
        uuid, timestamp = _text(value.get("uuid")), value.get("timestamp")
        if not isinstance(timestamp, str) or not _TIMESTAMP.fullmatch(timestamp):
            timestamp = None
        for ordinal, (role, kind, content) in reading.parts:
            identity = f"{uuid}:{ordinal}" if uuid is not None and reading.blocks > 1 else uuid
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

    def _warnings(self) -> Iterator[str]:
        if self._foreign:
            yield "the file has bytes that are not UTF-8; they are kept as they are"
        if self._damaged:
            lines = "1 damaged line" if len(self._damaged) == 1 else f"{len(self._damaged)} damaged lines"
            yield f"{lines}, the first is line {self._damaged[0]}; their bytes are kept"
        named = list(self._unknown.items())
        for name, count in named[:_TYPES_NAMED]:
            yield f"{_lines_of(count)} of {name}; their bytes are kept, no message is"
        if named[_TYPES_NAMED:]:
            yield f"{_lines_of(sum(count for _, count in named[_TYPES_NAMED:]))} of further unknown types"


def _is_part(said: list[Any], version: list[Any]) -> bool:
    """A line that was cut short: what it says is the beginning of what the earlier one said."""
    return len(said) == len(version) and all(
        role == other and isinstance(text, str) and isinstance(whole, str) and whole.startswith(text)
        for (role, text), (other, whole) in zip(said, version)
    )


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    start, size = 0, len(data)
    while start < size:
        end = data.find(b"\n", start) + 1 or size
        yield start, end
        start = end


def _in_order(data: bytes) -> Iterable[tuple[int, int, int]]:
    """The lines with their numbers, each behind the one that it names as its parent, else in the order of the file."""
    lines = [(number, start, end) for number, (start, end) in enumerate(_lines(data), 1)]
    if not any(orphan.later for orphan in orphans(data)):
        return lines
    own: dict[str, int] = {}
    parents: list[str] = []
    for at, (_, start, end) in enumerate(lines):
        uuid, parent = _identity(data[start:end])
        parents.append(parent)
        own.setdefault(uuid, at)
    done: dict[int, None] = {}
    for at in range(len(lines)):
        chain: dict[int, None] = {}
        step: int | None = at
        while step is not None and step not in done and step not in chain:  # some versions wrote circles
            chain[step] = None
            step = own.get(parents[step]) if parents[step] else None
        done.update(dict.fromkeys(reversed(chain)))
    return [lines[at] for at in done]


def _identity(raw: bytes) -> tuple[str, str]:
    """The id of a line and that of its parent, empty where it has none."""
    try:
        value = decoder().decode(raw.decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(value, dict):
        return "", ""
    return _text(value.get("uuid")) or "", _text(value.get("parentUuid")) or ""


class Orphan(NamedTuple):
    """A line that begins at ``start`` and whose parent is not before it; ``later``: it comes behind it."""

    start: int
    later: bool


def orphans(data: bytes, before: bytes = b"") -> list[Orphan]:
    """Lines whose parent is not before them, neither in ``data`` nor in ``before``. Looks at bytes only: it reads every part."""
    first: dict[bytes, int] = {}
    for match in _OWN.finditer(data):
        first.setdefault(match.group(1), match.start())
    lonely = [
        (match.start(), match.group(1))
        for match in _PARENT.finditer(data)
        if not -1 < first.get(match.group(1), -1) < match.start()
    ]
    known = set(_OWN.findall(before)) if lonely else set()
    return [Orphan(start, parent in first) for start, parent in lonely if parent not in known]


def _lines_of(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _size(text: str) -> int:
    return len(text.encode(errors="surrogateescape"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _identifier(value: Any) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
