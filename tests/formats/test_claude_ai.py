"""The data export of claude.ai: every conversation, message, branch and attachment of it."""

from __future__ import annotations

import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import ROOT, chat, conversation, exported, identity, said, zipped
from deduplication.errors import DedupError, ExportUnreadable, NotAnExport
from deduplication.formats import claude_ai
from deduplication.formats.claude_ai_messages import EMPTY
from deduplication.model import EXACT, NOTICE, PROMPT, REWIND, TEXT, THINKING, TOOL_CALL, TOOL_RESULT, UNKNOWN


def only(message, **more):
    """The messages that one message of a chat becomes."""
    export = claude_ai.parse(exported([conversation("c", [message], **more)]))
    return [(m.role, m.kind, m.content) for m in export.messages]


def test_a_conversation():
    """Its id is its uuid, each message has its own uuid and time, and its content character for character."""
    first, second = said("q", "human", "How high?", at=1), said("a", "assistant", "Four  metres.\n", at=2)
    export = claude_ai.parse(exported([conversation("Tides", [first, second])]))
    assert (export.format, export.conversation_id) == ("claude-ai-export", identity("Tides"))
    assert [(m.role, m.kind, m.content, m.uuid, m.timestamp, m.fidelity) for m in export.messages] == [
        ("user", PROMPT, "How high?", identity("q"), "2026-01-02T10:00:01.000000Z", EXACT),
        ("assistant", TEXT, "Four  metres.\n", identity("a"), "2026-01-02T10:00:02.000000Z", EXACT),
    ]


@pytest.mark.parametrize("pretty", [False, True], ids=["one-line", "pretty"])
def test_each_message_has_its_bytes(pretty):
    """The span of a message is its JSON, and the spans are the whole file."""
    data = exported([chat("one", 2), chat("\u6771\u4eac", 1), conversation("none", [])], pretty=pretty)
    export = claude_ai.parse(data)
    assert [json.loads(data[m.start : m.end])["text"] for m in export.messages] == [m.content for m in export.messages]
    assert b"".join(data[span.start : span.end] for span in export.spans) == data
    assert export.conversation_id is None


def test_members_come_one_by_one():
    """Each with its title, the digest of its own bytes, and its messages where they are in the file."""
    data = exported([chat("one", 2), chat("two", 1)])
    one, two = claude_ai.members(data)
    assert [one.export.conversation_id, two.export.conversation_id] == [identity("one"), identity("two")]
    assert [one.name, two.name] == ["one", "two"]
    again = list(claude_ai.members(exported([chat("new", 3), chat("one", 2)])))[1]
    assert (again.sha256, again.size) == (one.sha256, one.size)
    assert one.sha256 != two.sha256
    message = two.export.messages[1]
    assert json.loads(data[message.start : message.end])["text"] == message.content


def test_a_zip_has_the_same_conversations():
    """Only the bytes are not those of the archive, so no message claims any."""
    data = exported([chat("one", 2), chat("two", 1)])
    packed = zipped({"conversations.json": data, "users.json": b"[]"})
    plain, inside = list(claude_ai.members(data)), list(claude_ai.members(packed))
    assert [member.sha256 for member in inside] == [member.sha256 for member in plain]
    assert [[m.content for m in member.export.messages] for member in inside] == [
        [m.content for m in member.export.messages] for member in plain
    ]
    assert {m.start for member in inside for m in member.export.messages} == {-1}
    assert b"".join(packed[span.start : span.end] for span in claude_ai.parse(packed).spans) == packed


