"""Conversations in a store and what the session renderers make of them, for tests."""

from __future__ import annotations

from deduplication import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.sessions import session_file
from deduplication.sessions.agents import family
from deduplication.sessions.conversation import open_reading
from deduplication.sessions.full_document import names_of
from deduplication.sessions.html.page import page
from deduplication.sessions.redaction import Cleaner, unchanged
from deduplication.titles.naming import naming


class Told:
    """A store in ``folder``, a growing transcript in it, and a folder for session files."""

    def __init__(self, folder):
        self.dedup = ClaudeConversationDeduplicator(folder / "state")
        self.store = self.dedup.store
        self.transcript = folder / "session.jsonl"
        self.files = folder / "sessions"
        self.files.mkdir()

    def capture(self, *lines, name=None):
        """Append lines to a transcript and store what is new of it; returns the conversation."""
        path = self.transcript if name is None else self.transcript.with_name(name)
        with open(path, "ab") as file:
            file.writelines(lines)
        return capture_file(self.dedup, path).conversation_id

    def add(self, data, name="2026-01-02-EXPORT-STORY.txt", conversation=None):
        """Process an export; returns the conversation."""
        return self.dedup.ingest(data, name=name, conversation_id=conversation).conversation_id

    def update(self, session, folder=None, *, part_bytes=session_file.PART_BYTES, redact=unchanged, rules=""):
        """Bring the session's files up to the store."""
        with self.store.transaction(write=False):
            clean = Cleaner(redact, rules)
            names = names_of(self.store, session, clean)
            where = str(folder or self.files)
            return session_file.update(self.store, session, where, clean, names, part_bytes=part_bytes)

    def named(self, session):
        """What the session is called."""
        with self.store.transaction(write=False):
            return naming(self.store, session, lambda text: text)

    def stem(self, session):
        """The name of the session's files, without ending."""
        return self.named(session).stem

    def contents(self, folder=None):
        """Every session file by name."""
        return {path.name: path.read_bytes() for path in sorted((folder or self.files).iterdir())}

    def markdown(self, session):
        """The session's first file as text, without its last line."""
        return (self.files / f"{self.stem(session)}.md").read_text(encoding="utf-8").rpartition("<!-- export-dedup")[0]

    def html(self, session, redact=unchanged, *, pictures=False):
        """The session's page."""
        with self.store.transaction(write=False):
            reading = open_reading(self.store, session)
            clean = Cleaner(redact)
            own = naming(self.store, session, clean.redacted_text)
            return "".join(page(reading, family(self.store, session), {}, clean, own, pictures=pictures))
