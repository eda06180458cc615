"""Session transcripts: every kind of line, damage of every kind, and the laws that hold for any bytes."""

from __future__ import annotations

import json
import random
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.fingerprint import fingerprint, skeleton
from deduplication.errors import DedupError, NotAnExport
from deduplication.formats import text, transcript
from deduplication.formats.client_commands import printed, slash_command
from deduplication.formats.transcript_types import OTHERS
from deduplication.model import (
    ASSISTANT,
    BOOKKEEPING,
    COMMAND_OUTPUT,
    COMPACTION,
    CONTEXT,
    EXACT,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    REWIND,
    SUMMARY,
    SYSTEM,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    USER,
    Export,
    Mark,
    counts,
)

SESSION = "11111111-2222-4333-8444-555555555555"
U, A, S = USER, ASSISTANT, SYSTEM
CALL = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "a.txt", "lines": [1, 2]}}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
_numbers = count(1)


def line(type_, **fields):
    """One object as the client writes it, with a uuid of its own."""
    return {
        "parentUuid": None,
        "isSidechain": False,
        "type": type_,
        "uuid": f"00000000-0000-4000-8000-{next(_numbers):012d}",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "sessionId": SESSION,
        **fields,
    }


def user(content, **fields):
    return line("user", message={"role": "user", "content": content}, **fields)


def assistant(*blocks, model="claude-opus-4", **fields):
    return line("assistant", message={"id": "msg_1", "role": "assistant", "model": model, "content": blocks}, **fields)


def said(text_):
    return {"type": "text", "text": text_}


def result(content, **fields):
    block = {"type": "tool_result", "tool_use_id": "toolu_1", **({} if content is None else {"content": content})}
    return user([block], toolUseResult={"stdout": "a second copy"}, **fields)


def command(name, arguments=""):
    tags = f"<command-name>{name}</command-name>\n   <command-message>{name[1:]}</command-message>\n"
    return user(f"{tags}   <command-args>{arguments}</command-args>")


def printout(text_):
    return user(f"<local-command-stdout>{text_}</local-command-stdout>")


def queued(prompt, **fields):
    return line("attachment", attachment={"type": "queued_command", "prompt": prompt, **fields})


def encode(*lines, end="\n"):
    return "".join(json.dumps(value, ensure_ascii=False) + end for value in lines).encode()


def tiled(data, export):
    """Prove that the spans are the file, and that each message stands in a span whose label is its line's first kind."""
    assert b"".join(data[span.start : span.end] for span in export.spans) == data
    assert all(span.start < span.end for span in export.spans)
    labels = {(span.start, span.end): span.label for span in export.spans}
    first = {}
    for message in export.messages:
        first.setdefault((message.start, message.end), message.kind)
    assert all(labels[where] == kind for where, kind in first.items())
    assert [message.start for message in export.messages] == sorted(message.start for message in export.messages)
    assert all(message.fidelity == EXACT and message.source_index is None for message in export.messages)
    assert all(0 <= mark.before <= len(export.messages) for mark in export.marks)
    return export


def whole(*lines):
    data = lines[0] if lines and isinstance(lines[0], bytes) else encode(*lines)
    return tiled(data, transcript.parse(data))


def told(export):
    return [(message.role, message.kind, message.content) for message in export.messages]


def labels(export):
    return [span.label for span in export.spans]


