"""deduplicator: every message of every export is kept exactly once, in its place, whatever comes first."""

from __future__ import annotations

import itertools
import json
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deduplication.errors import ExportError, ExportWarning, NotAnExport, UsageError
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from exports import ASSISTANT, USER, Story, Turn, kept


@pytest.fixture
def dedup(tmp_path):
    """An empty store."""
    return ClaudeConversationDeduplicator(tmp_path / "state")


def document(*indexes, start=0):
    """A JSON export in the original design's form, with its own indexes."""
    roles = ("user", "assistant")
    return {
        "messages": [
            {
                "index": n - start,
                "role": roles[n % 2],
                "content": f"Message number {n} about the harbour and the ledger.",
            }
            for n in indexes
        ]
    }


def contents(messages):
    """The texts."""
    return [message["content"] for message in messages]


# -- the original design's examples -------------------------------------------------------------------------------


def test_a_cumulative_export_gives_only_what_is_new(dedup):
    """The seed's example: messages 0 to 10, then 0 to 25, give 15 new ones, in order."""
    first = dedup.process_export("rollout-master", document(*range(11)))
    assert len(first) == 11
    second = dedup.process_export("rollout-master", document(*range(26)))
    assert len(second) == 15
    assert [message["index"] for message in second] == list(range(11, 26))
    assert contents(dedup.get_full_conversation("rollout-master")) == contents(document(*range(26))["messages"])
    assert [m["source_index"] for m in dedup.get_full_conversation("rollout-master")] == list(range(26))


def test_the_statistics_have_the_original_keys(dedup):
    """watermark, unique_messages, total_messages, storage_savings_pct; and every number agrees with the others."""
    dedup.process_export("rollout-master", document(*range(11)))
    dedup.process_export("rollout-master", document(*range(26)))
    figures = dedup.get_statistics("rollout-master")
    assert (figures["watermark"], figures["unique_messages"], figures["total_messages"]) == (25, 26, 26)
    assert (figures["messages_processed"], figures["duplicates_filtered"]) == (37, 11)
    assert figures["exports_processed"] == 2
    assert figures["unconnected_runs"] == 1
    assert figures["storage_savings_pct"] == round(100 * (1 - figures["stored_bytes"] / figures["raw_bytes"]), 1)
    assert figures["created_at"] <= figures["last_updated"]
    unknown = dedup.get_statistics("nobody")
    assert (unknown["watermark"], unknown["total_messages"], unknown["storage_savings_pct"]) == (-1, 0, 0.0)


def test_gaps_are_found_in_what_is_given_and_stored_together(dedup):
    """The seed's example [(5, 7), (10, 12)], with nothing stored, and with a part of it stored."""
    given_ = [{"index": n} for n in (0, 1, 2, 3, 4, 8, 9, 13)]
    assert dedup.detect_gaps("rollout-master", given_) == [(5, 7), (10, 12)]
    dedup.process_export("rollout-master", document(5, 6, 7))
    assert dedup.detect_gaps("rollout-master", given_) == [(10, 12)]
    assert dedup.detect_gaps("rollout-master", [{"index": True}, {"text": "x"}]) == []


def test_an_index_jump_is_said_when_the_export_is_processed(dedup):
    """Missing indexes are a gap with numbers, and no message is invented or dropped."""
    data = json.dumps(document(0, 1, 5, 6, 9)).encode()
    result = dedup.ingest(data, name="x.json", conversation_id="c")
    assert result.gaps == ("messages 2 to 4 are missing", "messages 7 to 8 are missing")
    assert result.total == result.new == 5


def test_indexes_that_begin_again_lose_nothing(dedup):
    """After a restart an export counts from 0 once more: the seed's watermark would drop all of it."""
    dedup.process_export("c", document(*range(20)))
    new = dedup.process_export("c", document(*range(17, 30), start=17))
    assert contents(new) == contents(document(*range(20, 30))["messages"])
    assert contents(dedup.get_full_conversation("c")) == contents(document(*range(30))["messages"])


