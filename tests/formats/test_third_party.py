"""Conversations that browser exporters and scripts wrote as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deduplication.errors import DedupError, ExportUnreadable, NotAnExport
from deduplication.formats import api, third_party
from deduplication.model import ASSISTANT, EXACT, PROMPT, SYSTEM, TEXT, THINKING, TOOL_CALL, TOOL_RESULT, UNKNOWN, USER

ROLE_NAMES = {
    "user": USER,
    "human": USER,
    "prompt": USER,
    "Human": USER,
    "assistant": ASSISTANT,
    "response": ASSISTANT,
    "model": ASSISTANT,
    "claude": ASSISTANT,
    "system": SYSTEM,
}


def whole(data):
    """The parsed file, after proving that its spans are the file and that messages lie in their spans."""
    export = third_party.parse(data)
    assert b"".join(data[span.start : span.end] for span in export.spans) == data
    assert all(span.start < span.end for span in export.spans)
    where = {(span.start, span.end, span.label) for span in export.spans}
    assert all((message.start, message.end, message.kind) in where for message in export.messages)
    assert all(message.fidelity == EXACT for message in export.messages)
    return export


def dump(value):
    """A value as the bytes of a file."""
    return json.dumps(value, ensure_ascii=False).encode()


def one(element):
    """The only message of a file with this element."""
    (message,) = whole(dump({"messages": [element]})).messages
    return message


EXPORTER_SAMPLE = """\ufeff{
  "meta": {"exported_at": "2024-03-19 16:03:09", "title": "Größe",},
  "chats": [
    {"index": 0, "type": "prompt", "message": ["What, is [this,]?"],},
    {"index": 1, "type": "response", "message": [
      {"type": "p", "data": "Two lists:"},
      {"type": "ol", "data": [{"type": "li", "data": "a"}, {"type": "li", "data": "b"}]},
      {"type": "ul", "data": [{"type": "li", "data": "c\\nd"}]},
      {"type": "pre", "language": "python", "data": "print(1)"},
      {"type": "table", "data": [
        {"type": "thead", "data": [{"type": "tr", "data": [{"type": "th", "data": "k"}, {"type": "th", "data": "v"}]}]},
        {"type": "tbody", "data": [{"type": "tr", "data": [{"type": "td", "data": "a|b"}, {"type": "td", "data": "1"}]}]}
      ]},
      {"type": "details", "summary": 1},
    ]},
  ]
}
""".replace("\n", "\r\n").encode()


def test_the_browser_exporter_with_trailing_commas_mark_and_crlf():
    """The exporter's own shape, as its documentation prints it, is read into one readable text a message."""
    assert third_party.recognises(EXPORTER_SAMPLE, strict=True)
    export = whole(EXPORTER_SAMPLE)
    assert [(message.role, message.kind, message.source_index) for message in export.messages] == [
        (USER, PROMPT, 0),
        (ASSISTANT, TEXT, 1),
    ]
    assert export.messages[0].content == "What, is [this,]?"
    assert export.messages[1].content == (
        "Two lists:\n\n1. a\n2. b\n\n- c\n  d\n\n```python\nprint(1)\n```\n\n"
        '| k | v |\n| --- | --- |\n| a\\|b | 1 |\n\n{"type": "details", "summary": 1}'
    )
    assert not export.warnings


RICH = {
    "heading": ({"type": "h2", "data": "Title"}, "## Title"),
    "quote": ({"type": "blockquote", "data": "a\nb"}, "> a\n> b"),
    "code with a fence in it": ({"type": "pre", "data": "```\nx"}, "````\n```\nx\n````"),
    "nested paragraph": ({"type": "div", "data": [{"type": "p", "data": "a"}, "b"]}, "a\n\nb"),
    "unknown with text": ({"type": "aside", "data": "kept"}, "kept"),
    "unknown with children": ({"type": "aside", "data": [1]}, '{"type": "aside", "data": [1]}'),
    "a number": (7, "7"),
    "rows without sections": (
        {"type": "table", "data": [["a", "b"], ["1", "2"]]},
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
    ),
    "empty table": ({"type": "table", "data": []}, ""),
}


