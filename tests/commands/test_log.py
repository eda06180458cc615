"""The log as text: every line as it was appended, while others store, and never two logs in one answer."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from conftest import REPOSITORY
from deduplication.commands import log
from deduplication.commands.deduplicate_export import main
from deduplication.errors import StoreError
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from exports import Story
from faults import reader

FILES = Story(4, exchanges=12).exports(3)


@pytest.fixture
def state(tmp_path):
    """A store's folder with the first export."""
    keep(tmp_path / "a store", 0)
    return tmp_path / "a store"


def keep(state, number):
    """Store an export."""
    ClaudeConversationDeduplicator(os.fspath(state)).ingest(FILES[number].data, name=str(number), conversation_id="s")


@pytest.mark.unmeasured
@pytest.mark.parametrize("size", [1, 700, 10**7])
def test_every_line_is_printed_as_it_was_appended(state, capfdbinary, monkeypatch, size):
    """Open or sealed, in whatever parts it is read."""
    monkeypatch.setattr(log, "_AT_ONCE", size)
    plain = (state / "conversation_log.jsonl").read_bytes()
    for _ in range(2):
        assert main(["log", "--storage-dir", os.fspath(state)]) == 0
        assert capfdbinary.readouterr().out == plain
        ClaudeConversationDeduplicator(os.fspath(state)).store.condense()
    assert reader.opened(state) == (len(plain), b"")


def test_it_goes_on_as_lines_are_added(state):
    """With --follow a run shows up as soon as it is stored; lines that were sealed meanwhile do not come twice."""
    command = [
        sys.executable,
        os.fspath(REPOSITORY / "scripts" / "deduplicate_export.py"),
        "log",
        "--follow",
        "--storage-dir",
        os.fspath(state),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        killer = threading.Timer(60, process.kill)
        killer.start()
        try:
            found = b""
            for number in (1, 2):
                while len(found) < len(reader.whole(state)):
                    found += process.stdout.readline()
                ClaudeConversationDeduplicator(os.fspath(state)).store.condense()
                keep(state, number)
            while len(found) < len(reader.whole(state)):
                found += process.stdout.readline()
        finally:
            killer.cancel()
            process.kill()
    assert found == reader.whole(state)


def test_a_log_that_is_written_anew_is_not_gone_on_with(state):
    """Behind a purge every byte may stand elsewhere: the answer ends with an error, and has lines of one log alone."""
    dedup = ClaudeConversationDeduplicator(os.fspath(state))
    answer = log.parts(dedup.store, follow=True)
    assert next(answer) == reader.whole(state)
    hashes = [m["content_hash"] for m in dedup.get_full_conversation("s")]
    purge(ClaudeConversationDeduplicator(os.fspath(state)).store, None, Scope(hashes=(hashes[-1],)))
    with pytest.raises(StoreError, match="written anew"):
        next(answer)
