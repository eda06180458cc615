"""A source united with a target that has a log of its own: both are there, each message once, and it can be done again."""

from __future__ import annotations

import pytest

from deduplication.exchange import uniting
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from exports import Story, kept
from full_store import FullStore, numbered
from migration_scenes import LOGGED, lines_of, stores

__all__ = ["stores"]


def united(source, target):
    """Unite one store with another."""
    return uniting.unite(source.store, target.store, lambda _at: None)


def halves(one, other, seed=3):
    """A story whose exports two machines processed."""
    story = Story(seed, exchanges=14)
    for number, file in enumerate(story.exports(4, compact_every=2, rewrap=True, repeat=0.3)):
        (one, other)[number % 2].ingest(file.data, name=file.name, conversation_id="s")
    return story


@pytest.mark.parametrize("target", LOGGED)
def test_two_stores_become_their_union(stores, tmp_path, target):
    """Each message once, in its order; nothing is missing, and a second time nothing is done."""
    one, goal = ClaudeConversationDeduplicator(tmp_path / "one"), stores.opened(target)
    story = halves(goal, one)
    done = united(one, goal)
    assert (done.runs, done.known, done.missing, done.purges) == (2, 0, [], 0)
    assert kept(goal.get_full_conversation("s")) == story.truth()
    before = lines_of(goal.store)
    again = united(one, stores.opened(target))
    assert (again.runs, again.known, again.missing) == (0, 2, [])
    assert lines_of(goal.store) == before


def test_everything_of_a_full_store_is_there_afterwards(tmp_path, stores):
    """Images, united conversations, what no export could be named; what was purged is left out, and said."""
    origin = FullStore(tmp_path / "origin", tmp_path / "client").filled()
    goal = stores.opened("default", "goal")
    goal.ingest(numbered("own", range(6)), name="own.json", conversation_id="own")
    done = united(origin.dedup, goal)
    assert (done.missing, done.purges) == ([], 2)
    assert "own" in goal.conversations()
    assert goal.store.verify() == []


def test_what_a_run_left_in_the_source_that_did_not_finish_is_no_part_of_it(tmp_path, stores):
    """Its lines stand behind the last run, and nobody waits for the rest of them."""
    origin, goal = ClaudeConversationDeduplicator(tmp_path / "origin"), stores.opened("default", "goal")
    origin.ingest(numbered("a", range(3)), name="a.json", conversation_id="a")
    origin.ingest(numbered("b", range(3)), name="b.json", conversation_id="b")
    log = tmp_path / "origin" / "conversation_log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    (tmp_path / "origin" / "index.bin").unlink()
    done = united(ClaudeConversationDeduplicator(tmp_path / "origin"), goal)
    assert (done.runs, done.messages, done.missing) == (1, 3, [])


def test_a_message_that_is_missing_is_named(tmp_path, stores, monkeypatch):
    """The proof looks into the target itself: a run that was passed over is found."""
    origin, goal = ClaudeConversationDeduplicator(tmp_path / "origin"), stores.opened("default", "goal")
    origin.ingest(numbered("a", range(3)), name="a.json", conversation_id="a")
    origin.ingest(numbered("b", range(3)), name="b.json", conversation_id="b")
    take_over = uniting.take_over
    monkeypatch.setattr(uniting, "take_over", lambda target, runs, into: take_over(target, runs[:1], into))
    done = united(origin, goal)
    assert done.missing == ["'b', message 0", "'b', message 1", "'b', message 2"]


def test_a_part_of_a_longer_message_and_another_drawing_are_there(tmp_path, stores):
    """What the target has in a longer or another form is not missing."""
    origin, goal = ClaudeConversationDeduplicator(tmp_path / "origin"), stores.opened("default", "goal")
    *_, before, last = Story(4, exchanges=10).exports(3, rewrap=True)
    origin.ingest(before.data, name=before.name, conversation_id="s")
    goal.ingest(last.data, name=last.name, conversation_id="s")
    done = united(origin, goal)
    assert (done.missing, done.messages > 10) == ([], True)
