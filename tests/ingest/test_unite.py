"""Conversations that a later export shows to be one: one in the end, whatever the order, under every id they had."""

from __future__ import annotations

import itertools
import json

import pytest

from deduplication.commands import deduplicate_export
from deduplication.ingest import transcript_capture
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project import own_output
from deduplication.project.paths import Project
from deduplication.sessions.folder import write_sessions
from deduplication.sessions.redaction import unchanged
from deduplication.storage.log.lines import decode_line, encode_line
from deduplication.storage.recount import recount
from exports import Story, kept
from session_names import session_path
from told import Told
from transcript_lines import day

STORY = Story(11, exchanges=24)
HALF, REST = STORY.starts[9], STORY.starts[12]
FILES = {
    "first-half.txt": STORY.show(0, HALF),
    "second-half.txt": STORY.show(REST, len(STORY.turns)),
    "whole.txt": STORY.show(0, len(STORY.turns)),
}
"""Two exports with a gap between them, and one that has both and the gap."""


@pytest.fixture(params=["json", "default"])
def dedup(request, tmp_path):
    """A deduplicator over each kind of index."""
    return ClaudeConversationDeduplicator(
        tmp_path / "project" / "MEMORY-CONTEXT" / "dedup_state", backend=request.param
    )


def put(dedup, *names):
    """Process these files; what became of the last one."""
    return [dedup.ingest(FILES[name], name=name) for name in names][-1]


@pytest.mark.parametrize("order", list(itertools.permutations(FILES)))
def test_a_bridge_makes_one_conversation_of_two(dedup, order):
    """Whichever came first: one conversation, each message once and in order, and the index is what the log says."""
    put(dedup, *order)
    (name,) = dedup.conversations()
    assert kept(dedup.get_full_conversation(name)) == STORY.truth()
    assert dedup.get_statistics(name)["total_messages"] == len(STORY.turns)
    assert dedup.get_statistics(name)["unconnected_runs"] == 1
    assert dedup.global_unique_count() == len(set(STORY.truth()))
    assert dedup.store.verify() == []
    dedup.store.rebuild()
    assert kept(dedup.get_full_conversation(name)) == STORY.truth()


def test_two_halves_are_two_until_something_shows_both(dedup):
    """A gap is no evidence."""
    put(dedup, "first-half.txt", "second-half.txt")
    assert len(dedup.conversations()) == 2


def test_the_later_id_goes_on_as_an_alias(dedup):
    """Every answer under either id is that of the one conversation; nothing is stored under the later one any more."""
    put(dedup, "first-half.txt", "second-half.txt", "whole.txt")
    (name,) = dedup.conversations()
    assert name == "first-half"
    assert dedup.get_full_conversation("second-half") == dedup.get_full_conversation(name)
    assert dedup.get_statistics("second-half")["conversation_id"] == name
    again = dedup.ingest(FILES["second-half.txt"] + b"\n", name="second-half.txt", conversation_id="second-half")
    assert (again.conversation_id, again.new) == (name, 0)
    assert put(dedup, "second-half.txt").conversation_id == name
    assert dedup.store.verify() == []


def test_the_log_only_grows(dedup):
    """Nothing of what was logged is written anew when two conversations become one."""
    put(dedup, "first-half.txt", "second-half.txt")
    with dedup.store.transaction(write=False):
        before = b"".join(line.data for line in dedup.store.log.lines())
    put(dedup, "whole.txt")
    with dedup.store.transaction(write=False):
        assert b"".join(line.data for line in dedup.store.log.lines()).startswith(before)


def test_a_new_process_knows_of_it(dedup):
    """What one process united the next one reads as one, and goes on with."""
    put(dedup, "first-half.txt", "second-half.txt", "whole.txt")
    other = ClaudeConversationDeduplicator(dedup.store.folder)
    assert other.conversations() == ["first-half"]
    more = Story(11, exchanges=26)
    assert more.turns[: len(STORY.turns)] == STORY.turns
    done = other.ingest(more.show(REST, len(more.turns)), name="later.txt")
    assert done.conversation_id == "first-half"
    assert kept(other.get_full_conversation("first-half")) == more.truth()
    assert other.store.verify() == []


def test_a_search_names_each_message_once(dedup, capsys, monkeypatch, tmp_path):
    """A message that stood in both is one hit, in the conversation that goes on."""
    put(dedup, "first-half.txt", "second-half.txt", "whole.txt")
    monkeypatch.chdir(tmp_path)
    words = STORY.turns[REST + 1].text.split()[:9]
    state = str(dedup.store.folder)
    for asked in ((), ("--session", "second-half")):
        assert deduplicate_export.main(["search", " ".join(words), *asked, "--json", "--storage-dir", state]) == 0
        (hit,) = json.loads(capsys.readouterr().out)["hits"]
        assert {place["conversation_id"] for place in hit["places"]} == {"first-half"}
        assert len(hit["places"]) == 1


