"""Every line of the original project's logs is read in its order, and what cannot be read is named."""

from __future__ import annotations

import json
import os

import pytest

from deduplication.errors import ExportChanged, ExportTooLarge, UnsafePath, UsageError
from deduplication.files import safe_read
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import ASSISTANT, EXACT, LAYOUT, PROMPT, SYSTEM, TEXT, TOOL_CALL, UNKNOWN, USER
from deduplication.original.claims import Claim
from deduplication.original.entries import CONVERSATION_LOG, POOL, Entry
from deduplication.original.messages import messages_of
from deduplication.original.state import read_state
from deduplication.storage import open_store
from original_project import Conversations, Pool, damaged, digest, said, turns

LOG = CONVERSATION_LOG.file


def read(folder):
    """The conversations by the name that they had there."""
    return {each.name: each for each in read_state(folder).conversations()}


def contents(conversation):
    """What it says."""
    return [message.content for message in conversation.export.messages]


def entry(message, identity="", moment="2025-11-17T10:00:00.5"):
    """An entry with this message."""
    return Entry(1, 0, 1, "c", message, identity, moment)


def test_both_logs(tmp_path):
    """A conversation for each id and for each checkpoint, in the order in which they begin, with the messages of each."""
    log, pool = Conversations(tmp_path), Pool(tmp_path)
    log.process("rollout-master", turns(0, 11))
    log.process("framework", turns(0, 4, "other"))
    log.process("rollout-master", turns(0, 26))
    pool.process("Week 1 Day 2", turns(0, 3, "pooled"))
    pool.process(None, turns(0, 4, "pooled"))
    found = read(tmp_path)
    assert list(found) == ["rollout-master", "framework", "Week 1 Day 2", "uncategorized"]
    assert contents(found["rollout-master"]) == [each["message"] for each in turns(0, 26)]
    assert [each.is_named for each in found.values()] == [True, True, False, False]
    assert [each.lines for each in found.values()] == [26, 4, 3, 1]
    state = read_state(tmp_path)
    assert (state.entries, list(state.damage), list(state.claims)) == (34, [], [])


def test_numbers_that_begin_anew_lose_nothing(tmp_path):
    """10 messages and 6 more whose numbers restart: the original's own migration keeps 10 of them, here 16 stand in their order."""
    log = Conversations(tmp_path)
    log.process("c", turns(0, 10))
    log.forget()
    log.process("c", turns(0, 6, "after the compaction"))
    (conversation,) = read_state(tmp_path).conversations()
    expected = [each["message"] for each in [*turns(0, 10), *turns(0, 6, "after the compaction")]]
    assert contents(conversation) == expected
    assert [each.source_index for each in conversation.export.messages] == [*range(10), *range(6)]


def test_numbers_say_the_order_where_each_has_its_own(tmp_path):
    """As the original read a conversation: by number. One without a number leaves all of them where they stand."""
    for name, messages in (
        ("numbered", turns(0, 4)),
        ("half", [*turns(0, 3), {"type": "prompt", "message": "no number"}]),
    ):
        lines = [{"conversation_id": name, "message": each} for each in reversed(messages)]
        with (tmp_path / LOG).open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
    found = read(tmp_path)
    assert [each.source_index for each in found["numbered"].export.messages] == [0, 1, 2, 3]
    assert [each.source_index for each in found["half"].export.messages] == [None, 2, 1, 0]


