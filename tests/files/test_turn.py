"""turn: one process at a time, which answers those who wait; whoever dies takes nothing along."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest

from deduplication.errors import StoreLocked
from deduplication.files import locking, turn
from deduplication.files.turn import Turn
from faults.children import end, start

pytestmark = pytest.mark.skipif(not locking.SHARED, reason="without shared locks nobody answers for another")


@pytest.fixture
def place(tmp_path):
    """The folder of the lock, and where one waits."""
    return str(tmp_path), tmp_path / turn.WAITING


def until(condition):
    """Wait for something that has to come."""
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never came to pass")


def wishing(place, wish, timeout=60.0):
    """A process that waits for its turn once somebody has it; what it was answered, or "mine".

    Start it before this process has the turn: a fork has the locks of its parent.
    """

    def job():
        until(lambda: os.path.exists(place[0] + "/taken"))  # to look at a lock is to hold it for a moment
        with Turn(place[0]).taken(wish, timeout) as own:
            return "mine" if own.answer is None else own.answer

    return start(job)


@contextlib.contextmanager
def held(place):
    """The turn, for those who wait as well."""
    with Turn(place[0]).taken({}) as own:
        Path(place[0], "taken").touch()
        yield own


def files(place):
    """What lies where one waits."""
    return sorted(os.listdir(place[1])) if place[1].exists() else []


def test_nobody_else_leaves_nothing(place):
    """Whoever is alone has the turn at once, with nothing written but the lock's file."""
    with Turn(place[0]).taken({}) as own:
        assert (own.answer, list(own.wishes()), own.answered()) == (None, [], None)
    assert not place[1].exists()


def test_those_who_wait_are_answered(place):
    """Each wish is seen with its name, each gets its own answer, and nothing of it is left."""
    children = [wishing(place, {"number": number}) for number in range(3)]
    with held(place) as own:
        until(lambda: len(dict(own.wishes())) == 3)
        for name, wish in own.wishes():
            turn.give(place[0], name, {"answer": wish["number"]})
        assert list(own.wishes()) == []  # who has an answer is not asked again
        assert [end(*child).value for child in children] == [{"answer": number} for number in range(3)]
    assert files(place) == []


def test_unanswered_wishes_have_their_turn(place):
    """A holder that ends without an answer costs nobody anything: each has the turn, one after the other."""
    children = [wishing(place, {}) for _ in range(3)]
    with held(place) as own:
        until(lambda: len(dict(own.wishes())) == 3)
    assert [end(*child).value for child in children] == ["mine"] * 3
    assert files(place) == []


@pytest.mark.parametrize("answers", [False, True])
def test_a_killed_holder_gives_the_turn_away(place, answers):
    """What it answered before counts, for the others it is their turn."""

    def holder():
        with held(place) as own:
            until(lambda: list(own.wishes()))
            if answers:
                turn.give(place[0], next(own.wishes())[0], {"answer": 1})
            os.kill(os.getpid(), signal.SIGKILL)

    waits = wishing(place, {})
    holds = start(holder)
    assert end(*holds).signal == signal.SIGKILL
    assert end(*waits).value == ({"answer": 1} if answers else "mine")
    assert files(place) == []


def test_a_killed_wish_is_nobody_s(place):
    """Who was killed while it waited is not answered, and what it left goes with the turn."""
    pid, reading = wishing(place, {})
    with held(place) as own:
        until(lambda: dict(own.wishes()))
        os.kill(pid, signal.SIGKILL)
        assert end(pid, reading).signal == signal.SIGKILL
        assert list(own.wishes()) == []
        (place[1] / f"{pid}-2.new").write_bytes(b"")
        (place[1] / f"{pid}-3.answer").write_bytes(b"{}")
        (place[1] / f"{pid}-4.answer.77.tmp").write_bytes(b"{")
        assert len(files(place)) == 4
    assert files(place) == []


def test_nobody_waits_for_ever(place):
    """After its time a process gives up, with a named error, and takes its wish back."""
    child = wishing(place, {}, 0.2)
    with held(place) as own:
        outcome = end(*child)
        assert outcome.error.startswith("StoreLocked: ")
        assert (list(own.wishes()), files(place)) == ([], [])
    with Turn(place[0]).taken({}), pytest.raises(StoreLocked), Turn(place[0]).taken({}, 0.05):
        raise AssertionError("two at once")


def test_who_is_seen_to_be_there_is_waited_for(place, monkeypatch):
    """Longer than anybody waits for a process that shows nothing; and once it shows nothing any more, no longer than that."""
    monkeypatch.setattr(turn, "_SHOWN", 0.02)
    children = [wishing(place, {}, 3.0) for _ in range(2)]
    with held(place) as own:
        with own.shown():
            until(lambda: len(dict(own.wishes())) == 2)
            time.sleep(4.0)
            first, second = dict(own.wishes())
            turn.give(place[0], first, {"answer": 1})
        ends = sorted((end(*child) for child in children), key=lambda each: each.error)
    assert (ends[0].value, ends[1].error.partition(":")[0]) == ({"answer": 1}, "StoreLocked")
    assert second != first


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"a": "' + b"x" * turn.MOST_BYTES + b'"}']
)
def test_what_is_no_wish_is_passed_over(place, content):
    """Only a JSON object of bearable size, in a file that somebody holds, is a wish."""
    place[1].mkdir()
    lock = locking.attempt(str(place[1] / "1-1.wish"))
    (place[1] / "1-1.wish").write_bytes(content)
    with held(place) as own:
        assert list(own.wishes()) == []
    os.close(lock)


def test_links_and_strange_names_are_no_wishes(place, tmp_path):
    """A link, a pipe and a file that is called otherwise are not read, and only plain names are answered."""
    place[1].mkdir()
    (tmp_path / "outside").write_text("{}")
    os.symlink(tmp_path / "outside", place[1] / "1-1.wish")
    os.mkfifo(place[1] / "2-2.wish")
    lock = locking.attempt(str(place[1] / "other.wish"))
    (place[1] / "other.wish").write_text("{}")
    outside = locking.attempt(str(tmp_path / "outside"))
    with held(place) as own:
        assert list(own.wishes()) == []
    for name in ("../x", "x/y", "", "1-1/../../x"):
        turn.give(place[0], name, {})
    assert not (tmp_path / "x.answer").exists()
    assert (tmp_path / "outside").read_text() == "{}"
    os.close(lock)
    os.close(outside)


def test_wish_and_answer_are_private(place):
    """Whatever the umask says, nobody else reads what is wanted."""
    before = os.umask(0)
    try:
        child = wishing(place, {"secret": 1})
        with held(place) as own:
            until(lambda: dict(own.wishes()))
            (name,) = dict(own.wishes())
            wish = place[1] / f"{name}.wish"
            assert json.loads(wish.read_bytes()) == {"secret": 1}
            assert [oct(each.stat().st_mode & 0o777) for each in (place[1], wish)] == ["0o700", "0o600"]
            turn.give(place[0], name, {})
            assert end(*child).value == {}
    finally:
        os.umask(before)


def test_presence_is_seen_and_ends_with_its_process(tmp_path):
    """Any number of processes are present at once; the last one's end, by a kill too, is seen."""
    path = str(tmp_path / "made" / "runs.lock")
    assert not locking.is_held(path)
    with locking.present(path):

        def stay():
            with locking.present(path):
                time.sleep(60)

        pid, reading = start(stay)
        assert locking.is_held(path)
    until(lambda: locking.is_held(path))
    os.kill(pid, signal.SIGKILL)
    end(pid, reading)
    assert not locking.is_held(path)
