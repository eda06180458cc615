"""The watchdog counts by a reader of its own what the client wrote, and asks the store for each of it."""

from __future__ import annotations

import json
import os
import re

import pytest

from deduplication.alerts import plain_reader, watchdog
from deduplication.errors import ExportError
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from transcript_lines import SESSION, answer, call, compacted, day, exported, line, prompt, result
from truth_lines import Transcript
from truth_session import Session


@pytest.fixture
def folder(tmp_path):
    """A store's folder."""
    return tmp_path / "MEMORY-CONTEXT" / "dedup_state"


@pytest.fixture
def dedup(folder):
    """The store in it."""
    return ClaudeConversationDeduplicator(folder)


@pytest.fixture
def transcript(tmp_path):
    """The transcript of a session, with nothing in it yet."""
    path = tmp_path / f"{SESSION}.jsonl"
    path.write_bytes(b"")
    return path


def add(path, data):
    """The client appends lines."""
    with path.open("ab") as file:
        file.write(data)


def compare(dedup, folder, path, until=0, **more):
    """Compare, and note it."""
    found = watchdog.compare(dedup.store, str(folder), str(path), until, **more)
    watchdog.note(str(folder), str(path), found)
    return found


def unheard_of(data):
    """The same lines with other ids, of which no store ever heard; not a byte more."""
    return re.sub(rb'"uuid":"(....)', b'"uuid":"zzzz', data)


SAID = {
    "a prompt": (prompt("hello"), 1),
    "an answer": (answer("hello"), 1),
    "a call of a tool": (call("Bash", "x", command="ls"), 0),
    "what a tool gave back": (result("a b", "x"), 0),
    "text beside an image": (
        line(
            "i",
            "user",
            {"role": "user", "content": [{"type": "image", "source": {}}, {"type": "text", "text": "look"}]},
        ),
        1,
    ),
    "white space": (prompt("  \n ", "blank"), 0),
    "what the client told the model": (line("m", "user", {"role": "user", "content": "caveat"}, isMeta=True), 0),
    "a summary": (line("s", "summary", summary="hello"), 0),
    "another type that holds a message": (line("p", "progress", {"role": "user", "content": "hello"}), 0),
    "no JSON": (b'{"type":"user","message":{"content":"hel\n', 0),
    "no object": (b'["user"]\n', 0),
    "no id": (b'{"type":"user","message":{"content":"hello"}}\n', 0),
    "nested without end": (b'{"type":"user","message":' + b"[" * 100_000 + b"\n", 0),
}


@pytest.mark.parametrize(("data", "count"), SAID.values(), ids=SAID)
def test_a_line_of_words_counts_and_no_other(data, count):
    """Of whatever shape a line is, the reader neither fails nor counts what nobody said."""
    assert len(list(plain_reader.said_in(data))) == count


def test_what_is_captured_lacks_nothing(dedup, folder, transcript):
    """Part by part, with tools, an export and a compaction between."""
    for part in (
        day(3),
        call("Bash", "x") + result("out", "x"),
        exported("/tmp/x.txt"),
        compacted("summary") + day(2, 3),
    ):
        add(transcript, part)
        capture_file(dedup, transcript)
        found = compare(dedup, folder, transcript, transcript.stat().st_size)
        assert found.lacking == 0
        assert found.offset == transcript.stat().st_size
    assert found.written == 13  # ten prompts and answers, the lines of /export's command and output, and the summary


def test_what_was_not_captured_is_missing(dedup, folder, transcript):
    """Behind what was captured, up to the byte that should have been; not what was just written."""
    add(transcript, day(2))
    capture_file(dedup, transcript)
    before = transcript.stat().st_size
    add(transcript, day(3, 2))
    assert compare(dedup, folder, transcript, before).lacking == 0
    found = compare(dedup, folder, transcript, transcript.stat().st_size)
    assert (found.lacking, found.waiting, found.all) == (6, 6, 10)


def test_lines_that_were_read_and_not_stored_are_missing(dedup, folder, transcript):
    """As a broken parser leaves them: the cursor stands behind them, and the conversation has none of their ids."""
    add(transcript, day(2))
    capture_file(dedup, transcript)
    data = transcript.read_bytes()
    transcript.write_bytes(unheard_of(data))
    with dedup.store.transaction(write=False):
        size = dedup.store.cursor(os.path.realpath(transcript))[1].offset
    found = compare(dedup, folder, transcript)
    assert size == len(data)
    assert (len(found.missing), found.waiting) == (4, 0)
    transcript.write_bytes(data)
    watchdog.note(str(folder), str(transcript), watchdog.Watched())
    assert compare(dedup, folder, transcript).lacking == 0


