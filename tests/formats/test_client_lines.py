"""The client's own lines in a text export: told by shape, whatever the words; and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.formats import text
from deduplication.formats.client_lines import is_event
from deduplication.model import ASSISTANT, CONTEXT, NOTICE, PROMPT, SYSTEM, TEXT, TOOL_CALL, TOOL_RESULT, UNKNOWN, USER

BANNER = " ▐▛███▛█   Claude Code v2.1.290\n▝▜██████▀  Opus · Plan\n ▝▝   ▝▝   ~/quay\n\n\n"
HINTS = ["(ctrl+o to expand)", "(ctrl+r to expand)", "(ctrl+shift+o to see all)", "(alt+o to show thinking)"]


def told(screen):
    """Role, kind and content of each message; the spans are the file again."""
    data = screen.encode()
    export = text.parse(data)
    assert b"".join(data[span.start : span.end] for span in export.spans) == data
    return [(message.role, message.kind, message.content) for message in export.messages]


def padded(*lines):
    """A prompt as the client draws it since 2.1.76: every line as wide as the box."""
    return "\n".join(f"{'❯' if not n else ' '} {line}".ljust(80) for n, line in enumerate(lines)) + "\n"


verbs = st.from_regex(r"[A-Z][a-z]{2,12}", fullmatch=True)
clauses = st.lists(
    st.from_regex(r"[a-z0-9+#/:-]{1,12}( [a-z0-9+#/:-]{1,12}){0,2}", fullmatch=True), min_size=1, max_size=3
)


@given(verbs, clauses, st.sampled_from(HINTS), st.booleans(), st.booleans())
def test_a_line_that_closes_with_the_hint_is_a_call_whatever_its_verb(verb, clauses, hint, empty_line, below_prompt):
    """Column 2, a capital, the hint: a call of its own, below a prompt or an answer, with or without an empty line above."""
    line = f"{verb} {', '.join(clauses)} {hint}"
    gap = "\n" if empty_line else ""
    above = padded("look at the tide") if below_prompt else "● It falls.\n"
    found = told(f"{BANNER}{above}{gap}  {line}\n\n● Done.\n")
    said = (USER, PROMPT, "look at the tide") if below_prompt else (ASSISTANT, TEXT, "It falls.")
    assert found == [said, (ASSISTANT, TOOL_CALL, line), (ASSISTANT, TEXT, "Done.")]


@pytest.mark.parametrize(
    "line",
    [
        "  Rigged 4 masts at the northern quay, swept 12 decks, counted 17 barrels of\n  salt (ctrl+o to expand)",
        "  Rigged 4 masts at the northern quay, swept 12 decks, counted 17 barrels of it\n  (ctrl+o to expand)",
        "  Rigged 4 masts at the northern quay, swept 12 decks, counted 17 salt (ctrl+o\n  to expand)",
    ],
    ids=["words", "the-hint", "inside-the-hint"],
)
def test_the_hint_may_be_wrapped(line):
    """On a second line, alone or with the last words, or in two halves."""
    found = told(f"{BANNER}{padded('go on')}\n{line}\n\n● Done.\n")
    assert [each[1] for each in found] == [PROMPT, TOOL_CALL, TEXT]
    assert "".join(found[1][2].split()) == "".join(line.split())


@pytest.mark.parametrize(
    "paragraph",
    [
        "the end of every line has (ctrl+o to expand)",
        "- Lost: what the client left out (ctrl+r to expand)",
        "Press the key that stands behind the line, as the client writes it. A long\n  output has it (ctrl+o to expand)",
        "The hint (ctrl+o to expand) stands at the end.",
    ],
    ids=["small-letter", "list", "two-sentences", "in-the-middle"],
)
def test_a_hint_that_an_answer_speaks_of_is_the_answers(paragraph):
    """Without a capital, in a list, between sentences, in the middle of a line."""
    assert [each[1] for each in told(f"{BANNER}● It says:\n\n  {paragraph}\n")] == [TEXT]


def test_only_a_thought_is_no_message_and_a_thought_with_calls_is():
    """What was called is kept, whatever the line says first."""
    screen = "> a\n\n  Mused for 1m 4s (ctrl+o to expand)\n\n  Mused for 4s, ran 2 shell commands (ctrl+o to expand)\n\n● b\n"
    assert told(screen) == [
        (USER, PROMPT, "a"),
        (ASSISTANT, TOOL_CALL, "Mused for 4s, ran 2 shell commands (ctrl+o to expand)"),
        (ASSISTANT, TEXT, "b"),
    ]


def test_what_stands_below_a_collapsed_line_is_a_note():
    """Its results are not drawn: there is only what the client adds."""
    found = told("> a\n\n  Ran 2 shell commands (ctrl+o to expand)\n  ⎿  Read quay.md (57 lines)\n")
    assert found[-1] == (SYSTEM, NOTICE, "Read quay.md (57 lines)")


def test_a_copy_that_lost_its_margin_has_the_lines_at_column_0():
    """There the answers' lines have no margin either; a prompt does not get the call."""
    screen = "● It rose.\nBy a hand.\n\n❯ look\nat it\n\nRead 2 files (ctrl+o to expand)\n\n● Done.\nAll of it.\n"
    assert [each[1] for each in told(screen)] == [TEXT, PROMPT, TOOL_CALL, TEXT]