def test_repeats_are_turns(dedup):
    """A "yes" said three times is three messages and one body; a repeat of the export adds none."""
    story = Story(1, exchanges=1, tools=False)
    story.turns = []
    story.starts = []
    for n in range(3):
        story.starts.append(len(story.turns))
        story.turns.append(Turn(USER, "prompt", "yes"))
        story.turns.append(
            Turn(ASSISTANT, "text", f"Answer {n}: the harbour master has been told about crate number {n}.")
        )
    data = story.show(0, 6)
    first = dedup.ingest(data, name="a.txt", conversation_id="c")
    assert (first.total, first.new, first.duplicates) == (6, 4, 2)
    assert kept(dedup.get_full_conversation("c")) == story.truth()
    again = dedup.ingest(data, name="a.txt", conversation_id="c")
    assert (again.total, again.new, again.duplicates, again.known_before) == (6, 0, 6, True)
    assert kept(dedup.get_full_conversation("c")) == story.truth()
    assert dedup.get_statistics("c")["total_messages"] == 6
    assert dedup.global_unique_count() == 4


# -- what may be passed in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "bytes", "bytearray", "path"])
def test_an_export_may_be_text_bytes_or_a_path(dedup, tmp_path, form):
    """All ways of passing an export store the same."""
    story = Story(2, exchanges=3)
    data = story.show(0, len(story.turns))
    (tmp_path / "2026-01-01-EXPORT-STORY.txt").write_bytes(data)
    passed = {
        "text": data.decode(),
        "bytes": data,
        "bytearray": bytearray(data),
        "path": tmp_path / "2026-01-01-EXPORT-STORY.txt",
    }[form]
    new = dedup.process_export("c", passed)
    assert len(new) == len(set(story.truth()))
    assert kept(dedup.get_full_conversation("c")) == story.truth()
    assert dedup.process_export("c", passed) == []


def test_an_object_and_its_json_are_the_same_export(dedup):
    """A dictionary, a list and the JSON text of it give the same messages."""
    dedup.process_export("c", document(*range(6)))
    assert dedup.process_export("c", json.dumps(document(*range(6)))) == []
    assert dedup.process_export("c", document(*range(6))["messages"]) == []
    assert dedup.get_statistics("c")["total_messages"] == 6


def test_new_messages_have_what_the_interface_promises(dedup):
    """Each is a dictionary with index, role, kind, content, content_hash and timestamp; the stored one agrees."""
    new = dedup.process_export("c", document(0, 1))
    stored = dedup.get_full_conversation("c")
    for one, other in zip(new, stored):
        assert {"index", "role", "kind", "content", "content_hash", "timestamp", "source_index"} <= set(one)
        assert {name: one[name] for name in one if name in other} == {
            name: other[name] for name in one if name in other
        }
    assert [message["role"] for message in new] == ["user", "assistant"]


@pytest.mark.parametrize(
    "bad",
    ["", " ", "..", ".", "a/b", "a\\b", "../x", "a\nb", "a\x1b[31m", "a\0", " a", "x" * 201, "\ud800", "a\u202eb"],
)
def test_a_session_id_that_could_do_harm_is_refused_before_anything_is_written(dedup, tmp_path, bad):
    """Path parts, control characters, too long: a usage error, and no store is made."""
    with pytest.raises(UsageError):
        dedup.process_export(bad, document(0))
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "data",
    [b"", b"  \n ", b"\0\1\2binary" * 100, b"just a note\n", b'{"a": 1}', b"[]", b"\xff\xfe", b'{"messages": "no"}'],
    ids=["empty", "blank", "binary", "a note", "other JSON", "empty list", "byte order mark", "wrong type"],
)
def test_what_is_no_export_is_a_named_error_and_stores_nothing(dedup, tmp_path, data):
    """The error belongs to the export; the store is not even created."""
    with pytest.raises(ExportError):
        dedup.ingest(data, name="x.txt")
    assert not (tmp_path / "state").exists()
    assert dedup.conversations() == []