def test_what_comes_into_the_store_later_is_no_longer_missing(dedup, folder, transcript):
    """What was missing is asked for again, and then all of the transcript."""
    add(transcript, day(3))
    assert compare(dedup, folder, transcript, transcript.stat().st_size).lacking == 6
    capture_file(dedup, transcript)
    found = compare(dedup, folder, transcript, transcript.stat().st_size)
    assert (found.lacking, found.written) == (0, 6)


def test_what_a_hook_found_missing_stays_so_for_who_asks_next(dedup, folder, transcript):
    """Who does not know how far it should have been captured takes the hook's word for it."""
    add(transcript, day(2))
    assert compare(dedup, folder, transcript, transcript.stat().st_size).waiting == 4
    add(transcript, day(1, 2))
    assert compare(dedup, folder, transcript).waiting == 4


def test_a_hook_looks_at_the_end_of_a_long_transcript_only(dedup, folder, transcript):
    """The rest is left to whoever has time, and found by him."""
    add(transcript, day(40))
    capture_file(dedup, transcript)
    found = compare(dedup, folder, transcript, most=4096)
    assert (found.lacking, found.offset, found.written) == (0, 0, 0)
    add(transcript, day(1, 40))
    found = compare(dedup, folder, transcript, transcript.stat().st_size, most=4096)
    assert found.lacking == 2
    capture_file(dedup, transcript)
    found = compare(dedup, folder, transcript, transcript.stat().st_size)
    assert (found.lacking, found.written) == (0, 82)


def test_no_message_is_missed_twice(dedup, folder, transcript):
    """However often the end of a transcript is looked at."""
    add(transcript, day(40))
    capture_file(dedup, transcript)
    transcript.write_bytes(unheard_of(transcript.read_bytes()))
    counts = {compare(dedup, folder, transcript, most=4096).lacking for _ in range(3)}
    assert len(counts) == 1
    assert 0 < counts.pop() < 80
    assert compare(dedup, folder, transcript).lacking == 80


def test_what_was_purged_is_not_missing(dedup, folder, transcript, tmp_path):
    """A purge removes words, and leaves the places of the messages."""
    from in_process import call as command

    add(transcript, day(3))
    capture_file(dedup, transcript)
    ended = command("purge", "--project", str(tmp_path), "--session", SESSION, "--messages", "0-1", "--yes")
    if ended.returncode:
        ended = command("purge", "--project", str(tmp_path), "--session", SESSION, "--yes")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    again = ClaudeConversationDeduplicator(folder)
    assert compare(again, folder, transcript).lacking == 0


def test_a_branch_and_its_origin_lack_nothing(dedup, folder, tmp_path):
    """A branch has lines of its origin under their ids."""
    origin = Transcript("origin", Session("origin"), compacted=(3,), rewound=(4,))
    branch = origin.branch("branch", 12, Session("branch"))
    for made in (origin, branch):
        path = tmp_path / f"{made.session}.jsonl"
        path.write_bytes(made.data)
        capture_file(dedup, path)
        found = compare(dedup, folder, path)
        assert found.written
        assert found.lacking == 0


def test_no_transcript_of_a_real_client_lacks_anything(corpus, tmp_path):
    """Versions from 2.0.27 to 2.1.330, agents, branches, interrupted answers, queued prompts."""
    written = 0
    for number, path in enumerate(sorted(corpus.rglob("*.jsonl"))):
        folder = tmp_path / str(number)
        dedup = ClaudeConversationDeduplicator(folder)
        try:
            capture_file(dedup, path)
        except ExportError:  # no transcript of a session
            continue
        found = watchdog.compare(dedup.store, str(folder), str(path), path.stat().st_size)
        assert (found.lacking, path) == (0, path)
        written += found.written
    assert written > 1500


NOTES = [b"", b"{}", b"[]", b"null", b"{" * 100_000, b'{"offset":"x"}', json.dumps({"offset": 1e400}).encode(), b"\xff"]


@pytest.mark.parametrize("data", NOTES)
def test_a_note_that_is_none_is_begun_anew(dedup, folder, transcript, data):
    """Whatever stands there, everything is compared."""
    add(transcript, day(2))
    capture_file(dedup, transcript)
    path = watchdog.path_of(str(folder), str(transcript))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    assert compare(dedup, folder, transcript).written == 4
