"""What is interrupted: a store with completed runs, a job on it, and how to judge what the job left."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from exports import Story, kept
from faults import reader

if TYPE_CHECKING:
    from pathlib import Path

INDEXES = {
    "json": ("watermarks.json", "content_hashes.json", "deduplication_log.jsonl", "index.bin"),
    "default": ("watermarks.json", "deduplication_log.jsonl", "index.bin"),
}
"""For each backend the files that follow from the log."""
EACH_INDEX = [(backend, name) for backend, names in INDEXES.items() for name in names]
NAME = "workshop"
LOG = "conversation_log.jsonl"
STORY = Story(7, exchanges=12)
FILES = STORY.exports(3, compact_every=3)


class Scene:
    """A state folder in which ``done`` exports of the story are stored; the job is to store the next one."""

    def __init__(self, folder: Path, done: int, *, label: str = "") -> None:
        self.folder, self.done = folder, done
        self.template = folder.parent / f"{folder.name}-template{label}"
        self.next = FILES[done]
        if not self.template.exists():
            self.template.mkdir(mode=0o700)
            for file in FILES[:done]:
                dedup(self.template).ingest(file.data, name=file.name, conversation_id=NAME)

    def reset(self) -> None:
        """Begin again: completed runs only."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.done:
            shutil.copytree(self.template, self.folder)

    def job(self) -> dict[str, Any]:
        """What a child does."""
        result = dedup(self.folder).ingest(self.next.data, name=self.next.name, conversation_id=NAME)
        return {"new": result.new, "total": result.total}

    def completed(self) -> int:
        """How many runs the independent reader finds complete; they must be whole."""
        log = reader.read(reader.whole(self.folder))
        tail = [problem for problem in log.problems if not problem.endswith("is damaged")]
        assert not tail
        assert len(log.exports) in (self.done, self.done + 1)
        assert log.conversation(NAME) == truth(len(log.exports))
        return len(log.exports)

    def recovers(self) -> None:
        """The store opens with every completed run in it, and running the export again completes it."""
        done = self.completed()
        store = dedup(self.folder)
        assert kept(store.get_full_conversation(NAME)) == truth(done)
        again = store.ingest(self.next.data, name=self.next.name, conversation_id=NAME)
        assert again.new == (NEW[self.done] if done == self.done else 0)
        assert again.total == again.new + again.duplicates
        self.whole()

    def whole(self) -> None:
        """The export is stored, once, and everything agrees."""
        store = dedup(self.folder)
        assert kept(store.get_full_conversation(NAME)) == truth(self.done + 1)
        assert store.store.verify() == []
        log = reader.read(reader.whole(self.folder))
        assert (log.problems, log.unfinished) == ([], 0)
        assert log.conversation(NAME) == truth(self.done + 1)
        assert sorted(path.name for path in self.folder.glob("*.tmp")) == []


def dedup(folder: Path) -> ClaudeConversationDeduplicator:
    """A deduplicator that knows nothing yet, as a new process has it."""
    return ClaudeConversationDeduplicator(folder, backend=_backend())


def indexes() -> tuple[str, ...]:
    """The files of the backend at hand that follow from the log."""
    return INDEXES[_backend()]


def _backend() -> str:
    """The fixture ``backend`` says it."""
    return os.environ["EXPORT_DEDUP_FAULTS_BACKEND"]


def truth(done: int) -> list[tuple[str, str, str]]:
    """What is kept after so many exports."""
    return STORY.truth(0, FILES[done - 1].end) if done else []


def _new() -> list[int]:
    """Bodies that each export brings, counted from the story itself."""
    seen: set[tuple[str, str, str]] = set()
    result = []
    for file in FILES:
        shown = set(STORY.truth(file.first, file.end))
        result.append(len(shown - seen))
        seen |= shown
    return result


NEW = _new()