def test_an_object_that_is_no_export_is_a_named_error(dedup):
    """Objects of another form are refused like files of another form."""
    with pytest.raises(NotAnExport):
        dedup.process_export("c", {"no": "messages"})


def test_an_unknown_conversation_is_empty(dedup, tmp_path):
    """Asking creates nothing."""
    assert dedup.get_full_conversation("nobody") == []
    assert dedup.conversations() == []
    assert dedup.storage_bytes() == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_the_default_store_lies_in_the_project(tmp_path):
    """Without a folder it is MEMORY-CONTEXT/dedup_state below the current one."""
    ClaudeConversationDeduplicator().process_export("c", document(0))
    assert (tmp_path / "MEMORY-CONTEXT" / "dedup_state" / "conversation_log.jsonl").is_file()


# -- dry runs and numbers -----------------------------------------------------------------------------------------


def test_a_dry_run_counts_the_same_and_stores_nothing(dedup, tmp_path):
    """The numbers of a dry run are those of the run that follows; the store is as it was, or not there at all."""
    story = Story(3, exchanges=8)
    before: dict[str, bytes] = {}
    for file in story.exports(2):
        dry = dedup.ingest(file.data, name=file.name, conversation_id="c", dry_run=True)
        state = tmp_path / "state"
        assert ({p.name: p.read_bytes() for p in state.iterdir()} if state.exists() else {}) == before
        wet = dedup.ingest(file.data, name=file.name, conversation_id="c")
        before = {p.name: p.read_bytes() for p in state.iterdir()}
        assert (dry.total, dry.new, dry.duplicates, dry.gaps) == (wet.total, wet.new, wet.duplicates, wet.gaps)
        assert contents(dry.new_messages) == contents(wet.new_messages)


@pytest.mark.parametrize("seed", range(3))
def test_every_number_can_be_recounted(dedup, seed):
    """I5: total = new + duplicates in every result, the sums agree with the statistics, and verify finds nothing."""
    story = Story(40 + seed, exchanges=16)
    files = story.exports(2, compact_every=3, repeat=0.4, rewrap=True)
    results = [dedup.ingest(file.data, name=file.name, conversation_id="c") for file in files]
    for file, result in zip(files, results):
        assert result.total == result.new + result.duplicates == file.end - file.first
        assert result.new == len(result.new_messages)
        assert (result.raw_bytes, result.sha256) == (len(file.data), file.sha)
    figures = dedup.get_statistics("c")
    assert figures["exports_processed"] == len(files)
    assert figures["messages_processed"] == sum(result.total for result in results)
    assert figures["duplicates_filtered"] == sum(result.duplicates for result in results)
    assert figures["unique_messages"] == dedup.global_unique_count() == sum(result.new for result in results)
    assert figures["unique_messages"] == len(set(story.truth()))
    assert figures["total_messages"] == len(story.truth()) == figures["watermark"] + 1
    assert (
        figures["raw_bytes"] == dedup.storage_bytes()[0] == sum({file.sha: len(file.data) for file in files}.values())
    )
    assert dedup.store.verify() == []


# -- the laws -----------------------------------------------------------------------------------------------------


def store_of(files):
    """A store in a folder of its own with these exports processed in this order."""
    folder = tempfile.mkdtemp()
    dedup = ClaudeConversationDeduplicator(folder)
    for file in files:
        dedup.ingest(file.data, name=file.name, conversation_id="c")
    return dedup


@pytest.mark.unmeasured
@given(
    seed=st.integers(0, 10_000),
    every=st.integers(2, 5),
    compact=st.sampled_from([0, 0, 2, 3]),
    rewrap=st.booleans(),
    repeat=st.sampled_from([0.0, 0.5]),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=30, deadline=None)