MESSAGES = {
    "prompt": (user("hello"), (U, PROMPT, "hello")),
    "prompt-as-block": (user([said("hello")]), (U, PROMPT, "hello")),
    "prompt-keeps-its-white-space": (user("  a\n\n b\t"), (U, PROMPT, "  a\n\n b\t")),
    "prompt-that-names-a-tag": (user("what is <bash-input>?"), (U, PROMPT, "what is <bash-input>?")),
    "prompt-that-begins-with-a-tag": (user("<bash-stdout>why"), (U, PROMPT, "<bash-stdout>why")),
    "prompt-with-a-command-tag": (user("<command-name> is what?"), (U, PROMPT, "<command-name> is what?")),
    "prompt-in-brackets": (user("[Request] x"), (U, PROMPT, "[Request] x")),
    "image-alone": (user([IMAGE]), (U, PROMPT, [IMAGE])),
    "reminder": (user("<system-reminder>x</system-reminder>"), (S, CONTEXT, "<system-reminder>x</system-reminder>")),
    "summary": (
        user("This session is being continued", isCompactSummary=True),
        (S, SUMMARY, "This session is being continued"),
    ),
    "summary-as-block": (user([said("Before:")], isCompactSummary=True), (S, SUMMARY, "Before:")),
    "slash-command": (command("/model", "sonnet"), (U, LOCAL_COMMAND, "/model sonnet")),
    "slash-command-alone": (command("/status"), (U, LOCAL_COMMAND, "/status")),
    "export": (command("/export", "a b.txt"), (U, BOOKKEEPING, "/export a b.txt")),
    "compact": (command("/compact"), (U, BOOKKEEPING, "/compact")),
    "own-command": (
        user("<command-message>export-dedup is running…</command-message>\n<command-name>/export-dedup</command-name>"),
        (U, BOOKKEEPING, "/export-dedup"),
    ),
    "command-for-the-model": (
        user(
            "<command-message>review is running…</command-message>\n<command-name>/review</command-name>\n"
            "<command-args>a < b</command-args>"
        ),
        (U, PROMPT, "/review a < b"),
    ),
    "shell": (user("<bash-input>ls -l</bash-input>"), (U, LOCAL_COMMAND, "ls -l")),
    "shell-output": (
        user("<bash-stdout>a\nb</bash-stdout><bash-stderr></bash-stderr>"),
        (S, COMMAND_OUTPUT, "a\nb"),
    ),
    "shell-both": (
        user("<bash-stdout>a\n</bash-stdout><bash-stderr>no</bash-stderr>"),
        (S, COMMAND_OUTPUT, "a\nno"),
    ),
    "shell-error": (user("<bash-stderr>no</bash-stderr>"), (S, COMMAND_OUTPUT, "no")),
    "output-without-colours": (printout("Set to \x1b[1mOpus\x1b[22m"), (S, COMMAND_OUTPUT, "Set to Opus")),
    "task-notification": (
        user("<task-notification>\n<status>done</status></task-notification>"),
        (S, CONTEXT, "<task-notification>\n<status>done</status></task-notification>"),
    ),
    "interrupted": (user([said("[Request interrupted by user]")]), (S, NOTICE, "[Request interrupted by user]")),
    "interrupted-tool": (
        user([said("[Request interrupted by user for tool use]")]),
        (S, NOTICE, "[Request interrupted by user for tool use]"),
    ),
    "result-text": (result("42"), (S, TOOL_RESULT, "42")),
    "result-lone-block": (result([said("42")]), (S, TOOL_RESULT, "42")),
    "result-blocks": (result([said("42"), IMAGE]), (S, TOOL_RESULT, [said("42"), IMAGE])),
    "result-empty": (result(""), (S, TOOL_RESULT, "")),
    "result-without-content": (result(None), (S, TOOL_RESULT, "")),
    "result-on-a-meta-line": (result("42", isMeta=True), (S, TOOL_RESULT, "42")),
    "result-of-an-odd-shape": (result({"a": 1}), (S, TOOL_RESULT, [{"a": 1}])),
    "answer": (assistant(said("Hi.")), (A, TEXT, "Hi.")),
    "answer-as-text": (line("assistant", message={"content": "Hi."}), (A, TEXT, "Hi.")),
    "answer-that-looks-synthetic": (assistant(said("API Error is a term")), (A, TEXT, "API Error is a term")),
    "answer-interrupted": (assistant(said("word0 word1"), model="<synthetic>"), (A, TEXT, "word0 word1")),
    "no-response": (
        assistant(said("No response requested."), model="<synthetic>"),
        (S, NOTICE, "No response requested."),
    ),
    "api-error": (
        assistant(said("Prompt is too long"), model="<synthetic>", isApiErrorMessage=True),
        (S, NOTICE, "Prompt is too long"),
    ),
    "api-error-unmarked": (assistant(said("API Error: 529"), model="<synthetic>"), (S, NOTICE, "API Error: 529")),
    "thinking": (
        assistant({"type": "thinking", "thinking": "Hm.", "signature": "x"}),
        (A, THINKING, "Hm."),
    ),
    "redacted-thinking": (
        assistant({"type": "redacted_thinking", "data": "x"}),
        (A, THINKING, [{"type": "redacted_thinking", "data": "x"}]),
    ),
    "tool-call": (assistant(CALL), (A, TOOL_CALL, [CALL])),
    "unknown-block": (assistant({"type": "novel", "x": 1}), (A, TEXT, [{"type": "novel", "x": 1}])),
    "answer-of-an-odd-shape": (assistant(5), (A, TEXT, [5])),
    "prompt-of-an-odd-shape": (user([5]), (U, PROMPT, [5])),
    "summary-of-an-odd-shape": (user([IMAGE], isCompactSummary=True), (S, SUMMARY, [IMAGE])),
    "cited-text": (assistant({**said("x"), "citations": ["y"]}), (A, TEXT, [{**said("x"), "citations": ["y"]}])),
    "queued-prompt": (queued("while it ran", commandMode="prompt"), (U, PROMPT, "while it ran")),
    "queued-prompt-of-no-mode": (queued([said("while it ran")]), (U, PROMPT, "while it ran")),
    "queued-notification": (
        queued("<task-notification>x</task-notification>", commandMode="task-notification"),
        (S, CONTEXT, "<task-notification>x</task-notification>"),
    ),
    "system-command": (
        line("system", subtype="local_command", content="<command-name>/model</command-name>"),
        (U, LOCAL_COMMAND, "/model"),
    ),
    "system-output": (
        line("system", subtype="local_command", content="<local-command-stdout>ok</local-command-stdout>"),
        (S, COMMAND_OUTPUT, "ok"),
    ),
    "side-chain": (user("count the files", isSidechain=True), (U, PROMPT, "count the files")),
}


