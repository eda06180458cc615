"""message_sequence and occurrences: a million messages in a few bytes each, and the same messages as before."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment import fingerprint, message_sequence
from deduplication.alignment import plan as alignment
from deduplication.alignment.message_sequence import Messages, Spans, each_body, places_of
from deduplication.alignment.tombstone import Bans
from deduplication.formats import text
from deduplication.ingest import export_view
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.occurrences import Joined
from deduplication.model import ASSISTANT, EXACT, LAYOUT, PROMPT, TEXT, USER, Export, Message, Span

BODIES = st.tuples(
    st.sampled_from([(USER, PROMPT), (ASSISTANT, TEXT)]),
    st.sampled_from(["a", "b", "\u00e9", "a" * 201, "b" * 201]),
    st.sampled_from([LAYOUT, EXACT]),
)


def sequence(found):
    """The same messages in columns, and as objects."""
    kept = Messages()
    objects = []
    for number, ((role, kind), content, fidelity) in enumerate(found):
        kept.add(role, kind, content, fidelity, number * 3, number * 3 + 2)
        objects.append(Message(role, kind, content, number * 3, number * 3 + 2, fidelity=fidelity))
    return kept, objects


@given(st.lists(BODIES, max_size=40), st.data())
def test_messages_in_columns_are_the_messages(found, data):
    """Length, order, each by its position, slices, choices, bodies and places: all as in a list of objects."""
    kept, objects = sequence(found)
    assert (len(kept), list(kept), list(reversed(kept))) == (len(objects), objects, objects[::-1])
    assert list(kept[1:-1:2]) == objects[1:-1:2]
    assert each_body(kept, lambda m: m.content) == [m.content for m in objects]
    assert list(places_of(kept)) == list(places_of(objects)) == [(m.start, m.end) for m in objects]
    if objects:
        chosen = data.draw(st.lists(st.integers(0, len(objects) - 1)))
        assert list(kept.at(chosen)) == [objects[at] for at in chosen]
        assert kept[-1] == objects[-1]
    with pytest.raises(IndexError):
        kept[len(objects)]


def test_a_body_that_repeats_is_kept_once_and_asked_about_once(monkeypatch):
    """A thousand messages of two short bodies have two bodies; a memory that is full forgets them, and loses none."""
    kept, objects = sequence([((USER, PROMPT), "ab"[n % 2], LAYOUT) for n in range(1000)])
    asked = []
    each_body(kept, asked.append)
    assert (len(kept.bodies), len(asked)) == (2, 2)
    monkeypatch.setattr(message_sequence, "_REMEMBERED", 1)
    again, _ = sequence([((USER, PROMPT), "ab"[n % 2], LAYOUT) for n in range(10)])
    assert len(again.bodies) == 10
    assert list(again) == objects[:10]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("xyz"))))
def test_spans_in_columns_are_the_spans(found):
    """Each begins where the one before it ended."""
    kept, objects, at = Spans(), [], 0
    for length, label in found:
        kept.add(at + length, label)
        objects.append(Span(at, at + length, label))
        at += length
    assert list(kept) == objects
    assert list(kept[::-1]) == objects[::-1]


def turns(letters, bodies=26):
    """A text of prompts and answers of few different words."""
    return "".join(
        f"{'❯' if n % 2 == 0 else '●'} {chr(97 + letter % bodies)}\n\n" for n, letter in enumerate(letters)
    ).encode()


def state(dedup):
    """Everything that a reader of a store is told."""
    return {
        name: (
            [{k: v for k, v in m.items() if k != "timestamp"} for m in dedup.get_full_conversation(name)],
            {
                k: v
                for k, v in dedup.get_statistics(name).items()
                if k not in ("stored_bytes", "storage_savings_pct", "created_at", "last_updated")
            },
        )
        for name in dedup.conversations()
    }


@pytest.mark.parametrize("backend", ["json", "default"])
@pytest.mark.parametrize("form", ["first", "again", "grown", "tail", "other order"])
def test_a_text_in_columns_is_stored_like_one_as_objects(tmp_path, monkeypatch, backend, form):
    """Counts, numbers, order and bodies are the same, for a first file, the same, a grown one, a window and an older one."""
    chance = random.Random(form)
    letters = [chance.randrange(26) for _ in range(300)]
    whole = turns(letters)
    files = {
        "first": [whole],
        "again": [whole, whole],
        "grown": [whole, whole + turns(range(40))],
        "tail": [whole, turns(letters[100:]) + turns(range(10))],
        "other order": [turns(letters[:200]), turns(letters[50:])],
    }[form]
    told = []
    for most in (10**9, 0):
        monkeypatch.setattr(message_sequence, "MANY", most)
        dedup = ClaudeConversationDeduplicator(tmp_path / str(most), backend=backend)
        figures = [dedup.ingest(data, name="the-export.txt", conversation_id="it") for data in files]
        assert dedup.store.verify() == []
        told.append(
            ([(done.total, done.new, done.duplicates, len(done.new_messages)) for done in figures], state(dedup))
        )
    assert told[0] == told[1]
    total, new, duplicates, _ = told[1][0][0]
    assert (total, new) == (len(turns(letters).split(b"\n\n")) - 1 if form != "other order" else 200, new)
    assert total == new + duplicates


def test_windows_in_columns_are_stored_like_those_as_objects(tmp_path, monkeypatch):
    """A file of several windows: what each brings stands behind the one before it, and is found by its number."""
    divider = ("═" * 20 + " Conversation compacted " + "═" * 20 + "\n\n").encode()
    data = turns(range(60)) + divider + turns(range(40, 100)) + divider + turns(range(7))
    told = []
    for most in (10**9, 0):
        monkeypatch.setattr(message_sequence, "MANY", most)
        dedup = ClaudeConversationDeduplicator(tmp_path / str(most))
        dedup.ingest(data, name="the-export.txt")
        assert dedup.store.verify() == []
        told.append(state(dedup))
    assert told[0] == told[1]


def test_occurrences_of_many_are_those_of_few():
    """What is new of a plan: the same numbers, bodies, extensions and drawings, in one window or in several."""
    kept, objects = sequence([((USER, PROMPT), "ab"[n % 2], LAYOUT) for n in range(8)])
    plan = alignment.Plan([0, 1, None, 3, 4, None, None, 7], frozenset({1, 3}), frozenset({3}))
    found = []
    for messages in (kept, tuple(objects)):
        seen = export_view.view_of(Export("x", messages))
        fresh, numbers = export_view.new_occurrences(seen, plan, 20, Bans())
        each = [(n, o.fingerprint, o.message, o.extends, o.redrawn, o.purged, o.clock) for n, o in fresh]
        assert [fresh[at][0] for at in range(len(fresh))] == [n for n, *_ in each]
        found.append((each, list(numbers), len(fresh)))
    assert found[0] == found[1]
    joined = Joined()
    joined.add(
        export_view.new_occurrences(export_view.view_of(Export("x", kept)), alignment.Plan([None] * 8), 0, Bans())[0]
    )
    joined.add([])
    joined.add(
        export_view.new_occurrences(export_view.view_of(Export("x", kept)), alignment.Plan([None] * 8), 8, Bans())[0]
    )
    assert [number for number, _ in joined] == list(range(16))
    assert (joined[9][0], joined[-1][0], [n for n, _ in joined[7:9]]) == (9, 15, [7, 8])
    assert [joined.find(at) is None for at in (0, 7, 8, 15, 16)] == [False, False, False, False, True]
    assert joined.find(9).message == objects[1]


def test_equal_messages_share_one_fingerprint():
    """A million messages with two bodies need two hashes."""
    export = text.parse(turns([0, 1] * 3000, 2))
    prints = fingerprint.fingerprints(export.messages)
    assert len({id(each) for each in prints}) == 2
    assert prints == [fingerprint.fingerprint(message) for message in export.messages]
