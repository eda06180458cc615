"""A project whose conversations have images, captured and archived as the client's hooks do."""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING

import transcript_lines as lines
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.client_transcripts import find_transcripts
from deduplication.project.paths import Project
from deduplication.workflow.archive_transcripts import archive_transcripts

if TYPE_CHECKING:
    from pathlib import Path

SESSIONS = {"first": "aaaaaaaa-2222-4333-8444-555555555555", "second": "bbbbbbbb-2222-4333-8444-555555555555"}
IMAGES = {name: random.Random(name).randbytes(5_000 + n) for n, name in enumerate(("boat", "tide", "lamp"))}
LARGE = random.Random("document").randbytes(60_001)


def text(data):
    """As an encoder writes it."""
    return base64.b64encode(data).decode()


def shown(name, data, *, session="first", kind="image", twice=False):
    """A line with an image in it; ``twice``: a tool's result, which the client writes down once more beside the message."""
    block = {"type": kind, "source": {"type": "base64", "media_type": "image/png", "data": text(data)}}
    content = [block, {"type": "text", "text": f"This is the picture that is called {name}."}]
    if not twice:
        return lines.line(name, "user", {"role": "user", "content": content}, session=SESSIONS[session])
    result = [{"type": "tool_result", "tool_use_id": f"t{name}", "content": content}]
    more = {"toolUseResult": {"type": kind, "file": {"base64": text(data)}}}
    return lines.line(name, "user", {"role": "user", "content": result}, session=SESSIONS[session], **more)


def told():
    """The lines of both sessions: images once, twice in a line, in both of them, and a document."""
    boat, tide, lamp = IMAGES.values()
    return {
        "first": shown("a", boat)
        + lines.answer("A boat.", session=SESSIONS["first"])
        + shown("b", tide, twice=True)
        + lines.answer("The tide.", session=SESSIONS["first"])
        + shown("c", LARGE, kind="document"),
        "second": shown("d", boat, session="second")
        + lines.answer("It is the same boat.", session=SESSIONS["second"])
        + shown("e", lamp, session="second"),
    }


class Harbour:
    """A project below ``root``, and the client's folder ``client``."""

    def __init__(self, root: Path, client: Path) -> None:
        (root / "MEMORY-CONTEXT").mkdir(parents=True, exist_ok=True)
        self.project = Project(root.resolve())
        self.client = client

    @property
    def dedup(self):
        """As a new process has it."""
        return ClaudeConversationDeduplicator(self.project.state)

    def transcript(self, session):
        """Where the client writes a session."""
        return self.client / "projects" / "-home-ada-project" / f"{SESSIONS[session]}.jsonl"

    def write(self, session, data):
        """The client writes."""
        self.transcript(session).parent.mkdir(parents=True, exist_ok=True)
        self.transcript(session).write_bytes(data)

    def capture(self, *sessions):
        """What is new of these sessions is stored."""
        for session in sessions or SESSIONS:
            capture_file(self.dedup, self.transcript(session), thorough=True)

    def archive(self):
        """What the client wrote goes into packs."""
        done = archive_transcripts(self.project, find_transcripts(None))
        assert done.failures == []
        return done

    def filled(self):
        """Both sessions, captured and archived."""
        for session, data in told().items():
            self.write(session, data)
        self.capture()
        self.archive()

    def blobs(self):
        """The images that are files, by name."""
        found = {path.name: path.read_bytes() for path in (self.project.state / "blobs").glob("*/*")}
        assert all(len(name) == 64 for name in found)
        return found

    def said(self):
        """Every message, as it is read back."""
        dedup = self.dedup
        return {name: dedup.get_full_conversation(name) for name in dedup.conversations()}

    def packs(self):
        """The packs, by name."""
        return {path.name: path.read_bytes() for path in (self.project.archive / "packs").glob("*.pack")}
