"""Where two windows meet, a stretch that both have is evidence by its length and its bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.columns import columns
from deduplication.alignment.fingerprint import fingerprints
from deduplication.alignment.seams import Beginning, meets, seam
from deduplication.model import COMMAND_OUTPUT, LOCAL_COMMAND, NOTICE, PROMPT, TEXT, TOOL_CALL, TOOL_RESULT
from memory_store import message


def calls(*names):
    """A call and its result for each name."""
    return [
        one for name in names for one in (message(TOOL_CALL, f"Bash({name} --now)"), message(TOOL_RESULT, f"{name} ok"))
    ]


OPENING = [
    message(PROMPT, "Look after the boats in the harbour"),
    message(TEXT, "I begin with the ropes of the boats."),
]
WORK = calls("pull ropes", "count boats", "paint hulls")
MORE = [message(TEXT, "All of it is painted."), message(PROMPT, "Now the masts, please")]
FILES = [message(NOTICE, f"Read notes/{name}.md (12 lines)") for name in "abc"]
SHORT = [message(PROMPT, "yes"), message(TEXT, "ok")]
SAME_AGAIN = [*calls("make check"), *calls("make check"), *calls("make check")]


def rows(messages):
    """A sequence of messages by their fingerprints."""
    return columns(fingerprints(messages))


def pairs(known, shown, begins=Beginning.COMPACTION, *, continued=False):
    """What the seam of two sequences pairs."""
    return seam(rows(shown), rows(known), begins, continued=continued)


AT_SEAMS = {
    "calls that survived a compaction": ([*OPENING, *WORK], [*WORK, *MORE], 6),
    "a part of them": ([*OPENING, *WORK], [*WORK[2:], *MORE], 4),
    "one call and its result": ([*OPENING, *WORK], [*WORK[-2:], *MORE], 2),
    "a prompt that nobody answered yet": ([*OPENING, *MORE], [MORE[-1], message(TEXT, "The masts are next.")], 1),
    "short words": ([*OPENING, *SHORT], [*SHORT, *MORE], 0),
    "what stands in the middle": ([*WORK, *OPENING], [*WORK, *MORE], 0),
    "another end of a call": ([*OPENING, *WORK], [message(TOOL_CALL, "Bash(paint hulls)"), WORK[-1], *MORE], 0),
    "a passing line of one side": ([*OPENING, *WORK[:4], FILES[0], *WORK[4:]], [*WORK, *MORE], 6),
    "calls that repeat themselves": ([*OPENING, *SAME_AGAIN], [*SAME_AGAIN, *MORE], 6),
    "the last of them": ([*OPENING, *SAME_AGAIN], [*SAME_AGAIN[2:], *MORE], 4),
    "some of them that go on": ([*OPENING, *SAME_AGAIN[:3]], [*SAME_AGAIN, *MORE], 0),
}


@pytest.mark.parametrize(("known", "shown", "count"), AT_SEAMS.values(), ids=AT_SEAMS.keys())
def test_an_export_after_a_compaction_begins_with_the_end_of_what_is_stored(known, shown, count):
    """The longest stretch that ends the one and begins the other, if it says enough."""
    found = pairs(known, shown)
    assert len(found) == count
    assert [known[k].content for _, k in found] == [shown[p].content for p, _ in found]


@pytest.mark.parametrize(("known", "shown", "count"), AT_SEAMS.values(), ids=AT_SEAMS.keys())
def test_the_earlier_export_may_come_later(known, shown, count):
    """What was stored of it began after a compaction: then it is the other way round."""
    assert len(pairs(shown, known, Beginning.START, continued=True)) == count


def test_without_a_compaction_the_end_of_what_is_stored_is_no_seam():
    """A file from the beginning does not begin with the end of another one."""
    assert pairs([*OPENING, *WORK], [*WORK, *MORE], Beginning.START) == []
    assert pairs([*OPENING, *WORK], [*WORK, *MORE], None) == []


def test_two_beginnings_agree_as_far_as_they_are_equal():
    """From the first message on, up to the first one that differs."""
    found = pairs([*OPENING, *WORK], [*OPENING, *WORK[:3], *MORE], Beginning.START)
    assert found == [(n, n) for n in range(5)]
    assert pairs([*SHORT, *WORK], [*SHORT, *MORE], Beginning.START) == []


def test_the_lines_below_a_divider_are_those_of_the_same_compaction():
    """A growing export shows them again before anything was said."""
    assert pairs([*FILES], [*FILES, *MORE], continued=True) == [(0, 0), (1, 1), (2, 2)]
    assert pairs([FILES[0]], [*FILES, *MORE], continued=True) == []


@given(st.integers(0, 12), st.integers(1, 12), st.lists(st.integers(0, 3), max_size=20))
def test_a_seam_never_pairs_what_differs(before, after, more):
    """Whatever repeats: pairs are equal, ascending, and tie the very end to the very beginning."""
    known = calls(*(f"step {n % 5} of {n}" for n in range(before)), *(f"step {n}" for n in more))
    shown = calls(*(f"step {n}" for n in more[-after:]), "something else")
    found = pairs(known, shown)
    assert all(known[k].content == shown[p].content for p, k in found)
    if found:
        assert (found[0][0], found[-1][1]) == (0, len(known) - 1)
        assert all((p + 1, k + 1) == after for (p, k), after in zip(found, found[1:]))


IDENTIFIES = {
    "calls that survived": ([*OPENING, *WORK], [*WORK, *MORE], Beginning.COMPACTION, True),
    "too few of them": ([*OPENING, *WORK], [*WORK[-2:], *MORE], Beginning.COMPACTION, False),
    "a whole file that begins another one": ([*OPENING, *WORK], [*OPENING, *WORK, *MORE], Beginning.START, True),
    "but for its last message": ([*OPENING, *WORK, SHORT[1]], [*OPENING, *WORK, *MORE], Beginning.START, True),
    "a beginning from which both go on": ([*OPENING, *WORK, *SHORT], [*OPENING, *WORK, *MORE], Beginning.START, False),
    "commands that open every session": (
        [
            message(LOCAL_COMMAND, "/model the largest one of all"),
            message(COMMAND_OUTPUT, "Set model to the largest one of all"),
        ]
        * 3,
        [
            message(LOCAL_COMMAND, "/model the largest one of all"),
            message(COMMAND_OUTPUT, "Set model to the largest one of all"),
        ]
        * 3
        + MORE,
        Beginning.START,
        False,
    ),
}


@pytest.mark.parametrize(("known", "shown", "begins", "found"), IDENTIFIES.values(), ids=IDENTIFIES.keys())
def test_which_stretch_finds_a_conversation(known, shown, begins, found):
    """To find the conversation by it, it must say more than inside of a known one."""
    assert (meets(rows(shown), rows(known), begins, continued=False) is not None) == found
