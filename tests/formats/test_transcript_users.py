"""Who wrote a line of a transcript: what stands in the user's line without being the user's, and what is theirs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.formats import transcript
from deduplication.model import (
    ASSISTANT,
    BOOKKEEPING,
    CONTEXT,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    REWIND,
    SYSTEM,
    TEXT,
    TOOL_RESULT,
    USER,
    Lineage,
)

SESSION = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
IDE = "<ide_selection>The user selected lines 3 to 9 of quay.py</ide_selection>"
RECORDS = [
    "continued-in",
    "fork-context-ref",
    "derived-from",
    "relocated",
    "resume-head-vouch",
    "content-replacement",
    "history-suppression",
    "data-flow-records",
    "data-flow-incomplete",
    "api-request-resumed",
    "frame-link",
    "ended-by-model",
    "agent-color",
    "agent-setting",
    "artifact-comment-monitor",
    "artifact-autoreact-ledger",
    "bridge-session",
    "attribution-snapshot",
    "isolation-latch",
    "session-owner",
    "dev-mods",
    "memory-mode",
    "worktree-state",
    "observer-ref",
]
"""Types of records that the client 2.1.332 writes beside those that carry messages."""


def line(type_, name, **fields):
    """One object, its id made of ``name``."""
    return {"type": type_, "uuid": f"u-{name}", "sessionId": SESSION, "timestamp": "2031-01-02T03:04:05Z", **fields}


def user(content, name="a", **fields):
    """A line of the type user."""
    return line("user", name, message={"role": "user", "content": content}, **fields)


def answer(text, name, **fields):
    """A line of the type assistant."""
    return line("assistant", name, message={"role": "assistant", "content": [said(text)]}, **fields)


def said(text):
    """A block of text."""
    return {"type": "text", "text": text}


def parsed(*lines):
    """The export that the lines are."""
    return transcript.parse("".join(json.dumps(each) + "\n" for each in lines).encode())


def told(*lines):
    """Role, kind and content of each message."""
    return [(message.role, message.kind, message.content) for message in parsed(*lines).messages]


@pytest.mark.parametrize(
    "fields",
    [{}, {"origin": {"kind": "human"}, "promptSource": "typed"}, {"origin": {"kind": "human"}, "promptSource": "sdk"}],
    ids=["old", "typed", "sdk"],
)
@pytest.mark.parametrize("tag", ["ide_selection", "ide_terminal_output", "new-thing", "other_thing"])
def test_a_block_beside_the_prompt_is_the_editors(tag, fields):
    """What a person types is one block: another that is nothing but a tag is context, whatever its name."""
    context = f"<{tag}>quay.py</{tag}>"
    expected = [(SYSTEM, CONTEXT, context), (USER, PROMPT, "why does it drift?")]
    assert told(user([said(context), said("why does it drift?")], **fields)) == expected
    assert told(user([said("why does it drift?"), said(context)], **fields)) == expected[::-1]


def test_words_in_the_block_of_a_tag_stay_a_prompt_under_the_lines_id():
    """The person's words keep the id, what stands around them has one beside it."""
    export = parsed(user(f"{IDE}\nwhy does it drift?\n<system-reminder>be kind</system-reminder>"))
    assert [(m.kind, m.content, m.uuid) for m in export.messages] == [
        (CONTEXT, IDE, "u-a:0.1"),
        (PROMPT, "why does it drift?", "u-a"),
        (CONTEXT, "<system-reminder>be kind</system-reminder>", "u-a:0.2"),
    ]


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (IDE, {}),
        ("<brand-new>x</brand-new>", {}),
        ('<teammate-message teammate_id="mender">The valve is open.</teammate-message>', {"origin": {"kind": "human"}}),
        ("[SYSTEM NOTIFICATION - NOT USER INPUT]\nThe sweep is done.", {}),
        ("Another Claude session sent a message:\nThe sweep is done.", {}),
        ("The sweep is done.", {"origin": {"kind": "task-notification"}}),
        ("Go on where you stopped.", {"origin": {"kind": "auto-continuation"}}),
        ("The sweep is done.", {"promptSource": "system"}),
        ("Base directory for this skill: /quay", {"isMeta": True}),
    ],
    ids=["editor", "new-tag", "teammate", "notification", "session", "origin", "continuation", "source", "meta"],
)
def test_what_a_machine_wrote_is_context(content, fields):
    """By its tag, by how it begins, by what the line says of its origin."""
    assert told(user(content, **fields)) == [(SYSTEM, CONTEXT, content)]


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ("why does it drift?", {"origin": {"kind": "human"}}),
        ("<quay-view>x</quay-view>", {"origin": {"kind": "human"}, "promptSource": "typed"}),
        ("<pasted_content id=1>\nx\n</pasted_content>", {}),
        ("/compact\nis what I typed", {}),
        ("<quay-view>x</quay-view> is empty", {}),
    ],
    ids=["human", "typed-tag", "paste", "two-lines", "tag-and-words"],
)
def test_what_a_person_wrote_is_a_prompt(content, fields):
    """A paste, markup that was typed, a command's name in a text."""
    assert told(user(content, **fields)) == [(USER, PROMPT, content)]


