"""A folder and a database that have one log: whatever each of them went on with, they end with the union, each message once."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys

import pytest

from deduplication.errors import StoreDamaged
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import LOG_NAME
from deduplication.storage.hybrid import sent_mark
from deduplication.storage.log.lines import COMMIT, PREVIOUS, decode_line, encode_line
from exports import Story, kept
from image_scenes import IMAGES, LARGE, SESSIONS, told
from machines import Machines, log_of
from purge_scenes import Talk, word
from truth_day import Day, Happens
from truth_lines import Line, Transcript, transcript_differences
from truth_screen import ERAS
from truth_session import Session

pytestmark = pytest.mark.unmeasured

psycopg = pytest.importorskip("psycopg")


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


def test_lines_of_version_0_1_are_sent_wherever_it_was_stopped(tmp_path, newest_database):
    """They name no head: the database has some of them, the folder knows how far, and goes on there."""
    machines = Machines(tmp_path, newest_database)
    files = Story(12, exchanges=8).exports(4)
    for file in files:
        machines["a"].ingest(file.data, name=file.name, conversation_id="s")
    log = tmp_path / "a" / "dedup_state" / LOG_NAME
    log.write_bytes(b"".join(map(without_head, log.read_bytes().splitlines(keepends=True))))
    machines.store("a").rebuild()
    database = machines.database().store
    with machines.store("a").transaction(write=False):
        lines = [line.data for line in machines.store("a").log.lines()]
    ends = [n for n, line in enumerate(lines, 1) if COMMIT in line]
    with database.transaction():
        assert list(database.load(lines[: ends[1]]))
    assert machines.exchange("a") == (len(ends) - 2, 0, 0)
    machines.together()
    assert machines.exchange("b").received == len(ends)
    machines["b"].ingest(files[-1].data + b"\n> More of it.\n", name="more.txt", conversation_id="s")
    machines["a"].ingest(Story(13, exchanges=3).exports(2)[-1].data, name="other.txt", conversation_id="o")
    machines.together()


def without_head(line):
    """A line as version 0.1 wrote it."""
    record = decode_line(line)
    record.pop(PREVIOUS, None)
    return encode_line(record)


def test_images_go_along_in_both_directions(tmp_path, newest_database):
    """Each is in the database and in both folders, as one file, however often it is shown."""
    machines = Machines(tmp_path, newest_database)
    for name, session in (("a", "first"), ("b", "second")):
        file = tmp_path / f"{SESSIONS[session]}.jsonl"
        file.write_bytes(told()[session])
        capture_file(machines[name], file)
    machines.together()
    for image in (*IMAGES.values(), LARGE):
        digest = hashlib.sha256(image).hexdigest()
        assert [machines.store(name).blobs.read(digest) for name in "ab"] == [image, image]
    with psycopg.connect(newest_database) as connection:
        assert connection.execute("SELECT count(*) FROM blobs").fetchone() == (len(IMAGES) + 1,)


def test_an_image_that_is_lost_stops_nothing(tmp_path, newest_database):
    """Its message goes on without it, as it does in the folder; where another machine has it, all of them get it."""
    machines = Machines(tmp_path, newest_database)
    (tmp_path / "first.jsonl").write_bytes(told()["first"])
    for name in "ab":
        capture_file(machines[name], tmp_path / "first.jsonl")
    shutil.rmtree(tmp_path / "a" / "dedup_state" / "blobs")
    assert machines.exchange("a").sent == 1
    assert machines.exchange("a") == (0, 0, 0)
    machines.exchange("b")
    assert machines.exchange("c").received == 1


def test_a_damaged_line_is_named_and_nothing_behind_it_is_sent(tmp_path, newest_database):
    """What stands before it was sent; repaired, the rest goes as well."""
    machines = Machines(tmp_path, newest_database)
    first, second, *_ = Story(14, exchanges=8).exports(4)
    machines["a"].ingest(first.data, name=first.name, conversation_id="s")
    machines.exchange("a")
    machines["a"].ingest(second.data, name=second.name, conversation_id="s")
    log = tmp_path / "a" / "dedup_state" / LOG_NAME
    data = log.read_bytes()
    at = data.rindex(b'"content":"') + 12
    log.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(StoreDamaged) as caught:
        machines.exchange("a")
    assert sent_mark.read(str(tmp_path / "a" / "dedup_state")).failure == str(caught.value)
    machines.store("a").rebuild()
    assert machines.exchange("a").sent == 1
    machines.together()


def test_what_waits_is_counted_without_reading_the_log(tmp_path, newest_database):
    """As many as there are commit records behind what the database has, whatever happened to the mark."""
    machines = Machines(tmp_path, newest_database)
    story = Story(15, exchanges=10)
    for number, file in enumerate(story.exports(5)):
        machines["a"].ingest(file.data, name=file.name, conversation_id="s")
        machines.say("a", Talk("alder", 12), 2 * number + 1)
        store = machines.store("a")
        with store.transaction(write=False):
            mark = sent_mark.read(store.folder)
            assert store.waiting().runs == sum(1 for _ in store.commits(mark.size)) > 0
        if number == 1:
            machines.exchange("a")
    store = machines.store("a")
    with store.transaction(write=False):
        (tmp_path / "a" / "dedup_state" / sent_mark.NAME).unlink()
        assert store.waiting().runs == sum(1 for _ in store.commits())


def test_who_only_looks_whether_something_waits_loads_nothing_of_a_database(repository):
    """A hook does, at each turn."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import deduplication.exchange.sending, deduplication.storage.hybrid.hybrid_store\n"
        "print([name for name in sys.modules if 'psycopg' in name or 'storage.database.' in name or 'taken_over' in name])"
    )
    command = [sys.executable, "-c", code, str(repository / "scripts")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[]\n"


def test_a_database_that_was_put_back_gets_again_what_it_lost(tmp_path, newest_postgres):
    """Both machines sent more since then, and go on: nothing that one of them has is lost."""
    name = newest_postgres.new_database()
    machines = Machines(tmp_path, newest_postgres.dsn(name))
    talks = {each: Talk(each, 16) for each in ("alder", "birch")}
    for machine, talk in zip("ab", talks.values()):
        machines.say(machine, talk, 4)
        machines.exchange(machine)
    earlier = newest_postgres.new_database(name)
    for end in (8, 12):
        for machine, talk in zip("ab", talks.values()):
            machines.say(machine, talk, end)
            machines.exchange(machine)
    machines.url = newest_postgres.dsn(earlier)
    for machine, talk in zip("ba", reversed(talks.values())):
        machines.say(machine, talk, 16)
    machines.together()
    for talk in talks.values():
        assert spoken(machines, talk) == [word(talk.name, n) for n in range(16)]
    for each in (name, earlier):
        newest_postgres.drop_database(each)


def test_a_folder_that_was_put_back_gets_again_what_it_lost(tmp_path, newest_database):
    """It went on from an earlier state: what it sent before, and what it stored since, are both there."""
    machines = Machines(tmp_path, newest_database)
    one, other = Talk("alder", 16), Talk("birch", 16)
    machines.say("a", one, 4)
    machines.exchange("a")
    shutil.copytree(tmp_path / "a" / "dedup_state", tmp_path / "backup")
    machines.say("a", one, 12)
    machines.exchange("a")
    shutil.rmtree(tmp_path / "a" / "dedup_state")
    shutil.copytree(tmp_path / "backup", tmp_path / "a" / "dedup_state")
    machines.say("a", one, 16)
    machines.say("a", other, 16)
    machines.together()
    for talk in (one, other):
        assert spoken(machines, talk) == [word(talk.name, n) for n in range(16)]


def spoken(machines, talk):
    """The words of a talk that can be read, in order."""
    told = [str(each["content"]) for each in machines.told(talk.session)]
    return [word(talk.name, n) for each in told for n in range(len(talk.turns)) if word(talk.name, n) in each]