@pytest.mark.parametrize(("value", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_one_line_one_message(value, expected):
    """Every kind of line that says something is one message with the line's bytes, uuid and time."""
    export = whole(value)
    assert told(export) == [expected]
    message = export.messages[0]
    assert (message.start, message.end) == (0, len(encode(value)))
    assert (message.uuid, message.timestamp) == (value["uuid"], "2026-01-02T03:04:05.678Z")
    assert (export.conversation_id, export.marks, export.warnings) == (SESSION, (), ())


SPANS = {
    "meta": (user("Caveat: The messages below were generated by the user", isMeta=True), "meta"),
    "caveat": (user("<local-command-caveat>Caveat</local-command-caveat>"), "meta"),
    "empty-prompt": (user(" \n"), "empty"),
    "no-blocks": (user([]), "empty"),
    "empty-answer": (assistant(said("")), "empty"),
    "empty-thinking": (assistant({"type": "thinking", "thinking": "", "signature": "x"}), "empty"),
    "empty-output": (printout(""), "empty"),
    "empty-shell": (user("<bash-input></bash-input>"), "empty"),
    "empty-summary": (user("", isCompactSummary=True), "empty"),
    "attachment": (line("attachment", attachment={"type": "file", "filename": "a"}), "attachment"),
    "attachment-of-no-shape": (line("attachment", attachment="x"), "attachment"),
    "queued-shell": (queued("ls", commandMode="bash"), "attachment"),
    "queued-nothing": (queued(None, commandMode="prompt"), "attachment"),
    "turn-duration": (line("system", subtype="turn_duration", durationMs=1), "system"),
    "system-words": (line("system", subtype="local_command", content="hello"), "system"),
    "system-empty-output": (
        line("system", subtype="local_command", content="<local-command-stdout></local-command-stdout>"),
        "empty",
    ),
    "a-copy-of-a-message": (line("api-request-blob", message={"role": "user", "content": "hello"}), "api-request-blob"),
    "sub-agent-progress": (line("progress", data={"message": user("hello")}), "progress"),
    **{name: ({"type": name, "content": "hello", "sessionId": SESSION}, name) for name in sorted(OTHERS)},
}


@pytest.mark.parametrize(("value", "label"), SPANS.values(), ids=SPANS)
def test_one_line_no_message(value, label):
    """A line that says nothing of its own keeps its bytes under a label, without a word of warning."""
    export = whole(user("before"), value, user("after"))
    assert [content for _, _, content in told(export)] == ["before", "after"]
    assert labels(export) == [PROMPT, label, PROMPT]
    assert export.warnings == ()


def test_summary_counts_as_message():
    """A compaction's summary is a message of its own kind and part of the numbers."""
    assert counts(SUMMARY)


def test_compaction():
    """A compaction boundary is a mark where it stands, and its summary follows as a message."""
    boundary = line("system", subtype="compact_boundary", content="Conversation compacted")
    export = whole(user("a"), assistant(said("b")), boundary, user("Before: a", isCompactSummary=True), user("c"))
    assert export.marks == (Mark(COMPACTION, 2),)
    assert [kind for _, kind, _ in told(export)] == [PROMPT, TEXT, SUMMARY, PROMPT]
    assert labels(export)[2] == COMPACTION


def test_several_blocks():
    """The blocks of one line are messages that share its bytes; its span stands once; uuids carry the block's position."""
    value = user([said("look"), said(""), IMAGE])
    export = whole(value)
    assert told(export) == [(U, PROMPT, "look"), (U, PROMPT, [IMAGE])]
    assert [message.uuid for message in export.messages] == [f"{value['uuid']}:0", f"{value['uuid']}:2"]
    assert labels(export) == [PROMPT]


def test_streamed_blocks_are_not_merged():
    """Lines of one API message stay apart, also with another line between them."""
    export = whole(assistant(said("I will read.")), result("42"), assistant(CALL))
    assert [kind for _, kind, _ in told(export)] == [TEXT, TOOL_RESULT, TOOL_CALL]


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        ([command("/export"), printout("Done")], [BOOKKEEPING, BOOKKEEPING]),
        ([command("/export"), user("x", isMeta=True), printout("Done")], [BOOKKEEPING, BOOKKEEPING]),
        ([command("/model"), printout("Set")], [LOCAL_COMMAND, COMMAND_OUTPUT]),
        ([command("/export"), user("next"), printout("Done")], [BOOKKEEPING, PROMPT, COMMAND_OUTPUT]),
        ([command("/export"), command("/model"), printout("Set")], [BOOKKEEPING, LOCAL_COMMAND, COMMAND_OUTPUT]),
        (
            [command("/export"), user("<bash-stdout>a</bash-stdout><bash-stderr></bash-stderr>")],
            [BOOKKEEPING, COMMAND_OUTPUT],
        ),
    ],
    ids=["bookkeeping", "meta-between", "other-command", "turn-between", "command-between", "shell-output"],
)
def test_output_belongs_to_the_command_before(lines, kinds):
    """What a bookkeeping command printed is bookkeeping; what any other command printed is its output."""
    assert [kind for _, kind, _ in told(whole(*lines))] == kinds


