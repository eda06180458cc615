"""A transcript that grows, is rewritten, cut or copied: every line in the store once, and only new bytes are read."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deduplication.errors import ExportError, ExportTooLarge, ExportUnreadable, UnsafePath
from deduplication.files import safe_read
from deduplication.formats import transcript
from deduplication.ingest import new_lines, transcript_capture
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project import client_transcripts
from deduplication.sessions.full_document import MARKDOWN, pieces
from deduplication.sessions.redaction import unchanged
from transcript_lines import SESSION, answer, call, compacted, day, exported, identity, prompt, result


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return ClaudeConversationDeduplicator(tmp_path / "state")


@pytest.fixture
def file(tmp_path):
    """Where the client writes the session."""
    return tmp_path / f"{SESSION}.jsonl"


def texts(store, conversation=SESSION):
    """What a reader of the conversation gets."""
    return [message["content"] for message in store.get_full_conversation(conversation)]


def contents(store):
    """All that a store knows of messages: numbers, bodies, ids and the order in which they are read."""
    with store.store.transaction(write=False):
        return {
            name: (store.get_full_conversation(name), store.store.tip(name), store.store.conversation(name).extends)
            for name in store.conversations()
        }


# --- growing ---------------------------------------------------------------------------------------------------


def test_a_transcript_that_grows_is_read_from_where_it_ended(store, file, monkeypatch):
    """Of a file that was read before, its last MiB at most is read again, and none of its lines is parsed again."""
    file.write_bytes(day(3))
    first = capture_file(store, file)
    assert (first.total, first.new, first.read_bytes) == (6, 6, len(day(3)))
    with file.open("ab") as more:
        more.write(day(2, start=3))
    parsed = []
    parse = transcript.parse_slice
    monkeypatch.setattr(transcript, "parse_slice", lambda data, *more: parsed.append(data) or parse(data, *more))
    second = capture_file(store, file)
    assert (second.total, second.new, parsed) == (4, 4, [day(2, start=3)])
    assert len(texts(store)) == 10
    assert capture_file(store, file) is None
    assert store.store.verify() == []


def test_a_line_that_is_being_written_waits(store, file):
    """The client is in the middle of a line: it is left for the next time."""
    whole = day(1) + prompt("and now?")
    file.write_bytes(whole[:-9])
    assert capture_file(store, file).total == 2
    assert capture_file(store, file) is None
    file.write_bytes(whole)
    assert capture_file(store, file).total == 1
    assert texts(store)[-1] == "and now?"


def test_an_answer_written_before_its_prompt_waits_for_it(store, file):
    """The client writes lines side by side: what was written just now waits for the line that it goes on from."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    question = prompt("What moves the water?", timestamp=now)
    reply = answer("It is the moon.", parentUuid=identity("What moves the water?"), timestamp=now)
    file.write_bytes(day(1) + reply)
    assert capture_file(store, file).total == 2
    assert capture_file(store, file) is None
    file.write_bytes(day(1) + reply + question)
    assert capture_file(store, file).total == 2
    assert texts(store)[-2:] == ["What moves the water?", "It is the moon."]
    assert store.store.verify() == []


@pytest.mark.parametrize("moment", ["2026-11-20T10:00:00.000Z", "2026-99-99T99:99:99.000Z", "yesterday"])
def test_a_line_whose_parent_never_comes_does_not_wait_for_ever(store, file, moment):
    """A parent that some version has not written keeps nothing back: only what is seconds old waits."""
    file.write_bytes(day(1) + answer("It is the moon.", parentUuid=identity("never written"), timestamp=moment))
    assert capture_file(store, file).total == 3


def test_repeats_are_turns(store, file):
    """The same words under another id are another occurrence, of one body."""
    file.write_bytes(day(1) + prompt("yes", "first") + answer("Done.", "one"))
    capture_file(store, file)
    with file.open("ab") as more:
        more.write(prompt("yes", "second") + answer("Done.", "two"))
    done = capture_file(store, file)
    assert (done.total, done.new) == (2, 0)
    assert texts(store)[-4:] == ["yes", "Done.", "yes", "Done."]