EVENTS = [
    'Agent "Sweep the quay" came to rest · 1m 4s',
    'Background command "Sweep "both" quays" failed with exit code 2',
    'Background command "Sweep the quay" completed (exit code 0)',
    'Monitor "tide" stream ended',
    'Monitor event: "the tide turned"',
    'Quay master "north" is waiting for input',
    'Agent "Sweep the quay" failed: no broom. Try again.',
    'Task "Sweep the quay" completed in background',
    "Teammate @mender finished",
    "@mender went idle",
    "Usage limit reached · continuing automatically at 1:20am · esc or type to cancel",
    "Usage limit has reset · press enter to continue",
    "Updated plan",
    "Entered plan mode",
    "Entered plan mode Claude is now exploring and designing an implementation approach.",
    "Exited plan mode",
    "User approved Claude's plan",
    "User approved Claude's plan:",
    "User rejected Claude's plan:",
    "User answered Claude's questions:",
    "User declined to answer questions",
    "Approved Claude's plan",
    "Answered Claude's questions:",
    "Asked Claude for more questions",
    "Declined to enter plan mode",
    "Claude asked:",
    "Switched to worktree on branch quay",
]
ANSWERS = [
    "@quay_master class Quay(Place): pass",
    "@mender please look at the valve",
    'Agent "north" finished its review and found three faults:',
    'Agent "north" finished. It found nothing.',
    'The word "quay" was spelled wrong',
    'Renamed "quay" to "pier"',
    'Renamed "quay" as asked',
    'Moving "quay" as planned',
    'Set "quay" as the default',
    "Updated plans for the quay are below.",
    "Claude Code writes the file when it exits.",
    "I approved the plan.",
    "Rate limits reached their end last year, so nothing waits.",
    "User accounts are stored in quay.db",
    "Entered the plan into the log.",
    "Everything is green.",
]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("wrapped", [False, True], ids=["one-line", "wrapped"])
def test_an_event_of_the_client_is_a_notice(event, wrapped):
    """With the bullet of an answer, yet nobody's words; wrapped at column 0 or 2 as well."""
    words = event.split(" ")
    if wrapped:
        half = len(words) // 2 or 1
        breaks = "\n  " if len(event) % 2 else "\n"
        event = " ".join(words[:half]) + breaks + " ".join(words[half:])
    found = told(f"> a\n\n● {event}\n● b\n")
    assert [each[:2] for each in found] == [(USER, PROMPT), (SYSTEM, NOTICE), (ASSISTANT, TEXT)]
    assert found[1][2].split() == event.split()


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_looks_like_an_event_is_the_assistants(answer):
    """A whole sentence, a list to come, an article before the name."""
    assert not is_event(answer)
    assert told(f"> a\n\n● {answer}\n")[1] == (ASSISTANT, TEXT, answer)


@given(st.from_regex(r"[A-Z][a-z]{1,9}( [a-z]{1,9}){0,4}:?", fullmatch=True))
def test_a_bullet_with_an_unbroken_space_is_the_clients(words):
    """U+00A0 behind it, whatever the words; what was chosen stands below."""
    found = told(f"> a\n\n●\u00a0{words}\n  ⎿  · Which quay? → The northern one\n")
    assert found[1:] == [(SYSTEM, NOTICE, words), (SYSTEM, NOTICE, "· Which quay? → The northern one")]


def test_an_event_stands_alone():
    """A title with text below it is an answer, though it has an event's words; behind U+00A0 the text is nobody's."""
    assert told(f"{BANNER}> a\n\n● Updated plan\n\n  The quay first.\n")[1] == (
        ASSISTANT,
        TEXT,
        "Updated plan\n\nThe quay first.",
    )
    export = text.parse(f"{BANNER}> a\n\n●\u00a0Plan drawn anew\n\n  The quay first.\n".encode())
    assert [(m.kind, m.content) for m in export.messages[1:]] == [
        (NOTICE, "Plan drawn anew"),
        (UNKNOWN, "The quay first."),
    ]
    (warning,) = export.warnings
    assert warning.startswith("1 piece of text is explained by no rule and kept as unknown")
    assert warning.endswith("line 10")