def test_what_is_captured_of_an_adopted_session_goes_on(dedup, tmp_path):
    """The cursor of a transcript follows its conversation into the one that it turned out to be."""
    file = tmp_path / "session.jsonl"
    story = Story(3, exchanges=8, tools=False)
    dedup.ingest(story.show(0, len(story.turns)), name="older.txt")
    file.write_bytes(day(6))
    transcript_capture.capture_file(dedup, file)
    (session,) = set(dedup.conversations()) - {"older"}
    asked = "❯ Question number {0} about the harbour and its cranes, asked in the morning\n\n"
    answered = "● Answer number {0}: the cranes of the harbour are counted from the north\n\n"
    drawn = "".join((asked + answered).format(number) for number in range(6)).encode()
    done = dedup.ingest(story.show(0, len(story.turns)) + drawn, name="both.txt")
    assert (done.conversation_id, dedup.conversations()) == ("older", ["older"])
    file.write_bytes(day(9))
    more = transcript_capture.capture_file(dedup, file)
    assert (more.conversation_id, more.new) == ("older", 6)
    read = [message for message in dedup.get_full_conversation(session) if message.get("uuid")]
    assert [int(message["content"].split()[2].rstrip(":")) for message in read] == [n for n in range(9) for _ in "qa"]
    assert len(dedup.get_full_conversation(session)) == len(story.turns) + 18
    assert dedup.store.verify() == []


@pytest.mark.parametrize("asked", ["first-half", "second-half"])
def test_a_purge_of_either_id_takes_all_of_it(dedup, asked, capsys, monkeypatch, tmp_path):
    """The log has the messages under two ids; nothing of them is left under any, and what is left verifies."""
    put(dedup, "first-half.txt", "second-half.txt", "whole.txt")
    root = tmp_path / "project"
    monkeypatch.chdir(root)
    assert deduplicate_export.main(["purge", "--session", asked, "--yes", "--project", str(root)]) == 0
    capsys.readouterr()
    other = ClaudeConversationDeduplicator(dedup.store.folder)
    assert other.get_full_conversation("first-half") == []
    assert other.store.verify() == []
    with other.store.transaction(write=False):
        log = b"".join(line.data for line in other.store.log.lines())
    assert not any(word.encode() in log for word in STORY.turns[REST + 1].text.split() if len(word) > 8)


def test_a_session_page_tells_of_all_files(tmp_path):
    """The page of the conversation names the exports of both, and shows each message once."""
    told = Told(tmp_path)
    for name, data in FILES.items():
        session = told.add(data, name)
    told.update(session)
    page = told.markdown("first-half")
    assert all(name in page for name in FILES)
    assert page.count(" ".join(STORY.turns[REST + 1].text.split()[:9])) == 1


def test_the_file_of_what_was_adopted_says_where_it_goes_on(dedup, tmp_path):
    """By the digits of its name it is found, and leads to its messages; a file that somebody changed is left alone."""
    project = Project(tmp_path / "project")
    put(dedup, "first-half.txt", "second-half.txt")
    write_sessions(project, dedup.store, ["first-half", "second-half"], redact=unchanged)
    put(dedup, "whole.txt")
    done = write_sessions(project, dedup.store, ["second-half"], redact=unchanged)
    assert list(done) == ["first-half"]
    pointer, other = (session_path(project.sessions, name) for name in ("second-half", "first-half"))
    assert str(pointer) in done["first-half"].every
    assert f"[first-half]({other.name})" in pointer.read_text(encoding="utf-8")
    assert own_output.kind_of(pointer.read_bytes())
    before = pointer.read_bytes()
    write_sessions(project, dedup.store, ["first-half"], redact=unchanged)
    assert pointer.read_bytes() == before
    pointer.write_bytes(b"mine\n")
    assert (
        str(pointer) not in write_sessions(project, dedup.store, ["first-half"], redact=unchanged)["first-half"].every
    )
    assert pointer.read_bytes() == b"mine\n"


IMPOSSIBLE = {
    "itself": {"conversation": "first-half", "at": HALF, "count": HALF, "pairs": []},
    "a number that is taken": {
        "conversation": "second-half",
        "at": HALF - 1,
        "count": len(STORY.turns) - REST,
        "pairs": [],
    },
    "other messages than there are": {"conversation": "second-half", "at": HALF, "count": 1, "pairs": []},
    "a pair of nothing": {"conversation": "second-half", "at": HALF, "count": 9, "pairs": [[0, 9, 1]]},
    "no pairs": {"conversation": "second-half", "at": HALF, "count": 9, "pairs": [7]},
}


@pytest.mark.parametrize("said", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_a_line_that_unites_what_cannot_be_one_is_damage(dedup, said):
    """Such a record is none of this log: it is named, and nothing else is lost with it."""
    put(dedup, "first-half.txt", "second-half.txt")
    with dedup.store.transaction():
        log = dedup.store.log
        lines = [line.data for line in log.lines()]
        last = decode_line(lines[-1])
        record = {"conversation_id": "first-half", "timestamp": "2031-01-01T00:00:00Z", "same": said}
        again = {
            "conversation_id": "first-half",
            "window": [[0, 1]],
            "export": {**last["export"], "new": 0, "total": 2},
        }
        lines += [encode_line(record), encode_line({**last, **again})]
        with open(log.path, "wb") as file:
            file.write(b"".join(lines))
        found = recount(log, dedup.store._indexed.empty_index(), [].append)
    assert any("one" in problem or "messages" in problem for problem in found.problems)
    assert len(found.state.conversation("first-half")) == HALF