def _cuts(size):
    return st.lists(st.integers(0, size), max_size=12).map(sorted)


WHOLE = (
    day(3)
    + call("Bash", "a", command="ls")
    + call("Read", "b", file_path="x")
    + result("files", "b")
    + result("text", "a")
    + exported("/home/ada/a.txt")
    + compacted("What was said before, in short")
    + day(2, start=3)
    + answer("Answer number 0: the cranes of the harbour are counted from the north", at=5)
    + prompt("yes", "again")
)


@pytest.mark.unmeasured
@settings(max_examples=40)
@given(st.data())
def test_slices_give_what_the_whole_gives(tmp_path_factory, data):
    """However often a growing file is looked at, and wherever it ends then, the store is the same as after one look."""
    folder = tmp_path_factory.mktemp("slices")
    whole, sliced = (ClaudeConversationDeduplicator(folder / name) for name in ("whole", "sliced"))
    (folder / "one.jsonl").write_bytes(WHOLE)
    capture_file(whole, folder / "one.jsonl")
    for end in [*data.draw(_cuts(len(WHOLE))), len(WHOLE)]:
        (folder / "other.jsonl").write_bytes(WHOLE[:end])
        capture_file(sliced, folder / "other.jsonl")
    assert contents(sliced) == contents(whole)
    assert sliced.store.verify() == []


@pytest.mark.unmeasured
def test_a_thousand_random_slices_of_a_long_session(tmp_path):
    """A thousand looks at a session of two thousand messages give the store that one look gives."""
    chance = random.Random(7)
    data = b"".join(day(1, start=n) + (exported(f"/x/{n}.txt", f"e{n}") if n % 50 == 0 else b"") for n in range(1000))
    ends = sorted(chance.randrange(len(data)) for _ in range(1000))
    whole, sliced = (ClaudeConversationDeduplicator(tmp_path / name) for name in ("whole", "sliced"))
    (tmp_path / "whole.jsonl").write_bytes(data)
    capture_file(whole, tmp_path / "whole.jsonl")
    written = 0
    for end in [*ends, len(data)]:
        with (tmp_path / "sliced.jsonl").open("ab") as more:
            more.write(data[written:end])
        written = end
        capture_file(sliced, tmp_path / "sliced.jsonl")
    assert contents(sliced) == contents(whole)
    with sliced.store.transaction(write=False):
        assert len(sliced.store.conversation(SESSION).windows) == 1
    assert sliced.store.verify() == []


# --- a file that is not what it was ------------------------------------------------------------------------------


@pytest.mark.parametrize("thorough", [False, True])
def test_a_rewritten_file_is_read_again(store, file, thorough):
    """Other bytes where they were read before: everything is read again, and ids tell what is known."""
    file.write_bytes(day(3))
    capture_file(store, file)
    file.write_bytes(prompt("put in front") + day(4))
    done = capture_file(store, file, thorough=thorough)
    assert (done.total, done.new) == (9, 3)
    assert texts(store)[0] == "put in front"
    assert len(texts(store)) == 9


def test_a_change_far_back_is_noticed_when_asked_for(store, file):
    """What lies more than a MiB before the end is trusted, unless the capture is thorough."""
    data = b"".join(prompt("x" * 9000, f"long {n}") for n in range(200))
    assert len(data) > 1024 * 1024
    file.write_bytes(data)
    capture_file(store, file)
    file.write_bytes(data.replace(b"xxx", b"yyy", 1))
    assert capture_file(store, file) is None
    assert capture_file(store, file, thorough=True).read_bytes == len(data)
    assert sum("yyy" in text for text in texts(store)) == 1


def test_a_shortened_file_takes_nothing_away(store, file):
    """The client cut its file: what is stored stays, and new lines behind the cut are captured."""
    file.write_bytes(day(4))
    capture_file(store, file)
    before = texts(store)
    file.write_bytes(day(2))
    cut = capture_file(store, file)
    assert cut.new == 0
    assert "no longer begins with" in " ".join(cut.warnings)
    assert texts(store) == before
    file.write_bytes(day(2) + prompt("after the cut"))
    grown = capture_file(store, file)
    assert (grown.new, grown.warnings) == (1, ())
    assert sorted(texts(store)) == sorted([*before, "after the cut"])


