"""What a message is to a purged one: outside of its place only the same content, in it a part only for a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deduplication.alignment.fingerprint import fingerprint
from deduplication.alignment.same_source import DIFFERENT, GROWN, PART, REDRAWN
from deduplication.alignment.tombstone import LENGTHS, STEP, Bans, Ends, proven, relation, same, tombstone_of
from deduplication.model import (
    ASSISTANT,
    BOOKKEEPING,
    EXACT,
    LAYOUT,
    PROMPT,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    USER,
    Message,
)
from purge_scenes import sentence

LONG = sentence("x", 12)
ENDED, SHOWN_LAST = Ends(purged=True), Ends(shown=True)
CUT = "\n… +57 lines (ctrl+o to expand)"


def of(kind, content, fidelity=LAYOUT, role=None, uuid=None):
    """A message."""
    return Message(role or (USER if kind == PROMPT else ASSISTANT), kind, content, fidelity=fidelity, uuid=uuid)


def compared(gone, shown, how=relation, *more):
    """What a message is to the tombstone of another one."""
    return how(tombstone_of(gone, fingerprint(gone)), shown, fingerprint(shown), *more)


@pytest.mark.parametrize(
    ("gone", "shown", "expected"),
    [
        (of(TEXT, LONG), of(TEXT, LONG), True),
        (of(TEXT, LONG), of(TEXT, LONG.replace(" ", "\n")), True),
        (of(TEXT, LONG, EXACT), of(TEXT, LONG), True),
        (of(TEXT, LONG), of(TEXT, LONG, EXACT), True),
        (of(TEXT, LONG, EXACT), of(TEXT, LONG, EXACT), True),
        (of(TEXT, LONG, EXACT), of(TEXT, LONG.replace(" ", "  "), EXACT), False),
        (of(TEXT, f"**{LONG}**", EXACT), of(TEXT, LONG), True),
        (of(TEXT, LONG), of(TEXT, f"# {LONG}", EXACT), True),
        (of(TEXT, f"**{LONG}**", EXACT), of(TEXT, LONG, EXACT), False),
        (of(TEXT, f"**{LONG}**"), of(TEXT, LONG), False),
        (of(TEXT, LONG), of(TEXT, f"{LONG} And more."), False),
        (of(TEXT, LONG), of(TEXT, f"{LONG} And more.", EXACT), False),
        (of(TEXT, LONG), of(TEXT, LONG[:-1]), False),
        (of(TEXT, LONG), of(TEXT, LONG[:200]), False),
        (of(TEXT, LONG, EXACT), of(TEXT, LONG[:200]), False),
        (of(TEXT, LONG), of(TEXT, LONG.replace(".", "!")), False),
        (of(TEXT, LONG), of(TEXT, LONG.replace(".", "!"), EXACT), False),
        (of(TEXT, LONG), of(TEXT, LONG.upper(), EXACT), False),
        (of(TEXT, LONG), of(TEXT, f"{LONG}\n\n| a | b |\n|---|---|\n| c | d |\n", EXACT), False),
        (of(TEXT, f"{LONG} [a](https://a.example/b)", EXACT), of(TEXT, f"{LONG} a (https://a.example/b)"), True),
        (of(TEXT, f"{LONG} [a](https://a.example/b)", EXACT), of(TEXT, f"{LONG} a"), True),
        (of(TEXT, f"{LONG} a"), of(TEXT, f"{LONG} [a](https://a.example/b)", EXACT), False),
        (of(TEXT, f"{LONG} [a](https://a.example/b)", EXACT), of(TEXT, f"{LONG} a (https://a.example/c)"), False),
        (of(TEXT, f"[{LONG[:200]}](https://a.example/b)", EXACT), of(TEXT, "https://a.example/b"), False),
        (of(PROMPT, "yes"), of(PROMPT, "yes", EXACT), True),
        (of(PROMPT, "**yes**", EXACT), of(PROMPT, "yes"), False),
        (of(PROMPT, LONG), of(TEXT, LONG), False),
        (of(TOOL_RESULT, "one"), of(TOOL_RESULT, "two"), False),
        (of(TOOL_RESULT, f"{LONG}{CUT}"), of(TOOL_RESULT, LONG * 2), False),
        (of(TOOL_RESULT, LONG, EXACT), of(TOOL_RESULT, f"{LONG[:300]}{CUT}"), False),
    ],
)
def test_outside_of_its_place_only_the_same_content_is_a_purged_message(gone, shown, expected):
    """All of it and nothing else, in either form; a ban asks the same."""
    assert compared(gone, shown, same) is expected
    others = [of(PROMPT, f"{n}{LONG}") for n in range(3)]
    bans = Bans(tombstone_of(each, fingerprint(each), everywhere=True) for each in (*others, gone))
    assert bans.has(shown, fingerprint(shown)) is expected
    assert not Bans().has(shown, fingerprint(shown))
    assert bans
    assert not Bans()


@pytest.mark.parametrize(
    ("gone", "shown", "ends", "expected"),
    [
        (of(TEXT, LONG), of(TEXT, LONG.replace(" ", "\n")), Ends(), REDRAWN),
        (of(TEXT, LONG, EXACT), of(TEXT, LONG.replace(" ", "  "), EXACT), Ends(), REDRAWN),
        (
            of(TEXT, f"{LONG}\n\n| a | b |\n|---|---|\n| c | d |\n", EXACT),
            of(TEXT, f"{LONG}\n│ a b │"),
            Ends(),
            REDRAWN,
        ),
        (of(PROMPT, "**yes**", EXACT), of(PROMPT, "yes"), Ends(), REDRAWN),
        (of(TEXT, LONG), of(TEXT, f"{LONG} And more."), Ends(), DIFFERENT),
        (of(TEXT, LONG), of(TEXT, f"{LONG} And more."), ENDED, GROWN),
        (of(TEXT, LONG), of(TEXT, f"{LONG} And more."), SHOWN_LAST, DIFFERENT),
        (of(TEXT, LONG), of(TEXT, f"{LONG} **And** more.", EXACT), ENDED, GROWN),
        (of(THINKING, LONG), of(THINKING, f"{LONG} And more."), ENDED, GROWN),
        (of(TEXT, LONG), of(TEXT, f"Q{LONG} And more."), ENDED, DIFFERENT),
        (of(TEXT, "So it is"), of(TEXT, "So it is, and was."), ENDED, DIFFERENT),
        (of(PROMPT, LONG), of(PROMPT, f"{LONG} more"), Ends(purged=True, shown=True), DIFFERENT),
        (of(TEXT, LONG), of(TEXT, LONG[:200]), Ends(), DIFFERENT),
        (of(TEXT, LONG), of(TEXT, LONG[:200]), ENDED, DIFFERENT),
        (of(TEXT, LONG), of(TEXT, LONG[:200]), SHOWN_LAST, PART),
        (of(TEXT, LONG), of(TEXT, LONG[:40]), SHOWN_LAST, DIFFERENT),
        (of(TEXT, LONG), of(TEXT, "Q" + LONG[1:200]), SHOWN_LAST, DIFFERENT),
        (of(TEXT, LONG), of(TEXT, f"{LONG[:200]}{CUT}"), Ends(), DIFFERENT),
        (of(TOOL_RESULT, f"{LONG}{CUT}"), of(TOOL_RESULT, f"{LONG} {LONG}", EXACT), Ends(), GROWN),
        (of(TOOL_RESULT, f"{LONG}{CUT}"), of(TOOL_RESULT, f"{LONG} {LONG}{CUT}"), Ends(), GROWN),
        (of(TOOL_RESULT, f"{LONG}{CUT}"), of(TOOL_RESULT, f"{LONG}{CUT.replace('7', '8')}"), Ends(), REDRAWN),
        (of(TOOL_RESULT, LONG), of(TOOL_RESULT, f"{LONG}\n… +3 lines (ctrl+r to see all)"), Ends(), REDRAWN),
        (of(TOOL_RESULT, LONG, EXACT), of(TOOL_RESULT, f"{LONG[:300]}{CUT}"), Ends(), PART),
        (of(TOOL_RESULT, LONG), of(TOOL_RESULT, f"{LONG[:300]}\n+4 more tool uses (ctrl+o to expand)"), Ends(), PART),
        (of(TOOL_RESULT, LONG), of(TOOL_RESULT, LONG[:300]), Ends(), DIFFERENT),
        (of(TOOL_RESULT, f"{LONG}{CUT}"), of(TOOL_RESULT, f"{LONG[:-9]} {LONG}"), Ends(), DIFFERENT),
        (of(PROMPT, "a+b"), of(PROMPT, "a-b"), Ends(), DIFFERENT),
        (of(PROMPT, "a+b"), of(PROMPT, "a +b"), Ends(), REDRAWN),
        (of(PROMPT, "yes"), of(PROMPT, "no"), Ends(), DIFFERENT),
        (of(PROMPT, "👍"), of(PROMPT, "👎"), Ends(), DIFFERENT),
        (of(TEXT, LONG), of(PROMPT, LONG), Ends(), DIFFERENT),
        (of(BOOKKEEPING, LONG), of(BOOKKEEPING, f"{LONG} more"), ENDED, DIFFERENT),
        (of(TEXT, LONG, EXACT, uuid="a"), of(TEXT, f"{LONG} more", EXACT, uuid="b"), ENDED, DIFFERENT),
        (of(TEXT, LONG, EXACT, uuid="a"), of(TEXT, f"{LONG} more", EXACT, uuid="a"), ENDED, GROWN),
        (
            of(TOOL_CALL, [{"type": "tool_use", "name": "Bash", "input": {"n": 1, "command": "ls -l here"}}], EXACT),
            of(TOOL_CALL, "Bash(ls -l\n  here)"),
            Ends(),
            REDRAWN,
        ),
        (of(TOOL_CALL, [{"type": "tool_use", "name": "Bash"}], EXACT), of(TOOL_CALL, "Bash(ls)"), Ends(), DIFFERENT),
    ],
)
def test_in_its_place_a_part_needs_a_reason(gone, shown, ends, expected):
    """The client's own mark, the export that ended with the purged message, or the one that ends with what is shown."""
    assert compared(gone, shown, proven, ends) == expected


