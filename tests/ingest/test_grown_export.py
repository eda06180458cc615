"""An export that begins as an earlier one did: its rest comes to what all of it would come to, in every way that a run can tell."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deduplication import formats
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.grown_export import _Grown
from deduplication.ingest.proven_prefix import Beginning
from deduplication.storage import finding
from deduplication.storage.index.log_rows import LogRows
from export_chains import Ran, both, day_chain, line_chain, lines_of, mixed, text_chain
from truth_day import Happens
from truth_screen import ERAS
from truth_session import Session

ERA = ERAS["2.1.197"]
SOME = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def plain(seed=1, *, exports=6, turns=25, **happens):
    """A day of one session in which nothing happens but this."""
    return day_chain(seed, Session(f"{seed}", turns=turns), ERA, Happens(**happens), exports=exports)


def names(chain, first=1):
    """The names of a chain's exports from the ``first`` on."""
    return [name for name, _ in chain[first:]]


def with_more(data, *blocks):
    """A text export with further blocks."""
    return data.rstrip(b"\n") + b"\n\n" + "\n\n".join(blocks).encode() + b"\n"


def refused(*_):
    """In the place of what reads rows."""
    raise AssertionError("rows were read")


# -- the same as the whole -----------------------------------------------------------------------------------------


@pytest.mark.unmeasured
@SOME
@given(st.integers(0, 1_000_000))
def test_texts_come_to_what_reading_them_whole_comes_to(tmp_path_factory, seed):
    """Whatever happened to the session and to its files, in every era."""
    both(tmp_path_factory.mktemp("chain"), text_chain(seed))


@pytest.mark.unmeasured
@SOME
@given(st.integers(0, 1_000_000))
def test_transcripts_come_to_what_reading_them_whole_comes_to(tmp_path_factory, seed):
    """With compactions, rewinds, lines twice, in another order, cut or unknown."""
    both(tmp_path_factory.mktemp("chain"), line_chain(seed))


@pytest.mark.parametrize("backend", ["json", "default"])
def test_a_growing_text_is_read_from_its_last_known_prompt_on(tmp_path, backend):
    """All but the first export, whichever index the store has."""
    chain = plain()
    assert both(tmp_path, chain, backend=backend).rest == names(chain)


@pytest.mark.parametrize("backend", ["json", "default"])
def test_a_growing_transcript_is_read_from_its_known_end_on(tmp_path, backend):
    """All but the first export, a compaction in it or not."""
    lines = lines_of(3, compacted=(4,))
    boundaries = [n + 1 for n, line in enumerate(lines) if b"compact_boundary" in line]
    ends = sorted({*range(4, len(lines), 5), *boundaries})
    chain = [(f"{end}.jsonl", b"".join(lines[:end])) for end in ends]
    whole = {f"{end}.jsonl" for end in boundaries}  # nothing but the mark of a compaction is new
    assert both(tmp_path, chain, backend=backend).rest == [name for name in names(chain) if name not in whole]


def test_closing_lines_that_are_drawn_anew_are_no_other_bytes(tmp_path):
    """Each export has other words in every closing line."""
    verbs = ["Baked", "Churned", "Sautéed", "Brewed"]
    drawn = [
        (name, re.sub("✻ .*(?=\n\n[>❯] )", f"✻ {verbs[number % 4]} for {number}m 3s", data.decode()).encode())
        for number, (name, data) in enumerate(plain(4))
    ]
    assert all(
        not later.startswith(one[:2000]) for (_, one), (_, later) in zip(drawn, drawn[1:]) if "✻" in one[:2000].decode()
    )
    assert both(tmp_path, drawn).rest == names(drawn)


def test_another_letter_is_another_export(tmp_path):
    """A letter, a blank, a line more in what was said above: the file is read whole."""
    (name, first), (_, second), *_ = plain(5)
    at = first.index(b"\n\n", 700) - 3
    for other in (b"#", b"", second[at : at + 1] + b" "):
        changed = second[:at] + other + second[at + 1 :]
        assert both(tmp_path / str(len(other)), [(name, first), ("b.txt", changed)]).rest == []