def test_written_twice():
    """The same uuid with the same content is one message, the further line a repeat; session and parent do not matter."""
    value = user("hello")
    copy = {**value, "sessionId": "other", "parentUuid": "x"}
    export = whole(value, copy, assistant(said("Hi.")), value)
    assert [content for _, _, content in told(export)] == ["hello", "Hi."]
    assert labels(export) == [PROMPT, "repeated", TEXT, "repeated"]


def test_same_uuid_other_content():
    """The same uuid with other content is a further version: both are messages, and a third line like one of them is a repeat."""
    first = assistant(said("The answer"))
    grown = {**first, "message": {**first["message"], "content": [said("The answer is 42.")]}}
    export = whole(first, grown, first)
    assert [message.content for message in export.messages] == ["The answer", "The answer is 42."]
    assert {message.uuid for message in export.messages} == {first["uuid"]}
    assert labels(export)[2] == "repeated"


def test_boundary_written_twice():
    """A compaction boundary that was written twice is one mark."""
    boundary = line("system", subtype="compact_boundary")
    assert whole(user("a"), boundary, boundary).marks == (Mark(COMPACTION, 1),)


def test_repeats_without_uuid_stay():
    """Lines without a uuid are never repeats: two equal prompts may have been typed."""
    value = {key: item for key, item in user("yes").items() if key != "uuid"}
    export = whole(value, value)
    assert told(export) == [(U, PROMPT, "yes")] * 2
    assert [message.uuid for message in export.messages] == [None, None]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([user("x")], SESSION),
        ([user("x", isSidechain=True, agentId="a1")], f"{SESSION}-agent-a1"),
        ([user("x", isSidechain=True), user("y")], SESSION),
        ([user("x", isSidechain=True, agentId="a1"), user("y")], SESSION),
        ([user("x", sessionId="../../etc")], None),
        ([user("x", sessionId=5)], None),
        ([user("x", isSidechain=True, agentId="a/b")], SESSION),
        ([{"type": "summary", "leafUuid": "u", "sessionId": "of-another"}, user("x")], SESSION),
        ([user("x"), user("y", sessionId="later")], SESSION),
    ],
    ids=[
        "main",
        "sub-agent",
        "old-warm-up",
        "mixed",
        "path",
        "number",
        "agent-path",
        "foreign-summary",
        "two-sessions",
    ],
)
def test_conversation(lines, expected):
    """The first line names the session; a file of side-chain lines with an agent is the agent's; what is no name names nothing."""
    assert whole(*lines).conversation_id == expected


@pytest.mark.parametrize(
    "timestamp", [None, 5, "", "yesterday", "2026-01-02", "2026-01-02T03:04:05.678Z\n", "2026-01-02T03:04\x1b[1m"]
)
def test_malformed_timestamp(timestamp):
    """A time that is none is no time; the message stays."""
    assert [message.timestamp for message in whole(user("x", timestamp=timestamp)).messages] == [None]


# -- types and damage ------------------------------------------------------------------------------------------


def test_unknown_types_are_counted():
    """Unknown types cost one warning each with their count; their lines stay as spans, and nothing fails."""
    odd = [{"type": "novel"}, {"type": "novel", "message": {"content": "x"}}, {"type": 5}, {}, [], 5, "x", None, True]
    export = whole(user("a"), *odd, user("b"))
    assert [content for _, _, content in told(export)] == ["a", "b"]
    assert labels(export) == [PROMPT, *["unknown"] * len(odd), PROMPT]
    assert export.warnings == (
        '2 lines of the unknown type "novel"; their bytes are kept, no message is',
        "7 lines of no type; their bytes are kept, no message is",
    )


def test_many_unknown_types():
    """A file of nothing but unknown types does not flood its reader."""
    export = whole(user("a"), *({"type": f"novel{n}"} for n in range(100)))
    assert len(export.warnings) == 21
    assert export.warnings[-1] == "80 lines of further unknown types"


@pytest.mark.parametrize(
    "value",
    [line("user"), line("user", message="x"), line("assistant", message={"content": 5}), line("user", message={})],
)
def test_message_of_a_wrong_shape(value):
    """A line of a known type without its message is counted like an unknown one."""
    export = whole(user("a"), value)
    assert labels(export) == [PROMPT, "unknown"]
    assert "without its message" in export.warnings[0]


def test_cut_last_line():
    """A last line that was cut is held back without a warning, wherever it was cut, also inside a letter."""
    before, last = encode(user("a")), encode(user("ä🦊"))
    for cut in range(1, len(last) - 1):
        export = whole(before + last[:cut])
        assert told(export) == [(U, PROMPT, "a")]
        assert labels(export) == [PROMPT, "unfinished"]
        assert export.warnings == ()
    assert len(whole(before + last[:-1]).messages) == 2


