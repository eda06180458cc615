"""Two stores that become their union: nothing is lost, nothing is doubled, everything is in order, and it can be done again."""

from __future__ import annotations

import random

import pytest

from deduplication.ingest import taken_over
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.run_names import Runs
from deduplication.ingest.transcript_capture import capture_file
from exports import Story, kept
from truth_day import Day, Happens
from truth_lines import Transcript, transcript_differences
from truth_screen import ERAS
from truth_session import Session


def store_in(folder):
    """A deduplicator over a store in ``folder``."""
    return ClaudeConversationDeduplicator(folder / "state")


def united(target, source):
    """Take over in ``target`` what ``source`` has; how many runs that were."""
    with target.store.transaction(), source.store.transaction(write=False):
        known = Runs(target.store.commits())
        return taken_over.take_over(target.store, taken_over.runs_of(source.store, known))


def told(dedup, name):
    """A conversation as it is read. The time of a message that has none of its own is that of its run, to the second."""
    messages = dedup.get_full_conversation(name)
    return [{**each, "timestamp": each["timestamp"][: None if each["clock"] == "source" else 17]} for each in messages]


@pytest.mark.parametrize("seed", range(6))
def test_exports_that_two_machines_processed_come_to_what_one_would_have(tmp_path, seed):
    """Each second export on another machine: the union is the story, each message once, and so are the counts."""
    story = Story(seed, exchanges=14)
    one, other = store_in(tmp_path / "one"), store_in(tmp_path / "other")
    for number, file in enumerate(story.exports(4, compact_every=2, rewrap=bool(seed % 2), repeat=0.3)):
        (one, other)[number % 2].ingest(file.data, name=file.name, conversation_id="s")
    assert united(one, other) == 2
    assert kept(one.get_full_conversation("s")) == story.truth()
    assert one.store.verify() == []


def test_what_was_taken_over_once_is_not_taken_over_again(tmp_path):
    """Whoever was stopped begins again; nothing changes, not even a count."""
    story = Story(5, exchanges=8)
    one, other = store_in(tmp_path / "one"), store_in(tmp_path / "other")
    for number, file in enumerate(story.exports(3)):
        (one, other)[number % 2].ingest(file.data, name=file.name)
    united(one, other)
    with one.store.transaction(write=False):
        before = one.store.log_size()
    assert united(one, other) == 0
    with one.store.transaction(write=False):
        assert one.store.log_size() == before


def test_a_store_that_is_empty_gets_everything(tmp_path):
    """Captured turns and exports, with their times, ids and sessions: one store says what the other one says."""
    session = Session("empty")
    transcript = Transcript("empty", session)
    other, one = store_in(tmp_path / "other"), store_in(tmp_path / "one")
    file = tmp_path / f"{transcript.session}.jsonl"
    for part in (3, 2, 1):
        file.write_bytes(transcript.data[: len(transcript.data) // part])
        capture_file(other, file)
    for export in Day("empty", session, ERAS["2.1.330"], Happens(compacted=0.4)).files:
        other.ingest(export.data, name=export.name)
    united(one, other)
    assert one.conversations() == other.conversations()
    for name in other.conversations():
        assert told(one, name) == told(other, name)
    with one.store.transaction(write=False), other.store.transaction(write=False):
        assert one.store.announced() == other.store.announced()
        assert one.store.store_figures() == other.store.store_figures()
        assert one.store.cursors() == other.store.cursors()
    assert one.store.verify() == []


@pytest.mark.parametrize("seed", range(4))
def test_a_session_that_two_machines_went_on_with_is_whole(tmp_path, seed):
    """Both captured parts of one session that went from one machine to the other and back: every line once, in order."""
    transcript = Transcript(f"moved/{seed}", Session(f"moved/{seed}"), compacted=(5,), rewound=(7,))
    chance = random.Random(seed)
    stores = store_in(tmp_path / "one"), store_in(tmp_path / "other")
    for number, end in enumerate([*sorted(chance.sample(range(5, len(transcript.lines)), 4)), len(transcript.lines)]):
        file = tmp_path / str(number % 2) / f"{transcript.session}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"".join(line.data for line in transcript.lines[:end]))
        capture_file(stores[number % 2], file)
    united(*stores)
    (name,) = stores[0].conversations()
    assert transcript_differences(transcript, stores[0].get_full_conversation(name)) == []
    assert stores[0].store.verify() == []
