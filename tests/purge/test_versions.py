"""Which longer forms of a message go with it: the same as it was written, not an answer that only begins alike."""

from __future__ import annotations

import pytest

from deduplication.alignment.fingerprint import content_hash
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import ASSISTANT, TEXT
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from exports import Turn
from purge_scenes import Talk, everything, sentence, word

SHOWN = f"{sentence('shown', 2)} See the plan of the harbour."


@pytest.mark.parametrize(
    ("written", "goes"),
    [
        (SHOWN.replace("the plan", f"[the plan](https://a.example/{word('own', 5)})"), True),
        (f"{SHOWN} Then {word('own', 5)} goes on.", False),
    ],
    ids=["the same with its link", "an answer that goes on"],
)
def test_what_was_written_goes_with_what_a_screen_showed_of_it(tmp_path, written, goes):
    """A transcript took the place of a text export: each of its answers is the one shown, or one that only begins as it does."""
    dedup = ClaudeConversationDeduplicator(tmp_path)
    talk = Talk("alder", images=False)
    talk.turns[5] = Turn("assistant", "text", SHOWN)
    dedup.ingest(talk.text(), name="a.txt", conversation_id="it")
    talk.turns[5] = Turn("assistant", "text", written)
    dedup.ingest(talk.lines(), name="a.jsonl", conversation_id="it")
    assert len(dedup.get_full_conversation("it")) == 16
    done = purge(dedup.store, None, scope_of(["it"], None, [content_hash(ASSISTANT, TEXT, SHOWN)]))
    assert (done.plan.occurrences, done.plan.chained) == (1 + goes, int(goes))
    assert (word("own", 5).encode() in everything(tmp_path)) is not goes
    assert len(dedup.get_full_conversation("it")) == 16 - goes
    assert dedup.store.verify() == []
