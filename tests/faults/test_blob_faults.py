"""A run that brings images: killed at any call, or without room, it leaves every reference with what it refers to."""

from __future__ import annotations

import base64
import errno
import shutil

import pytest

import transcript_lines as lines
from deduplication.errors import StoreNotWritable
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from faults import reader
from faults.children import Shim, run

pytestmark = [pytest.mark.faults, pytest.mark.parametrize("backend", ["json"], indirect=True)]
"""What is tested here has no index of the log: one of them is enough."""

IMAGES = [bytes([n]) * 2000 for n in range(3)]


def picture(name, data):
    """A prompt with an image."""
    block = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(data).decode()},
    }
    return lines.line(name, "user", {"role": "user", "content": [block, {"type": "text", "text": f"picture {name}"}]})


FIRST = picture("a", IMAGES[0]) + lines.answer("A harbour.")
SECOND = FIRST + picture("b", IMAGES[1]) + picture("c", IMAGES[0]) + picture("d", IMAGES[2])


class Scene:
    """A state folder with the first part of a session; the job stores the second."""

    def __init__(self, folder):
        self.folder = folder

    def reset(self):
        """The first part only."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.dedup().ingest(FIRST, name="a.jsonl")

    def dedup(self):
        """As a new process has it."""
        return ClaudeConversationDeduplicator(self.folder)

    def job(self):
        """What is interrupted."""
        return self.dedup().ingest(SECOND, name="b.jsonl").new

    def judge(self):
        """The independent reader finds every blob that is referred to; the same run again completes the job."""
        log = self.folder / "conversation_log.jsonl"
        found = reader.read(log.read_bytes(), self.folder / "blobs")
        assert len(found.exports) in (1, 2)
        assert [p for p in found.problems if not p.endswith("is damaged")] == []
        assert self.job() == (5 if len(found.exports) == 1 else 0)
        found = reader.read(log.read_bytes(), self.folder / "blobs")
        assert (found.problems, found.unfinished) == ([], 0)
        assert len(found.conversation(lines.SESSION)) == 9
        assert self.dedup().store.verify() == []
        self.dedup().store.rebuild()
        assert sum(1 for entry in (self.folder / "blobs").rglob("*") if entry.is_file()) == 3


@pytest.mark.parametrize("action", ["kill", "torn"])
def test_a_run_with_images_that_is_killed_at_any_call_leaves_no_reference_without_its_blob(disk, action, calls):
    """I6: the blobs are on the disk before the line; what is left over is removed by the next rebuild."""
    scene = Scene(disk / "state")
    for at in calls():
        scene.reset()

        def shimmed(at=at):
            Shim(at, action).install()
            return scene.job()

        outcome = run(shimmed)
        assert (outcome.error, outcome.trace) == ("", ""), f"call {at}"
        scene.judge()
        if not outcome.signal:
            break
    assert at > 30, "the shim does not see the calls"


def test_without_room_nothing_is_stored_half(disk, monkeypatch):
    """A disk that is full when a blob is written: the run fails by name, and the next one completes."""
    scene = Scene(disk / "state")
    scene.reset()

    def full():
        Shim(1, errno.ENOSPC, forever=True, only=("write",)).install()
        return scene.job()

    outcome = run(full)
    assert outcome.error.startswith(StoreNotWritable.__name__)
    scene.judge()
