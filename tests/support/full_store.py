"""A store with everything in it that a log can say: what a move to another store must bring along."""

from __future__ import annotations

import json
import time

import transcript_lines as lines
from deduplication.alignment.fingerprint import fingerprint
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.model import PROMPT, USER, Message
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from deduplication.storage.contract import ExportRecord, NewOccurrence
from exports import _BANNER, Story
from image_scenes import IMAGES, SESSIONS, shown

RESTARTING = [*range(10), *range(6)]
"""The numbers of sixteen messages: ten, and after a compaction six more from 0 on."""
HOSTILE = "nul \0, half a pair \ud83d, '; DROP TABLE messages; --, \\x00 \u2028 \ufffd"


def numbered(name, numbers, said="message"):
    """An export as JSON whose messages have numbers of their own."""
    roles = ("user", "assistant")
    messages = [
        {"index": number, "role": roles[at % 2], "content": f"{said} {at} of {name} in a sentence of its own"}
        for at, number in enumerate(numbers)
    ]
    return json.dumps({"conversation_id": name, "messages": messages}).encode()


def distinct_words(size):
    """So many bytes of words of which none comes twice."""
    return " ".join(f"word{number}" for number in range(size // 10))[:size]


def commit(store, conversation, texts, *, name):
    """Store a run of messages under a name that no export could have."""
    with store.transaction():
        first = store.tip(conversation)
        occurrences = []
        for number, text in enumerate(texts, first):
            message = Message(USER, PROMPT, text, uuid=f"{HOSTILE}{number}", source_index=number)
            found = fingerprint(message)
            occurrences.append((number, NewOccurrence(found, message, "2026-01-01T00:00:00Z", "source")))
        new = len(
            {
                each.fingerprint.content_hash
                for _, each in occurrences
                if not store.has_body(each.fingerprint.content_hash)
            }
        )
        record = ExportRecord(
            name,
            f"{len(texts):064}",
            1000,
            "json",
            1,
            len(texts),
            new,
            [[first, first + len(texts) - 1]],
            gaps=[HOSTILE],
        )
        store.commit(conversation, occurrences, record, time.perf_counter())


class FullStore:
    """A store in ``folder`` of kind ``backend``; the client's transcripts lie in ``client``."""

    def __init__(self, folder, client, backend="default"):
        self.folder, self.client, self.backend = folder, client, backend

    @property
    def dedup(self):
        """As a new process has it."""
        return ClaudeConversationDeduplicator(self.folder, self.backend)

    def transcript(self, session="first"):
        """Where the client writes a session."""
        return self.client / "projects" / "-home-ada-project" / f"{SESSIONS[session]}.jsonl"

    def write(self, session, data):
        """The client writes on, and what is new is captured."""
        self.transcript(session).parent.mkdir(parents=True, exist_ok=True)
        with open(self.transcript(session), "ab") as file:
            file.write(data)

    def capture(self, session="first", dedup=None):
        """What is new of a session is stored."""
        return capture_file(dedup or self.dedup, self.transcript(session), thorough=True)

    def filled(self):
        """All of it."""
        story = Story(7, exchanges=12)
        for file in story.exports(3, compact_every=2, repeat=0.3):
            self.dedup.ingest(file.data, name=file.name, conversation_id="rollout-master")
        self.dedup.ingest(numbered("restarting", RESTARTING), name="restarting.json", conversation_id="restarting")
        self._hostile()
        self._united()
        self.pictures()
        self._purged()
        return self

    def pictures(self):
        """Two sessions with images, captured in parts, one of them in both."""
        boat, tide, _ = IMAGES.values()
        first = SESSIONS["first"]
        self.write("first", shown("a", boat) + lines.answer("A boat.", session=first))
        self.capture("first")
        self.write("first", shown("b", tide, twice=True) + lines.answer("The tide.", session=first))
        self.capture("first")
        self.write("second", shown("d", boat, session="second"))
        self.capture("second")

    def _hostile(self):
        said = [HOSTILE, distinct_words(2_000_000), "yes", HOSTILE, "yes"]
        commit(self.dedup.store, "n" * 300, said, name=HOSTILE)
        commit(self.dedup.store, HOSTILE, said[2:], name="'; DROP TABLE runs; --")

    def _united(self):
        """A head and a tail stored apart, and an export that shows them to be one."""
        turns = [f"Turn {at} of the bridge says what no other one says, at some length." for at in range(12)]
        for name, first, end in (("head", 0, 6), ("tail", 6, 12), ("whole", 0, 12)):
            drawn = "".join(f"❯ {turn}\n\n● Answer: {turn}\n\n" for turn in turns[first:end])
            self.dedup.ingest((_BANNER + drawn).encode(), name=f"2026-01-0{len(name)}-EXPORT-{name}.txt")

    def _purged(self):
        """Some of a conversation, and one body wherever it is shown."""
        dedup = self.dedup
        dedup.ingest(numbered("with-a-secret", range(8), "secret"), name="secret.json", conversation_id="with-a-secret")
        dedup.ingest(numbered("without", range(4), "harmless"), name="harmless.json", conversation_id="without")
        hashes = [each["content_hash"] for each in dedup.get_full_conversation("with-a-secret")[2:5]]
        purge(self.dedup.store, None, Scope(hashes=tuple(hashes)))
        purge(self.dedup.store, None, Scope(sessions=("without",)))