BLOCKS = {
    "several": (
        said(
            "m",
            "assistant",
            "Let me see. Done.",
            content=[
                {"type": "thinking", "thinking": "hm", "summaries": [{"summary": "x"}], "start_timestamp": "a"},
                {"type": "text", "text": "Let me see.", "citations": []},
                {"type": "tool_use", "id": "t", "name": "search", "input": {"q": "tide"}, "start_timestamp": "a"},
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "text", "text": "high"}],
                    "flags": None,
                },
                {"type": "text", "text": "Done."},
            ],
        ),
        [
            ("assistant", THINKING, "hm"),
            ("assistant", TEXT, "Let me see."),
            ("assistant", TOOL_CALL, [{"type": "tool_use", "id": "t", "name": "search", "input": {"q": "tide"}}]),
            (
                "system",
                TOOL_RESULT,
                [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "high"}]}],
            ),
            ("assistant", TEXT, "Done."),
        ],
    ),
    "text-is-less-than-content": (
        said("m", "human", "short", content=[{"type": "text", "text": "short and more"}]),
        [("user", PROMPT, "short and more")],
    ),
    "no-content": (said("m", "human", "only here", content=[]), [("user", PROMPT, "only here")]),
    "blank-content": (
        said("m", "human", "only here", content=[{"type": "text", "text": " "}]),
        [("user", PROMPT, "only here")],
    ),
    "content-without-text": (
        said("m", "assistant", "and this", content=[{"type": "tool_use", "id": "t", "name": "n", "input": {}}]),
        [
            ("assistant", TOOL_CALL, [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]),
            ("assistant", TEXT, "and this"),
        ],
    ),
    "text-says-that-it-cannot-show-a-tool": (
        said(
            "m",
            "assistant",
            "```\nThis block is not supported on your current device yet.\n```",
            content=[{"type": "tool_use", "id": "t", "name": "n", "input": {}}],
        ),
        [("assistant", TOOL_CALL, [{"type": "tool_use", "id": "t", "name": "n", "input": {}}])],
    ),
    "citations": (
        said("m", "assistant", "cited", content=[{"type": "text", "text": "cited", "citations": [{"url": "u"}]}]),
        [("assistant", TEXT, [{"type": "text", "text": "cited", "citations": [{"url": "u"}]}])],
    ),
    "content-is-text": (said("m", "human", "a", content="b"), [("user", PROMPT, "b")]),
    "content-is-null": ({**said("m", "human", "a"), "content": None}, [("user", PROMPT, "a")]),
    "odd-block": (said("m", "human", "a", content=[7]), [("user", PROMPT, [7])]),
    "empty": (said("m", "human", "", content=[]), []),
    "attachment": (
        said(
            "m",
            "human",
            "read it",
            attachments=[{"file_name": "a.csv", "file_size": 3, "file_type": "csv", "extracted_content": "1,2"}, {}, 3],
        ),
        [
            ("user", PROMPT, "read it"),
            (
                "user",
                PROMPT,
                [
                    {
                        "type": "document",
                        "title": "a.csv",
                        "source": {"type": "text", "media_type": "csv", "data": "1,2"},
                        "file_size": 3,
                    }
                ],
            ),
        ],
    ),
    "attachment-alone": (
        said("m", "human", "", content=[], attachments=[{"file_name": "", "extracted_content": "pasted"}]),
        [
            (
                "user",
                PROMPT,
                [
                    {
                        "type": "document",
                        "title": "",
                        "source": {"type": "text", "media_type": "text/plain", "data": "pasted"},
                    }
                ],
            )
        ],
    ),
    "files": (
        said("m", "human", "look", files=[{"file_name": "a.png"}, {"file_name": "b.png"}]),
        [
            ("user", PROMPT, "look"),
            ("system", NOTICE, [{"type": "file", "file_name": "a.png"}, {"type": "file", "file_name": "b.png"}]),
        ],
    ),
    "files-of-the-web-interface": (
        said(
            "m",
            "human",
            "look",
            files=[{"file_name": "a.png"}],
            files_v2=[{"file_name": "a.png", "file_uuid": "u", "x": 1}],
        ),
        [("user", PROMPT, "look"), ("system", NOTICE, [{"type": "file", "file_name": "a.png", "file_uuid": "u"}])],
    ),
    "file-without-a-name": (said("m", "human", "look", files=[{"file_name": ""}, 7]), [("user", PROMPT, "look")]),
}


@pytest.mark.parametrize(("message", "found"), BLOCKS.values(), ids=BLOCKS)
def test_what_a_message_says(message, found):
    """Content before text, every block a message, nothing said twice and nothing left out."""
    assert only(message) == found


