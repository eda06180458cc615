"""The input formats, one module each, in the order in which they are asked.

- *format*: one kind of file; its module answers what :class:`base.Format` asks, and nobody else knows it by name
- *export*: what a format reads from a file that holds one conversation, :class:`~.model.Export`
- *member*: one conversation of a file, with the digest of its own bytes
- *span*: a run of bytes of a file and what it is; the spans of an export cover the file
- *mark*: what stands between messages: a compaction, a rewind, a further banner
- *slice*: the lines that were added to a file since it was read last

A module is imported when it is first asked: for a text export, which is the common case, only the first one.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from ..errors import NotAnExport
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ..model import Export
    from .base import Cumulative, Format, Growing, Large, Member


class Registered(NamedTuple):
    """What is known of a format while its module is not imported: its line in :data:`FORMATS`.

    ``large_begins``: its files may be too large to be read whole, and begin with one of these after white space (``b"PK"``);
    ``large_says``: those of them that are JSON have this in their first :data:`LARGE_HEAD` bytes.
    ``reads_objects``: it is JSON, and a caller may pass the parsed document in the place of a file.
    """

    module: str
    shown_as: str = ""
    """What people call it (``text export``); empty: by its name."""
    large_begins: tuple[bytes, ...] = ()
    large_says: bytes = b""
    reads_objects: bool = False
    never_json: bool = False
    """None of its files begins as JSON does."""
    cumulative: bool = False
    """Its module answers what :class:`base.Cumulative` asks."""


LARGE_HEAD: Final = 256 * 1024
"""Bytes within which a file that is not to be read whole has told what it is."""
_JSON_HEAD: Final = late_pattern(rb"""\s*[{\[]\s*["{\[\]}]""")
_CLIENT_EXPORT: Final = "claude-code-text"
_CLIENT_TRANSCRIPT: Final = "claude-code-transcript"
ANY_OBJECT: Final = "third-party-json"
FORMATS: Final[dict[str, Registered]] = {
    _CLIENT_EXPORT: Registered("text", "text export", never_json=True, cumulative=True),
    _CLIENT_TRANSCRIPT: Registered("transcript", "transcript", cumulative=True),
    "claude-code-stream-json": Registered("stream_json"),
    "claude-ai-export": Registered(
        "claude_ai", large_begins=(b"PK", b"[", b"{"), large_says=b"chat_messages", reads_objects=True
    ),
    "anthropic-messages-api": Registered("api", reads_objects=True),
    ANY_OBJECT: Registered("third_party", reads_objects=True),
}
"""Name of each format -> its module in this folder, and what is known of it before that is imported."""


def load(name: str) -> Format:
    """The format of this name; raises :class:`KeyError` for one that another version has written."""
    return cast("Format", import_module(f".{FORMATS[name].module}", __name__))


def detect(data: bytes, *, strict: bool = False) -> Format:
    """The format of ``data``, by content alone. Raises :class:`NotAnExport` with the reason."""
    is_json = _JSON_HEAD.match(data) is not None
    for name, line in FORMATS.items():
        if is_json and line.never_json:
            continue  # its module takes long to import
        candidate = load(name)
        if candidate.recognises(data, strict=strict):
            return candidate
    raise NotAnExport(describe(data))


def parse(data: bytes, *, strict: bool = False, known: Format | None = None) -> Export:
    """Every message of an export with the bytes it came from; ``known``: its format was detected already."""
    return (known or detect(data, strict=strict)).parse(data)


def conversations(data: bytes, known: Format) -> Iterator[Member]:
    """The conversations of a file of a format, one after another; most files hold one. Raises as :meth:`Format.parse`."""
    if known.members is not None:
        yield from known.members(data)
    else:
        from .base import Member

        yield Member(known.parse(data), hashlib.sha256(data).hexdigest(), len(data))


def cumulative(known: Format) -> Cumulative | None:
    """A format as one whose exports begin with earlier ones; None where it is none of these."""
    line = FORMATS.get(known.NAME)
    return cast("Cumulative", known) if line is not None and line.cumulative else None


def may_hold_several(name: str) -> bool:
    """Whether files of the format of this name may hold several conversations; False for a name that nobody knows."""
    return name in FORMATS and load(name).members is not None


def shown_as(name: str) -> str:
    """What people call a format: ``text export``; its name where it is called nothing else."""
    return FORMATS[name].shown_as or name if name in FORMATS else name


def large(file: BinaryIO, *, strict: bool = False) -> Large | None:
    """The format of a file that is not to be read whole; None where it is to be, whatever it is. ``file`` is at its beginning."""
    head = file.read(LARGE_HEAD)
    file.seek(0)
    begins = head[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for name, line in FORMATS.items():
        if not (line.large_begins and begins.startswith(line.large_begins)):
            continue
        if begins.startswith(b"PK") or line.large_says in head:  # its module takes long to import
            candidate = cast("Large", load(name))
            if candidate.opens(file, strict=strict):
                return candidate
    return None


def client_export() -> Format:
    """The format that the client's ``/export`` writes."""
    return load(_CLIENT_EXPORT)


def client_transcript() -> Growing:
    """The format in which the client writes its sessions down."""
    return cast("Growing", load(_CLIENT_TRANSCRIPT))


def messages_of(objects: list[object]) -> Export:
    """Objects with roles and contents of whatever make. Raises ``ExportError``."""
    from . import third_party

    return third_party.parse_object(objects)


def parse_object(value: object, data: bytes) -> Export:
    """The same for a JSON document that was parsed already; ``data`` is its canonical spelling."""
    from . import third_party

    for name, line in FORMATS.items():
        if line.reads_objects and name != ANY_OBJECT:
            candidate = load(name)
            if candidate.recognises(data, strict=False):
                return candidate.parse(data)
    return third_party.parse_object(value)


def describe(data: bytes) -> str:
    """What a file that is no export looks like instead, in a few words for its owner."""
    if not data:
        return "the file is empty (0 bytes)"
    if not data.strip():
        return "the file holds only white space"
    if b"Status: PENDING" in data[:1000] and b"placeholder" in data[:2000]:
        return "a placeholder that waits for /export"
    from ..alignment.plain_text import LOGGED

    if b"EXPORT-DEDUP EXECUTION REPORT" in data[:2000] or LOGGED.encode() in data[:100]:
        return "a status log of export-dedup itself"
    if data[:2] == b"PK":
        return "a ZIP archive, but no data export of claude.ai: no conversations.json can be read from it"
    if b"\0" in data[:65536]:
        return "a binary file"
    if data.lstrip()[:1] == b"{" and b'"type":"result"' in data[:200].replace(b" ", b""):
        return "the result of a run alone: capture the transcript of its session, or use --output-format stream-json"
    if data.lstrip()[:1] in (b"{", b"["):
        return "JSON, but not a conversation"
    return "no prompts, answers or tool results in it"
