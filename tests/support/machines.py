"""Machines of one person on one database: a hybrid store each, and what all of them must come to."""

from __future__ import annotations

from deduplication.exchange.exchange import exchange
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from postgres_rows import OWNED


class Machines:
    """Stores in folders of their own below ``folder``, with the database at ``url``."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.names = []

    def store(self, name):
        """The store of a machine, opened anew."""
        return self[name].store

    def __getitem__(self, name):
        if name not in self.names:
            self.names.append(name)
        return ClaudeConversationDeduplicator(
            self.folder / name / "dedup_state", backend="hybrid", connection_string=self.url
        )

    def database(self):
        """What the database has, as a store of its own."""
        return ClaudeConversationDeduplicator(
            self.folder / "no folder", backend="postgresql", connection_string=self.url
        )

    def exchange(self, name):
        """One exchange of a machine."""
        return exchange(self.store(name))

    def capture(self, name, transcript, end, *, path=None):
        """The machine captures the first ``end`` lines of a transcript, in a file of its own."""
        file = self.folder / (path or name) / f"{transcript.session}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"".join(line.data for line in transcript.lines[:end]))
        return capture_file(self[name], file)

    def say(self, name, talk, end=None):
        """The machine captures what ``talk`` (see ``purge_scenes``) says up to a message."""
        file = self.folder / name / f"{talk.session}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(talk.lines(0, end))
        return capture_file(self[name], file)

    def together(self):
        """Exchanges until nobody has anything for anybody; all have the same log then, byte for byte, and it is sound."""
        for _ in range(2):
            for name in self.names:
                self.exchange(name)
        assert [self.exchange(name) for name in self.names] == [(0, 0, 0)] * len(self.names)
        stores = [*map(self.store, self.names), self.database().store]
        logs = {log_of(store) for store in stores}
        assert len(logs) == 1
        problems = [problem for store in stores for problem in store.verify()]
        assert problems == [], problems
        return logs.pop()

    def told(self, conversation):
        """The messages of a conversation, the same wherever they are read."""
        told = [
            dedup.get_full_conversation(conversation) for dedup in (*map(self.__getitem__, self.names), self.database())
        ]
        assert all(each == told[0] for each in told)
        return told[0]


def everything_in(url):
    """Every value of every row of a database, as bytes."""
    import psycopg

    parts = []
    with psycopg.connect(url) as connection:
        for table in OWNED:
            for row in connection.cursor(binary=True).execute(f"SELECT * FROM {table}"):
                parts += [each if isinstance(each, bytes) else str(each).encode() for each in row]
    return b"\n".join(parts)


def log_of(store):
    """All bytes of a log."""
    with store.transaction(write=False):
        return store.log_span(0, store.log_size())