BLOCKS = [{"type": "text", "text": "I look."}, {"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"type": "prompt", "message": "hi", "index": 3}, [(USER, PROMPT, "hi")]),
        ({"type": "response", "message": "hi"}, [(ASSISTANT, TEXT, "hi")]),
        ({"role": "user", "content": "hi"}, [(USER, PROMPT, "hi")]),
        ({"role": "system", "content": "hi"}, [(SYSTEM, TEXT, "hi")]),
        ({"role": "assistant", "content": BLOCKS}, [(ASSISTANT, TEXT, "I look."), (ASSISTANT, TOOL_CALL, [BLOCKS[1]])]),
        ({"role": "unknown", "content": "a heap"}, [(SYSTEM, UNKNOWN, "a heap")]),
        ({"role": "checkpoint", "content": {"a": "é"}}, [(SYSTEM, UNKNOWN, '{"a": "é"}')]),
        ({"content": "whose?"}, [(SYSTEM, UNKNOWN, "whose?")]),
        ({"index": 4}, [(SYSTEM, UNKNOWN, '{"index": 4}')]),
        ({"role": "user"}, [(SYSTEM, UNKNOWN, '{"role": "user"}')]),
        ({"role": "user", "content": ""}, [(USER, PROMPT, "")]),
        ("a bare text", [(SYSTEM, UNKNOWN, "a bare text")]),
        ([1, "é"], [(SYSTEM, UNKNOWN, '[1, "é"]')]),
        ({"message": {"role": "user", "content": "wrapped"}}, [(USER, PROMPT, "wrapped")]),
        ({"role": "user", "content": [float("nan")]}, [(SYSTEM, UNKNOWN, '{"role": "user", "content": [NaN]}')]),
    ],
)
def test_whose_message_it_is(message, expected):
    """Roles as all other formats have them; what says none is nobody's, and is kept."""
    found = messages_of(entry(message), encoded=False)
    assert [(each.role, each.kind, each.content) for each in found.messages] == expected
    assert bool(found.odd) == (expected[0][1] == UNKNOWN or expected[0][2] == "")
    index = message.get("index") if isinstance(message, dict) else None
    assert found.messages[0].source_index == index


@pytest.mark.parametrize(
    ("own", "stored", "expected"),
    [
        (None, "2025-11-17T10:00:00.123456", "2025-11-17T10:00:00.123456Z"),
        (None, "2025-11-17T10:00:00Z", "2025-11-17T10:00:00Z"),
        (None, "2025-11-22T06:44:00+00:00", "2025-11-22T06:44:00+00:00"),
        ("2025-11-16T09:00:00Z", "2025-11-17T10:00:00", "2025-11-16T09:00:00Z"),
        (None, "", None),
        (None, "soon", None),
    ],
)
def test_when_it_was_said(own, stored, expected):
    """Its own time, else the one at which it was stored, which is UTC."""
    message = {"role": "user", "content": "hi", **({"timestamp": own} if own else {})}
    assert messages_of(entry(message, moment=stored), encoded=False).messages[0].timestamp == expected
    if own is None:
        assert messages_of(entry("bare", moment=stored), encoded=False).messages[0].timestamp == expected


def test_what_was_read_from_a_screen_is_laid_out():
    """The original's reader of text exports wrote role and type; other exporters write one of them."""
    drawn = messages_of(entry({"index": 0, "role": "user", "type": "user", "content": "drawn"}), encoded=False)
    written = messages_of(entry({"index": 0, "type": "prompt", "message": "written"}), encoded=False)
    assert [each.messages[0].fidelity for each in (drawn, written)] == [LAYOUT, EXACT]


# --- content that is JSON of what was said ------------------------------------------------------------------------


def logged(folder, messages, *, hashed=None):
    """A conversation log with these messages; ``hashed`` are those that the hashes were made of."""
    with (folder / LOG).open("a") as file:
        for message, other in zip(messages, hashed or messages):
            identity = digest({"role": other["type"], "content": other["message"], "index": other["index"]})
            line = {"conversation_id": "c", "content_hash": identity, "message": message}
            file.write(json.dumps(line) + "\n")


def quoted(messages):
    """The same with contents as JSON."""
    return [{**each, "message": json.dumps(each["message"])} for each in messages]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_quotation_marks_of_json_are_undone(tmp_path, count):
    """Where the stored hash is that of what was said, or where all texts of the log are so."""
    messages = turns(0, count)
    logged(tmp_path, quoted(messages), hashed=messages)
    assert contents(*read(tmp_path).values()) == [each["message"] for each in messages]
    (tmp_path / LOG).unlink()
    logged(tmp_path, quoted(messages))
    expected = [each["message"] for each in (messages if count >= 3 else quoted(messages))]
    assert contents(*read(tmp_path).values()) == expected


def test_quotation_marks_that_were_said_stay(tmp_path):
    """One message in quotation marks, or one that is a list, among others is what somebody wrote."""
    messages = [*turns(0, 2), said(2, "prompt", '"yes"'), said(3, "response", '["a"]'), said(4, "prompt", '"')]
    logged(tmp_path, messages, hashed=[{**each, "index": 99} for each in messages])
    assert contents(*read(tmp_path).values()) == [each["message"] for each in messages]


