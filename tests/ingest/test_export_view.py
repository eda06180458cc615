"""What becomes of an export's messages once a plan is made."""

from __future__ import annotations

from dataclasses import replace

from deduplication.alignment.fingerprint import fingerprint
from deduplication.alignment.plan import Plan
from deduplication.alignment.tombstone import Bans, tombstone_of
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.export_view import new_occurrences, view_of
from deduplication.model import EXACT, TEXT, Export
from memory_store import message
from purge_scenes import Talk, squeezed


def said(text, uuid=None):
    """An answer as a transcript has it."""
    return replace(message(TEXT, text), uuid=uuid, fidelity=EXACT)


def occurrences(messages, matches, bans=None, grown=()):
    """Sequence number, text, and what each new occurrence extends."""
    shown = view_of(Export("transcript", tuple(messages)))
    fresh, numbers = new_occurrences(shown, Plan(list(matches), frozenset(grown)), 10, bans or Bans())
    return [(number, new.message.content, new.extends) for number, new in fresh], numbers


def test_two_versions_under_one_id_are_one_message():
    """The later one extends the earlier one, a third one that; another id, or none, is a message of its own."""
    messages = [
        said("one", "a"),
        said("two", "b"),
        said("one more", "a"),
        said("three"),
        said("three"),
        said("one last", "a"),
    ]
    found, numbers = occurrences(messages, [None] * 6)
    assert [extends for _, _, extends in found] == [None, None, 10, None, None, 12]
    assert numbers == [10, 11, 12, 13, 14, 15]


def test_two_versions_under_one_id_are_read_once(tmp_path):
    """Of a transcript that has a line twice, first in part: the last one is read, both are kept."""
    dedup = ClaudeConversationDeduplicator(tmp_path)
    talk, longer = Talk("alder", 8, images=False), Talk("alder", 8, images=False)
    longer.turns[5] = replace(talk.turns[5], text="It is said in quite another way, and longer. " * 4)
    found = dedup.ingest(talk.lines(0, 6) + longer.lines(5, 8), name="a.jsonl", conversation_id="it")
    assert (found.total, found.new) == (9, 9)
    read = [squeezed(m)[2] for m in dedup.get_full_conversation("it")]
    assert len(read) == 8
    assert read[5] == "".join(longer.turns[5].text.split())
    assert "".join(talk.turns[5].text.split()) not in read
    assert dedup.store.verify() == []


def test_what_had_grown_extends_what_is_stored():
    """What is known is no new occurrence."""
    assert occurrences([said("one"), said("two and more")], [3, 4], grown={1}) == ([(10, "two and more", 4)], [3, 10])


def test_what_was_purged_extends_nothing():
    """A shorter form that stays would be hidden by a message of which nothing is left."""
    gone = said("two and more")
    bans = Bans([tombstone_of(gone, fingerprint(gone), everywhere=True)])
    assert occurrences([said("one"), gone], [3, 4], bans, grown={1}) == ([(10, "two and more", None)], [3, 10])