def test_an_answer_that_grew_is_aligned_with_its_beginning(tmp_path):
    """The last answer of the export before was still being written: what took its place is one message."""
    (_, first), *_ = plain(6)
    answer = "● The tide clock counts in half seconds, and so the wheel below it turns a whole step too early"
    unfinished = with_more(first, "❯ Why does the tide clock run fast in spring?", answer)
    whole = with_more(
        first, "❯ Why does the tide clock run fast in spring?", f"{answer}, every night.", "❯ Then mend it.", "● Done."
    )
    ran = both(tmp_path, [("0.txt", first), ("1.txt", unfinished), ("2.txt", whole)])
    assert [result["extends"] for result in ran.log if "extends" in result]
    assert ran.rest == ["1.txt", "2.txt"]


def test_a_shorter_export_is_known_by_an_earlier_one(tmp_path):
    """Somebody went back: the longest prefix that holds is that of an earlier export."""
    chain = plain(7)
    ran = both(
        tmp_path, [*chain[:4], ("again.txt", with_more(chain[1][1], "❯ Something else altogether, please. ", "● Yes."))]
    )
    assert "again.txt" in ran.rest or ran.results[-1].new


@pytest.mark.unmeasured
def test_two_conversations_with_one_beginning_stay_two(tmp_path):
    """The same first turns, then each its own: neither takes the other's turns, in any order of their exports."""
    for seed in range(4):
        one = plain(8, exports=5)
        words = [line for line in one[0][1].decode().split("\n\n") if line]
        other = [
            (
                f"fork-{count}.txt",
                with_more(one[0][1], *(f"❯ And another {n} of {words[0][:8]}? " for n in range(count))),
            )
            for count in range(1, 4)
        ]
        both(tmp_path / str(seed), mixed(random.Random(seed), one, other))


def test_a_conversation_that_shares_turns_with_the_rest_is_found(tmp_path):
    """What the rest says stands in another conversation, too: both are one, as they would be had all been read."""
    chain = plain(9, exports=4)
    tail = chain[3][1][len(chain[2][1]) - 40 :]
    banner = chain[0][1][: chain[0][1].index("❯".encode())]
    part = banner + tail[tail.index("❯".encode()) :]
    ran = both(tmp_path, [chain[0], ("part.txt", part), *chain[1:]])
    assert ran.dedup.conversations()


def test_what_was_captured_meanwhile_is_no_obstacle(tmp_path):
    """A conversation that is named by the person is the one, whatever else the store has learned since."""
    chain = plain(10)
    assert both(tmp_path, chain, conversation="mine").rest == names(chain)


def test_what_was_placed_within_a_prefix_moves_nothing_below_it(tmp_path):
    """Another export showed a turn between those of the prefix; turns said over and over below are not taken for earlier ones."""
    (_, first), *_ = plain(15)
    again = ["❯ Go on, please. ", "● Done."]
    rounds = with_more(first, *again * 4)
    at = first.rindex("\n❯ ".encode()) + 1
    between = rounds[:at] + "❯ One more thing that only this file shows. \n\n● Seen.\n\n".encode() + rounds[at:]
    chain = [("0.txt", rounds), ("1.txt", between), ("2.txt", with_more(rounds, *again))]
    stored = [
        both(tmp_path / str(count), chain[:count], conversation="mine").dedup.get_full_conversation("mine")
        for count in (2, 3)
    ]
    assert len(stored[1]) == len(stored[0]) + len(again)