@pytest.mark.parametrize(("block", "text"), RICH.values(), ids=RICH.keys())
def test_every_block_of_a_browser_exporter_leaves_text(block, text):
    """Known blocks become readable text, unknown ones keep their text or their JSON."""
    assert one({"index": 0, "type": "response", "message": [block]}).content == text


def element(role, text, index, *, role_key="role", content_key="content"):
    """One message in the flat shape."""
    return {"index": index, role_key: role, content_key: text}


turns = st.lists(st.tuples(st.sampled_from(sorted(ROLE_NAMES)), st.text()), max_size=8)


@st.composite
def conversations(draw):
    """A conversation in one of the shapes, with what must come out of it."""
    said = draw(turns)
    role_key = draw(st.sampled_from(["role", "type", "sender"]))
    content_key = draw(st.sampled_from(["content", "message", "text"]))
    wrap = draw(
        st.sampled_from([lambda text: text, lambda text: [text], lambda text: [{"type": "text", "text": text}]])
    )
    listed = [
        element(role, wrap(text), index, role_key=role_key, content_key=content_key)
        for index, (role, text) in enumerate(said)
    ]
    shape = draw(st.sampled_from(["chats", "flat", "messages", "bare"]))
    value = {
        "chats": {"meta": {"exported_at": "2024-03-19 16:03:09", "title": "T"}, "chats": listed},
        "flat": {"exported_at": "2025-11-17T10:30:00Z", "title": "T", "messages": listed},
        "messages": {"messages": listed},
        "bare": listed,
    }[shape]
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 2])))
    return value, text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))), said


@given(conversations())
def test_every_shape_gives_the_turns_in_order(drawn):
    """Roles, texts and indexes come out as they went in, from bytes and from objects, and the spans are the file."""
    value, data, said = drawn
    export = whole(data)
    expected = [(ROLE_NAMES[role], text, index) for index, (role, text) in enumerate(said)]
    assert [(message.role, message.content, message.source_index) for message in export.messages] == expected
    assert third_party.recognises(data, strict=True) or not said
    objects = third_party.messages_from_object(value)
    assert [(message.role, message.content, message.source_index) for message in objects] == expected
    assert all((message.start, message.end) == (-1, -1) for message in objects)


def test_each_block_of_a_message_is_a_message_with_its_own_bytes():
    """Thinking, text, a call and its result are four messages; each one's bytes are the block's."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a.txt"}
    data = dump(
        [
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "I look"}, call],
            },
            {"role": "user", "content": [result, {"type": "image", "source": {}}, "typed"]},
        ]
    )
    export = whole(data)
    assert [(message.role, message.kind) for message in export.messages] == [
        (ASSISTANT, THINKING),
        (ASSISTANT, TEXT),
        (ASSISTANT, TOOL_CALL),
        (SYSTEM, TOOL_RESULT),
        (USER, PROMPT),
        (USER, PROMPT),
    ]
    assert [export.messages[2].content, export.messages[3].content] == [[call], [result]]
    assert json.loads(data[export.messages[2].start : export.messages[2].end]) == call
    assert (export.messages[1].content, export.messages[5].content) == ("I look", "typed")


def test_ids_count_only_where_they_are_unique_everywhere():
    """A UUID or a long random id is an identity; a counter is none, because every export has one like it."""
    uuid = "5551eb71-0b3a-4c1e-9c2f-0123456789ab"
    assert one({"role": "user", "content": "x", "uuid": uuid, "timestamp": "2025-01-01T00:00:00Z"}).uuid == uuid
    assert (
        one({"role": "user", "content": "x", "created_at": "2025-01-01T00:00:00Z"}).timestamp == "2025-01-01T00:00:00Z"
    )
    assert (
        one({"role": "user", "content": "x", "id": "msg_01AbCdEfGhIjKlMnOpQrStUv"}).uuid
        == "msg_01AbCdEfGhIjKlMnOpQrStUv"
    )
    assert one({"role": "user", "content": [{"type": "text", "text": "x"}], "id": uuid}).uuid == f"{uuid}:0"
    assert one({"role": "user", "content": "x", "id": "message-3"}).uuid is None
    assert one({"role": "user", "content": "x", "id": 3, "timestamp": 1700000000}).timestamp is None


def test_a_wrapped_message_is_unwrapped():
    """``{"type", "message": {"role", "content"}}`` has the inner role and the inner blocks."""
    wrapped = {"type": "entry", "message": {"role": "assistant", "content": [{"type": "text", "text": "a"}, "b"]}}
    export = whole(dump({"messages": [wrapped]}))
    assert [(message.role, message.content) for message in export.messages] == [(ASSISTANT, "a"), (ASSISTANT, "b")]


def test_the_fuller_of_two_contents_is_taken():
    """An empty content beside a text does not hide the text; an empty text alone is an empty message."""
    assert one({"sender": "human", "content": [], "text": "here"}).content == "here"
    assert one({"sender": "human", "text": ""}).content == ""


INDEXES = {
    "negative": (-5, -5, 0),
    "huge": (10**40, 10**40, 0),
    "absent": (None, None, 0),
    "text": ("3", None, 1),
    "fraction": (1.5, None, 1),
    "boolean": (True, None, 1),
    "list": ([1], None, 1),
}


@pytest.mark.parametrize(("index", "kept", "warned"), INDEXES.values(), ids=INDEXES.keys())
def test_an_index_is_kept_where_it_is_a_whole_number(index, kept, warned):
    """Any whole number is the export's own index; anything else is none, with a warning, and the message stays."""
    export = whole(dump({"messages": [{"index": index, "role": "user", "content": "x"}]}))
    assert [message.source_index for message in export.messages] == [kept]
    assert len(export.warnings) == warned


