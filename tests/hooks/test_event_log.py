"""What the client fired is counted, whoever else counts at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from deduplication.files.locking import exclusive
from deduplication.hooks import event_log

COUNT = "import sys; from deduplication.hooks import event_log; [event_log.note(*sys.argv[1:]) for _ in range(20)]"


def seen(state):
    """The counts by event."""
    return {event: each["count"] for event, each in json.loads((state / event_log.NAME).read_bytes()).items()}


def test_hooks_at_once_lose_no_count(tmp_path, repository):
    """Six processes count two events twenty times each: every one of the 120 is there."""
    running = [
        subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path), event], cwd=repository / "scripts")
        for event in ("Stop", "FileChanged") * 3
    ]
    assert [process.wait() for process in running] == [0] * 6
    assert seen(tmp_path) == {"Stop": 60, "FileChanged": 60}


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\xff", b'{"Stop": 3}', b'{"Stop": {"count": "3"}}', b"[" * 100_000],
    ids=["torn", "a list", "no text", "a number", "a count that is text", "deep"],
)
def test_a_file_that_makes_no_sense_is_begun_anew(tmp_path, content):
    """A hook never fails for the sake of a figure."""
    (tmp_path / event_log.NAME).write_bytes(content)
    event_log.note(str(tmp_path), "Stop")
    assert seen(tmp_path) == {"Stop": 1}


def test_who_cannot_count_itself_goes_on(tmp_path, monkeypatch):
    """Where the lock stays taken the event's own work is not held up for long."""
    monkeypatch.setattr(event_log, "_PATIENCE", 0.05)
    with exclusive(str(tmp_path / ".hooks.lock")):
        event_log.note(str(tmp_path), "Stop")
    assert not (tmp_path / event_log.NAME).exists()


def test_nothing_is_made_where_there_is_no_store(tmp_path):
    """A hook alone makes no store."""
    event_log.note(str(tmp_path / "state"), "Stop")
    assert list(tmp_path.iterdir()) == []