def test_a_trial_run_counts_what_the_run_would_store(tmp_path):
    """And leaves the store as it was."""
    chain = plain(14)
    ran = Ran(tmp_path / "s", chain[:-1], rest=True)
    tried = ran.dedup.ingest(chain[-1][1], name=chain[-1][0], dry_run=True)
    done = ran.dedup.ingest(chain[-1][1], name=chain[-1][0])
    assert (tried.total, tried.new, tried.duplicates) == (done.total, done.new, done.duplicates)
    assert not done.known_before


def test_a_message_that_was_purged_has_the_file_read_whole(tmp_path):
    """Nothing is believed of a conversation in which something is missing."""
    chain = plain(11)
    ran = Ran(tmp_path / "s", chain[:2], rest=True)
    store = ran.dedup.store
    with store.transaction():
        (name,) = store.conversations()
        store.conversation(name).purged.add(0)
        beginning = Beginning(chain[2][1], formats.cumulative(formats.client_export()))
        (begun,) = beginning.longest(store.prefixes(beginning.head))
        export = formats.client_export().parse_rest(chain[2][1], begun.place)
        assert not _Grown(store, begun, export).is_settled(None, "x.txt")
        store.conversation(name).purged.clear()
        assert _Grown(store, begun, export).is_settled(None, "x.txt")


def test_no_row_of_what_is_known_is_read(tmp_path, monkeypatch):
    """Only the rows that the rest is compared with, and the stretches that they stand in."""
    chain = plain(12)
    ran = Ran(tmp_path / "s", chain[:-1], rest=True, backend="default")
    again = ClaudeConversationDeduplicator(tmp_path / "s")
    del ran

    monkeypatch.setattr(LogRows, "rows", refused)
    assert again.ingest(chain[-1][1], name="last.txt").new > 0


@pytest.mark.parametrize("backend", ["json", "default"])
def test_an_index_made_again_knows_the_same_prefixes(tmp_path, backend):
    """What an export begins with is in the log."""
    chain = plain(13)
    ran = Ran(tmp_path / "s", chain[:-1], rest=True, backend=backend)
    assert ran.dedup.store.rebuild() == []
    assert ran.dedup.store.verify() == []
    assert Ran(tmp_path / "s", chain[-1:], rest=True, backend=backend).rest == names(chain[-1:], 0)


@pytest.mark.unmeasured
def test_exports_of_the_corpus_as_they_grew(corpus, tmp_path):
    """Each real export, cut at some of its prompts, and whole."""
    used = 0
    for number, path in enumerate(
        sorted(each for each in corpus.rglob("*") if each.suffix in (".txt", ".md", ".jsonl"))
    ):
        data = path.read_bytes()
        mark = b"\n{" if path.suffix == ".jsonl" else b"\n\n> " if b"\n\n> " in data else "\n\n❯ ".encode()
        places = [match.start() + 1 for match in re.finditer(re.escape(mark), data)]
        if len(places) > 4:
            ends = [places[len(places) * part // 4] for part in (1, 2, 3)]
            chain = [(f"{part}{path.suffix}", data[:end]) for part, end in enumerate([*ends, len(data)])]
            used += len(both(tmp_path / str(number), chain).rest)
    assert used > 20


def test_who_does_not_ask_for_new_messages_has_no_rows_read_for_them(tmp_path, monkeypatch):
    """``keep`` False: the same result without the list, though bodies come that the conversation had."""
    chain = plain(8)
    again = chain[-1][1].rstrip(b"\n") + b"\n\n" + chain[0][1][-2000:].partition(b"\n\n")[2]
    found = []
    for keep in (True, False):
        dedup = ClaudeConversationDeduplicator(tmp_path / str(keep))
        for name, data in chain:
            dedup.ingest(data, name=name)
        if not keep:
            monkeypatch.setattr(finding, "holds", refused)
        found.append(dedup.ingest(again, name="again.txt", keep=keep))
    with_list, without = found
    assert with_list.total == without.total
    assert with_list.new == without.new
    assert (bool(with_list.new_messages), without.new_messages) == (with_list.new > 0, [])