@given(st.sampled_from("◆⧉⚠▎#a"), st.integers(0, 1), st.booleans())
def test_a_paragraph_outside_the_margin_is_unknown(glyph, column, below_prompt):
    """Neither a padded prompt nor an indented answer gets what stands beside it."""
    above = padded("look at the tide", "and the quay") if below_prompt else "● It falls.\n  By a hand.\n"
    export = text.parse(f"{BANNER}{above}\n{' ' * column}{glyph} quay watch on\n\n● Done.\n".encode())
    own = "look at the tide\nand the quay" if below_prompt else "It falls.\nBy a hand."
    assert [m.content.strip() for m in export.messages] == [own, f"{glyph} quay watch on", "Done."]
    assert [m.kind for m in export.messages] == [PROMPT if below_prompt else TEXT, UNKNOWN, TEXT]
    assert len(export.warnings) == 1


def test_a_padded_prompt_keeps_its_empty_lines_and_full_lines():
    """What is padded or fills the width is the prompt's."""
    lines = ["look at", "", "w" * 78, "and", "● an old answer"]
    assert told(f"{BANNER}{padded(*lines)}\n● Done.\n")[0] == (USER, PROMPT, "\n".join(lines))


@pytest.mark.parametrize(
    "call",
    [
        "Agent(Sweep the northern quay and the southern one, then count what is left of\n      the barrels)",
        "quay:sweeper(Sweep the northern quay and the southern one, then count what is\n      left)",
        "Agent(Sweep the northern quay) Some Model\n  4.5",
    ],
    ids=["wrapped", "own-name", "model-behind"],
)
def test_a_result_that_is_glued_to_a_call_of_two_lines(call):
    """The client forgets a line break now and then, also behind the second line of a call."""
    found = told(f"> a\n\n● {call}  ⎿  Backgrounded agent (↓ to manage · ctrl+o to expand)\n\n● Done.\n")
    assert [each[1] for each in found] == [PROMPT, TOOL_CALL, TOOL_RESULT, TEXT]
    assert found[2][2] == "Backgrounded agent (↓ to manage · ctrl+o to expand)"


@pytest.mark.parametrize("head", ["3 agents finished", "2 quay sweepers agents finished", "Running 3 agents…"])
def test_a_tree_of_agents_is_one_call(head):
    """It is not cut at the result of its first agent."""
    tree = "   ├─ one (Sweep) · 9 tool uses\n   │  ⎿  Done\n   └─ two (Count) · 7 tool uses\n      ⎿  Done"
    found = told(f"> a\n\n● {head} (ctrl+o to expand)\n{tree}\n\n● Swept.\n")
    assert [each[1] for each in found] == [PROMPT, TOOL_CALL, TEXT]
    assert found[1][2].count("Done") == 2


def test_a_tool_without_arguments_is_a_call_where_a_result_stands_below():
    """A name of several words in one, as tools have; without a result it may be an answer."""
    assert [each[1] for each in told("> a\n\n● QuayList\n  ⎿  Two quays\n\n● QuayList\n")] == [
        PROMPT,
        TOOL_CALL,
        TOOL_RESULT,
        TEXT,
    ]


def test_a_pasted_screen_may_begin_below_an_empty_line():
    """A prompt of the clients before 2.1.3 ends with one blank, which an answer never does: up to there it is pasted."""
    pasted = "> look at this:\n\n> old words\n\n● Old answer. \n\n"
    old = BANNER.replace("2.1.290", "2.0.42")
    many = "".join(f"> {n} \n\n● {n}.\n\n" for n in range(12))
    for ends, screen in ((many, ""), ("> one \n\n● First.\n\n", old), ("", old)):
        found = told(f"{screen}{ends}{pasted}● I see.\n")
        assert found[-2:] == [
            (USER, PROMPT, "look at this:\n\n> old words\n\n● Old answer."),
            (ASSISTANT, TEXT, "I see."),
        ]
        assert len(found) == 2 + ends.count("\n\n")


def test_a_prompt_without_its_blank_does_not_swallow_the_turns_after_it():
    """Two real prompts end with theirs before any answer does: nothing says that the first goes on."""
    found = told("> one \n\n● a\n\n> two \n\n● b\n\n> three\n\n● c\n\n> four \n\n● d\n\n> five \n\n● e \n")
    assert [each[2] for each in found if each[1] == PROMPT] == ["one", "two", "three", "four", "five"]


def test_a_prompt_that_a_machine_wrote_is_context():
    """A screen shows it with the glyph of a prompt."""
    notification = "<task-notification>\n  <summary>Swept.</summary>\n  </task-notification>"
    assert told(f"❯ {notification}\n\n● Good.\n")[0][:2] == (SYSTEM, CONTEXT)
