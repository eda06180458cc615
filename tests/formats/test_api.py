"""Requests and responses of the Anthropic Messages API."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import ExportUnreadable, NotAnExport
from deduplication.formats import api, third_party
from deduplication.formats.api import OTHER, REPEATED, TORN
from deduplication.model import (
    ASSISTANT,
    CONTEXT,
    EXACT,
    NOTICE,
    PROMPT,
    SYSTEM,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    USER,
)

MARK = {"cache_control": {"type": "ephemeral"}}
CALL = {"type": "tool_use", "id": "toolu_01", "name": "Bash", "input": {"command": "ls", "cache_control": "mine"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_01", "content": "a.txt"}


def user(content):
    """One message of the user."""
    return {"role": "user", "content": content}


def assistant(content):
    """One message of the assistant, as a request repeats it."""
    return {"role": "assistant", "content": content}


def text(content, **more):
    """A text block."""
    return {"type": "text", "text": content, **more}


def request(*messages, **more):
    """A request with these messages."""
    return {"model": "claude-sonnet-4", "max_tokens": 64, **more, "messages": list(messages)}


def response(identity, *blocks, **more):
    """A response with these blocks."""
    usage = {"usage": {"output_tokens": 1}, "stop_reason": "end_turn"}
    return {"id": identity, "type": "message", "role": "assistant", "content": list(blocks), **usage, **more}


def lines(*records):
    """JSON Lines."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def whole(data):
    """The parsed file, after proving that its spans are the file and that messages lie in their spans."""
    export = api.parse(data)
    assert b"".join(data[span.start : span.end] for span in export.spans) == data
    where = {(span.start, span.end, span.label) for span in export.spans}
    assert all((message.start, message.end, message.kind) in where for message in export.messages)
    assert all(message.fidelity == EXACT for message in export.messages)
    return export


def said(export):
    """Role and content of every message."""
    return [(message.role, message.content) for message in export.messages]


def labels(export, label):
    """How many spans have a label."""
    return sum(span.label == label for span in export.spans)


LOG = (
    request(user("one"), system="Be kind."),
    response("msg_01", text("first")),
    request(user([text("one", **MARK)]), assistant([text("first")]), user("yes"), system=[text("Be kind.")]),
    response("msg_02", text("second")),
    request(user("one"), assistant("first"), user("yes"), assistant("second"), user("yes"), system="Be kind."),
)
SPOKEN = [
    (SYSTEM, "Be kind."),
    (USER, "one"),
    (ASSISTANT, "first"),
    (USER, "yes"),
    (ASSISTANT, "second"),
    (USER, "yes"),
]


def paired(*records):
    """The log as pairs of a request and its response; the last request has none."""
    pairs = [{"request": asked, "response": answered} for asked, answered in zip(records[::2], records[1::2])]
    return [*pairs, {"request": records[-1], "response": None}]


LOG_FORMS = {
    "lines": lines(*LOG),
    "array": json.dumps(LOG).encode(),
    "indented array with a mark": json.dumps(LOG, indent=2).replace("\n", "\r\n").encode("utf-8-sig"),
    "pairs": lines(*paired(*LOG)),
    "pairs with bodies": lines(
        *({key: {"status": 200, "body": body} for key, body in pair.items()} for pair in paired(*LOG))
    ),
    "one after another, indented": b"\n".join(json.dumps(record, indent=1).encode() for record in LOG),
    "UTF-16": lines(*LOG).decode().encode("utf-16"),
}


@pytest.mark.parametrize("data", LOG_FORMS.values(), ids=LOG_FORMS.keys())
def test_a_log_says_each_message_once(data):
    """However the log is written: every turn once, in order, both "yes" kept, all other bytes labelled as repeated."""
    assert api.recognises(data, strict=True)
    assert not third_party.recognises(data, strict=True)
    export = whole(data)
    assert said(export) == SPOKEN
    assert labels(export, REPEATED) == 1 + 2 + 1 + 4
    assert not export.warnings


