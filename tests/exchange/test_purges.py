"""What one machine purged is gone in the database and on every other machine, and no queue brings it back."""

from __future__ import annotations

import pytest

from deduplication.errors import PurgeRefused
from deduplication.exchange.exchange import exchange
from deduplication.purge.run import _purge_folder, purge
from deduplication.purge.scope import scope_of
from deduplication.storage import open_store
from deduplication.storage.hybrid.sent_mark import NAME as MARK
from machines import Machines, everything_in, log_of
from purge_scenes import Talk, everything, word

pytestmark = pytest.mark.unmeasured

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def machines(tmp_path, newest_database):
    """Two machines that have all of one session, and each something of its own that the other does not have yet."""
    found = Machines(tmp_path, newest_database)
    found.talk, found.others = Talk("alder", 20), {"a": Talk("birch", 10), "b": Talk("cedar", 10)}
    found.say("a", found.talk, 12)
    found.exchange("a")
    found.exchange("b")
    return found


def left(machines, words):
    """Which of these words are anywhere on a machine or in the database."""
    stores = [everything(machines.folder / name / "dedup_state") for name in machines.names]
    logs = [log_of(machines.store(name)) for name in machines.names]
    return sorted(
        each.decode() for each in words for data in (*stores, *logs, everything_in(machines.url)) if each in data
    )


def said(machines, talk):
    """The words of a talk that can be read, each once, in order."""
    told = [str(each["content"]) for each in machines.told(talk.session)]
    return [word(talk.name, n) for each in told for n in range(len(talk.turns)) if word(talk.name, n) in each]


def words(talk, first=0, end=None):
    """Those that a talk has."""
    return [word(talk.name, n) for n in range(len(talk.turns))[first:end]]


def purged(machines, name, *, by=purge, **more):
    """Purge the session on a machine."""
    return by(
        machines.store(name), None, scope_of([machines.talk.session], None, []), forget=False, dry_run=False, **more
    )


def test_what_is_purged_on_one_machine_is_gone_everywhere(machines):
    """The database has no byte of it as soon as the purge returns, the other machine none after its next exchange."""
    machines.say("b", machines.others["b"])
    assert purged(machines, "a").problems == []
    everywhere = everything_in(machines.url)
    assert not [each for each in machines.talk.words(0, 12) if each in everywhere]
    machines.together()
    assert left(machines, machines.talk.words(0, 12)) == []
    assert said(machines, machines.others["b"]) == words(machines.others["b"])


def test_what_waited_meanwhile_comes_without_it(machines):
    """The other machine captured more of the session, and has an export of all of it: only what is new comes."""
    machines.say("b", machines.talk, 20)
    machines["b"].ingest(machines.talk.text(), name="2026-03-01-EXPORT-ALDER.txt")
    purged(machines, "a")
    machines.together()
    assert left(machines, machines.talk.words(0, 12)) == []
    assert said(machines, machines.talk) == words(machines.talk, 12)
    machines["b"].ingest(machines.talk.text(width=100), name="2026-03-02-EXPORT-ALDER.txt")
    machines.together()
    assert left(machines, machines.talk.words(0, 12)) == []


def test_what_is_purged_wherever_it_is_shown_stays_out_of_what_waited(machines):
    """By its content hash: another session, which only the other machine has, says the same."""
    own = word("alder", 5)
    hashes = [
        m["content_hash"]
        for m in machines["a"].get_full_conversation(machines.talk.session)
        if own in str(m["content"])
    ]
    other = Talk("alder", 20)
    other.session = machines.others["b"].session
    machines.say("b", other, 20)
    purge(machines.store("a"), None, scope_of([], None, hashes))
    machines.together()
    assert left(machines, {own.encode()}) == []


