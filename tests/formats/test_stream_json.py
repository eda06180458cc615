"""A stream of a session says what its transcript says, under the same ids."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stream_lines as stream
import transcript_lines as lines
from deduplication.errors import DedupError, ExportUnreadable, NotAnExport
from deduplication.formats import stream_json, transcript
from deduplication.formats.transcript_reader import SIDE
from deduplication.model import COMPACTION, CONTEXT, NOTICE, PROMPT, SUMMARY, TEXT

TURNS = [
    lines.prompt("How high is the tide?"),
    lines.answer("Let me see."),
    lines.call("Bash", "1", command="tide"),
    lines.result("4 m", "1"),
    lines.answer("Four metres."),
]
STREAM = stream.begin() + b"".join(map(stream.of, TURNS)) + stream.end("Four metres.")


def said(export):
    """What matters of its messages."""
    return [(m.role, m.kind, m.content, m.uuid, m.fidelity) for m in export.messages]


def test_a_stream_says_what_the_transcript_says():
    """Role, kind, content and id of every message; the closing result is none, and the session is the same."""
    export, written = stream_json.parse(STREAM), transcript.parse(b"".join(TURNS))
    assert said(export) == said(written)
    assert len(export.messages) == 5
    assert (export.format, export.conversation_id) == ("claude-code-stream-json", written.conversation_id)
    assert not export.warnings


def test_every_line_is_a_span():
    """The label of a line without messages is its type."""
    export = stream_json.parse(STREAM)
    assert b"".join(STREAM[span.start : span.end] for span in export.spans) == STREAM
    assert [span.label for span in export.spans][:2] == ["system", PROMPT]
    assert export.spans[-1].label == "result"


def test_parts_of_messages_are_none():
    """``--include-partial-messages`` adds events that the whole message repeats."""
    delta = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Let"}}
    data = STREAM + stream.event("stream_event", event=delta, uuid="x") + stream.event("rate_limit_event")
    assert said(stream_json.parse(data)) == said(stream_json.parse(STREAM))


def test_an_array_is_the_same_stream():
    """``--output-format json --verbose`` prints it as one array."""
    array = json.dumps([json.loads(line) for line in STREAM.splitlines()], indent=1).encode()
    export = stream_json.parse(array)
    assert said(export) == said(stream_json.parse(STREAM))
    assert b"".join(array[span.start : span.end] for span in export.spans) == array
    first = export.messages[0]
    assert json.loads(array[first.start : first.end])["message"]["content"] == first.content


@pytest.mark.parametrize("data", [b"[] []", b"[1", STREAM[:0] + b"[" + stream.begin() + b"]x"])
def test_an_array_that_is_none_is_refused(data):
    """Named, with the place."""
    with pytest.raises((ExportUnreadable, NotAnExport)):
        stream_json.parse(data)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("This session is being continued from a previous conversation that ran out", (SUMMARY, COMPACTION)),
        (
            [{"type": "text", "text": "This session is being continued from a previous conversation"}],
            (SUMMARY, COMPACTION),
        ),
        ("Base directory of this skill: /x", (CONTEXT, COMPACTION)),
        (None, (None, COMPACTION)),
    ],
    ids=["summary", "summary-blocks", "meta", "no-message"],
)
def test_what_the_client_says_in_the_users_place(message, found):
    """A summary after a compaction is one, other words of the client's are no prompts: as in the transcript."""
    more = {"message": {"role": "user", "content": message}} if message else {}
    boundary = stream.event("system", subtype="compact_boundary", uuid="b")
    export = stream_json.parse(stream.begin() + boundary + stream.event("user", isSynthetic=True, uuid="s", **more))
    assert tuple(m.kind for m in export.messages) == tuple(kind for kind in found[:1] if kind)
    assert [mark.kind for mark in export.marks] == [found[1]]


def test_a_failed_request_is_a_notice():
    """What the API refused is no answer of the assistant."""
    message = {"role": "assistant", "content": [{"type": "text", "text": "Credit balance is too low"}]}
    export = stream_json.parse(
        stream.begin() + stream.event("assistant", message=message, uuid="e", error="billing_error")
    )
    assert [m.kind for m in export.messages] == [NOTICE]


SIDE_PROMPT, SIDE_ANSWER = lines.prompt("count the files"), lines.answer("There are three files.")
RETURN = lines.line(
    "return",
    "user",
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_a", "content": "three"}]},
    toolUseResult={"agentId": "a1b2", "status": "completed"},
)


