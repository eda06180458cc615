"""Where the raw bytes of a run may still be: archived files, plain and packed, and the client's own transcripts.

Whatever is given out has the SHA-256 that was asked for. Nothing is changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from .. import formats
from ..alignment.fingerprint import fingerprints
from ..errors import DedupError
from ..files.safe_read import read
from ..ingest.persisted_output import with_output
from ..project import client_transcripts
from ..project.export_names import file_name, session_id_from_name
from ..start.late_dataclass import replace
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ..alignment.fingerprint import Fingerprint
    from ..archive.entry import Entry
    from ..archive.restore import ArchivedFiles
    from ..formats.base import Member
    from ..model import Export, Message

_AGAIN = late_pattern(r"-\d+(?=(\.[^.]{1,20})?\Z)")


class Raw(NamedTuple):
    """The bytes of a file, what it is called, and the conversation that it belongs to, where the archive says so."""

    data: bytes
    name: str
    session: str = ""


class Part(NamedTuple):
    """Lines of a transcript: ``data`` begins at byte ``start`` of ``whole``."""

    data: bytes
    whole: bytes
    start: int
    source: str
    """The path under which the file was captured."""
    where: str
    """The file that has it: the client's own, or an archived one."""


class Sources:
    """The archive's files on ``shelf`` (None: there is no archive) and the client's transcripts."""

    def __init__(self, shelf: Optional[ArchivedFiles]) -> None:
        self._shelf = shelf
        self.entries: list[Entry] = []
        self._by_sha: dict[str, Entry] = {}
        self._members: Optional[dict[str, Member]] = None
        self._carried: Optional[dict[str, int]] = None
        self._files: dict[str, Optional[bytes]] = {}
        if shelf is None:
            return
        for entry in sorted(shelf.all(), key=lambda each: (each.mtime_ns, each.name)):
            with contextlib.suppress(DedupError):  # a plain file that goes away, or cannot be read
                sha256 = shelf.sha256(entry)
                if sha256 in shelf.purged:
                    continue  # not what was exported, by its owner's wish: neither damage nor a source
                self._by_sha.setdefault(sha256, entry)
                self.entries.append(entry)

    def sha256(self, entry: Entry) -> str:
        """The SHA-256 of an archived file, in 64 digits."""
        return self._shelf.sha256(entry) if self._shelf is not None else ""

    def has(self, sha256: str) -> bool:
        """Whether the archive names a file with these bytes; they may be damaged."""
        return sha256 in self._by_sha

    def bytes_of(self, entry: Entry) -> Optional[bytes]:
        """The bytes of an archived file; None where the archive does not have them any more."""
        if self._shelf is None:
            return None
        with contextlib.suppress(DedupError):
            return b"".join(self._shelf.parts(entry))
        return None

    def file(self, sha256: str) -> Optional[Raw]:
        """The archived file with this SHA-256."""
        entry = self._by_sha.get(sha256)
        data = self.bytes_of(entry) if entry is not None else None
        return Raw(data, entry.name, entry.session) if entry is not None and data is not None else None

    def beginning_with(self, digits: str) -> Optional[str]:
        """The SHA-256 of the one archived file, or conversation in one, that begins with these digits."""
        found = [sha256 for sha256 in (*self._by_sha, *self.members()) if sha256.startswith(digits)]
        return found[0] if len(found) == 1 else None

    def conversation(self, entry: Entry) -> Optional[str]:
        """The conversation that the packs have of an archived file; None where they say no more than its name does.

        A name is a hint: what the file shows may prove another conversation.
        """
        told = entry.session if entry.number >= 0 else ""
        return told if told and told != session_id_from_name(entry.name) else None

    def carrying(self, content_hash: str) -> Optional[tuple[Message, Fingerprint, str]]:
        """The message with this content hash in whatever archived file or transcript, and the file's name."""
        if self._carried is None:
            self._carried = {}
            for position, entry in enumerate(self.entries):
                for _, item in self._messages(entry):
                    self._carried.setdefault(item.content_hash, position)
        position = self._carried.get(content_hash, -1)
        if position >= 0:
            entry = self.entries[position]
            for message, item in self._messages(entry):
                if item.content_hash == content_hash:
                    return message, item, entry.name
        return None

    def _messages(self, entry: Entry) -> list[tuple[Message, Fingerprint]]:
        """Every message of an archived file."""
        data = self.bytes_of(entry)
        messages: list[Message] = []
        if data is not None:
            with contextlib.suppress(DedupError):
                found = formats.detect(data)
                source = Path(source_of(entry.name))
                for member in formats.conversations(data, found):
                    messages += [with_output(source, message) for message in member.export.messages]
        return list(zip(messages, fingerprints(messages)))

    # --- files that hold several conversations ----------------------------------------------------------------------

    def members(self) -> Mapping[str, Member]:
        """Each conversation of the archived files that hold several, by the SHA-256 of its own bytes."""
        if self._members is None:
            self._members = {}
            for entry in self.entries:
                for member in self.members_of(entry):
                    self._members.setdefault(member.sha256, member)
        return self._members

    def members_of(self, entry: Entry) -> Iterator[Member]:
        """The conversations of a file that holds several; none for every other file."""
        data = self.bytes_of(entry) if may_hold_several(entry.name) else None
        if data is None:
            return
        with contextlib.suppress(DedupError):
            found = formats.detect(data)
            if found.members is not None:
                yield from found.members(data)

    # --- transcripts ------------------------------------------------------------------------------------------------

    def transcript(self, source: str) -> list[tuple[bytes, str]]:
        """What there is of the transcript that was captured from the path ``source``: archived files, the client's own."""
        own = os.path.basename(source)
        archived = ((self._read(e), e.name) for e in reversed(self.entries) if e.name.rpartition("/")[2] == own)
        found = [(data, name) for data, name in archived if data is not None]
        with contextlib.suppress(DedupError):
            found.append((read(Path(source))[0], source))
        return found

    def _read(self, entry: Entry) -> Optional[bytes]:
        key = f"{entry.number}/{entry.name}"
        if key not in self._files:
            self._files = {key: self.bytes_of(entry)}
        return self._files[key]

    def part(self, cursor: Mapping[str, Any], size: int, sha256: str) -> Optional[Part]:
        """The lines that a capture read: ``size`` bytes up to the cursor's offset, with this SHA-256."""
        start = cursor["offset"] - size
        for whole, where in self.transcript(cursor["source"]):
            data = whole[max(start, 0) : cursor["offset"]]
            if hashlib.sha256(data).hexdigest() == sha256:
                return Part(data, whole, start, cursor["source"], where)
        return None


def parsed(part: Part, after: str) -> Export:
    """The messages of lines of a transcript, as a capture reads them; ``after`` is what the part before handed on."""
    export = formats.client_transcript().parse_slice(part.data, after).export
    file = Path(part.source)
    return replace(export, messages=tuple(with_output(file, message) for message in export.messages))


def may_hold_several(name: str) -> bool:
    """Whether a file of this name may hold several conversations: text exports and transcripts never do."""
    return not name.endswith(".txt") and "/" not in name


def is_transcript(entry: Entry) -> bool:
    """Whether an archived file is a transcript of the client, which is named after its folder and its session."""
    return "/" in entry.name


def source_of(name: str) -> str:
    """The path from which the client's transcript was captured that the archive calls by this name."""
    return os.path.realpath(client_transcripts.config_dir() / "projects" / name)


def called(name: str) -> set[str]:
    """What a run may have called the archived file of this name: the archive counts files of one name through."""
    return {file_name(name), _AGAIN.sub("", file_name(name))}