def test_a_purge_without_the_database_is_refused(machines, tmp_path):
    """It is said why, and nothing is changed."""
    before = everything(tmp_path / "a")
    store = open_store("hybrid", str(tmp_path / "a" / "dedup_state"), "postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(PurgeRefused, match="the database has the same messages"):
        purge(store, None, scope_of([machines.talk.session], None, []))
    assert purge(store, None, scope_of([machines.talk.session], None, []), dry_run=True).plan.occurrences
    for each in machines.talk.words(0, 12):
        assert before.count(each) == everything(tmp_path / "a").count(each)


def test_a_purge_that_the_database_does_not_allow_is_refused(machines, newest_postgres):
    """A user who may only add: nothing was purged here either."""
    adder = "adds_only"
    with psycopg.connect(machines.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {adder} LOGIN")
        connection.execute(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {adder}")
    try:
        theirs = Machines(machines.folder / "theirs", machines.url.replace("user=postgres", f"user={adder}"))
        theirs.folder.mkdir()
        theirs.say("c", machines.talk, 12)
        with pytest.raises(PurgeRefused, match="nothing may be removed") as caught:
            purge(theirs.store("c"), None, scope_of([machines.talk.session], None, []))
        assert "dedup_purge_role" in caught.value.hint
        theirs.together()
        assert said(theirs, machines.talk) == words(machines.talk, 0, 12)
    finally:
        newest_postgres.execute(f"DROP OWNED BY {adder}", database=machines.url.split("dbname=")[1].split()[0])
        newest_postgres.execute(f"DROP ROLE {adder}")


@pytest.mark.parametrize("marked", [True, False], ids=["", "the mark is lost"])
@pytest.mark.parametrize("meanwhile", ["nothing", "runs", "a purge"])
def test_a_purge_that_was_stopped_before_the_database_had_it_is_finished_by_the_next_exchange(
    machines, meanwhile, marked
):
    """Whatever the other machine brought there meanwhile: both purges hold, and all else is there."""
    machines.say("a", machines.others["a"])
    machines.exchange("a")
    purged(machines, "a", by=_purge_folder)
    if meanwhile != "nothing":
        machines.say("b", machines.others["b"])
        machines.say("b", machines.talk, 16)
        machines.exchange("b")
    if meanwhile == "a purge":
        purge(machines.store("b"), None, scope_of([machines.others["a"].session], None, []))
    if not marked:
        for name in machines.names:
            (machines.folder / name / "dedup_state" / MARK).unlink()
    machines.together()
    assert left(machines, machines.talk.words(0, 12)) == []
    gone = machines.others["a"].words() if meanwhile == "a purge" else set()
    assert left(machines, gone) == []
    one, other = machines.others["a"], machines.others["b"]
    assert said(machines, machines.talk) == words(machines.talk, 12, 12 if meanwhile == "nothing" else 16)
    assert said(machines, one) == ([] if gone else words(one))
    assert said(machines, other) == ([] if meanwhile == "nothing" else words(other))


@pytest.mark.parametrize("marked", [True, False], ids=["", "the mark is lost"])
def test_images_and_telling_names_go_as_well(machines, marked):
    """A file that is called after the prompt, an image of the session: neither is on any machine afterwards."""
    prompt = machines.talk.turns[0].text
    file = f"2026-03-01-{'-'.join(prompt.split()[:6])}.txt"
    machines["a"].ingest(machines.talk.text(0, 12), name=file)
    machines.together()
    assert everything_in(machines.url).count(machines.talk.picture)
    machines.say("b", machines.others["b"])
    purged(machines, "a")
    if not marked:
        (machines.folder / "b" / "dedup_state" / MARK).unlink()
    machines.together()
    assert left(machines, {machines.talk.picture[:40]}) == []
    assert left(machines, {file.encode()}) == []


def test_two_machines_that_purge_one_after_the_other(machines):
    """Each begins with an exchange, so the second one purges what the first one left."""
    for name in "ab":
        machines.say(name, machines.others[name])
        machines.exchange(name)
    machines.exchange("a")
    purged(machines, "a")
    purge(machines.store("b"), None, scope_of([machines.others["a"].session], None, []))
    machines.together()
    assert left(machines, machines.talk.words(0, 12) | machines.others["a"].words()) == []
    assert said(machines, machines.others["b"]) == words(machines.others["b"])


def test_the_audit_of_the_database_keeps_what_does_not_follow_from_the_log(machines):
    """What else was noted there outlives a purge."""
    with psycopg.connect(machines.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO deduplication_log (operation, messages_processed, duplicates_filtered) VALUES ('migrate', 7, 0)"
        )
        purged(machines, "a")
        (count,) = connection.execute("SELECT count(*) FROM deduplication_log WHERE operation = 'migrate'").fetchone()
    assert count == 1
    assert exchange(machines.store("a")) == (0, 0, 0)