def test_one_encoded_message_among_others(tmp_path):
    """Is told by its hash alone."""
    messages = [*turns(0, 2), said(2, "response", BLOCKS)]
    logged(tmp_path, [*messages[:2], *quoted(messages[2:])], hashed=messages)
    (conversation,) = read(tmp_path).values()
    assert [each.kind for each in conversation.export.messages] == [PROMPT, TEXT, TEXT, TOOL_CALL]


def test_json_that_is_what_was_said_stays(tmp_path):
    """Agents that send each other objects."""
    messages = [said(n, "prompt", json.dumps({"step": n})) for n in range(5)]
    logged(tmp_path, messages, hashed=[{**each, "index": 99} for each in messages])
    assert contents(*read(tmp_path).values()) == [each["message"] for each in messages]


# --- damage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"conversation_id": "c", "mess', "it is no JSON"),
        (b"\0" * 40, "it is no JSON"),
        (b'"text"', "it is no object"),
        (b'{"conversation_id": "c"}', "it has no message"),
        (b'{"conversation_id": "c", "message": null}', "it has no message"),
        (b"[" * 100_000, "it is no JSON"),
    ],
)
def test_a_damaged_line_costs_itself_alone(tmp_path, data, says):
    """It is named with its file and its number; all others are read."""
    Conversations(tmp_path).process("c", turns(0, 5))
    damaged(tmp_path / LOG, 3, data)
    state = read_state(tmp_path)
    (line,) = state.damage
    assert line.startswith(f"{LOG}, line 3: {says}")
    (conversation,) = state.conversations()
    assert [each.source_index for each in conversation.export.messages] == [0, 1, 3, 4]
    assert list(state.claims) == [Claim("content_hashes.json", "c", hashes=1)]


def test_a_line_that_breaks_off(tmp_path):
    """The last one, of a process that was killed; blank lines are none."""
    Conversations(tmp_path).process("c", turns(0, 3))
    path = tmp_path / LOG
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n\n\r\n", 1)[:-20])
    state = read_state(tmp_path)
    assert list(state.damage) == [f"{LOG}, line 5: it breaks off"]
    assert state.entries == 2


def test_what_is_odd_is_kept_and_named(tmp_path):
    """No conversation, bytes that are no UTF-8, no role: the message is there, and a line says what was wrong."""
    lines = [
        b'{"message": {"role": "user", "content": "whose conversation?"}}',
        b'{"conversation_id": "c", "message": {"role": "user", "content": "caf\xe9"}}',
        b'{"conversation_id": "c", "message": {"role": "robot", "content": "beep"}}',
    ]
    (tmp_path / LOG).write_bytes(b"\n".join(lines))
    state = read_state(tmp_path)
    assert list(state.damage) == [
        f"{LOG}, line 1: it names no conversation; it is in uncategorized",
        f"{LOG}, line 2: bytes that are no UTF-8; they are kept as they are",
    ]
    found = read(tmp_path)
    assert contents(found["uncategorized"]) == ["whose conversation?"]
    assert contents(found["c"]) == ["caf\udce9", "beep"]
    assert found["c"].export.warnings == (f'{LOG}, line 3: "robot" is no role that is known',)


def test_many_odd_entries_are_counted(tmp_path):
    """Not each of thousands has its line."""
    with (tmp_path / LOG).open("w") as file:
        file.writelines(json.dumps({"conversation_id": "c", "message": str(n)}) + "\n" for n in range(50))
    (conversation,) = read(tmp_path).values()
    assert len(conversation.export.warnings) == 21
    assert conversation.export.warnings[-1] == "30 more entries were kept as they are"


def test_what_the_indexes_say_and_the_logs_do_not(tmp_path):
    """Hashes without a line, watermarks above the last message, conversations that no line has."""
    log, pool = Conversations(tmp_path), Pool(tmp_path)
    log.process("c", turns(0, 5))
    log.process("gone", turns(0, 2, "gone"))
    pool.process("day 1", turns(0, 3, "pooled"))
    for file, keep in ((LOG, 4), (POOL.file, 1)):
        lines = (tmp_path / file).read_bytes().splitlines(keepends=True)
        (tmp_path / file).write_bytes(b"".join(lines[:keep]))
    assert list(read_state(tmp_path).claims) == [
        Claim("watermarks.json", "c", watermark=4, highest=3),
        Claim("watermarks.json", "gone", watermark=1, highest=-1),
        Claim("content_hashes.json", "c", 1),
        Claim("content_hashes.json", "gone", 2),
        Claim("global_hashes.json", "", 2),
        Claim("checkpoint_index.json", "day 1", 2),
    ]


