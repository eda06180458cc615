"""What a store shows to be missing of its own conversations, on every backend."""

from __future__ import annotations

import pytest

from deduplication.gaps import cut_messages, sequences
from deduplication.gaps.look import in_conversation, look
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from gap_scenes import cut, numbered, turns
from store_backends import EVERY, Stores
from transcript_lines import SESSION, answer, call, compacted, day, prompt, result

FIRST = [
    "Which of the harbour's cranes is the oldest one that still works?",
    "The third one from the north: it was built before the war and still lifts.",
    "And which of them is painted green, for whatever reason that may be?",
    "The fifth one, because the painter of that year had nothing else left.",
]
LATER = [
    "How deep is the water below the quay where the ferries are moored?",
    "Nine metres at low tide, says the chart that was drawn last autumn.",
    "Does the chart say when the next survey of the harbour is to be done?",
    "In the spring of next year, unless the harbour master decides otherwise.",
]


@pytest.fixture(params=EVERY)
def dedup(request, tmp_path):
    """A deduplicator over an empty store of each backend."""
    with Stores(request, tmp_path) as stores:
        yield stores.opened(request.param, str(tmp_path / "state"))


def kinds(found):
    """Of each kind that there is, how many."""
    return {kind: count for kind, count in found.counts.items() if count}


# --- index jumps ------------------------------------------------------------------------------------------------------


def test_indexes_that_jump_within_an_export(dedup):
    """The ranges are those that the design's ``detect_gaps`` returns, and the same function says them."""
    dedup.process_export("tide", numbered(0, 1, 2, 6, 7, 10))
    (gap,) = look(dedup.store).of("index_jump")
    assert gap.ranges == ((3, 5), (8, 9))
    assert list(gap.ranges) == dedup.detect_gaps("tide", [])
    assert (gap.count, gap.unit, gap.sure, gap.conversation_id) == (5, "messages", "certain", "tide")


def test_indexes_that_jump_between_exports_and_are_filled(dedup):
    """What a later export brings is no longer missing."""
    dedup.process_export("tide", numbered(0, 1, 2))
    dedup.process_export("tide", numbered(6, 7))
    (gap,) = look(dedup.store).of("index_jump")
    assert (gap.ranges, gap.sure) == (((3, 5),), "likely")
    dedup.process_export("tide", numbered(2, 3, 4, 5, 6))
    assert look(dedup.store).of("index_jump") == []


def test_what_has_no_numbers_jumps_nowhere(dedup):
    """A text export has none."""
    dedup.ingest(turns(*FIRST), name="a.txt", conversation_id="a")
    assert look(dedup.store).gaps == ()


# --- compactions, stretches that nothing ties -------------------------------------------------------------------------


def test_an_export_that_begins_after_a_compaction(dedup):
    """What was said before is missing, until an export shows it and what the tail has of it."""
    dedup.ingest(turns(*FIRST[2:], *LATER, compacted=True), name="b.txt", conversation_id="a")
    (gap,) = look(dedup.store).gaps
    assert (gap.kind, gap.sure, gap.place, gap.since) == ("compaction", "certain", -1, "")
    dedup.ingest(turns(*FIRST), name="a.txt", conversation_id="a")
    assert look(dedup.store).gaps == ()


def test_a_compaction_that_shares_nothing_with_what_is_stored(dedup):
    """The place is the last message before it; an export that shows both fills it."""
    dedup.ingest(turns(*FIRST), name="a.txt", conversation_id="a")
    dedup.ingest(turns(*LATER, compacted=True), name="b.txt", conversation_id="a")
    (gap,) = look(dedup.store).gaps
    assert (gap.kind, gap.sure, gap.place) == ("compaction", "likely", 3)
    assert gap.since <= gap.until
    dedup.ingest(turns(*FIRST, *LATER), name="c.txt", conversation_id="a")
    assert look(dedup.store).gaps == ()


def test_a_hole_in_time_between_two_exports(dedup):
    """Two exports of one conversation that share nothing: what came between them nobody saw."""
    dedup.ingest(turns(*FIRST), name="a.txt", conversation_id="a")
    dedup.ingest(turns(*LATER), name="b.txt", conversation_id="a")
    (gap,) = look(dedup.store).gaps
    assert (gap.kind, gap.place, gap.conversation_id) == ("time_hole", 3, "a")


def test_what_another_conversation_has_is_not_missing(dedup):
    """An export under a name of its own begins after a compaction: what stands before it is stored under another name."""
    dedup.ingest(turns(*FIRST, *LATER), name="a.txt", conversation_id="a")
    dedup.ingest(turns(*FIRST[2:], *LATER, compacted=True), name="b.txt", conversation_id="b")
    assert look(dedup.store).gaps == ()


# --- hidden lines -----------------------------------------------------------------------------------------------------


def test_lines_that_an_export_hides_until_another_source_has_them(dedup):
    """They are counted as the client counts them; the whole result, in a longer export, fills them."""
    dedup.ingest(cut(87), name="a.txt", conversation_id="a")
    found = look(dedup.store)
    (gap,) = found.gaps
    assert (gap.kind, gap.count, gap.unit, found.hidden_lines) == ("hidden_lines", 87, "lines", 87)
    whole = "\n     ".join(map(str, range(1, 91)))
    dedup.ingest(
        cut(0, shown=whole).replace("     … +0 lines (ctrl+o to expand)\n".encode(), b""),
        name="b.txt",
        conversation_id="a",
    )
    assert look(dedup.store).gaps == ()


