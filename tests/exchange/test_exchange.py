"""A folder and a database that have one log: whatever each of them went on with, they end with the union, each message once."""

from __future__ import annotations

import random

import pytest

from deduplication.storage.hybrid import sent_mark
from exports import Story, kept
from machines import Machines, log_of
from truth_day import Day, Happens
from truth_lines import Line, Transcript, transcript_differences
from truth_screen import ERAS
from truth_session import Session


@pytest.fixture
def machines(tmp_path, database):
    """Machines on an empty database of each version of the server."""
    return Machines(tmp_path, database)


@pytest.mark.parametrize(("seed", "count"), [(1, 1), (2, 2), (3, 2), (4, 3)])
def test_exports_of_several_machines_come_to_what_one_would_have(machines, seed, count):
    """Exports here and there, exchanged at random moments: the truth, and one log everywhere."""
    story, chance = Story(seed, exchanges=14), random.Random(seed)
    for number, file in enumerate(story.exports(6, compact_every=2, rewrap=bool(seed % 2), repeat=0.3)):
        name = "abc"[number % count]
        machines[name].ingest(file.data, name=file.name, conversation_id="s")
        if chance.random() < 0.5:
            machines.exchange(name)
    machines.together()
    assert kept(machines.told("s")) == story.truth()


@pytest.mark.parametrize("seed", range(3))
def test_sessions_that_move_between_machines_are_whole(machines, seed):
    """Captured on one, on another, and on the first again, one of them away half of the time: every line once, in order."""
    transcript = Transcript(f"moved/{seed}", Session(f"moved/{seed}"), compacted=(5,), rewound=(7,))
    chance = random.Random(seed)
    ends = sorted(chance.sample(range(3, len(transcript.lines)), 7))
    for number, end in enumerate([*ends, len(transcript.lines)]):
        name = "ab"[number % 2]
        machines.capture(name, transcript, end, path="same" if seed == 2 else None)
        if name == "a" or chance.random() < 0.5:
            machines.exchange(name)
    machines.together()
    (name,) = machines["a"].conversations()
    assert transcript_differences(transcript, machines.told(name)) == []


@pytest.mark.parametrize("away", [(), (4, 5), range(7)], ids=["never away", "away for two exports", "away all day"])
def test_captures_here_and_exports_there_are_one_conversation(tmp_path, newest_database, away):
    """Its transcript on one machine, its exports on another: the last export shows that both are one session."""
    machines = Machines(tmp_path, newest_database)
    session = Session("day")
    transcript = Transcript("day", session)
    files = Day("day", session, ERAS["2.1.330"], Happens(compacted=0.4)).files
    for number, export in enumerate(files):
        end = len(transcript.lines) if number == len(files) - 2 else (number + 1) * 7
        machines.capture("a", transcript, min(end, len(transcript.lines)))
        machines.exchange("a")
        machines["b"].ingest(export.data, name=export.name)
        if number not in away:
            machines.exchange("b")
    machines.together()
    (name,) = machines["a"].conversations()
    assert transcript_differences(transcript, [each for each in machines.told(name) if "uuid" in each]) == []


def test_an_export_that_waited_shows_two_conversations_of_the_database_to_be_one(tmp_path, newest_database):
    """Two exports came without anything to tell whose they are; the third one does, where all of the session was captured."""
    machines = Machines(tmp_path, newest_database)
    session = Session("day")
    transcript = Transcript("day", session)
    *_, one, two, last = Day("day", session, ERAS["2.1.330"], Happens(compacted=0.4)).files
    machines.capture("a", transcript, 49)
    machines.exchange("a")
    for export in (one, two):
        machines["b"].ingest(export.data, name=export.name)
    machines.exchange("b")
    assert len(machines["b"].conversations()) == 2
    machines.capture("a", transcript, len(transcript.lines))
    machines.exchange("a")
    machines["b"].ingest(last.data, name=last.name)
    assert machines.exchange("b").again == 1
    machines.together()
    (name,) = machines["a"].conversations()
    assert transcript_differences(transcript, [each for each in machines.told(name) if "uuid" in each]) == []


def test_an_empty_folder_gets_all_that_the_database_has(machines):
    """A new machine: the same bytes, the same answers, and hooks go on behind them."""
    story = Story(7, exchanges=10)
    first, second, third, *_ = story.exports(3)
    machines["a"].ingest(first.data, name=first.name)
    machines["a"].ingest(second.data, name=second.name)
    assert machines.exchange("a") == (2, 0, 0)
    assert machines.exchange("b") == (0, 0, 2)
    assert log_of(machines.store("a")) == log_of(machines.store("b"))
    machines["b"].ingest(third.data, name=third.name)
    assert machines.exchange("b") == (1, 0, 0)
    assert machines.exchange("a") == (0, 0, 1)
    machines.together()


def test_two_stores_that_never_met_become_their_union(machines):
    """Each has stored for long before it heard of the database: what both know is there once."""
    story, other = Story(8, exchanges=12), Story(9, exchanges=8)
    for name, files in (("a", story.exports(4, compact_every=2)[::2]), ("b", story.exports(4, compact_every=2)[1::2])):
        for file in files:
            machines[name].ingest(file.data, name=file.name, conversation_id="s")
    for file in other.exports(2):
        machines["b"].ingest(file.data, name=f"b-{file.name}", conversation_id="other")
    machines.together()
    assert kept(machines.told("s")) == story.truth()
    assert kept(machines.told("other")) == other.truth()


@pytest.mark.parametrize(
    "mark", [None, b"", b"{}", b'{"size": -5, "head": ""}', b'{"size": 1, "head": 2, "at": 3}', b"[1, 2]"]
)
def test_a_mark_that_is_lost_or_damaged_costs_time_only(tmp_path, newest_database, mark):
    """Both went on, and nobody knows any more what was the same: the union all the same."""
    machines = Machines(tmp_path, newest_database)
    story = Story(11, exchanges=12)
    for number, file in enumerate(story.exports(5, compact_every=2)):
        machines["ab"[number % 2]].ingest(file.data, name=file.name, conversation_id="s")
        if number == 2:
            machines.exchange("a")
            machines.exchange("b")
            path = tmp_path / "b" / "dedup_state" / sent_mark.NAME
            path.unlink() if mark is None else path.write_bytes(mark)
    machines.together()
    assert kept(machines.told("s")) == story.truth()


@pytest.mark.parametrize("more", [4, 40], ids=["the shorter file comes second", "the longer file comes second"])
def test_two_machines_that_both_added_lines_to_one_file_lose_none(tmp_path, newest_database, more):
    """One session, under the same path on both, with other lines on each: all of them are kept, each once."""
    machines = Machines(tmp_path, newest_database)
    one, other = Transcript("one", Session("one")), Transcript("other", Session("other"))
    shared = 12
    fork = [line.data.replace(other.session.encode(), one.session.encode()) for line in other.lines[:more]]
    other.lines[:] = [*one.lines[:shared], *map(Line, fork, (line.id for line in other.lines))]
    other.session = one.session
    for name in "ab":
        machines.capture(name, one, shared, path="same")
    machines.capture("a", one, 30, path="same")
    for end in range(shared + 1, len(other.lines) + 1):
        machines.capture("b", other, end, path="same")
    machines.exchange("a")
    machines.together()
    told = [each["uuid"] for each in machines.told(one.session)]
    assert sorted(told) == sorted(line.id for line in (*one.lines[:30], *other.lines[shared:]) if line.id)