def test_ids_hold_when_a_later_export_has_more_of_a_message():
    """The text keeps the message's uuid, whatever stands before it; everything else has its kind and number behind it."""
    plain = said("m", "assistant", "Yes.")
    later = said(
        "m",
        "assistant",
        "Yes.",
        content=[
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "Yes."},
            {"type": "tool_use", "id": "t", "name": "n", "input": {}},
            {"type": "tool_use", "id": "u", "name": "n", "input": {}},
            {"type": "text", "text": "No."},
        ],
    )
    first, second = (claude_ai.parse(exported([conversation("c", [m])])) for m in (plain, later))
    uuid = identity("m")
    assert [m.uuid for m in first.messages] == [uuid]
    assert [m.uuid for m in second.messages] == [
        f"{uuid}:thinking:0",
        uuid,
        f"{uuid}:tool_call:0",
        f"{uuid}:tool_call:1",
        f"{uuid}:text:1",
    ]


def test_an_empty_message_is_a_span_only():
    """Nothing was said, so nothing is counted; its bytes have a label."""
    export = claude_ai.parse(exported([conversation("c", [said("m", "human", "", content=[])])]))
    assert not export.messages
    assert EMPTY in {span.label for span in export.spans}


def test_branches_are_marked():
    """A retried answer and an edited prompt stand under the parent of what they replace; both versions stay."""
    messages = [
        said("q1", "human", "one", parent=ROOT),
        said("a1", "assistant", "first", parent="q1"),
        said("a1b", "assistant", "second", parent="q1"),
        said("q2", "human", "two", parent="a1b"),
        said("q1b", "human", "one, edited", parent=ROOT),
        said("a1c", "assistant", "third", parent="q1b"),
    ]
    export = claude_ai.parse(exported([conversation("c", messages)]))
    assert len(export.messages) == 6
    assert [(mark.kind, mark.before) for mark in export.marks] == [(REWIND, 2), (REWIND, 4)]


def test_marks_of_later_conversations_keep_their_place():
    """Read as one, the conversations follow one another, and so do their marks."""
    retried = [said(n, "human", n, parent=ROOT) for n in ("a", "b")]
    export = claude_ai.parse(exported([chat("one", 2), conversation("two", retried)]))
    assert [(mark.kind, mark.before) for mark in export.marks] == [(REWIND, 5)]


@pytest.mark.parametrize("parent", [None, "unknown"], ids=["none", "unknown"])
def test_without_parents_there_are_no_branches(parent):
    """Exports of 2025 name none, and one that is not in the file says nothing."""
    messages = [said("a", "human", "a", parent=parent), said("b", "human", "b", parent=parent)]
    assert not claude_ai.parse(exported([conversation("c", messages)])).marks


def test_messages_of_a_wrong_shape_are_kept_and_told():
    """What has no sender, or is no object, is a notice with everything it said; only the first few are told."""
    odd = [{"uuid": identity("m"), "text": "who?"}, 7, ["x"], None]
    export = claude_ai.parse(exported([conversation("c", odd * 3)]))
    assert [(m.role, m.kind, m.content) for m in export.messages[:4]] == [
        ("system", UNKNOWN, odd[0]),
        ("system", UNKNOWN, "7"),
        ("system", UNKNOWN, ["x"]),
        ("system", UNKNOWN, "None"),
    ]
    assert len(export.messages) == 12
    assert len(export.warnings) == 5
    assert "no sender that is known" in export.warnings[0]


def test_the_index_of_the_web_interface_is_kept():
    """Browser exporters save one conversation as the web interface has it."""
    one = conversation("c", [said("a", "human", "x", index=4), said("b", "human", "y", index=True)])
    assert [m.source_index for m in claude_ai.parse(json.dumps(one).encode()).messages] == [4, None]


