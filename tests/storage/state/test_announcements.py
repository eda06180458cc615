"""announcing: each message is announced once, a body is counted while an occurrence stands for it, and the law holds."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.storage.state.announcements import Announcements, Bodies, Counts


def body(name):
    """The content hash that stands for ``name``."""
    return sha256(str(name).encode()).hexdigest()


def run(brought=(), again=(), redrawn=(), shown=()):
    """A run over bodies that are named by letters; what it brings and has again it shows."""
    return Bodies(
        [body(name) for name in brought],
        [body(name) for name in again],
        [(body(one), body(other)) for one, other in redrawn],
        [body(name) for name in (*brought, *again, *shown)],
    )


EXPORT, CAPTURE = False, True


@pytest.mark.parametrize(
    ("runs", "expected", "totals"),
    [
        pytest.param([(run("ab"), EXPORT)], [(2, 2, 0)], (2, 0, 0), id="an export announces what it brings"),
        pytest.param([(run("ab"), CAPTURE)], [(2, 0, 0)], (2, 2, 0), id="a capture announces nothing"),
        pytest.param(
            [(run("ab"), CAPTURE), (run(shown="ab"), EXPORT), (run(shown="ab"), EXPORT)],
            [(2, 0, 0), (0, 2, 2), (0, 0, 0)],
            (2, 0, 0),
            id="what was captured is announced by the first export that shows it, and by no other",
        ),
        pytest.param(
            [(run("ab"), CAPTURE), (run("c", shown="a"), EXPORT)],
            [(2, 0, 0), (1, 2, 1)],
            (3, 1, 0),
            id="what an export does not show goes on waiting",
        ),
        pytest.param(
            [(run("a", again="aa"), EXPORT), (run(again="a"), CAPTURE)],
            [(1, 1, 0), (0, 0, 0)],
            (1, 0, 0),
            id="repeats are one message, and what was announced does not wait again",
        ),
        pytest.param(
            [(run("d"), EXPORT), (run("e", redrawn=["ed"]), CAPTURE), (run(shown="e"), EXPORT)],
            [(1, 1, 0), (0, 0, 0), (0, 0, 0)],
            (1, 0, 0),
            id="what a transcript wrote of what was announced is not announced again, and counts in its place",
        ),
        pytest.param(
            [(run("d", again="d"), EXPORT), (run("ef", redrawn=["ed", "fd"]), CAPTURE), (run(shown="ef"), EXPORT)],
            [(1, 1, 0), (0, 0, 0), (0, 0, 0)],
            (2, 0, -1),
            id="two that were drawn alike are two once they are written, and neither is announced again",
        ),
        pytest.param(
            [(run("d", again="d"), EXPORT), (run("e", redrawn=["ed"]), CAPTURE)],
            [(1, 1, 0), (0, 0, 0)],
            (2, 0, -1),
            id="a drawing that stands elsewhere too still counts",
        ),
        pytest.param(
            [(run("d"), EXPORT), (run("e"), EXPORT), (run(again="e", redrawn=["ed"]), EXPORT)],
            [(1, 1, 0), (1, 1, 0), (0, 0, 0)],
            (1, 0, 1),
            id="two that were announced turn out to be one",
        ),
        pytest.param(
            [
                (run("e"), CAPTURE),
                (run("d"), EXPORT),
                (run(again="e", redrawn=["ed"]), CAPTURE),
                (run(shown="e"), EXPORT),
            ],
            [(1, 0, 0), (1, 1, 0), (0, 0, 0), (0, 0, 0)],
            (1, 0, 0),
            id="what waits is announced where the drawing was whose place it takes",
        ),
        pytest.param(
            [(run("d"), CAPTURE), (run("e", redrawn=["ed"]), EXPORT)],
            [(1, 0, 0), (0, 1, 1)],
            (1, 0, 0),
            id="a drawing of what waits announces it, captured before",
        ),
        pytest.param(
            [(run("d"), CAPTURE), (run("e", redrawn=["ed"]), CAPTURE), (run(again="d"), CAPTURE)],
            [(1, 0, 0), (0, 0, 0), (0, 0, 0)],
            (2, 2, 0),
            id="a drawing that comes again waits again",
        ),
        pytest.param(
            [(run("d"), EXPORT), (run("e", redrawn=["ed"]), CAPTURE), (run(again="d"), EXPORT)],
            [(1, 1, 0), (0, 0, 0), (0, 0, 0)],
            (2, 0, -1),
            id="a drawing that comes again counts again, and is not announced again",
        ),
    ],
)
def test_what_runs_come_to(runs, expected, totals):
    """stored, new and captured of each run; then unique, waiting and redrawn of the log."""
    told = Announcements()
    for (bodies, captures), counts in zip(runs, expected):
        assert told.count(bodies, captures=captures) == Counts(*counts)
        assert told.add(bodies, captures=captures) == Counts(*counts)
    assert tuple(told.totals()) == totals
    assert told.totals().announced == sum(counts[1] for counts in expected)


def test_most_bodies_need_no_note():
    """Nothing is kept of a body that one occurrence stands for and that an export announced."""
    told = Announcements()
    told.add(run("abc"), captures=EXPORT)
    assert told.noted.items() == []
    told.add(run("d"), captures=CAPTURE)
    told.add(run(again="a"), captures=EXPORT)
    assert dict(told.noted.items()) == {body("d")[:16]: 3, body("a")[:16]: 4}


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 20)), max_size=5),
            st.lists(st.integers(0, 20), max_size=5),
        ),
        max_size=8,
    )
)
def test_what_was_announced_and_what_waits_is_what_is_counted(runs):
    """For any log: the sum of all announcements + waiting = unique + redrawn, nothing below 0, and unique is what stands."""
    told, announced = Announcements(), 0
    rows: list[str] = []
    gone: set[int] = set()
    for captures, occurrences, shown in runs:
        known, brought, again, redrawn = set(rows), [], [], []
        window = [rows[number] for number in shown if number < len(rows) and number not in gone]
        for name, taken in occurrences:
            (again if name in known else brought).append(name)
            known.add(name)
            window.append(name)
            if taken is not None and taken < len(rows) and taken not in gone:
                redrawn.append((name, rows[taken]))
                gone.add(taken)
            rows.append(name)
        counts = told.add(run(brought, again, redrawn, window), captures=captures)
        assert 0 <= counts.captured <= counts.new
        assert counts.new == 0 or not captures
        announced += counts.new
        totals = told.totals()
        assert totals.unique == len({name for number, name in enumerate(rows) if number not in gone})
        assert 0 <= totals.waiting <= totals.unique
        assert announced == totals.announced
        assert told.count(run(shown=window), captures=EXPORT).new == 0 or captures