def test_the_order_of_processing_does_not_matter(seed, every, compact, rewrap, repeat, order):
    """I3: whatever order the exports of a conversation come in, the conversation is the truth, and again gives 0 new."""
    story = Story(seed, exchanges=14)
    files = story.exports(every, compact_every=compact, rewrap=rewrap, repeat=repeat)
    order.shuffle(files)
    dedup = store_of(files)
    assert kept(dedup.get_full_conversation("c")) == story.truth()
    log = dedup.get_statistics("c")["watermark"]
    order.shuffle(files)
    for file in files:
        again = dedup.ingest(file.data, name=file.name, conversation_id="c")
        assert (again.new, again.known_before) == (0, True)
    assert kept(dedup.get_full_conversation("c")) == story.truth()
    assert dedup.get_statistics("c")["watermark"] == log
    assert dedup.store.verify() == []


@given(seed=st.integers(0, 10_000), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_window_of_known_turns_adds_nothing(seed, data):
    """I3: any stretch of a known conversation, at any width, compacted or not, gives 0 new and changes no order."""
    story = Story(seed, exchanges=12)
    dedup = store_of(story.exports(12))
    first = data.draw(st.sampled_from(story.starts))  # a client never begins an export with a result
    end = data.draw(st.integers(first + 1, len(story.turns)))
    width = data.draw(st.sampled_from([50, 80, 132]))
    window = story.show(first, end, width=width, compacted=data.draw(st.booleans()), closing=3)
    result = dedup.ingest(window, name="w.txt", conversation_id="c")
    assert (result.total, result.new) == (end - first, 0)
    assert kept(dedup.get_full_conversation("c")) == story.truth()


def test_all_permutations_of_three_compacted_exports_agree(tmp_path):
    """Six orders, one conversation, and the same bodies in each store."""
    story = Story(77, exchanges=12)
    files = story.exports(4, compact_every=1)
    assert len(files) == 3
    assert files[1].first > 0
    for order in itertools.permutations(files):
        dedup = store_of(order)
        assert kept(dedup.get_full_conversation("c")) == story.truth()
        assert dedup.global_unique_count() == len(set(story.truth()))


def test_a_watermark_alone_is_never_believed(dedup):
    """I4: an export whose first messages differ from the stored ones is aligned by content; nothing is skipped by number."""
    one, other = Story(51, exchanges=5), Story(52, exchanges=5)
    dedup.ingest(one.show(0, len(one.turns)), name="a", conversation_id="c")
    result = dedup.ingest(other.show(0, len(other.turns)), name="b", conversation_id="c")
    unknown = set(other.truth()) - set(one.truth())
    assert result.new == len(unknown)
    got = kept(dedup.get_full_conversation("c"))
    assert [row for row in got if row in unknown] == [row for row in other.truth() if row in unknown]
    assert dedup.get_statistics("c")["total_messages"] == len(one.turns) + len(other.turns)


def test_a_changed_message_in_a_known_prefix_is_kept_beside_the_old_one(dedup):
    """I4: as many messages as the watermark says, but one of them another: it is new, the old one stays."""
    story = Story(53, exchanges=6, tools=False)
    dedup.ingest(story.show(0, len(story.turns)), name="a", conversation_id="c")
    changed = Turn(ASSISTANT, "text", "An entirely different answer about glaciers, pulleys and one very old compass.")
    at = next(n for n, turn in enumerate(story.turns) if turn.role == ASSISTANT and n > 3)
    old, story.turns[at] = story.turns[at], changed
    result = dedup.ingest(story.show(0, len(story.turns)), name="b", conversation_id="c")
    assert kept(result.new_messages) == [changed.squeezed]
    assert {old.squeezed, changed.squeezed} <= set(kept(dedup.get_full_conversation("c")))


# -- messages that were still growing -----------------------------------------------------------------------------


def growing(lengths):
    """Exports of one exchange whose answer has grown to so many sentences, with an exchange before it."""
    story = Story(61, exchanges=2, tools=False)
    sentences = [f"Sentence number {n} tells of the harbour, of ledger {n * n} and of the lanterns." for n in range(6)]
    shown = []
    for length in lengths:
        story.turns = [*story.turns[:3], Turn(ASSISTANT, "text", " ".join(sentences[:length]))]
        story.starts = [0, 2]
        shown.append((story.show(0, 4), story.truth()))
    return shown


@pytest.mark.parametrize("order", list(itertools.permutations([2, 4, 6])), ids=str)
def test_a_message_that_grew_is_read_in_its_longest_form(dedup, order):
    """Whatever order its versions come in, the conversation has the longest, once; every version's body is kept."""
    exports = dict(zip(order, growing(order)))
    for length in order:
        dedup.ingest(exports[length][0], name=f"{length}.txt", conversation_id="c")
    assert kept(dedup.get_full_conversation("c")) == exports[6][1]
    assert dedup.get_statistics("c")["total_messages"] == 4
    before = dedup.get_statistics("c")["watermark"]
    for length in order:
        assert dedup.ingest(exports[length][0], name=f"{length}.txt", conversation_id="c").new == 0
    assert dedup.get_statistics("c")["watermark"] == before, "the same exports again stored something"
    assert kept(dedup.get_full_conversation("c")) == exports[6][1]
    assert dedup.store.verify() == []


def test_both_bodies_of_a_message_that_grew_are_kept(dedup, tmp_path):
    """The part that was stored first stays in the log beside the longer version."""
    short, long = growing([2, 5])
    dedup.ingest(short[0], name="a", conversation_id="c")
    result = dedup.ingest(long[0], name="b", conversation_id="c")
    assert (result.total, result.new) == (4, 1)
    log = (tmp_path / "state" / "conversation_log.jsonl").read_text(encoding="utf-8")
    bodies = [json.loads(line)["message"]["content"] for line in log.splitlines() if '"message":' in line]
    assert sum(body.startswith("Sentence number 0") for body in bodies) == 2


# -- which conversation -------------------------------------------------------------------------------------------


def test_an_export_finds_its_conversation_by_content(dedup):
    """Without an id a later export joins the conversation it continues, whatever its name; a stranger does not."""
    story, stranger = Story(71, exchanges=12), Story(72, exchanges=4)
    files = story.exports(4, compact_every=2)
    first = dedup.ingest(files[0].data, name="2026-03-01-EXPORT-WORKSHOP.txt")
    assert first.conversation_id == "workshop"
    assert not first.known_before
    for file in files[1:]:
        assert dedup.ingest(file.data, name="something-else.txt").conversation_id == "workshop"
    other = dedup.ingest(stranger.show(0, len(stranger.turns)), name="2026-03-01-EXPORT-OTHER.txt")
    assert other.conversation_id == "other"
    assert dedup.conversations() == ["workshop", "other"]
    assert kept(dedup.get_full_conversation("workshop")) == story.truth()
    assert kept(dedup.get_full_conversation("other")) == stranger.truth()


def test_the_very_same_file_goes_where_it_went_before(dedup):
    """A copy under another name, too short to be recognised by its turns, is still the same file."""
    story = Story(73, exchanges=1, tools=False)
    data = story.show(0, len(story.turns))
    assert dedup.ingest(data, name="one.txt").conversation_id == "one"
    again = dedup.ingest(data, name="two.txt")
    assert (again.conversation_id, again.new, again.known_before) == ("one", 0, True)


def test_two_conversations_under_one_name_are_kept_apart_inside_it(dedup):
    """No overlap means a second run, said in the statistics; never a drop."""
    one, other = Story(74, exchanges=4), Story(75, exchanges=4)
    dedup.ingest(one.show(0, len(one.turns)), name="a", conversation_id="c")
    dedup.ingest(other.show(0, len(other.turns), compacted=True), name="b", conversation_id="c")
    assert dedup.get_statistics("c")["unconnected_runs"] == 2
    assert kept(dedup.get_full_conversation("c")) == one.truth() + other.truth()


def test_a_beginning_after_a_compaction_is_a_gap_that_is_said(dedup):
    """The first export of a conversation begins at a divider: what was before it is missing, and the result says so."""
    story = Story(76, exchanges=6)
    result = dedup.ingest(story.show(story.starts[2], len(story.turns), compacted=True), name="a", conversation_id="c")
    assert result.gaps == ("the export begins after a compaction; what was said before it is not in the store",)
    whole = dedup.ingest(story.show(0, len(story.turns)), name="b", conversation_id="c")
    assert whole.gaps == ()
    assert kept(dedup.get_full_conversation("c")) == story.truth()


def test_a_file_that_shows_itself_twice_is_counted_once(dedup):
    """Some versions wrote the conversation twice under two banners: each turn is kept once, and a warning says why."""
    story = Story(78, exchanges=4)
    data = story.show(0, len(story.turns))
    result = dedup.ingest(data + data, name="a", conversation_id="c")
    assert result.total == len(story.turns)
    assert any("twice" in warning for warning in result.warnings)
    assert kept(dedup.get_full_conversation("c")) == story.truth()


def test_an_overlap_of_short_turns_alone_is_kept_rather_than_dropped(dedup):
    """Two windows that share only "yes" and "Done.": no proof that they are the same, so nothing is dropped."""
    story = Story(79, exchanges=8, tools=False)
    at = story.starts[4]
    story.turns[at : at + 2] = [Turn(USER, "prompt", "yes"), Turn(ASSISTANT, "text", "Done.")]
    dedup.ingest(story.show(0, at + 2), name="a", conversation_id="c")
    dedup.ingest(story.show(at, len(story.turns), compacted=True), name="b", conversation_id="c")
    got = iter(kept(dedup.get_full_conversation("c")))
    assert all(turn in got for turn in story.truth()), "a turn is missing, or out of order"


def test_a_lost_message_is_brought_back_by_its_own_export(tmp_path):
    """Where damage took a message from the log, the very export that had it restores it, in its place."""
    export = (
        " ▐▛███▜▌   Claude Code v2.1.197\n\n"
        "● The ledger holds the items of the shop and every one of them has a name and a number\n\n"
        "● A second answer that says how the lantern is lit in the harbour when the night comes down\n\n"
        "● And a third one, about the bridge over the river and the people who walk there in the evening\n\n● OK."
    ).encode()
    store = tmp_path / "state"
    dedup = ClaudeConversationDeduplicator(store)
    dedup.ingest(export, name="a.txt", conversation_id="c")
    whole = [message["content"] for message in dedup.get_full_conversation("c")]
    log = store / "conversation_log.jsonl"
    lines = log.read_bytes().split(b"\n")
    lines[1] = lines[1][:40] + b"X" * 30 + lines[1][70:]
    log.write_bytes(b"\n".join(lines))
    dedup = ClaudeConversationDeduplicator(store)
    assert "message 1 of 'c' is lost" in dedup.store.rebuild()[0]
    assert dedup.ingest(export, name="a.txt", conversation_id="c").new == 1
    assert [message["content"] for message in dedup.get_full_conversation("c")] == whole
    assert dedup.ingest(export, name="a.txt", conversation_id="c").known_before


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"role": "user"}, "no content"),
        ({"content": "x"}, "no role"),
        ({"role": "user", "content": ""}, "an empty content"),
    ],
    ids=["content", "role", "empty"],
)
def test_a_message_that_lacks_something_is_told_through_python(tmp_path, message, told):
    """It is kept, and the caller hears of it."""
    with pytest.warns(ExportWarning, match=told):
        new = ClaudeConversationDeduplicator(tmp_path / "state").process_export("quay", {"messages": [message]})
    assert len(new) == 1