def test_a_broken_conversation_costs_only_itself():
    """It is named by its place; the others are read, and its bytes are still spans of the file."""
    data = exported([chat("one", 1), chat("two", 1), {"uuid": "x"}, chat("three", 1)]).replace(b'"two"', b"'two' ", 1)
    found = list(claude_ai.members(data))
    assert [len(member.export.messages) for member in found] == [2, 0, 0, 2]
    assert "conversation 2 (byte" in found[1].export.warnings[0]
    assert "cannot be read: line 1, column" in found[1].export.warnings[0]
    assert found[2].export.warnings == ("element 3 is no conversation; its bytes are kept",)
    export = claude_ai.parse(data)
    assert b"".join(data[span.start : span.end] for span in export.spans) == data


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"x",
        lambda data: zipped({"conversations.json": data[:-1]}),
    ],
    ids=["bracket", "half", "more", "inside-a-zip"],
)
def test_a_cut_file_brings_no_conversation(damage):
    """It is looked over first: nothing of it is given out, so nothing of it is stored."""
    data = damage(exported([chat("one", 1), chat("two", 1)]))
    assert claude_ai.recognises(data, strict=True)
    with pytest.raises(ExportUnreadable):
        next(claude_ai.members(data))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (exported([chat("one", 1)]), True),
        (b"\xef\xbb\xbf " + exported([chat("one", 1)], pretty=True), True),
        (b'{"account": {"a": ["}"]}, "n": 1, "b": true, "chat_messages": []}', True),
        (b'[{"name": "say \\"chat_messages\\": [", "text": "\\\\", "chat_messages":[', True),
        (b'[{"name": "\\"chat_messages\\": [", "messages": []}]', False),
        (b'[{"x": {"chat_messages": []}}]', False),
        (b'[{"chat_messages": 3}]', False),
        (b'[{"name": "' + b"x" * 300_000 + b'", "chat_messages": []}]', False),
        (b'[{"name" }]', False),
        (b'[{"name": }]', False),
        (b"[]", False),
        (b"[1]", False),
        (b"", False),
        # Named, or the time in each would be part of its name, and another in each worker.
        pytest.param(zipped({"conversations.json": b"[]"}), True, id="zip-empty"),
        pytest.param(zipped({"conversations.json": exported([chat("one", 1)])}), True, id="zip"),
        pytest.param(zipped({"conversations.json": b"[1]"}), False, id="zip-number"),
        pytest.param(zipped({"other.json": exported([chat("one", 1)])}), False, id="zip-other"),
    ],
)
def test_recognition(data, found):
    """By the keys of the first conversation, not by what somebody said in it; a ZIP by what is in it."""
    assert claude_ai.recognises(data, strict=True) is found
    assert claude_ai.recognises(data, strict=False) is found


def test_a_damaged_zip_is_claimed_only_where_it_was_named():
    """A search passes it over; a person who passed it is told what is wrong."""
    assert not claude_ai.recognises(b"PK\x03\x04 cut", strict=True)
    assert claude_ai.recognises(b"PK\x03\x04 cut", strict=False)
    with pytest.raises(NotAnExport):
        claude_ai.parse(zipped({"other.json": b""}))


def test_recognition_leaves_the_file_where_it_stood():
    """Whoever reads it afterwards begins at its beginning."""
    file = io.BytesIO(exported([chat("one", 1)]))
    assert claude_ai.opens(file, strict=True)
    assert file.tell() == 0


def test_no_more_than_one_conversation_is_in_memory(tmp_path):
    """Memory goes with the longest conversation, not with the file."""
    path = tmp_path / "conversations.json"
    text = exported([conversation("c", [said("m", "human", "x" * 200_000)])])[1:-1]
    path.write_bytes(b"[" + b",".join([text] * 60) + b"]")
    with path.open("rb") as file:
        tracemalloc.start()
        assert sum(1 for _ in claude_ai.members_of(file)) == 60
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < path.stat().st_size / 5


@given(st.data())
def test_any_damage_ends_in_an_export_or_in_an_error_of_ours(data):
    """Bytes overwritten anywhere: the spans are the file, or a named failure says why not."""
    whole = bytearray(
        exported([chat("one", 1), conversation("two", [said("m", "human", "\u6771", attachments=[{"a": 1}])])])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.sampled_from(b'"\\[]{},: \n\xff0a'))
    try:
        export = claude_ai.parse(bytes(whole))
    except DedupError:
        return
    assert b"".join(whole[span.start : span.end] for span in export.spans) == whole