def test_damaged_lines():
    """Damaged lines cost themselves and one warning with their number and the first of them."""
    data = encode(user("a")) + b'{"type":"user",\n' + encode(user("b")) + b"\0\0\n" + encode(user("c"))
    export = whole(data)
    assert [content for _, _, content in told(export)] == ["a", "b", "c"]
    assert labels(export) == [PROMPT, "damaged", PROMPT, "damaged", PROMPT]
    assert export.warnings == ("2 damaged lines, the first is line 2; their bytes are kept",)


def test_line_after_a_torn_one():
    """Where a client died in the middle of a line, the line that follows on it is read, and only the torn part is damaged."""
    torn = encode(user("lost ä " + "x" * 50))[:-20]
    export = whole(encode(user("a")) + torn + encode(user("b")) + encode(user("c")))
    assert [content for _, _, content in told(export)] == ["a", "b", "c"]
    assert labels(export) == [PROMPT, "damaged", PROMPT, PROMPT]
    assert export.warnings == ("1 damaged line, the first is line 2; their bytes are kept",)


def test_two_objects_on_one_line():
    """Two writers may lose a line feed between them: both objects are read and nothing is damaged."""
    export = whole(encode(user("ä"), end="") + b" \t" + encode(user("b"), end="") + encode(user("c"), end=" \r\n"))
    assert [content for _, _, content in told(export)] == ["ä", "b", "c"]
    assert export.warnings == ()


def test_objects_inside_a_damaged_line_are_no_messages():
    """A copy of a message inside a damaged line stays part of the damage."""
    inner = encode(user("a copy"), end="").decode()
    export = whole(encode(user("a")) + b'{"type":"progress","data":nonsense,"message":' + inner.encode() + b"}\n")
    assert labels(export) == [PROMPT, "damaged"]


@pytest.mark.parametrize(
    "broken",
    [
        b'{"type":"user","message":{"content":[' + b"[" * 5000 + b"]" * 5000 + b"]}}",
        b'{"type":"assistant","message":{"content":[{"type":"tool_use","input":' + b"[" * 200 + b"]" * 200 + b"}]}}",
        b'{"type":"user","message":{"content":[' + b'{"a":' * 100_000,
        b'{"type":"assistant","message":{"content":[{"type":"tool_use","input":{"x":NaN}}]}}',
        b'{"type":"user","message":{"content":"x"},"costUSD":-Infinity}',
    ],
    ids=["deep", "deep-call", "deep-and-cut", "nan", "infinity"],
)
def test_no_json_of_the_client(broken):
    """Nesting that exhausts a reader and numbers that JSON does not have are damage, not a crash."""
    export = whole(encode(user("a")) + broken + b"\n" + encode(user("b")))
    assert [content for _, _, content in told(export)] == ["a", "b"]
    assert labels(export) == [PROMPT, "damaged", PROMPT]


def test_huge_numbers():
    """Numbers past every limit stay as their digits."""
    digits = "9" * 20_000
    raw = '{"type":"assistant","message":{"content":[{"type":"tool_use","input":{"a":%s,"b":1e999}}]}}\n'
    export = whole((raw % digits).encode())
    assert export.messages[0].content == [{"type": "tool_use", "input": {"a": digits, "b": "1e999"}}]


def test_duplicate_keys():
    """The last of two equal keys counts, as for every JSON reader."""
    export = whole(b'{"type":"mode","type":"user","message":{"content":"a","content":"b"}}\n')
    assert told(export) == [(U, PROMPT, "b")]


def test_lone_surrogates_and_foreign_bytes():
    """Escapes without their other half and bytes that are no UTF-8 are carried, hashed and reported, never refused."""
    raw = b'{"type":"user","uuid":"%s","message":{"content":"%s"}}\n'
    export = whole(raw % (b"a", b"\\ud83d") + raw % (b"b", b"\xff\xfe"))
    assert [content for _, _, content in told(export)] == ["\ud83d", "\udcff\udcfe"]
    assert len({fingerprint(message).content_hash for message in export.messages}) == 2
    assert export.warnings == ("the file has bytes that are not UTF-8; they are kept as they are",)


def test_line_ends_are_line_feeds_alone():
    """Separators that other readers split at are letters here; a carriage return before the line feed is white space."""
    odd = "a\u2028b\u2029c\u0085d\x0be\x0cf"
    data = encode(user(odd), user("x"), end="\r\n")
    assert told(whole(data)) == [(U, PROMPT, odd), (U, PROMPT, "x")]


def test_blank_lines_and_byte_order_mark():
    """Blank lines are spans, a byte order mark belongs to the first line."""
    data = b"\xef\xbb\xbf" + encode(user("ä")) + b"\n \r\n" + encode(user("b"))
    export = whole(data)
    assert labels(export) == [PROMPT, "blank", "blank", PROMPT]
    assert transcript.recognises(data, strict=True)
    assert export.warnings == ()


def test_a_line_of_ten_megabytes():
    """A line of ten megabytes is a line."""
    body = "x" * 10_000_000
    export = whole(user("a"), result(body), user("b"))
    assert [len(content) for _, _, content in told(export)] == [1, len(body), 1]