def test_what_a_machine_brings_keeps_its_kind():
    """Results and commands are told by themselves, whatever the origin."""
    result = {"type": "tool_result", "tool_use_id": "t", "content": "ok"}
    origin = {"kind": "task-notification"}
    assert told(user([result], origin=origin)) == [(SYSTEM, TOOL_RESULT, "ok")]
    name = "<command-name>/model</command-name>"
    assert told(user(name, origin=origin)) == [(USER, LOCAL_COMMAND, "/model")]
    image = {"type": "image", "source": {"type": "url", "url": "x"}}
    assert told(user([image], isMeta=True)) == [(SYSTEM, CONTEXT, [image])]
    assert told(user([image], origin=origin)) == [(SYSTEM, CONTEXT, [image])]


def test_our_own_command_expanded_is_no_context():
    """What a bookkeeping command tells the model belongs to it."""
    name = "<command-message>x</command-message>\n<command-name>/export-dedup</command-name>"
    assert told(user(name), user("Run the script.", "b", isMeta=True)) == [(USER, BOOKKEEPING, "/export-dedup")]


@pytest.mark.parametrize("command", ["/compact", "/compact keep the numbers", "/export quay.txt", "/clear"])
def test_a_command_that_was_sent_as_text_is_bookkeeping(command):
    """An editor sends what was typed, without the tags of a terminal."""
    assert told(user(command, promptSource="sdk")) == [(USER, BOOKKEEPING, command)]
    queued = line("attachment", "q", attachment={"type": "queued_command", "commandMode": "prompt", "prompt": command})
    assert told(queued) == [(USER, BOOKKEEPING, command)]


@pytest.mark.parametrize("mode", [{"commandMode": "task-notification"}, {"origin": {"kind": "peer"}}, {"isMeta": True}])
def test_what_waited_may_be_a_machines(mode):
    """A queued command says itself who wrote it."""
    attached = {"type": "queued_command", "prompt": "The sweep is done.", "commandMode": "prompt", **mode}
    assert told(line("attachment", "q", attachment=attached)) == [(SYSTEM, CONTEXT, "The sweep is done.")]


@given(st.text(min_size=1).filter(str.strip), st.sampled_from([[], "", None]))
def test_a_message_in_numbered_keys_is_read(text, empty):
    """One key a character, as a failed stream leaves it; the content beside it is empty."""
    keys = {str(number): character for number, character in enumerate(text)}
    value = line("assistant", "a", message={**keys, "content": empty, "role": "assistant"})
    assert told(value) == [(ASSISTANT, TEXT, text)]
    value = line("assistant", "a", message={"content": keys, "role": "assistant"})
    assert told(value) == [(ASSISTANT, TEXT, text)]