WRONG_SHAPES = {
    "a number": 5,
    "null": None,
    "a text": "hi",
    "a list": [1],
    "no role": {"content": "x"},
    "unknown role": {"role": "narrator", "content": "x"},
    "role is a list": {"role": ["user"], "content": "x"},
    "no content": {"role": "user"},
    "content null": {"role": "user", "content": None},
    "content a number": {"role": "user", "content": 3},
    "empty object": {},
}


@pytest.mark.parametrize("wrong", WRONG_SHAPES.values(), ids=WRONG_SHAPES.keys())
def test_a_message_of_a_wrong_shape_is_kept_as_it_is(wrong):
    """It becomes a notice with its own JSON, between its neighbours, and the user is warned."""
    right = {"role": "user", "content": "ok"}
    export = whole(dump({"messages": [right, wrong, right]}))
    assert [message.kind for message in export.messages] == [PROMPT, UNKNOWN, PROMPT]
    assert (export.messages[1].role, json.loads(export.messages[1].content)) == (SYSTEM, wrong)
    assert export.warnings[0].startswith("message 2 (line 1)")


def test_a_block_of_a_wrong_shape_is_kept_as_it_is():
    """A null between blocks costs neither itself nor its neighbours."""
    export = whole(dump({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, None]}]}))
    assert [(message.kind, message.content) for message in export.messages] == [(PROMPT, "a"), (UNKNOWN, "null")]
    assert len(export.warnings) == 1


def test_thousands_of_wrong_messages_do_not_fill_the_screen():
    """Warnings are shown up to a number; the last one says how many more there are."""
    export = whole(dump({"messages": [None] * 1000}))
    assert len(export.messages) == 1000
    assert len(export.warnings) == 21
    assert export.warnings[-1] == "980 more messages with a wrong shape"


def test_lone_surrogates_duplicate_keys_and_foreign_bytes_are_tolerated():
    """They are read as every JSON reader does; bytes that are no UTF-8 bring a warning."""
    export = whole(b'{"messages": [{"role": "user", "role": "assistant", "content": "a \\ud83d \xff"}]}')
    assert [(message.role, message.content) for message in export.messages] == [(ASSISTANT, "a \ud83d \udcff")]
    assert "not UTF-8" in export.warnings[0]


def test_an_empty_conversation_is_an_export():
    """No message is a number of messages."""
    assert whole(b'{"exported_at": "x", "messages": []}').messages == ()
    assert third_party.recognises(b'{"exported_at": "x", "messages": []}', strict=True)
    assert third_party.recognises(b'{"messages": []}', strict=False)