def test_damage_of_ten_megabytes():
    """A damaged line full of what begins an object costs no more than a few looks."""
    export = whole(encode(user("a")) + b'{"type":' * 1_000_000 + b"\n" + encode(user("b")))
    assert labels(export) == [PROMPT, "damaged", PROMPT]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"hello\n", b'{"type":"novel"}\n', b'[{"type":"user"}]\n', b'{"a":1}'])
def test_no_transcript(data):
    """A file without a line of a transcript is refused by name and not recognised."""
    assert not transcript.recognises(data, strict=False)
    with pytest.raises(NotAnExport):
        transcript.parse(data)


# -- recognition -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "strict", "loose"),
    [
        (encode(user("a")), True, True),
        (encode({"type": "mode", "sessionId": SESSION}, line("system"), user("a")), True, True),
        (b"\n" + encode(assistant(said("a"))), True, True),
        (encode({"type": "mode", "sessionId": SESSION}), False, True),
        (encode({"type": "summary", "summary": "x", "leafUuid": "u"}), False, True),
        (b"torn\n" + encode(user("a")), False, True),
        (encode({"kind": "log"}, user("a")), False, True),
        (encode(user("a"))[:-30], False, False),
        (encode({"type": "user", "message": {"content": "x"}, "session_id": "s", "uuid": "u"}), False, False),
        (encode({"display": "x", "project": "p", "sessionId": SESSION}), False, False),
        (encode({"type": "message", "role": "assistant", "content": [said("x")]}), False, False),
        (encode({"role": "user", "content": "x"}), False, False),
        (b"\xff\xfe{\0", False, False),
        (b"> hello\n\n\xe2\x97\x8f Hi.\n", False, False),
    ],
    ids=[
        "prompt",
        "titles-first",
        "blank-first",
        "titles-only",
        "summary-only",
        "torn-first",
        "foreign-first",
        "cut",
        "stream",
        "history",
        "api-answer",
        "api-message",
        "utf-16",
        "text-export",
    ],
)
def test_recognition(data, strict, loose):
    """A prompt or an answer of a session proves a transcript; other people's JSON Lines, streams and histories are none."""
    assert transcript.recognises(data, strict=True) is strict
    assert transcript.recognises(data, strict=False) is loose


def test_recognition_looks_at_a_beginning():
    """A long file of known lines without a conversation is given up on, not read to its end."""
    data = encode({"type": "novel"}) * 3000 + encode(user("a"))
    assert not transcript.recognises(data, strict=False)


# -- commands --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "",
        "hello",
        "<command-name>",
        "<command-name></command-name>",
        "<command-name>/\n</command-name>",
        "<command-message>x</command-message>",
        "x <command-name>/a</command-name>",
    ],
)
def test_no_command(source):
    """Text that only looks like a command's tags is none."""
    assert slash_command(source) is None


def test_old_command_without_slash():
    """Names are written with and without their slash."""
    assert slash_command("<command-name>model</command-name>") == ("/model", False)


def test_output_that_holds_its_own_tags():
    """An output may hold what looks like its own end."""
    inner = "a</bash-stdout>b"
    assert printed(f"<bash-stdout>{inner}</bash-stdout><bash-stderr></bash-stderr>", "bash") == inner


# -- laws ------------------------------------------------------------------------------------------------------

CONVERSATION = [
    user("Wie geht's? 🦊"),
    {"type": "file-history-snapshot", "messageId": "x"},
    assistant({"type": "thinking", "thinking": "", "signature": "s"}),
    assistant(said("Gut.")),
    assistant(CALL),
    result([said("42"), IMAGE]),
    user([said("look"), IMAGE]),
    queued("and then", commandMode="prompt"),
    command("/export", "a.txt"),
    printout("Conversation exported to: a.txt"),
    line("system", subtype="compact_boundary"),
    user("Before", isCompactSummary=True),
    command("/model", "x"),
    user("caveat", isMeta=True),
    printout("Set model"),
    {"type": "novel", "uuid": "n"},
    assistant(said("Ende.")),
]

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_content = (
    st.text()
    | _json
    | st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["text", "thinking", "tool_use", "tool_result", "image", "x"])},
            optional={"text": _json, "thinking": _json, "content": _json, "input": _json},
        )
        | _json,
        max_size=3,
    )
)
_line = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "assistant", "attachment", "system", "summary", "novel"]) | _json},
    optional={
        "message": st.fixed_dictionaries({"content": _content}, optional={"model": _json}) | _json,
        "attachment": st.fixed_dictionaries({"type": st.just("queued_command"), "prompt": _content}) | _json,
        "subtype": st.sampled_from(["compact_boundary", "local_command"]) | _json,
        "content": _content,
        "uuid": st.sampled_from(["u1", "u2"]) | _json,
        "sessionId": st.just(SESSION) | _json,
        "agentId": _json,
        "timestamp": _json,
        "isMeta": _json,
        "isSidechain": _json,
        "isCompactSummary": _json,
        "isApiErrorMessage": _json,
    },
)