@pytest.mark.parametrize("returned", [True, False], ids=["returned", "cut-off"])
def test_a_sub_agent_is_a_conversation_of_its_own(returned):
    """Its lines stand between the session's; it is called as its transcript is, once it is known which one it was."""
    data = (
        stream.begin()
        + stream.of(TURNS[0])
        + stream.of(SIDE_PROMPT, call="toolu_a")
        + stream.of(TURNS[1])
        + stream.of(SIDE_ANSWER, call="toolu_a")
        + (stream.of(RETURN) if returned else b"")
    )
    main, side = stream_json.members(data)
    assert [m.content for m in main.export.messages][:2] == ["How high is the tide?", "Let me see."]
    assert [m.content for m in side.export.messages] == ["count the files", "There are three files."]
    assert [m.uuid for m in side.export.messages] == [
        lines.identity("count the files"),
        lines.identity("There are three files."),
    ]
    assert (main.side, side.side) == (False, True)
    assert side.name == f"{lines.SESSION}-agent-{'a1b2' if returned else 'toolu_a'}"
    assert side.export.conversation_id == (side.name if returned else None)
    assert [span.label for span in main.export.spans].count(SIDE) == 2
    assert main.size + side.size == len(data)
    assert said(stream_json.parse(data)) == said(main.export)


@pytest.mark.parametrize(
    ("data", "strict", "loose"),
    [
        (STREAM, True, True),
        (stream.of(TURNS[1]), True, True),
        (b"npm warn\n" + STREAM, False, True),
        (b"\n" + STREAM, True, True),
        (b"\xef\xbb\xbf" + STREAM, True, True),
        (b"[" + b",".join(STREAM.splitlines()) + b"]", True, True),
        (stream.end("Four metres."), False, False),
        (b"".join(TURNS), False, False),
        (stream.event("user", session=None, message={}), False, False),
        (b'{"type": "assistant", "message": {}, "session_id": "s"}', False, False),
        (b'[{"session_id": "s"}]', False, False),
        (b'["session_id", ', False, False),
        (b'["session_id" 1', False, False),
        (b"[]", False, False),
        (b"", False, False),
        (b"hello\n" * 300, False, False),
    ],
)
def test_recognition(data, strict, loose):
    """By the first line, of a file that was named by any; a result alone has no message, a transcript is another format."""
    assert stream_json.recognises(data, strict=True) is strict
    assert stream_json.recognises(data, strict=False) is loose


def test_no_stream():
    """A file without a line of a stream is refused by name."""
    with pytest.raises(NotAnExport):
        stream_json.parse(b'{"type": "novel"}\n')


@given(st.lists(st.sampled_from([*STREAM.splitlines(keepends=True), b"x\n", b"\n", b'{"type":', b"7\n"]), max_size=12))
def test_any_lines(found):
    """In any order and damaged in any way: the spans are the file, or a named failure."""
    data = b"".join(found)
    try:
        export = stream_json.parse(data)
    except DedupError:
        return
    assert b"".join(data[span.start : span.end] for span in export.spans) == data
    assert all(m.kind in (PROMPT, TEXT, "tool_call", "tool_result") for m in export.messages)


STREAMS = ["stream-json_2.1.197.jsonl", "stream-json_2.1.197_partial_replay.jsonl"]


@pytest.mark.parametrize("name", STREAMS)
def test_real_streams(corpus, name):
    """Each message once, each line a span, nothing unknown."""
    data = (corpus / "lab" / "stream-json" / name).read_bytes()
    export = stream_json.parse(data)
    assert stream_json.recognises(data, strict=True)
    assert not export.warnings
    assert len({m.uuid for m in export.messages}) == len(export.messages) == (6 if name == STREAMS[0] else 8)
    assert b"".join(data[span.start : span.end] for span in export.spans) == data


def test_a_real_stream_and_its_transcript(corpus):
    """What the stream has is in the transcript, under the same ids."""
    export = stream_json.parse((corpus / "lab" / "stream-json" / STREAMS[0]).read_bytes())
    folder = corpus / "lab" / "2.1.197-operations" / "transcripts"
    written = transcript.parse((folder / f"{export.conversation_id}.jsonl").read_bytes())
    assert set(map(str, said(export))) < set(map(str, said(written)))