def test_the_blocks_of_a_response_carry_its_id_and_their_position():
    """``uuid`` is message id, colon, ordinal; calls and results keep their ids in their content."""
    data = lines(
        request(user("list")),
        response("msg_01", {"type": "thinking", "thinking": "hm", "signature": "s"}, text("I look"), CALL),
        request(
            user("list"), assistant([text("I look"), {**CALL, **MARK}]), user([{**RESULT, **MARK}, text("and now?")])
        ),
    )
    export = whole(data)
    assert [(message.role, message.kind, message.uuid) for message in export.messages] == [
        (USER, PROMPT, None),
        (ASSISTANT, THINKING, "msg_01:0"),
        (ASSISTANT, TEXT, "msg_01:1"),
        (ASSISTANT, TOOL_CALL, "msg_01:2"),
        (SYSTEM, TOOL_RESULT, None),
        (USER, PROMPT, None),
    ]
    assert [export.messages[3].content, export.messages[4].content] == [[CALL], [RESULT]]
    assert json.loads(data[export.messages[2].start : export.messages[2].end]) == text("I look")


def test_a_lone_request_has_its_system_prompt_and_history():
    """System prompt first (kind text), then every message; tools are no messages."""
    tools = [{"name": "Bash", "input_schema": {"type": "object"}}]
    export = whole(lines(request(user("x"), assistant("y"), tools=tools, system=[text("A"), text("B", **MARK)])))
    assert said(export) == [(SYSTEM, "A"), (SYSTEM, "B"), (USER, "x"), (ASSISTANT, "y")]
    assert [message.kind for message in export.messages] == [TEXT, TEXT, PROMPT, TEXT]


def test_a_changed_system_prompt_is_said_again_only_where_it_changed():
    """A system prompt in blocks yields only the block that no request had before."""
    data = lines(request(user("x"), system=[text("A"), text("1")]), request(user("x"), system=[text("A"), text("2")]))
    assert said(whole(data)) == [(SYSTEM, "A"), (SYSTEM, "1"), (USER, "x"), (SYSTEM, "2")]


def test_alternating_conversations_are_told_apart():
    """Requests of two conversations in turn repeat nothing of each other, and the log says that there are two."""
    one, two = [user("first topic"), assistant("aa"), user("ok")], [user("second topic"), assistant("bb"), user("ok")]
    export = whole(lines(request(*one[:1]), request(*two[:1]), request(*one), request(*two)))
    assert [content for _, content in said(export)] == ["first topic", "second topic", "aa", "ok", "bb", "ok"]
    assert export.warnings == ("the log holds 2 conversations that begin differently",)


def test_an_edited_branch_keeps_both_sides():
    """A prompt written anew after a rewind, with an equal short turn behind it, is all new from the edit on."""
    old = [user("start"), assistant("a"), user("left"), assistant("b"), user("yes"), assistant("c")]
    new = [user("start"), assistant("a"), user("right"), assistant("d"), user("yes")]
    export = whole(lines(request(*old), request(*new)))
    assert [content for _, content in said(export)] == ["start", "a", "left", "b", "yes", "c", "right", "d", "yes"]


def test_a_history_edited_in_place_is_not_said_again():
    """A client that empties an old tool result repeats the rest; only the emptied version is new."""
    old = [user("start"), assistant([CALL]), user([RESULT]), assistant("done"), user("more")]
    emptied = {**RESULT, "content": "[cleared]"}
    new = [*old[:2], user([emptied]), *old[3:], assistant("again"), user("thanks")]
    export = whole(lines(request(*old), request(*new)))
    contents = [content for _, content in said(export)]
    assert contents == ["start", [CALL], [RESULT], "done", "more", [emptied], "again", "thanks"]


NOT_IN_PLACE = {
    "little stands still": (["start", "a", "left", "b", "yes"], ["start", "c", "right", "d", "yes", "e"], 1),
    "the last does not stand": (["start", "a", "b", "c", "d", "left"], ["start", "x", "b", "c", "d", "right", "e"], 1),
    "it is shorter": (["start", "a", "b", "c", "d"], ["start", "x", "b", "c"], 1),
}