def lawful(data):
    """Parse: spans that tile and messages that can be hashed, or an error that has a name."""
    for strict in (True, False):
        assert transcript.recognises(data, strict=strict) in (True, False)
    try:
        export = transcript.parse(data)
    except DedupError:
        return None
    for message in tiled(data, export).messages:
        fingerprint(message)
    return export


@pytest.mark.unmeasured
@given(st.lists(_line, max_size=6), st.sampled_from(["\n", "\r\n", "", " "]))
def test_any_lines(lines, end):
    """Lines of any shape give spans that tile the file, or a named error."""
    lawful("".join(json.dumps(value) + end for value in lines).encode())


@given(
    st.lists(
        st.sampled_from(
            [
                b"{",
                b"}",
                b'"',
                b"\n",
                b"\r",
                b'{"type":"user"',
                b"\xff",
                b"\xef\xbb\xbf",
                b"[",
                b"1",
                encode(user("a")),
                encode(user("b"), end=""),
            ]
        ),
        max_size=30,
    )
)
def test_any_pieces(pieces):
    """Pieces of lines in any order give spans that tile the file, or a named error."""
    lawful(b"".join(pieces))


@given(st.integers(0, 2**32))
def test_mutations(seed):
    """A transcript with bytes changed, cut out or doubled gives spans that tile, and the messages of all untouched lines."""
    chance = random.Random(seed)
    data = bytearray(encode(*CONVERSATION))
    where = chance.randrange(len(data))
    for _ in range(chance.randrange(1, 5)):
        length = chance.randrange(1, 20)
        data[where : where + length] = chance.choice(
            [b"", bytes(data[where : where + length]) * 2, chance.randbytes(length)]
        )
    data = bytes(data)
    export = lawful(data)
    assert export is not None
    first = encode(*CONVERSATION)[:where].count(b"\n")
    untouched = whole(*CONVERSATION[:first]).messages if first else ()
    assert export.messages[: len(untouched)] == untouched


@given(st.lists(st.integers(1, len(CONVERSATION) - 1), max_size=6))
def test_slices(cuts):
    """A transcript read in slices that hand on what they know is the transcript read in one go."""
    expected = whole(*CONVERSATION)
    messages, spans, marks, after, offset = [], [], [], "", 0
    borders = [0, *sorted(set(cuts)), len(CONVERSATION)]
    for first, last in zip(borders, borders[1:]):
        data = encode(*CONVERSATION[first:last])
        part = transcript.parse_slice(data, after)
        marks += [mark.before + len(messages) for mark in part.export.marks]
        messages += [(m.kind, m.content, m.uuid, m.start + offset) for m in part.export.messages]
        spans += [(span.start + offset, span.label) for span in part.export.spans]
        after, offset = part.after, offset + len(data)
    assert messages == [(m.kind, m.content, m.uuid, m.start) for m in expected.messages]
    assert spans == [(span.start, span.label) for span in expected.spans]
    assert marks == [mark.before for mark in expected.marks]


CHAIN = (
    user("first", uuid="a", parentUuid=None),
    assistant(said("one"), uuid="b", parentUuid="a"),
    user("second", uuid="c", parentUuid="b"),
    assistant({"type": "tool_use", "id": "t1", "name": "Read", "input": {}}, uuid="d", parentUuid="c"),
    assistant({"type": "tool_use", "id": "t2", "name": "Read", "input": {}}, uuid="e", parentUuid="d"),
    result("x", uuid="f", parentUuid="d"),
    result("y", uuid="g", parentUuid="e"),
    user("instead of the second", uuid="h", parentUuid="b"),
    assistant(said("two"), uuid="i", parentUuid="h"),
    user("after a compaction", uuid="j", parentUuid=None),
)


@pytest.mark.parametrize("cut", range(len(CHAIN)))
def test_a_rewind_is_marked(cut):
    """A prompt that goes on from an earlier line stands behind a mark; results of parallel calls and compactions do not."""
    head, tail = CHAIN[:cut], CHAIN[cut:]
    first = transcript.parse_slice(encode(*head)) if head else transcript.Slice(Export("", ()), "")
    ids, parents = ({each[key] for each in head} for key in ("uuid", "parentUuid"))
    second = transcript.parse_slice(encode(*tail), first.after, lambda uuid: (uuid in ids, uuid in parents))
    marks = [*first.export.marks, *(Mark(m.kind, m.before + cut) for m in second.export.marks)]
    assert marks == [Mark(REWIND, 7)]


def numbered(number, parent, value):
    """A line whose own id and whose parent's are numbers; ``parentUuid`` stands first, as the client writes it."""
    ids = {"parentUuid": parent and f"00000000-0000-4000-9000-{parent:012d}"}
    return json.dumps({**value, **ids, "uuid": f"00000000-0000-4000-9000-{number:012d}"}, separators=(",", ":")) + "\n"


