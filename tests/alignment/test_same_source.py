"""How two drawings of one message relate, given that they stand in the same place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.same_source import DIFFERENT, GROWN, MOVED, PART, REDRAWN, relation, wins
from deduplication.model import (
    BOOKKEEPING,
    COMMAND_OUTPUT,
    EXACT,
    KINDS,
    LAYOUT,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
)

CASES = {
    "text-grew": (TEXT, "I will", "I will do it.", GROWN),
    "text-shown-in-part": (TEXT, "I will do it.", "I will", PART),
    "text-wrapped-otherwise": (TEXT, "I will do it.", "I will\ndo it.", PART),
    "text-other": (TEXT, "I will do it.", "I won't do it.", DIFFERENT),
    "text-other-operator": (TEXT, "a+b", "a-b", DIFFERENT),
    "text-other-comparison": (TEXT, "if a > b", "if a | b", DIFFERENT),
    "text-other-index": (TEXT, "use a[0] here", "use a 0 here", DIFFERENT),
    "text-quote-mark": (TEXT, "a\n> quoted", "a\n▎ quoted", REDRAWN),
    "text-link-text": (TEXT, "see [the page](https://a.b/c) now", "see the page now", REDRAWN),
    "text-table-rule": (TEXT, "| a |\n|---|\n| b |", "│ a │\n├───┤\n│ b │", REDRAWN),
    "text-markdown-drawn": (TEXT, "# Plan\n**Model** the `items`", "Plan\nModel the items", REDRAWN),
    "text-link-drawn": (TEXT, "see link (https://a.b/c)", "see https://a.b/c", REDRAWN),
    "text-quote-drawn": (TEXT, "a\n▎ quoted", "a\nquoted", REDRAWN),
    "text-table-drawn": (TEXT, "┌──┐\n│a │\n└──┘", "| a |", REDRAWN),
    "prompt-same": (PROMPT, "go on", "go  on", REDRAWN),
    "prompt-never-grows": (PROMPT, "go", "go on", DIFFERENT),
    "prompt-symbols-only": (PROMPT, "***", "---", DIFFERENT),
    "prompt-emoji": (PROMPT, "👍", "👎", DIFFERENT),
    "thinking-grew": (THINKING, "Let me", "Let me see", GROWN),
    "result-cut-shorter": (TOOL_RESULT, "1\n2\n3", "1\n… +2 lines (ctrl+o to expand)", REDRAWN),
    "result-cut-less": (TOOL_RESULT, "1\n… +38 lines (ctrl+r to expand)", "1\n2\n3\n… +36 lines", REDRAWN),
    "result-cut-the-same": (TOOL_RESULT, "1\n2\n… +16 lines (ctrl+o to expand)", "1\n2\n… +11 lines", REDRAWN),
    "result-tool-uses-cut": (TOOL_RESULT, "a\n… +3 tool uses (ctrl+o to expand)", "a\nb", REDRAWN),
    "result-redrawn": (TOOL_RESULT, "Read src/a.py (3 lines)", "Read a.py (3 lines)", REDRAWN),
    "result-was-still-running": (TOOL_RESULT, "Running…", "total 0", REDRAWN),
    "result-still-running-in-an-older-export": (TOOL_RESULT, "total 0", "Running…", REDRAWN),
    "result-waits-then-runs": (TOOL_RESULT, "Waiting…", "Running…", REDRAWN),
    "notice-redrawn": (NOTICE, "Read a.txt (3 lines)", "Read ../a.txt (3 lines)", REDRAWN),
    "output-grew": (COMMAND_OUTPUT, "Set", "Set model", GROWN),
    "call-from-elsewhere": (TOOL_CALL, "Read(src/a.py)", "Read(a.py)", MOVED),
    "call-wrapped-otherwise": (TOOL_CALL, "Bash(grep -n one\nsrc/a.py)", "Bash(grep -n one src/a.py)", MOVED),
    "call-cut": (
        TOOL_CALL,
        "Bash(git commit -m 'a long message that was cut…)",
        "Bash(git commit -m 'a long message that was cut here')",
        MOVED,
    ),
    "call-same-name": (TOOL_CALL, "Bash(ls one)", "Bash(rm two)", REDRAWN),
    "call-not-by-its-last-letters": (TOOL_CALL, "Read(a.py)", "Read(data.py)", REDRAWN),
    "call-other-name": (TOOL_CALL, "Read(a.py)", "Write(a.py)", DIFFERENT),
    "call-name-begins-alike": (TOOL_CALL, "Bash(a)", "BashOutput(a)", DIFFERENT),
    "call-without-arguments": (TOOL_CALL, "Update Todos", "Update Todos", DIFFERENT),
    "local-command": (LOCAL_COMMAND, "/model a", "/model b", DIFFERENT),
    "bookkeeping": (BOOKKEEPING, "/export", "/compact", DIFFERENT),
    "client-line-from-elsewhere": (BOOKKEEPING, "Referenced file notes/a.md", "Referenced file ../notes/a.md", MOVED),
    "client-line-of-another-file": (BOOKKEEPING, "Referenced file notes/a.md", "Referenced file notes/b.md", DIFFERENT),
    "client-line-of-a-name-that-ends-alike": (
        BOOKKEEPING,
        "Referenced file a.md",
        "Referenced file data.md",
        DIFFERENT,
    ),
    "empty-text": (TEXT, "", "Something", DIFFERENT),
}


@pytest.mark.parametrize(("kind", "stored", "shown", "expected"), CASES.values(), ids=CASES.keys())
def test_relation(kind, stored, shown, expected):
    """The rules of what versions, widths and moments do to one message."""
    assert relation(kind, stored, shown) == expected


WINNERS = {
    "what was written": ("one two three four", LAYOUT, "one", EXACT),
    "what is finished": ("Running…", LAYOUT, "ok", LAYOUT),
    "the longer one": ("Read(a.py)", LAYOUT, "Read(src/a.py)", LAYOUT),
    "what is cut later": ("1\n… +38 lines", LAYOUT, "1\n2\n… +37 lines", LAYOUT),
    "what is not cut": ("1\n2\n… +1 lines (ctrl+o to expand)", LAYOUT, "1\n2", LAYOUT),
}


@pytest.mark.parametrize(("loser", "its_fidelity", "winner", "fidelity"), WINNERS.values(), ids=WINNERS.keys())
def test_of_two_drawings_the_same_one_wins_whatever_came_first(loser, its_fidelity, winner, fidelity):
    """What is read of a message does not depend on the order in which its drawings were seen."""
    assert wins(loser, its_fidelity, winner, fidelity)
    assert not wins(winner, fidelity, loser, its_fidelity)


@given(
    st.lists(st.tuples(st.text("ab … +3lines", max_size=12), st.sampled_from((LAYOUT, EXACT))), min_size=1, max_size=6)
)
def test_the_winner_of_several_drawings_is_the_same_in_every_order(drawings):
    """Winning is a total order but for drawings that differ in white space only."""

    def last(order):
        best = order[0]
        for each in order[1:]:
            best = each if wins(*best, *each) else best
        return "".join(best[0].split()), best[1]

    assert last(drawings) == last(drawings[::-1]) == last(sorted(drawings))


def test_blocks_are_compared_in_their_canonical_spelling():
    """Content that is no text does not fail."""
    assert relation(TOOL_RESULT, [{"type": "text"}], "other") == REDRAWN
    assert relation(TEXT, [{"a": 1}], [{"a": 1}]) == PART


@given(st.sampled_from(KINDS), st.text(), st.text())
def test_growing_and_being_a_part_are_each_other_s_opposites(kind, stored, shown):
    """What has grown, seen the other way round, is a part; difference goes both ways."""
    there = relation(kind, stored, shown)
    back = relation(kind, shown, stored)
    if there == GROWN:
        assert back in (PART, REDRAWN)
    assert (there == DIFFERENT) == (back == DIFFERENT)


@given(st.sampled_from([PROMPT, TEXT, THINKING, TOOL_RESULT, COMMAND_OUTPUT, NOTICE]), st.text())
def test_a_message_is_never_different_from_itself(kind, content):
    """The same words in the same place are the same message."""
    assert relation(kind, content, content) in (PART, REDRAWN)


def test_long_rows_of_cut_marks_are_no_trap():
    """Half a megabyte of "+1 lines" is compared in one pass."""
    hostile = "… +1 lines (" * 40_000 + ")x"
    assert relation(TOOL_RESULT, hostile, hostile) == PART