@pytest.mark.parametrize(("old", "new", "shared"), NOT_IN_PLACE.values(), ids=NOT_IN_PLACE.keys())
def test_in_doubt_a_turn_is_said_again_rather_than_lost(old, new, shared):
    """Equal turns behind a change are the same turns only where the request plainly carries the earlier one on."""
    export = whole(lines(request(*map(user, old)), request(*map(user, new))))
    assert [content for _, content in said(export)] == old + new[shared:]


def test_a_response_stands_for_one_answer_of_the_history():
    """Two equal answers of which the log has one response are two messages."""
    history = [user("q"), assistant("OK."), user("r"), assistant("OK."), user("s")]
    export = whole(lines(request(user("q")), response("msg_01", text("OK.")), request(*history)))
    assert [message.uuid for message in export.messages if message.content == "OK."] == ["msg_01:0", None]


def test_reminders_of_the_client_are_context_and_change_nothing():
    """What the client slips into a user's turn is no prompt; the turn without it is the same turn."""
    reminder = "<system-reminder>\nbe careful\n</system-reminder>"
    first = request(user([text(reminder), text("hello")]))
    second = request(user([text("hello")]), assistant("hi"), user(f"{reminder}bye"))
    export = whole(lines(first, second))
    assert said(export) == [(SYSTEM, reminder), (USER, "hello"), (ASSISTANT, "hi"), (USER, f"{reminder}bye")]
    assert export.messages[0].kind == CONTEXT


def test_an_unclosed_reminder_is_the_users_text():
    """Only a whole reminder is the client's; many openings without an end take no longer than one."""
    open_ones = "<system-reminder>" * 50_000
    assert said(whole(lines(request(user(open_ones))))) == [(USER, open_ones)]


def test_a_response_logged_twice_is_one_message():
    """The same id with the same content is the same response; the same short text under another id is not."""
    data = lines(response("msg_01", text("OK.")), response("msg_01", text("OK.")), response("msg_02", text("OK.")))
    export = whole(data)
    assert [message.uuid for message in export.messages] == ["msg_01:0", "msg_02:0"]
    assert labels(export, REPEATED) == 1
    assert len(whole(lines(*[{**response("", text("OK.")), "id": None}] * 2)).messages) == 2


def test_batch_requests_and_results():
    """Each line of a batch is its request or its message; a failure is a notice with its JSON."""
    failed = {"type": "errored", "error": {"type": "error", "error": {"type": "overloaded_error"}}}
    data = lines(
        {"custom_id": "a", "params": request(user("q"))},
        {"custom_id": "a", "result": {"type": "succeeded", "message": response("msg_01", text("r"))}},
        {"custom_id": "b", "result": failed},
    )
    assert api.recognises(data, strict=True)
    export = whole(data)
    assert said(export)[:2] == [(USER, "q"), (ASSISTANT, "r")]
    assert (export.messages[2].kind, json.loads(export.messages[2].content)) == (NOTICE, failed)


def test_a_pair_whose_answer_is_an_error_keeps_it():
    """An error instead of a message is said by the client."""
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
    export = whole(lines({"request": request(user("q")), "response": error}))
    assert (export.messages[1].kind, json.loads(export.messages[1].content)) == (NOTICE, error)


def test_a_response_before_its_request_in_the_file_stands_first():
    """Messages stand in the order of the file, whatever the order of keys."""
    pair = {
        "response": response("msg_01", text("a")),
        "request": request(user("q")),
        "timestamp": "2025-01-01T00:00:00Z",
    }
    export = whole(lines(pair))
    assert [(message.content, message.timestamp) for message in export.messages] == [
        ("a", "2025-01-01T00:00:00Z"),
        ("q", None),
    ]