def test_an_answer_that_stands_before_its_prompt():
    """The client writes lines side by side: a line is read behind its parent; the spans stay in the order of the file."""
    data = (
        json.dumps({"type": "mode", "mode": "normal", "sessionId": SESSION})
        + "\n"
        + numbered(2, 3, assistant(said("It is the moon.")))
        + numbered(1, None, user("What moves the water?"))
        + numbered(3, 1, line("attachment", attachment={"type": "skill_listing"}))
        + numbered(4, 2, user("And how often?"))
    ).encode()
    export = transcript.parse(data)
    assert [message.content for message in export.messages] == [
        "What moves the water?",
        "It is the moon.",
        "And how often?",
    ]
    assert export.marks == ()
    assert [span.start for span in export.spans] == sorted(span.start for span in export.spans)
    assert (export.spans[0].start, export.spans[-1].end) == (0, len(data))


def test_lines_that_name_each_other_as_parents():
    """Circles, which some versions wrote, end, and lines that are no objects are in nobody's way: every message is there once."""
    data = "[]\n{\n" + numbered(1, 2, user("one")) + numbered(2, 1, user("two")) + numbered(3, 3, user("three"))
    assert sorted(m.content for m in transcript.parse(data.encode()).messages) == ["one", "three", "two"]


def test_empty_slice():
    """A slice without a known line is no error: the file as a whole was recognised."""
    export, after = transcript.parse_slice(b"\n", BOOKKEEPING)
    assert (export.messages, labels(export), after) == ((), ["blank"], f"{BOOKKEEPING}/")


# -- the real client -------------------------------------------------------------------------------------------


def _files(corpus):
    patterns = [
        "lab/*/transcript/**/*.jsonl",
        "lab/*/transcripts/**/*.jsonl",
        "lab/pair/*.jsonl",
        "real-transcripts/*.jsonl",
    ]
    found = [path for pattern in patterns for path in sorted(corpus.glob(pattern))]
    assert len(found) > 30
    return found


def _said(data):
    """What a transcript says, read in the plainest way: uuid, type and text blocks of its lines."""
    for raw in data.split(b"\n"):
        value = json.loads(raw) if raw else {}
        message = value.get("message")
        if value.get("type") not in ("user", "assistant") or value.get("isMeta") or value.get("isCompactSummary"):
            continue
        content = message["content"]
        for block in [said(content)] if isinstance(content, str) else content:
            if block["type"] == "text":
                yield value["uuid"], value["type"], block["text"]


def test_real_transcripts(corpus):
    """Real files: recognised, without a warning, their spans tile, every scripted prompt and answer is there by its uuid."""
    prompts = answers = 0
    for path in _files(corpus):
        data = path.read_bytes()
        assert transcript.recognises(data, strict=True), path
        export = whole(data)
        assert (export.warnings, set(labels(export)) & {"unknown", "damaged", "unfinished"}) == ((), set()), path
        agent = path.stem.partition("agent-")[2]
        assert (export.conversation_id or "").endswith(f"-agent-{agent}" if agent else ""), path
        found = {(str(m.uuid)[:36], m.role, m.kind, m.content) for m in export.messages if isinstance(m.content, str)}
        for uuid, type_, words in _said(data):
            if type_ == "user" and "[[" in words and "<task-notification>" not in words:
                assert (uuid, USER, PROMPT, words) in found, path
                prompts += 1
            elif type_ == "assistant":
                said_by_client = words == "No response requested."
                assert (uuid, *((SYSTEM, NOTICE) if said_by_client else (ASSISTANT, TEXT)), words) in found, path
                answers += 1
    assert prompts > 150
    assert answers > 700


def test_queued_prompt_of_the_real_client(corpus):
    """A prompt that was typed while a tool ran is a prompt, although no user line has it."""
    files = (corpus / "lab" / "2.1.197-operations" / "transcripts").glob("*.jsonl")
    prompts = [m.content for path in files for m in whole(path.read_bytes()).messages if m.kind == PROMPT]
    assert "steering message while tool runs" in prompts


def test_pair(corpus):
    """The long sessions have their 172 prompts and 172 replies, and nothing else."""
    for path in sorted((corpus / "lab" / "pair").glob("*.jsonl")):
        kinds = [message.kind for message in whole(path.read_bytes()).messages]
        assert (kinds.count(PROMPT), kinds.count(TEXT), len(kinds)) == (172, 172, 344), path


def test_transcript_and_text_agree(corpus):
    """What the text export shows as prompt, answer or command is the same kind of message in the transcript of the session."""
    compared = 0
    for folder in sorted((corpus / "lab").glob("2.*/transcript")):
        main = [path for path in folder.glob("*.jsonl") if not path.stem.startswith("agent-")]
        export = whole(main[0].read_bytes())
        for shown in text.parse((folder.parent / "pre.txt").read_bytes()).messages:
            # Markdown is drawn as tables and links in the one; another prompt holds marks that a version redraws.
            if shown.content.startswith(("I looked at the project.", "[[same]] look at this paste")):
                continue
            if shown.kind in (PROMPT, TEXT, LOCAL_COMMAND, BOOKKEEPING):
                found = {skeleton(m.content) for m in export.messages if m.kind == shown.kind}
                assert skeleton(shown.content) in found, (folder, shown.content)
                compared += 1
    assert compared > 250
