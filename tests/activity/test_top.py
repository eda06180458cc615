"""``top``: a screen that follows, lines where there is none, once for a program."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

import dashboard_scenes as scenes
from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator
from in_process import call

SCRIPT = [sys.executable, str(REPOSITORY / "scripts" / "deduplicate_export.py"), "top"]


@pytest.fixture
def project(tmp_path):
    """A project with three days in it."""
    root = tmp_path / "tides"
    scenes.fortnight(root, days=3)
    return root


@pytest.fixture
def listening():
    """Children hear Ctrl-C, also where these tests were started in the background: what ignores it hands that on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def more(project, name):
    """One export more."""
    dedup = ClaudeConversationDeduplicator(scenes.state_of(project))
    dedup.ingest(scenes.numbered(name, range(5)), name=f"{name}.json", conversation_id=name)


def test_once(project):
    """What happened last, titles and numbers; nothing is changed by it."""
    done = call("top", "--once", "--project", project)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert "2 conversations" in lines[0]
    assert sum(" export " in line for line in lines) == 3
    assert sum(" capture " in line for line in lines) == 3
    assert any("day-2.json" in line and "12 messages" in line for line in lines)


def test_for_a_program(project):
    """One object, as its schema says."""
    done = call("top", "--json", "--project", project)
    told = json.loads(done.stdout)
    assert told["now"]["conversations"] == 2
    assert len(told["events"]) == 6


def test_what_it_takes(project, tmp_path):
    """No store, and no sensible pace: said in a line."""
    assert call("top", "--once", "--project", project, "--every", "0").returncode == 2
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    assert call("top", "--once", "--project", tmp_path / "empty").returncode == 1


@pytest.mark.e2e
@pytest.mark.usefixtures("listening")
def test_lines_as_they_come(project):
    """Without a terminal: a line for each, at once, until Ctrl-C, which is no failure."""
    process = subprocess.Popen(
        [*SCRIPT, "--project", str(project), "--every", "0.2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(7):
            process.stdout.readline()
        more(project, "just-now")
        assert "just-now.json" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def shown(descriptor, wanted, patience=60):
    """What a terminal got until ``wanted`` was in it."""
    text, until = "", time.monotonic() + patience
    while wanted not in text:
        assert time.monotonic() < until, text
        if select.select([descriptor], [], [], 0.2)[0]:
            text += os.read(descriptor, 65536).decode("utf-8", "replace")
    return text


@pytest.mark.e2e
@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("key", ["q", "\x1b", "\x03"])
def test_a_screen_that_follows(project, key):
    """On a terminal: the newest first, a run shows by itself, one key ends it and gives the screen back as it was."""
    pytest.importorskip("rich")
    pid, descriptor = pty.fork()
    if not pid:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="30")
        os.execv(sys.executable, [*SCRIPT, "--project", str(project), "--every", "0.3"])
    try:
        text = shown(descriptor, "q ends")
        assert "2 conversations" in text
        assert "day-2.json" in text
        more(project, "just-now")
        shown(descriptor, "just-now.json")
        os.write(descriptor, key.encode())
        assert "\x1b[?1049l" in shown(descriptor, "\x1b[?1049l")
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0 if hasattr(os, "waitstatus_to_exitcode") else status == 0
    finally:
        os.close(descriptor)