@pytest.mark.parametrize("form", [list, lambda every: {"hashes": every}, lambda every: dict.fromkeys(every, 1)])
def test_the_forms_of_the_file_of_hashes(tmp_path, form):
    """A list, a list in an object, an object with a number for each."""
    Pool(tmp_path).process("day 1", turns(0, 3))
    path = tmp_path / "global_hashes.json"
    path.write_text(json.dumps(form([*json.loads(path.read_text()), "ab" * 32, "no hash"])))
    assert list(read_state(tmp_path).claims) == [Claim("global_hashes.json", "", 1)]


@pytest.mark.parametrize("data", ["{", "[]", '{"c": "x", "d": [1, null], "e": true}', "null", "[" * 100_000])
def test_damaged_indexes_cost_nothing(tmp_path, data):
    """They are named where they are no JSON; the logs are read."""
    Conversations(tmp_path).process("c", turns(0, 3))
    Pool(tmp_path).process("p", turns(0, 3, "pooled"))
    for name in ("watermarks.json", "content_hashes.json", "global_hashes.json", "checkpoint_index.json"):
        (tmp_path / name).write_text(data)
    state = read_state(tmp_path)
    assert state.entries == 6
    assert len(state.damage) == (4 if data.startswith(("{", "[")) and not data.endswith(("}", "]")) else 0)
    assert list(state.claims) == []


# --- what is no such folder ---------------------------------------------------------------------------------------


def test_a_folder_without_such_a_log(tmp_path):
    """Is refused, with the names that are looked for."""
    with pytest.raises(UsageError, match="no state of the original project") as raised:
        read_state(tmp_path)
    assert "unique_messages.jsonl" in raised.value.hint


@pytest.mark.parametrize("backend", ["json", "default"])
def test_a_store_of_ours_is_not_taken_for_one(tmp_path, backend):
    """Its log has the same name."""
    ClaudeConversationDeduplicator(tmp_path / "s", backend).process_export("c", {"messages": turns(0, 3)})
    for _ in range(2):
        with pytest.raises(UsageError, match="log of export-dedup itself"):
            read_state(tmp_path / "s")
        open_store(backend, str(tmp_path / "s")).condense()


def test_what_is_no_file_is_not_opened(tmp_path):
    """A link, a pipe, a line that no memory should hold."""
    (tmp_path / "elsewhere").write_text("{}\n")
    (tmp_path / LOG).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafePath):
        read_state(tmp_path)
    (tmp_path / LOG).unlink()
    os.mkfifo(tmp_path / LOG)
    with pytest.raises(UnsafePath):
        read_state(tmp_path)


def test_a_line_that_is_too_long(tmp_path, monkeypatch):
    """Is refused before all of it is in memory."""
    monkeypatch.setenv(safe_read.LARGEST_BY, "1000")
    (tmp_path / LOG).write_bytes(b'{"message": "' + b"x" * 2000 + b'"}\n')
    with pytest.raises(ExportTooLarge, match="line 1"):
        read_state(tmp_path)


def test_a_log_that_changes_meanwhile(tmp_path):
    """The original is at work: nothing is guessed."""
    log = Conversations(tmp_path)
    log.process("c", turns(0, 3))
    state = read_state(tmp_path)
    log.process("c", turns(0, 5))
    with pytest.raises(ExportChanged):
        list(state.conversations())


def test_no_more_than_one_conversation_is_in_memory(tmp_path):
    """They are read as they are asked for, each by its own lines."""
    log = Conversations(tmp_path)
    for rounds in range(3):
        for name in ("a", "b"):
            log.process(name, turns(0, 2 * rounds + 2, name))
    state = read_state(tmp_path)
    first = next(iter(state.conversations()))
    assert (first.name, first.lines, len(first.export.messages)) == ("a", 6, 6)
    assert first.size == sum(len(line) + 1 for line in (tmp_path / LOG).read_text().splitlines() if '"a"' in line)