def test_an_emptied_file_takes_nothing_away_and_is_told_of_once_it_has_lines_again(store, file):
    """Emptied in place: what is stored stays, and the first lines that come afterwards bring the warning."""
    file.write_bytes(day(4))
    capture_file(store, file)
    before = texts(store)
    file.write_bytes(b"")
    assert capture_file(store, file) is None
    file.write_bytes(prompt("begun anew"))
    anew = capture_file(store, file)
    assert f"the {len(day(4)):,} bytes that were captured" in " ".join(anew.warnings)
    assert sorted(texts(store)) == sorted([*before, "begun anew"])


def test_a_source_that_is_gone_deletes_nothing(store, file):
    """The client's sweep is an error for the one capture only."""
    file.write_bytes(day(1))
    capture_file(store, file)
    file.unlink()
    with pytest.raises(ExportError):
        capture_file(store, file)
    assert len(texts(store)) == 2


@pytest.mark.parametrize("emptied", ["", "The whole", "The whole answer"], ids=["empty", "part", "most"])
@pytest.mark.parametrize("again", ["rewritten", "appended"])
def test_an_emptied_message_replaces_nothing(store, file, emptied, again):
    """The same id with less of the content is not stored, and what was stored is what is read."""
    whole = prompt("Say it") + answer("The whole answer, as it was said at first", "said")
    file.write_bytes(whole)
    capture_file(store, file)
    less = answer(emptied, "said")
    file.write_bytes(prompt("Say it") + less if again == "rewritten" else whole + less)
    capture_file(store, file)
    assert texts(store) == ["Say it", "The whole answer, as it was said at first"]


@pytest.mark.parametrize("again", ["rewritten", "appended"])
def test_the_same_id_with_other_content_is_a_further_version(store, file, again):
    """Both versions are stored, the last one is read, and seeing the first again changes nothing."""
    one, other = answer("The first version of it", "said"), answer("Something else altogether now", "said")
    file.write_bytes(prompt("Say it") + one)
    capture_file(store, file)
    file.write_bytes(prompt("Say it") + (other if again == "rewritten" else one + other))
    assert capture_file(store, file).new == 1
    assert texts(store) == ["Say it", "Something else altogether now"]
    file.write_bytes(prompt("Say it") + one)
    capture_file(store, file)
    assert texts(store) == ["Say it", "Something else altogether now"]
    assert store.get_statistics(SESSION)["unique_messages"] == 3
    assert store.store.verify() == []


# --- sessions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(4))
def test_early_lines_that_a_client_writes_once_more_add_nothing(store, file, at):
    """Behind a long session, of which another file told more meanwhile: the lines are known, and the store stays whole."""
    session = [day(number) for number in range(1, 13)]
    file.write_bytes(b"".join(session[:-1]))
    capture_file(store, file)
    store.ingest(b"".join(session), name="a copy.jsonl")
    before = texts(store)
    with file.open("ab") as more:
        more.write(b"".join(session[0].splitlines(keepends=True)[at : at + 2]))
    captured = capture_file(store, file)
    assert captured is None or captured.new == 0
    assert texts(store) == before
    assert store.store.verify() == []


def test_a_fork_is_a_conversation_of_its_own_without_a_body_twice(store, tmp_path):
    """A fork copies lines under a new session: each conversation is whole, each body stored once."""
    (tmp_path / "a.jsonl").write_bytes(day(5))
    capture_file(store, tmp_path / "a.jsonl")
    fork = day(3).replace(SESSION.encode(), b"99999999-2222-4333-8444-555555555555") + prompt(
        "another way", session="99999999-2222-4333-8444-555555555555"
    )
    (tmp_path / "b.jsonl").write_bytes(fork)
    done = capture_file(store, tmp_path / "b.jsonl")
    assert (done.conversation_id, done.total, done.new) == ("99999999-2222-4333-8444-555555555555", 7, 1)
    assert texts(store, done.conversation_id) == [*texts(store)[:6], "another way"]