UNREADABLE = {
    "cut": b'{"exported_at": "x", "messages": [{"role": "user", "content": "abc',
    "two values": b'{"messages": [{"role": "user", "content": "x"}]}\n{"messages": []}',
    "not a number": b'{"messages": [{"role": "user", "content": "x", "index": NaN}]}',
    "deep": b'{"messages": [{"role": "user", "content": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    "zeros at the end": b'{"messages": [{"role": "user", "content": "x"}]}\0\0',
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_broken_export_is_claimed_and_named(data):
    """Its owner hears that it is broken and where, not that it is no export."""
    assert third_party.recognises(data, strict=False)
    with pytest.raises(ExportUnreadable, match=r"line \d+, column \d+"):
        third_party.parse(data)


NO_CONVERSATION = {
    "package.json": {"name": "x", "version": "1.0.0", "type": "module", "scripts": {"test": "jest"}},
    "tsconfig": {"compilerOptions": {"strict": True}, "include": ["src"]},
    "editor settings": {"editor.tabSize": 2, "chat.messages": [], "text": "role"},
    "translations as list": {"messages": ["Hello", "Bye"], "type": "i18n"},
    "translations as object": {"messages": {"hello": "Hello", "role": "Role"}},
    "coverage": {"meta": {"version": "7.0"}, "files": {"a.py": {"executed_lines": [1], "type": "x"}}},
    "linter": [{"filePath": "a.js", "messages": [{"ruleId": "x", "severity": 2, "message": "no", "type": "Error"}]}],
    "team chat": [{"type": "message", "user": "U1", "text": "hi", "ts": "1.2"}],
    "messenger": {"name": "A", "type": "personal_chat", "messages": [{"id": 1, "type": "message", "text": "hi"}]},
    "shop": [{"index": 0, "type": "product", "text": "a shoe"}],
    "official export": [{"uuid": "u", "name": "n", "chat_messages": [{"sender": "human", "text": "x", "index": 0}]}],
    "official conversation": {"uuid": "u", "chat_messages": [{"sender": "human", "text": "x"}], "messages": []},
    "other chat": {"title": "t", "mapping": {"a": {"message": {"author": {"role": "user"}}}}, "messages": []},
    "transcript as list": [{"type": "user", "sessionId": "s", "message": {"role": "user", "content": "x"}, "index": 0}],
    "event stream as list": [{"type": "assistant", "session_id": "s", "message": {"role": "assistant", "content": []}}],
    "transcript line": {"type": "user", "sessionId": "s", "message": {"role": "user", "content": "x"}},
    "result object": {"type": "result", "subtype": "success", "result": "x", "session_id": "s"},
    "api request": {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
    "api response": {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "x"}]},
    "api responses": [
        {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "x"}]}
    ],
    "number": 5,
    "empty list": [],
    "empty object": {},
}


@pytest.mark.parametrize("value", NO_CONVERSATION.values(), ids=NO_CONVERSATION.keys())
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "named"])
def test_other_json_is_not_claimed(value, strict):
    """JSON that is something else is left alone, even where a person named the file."""
    assert not third_party.recognises(dump(value), strict=strict)


ONLY_WHEN_NAMED = {
    "prompt template": {
        "messages": [{"role": "system", "content": "You are"}, {"role": "user", "content": "{question}"}]
    },
    "bare list": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
    "half an index": {"messages": [{"role": "user", "content": "x", "index": 0}, {"role": "user", "content": "x"}]},
    "empty": {"messages": []},
    "no roles but indexes": {"messages": [{"index": 0, "content": "x"}]},
}


@pytest.mark.parametrize("value", ONLY_WHEN_NAMED.values(), ids=ONLY_WHEN_NAMED.keys())
def test_a_prompt_file_of_a_project_is_claimed_only_when_named(value):
    """A found file must carry an exporter's own signs, because it will be moved to the archive."""
    assert third_party.recognises(dump(value), strict=False)
    assert not third_party.recognises(dump(value), strict=True)