@pytest.mark.parametrize(
    ("gone", "shown", "expected"),
    [
        (of(TOOL_RESULT, "one"), of(TOOL_RESULT, "two"), REDRAWN),
        (of(TOOL_CALL, "Bash(one)"), of(TOOL_CALL, "Bash(two)"), REDRAWN),
        (of(TOOL_CALL, "Bash(one)"), of(TOOL_CALL, "Read(two)"), DIFFERENT),
        (of(TOOL_CALL, "Bash(one)"), of(TOOL_CALL, [{"type": "tool_use"}], EXACT), REDRAWN),
        (of(TOOL_CALL, "one"), of(TOOL_CALL, "two"), DIFFERENT),
        (of(TEXT, LONG), of(TEXT, LONG.replace(".", "!")), REDRAWN),
        (of(TEXT, "a+b"), of(TEXT, "a-b"), DIFFERENT),
        (of(PROMPT, "*yes"), of(PROMPT, "yes", EXACT), REDRAWN),
        (of(TEXT, LONG), of(TEXT, f"{LONG} more"), DIFFERENT),
        (of(TOOL_RESULT, "one", EXACT, uuid="a"), of(TOOL_RESULT, "two", EXACT, uuid="b"), DIFFERENT),
        (of(TOOL_RESULT, "one", EXACT, uuid="a"), of(TOOL_RESULT, "two"), REDRAWN),
    ],
)
def test_what_only_a_place_speaks_for_is_no_proof(gone, shown, expected):
    """Another result, a call of the same tool, the same letters: it may stand there, and it may be another message."""
    assert compared(gone, shown, proven) == DIFFERENT
    assert compared(gone, shown) == expected


