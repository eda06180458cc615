"""Which message is which: laws over conversations full of repeats, and the cases they grew from."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deduplication.alignment.columns import columns
from deduplication.alignment.fingerprint import DISTINCTIVE, fingerprints
from deduplication.alignment.overlap import shared_run, tail_overlap, without_second_copy
from deduplication.alignment.plan import Plan, plan
from deduplication.alignment.reading_order import reading_order
from deduplication.alignment.same_source import DIFFERENT
from deduplication.model import PROMPT, TEXT, TOOL_CALL, TOOL_RESULT
from memory_store import Memory, message

SHORT = st.sampled_from(
    [
        (PROMPT, "yes"),
        (PROMPT, "continue"),
        (PROMPT, "ok"),
        (TEXT, "OK."),
        (TEXT, "Done."),
        (TEXT, "OK."),
        (PROMPT, "👍"),
    ]
)
CALL = st.sampled_from(
    [[(TOOL_CALL, "Bash(ls)"), (TOOL_RESULT, "a\nb")], [(TOOL_CALL, "Read(a.py)"), (TOOL_RESULT, "Read 3 lines")]]
)
LONG = st.sampled_from([[(PROMPT, None)], [(TEXT, None)]])
PIECES = st.lists(st.one_of(SHORT.map(lambda turn: [turn]), SHORT.map(lambda turn: [turn]), CALL, LONG), max_size=25)


def long(mark):
    """A text that is said once: long enough to be told again."""
    return f"{mark}: the ledger of {mark} is folded beside the {mark} lantern and sealed"


def told(pieces, mark):
    """Messages of drawn pieces; the long ones are numbered, so that each is said once."""
    turns = list(itertools.chain.from_iterable(pieces))
    return [message(kind, content or long(f"{mark}{number}")) for number, (kind, content) in enumerate(turns)]


def conversations(mark="a"):
    """Conversations with many short repeats, repeated tool calls, and unique long messages."""
    return PIECES.map(lambda pieces: told(pieces, mark))


def distinctive(shown):
    """Does anything in it say enough to be an anchor?"""
    return any(item.distinctive for item in fingerprints(shown))


def test_the_example_of_the_module_is_true():
    """Same, drawn from another folder, grown, and a repeated "yes" that is new."""
    memory = Memory()
    begun = [
        message(PROMPT, "Why does the tide clock drift by a minute every week?"),
        message(TEXT, "The crystal ages, and the division rounds down."),
        message(PROMPT, "yes"),
    ]
    memory.add([*begun, message(TOOL_CALL, "Read(clock.c)"), message(TEXT, "It counts")])
    found = memory.plan(
        [
            *begun,
            message(TOOL_CALL, "Read(src/clock.c)"),
            message(TEXT, "It counts in half seconds."),
            message(PROMPT, "yes"),
        ]
    )
    assert found == Plan([0, 1, 2, 3, 4, None], frozenset({3, 4}), frozenset({3}))


def contents(shown):
    """The texts of messages."""
    return [item.content for item in shown]


def increasing(numbers):
    """Strictly so."""
    return all(one < other for one, other in zip(numbers, numbers[1:]))


# -- laws ------------------------------------------------------------------------------------------------------------


@given(conversations())
def test_the_same_export_again_adds_nothing(said):
    """Every message of a second look is the one of the first."""
    memory = Memory()
    memory.add(said)
    assert memory.plan(said) == Plan(list(range(len(said))))


@given(conversations(), st.data())
def test_a_window_of_what_is_known_adds_nothing(said, data):
    """Any run of messages of a known conversation is found in it whole, in order, each with its own text."""
    first = data.draw(st.integers(0, len(said)))
    end = data.draw(st.integers(first, len(said)))
    memory = Memory()
    memory.add(said)
    matches = memory.plan(said[first:end]).matches
    assert None not in matches
    assert increasing(matches)
    assert [said[number].content for number in matches] == contents(said[first:end])


@given(conversations(), conversations("b"))
def test_a_longer_export_adds_exactly_its_new_end(said, more):
    """What stood before is matched one to one; everything behind it is new, repeats included."""
    memory = Memory()
    memory.add(said)
    assert memory.plan([*said, *more]).matches == [*range(len(said)), *[None] * len(more)]


@given(conversations(), conversations("b"), st.data())
def test_an_overlap_with_something_distinctive_joins(said, more, data):
    """An export that begins inside the known conversation and goes on: the overlap is matched whole, the rest is new."""
    first = data.draw(st.integers(0, len(said)))
    overlap = said[first:]
    assume(distinctive(overlap))
    memory = Memory()
    memory.add(said)
    memory.add([*overlap, *more])
    assert memory.contents() == contents([*said, *more])


@given(conversations(), conversations("b"))
def test_another_conversation_is_all_new(said, other):
    """Short messages that both have prove nothing: where the long ones differ, nothing is the same."""
    said = [*said, message(TEXT, "an answer of the first conversation that nobody gives twice in these very words")]
    other = [*other, message(TEXT, "an answer of the other conversation, which is about something else altogether")]
    memory = Memory()
    memory.add(said)
    assert memory.plan(other).matches == [None] * len(other)


@given(conversations(), conversations("b"), conversations("c"))
def test_a_rewind_keeps_both_branches(said, one, other):
    """What was said before and after going back is all there: each export can be read out of the conversation."""
    memory = Memory()
    exports = [[*said, *one], [*said, *other]]
    windows = [memory.add(shown) for shown in exports]
    for shown, numbers in zip(exports, windows):
        assert [memory.messages[number].content for number in numbers] == contents(shown)
        assert len(set(numbers)) == len(numbers)
    assert sorted(memory.reading().order) == list(range(len(memory.messages)))


@given(conversations(), st.data())
@settings(max_examples=60)
def test_the_order_of_exports_does_not_matter(said, data):
    """Growing exports in any order give the conversation as it was said, each message once."""
    assume(distinctive(said[:5]))
    ends = sorted(data.draw(st.sets(st.integers(5, max(5, len(said))), min_size=1, max_size=4)) | {len(said)})
    exports = data.draw(st.permutations([said[:end] for end in ends]))
    memory = Memory()
    for shown in exports:
        memory.add(shown)
    assert memory.contents() == contents(said)


@given(conversations(), st.data())
@settings(max_examples=60)
def test_overlapping_windows_never_contradict_each_other(said, data):
    """Windows in any order are matched along the reading order: each is increasing in it, none is lost or doubled."""
    memory = Memory()
    memory.add(said)
    for _ in range(3):
        first = data.draw(st.integers(0, len(said)))
        numbers = memory.add(said[first : data.draw(st.integers(first, len(said)))])
        place = {number: position for position, number in enumerate(memory.reading().order)}
        assert increasing([place[number] for number in numbers])
    assert memory.contents() == contents(said)


@given(conversations(), conversations("b"), st.integers(1, 3))
def test_repeats_are_kept(said, more, times):
    """A "yes" is a turn, every time: the conversation has as many as were shown."""
    memory = Memory()
    yes = [message(PROMPT, "yes"), message(TEXT, "OK.")] * times
    memory.add(said)
    memory.add([*said, *yes])
    memory.add([*said, *yes, *more])
    assert memory.contents() == contents([*said, *yes, *more])


# -- cases -----------------------------------------------------------------------------------------------------------

A, B, C, D, E = (message(kind, long(mark)) for kind, mark in zip([PROMPT, TEXT, PROMPT, TEXT, PROMPT], "ABCDE"))
YES, OK = message(PROMPT, "yes"), message(TEXT, "OK.")


def call(argument, output):
    """A tool call with its result."""
    return [message(TOOL_CALL, f"Bash({argument})"), message(TOOL_RESULT, output)]


def matched(known, shown):
    """The alignment of one export against one that is stored."""
    memory = Memory()
    memory.add(known)
    return memory.plan(shown).matches


@pytest.mark.parametrize(
    ("known", "shown", "matches"),
    [
        ([], [A], [None]),
        ([A], [], []),
        ([A, B], [A, B, YES, OK], [0, 1, None, None]),
        ([A, B, YES, OK], [A, B, YES, OK, YES, OK], [0, 1, 2, 3, None, None]),
        ([A, B, C, D], [C, D, E], [2, 3, None]),
        ([C, D, E], [A, B, C, D], [None, None, 0, 1]),
        ([A, B, *call("ls", "one\ntwo"), C], [A, B, *call("ls", "one\n… +1 lines"), C], [0, 1, 2, 3, 4]),
        ([A, B, *call("src/a", "x"), C], [A, B, *call("a", "x"), C], [0, 1, 2, 3, 4]),
        ([A, B, YES, C, D], [A, B, OK, C, D], [0, 1, None, 3, 4]),
        ([A, YES, B], [A, OK, B], [None, None, None]),
        ([A, B], [C, D], [None, None]),
        ([A, YES], [B, YES], [None, None]),
        ([A, B, C], [A], [0]),
        ([YES, OK, A, B], [YES, OK, C, D], [None, None, None, None]),
        ([A, B, YES, YES, YES, C, D], [A, B, YES, C, D], [0, 1, 2, 5, 6]),
        ([A, B], [C, A, D], [None, None, None]),
        ([A, B], [C, A], [None, 0]),
        ([A], [B, A, C], [None, 0, None]),
    ],
    ids=[
        "nothing-known",
        "nothing-shown",
        "prefix",
        "repeats-go-on",
        "tail",
        "head",
        "result-cut",
        "path-moved",
        "between-anchors",
        "anchors-without-neighbours",
        "strangers",
        "only-yes",
        "shorter",
        "same-opening",
        "fewer-repeats",
        "pasted-into-another",
        "touching-ends",
        "whole-inside",
    ],
)
def test_matches(known, shown, matches):
    """The occurrence that each shown message is, or new."""
    assert matched(known, shown) == matches


def test_a_message_that_grew_is_the_same_one():
    """The last answer was still being written: the longer one extends it, and a reader gets it once, in its place."""
    memory = Memory()
    growing = [A, B, C, message(TEXT, long("D")[:50])]
    memory.add(growing)
    assert memory.plan([A, B, C, D, E]) == Plan([0, 1, 2, 3, None], frozenset({3}))
    memory.add([A, B, C, D, E])
    assert memory.contents() == contents([A, B, C, D, E])
    memory.add(growing)
    assert memory.contents() == contents([A, B, C, D, E])


def test_a_message_shown_in_part_adds_nothing():
    """An older export, processed later, shows the beginning of an answer that is stored whole."""
    memory = Memory()
    memory.add([A, B, C, D, E])
    assert memory.plan([A, B, C, message(TEXT, long("D")[:50])]) == Plan([0, 1, 2, 3])


def test_a_second_answer_to_the_same_prompt_is_kept():
    """Regenerated: same prompt, another answer. Both stay."""
    memory = Memory()
    memory.add([A, B, C, D, YES])
    other = message(TEXT, long("another D"))
    memory.add([A, B, C, other, E])
    assert sorted(memory.contents()) == sorted(contents([A, B, C, D, YES, other, E]))


def test_a_first_answer_that_was_still_being_written_is_found_again():
    """An export made during the first answer, then one made after it: one prompt, one answer in its longer form."""
    memory = Memory()
    memory.add([A, message(TEXT, long("B")[:30])])
    memory.add([A, B, YES, C])
    assert memory.contents() == contents([A, B, YES, C])


def test_a_prompt_that_is_pasted_into_another_session_is_another_prompt():
    """The same long first prompt with an answer that begins differently proves nothing."""
    memory = Memory()
    memory.add([A, B, C])
    assert memory.plan([A, D, E]).matches == [None, None, None]


def test_other_tool_calls_after_a_rewind_are_kept():
    """Behind the last message that both have, a call of the same tool is another call."""
    memory = Memory()
    memory.add([A, B, C, *call("ls one", "first"), D])
    memory.add([A, B, C, *call("rm two", "second"), E])
    assert {"Bash(ls one)", "first", "Bash(rm two)", "second"} <= set(memory.contents())


def test_a_short_answer_after_a_rewind_is_kept():
    """A short answer is not the stored longer one that begins like it, unless it is the last thing that was shown."""
    memory = Memory()
    memory.add([A, B, YES, message(TEXT, "Done. All tests pass."), C])
    memory.add([A, B, YES, message(TEXT, "Done."), D])
    assert "Done." in memory.contents()


def test_strong_ids_come_before_everything():
    """The same uuid tells which of several equal short messages it is, without any neighbour."""
    memory = Memory()
    memory.add([replace(A, uuid="u1"), replace(YES, uuid="u2"), replace(YES, uuid="u3"), replace(B, uuid="u4")])
    assert memory.plan([replace(YES, uuid="u3"), C]).matches == [2, None]
    assert memory.plan([replace(YES, uuid="u2"), C]).matches == [1, None]
    assert memory.plan([replace(YES, uuid="u9"), C]).matches == [None, None]


def test_only_one_of_two_equal_anchors_would_be_a_guess():
    """A long message said twice anchors nothing by itself; between real anchors each is matched in order."""
    assert matched([A, B, A, D], [A, B, A, D, A]) == [0, 1, 2, 3, None]


def test_exports_of_two_unconnected_stretches_are_joined_by_a_third():
    """A gap is closed by an export that shows both its sides."""
    memory = Memory()
    memory.add([A, B])
    memory.add([D, E])
    assert len(set(memory.reading().component)) == 2
    memory.add([A, B, C, D, E])
    assert memory.contents() == contents([A, B, C, D, E])
    assert len(set(memory.reading().component)) == 1


def test_a_window_without_anything_distinctive_matches_as_a_whole_or_not_at_all():
    """A few short turns lie inside the known ones, or they are new: no single one is picked out."""
    known = [A, B, YES, OK, message(PROMPT, "continue"), message(TEXT, "Done.")]
    assert matched(known, [OK, message(PROMPT, "continue")]) == [3, 4]
    assert matched(known, [OK, message(PROMPT, "go"), message(PROMPT, "continue")]) == [None, None, None]


def test_known_runs_may_lie_anywhere_in_a_larger_export():
    """A short first export ("yes", "OK.") is found again inside a later, longer one."""
    assert matched([YES, OK, YES], [A, B, YES, OK, YES, C]) == [None, None, 0, 1, 2, None]


def rows(shown):
    """The columns of messages."""
    return columns(fingerprints(shown))


def test_shared_run():
    """Distinctive messages in a row on both sides; short ones between them neither help nor break a run."""
    known = rows([A, YES, B, C, D])
    order = range(5)
    assert shared_run(known, order, rows([A, B, OK, C])) == 3
    assert shared_run(known, order, rows([A, C])) == 1
    assert shared_run(known, order, rows([B, A])) == 1
    assert shared_run(known, order, rows([YES, OK])) == 0
    assert shared_run(known, order, rows([C, E, D])) == 2
    assert shared_run(rows([A, A, B]), range(3), rows([A, B])) == 1


def test_tail_overlap():
    """The turns that end the known conversation begin the export made after a compaction."""
    known = rows([A, B, *call("ls", "x"), YES, C])
    order = range(6)
    for shown, head in (([C, D], [0]), ([B, YES, C, D], [0, 1, 2]), ([YES, D], []), ([B, C], []), ([], [])):
        assert tail_overlap(known, order, rows(shown), range(len(shown))) == head


@pytest.mark.parametrize(
    ("shown", "banners", "second"),
    [
        ([A, B, A, B], [2], range(2, 4)),
        ([A, B, A, B, C], [2], range(2, 4)),
        ([A, B, A], [2], range(2, 3)),
        ([A, B, C, A, B], [1, 3], range(3, 5)),
        ([A, B, A, C], [2], None),
        ([YES, YES], [1], None),
        ([A, B], [], None),
        ([A, B], [2], None),
        ([A, B], [0], None),
    ],
    ids=[
        "doubled",
        "goes-on",
        "cut",
        "second-banner",
        "differs",
        "too-short-to-tell",
        "no-banner",
        "at-the-end",
        "at-the-start",
    ],
)
def test_without_second_copy(shown, banners, second):
    """A banner whose turns repeat the file's beginning is a second copy; short turns alone prove none."""
    assert without_second_copy(rows(shown), banners) == second


def test_work_is_linear():
    """Twice the messages need at most a little more than twice the comparisons of bodies."""
    counts = []
    for size in (200, 400, 800):
        known = [item for n in range(size) for item in (message(PROMPT, "yes"), *call(f"a{n}", f"x{n}"))]
        shown = [item for n in range(size) for item in (message(PROMPT, "yes"), *call(f"b{n}", f"y{n}"))]
        asked = []

        class Counting:
            def relation(self, position, number, asked=asked):
                asked.append((position, number))
                return DIFFERENT

            wins = grew = relation

        whole_known, whole_shown = rows([A, *known, B]), rows([A, *shown, B])
        assert min(whole_known.weights[0], whole_known.weights[-1]) >= DISTINCTIVE
        plan(whole_known, reading_order(len(whole_known), [[[0, len(whole_known) - 1]]]), whole_shown, Counting())
        counts.append(len(asked))
    assert counts[2] <= 2.3 * counts[1] + 100
