"""What the tests of purging share: conversations in which every message has a word of its own, and a raw look at every byte."""

from __future__ import annotations

import base64
import json
import lzma
import struct
from typing import TYPE_CHECKING

from deduplication.commands import deduplicate_export, export_dedup
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import Project
from deduplication.purge.follow_up import verify
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from document_readers import reader_of
from exports import _BANNER, _DIVIDER, Turn, _drawn
from transcript_lines import identity

if TYPE_CHECKING:
    from pathlib import Path

_ROLES = {"prompt": "user", "text": "assistant", "tool_call": "assistant", "tool_result": "system"}
PICTURE = bytes(range(256)) * 8


def word(name, position):
    """A word that stands in one message and nowhere else."""
    return f"{name}zq{position}xv"


class Talk:
    """A conversation; every fourth message is a short one, others say a sentence or three with their word in it."""

    def __init__(self, name, count=16, *, tools=True, images=True):
        self.name = name
        self.images = images
        self.session = f"{hash_of(name):08x}-2222-4333-8444-555555555555"
        self.turns = []
        for position in range(count):
            kind = ("prompt", "text")[position % 2]
            if tools and position % 8 == 3:
                kind = "tool_call"
            elif tools and position % 8 == 4:
                kind = "tool_result"
            own = word(name, position)
            said = f"{own}, please" if position % 4 == 2 else sentence(own, 1 + position % 3)
            if kind == "tool_call":
                said = f"Bash(cat {own}.txt)"
            self.turns.append(Turn(_ROLES[kind], kind, said))

    def text(self, first=0, end=None, *, width=80, compacted=False):
        """As an export shows it."""
        drawn = [_drawn(turn, width) for turn in self.turns[first:end]]
        return ((_DIVIDER if compacted else _BANNER) + "".join(drawn)).encode()

    def lines(self, first=0, end=None):
        """As the client writes it down."""
        return b"".join(self._line(n) for n in range(first, len(self.turns) if end is None else end))

    def _line(self, position):
        turn = self.turns[position]
        value = {
            "parentUuid": identity(str(position - 1), self.session) if position else None,
            "isSidechain": False,
            "type": "user" if turn.kind in ("prompt", "tool_result") else "assistant",
            "uuid": identity(str(position), self.session),
            "sessionId": self.session,
            "timestamp": f"2026-11-20T10:{position // 60:02}:{position % 60:02}.000Z",
            "message": {"role": turn.role, "content": turn.text},
        }
        if turn.kind == "text":
            value["message"] = {"role": "assistant", "content": [{"type": "text", "text": turn.text}]}
        elif turn.kind == "tool_call":
            block = {
                "type": "tool_use",
                "id": f"toolu_{position}",
                "name": "Bash",
                "input": {"command": turn.text[5:-1]},
            }
            value["message"] = {"role": "assistant", "content": [block]}
        elif turn.kind == "tool_result":
            block = {"type": "tool_result", "tool_use_id": f"toolu_{position}", "content": turn.text}
            value["message"] = {"role": "user", "content": [block]}
            value["toolUseResult"] = {"stdout": turn.text}
        elif position == 8 and self.images:
            image = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(self.picture).decode()}
            value["message"]["content"] = [{"type": "text", "text": turn.text}, {"type": "image", "source": image}]
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"

    @property
    def picture(self):
        """An image that only this conversation has."""
        return word(self.name, 8).encode() * 100 + PICTURE

    def words(self, first=0, end=None):
        """The words of these messages."""
        return {word(self.name, position).encode() for position in range(len(self.turns))[first:end]}


def hash_of(name):
    """A number for a name, the same in every run."""
    return int.from_bytes(name.encode()[:4].ljust(4, b"\0"), "big")


def sentence(own, count=1):
    """A few sentences that a word stands in again and again."""
    return " ".join(
        f"In step {n} we weigh the {own} lantern beside the harbour and note what {own} says of number {n}."
        for n in range(count)
    )


class Place:
    """A project in a folder, with its store."""

    def __init__(self, root, *, backend="default"):
        root.mkdir(parents=True, exist_ok=True)
        (root / ".git").mkdir(exist_ok=True)
        self.project = Project(root.resolve())
        self.backend = backend
        self.project.exports.mkdir(parents=True, exist_ok=True)

    @property
    def dedup(self):
        """A deduplicator that knows nothing yet."""
        return ClaudeConversationDeduplicator(self.project.state, self.backend)

    def export(self, name, data, *more):
        """Process an export as a run does: store, archive, session files."""
        (self.project.exports / name).write_bytes(data)
        arguments = ["--project", str(self.project.root), "--yes", "--backend", self.backend, *more]
        assert export_dedup.main(arguments) == 0
        assert not (self.project.exports / name).exists()

    def capture(self, folder, talk, end=None):
        """Capture a transcript that was written into ``folder`` up to a message."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{talk.session}.jsonl"
        file.write_bytes(talk.lines(0, end))
        return capture_file(self.dedup, file)

    def pack(self):
        """Pack everything."""
        assert deduplicate_export.main(["pack", "--older-than", "0", "--project", str(self.project.root)]) == 0

    def sessions(self):
        """Write every session file."""
        assert deduplicate_export.main(["session", "--all", "--project", str(self.project.root)]) == 0

    def purge(self, *, sessions=(), between=None, hashes=(), **more):
        """Purge, and prove it."""
        store = self.dedup.store
        done = purge(store, self.project, scope_of(list(sessions), between, list(hashes)), **more)
        if not done.dry_run:
            verify(store, self.project, done)
            assert done.problems == []
        return done

    def said(self, name):
        """What a reader of a conversation gets, white space aside."""
        return [squeezed(message) for message in self.dedup.get_full_conversation(name)]

    def snapshot(self):
        """Every file with its bytes, what is only ever a lock left out."""
        memory = self.project.memory
        return {
            path.relative_to(memory).as_posix(): path.read_bytes()
            for path in sorted(memory.rglob("*"))
            if path.is_file() and not path.name.endswith(("lock", "-shm", "-wal"))
        }


def squeezed(message):
    """Role, kind and content of a message without white space."""
    return message["role"], message["kind"], "".join(str(message["content"]).split())


def everything(folder: Path) -> bytes:
    """Every byte that lies in a folder, and what is compressed in it: a reader that knows nothing of the product."""
    parts = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        parts += (path.name.encode(), data)
        if path.suffix == ".xz":
            parts.append(lzma.decompress(data))
        elif path.suffix == ".pack":
            parts += _frames(data)
    return b"\n".join(parts)


def _frames(data):
    """Each frame of a pack unpacked, whatever refers to it."""
    at = 64
    while at < len(data) - 96:
        _, how, _, _, raw, stored, _ = struct.unpack_from("<BB2sIIIQ", data, at)
        yield reader_of("archive").unpacked(how, data[at + 60 : at + 60 + stored], raw)
        at += 60 + stored


def left(place, words):
    """Which of these words are anywhere in the project's folder."""
    data = everything(place.project.memory)
    return sorted(each.decode() for each in words if each in data)