def test_a_cut_export_is_found_by_what_is_left_of_it():
    """Strictly only with an exporter's sign; never what is left of another format."""
    signed = b'{"exported_at": "2025", "messages": [{"type": "prompt", "message": "x'
    assert third_party.recognises(signed, strict=True)
    assert not third_party.recognises(signed.replace(b'"exported_at": "2025", ', b""), strict=True)
    assert not third_party.recognises(b'{"model": "m", "max_tokens": 1, ' + signed[1:], strict=False)
    assert not third_party.recognises(b'{"messages": ["Hello', strict=False)
    assert not third_party.recognises(b"\xff\xfe{", strict=False)


def test_json_without_messages_is_not_an_export():
    """Handed over all the same, it is named for what it is; objects as well as files."""
    with pytest.raises(NotAnExport):
        third_party.parse(b'{"a": 1}')
    with pytest.raises(NotAnExport):
        third_party.parse_object({"a": 1})
    with pytest.raises(ExportUnreadable):
        third_party.parse_object({"messages": [float("inf")]})


def test_objects_may_hold_what_json_does_not():
    """Tuples are lists; the design's own example is processed as it stands."""
    found = third_party.messages_from_object({"messages": ({"index": 0, "role": "user", "content": ("a", "b")},)})
    assert [(message.role, message.content) for message in found] == [(USER, "a\n\nb")]


VALID = dump(
    {"exported_at": "x", "messages": [{"index": 0, "role": "user", "content": [{"type": "text", "text": "é"}, "b"]}]}
)


@given(st.binary(max_size=60), st.integers(0, len(VALID)), st.integers(0, len(VALID)))
@example(b"", 0, 0)
@example(b'{"messages":[,]}', 0, len(VALID))
def test_any_bytes_give_a_whole_result_or_a_named_error(noise, start, end):
    """Mutated exports are read without loss or refused by name; recognising never fails."""
    data = VALID[:start] + noise + VALID[end:]
    for candidate in (third_party, api):
        for strict in (True, False):
            assert candidate.recognises(data, strict=strict) in (True, False)
        try:
            export = candidate.parse(data)
        except DedupError:
            continue
        assert b"".join(data[span.start : span.end] for span in export.spans) == data


# -- the order of the numbers -------------------------------------------------------------------------------------


@given(st.permutations(range(6)), st.sampled_from(["messages", "chats"]))
def test_indexes_say_the_order(order, name):
    """Whatever the order in the file; the spans stay in that of the file."""
    data = json.dumps({name: [{"index": n, "role": "user", "content": f"t{n}"} for n in order]}).encode()
    export = third_party.parse(data)
    assert [message.content for message in export.messages] == [f"t{n}" for n in range(6)]
    assert [message.source_index for message in export.messages] == list(range(6))
    assert b"".join(data[span.start : span.end] for span in export.spans) == data
    assert export.warnings == ()


def test_what_has_no_index_stays_behind_its_neighbour():
    """Also the several messages of one element stay together."""
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    values = [
        {"index": 2, "role": "user", "content": "c"},
        {"role": "user", "content": "d"},
        {"index": 1, "role": "user", "content": blocks},
    ]
    export = third_party.parse(json.dumps({"messages": values}).encode())
    assert [message.content for message in export.messages] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("numbers", "told"), [([1, 0, 1], 1), ([0, 0, 1], 0)], ids=["falling", "rising"])
def test_indexes_that_repeat_say_nothing(numbers, told):
    """Then the file's order holds, and where the numbers contradict it that is said."""
    values = [{"index": n, "role": "user", "content": f"t{at}"} for at, n in enumerate(numbers)]
    export = third_party.parse(json.dumps({"messages": values}).encode())
    assert [message.content for message in export.messages] == ["t0", "t1", "t2"]
    assert len(export.warnings) == told


@pytest.mark.parametrize("content", ["", [], {}], ids=repr)
def test_an_empty_content_is_told(content):
    """It is stored in its place all the same."""
    export = third_party.parse(json.dumps({"messages": [{"role": "user", "content": content}]}).encode())
    assert (len(export.messages), export.warnings) == (1, ("message 1 has an empty content",))
