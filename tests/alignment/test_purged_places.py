"""Where nothing but its place speaks for a purged message, turns on both sides of it must agree, one for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deduplication.alignment.columns import columns
from deduplication.alignment.fingerprint import fingerprints
from deduplication.alignment.plan import Plan
from deduplication.alignment.purged_places import PurgedPlaces, last_shown, purged_warning
from deduplication.alignment.reading_order import ReadingOrder
from deduplication.alignment.same_source import DIFFERENT, PART
from deduplication.alignment.tombstone import tombstone_of
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.export_view import ExportView
from deduplication.model import BOOKKEEPING, EXACT, NOTICE, PROMPT, TEXT, TOOL_CALL, TOOL_RESULT
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from exports import Turn
from memory_store import message
from purge_scenes import Talk, everything, sentence, squeezed, word


class Conversation:
    """Messages of which some were purged, as a store gives them."""

    def __init__(self, messages, purged, windows=()):
        self.columns = columns(fingerprints(messages))
        self.purged = set(purged)
        self.windows = [*windows]
        self.extends = {}
        self.tombstones = [tombstone_of(*each) for each in zip(messages, fingerprints(messages))]

    def reading(self):
        """One after the other."""
        return ReadingOrder(list(range(len(self.columns))), [0] * len(self.columns))


def settled(known, purged, shown, matches, grown=()):
    """The matches that are left of a plan."""
    conversation = Conversation(known, purged)
    prints = fingerprints(shown)
    places = PurgedPlaces(
        conversation, ExportView(shown, columns(prints), prints, []), conversation.tombstones.__getitem__
    )
    plan = places.without_unproven(Plan(list(matches), frozenset(grown)))
    return plan.matches, set(plan.grown)


def turns(*others):
    """A question, what stands behind it, and an answer."""
    return [message(PROMPT, sentence("asked")), *others, message(TEXT, sentence("answered"))]


def call(name):
    """A call of one tool."""
    return message(TOOL_CALL, f"Bash({name})")


def result(text):
    """A result."""
    return message(TOOL_RESULT, text)


def test_a_result_between_turns_that_agree_is_the_purged_one():
    """Drawn anew: it has nothing in common with the first one."""
    known = turns(call("a"), result("Running…"))
    assert settled(known, {2}, turns(call("a"), result("done")), [0, 1, 2, 3])[0] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("shown", "matches", "left"),
    [
        (turns(call("a"), result("done"))[:3], [0, 1, 2], [0, 1, None]),
        (turns(call("a"), result("done")), [0, 1, 2, None], [0, 1, None, None]),
        (turns(call("a"), result("done")), [None, 1, 2, 3], [None, 1, None, 3]),
        (turns(call("a"), result("done"), result("more")), [0, 1, 2, None, 3], [0, 1, None, None, 3]),
        (
            turns(call("a"), result("done"), message(TEXT, "another turn")),
            [0, 1, 2, None, 3],
            [0, 1, None, None, 3],
        ),
    ],
    ids=["nothing behind it", "another answer", "another question", "a result too many", "a turn too many"],
)
def test_where_one_side_does_not_agree_it_is_kept(shown, matches, left):
    """Another run of the call, after a rewind, is no rendering of the first one."""
    known = turns(call("a"), result("Running…"))
    assert settled(known, {2}, shown, matches)[0] == left


def test_a_turn_that_is_not_shown_leaves_it_open_what_its_neighbour_is():
    """As many turns as there were."""
    known = turns(call("a"), result("Running…"), message(TEXT, "so far"))
    assert settled(known, {2}, turns(call("a"), result("done")), [0, 1, 2, 4])[0] == [0, 1, None, 4]


def test_which_of_several_calls_it_is_makes_no_difference_where_all_of_them_were_purged():
    """One of two calls is shown: either was purged, or it is kept."""
    known = turns(call("a"), call("b"))
    assert settled(known, {1, 2}, turns(call("c")), [0, 1, 3])[0] == [0, 1, 3]
    assert settled(known, {1}, turns(call("c")), [0, 1, 3])[0] == [0, None, 3]


def test_what_says_the_same_needs_no_place():
    """Nor does what has the same id."""
    known = [message(TEXT, sentence("gone", 2))]
    assert settled(known, {0}, known, [0])[0] == [0]
    known = [replace(message(TOOL_RESULT, "one"), uuid="a", fidelity=EXACT)]
    shown = [replace(message(TOOL_RESULT, "two"), uuid="a", fidelity=EXACT)]
    assert settled(known, {0}, shown, [0])[0] == [0]
    assert settled(known, {0}, [replace(shown[0], uuid="b")], [0])[0] == [None]


def test_turns_that_are_drawn_anew_hold_each_other():
    """The first one of a conversation, and two in a row: as many turns are known there as are shown."""
    long = sentence("gone", 2)
    known = [message(PROMPT, long), message(TEXT, long + "!"), message(PROMPT, sentence("next"))]
    shown = [message(PROMPT, long.replace(".", "…")), message(TEXT, long.replace(".", "…")), known[2]]
    assert settled(known, {0, 1}, shown, [0, 1, 2])[0] == [0, 1, 2]
    assert settled(known, {0, 1}, shown[1:], [1, 2])[0] == [None, 2]


def test_nothing_that_was_purged_has_grown():
    """A longer form of it is it; what stays may have grown."""
    known = turns(result("one"))
    assert settled(known, {1}, turns(result("two")), [0, 1, 2], {1, 2}) == ([0, 1, 2], {2})
    assert settled(known, set(), turns(result("two")), [0, 1, 2], {1, 2}) == ([0, 1, 2], {1, 2})


def test_an_export_ends_with_what_was_said_last():
    """What the client printed behind it is no end; a window without a turn has none."""
    said = [
        message(TEXT, "a"),
        replace(message(TEXT, "/export"), kind=BOOKKEEPING),
        replace(message(TEXT, "n"), kind=NOTICE),
    ]
    assert last_shown(Conversation(said, (), [[[0, 2]]])) == {0}
    assert last_shown(Conversation(said, (), [[[0, 0], [1, 2]], [[2, 2]]])) == {0}
    assert last_shown(Conversation([*said, message(TEXT, "b")], (), [[[0, 2]], [[0, 3]]])) == {0, 3}


@pytest.mark.parametrize(
    ("behind", "expected"),
    [([], PART), ([BOOKKEEPING, NOTICE], PART), ([TEXT], DIFFERENT), ([BOOKKEEPING, TEXT], DIFFERENT)],
    ids=["nothing", "a command", "a turn", "a command and a turn"],
)
def test_a_part_is_the_purged_message_where_the_export_ends_with_it(behind, expected):
    """What the client printed behind it does not matter; a turn says that it was finished."""
    long = sentence("gone", 4)
    conversation = Conversation([message(TEXT, long)], {0})
    shown = [message(TEXT, long[:200]), *(replace(message(TEXT, "behind"), kind=kind) for kind in behind)]
    prints = fingerprints(shown)
    places = PurgedPlaces(
        conversation, ExportView(shown, columns(prints), prints, []), conversation.tombstones.__getitem__
    )
    assert places.relation(0, 0) == expected


def test_the_number_is_told():
    """One, several, or nothing."""
    assert purged_warning(0) == ()
    assert purged_warning(1)[0].startswith("1 message that it shows was purged before")
    assert purged_warning(1200)[0].startswith("1,200 messages that it shows were purged before")


def test_a_call_drawn_from_its_arguments_is_told_at_the_end_as_well(tmp_path):
    """Nothing behind it agrees, and the name with the argument is all that a screen showed of it."""
    dedup = ClaudeConversationDeduplicator(tmp_path)
    talk = Talk("alder", 12, images=False)
    dedup.ingest(talk.text(), name="a.txt", conversation_id="it")
    identity = next(
        m["content_hash"] for m in dedup.get_full_conversation("it") if squeezed(m)[2].startswith("Bash(catalderzq11")
    )
    purge(dedup.store, None, scope_of(["it"], None, [identity]))
    longer = Talk("alder", 14, images=False)
    longer.turns[13] = Turn("assistant", "text", sentence("new"))
    dedup.ingest(longer.lines(), name="b.jsonl", conversation_id="it")
    raw = everything(tmp_path)
    assert [n for n in range(13) if word("alder", n).encode() not in raw] == [11]
