"""Where messages stand in the log, found without keeping the rows of their conversation."""

from __future__ import annotations

import random
from array import array

from hypothesis import given
from hypothesis import strategies as st

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.storage import open_in_folder
from deduplication.storage.state.stored_rows import offsets_of
from exports import Story

STORED, FRESH = 40, 10


class Rows:
    """The rows of a conversation; row 7 was lost."""

    def __init__(self):
        self.asked = []

    def one(self, number):
        """The offset of one."""
        self.asked.append((number, number + 1))
        return None, -1 if number == 7 else number * 100

    def offsets(self, first, end):
        """The offsets of a range."""
        self.asked.append((first, end))
        return array("q", (-1 if number == 7 else number * 100 for number in range(first, end)))


@given(st.lists(st.integers(0, STORED + FRESH - 1)))
def test_wherever_they_stand(numbers):
    """On the disk, fresh, lost, in any order, near each other or far apart: the same answer, and no more is read than fits."""
    rows = Rows()
    fresh = array("q", range(100_000, 100_000 + FRESH))
    found = list(offsets_of(numbers, STORED, rows, fresh))
    assert found == [-1 if n == 7 else n * 100 if n < STORED else 100_000 + n - STORED for n in numbers]
    assert sum(end - first for first, end in rows.asked) <= 4 * len(numbers)
    assert list(offsets_of(numbers, 0, None, array("q", range(STORED + FRESH)))) == numbers


def test_reading_messages_keeps_no_rows(tmp_path):
    """Whoever reads all conversations of a store, one after another, needs no more memory for many of them than for one."""
    folder = str(tmp_path / "state")
    for number in range(3):
        story = Story(number, 10)
        ClaudeConversationDeduplicator(folder).process_export(f"c{number}", story.show(0, len(story.turns)))
    open_in_folder(folder).condense()
    store = open_in_folder(folder)
    with store.transaction(write=False):
        for name in store.conversations():
            conversation = store.conversation(name)
            order = list(conversation.reading().order)
            expected = list(store.bodies(name, order))
            assert conversation._rows is not None
            random.Random(name).shuffle(order)
            assert {body["index"]: body for body in store.bodies(name, order)} == {b["index"]: b for b in expected}
            for number in order[:3]:
                assert next(iter(store.bodies(name, [number])))["index"] == number
            conversation.load()
            assert list(store.bodies(name, sorted(order))) == sorted(expected, key=lambda body: body["index"])