@pytest.mark.parametrize("key", ["text", "parts", "body"])
def test_a_message_that_says_something_in_an_unknown_way_is_told(key):
    """No silence: its bytes are kept, and the line is counted."""
    export = parsed(user("hi"), line("assistant", "b", message={"content": [], key: "Any time", "role": "assistant"}))
    assert len(export.messages) == 1
    assert export.warnings == (
        '1 line of the type "assistant" without its message; their bytes are kept, no message is',
    )


def test_the_types_of_records_are_known():
    """None of them is a message or a warning."""
    export = parsed(user("hi"), *({"type": name, "sessionId": SESSION} for name in RECORDS))
    assert len(RECORDS) == 24
    assert (len(export.messages), export.warnings) == (1, ())
    assert [span.label for span in export.spans[1:]] == RECORDS


def test_records_that_name_other_sessions_are_lineage():
    """Where a session came from, where it went: each once, its own id never."""
    export = parsed(
        user("hi"),
        {"type": "derived-from", "v": 1, "sessionId": SESSION, "sessions": [OTHER, SESSION]},
        {"type": "derived-from", "v": 1, "sessionId": SESSION, "sessions": [OTHER, {"sessionId": "third"}]},
        {"type": "fork-context-ref", "sessionId": SESSION, "parentSessionId": OTHER, "agentId": "x"},
        {"type": "relocated", "sessionId": SESSION, "relocatedCwd": "/quay"},
        {"type": "continued-in", "timestamp": "t", "sessionId": SESSION, "continuedInSessionId": OTHER},
    )
    assert export.lineage == (
        Lineage("derived-from", OTHER),
        Lineage("derived-from", "third"),
        Lineage("fork-context-ref", OTHER),
        Lineage("relocated", "/quay"),
        Lineage("continued-in", OTHER),
    )


def chain(*links):
    """Lines whose own name and parent are given; ``?`` are prompts, ``!`` answers, ``-`` lines without a message."""
    lines = []
    for kind, name, parent in links:
        place = {"parentUuid": parent and f"u-{parent}"}
        if kind == "?":
            lines.append(user(f"prompt {name}", name, **place))
        elif kind == "!":
            lines.append(answer(f"answer {name}", name, **place))
        else:
            lines.append(line("system", name, subtype="turn_duration", **place))
    return lines


@pytest.mark.parametrize(
    ("links", "rewound"),
    [
        ([("?", "a", None), ("!", "b", "a"), ("?", "c", "b"), ("!", "d", "c"), ("?", "e", "b")], 1),
        ([("?", "a", None), ("!", "b", "a"), ("?", "c", "nowhere"), ("!", "d", "c")], 0),
        ([("?", "a", None), ("!", "b", "a"), ("?", "c", "x"), ("?", "d", "x")], 0),
        ([("?", "a", None), ("!", "b", "a"), ("-", "c", "b"), ("?", "d", "b")], 0),
        ([("?", "a", None), ("!", "b", "a"), ("?", "c", "a")], 1),
        ([("!", "a", None), ("!", "b", None), ("?", "c", "a")], 0),
    ],
    ids=["rewind", "phantom", "phantom-twice", "nothing-said-since", "answer-again", "no-other-child"],
)
def test_a_rewind_has_another_branch(links, rewound):
    """The parent stands in the file, something else went on from it, and something was said since."""
    marks = [mark.kind for mark in parsed(*chain(*links)).marks]
    assert marks == [REWIND] * rewound


def test_a_system_line_that_is_no_command_is_no_message():
    """What the client notes for itself."""
    assert told(user("[Request interrupted by user]")) == [(SYSTEM, NOTICE, "[Request interrupted by user]")]
    assert told(user("hi"), line("system", "s", subtype="informational", content="x")) == [(USER, PROMPT, "hi")]