def test_lines_without_a_message_move_the_cursor_only(store, file):
    """Titles and snapshots bring no message, and are not read again."""
    file.write_bytes(day(1))
    capture_file(store, file)
    with file.open("ab") as more:
        more.write(json.dumps({"type": "last-prompt", "sessionId": SESSION, "lastPrompt": "x"}).encode() + b"\n")
    assert capture_file(store, file).total == 0
    assert capture_file(store, file) is None
    assert len(texts(store)) == 2


def test_exports_are_named(store, file):
    """Where a line says that a conversation was exported, the capture says where to, wherever the command stood."""
    command, output = exported("/somewhere else/day 1.txt").splitlines(keepends=True)[1:]
    file.write_bytes(day(1) + command)
    assert [told.path for told in capture_file(store, file).exports] == [""]
    with file.open("ab") as more:
        more.write(output)
    assert [told.path for told in capture_file(store, file).exports] == ["/somewhere else/day 1.txt"]


def test_the_output_of_a_command_is_known_across_the_cut(store, file):
    """Whether an output belongs to ``/export`` is known although the command was read before."""
    command, output = exported("/x.txt").splitlines(keepends=True)[1:]
    file.write_bytes(day(1) + command)
    capture_file(store, file)
    with file.open("ab") as more:
        more.write(output)
    done = capture_file(store, file)
    assert (done.total, done.new) == (0, 0)
    assert [m["kind"] for m in store.get_full_conversation(SESSION)][-2:] == ["bookkeeping", "bookkeeping"]


def test_a_large_output_is_taken_from_its_own_file(store, file):
    """The client puts a result of more than 50,000 characters into a file beside the session: that file has it whole."""
    said = (
        "<persisted-output>\nOutput too large (340.7KB). Full output saved to: "
        f"/home/ada/.claude/projects/x/{SESSION}/tool-results/abc-1.txt\n\nPreview:\n1\n2\n</persisted-output>"
    )
    folder = file.with_suffix("") / "tool-results"
    folder.mkdir(parents=True)
    (folder / "abc-1.txt").write_bytes(b"".join(b"%d\n" % n for n in range(20_000)))
    file.write_bytes(day(1) + call("Bash", "a", command="seq 20000") + result(said, "a"))
    capture_file(store, file)
    assert texts(store)[-1].startswith(said)
    assert texts(store)[-1].endswith("\n19998\n19999\n")


@pytest.mark.parametrize("name", ["../../secret.txt", "gone.txt", "linked.txt"])
def test_only_files_where_the_client_puts_them_are_read(store, file, tmp_path, name):
    """A line cannot make the capture read a file elsewhere; one that is gone costs only its content."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = file.with_suffix("") / "tool-results"
    folder.mkdir(parents=True)
    (folder / "linked.txt").symlink_to(tmp_path / "secret.txt")
    said = f"<persisted-output>\nFull output saved to: /x/tool-results/{name}\nPreview"
    file.write_bytes(day(1) + call("Bash", "a", command="x") + result(said, "a"))
    capture_file(store, file)
    assert texts(store)[-1] == said


# --- what is no transcript -----------------------------------------------------------------------------------


def test_a_file_that_is_no_transcript_is_refused(store, tmp_path):
    """Nothing is stored of a file that only has the ending."""
    (tmp_path / "x.jsonl").write_bytes(b'{"a": 1}\n')
    with pytest.raises(ExportUnreadable, match=r"x\.jsonl"):
        capture_file(store, tmp_path / "x.jsonl")
    assert store.conversations() == []


def test_a_pipe_is_never_opened(store, tmp_path):
    """A capture does not wait for a writer."""
    os.mkfifo(tmp_path / "x.jsonl")
    with pytest.raises(UnsafePath):
        capture_file(store, tmp_path / "x.jsonl")


def test_an_empty_transcript_is_nothing(store, file):
    """The client made its file and wrote nothing yet."""
    file.touch()
    assert capture_file(store, file) is None


def test_a_line_longer_than_a_part_is_one_line(store, file, monkeypatch):
    """Parts end where lines end, however long a line is."""
    monkeypatch.setattr(new_lines, "PART", 2000)
    long = "z" * 9000
    file.write_bytes(day(2) + prompt(long) + day(2, start=2) + prompt(long, "cut")[:-2])
    done = capture_file(store, file)
    assert (done.total, texts(store)[4]) == (9, long)


# --- which are to be captured ----------------------------------------------------------------------------------


def test_what_has_grown_is_told_by_its_size(store, file):
    """A file is asked for again exactly when its size is not what was read of it."""
    file.write_bytes(day(1))
    found = client_transcripts.Transcript(file, SESSION, file.stat().st_size, 0)
    assert transcript_capture.grown(store, [found]) == [found]
    capture_file(store, file)
    assert transcript_capture.grown(store, [found]) == []
    larger = client_transcripts.Transcript(file, SESSION, found.size + 1, 0)
    assert transcript_capture.grown(store, [larger]) == [larger]


# --- at once -------------------------------------------------------------------------------------------------


_CAPTURE = """
import sys
sys.path.insert(0, sys.argv[1])
from deduplication.ingest import transcript_capture as capture
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
store = ClaudeConversationDeduplicator(sys.argv[2])
for _ in range(int(sys.argv[4])):
    capture.capture_file(store, sys.argv[3])
