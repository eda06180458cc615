"""packed_rows: rows in few bytes are the rows that were put, whatever is in them."""

from __future__ import annotations

import tracemalloc
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.fingerprint import Fingerprint
from deduplication.model import BOOKKEEPING, LOST, PROMPT, TEXT
from deduplication.storage.state.log_state import State
from deduplication.storage.state.packed_rows import Forms, packed_state

HASHES = [*(sha256(b"%d" % n).hexdigest() for n in range(5)), "", "a" * 64, "A" * 64, "ü\ud800", " " * 64]
KEYS = ["0" * 16, "00112233aabbccdd", "", "no key", "AA112233aabbccdd", " " * 16]
UUIDS = ["", "", "0f0e0d0c-0b0a-4908-8706-050403020100", "0F0E0D0C-0B0A-4908-8706-050403020100", "msg_1:0", "\ud800"]
UUIDS += ["00000000-0000-0000-0000-000000000000"]
WEIGHTS = st.sampled_from([0, 1, 70_000, 1 << 40, 1 << 62, 1 << 70, -3])
FORM = st.builds(
    Fingerprint,
    st.sampled_from(HASHES),
    st.sampled_from(KEYS),
    st.sampled_from([PROMPT, TEXT, BOOKKEEPING, LOST, "another kind"]),
    st.just(""),
    WEIGHTS,
    st.sampled_from(UUIDS),
)


def rows(conversation):
    """Every row, asked for in each of the ways."""
    one_by_one = [conversation.row(number) for number in range(len(conversation))]
    assert list(conversation.rows_from(0)) == one_by_one
    assert list(conversation.rows_from(len(conversation) // 2)) == one_by_one[len(conversation) // 2 :]
    kinds = conversation.columns.kinds
    assert (
        [kinds[number] for number in range(len(conversation))] == list(kinds[0:]) == [row[0].kind for row in one_by_one]
    )
    return one_by_one


@given(st.lists(st.tuples(st.sampled_from("ab"), FORM), max_size=40))
def test_packed_rows_are_the_rows_that_were_put(items):
    """Ids, hashes and keys that no message of ours has as well."""
    packed, plain = packed_state(), State()
    for number, (name, item) in enumerate(items):
        for state in (packed, plain):
            state.entered(name).add(item, number)
    for name in "ab":
        assert rows(packed.conversation(name)) == rows(plain.conversation(name))
        assert len(packed.conversation(name)) == len(plain.conversation(name))


@given(st.lists(FORM, max_size=40))
def test_a_body_is_found_by_its_hash_alone(items):
    """The first line that carries it, with what is known of it; other forms of it and other bodies are none."""
    bodies = packed_state().bodies
    carried = {}
    for number, item in enumerate(items):
        identity = item.content_hash
        assert bodies.offset(identity) == (carried[identity][0] if identity in carried else None)
        if identity not in carried and number % 3:
            carried[identity] = (number, item._replace(uuid=""))
            bodies.add(identity, number, item)
        assert bodies.fingerprint(identity) == (carried[identity][1] if identity in carried else None)


def test_more_kinds_than_there_are_codes_for_are_kept():
    """A log that somebody else wrote."""
    forms = Forms()
    items = [Fingerprint("a" * 64, "0" * 16, f"kind {n}", "", 1) for n in range(300)]
    assert [forms.number(item) for item in items] == list(range(300))
    assert [forms.item(number) for number in range(300)] == items


def test_a_row_takes_a_tenth_of_a_kilobyte():
    """With the place where its body is found; the rows of any other state take more than twice as much."""
    taken = {}
    for state in (packed_state(), State()):  # what they import is no part of a row
        state.entered("c").add(Fingerprint("a" * 64, "b" * 16, TEXT, "", 1), 1)
    for kind, state in (("packed", packed_state()), ("plain", State())):
        tracemalloc.start()
        state.bodies.offset("")
        for number in range(10_000):
            digits = sha256(b"%d" % number).hexdigest()
            item = Fingerprint(digits, digits[:16], TEXT, "", number)
            state.bodies.add(digits, number, item)
            state.entered("c").add(item, number)
        taken[kind] = tracemalloc.get_traced_memory()[0] / 10_000
        tracemalloc.stop()
    assert taken["packed"] < 110
    assert taken["plain"] > 2 * taken["packed"]