SESSION = "7f19d31c-b0c2-449d-b350-6c334e965e0f"
OTHER_SESSION = "00000000-b0c2-449d-b350-6c334e965e0f"
USER_IDS = {
    "one session": ([f"user_ab_account__session_{SESSION}"] * 2, SESSION),
    "as JSON": ([json.dumps({"device_id": "d", "session_id": SESSION})], SESSION),
    "two sessions": ([f"user_ab_account__session_{SESSION}", f"user_ab_account__session_{OTHER_SESSION}"], None),
    "a path": (["user_session_../../etc"], None),
    "a number": ([5], None),
}


@pytest.mark.parametrize(("ids", "session"), USER_IDS.values(), ids=USER_IDS.keys())
def test_the_session_is_the_one_all_requests_name(ids, session):
    """The conversation is named by its session's UUID, and by nothing that only looks like one."""
    data = lines(*(request(user("q"), metadata={"user_id": user_id}) for user_id in ids))
    assert whole(data).conversation_id == session


WRONG_MESSAGES = {
    "a number": 5,
    "no content": {"role": "user"},
    "content null": user(None),
    "unknown role": {"role": "narrator", "content": "x"},
}


@pytest.mark.parametrize("wrong", WRONG_MESSAGES.values(), ids=WRONG_MESSAGES.keys())
def test_a_message_of_a_wrong_shape_is_kept_as_it_is(wrong):
    """It becomes a notice with its own JSON and a warning; its neighbours are read."""
    export = whole(lines(request(user("a"), wrong, user("b"))))
    assert [message.kind for message in export.messages] == [PROMPT, NOTICE, PROMPT]
    assert json.loads(export.messages[1].content) == wrong
    assert export.warnings[0].startswith("line 1: a message")


def test_odd_blocks_and_empty_contents_are_kept():
    """A null among blocks, in the system prompt and in a response is a notice; an empty content is an empty message."""
    data = lines(
        request(user([text("a"), None]), assistant([]), system=[None]),
        response("msg_01", text("b"), None),
        request(user("x"), system={"type": "text", "text": "S"}),
    )
    export = whole(data)
    assert [(message.kind, message.content) for message in export.messages] == [
        (NOTICE, "null"),
        (PROMPT, "a"),
        (NOTICE, "null"),
        (TEXT, ""),
        (TEXT, "b"),
        (NOTICE, "null"),
        (TEXT, "S"),
        (PROMPT, "x"),
    ]
    assert len(export.warnings) == 4


def test_a_cut_last_line_waits_for_the_next_export():
    """A log read while it grows: the cut line is no message, its bytes are labelled, the user is told."""
    data = lines(*LOG)[:-40]
    export = whole(data)
    assert said(export) == SPOKEN[:-1]
    assert labels(export, TORN) == 1
    assert export.warnings == ("line 5, the last, is cut; its bytes are kept, no message is",)


def test_a_broken_line_costs_only_itself():
    """It is kept as a notice with a warning, the lines behind it are read."""
    export = whole(lines(LOG[0]) + b'{"broken": \n' + lines(*LOG[1:]))
    assert [message.content for message in export.messages if message.kind == NOTICE] == ['{"broken": ']
    assert [turn for turn in said(export) if turn in SPOKEN] == SPOKEN
    assert export.warnings == ("line 2 is broken; kept as it is",)


def test_too_many_broken_lines_are_a_broken_file():
    """A file that is mostly damage is refused by name instead of becoming thousands of notices."""
    with pytest.raises(ExportUnreadable):
        api.parse(lines(LOG[0]) + b"{\n" * 500)


def test_values_that_are_no_records_are_counted_and_labelled():
    """Other lines of a log keep their bytes under a label of their own."""
    export = whole(lines(LOG[0], {"event": "ping"}, 5))
    assert labels(export, OTHER) == 2
    assert export.warnings == ("2 values are neither request nor response; their bytes are kept, no message is",)


def test_what_is_no_record_is_not_an_export():
    """Handed over all the same, it is named."""
    with pytest.raises(NotAnExport):
        api.parse(b'{"a": 1}')
    with pytest.raises(ExportUnreadable, match="line 1, column 2"):
        api.parse(b"{")


