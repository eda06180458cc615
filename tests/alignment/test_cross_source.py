"""When a message drawn on a screen is the one that a structured source wrote down."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.cross_source import relation_across
from deduplication.alignment.same_source import DIFFERENT, PART, REDRAWN
from deduplication.model import (
    BOOKKEEPING,
    COMMAND_OUTPUT,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
)

TABLE = "Here is what I found in the three files that you named:\n\n| File | Finding |\n|---|---|\n" + "".join(
    f"| module_{n}.py | unused import number {n} |\n" for n in range(4)
)
CASES = {
    "table-as-box": (TEXT, "# Plan\n\n| a | b |\n\nUse `x`", "Plan\n\n┌──┐\n│ a│ b\n└──┘\nUse x", REDRAWN),
    "table-as-list": (
        TEXT,
        TABLE,
        "Here is what I found in the three files that you\nnamed:\n\n"
        + "".join(f"File: module_{n}.py\nFinding: unused import number {n}\n────\n" for n in range(4)),
        REDRAWN,
    ),
    "table-wrapped": (
        TEXT,
        TABLE,
        "Here is what I found in the three files that you named:\n\n"
        + "".join(f"│ module_{n}.py │ unused import │\n│  │ number {n} │\n" for n in range(4)),
        REDRAWN,
    ),
    "table-of-something-else": (
        TEXT,
        TABLE,
        "Here is what I found in the three files that you named:\n\n"
        + "".join(f"│ chapter_{n}.md │ nothing wrong here {n} │\n" for n in range(4)),
        DIFFERENT,
    ),
    "link-label": (TEXT, "[the docs](https://a.b)", "the docs", REDRAWN),
    "link-cut-at-the-line": (
        TEXT,
        "First look at [the guide](https://example.com/a/long/path/index.html), then go on with the second chapter.",
        "First look at the guide (https://example.com/a/lo\nng/path/index.html), then go on with the second chapter.",
        REDRAWN,
    ),
    "link-without-label": (
        TEXT,
        (
            "First look at [the guide](https://example.com/a/long/path/index.html), then go on with the second chapter, "
            "which says what has to be done on the machine that is to be set up."
        ),
        (
            "First look at https://example.com/a/lo\nng/path/index.html, then go on with the second chapter, which says what "
            "has to be done on the machine that is to be set up."
        ),
        REDRAWN,
    ),
    "punctuation": (PROMPT, "a+b", "a-b", REDRAWN),
    "pasted": (PROMPT, '<pasted_content id="a1">\nlook here\n</pasted_content>', "look here", REDRAWN),
    "pasted-otherwise": (TEXT, '<pasted_content id="a1">\nlook here\n</pasted_content>', "look here", DIFFERENT),
    "other-prompt": (PROMPT, "continue", "stop", DIFFERENT),
    "other-text": (TEXT, "Yes, all of it.", "No, none of it.", DIFFERENT),
    "short-and-more": (TEXT, "Done.", "Done. And now?", DIFFERENT),
    "emoji": (PROMPT, "👍", "👎", DIFFERENT),
    "same-emoji": (PROMPT, "👍", " 👍", REDRAWN),
    "still-being-written": (TEXT, "The first thing is this. The second is that.", "The first thing is", PART),
    "too-short-to-be-a-beginning": (TEXT, "The first thing is this.", "The", DIFFERENT),
    "shell": (LOCAL_COMMAND, "ls -l", "ls\n-l", REDRAWN),
    "other-shell": (LOCAL_COMMAND, "ls -l", "ls -la", DIFFERENT),
    "export": (BOOKKEEPING, "/export a.txt", "/export b.txt", DIFFERENT),
    "blocks": (TOOL_CALL, [{"type": "tool_use", "name": "Bash"}], "Read 1 file", REDRAWN),
}


@pytest.mark.parametrize(("kind", "exact", "laid_out", "expected"), CASES.values(), ids=CASES.keys())
def test_relation(kind, exact, laid_out, expected):
    """A screen drops the marks of Markdown, draws tables anew and cuts links; the words and their order remain."""
    assert relation_across(kind, exact, laid_out) == expected


words = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=9), min_size=12, max_size=60)


@given(words, st.integers(20, 200), st.sampled_from(["**{}**", "`{}`", "# {}", "- {}", "*{}*"]), st.randoms())
def test_marks_and_width_make_no_difference(text, width, mark, random):
    """However a text is marked and whatever the width it is shown at, it is recognised."""
    marked = [mark.format(word) if random.random() < 0.2 else word for word in text]
    shown = "\n".join(textwrap.wrap(" ".join(text), width))
    assert relation_across(TEXT, "\n".join([" ".join(marked[:9]), " ".join(marked[9:])]), shown) == REDRAWN


@given(words, words)
def test_other_words_are_another_message(one, other):
    """Two texts without a word in common are never taken for one."""
    other = [word.upper() + "ß" for word in other]
    assert relation_across(TEXT, " ".join(one), "ß".join(other)) == DIFFERENT


@pytest.mark.parametrize("kind", [TOOL_CALL, TOOL_RESULT, COMMAND_OUTPUT, NOTICE])
def test_what_is_redrawn_beyond_recognition_is_the_same_in_the_same_place(kind):
    """The client cuts, collapses and renames calls and results: nothing of them can be compared."""
    assert relation_across(kind, "1\n2\n3\n4\n5", "1\n… +4 lines") == REDRAWN


@pytest.mark.unmeasured
@given(st.sampled_from([PROMPT, TEXT, THINKING, LOCAL_COMMAND, BOOKKEEPING]), st.text())
def test_a_message_is_never_different_from_itself(kind, content):
    """The same words are the same message."""
    assert relation_across(kind, content, content) == REDRAWN