"""


def test_captures_at_once_store_every_line_once(tmp_path, file, repository):
    """Several processes capture the same file while it is written: every line stands in the store once, in order."""
    pieces = [day(1, start=n) for n in range(40)]
    file.write_bytes(pieces[0])

    def write():
        for piece in pieces[1:]:
            with file.open("ab") as more:
                more.write(piece[: len(piece) // 2])
                more.flush()
                more.write(piece[len(piece) // 2 :])

    writer = threading.Thread(target=write)
    command = [sys.executable, "-c", _CAPTURE, str(repository / "scripts"), str(tmp_path / "state"), str(file), "15"]
    running = [subprocess.Popen(command) for _ in range(4)]
    writer.start()
    writer.join()
    assert [process.wait() for process in running] == [0, 0, 0, 0]
    store = ClaudeConversationDeduplicator(tmp_path / "state")
    capture_file(store, file)
    whole = ClaudeConversationDeduplicator(tmp_path / "whole")
    capture_file(whole, file)
    assert len(texts(store)) == 80
    assert contents(store) == contents(whole)
    assert store.store.verify() == []


def test_a_file_that_another_captured_meanwhile_is_read_again(store, file, tmp_path, monkeypatch):
    """Between reading and storing another process stored the same lines: they are not stored again."""
    file.write_bytes(day(2))
    other = ClaudeConversationDeduplicator(tmp_path / "state")
    read = safe_read.open_regular
    calls = []

    def meanwhile(path):
        if not calls:
            calls.append(path)
            capture_file(other, file)
        return read(path)

    monkeypatch.setattr(new_lines, "open_regular", meanwhile)
    assert capture_file(store, file) is None
    assert len(texts(store)) == 4


# --- a last line without a line feed ----------------------------------------------------------------------------


def test_a_last_line_without_a_line_feed_is_captured(store, file):
    """A finished file ends with everything that is in it; the line feed that comes later brings nothing and breaks nothing."""
    data = day(2) + prompt("the last word")
    file.write_bytes(data[:-1])
    assert (capture_file(store, file).total, texts(store)[-1]) == (5, "the last word")
    assert capture_file(store, file) is None
    with file.open("ab") as more:
        more.write(b"\n" + prompt("and more"))
    assert (capture_file(store, file).total, texts(store)[-2:]) == (1, ["the last word", "and more"])
    assert len(texts(store)) == 6


def test_a_line_feed_alone_adds_nothing(store, file):
    """No message, no warning."""
    file.write_bytes(day(1)[:-1])
    capture_file(store, file)
    with file.open("ab") as more:
        more.write(b"\n")
    done = capture_file(store, file)
    assert (done.total, done.warnings, len(texts(store))) == (0, (), 2)
    assert capture_file(store, file) is None


@pytest.mark.parametrize("cut", [1, 2, 5, 40])
def test_a_line_that_is_still_written_waits_for_its_rest(store, file, cut):
    """No part of an object is an object: whatever is there of it, it is captured once, when it is whole."""
    data = day(1) + prompt("the last } word")
    file.write_bytes(data[: -1 - cut])
    assert capture_file(store, file).total == 2
    assert capture_file(store, file) is None
    file.write_bytes(data)
    assert (capture_file(store, file).total, texts(store)[-1]) == (1, "the last } word")


def test_a_line_that_nobody_finishes_is_told_every_time(store, file):
    """A client that died: its last line is held back, and that is said."""
    data = day(1) + prompt("the last word")[:-9]
    file.write_bytes(data)
    os.utime(file, (1, 1))
    waits = len(data) - len(day(1))
    for total in (2, 0, 0):
        done = capture_file(store, file)
        assert (done.total, done.end, done.conversation_id) == (total, len(day(1)), SESSION)
        (warning,) = done.warnings
        assert f"its {waits} bytes wait" in warning


@pytest.mark.parametrize("parent", ["known", "phantom"])
def test_a_rewind_into_a_part_that_was_captured_before(store, file, parent):
    """The branch may lie in what was read the last time; a parent that stands nowhere is no rewind."""
    lines = (
        prompt("a"),
        answer("b", parentUuid=identity("a")),
        prompt("c", parentUuid=identity("b")),
        answer("d", parentUuid=identity("c")),
    )
    file.write_bytes(b"".join(lines))
    capture_file(store, file)
    with file.open("ab") as more:
        more.write(prompt("e", parentUuid=identity("b" if parent == "known" else "nowhere")))
    capture_file(store, file)
    with store.store.transaction(write=False):
        page = "".join(pieces(store.store, SESSION, MARKDOWN, unchanged))
    assert page.count("Rewound") == (parent == "known")


# --- too large to be one -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [0, 2])
def test_a_sparse_file_is_left_after_its_first_bytes(store, file, monkeypatch, lines):
    """Zeros without an end are no line of a session; what stood before them is stored, and no hook reads 8 GB of nothing."""
    file.write_bytes(day(lines))
    os.truncate(file, 8 * 1024**3)
    monkeypatch.setattr(new_lines, "PART", 65536)
    monkeypatch.setattr(new_lines, "_LONGEST_HOLE", 200_000)
    asked = []
    genuine = new_lines.take
    monkeypatch.setattr(new_lines, "take", lambda descriptor, size: asked.append(size) or genuine(descriptor, size))
    with pytest.raises(ExportUnreadable, match="more than 200,000 bytes without a line feed"):
        capture_file(store, file)
    assert sum(asked) < 1024 * 1024
    assert len(texts(store)) == 2 * lines


def test_a_line_that_is_longer_than_the_memory_allows_is_refused(store, file, monkeypatch):
    """It begins like a line of a session and has no end: it is read up to the limit, and no further."""
    file.write_bytes(b'{"type":"user",' + b" " * 400_000)
    monkeypatch.setattr(new_lines, "PART", 65536)
    monkeypatch.setattr(safe_read, "LARGEST", 150_000)
    with pytest.raises(ExportTooLarge, match="150,000 is the most"):
        capture_file(store, file)


@pytest.mark.parametrize("hole", [10, 70_000, 150_000])
def test_what_follows_the_zeros_of_a_power_cut_is_still_read(store, file, monkeypatch, hole):
    """A hole in the file costs what stood in it, not what was written behind it."""
    monkeypatch.setattr(new_lines, "PART", 65536)
    monkeypatch.setattr(new_lines, "_LONGEST_HOLE", 200_000)
    file.write_bytes(day(2) + bytes(hole) + b"\n" + day(4)[len(day(2)) :])
    capture_file(store, file)
    assert len(texts(store)) >= 8
