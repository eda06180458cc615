"""sorted_runs: what was put is found, whatever came before and after it, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deduplication.storage.index import sorted_runs
from deduplication.storage.index.sorted_runs import IndexDamaged, Run, SortedRuns, run_of, varint, varint_in

KEY = st.binary(min_size=1, max_size=6)
BATCHES = st.lists(st.dictionaries(KEY, st.binary(max_size=12), max_size=8), max_size=8)
PREFIXES = (b"\0" * 5, b"abcde", b"\xff" * 5, b"abcdf")
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Bytes:
    """A file in memory, to which runs are added as an index does."""

    def __init__(self, width=0, *, anew=False):
        self.data = bytearray(b"head")
        self.width = width
        self.runs = SortedRuns(self.read, [], width=width, anew=anew)

    def read(self, start, size):
        """Bytes of it."""
        return bytes(self.data[start : start + size])

    def put(self, entries):
        """Add entries."""
        stay, joined = self.runs.joined(entries)
        data, run = run_of(joined, len(self.data), self.width)
        self.data += data
        self.runs.added(stay, run, entries)


@pytest.fixture(params=[(4096, 1024, 1 << 16), (8, 0, 1 << 16), (8, 0, 6), (1, 3, 2)], ids=str)
def sizes(request, monkeypatch):
    """Bytes of a block, entries of which there is one run, entries of the largest run that is joined."""
    for name, value in zip(("BLOCK", "SMALL", "LARGEST"), request.param):
        monkeypatch.setattr(sorted_runs, name, value)


@pytest.mark.unmeasured
@pytest.mark.parametrize("anew", [False, True])
@FEW
@given(data=st.data())
def test_what_was_put_last_is_found(sizes, anew, data):
    """One by one, by their beginnings, and all of them in order; also by somebody who opens the runs afterwards."""
    file, expected = Bytes(anew=anew), {}
    for entries in data.draw(BATCHES):
        file.put(entries)
        expected.update(entries)
    for runs in (file.runs, SortedRuns(file.read, [list(run) for run in file.runs.runs])):
        for key in [*expected, *data.draw(st.lists(KEY, max_size=5))]:
            assert runs.get(key) == expected.get(key)
            for size in range(len(key) + 1):
                found = sorted((each, value) for each, value in expected.items() if each.startswith(key[:size]))
                assert runs.beginning(key[:size]) == found
        assert list(runs.everything()) == sorted(expected.items())


@pytest.mark.unmeasured
@pytest.mark.parametrize("anew", [False, True])
@FEW
@given(batches=st.lists(st.sets(st.tuples(st.sampled_from(PREFIXES), st.integers(0, 999))), max_size=6))
def test_keys_of_one_width_are_found_by_their_first_five_bytes(sizes, anew, batches):
    """All that begin so, however many runs and blocks they lie in."""
    file, expected = Bytes(9, anew=anew), set()
    for batch in batches:
        keys = {prefix + number.to_bytes(4, "big") for prefix, number in batch}
        file.put(dict.fromkeys(keys, b""))
        expected |= keys
    for prefix in (*PREFIXES, b"nope!"):
        assert file.runs.beginning(prefix) == sorted((key, b"") for key in expected if key.startswith(prefix))
    assert list(file.runs.everything()) == [(key, b"") for key in sorted(expected)]


def test_there_are_few_runs(monkeypatch):
    """After a thousand batches of one entry about as many runs as the number has bits."""
    monkeypatch.setattr(sorted_runs, "SMALL", 0)
    file = Bytes()
    for number in range(1000):
        file.put({number.to_bytes(2, "big"): b"x"})
        assert len(file.runs.runs) <= 11
    assert len(list(file.runs.everything())) == 1000


def test_every_flipped_bit_of_a_run_is_found_by_who_asks_there():
    """Of a table or of a block: no answer is given of such bytes."""
    file = Bytes()
    file.put({bytes([number]): bytes([number]) * 3 for number in range(200)})
    (run,) = file.runs.runs
    sound = bytes(file.data)
    for at in range(run.start, run.start + run.size):
        file.data[at] ^= 1 << at % 8
        with pytest.raises(IndexDamaged):
            list(SortedRuns(file.read, file.runs.runs).everything())
        file.data[:] = sound
    with pytest.raises(IndexDamaged):
        SortedRuns(file.read, [run._replace(start=run.start + 1)]).get(b"\1")


def test_a_block_that_is_none_is_found():
    """A checksum that agrees over bytes that nobody compressed."""
    with pytest.raises(IndexDamaged):
        sorted_runs.decoded(b"none", 0)


@given(st.integers(0, 1 << 70))
def test_a_number_takes_the_bytes_that_it_needs(number):
    """Seven bits each."""
    data = varint(number)
    assert varint_in(b"x" + data + b"y", 1) == (number, len(data) + 1)
    assert len(data) == max(-(-number.bit_length() // 7), 1)


def test_no_entries_are_no_run():
    """Nothing is added where nothing changed."""
    file = Bytes()
    file.put({})
    assert file.runs.runs == []
    assert run_of([], 7, 9) == (b"", Run(7, 0, 0, 0, 0))