def test_lines_that_the_transcript_has_under_another_name(dedup):
    """An export that was given a name of its own: the session's transcript, another conversation, has all of the result."""
    asked, said = (
        "Count the cranes of the harbour from the north to the south, please",
        "The cranes of the harbour were counted, all of them",
    )
    whole = "\n".join(map(str, range(1, 91)))
    data = prompt(asked) + call("Bash", "a", command="seq 1 90") + result(whole, "a") + answer(said)
    dedup.ingest(cut(87), name="a.txt", conversation_id="a")
    assert kinds(look(dedup.store)) == {"hidden_lines": 1}
    dedup.ingest(data, name="t.jsonl", conversation_id="t")
    assert len(dedup.conversations()) == 2
    assert look(dedup.store).gaps == ()


def test_only_so_many_conversations_are_held_against_others(dedup, monkeypatch):
    """Of the rest the lines are likely missing: another conversation may have them."""
    monkeypatch.setattr("deduplication.gaps.look.MOST_COMPARED", 1)
    dedup.ingest(cut(87), name="a.txt", conversation_id="a")
    dedup.ingest(
        cut(12).replace(b"harbour", b"station").replace(b"cranes", b"trains"), name="b.txt", conversation_id="b"
    )
    assert [gap.sure for gap in look(dedup.store).gaps] == ["certain", "likely"]


@pytest.mark.parametrize("mark", ["… +1 line (ctrl+r to expand)", "… +1,204 lines (ctrl+o to see all)"])
def test_each_form_of_the_mark(dedup, mark):
    """Singular, with separators, of older versions."""
    data = cut(5).replace("… +5 lines (ctrl+o to expand)".encode(), mark.encode())
    dedup.ingest(data, name="a.txt", conversation_id="a")
    assert look(dedup.store).hidden_lines == int(mark.split("+")[1].split()[0].replace(",", ""))


def test_what_a_tool_printed_hides_nothing(dedup):
    """A transcript is written exactly: a result that ends so showed an export."""
    data = (
        prompt("Show me the export")
        + call("Bash", "a", command="cat a.txt")
        + result("x\n… +57 lines (ctrl+o to expand)", "a")
    )
    dedup.ingest(data, name="t.jsonl")
    assert look(dedup.store).gaps == ()


def test_equal_results_are_counted_in_every_place(dedup):
    """The body is stored once, its lines are missing twice."""
    dedup.ingest(cut(87), name="a.txt", conversation_id="a")
    other = cut(87).replace(b"harbour", b"station").replace(b"cranes", b"trains")
    dedup.ingest(other, name="b.txt", conversation_id="b")
    assert [gap.count for gap in look(dedup.store).of("hidden_lines")] == [87, 87]


def test_one_pass_over_the_log_finds_what_asking_finds(dedup):
    """In every conversation, those that are one included."""
    dedup.ingest(cut(87), name="a.txt", conversation_id="a")
    dedup.ingest(
        cut(12, command="ls", shown="x\n     y\n     z") + cut(3).removeprefix(b" "), name="b.txt", conversation_id="b"
    )
    dedup.ingest(turns(*FIRST), name="c.txt", conversation_id="c")
    store = dedup.store
    backed = store.log_backed()
    if backed is None:
        pytest.skip("a store without a log is asked")
    passed = cut_messages.in_log(backed)
    assert passed is not None
    with store.transaction(write=False):
        for name in store.conversations():
            of = sequences.stored(store, name)
            assert passed.of(of) == cut_messages.in_conversation(of)
    assert sum(bool(places) for places in passed.places.values()) == 2


# --- what is complete -------------------------------------------------------------------------------------------------


def test_a_complete_transcript_lacks_nothing(dedup):
    """Compactions in it, results in it, an export of it: all is there."""
    data = day(3) + compacted("A summary of all that was said about the harbour so far") + day(3, 3)
    data += call("Bash", "a", command="seq 1 90") + result("\n".join(map(str, range(90))), "a")
    dedup.ingest(data, name=f"{SESSION}.jsonl")
    assert look(dedup.store).gaps == ()


def test_a_fork_whose_origin_is_stored_lacks_nothing(dedup):
    """It begins with a compaction, and the origin has what came before; without the origin that is missing."""
    end = compacted("A summary of all that was said about the harbour so far") + answer(
        "Going on from there, as was agreed"
    )
    fork = end.replace(SESSION.encode(), b"22222222-2222-4333-8444-555555555555")
    dedup.ingest(fork, name="fork.jsonl")
    assert kinds(look(dedup.store)) == {"compaction": 1}
    dedup.ingest(day(3) + end, name=f"{SESSION}.jsonl")
    assert look(dedup.store).gaps == ()


def test_one_conversation_is_looked_at_by_its_name(dedup):
    """The beginning of an id is enough, and the others are left alone."""
    dedup.ingest(cut(87), name="a.txt", conversation_id="alpha")
    dedup.process_export("beta", numbered(0, 3))
    assert kinds(look(dedup.store, "alp")) == {"hidden_lines": 1}
    assert kinds(look(dedup.store, "beta")) == {"index_jump": 1}
    assert [gap.kind for gap in in_conversation(dedup.store, "beta")] == ["index_jump"]


def test_what_was_purged_is_not_missing(tmp_path):
    """Its place is left, and says that nothing is missing there."""
    from deduplication.commands import purge

    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    dedup.process_export("tide", numbered(0, 1, 2, 3))
    gone = dedup.get_full_conversation("tide")[1]["content_hash"]
    assert purge.main(["--message", gone, "--storage-dir", str(tmp_path / "state"), "--yes"]) == 0
    assert look(ClaudeConversationDeduplicator(tmp_path / "state").store).gaps == ()