def test_a_part_is_told_by_all_that_is_known_of_the_beginning():
    """Not by its first letters: two messages may begin alike and go on differently."""
    one, other = "common words at the beginning of both " * 2, "they go on differently after that " * 40
    gone = of(TEXT, one + other)
    assert compared(gone, of(TEXT, (one + other)[:900]), relation, SHOWN_LAST) == PART
    assert compared(gone, of(TEXT, one + other.upper()[:600]), relation, SHOWN_LAST) == PART
    assert compared(gone, of(TEXT, one + other.replace("go", "went")[:600]), relation, SHOWN_LAST) == DIFFERENT


def test_beginnings_reach_as_far_as_any_message():
    """No step is so short that it can be guessed by itself, none longer than a fifth of what is known with it."""
    steps = [after - before for before, after in zip(LENGTHS, LENGTHS[1:])]
    assert LENGTHS[0] == STEP == min(steps) == 64
    assert all(5 * step <= after for step, after in zip(steps[7:], LENGTHS[8:]))
    assert LENGTHS[-1] > 10**7


bodies = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)


@settings(max_examples=300)
@given(
    st.text("abc .*_`#[](|\n", min_size=40, max_size=400),
    bodies,
    bodies,
    st.sampled_from((TEXT, PROMPT, TOOL_RESULT)),
    st.sampled_from((EXACT, LAYOUT)),
)
def test_no_other_message_with_a_common_beginning_is_a_purged_one(common, one, two, kind, fidelity):
    """Longer, shorter, or different behind it, from the same kind of source: only all of it is it."""
    said = [of(kind, text, fidelity) for text in (common, common + one, common + two)]
    for gone in said:
        for shown in said:
            whole = fingerprint(gone).content_hash == fingerprint(shown).content_hash
            assert compared(gone, shown, same) is whole


@settings(max_examples=300)
@given(st.text("abcde fghij", min_size=90, max_size=400), st.text("klmno .", max_size=30).filter(str.strip))
def test_no_other_message_is_a_purged_one_as_another_source_has_it(common, more):
    """What a screen showed is all of what was written, or it is another message."""
    for gone, shown in ((common, common + more), (common + more, common)):
        for fidelity, other in ((EXACT, LAYOUT), (LAYOUT, EXACT)):
            assert not compared(of(TEXT, gone, fidelity), of(TEXT, shown, other), same)
            assert compared(of(TEXT, gone, fidelity), of(TEXT, gone, other), same)


def test_a_place_is_no_proof_where_the_kind_differs():
    """Nothing said is a call, whatever it says."""
    gone, shown = of(TEXT, "Bash(one)"), of(TOOL_CALL, "Bash(one)")
    assert compared(gone, shown) == DIFFERENT
    left = tombstone_of(shown, fingerprint(shown))
    assert (
        relation(replace(left, call=""), of(TOOL_CALL, "Bash(two)"), fingerprint(of(TOOL_CALL, "Bash(two)")))
        == DIFFERENT
    )