SAMPLE = response("msg_01", text("x"))
NO_API = {
    "transcript": {"type": "assistant", "sessionId": "s", "uuid": "u", "parentUuid": None, "message": SAMPLE},
    "event stream": {"type": "assistant", "session_id": "s", "uuid": "u", "message": SAMPLE},
    "event stream, flattened": {**SAMPLE, "session_id": "s"},
    "partial event": {"type": "stream_event", "session_id": "s", "event": {"type": "message_start", "message": SAMPLE}},
    "official export": [{"uuid": "u", "chat_messages": [{"sender": "assistant", "text": "x"}]}],
    "third party": {"exported_at": "x", "messages": [{"index": 0, "role": "assistant", "content": "x"}]},
    "third party with a model": {
        "model": "m",
        "max_tokens": 1,
        "messages": [{"index": 0, "role": "user", "content": "x"}],
    },
    "team chat": [{"type": "message", "user": "U1", "text": "max_tokens", "ts": "1.2"}],
    "model list": {"model": "claude", "max_tokens": 8192, "description": "x"},
    "settings": {"editor": {"max_tokens": 5}, "messages": ["a"]},
    "one record in many values": [SAMPLE, 1, 2],
    "empty list": [],
}


@pytest.mark.parametrize("value", NO_API.values(), ids=NO_API.keys())
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "named"])
def test_other_json_is_not_claimed(value, strict):
    """Transcripts, event streams, official exports and settings are left alone, even where a person named the file."""
    assert not api.recognises(lines(value), strict=strict)


ONLY_WHEN_NAMED = {
    "first question of somebody's test": request(user("Hello")),
    "another maker's request": {**request(user("x"), assistant("y")), "model": "gpt-4"},
    "a response without an id": {**SAMPLE, "id": None},
}


@pytest.mark.parametrize("value", ONLY_WHEN_NAMED.values(), ids=ONLY_WHEN_NAMED.keys())
def test_what_may_belong_to_a_project_is_claimed_only_when_named(value):
    """A found file must prove a conversation with Claude, because it will be moved to the archive."""
    assert api.recognises(lines(value), strict=False)
    assert not api.recognises(lines(value), strict=True)


def test_a_cut_request_is_claimed_when_named():
    """Its owner hears that it is broken, not that it is no export; what is left of a transcript stays unclaimed."""
    cut = lines(LOG[0])[:-9]
    assert api.recognises(cut, strict=False)
    assert not api.recognises(cut.replace(b'"model"', b'"sessionId"'), strict=False)
    with pytest.raises(ExportUnreadable):
        api.parse(cut)


def test_recognising_never_fails():
    """Broken, cut and deep files are answered, not raised."""
    for data in (b"{", b"\xff\xfe{", b'{"max_tokens":' + b"[" * 100_000, b'{"custom_id": NaN}', lines(LOG[0])[:-9]):
        assert api.recognises(data, strict=True) is False
    assert api.recognises(lines(*LOG)[:-9], strict=True)


@pytest.mark.unmeasured
@given(st.lists(st.tuples(st.sampled_from(["yes", "ok", "a", "b"]), st.sampled_from(["OK.", "done", "c"])), max_size=8))
def test_a_conversation_is_the_same_however_often_it_was_sent(turns):
    """A log of every request and response, of requests only, and the last request alone give the same turns."""
    history, both, requests = [], [], []
    for number, (asked, answered) in enumerate(turns):
        history.append(user(asked))
        both += [request(*history), response(f"msg_{number}", text(answered))]
        history.append(assistant([text(answered, **MARK)]))
        requests.append(request(*history))
    expected = [turn for asked, answered in turns for turn in ((USER, asked), (ASSISTANT, answered))]
    for records in (both, requests, requests[-1:], both + requests[-1:]):
        if records:
            assert said(whole(lines(*records))) == expected
