"""A store moved from any backend to any other: the same bytes, the same answers, and the source is what it was."""

from __future__ import annotations

import pytest

from deduplication.errors import StoreError
from deduplication.ingest.transcript_capture import capture_file
from deduplication.migration import move as moving
from deduplication.migration.errors import MigrationUnproven, SourceDamaged, SourceRewritten, TargetHoldsOther
from deduplication.purge.lent_folder import in_a_folder
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from full_store import RESTARTING, FullStore, numbered
from image_scenes import IMAGES, SESSIONS, Harbour, shown
from migration_scenes import DATABASES, LOGGED, files_of, full, lines_of, moved, rows_of, stores, unseen
from purge_scenes import Talk
from store_answers import answers

pytestmark = pytest.mark.unmeasured

__all__ = ["full", "stores"]
DATABASE = next(iter(DATABASES))


def audited(store):
    """What the audit says, as any backend keeps it."""
    with store.transaction(write=False):
        return [entry[:-2] for entry in store.audit()]


@pytest.mark.parametrize("source", LOGGED)
@pytest.mark.parametrize("target", LOGGED)
def test_a_store_is_the_same_in_any_backend(stores, full, source, target):
    """Restarting numbers, NUL, lone surrogates, 2 MB, images, purged messages, united conversations: every pair of backends."""
    origin, goal = stores.opened(source, "origin"), stores.opened(target, "goal")
    moved(full.dedup, origin)
    done = moved(origin, goal)
    assert done.proof.differences == []
    assert (done.proof.runs, done.proof.messages > 100, done.copied.before) == (len(audited(full.dedup.store)), True, 0)
    assert lines_of(goal.store) == lines_of(full.dedup.store)
    assert answers(goal.store) == answers(full.dedup.store)
    assert audited(goal.store) == audited(full.dedup.store)
    assert goal.store.verify() == []


@pytest.mark.parametrize("target", LOGGED)
def test_all_messages_of_a_log_whose_numbers_restart_are_there(stores, full, target):
    """Sixteen: the original design's own program keeps ten of them, and reports success."""
    goal = stores.opened(target)
    moved(full.dedup, goal)
    found = goal.get_full_conversation("restarting")
    assert [each["source_index"] for each in found] == RESTARTING
    assert len({each["content"] for each in found}) == len(RESTARTING)


@pytest.mark.parametrize("target", LOGGED)
def test_a_folder_that_is_moved_is_what_it_was(stores, full, target):
    """Every file, its bytes and its time."""
    before = files_of(full.folder)
    moved(full.dedup, stores.opened(target))
    assert files_of(full.folder) == before


@pytest.mark.parametrize("source", DATABASES)
def test_a_database_that_is_moved_is_what_it_was(stores, full, source):
    """Every row; and whoever moves it needs no more than to read."""
    server, _ = stores.server(source)
    origin = stores.opened(source, "origin")
    moved(full.dedup, origin)
    url = stores.url(source, "origin")
    stores.close()
    connection = server.connect(url.split("dbname=")[1].split()[0])
    before = rows_of(connection)
    reader = f"{url} options='-c default_transaction_read_only=on'"
    goal = stores.opened("default", "goal")
    from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator

    moved(stores.closing(ClaudeConversationDeduplicator("x", "postgresql", reader)), goal)
    assert rows_of(connection) == before
    connection.close()
    assert lines_of(goal.store) == lines_of(full.dedup.store)


@pytest.mark.parametrize("target", LOGGED)
def test_a_capture_goes_on_in_the_target_where_it_was(stores, tmp_path, target):
    """What the client writes after the migration is read from there on, into the same conversation."""
    origin = FullStore(tmp_path / "origin", tmp_path / "client")
    origin.pictures()
    goal = stores.opened(target)
    moved(origin.dedup, goal)
    origin.write("first", shown("later", IMAGES["lamp"]))
    done = origin.capture(dedup=goal)
    assert (done.new, done.total) == (2, 2)
    origin.capture()
    assert goal.get_full_conversation(SESSIONS["first"])[-1]["kind"] == "prompt"
    contents = [
        [each["content"] for each in dedup.get_full_conversation(SESSIONS["first"])] for dedup in (goal, origin.dedup)
    ]
    assert contents[0] == contents[1]
    assert goal.store.verify() == []


@pytest.mark.parametrize("target", LOGGED)
def test_images_come_from_wherever_the_source_has_them(stores, tmp_path, monkeypatch, target):
    """From packs of the archive, which lie beside the source alone."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    harbour = Harbour(tmp_path / "project", tmp_path / "client")
    harbour.filled()
    harbour.dedup.store.settle()
    assert harbour.blobs() == {}
    goal = stores.opened(target)
    moved(harbour.dedup, goal)
    assert {name: goal.get_full_conversation(name) for name in goal.conversations()} == harbour.said()


@pytest.mark.parametrize("target", LOGGED)
def test_it_goes_on_where_it_was(stores, full, monkeypatch, target):
    """A part is there: it is not taken again, and the result is the same. Done once more there is nothing to do."""
    goal = stores.opened(target)
    lines = lines_of(full.dedup.store)
    ends = [at for at, line in enumerate(lines, 1) if b'"window":' in line]
    with goal.store.transaction():
        list(goal.store.load(lines[: ends[4]], full.dedup.store.blobs.read))
    done = moved(full.dedup, goal)
    assert done.copied.before == sum(map(len, lines[: ends[4]]))
    assert lines_of(goal.store) == lines
    again = moved(full.dedup, goal)
    assert again.copied.before == again.copied.size == done.copied.size


@pytest.mark.parametrize("target", LOGGED)
def test_what_came_into_the_source_since_is_taken_along_by_the_next_one(stores, tmp_path, target):
    """The target has a beginning of the source's log, and gets the rest."""
    origin = FullStore(tmp_path / "origin", tmp_path / "client")
    origin.pictures()
    goal = stores.opened(target)
    moved(origin.dedup, goal)
    origin.dedup.ingest(numbered("more", range(5)), name="more.json", conversation_id="more")
    moved(origin.dedup, goal)
    assert answers(goal.store) == answers(origin.dedup.store)


@pytest.mark.parametrize("target", LOGGED)
def test_a_target_that_went_on_is_left_alone(stores, tmp_path, target):
    """It has all of the source, and more: nothing is to be done."""
    origin = FullStore(tmp_path / "origin", tmp_path / "client")
    origin.pictures()
    goal = stores.opened(target)
    moved(origin.dedup, goal)
    goal.ingest(numbered("more", range(5)), name="more.json", conversation_id="more")
    before = lines_of(goal.store)
    done = moved(origin.dedup, goal)
    assert (done.copied.ahead > 0, done.copied.before) == (True, done.copied.size)
    assert lines_of(goal.store) == before


@pytest.mark.parametrize("target", LOGGED)
def test_a_target_that_holds_something_else_is_refused_and_left_as_it_was(stores, tmp_path, full, target):
    """Whether it is shorter or longer than the source's log."""
    goal = stores.opened(target)
    goal.ingest(Talk("other").text(), name="other.txt")
    before = lines_of(goal.store)
    small = FullStore(tmp_path / "small", tmp_path / "client")
    small.dedup.ingest(numbered("a", range(2)), name="a.json", conversation_id="a")
    for origin in (full.dedup, small.dedup):
        with pytest.raises(TargetHoldsOther) as refused:
            moved(origin, goal)
        assert "--unite" in refused.value.hint
    assert lines_of(goal.store) == before


def test_lines_that_cannot_be_read_are_named_and_what_stands_before_them_is_taken(tmp_path, stores, full):
    """The source is damaged: not ours to hide."""
    origin = FullStore(tmp_path / "origin", tmp_path / "client")
    for name in "abc":
        origin.dedup.ingest(numbered(name, range(4)), name=f"{name}.json", conversation_id=name)
    log = origin.folder / "conversation_log.jsonl"
    data = bytearray(log.read_bytes())
    at = data.index(b"message 1 of c")
    data[at : at + 4] = b"MESS"
    log.write_bytes(data)
    goal = stores.opened("json", "goal")
    with pytest.raises(SourceDamaged) as damaged:
        moved(origin.dedup, goal)
    assert "checksum" in str(damaged.value)
    assert goal.conversations() == ["a", "b"]


@pytest.mark.parametrize("target", LOGGED)
def test_an_image_that_the_source_lost_is_said_and_costs_nothing_else(stores, tmp_path, target):
    """Its message is kept without it, as it is in the source."""
    origin = FullStore(tmp_path / "origin", tmp_path / "client")
    origin.pictures()
    lost = next((origin.folder / "blobs").glob("*/*"))
    lost.unlink()
    goal = stores.opened(target)
    done = moved(origin.dedup, goal)
    assert done.proof.lost == {lost.name}
    assert answers(goal.store) == answers(origin.dedup.store)


CHANGES = {
    "a body": "UPDATE messages SET body = replace(encode(body, 'escape'), 'sentence', 'SENTENCE')::bytea WHERE body IS NOT NULL",
    "a number": "UPDATE messages SET entry = replace(encode(entry, 'escape'), '\"source_index\":1', '\"source_index\":7')::bytea",
    "the audit": "UPDATE deduplication_log SET duplicates_filtered = messages_processed",
    "a cursor": "DELETE FROM index_entries WHERE name = 'cursors'",
    "a count": "UPDATE stores SET about = replace(about, '\"occurrences\":', '\"occurrences\":1')",
    "a watermark": "UPDATE watermarks SET highest_index = highest_index + 1",
    "an order": "UPDATE conversations SET state = replace(state, '\"windows\":[[', '\"windows\":[[[9,9],')",
    "a message": "DELETE FROM messages WHERE message_index = 3",
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_is_found_by_nobodys_word(stores, full, change, request):
    """Whatever is changed in the target behind its back, the migration does not say that it is done."""
    goal = stores.opened(DATABASE)
    moved(full.dedup, goal)
    with goal.store.transaction():
        connection = goal.store.database.connected()
        with connection.transaction():
            connection.execute("SET LOCAL export_dedup.purging = 'on'")
            assert connection.execute(CHANGES[change]).rowcount > 0
    with pytest.raises((MigrationUnproven, StoreError)):
        moved(full.dedup, stores.opened(DATABASE))


@pytest.mark.parametrize("change", ["a body", "a number", "the audit", "a cursor", "a message"])
def test_the_proof_finds_it_before_verify_does(stores, full, monkeypatch, change):
    """It believes neither what the target says of itself nor its verify."""
    goal = stores.opened(DATABASE)
    moved(full.dedup, goal)
    with goal.store.transaction():
        connection = goal.store.database.connected()
        with connection.transaction():
            connection.execute("SET LOCAL export_dedup.purging = 'on'")
            connection.execute(CHANGES[change])
    target = stores.opened(DATABASE)
    monkeypatch.setattr(target.store, "verify", list)
    with pytest.raises((MigrationUnproven, StoreError)):
        moved(full.dedup, target)


@pytest.mark.parametrize("source", ["default", DATABASE])
def test_a_source_that_was_purged_meanwhile_is_not_said_to_be_moved(tmp_path, stores, monkeypatch, source):
    """What was purged is in the target: nobody is told that all is well."""
    origin = stores.opened(source, "origin")
    for name in "abc":
        origin.ingest(numbered(name, range(4)), name=f"{name}.json", conversation_id=name)
    copy = moving.copy

    def purged(*arguments):
        done = copy(*arguments)
        with in_a_folder(stores.opened(source, "origin").store, str(tmp_path / "lent")) as store:
            purge(store, None, Scope(sessions=("b",)))
        return done

    monkeypatch.setattr(moving, "copy", purged)
    with pytest.raises(SourceRewritten):
        moved(origin, stores.opened("json", "goal"))


def test_runs_of_the_source_go_on_meanwhile(tmp_path, stores, monkeypatch):
    """Its lock is not held: what comes is for the next time, and what was seen is moved and proven."""
    origin = FullStore(tmp_path / "origin", tmp_path / "client")
    origin.pictures()
    copy = moving.copy

    def captured(*arguments):
        origin.dedup.ingest(numbered("more", range(5)), name="more.json", conversation_id="more")
        origin.dedup.store.condense()
        return copy(*arguments)

    monkeypatch.setattr(moving, "copy", captured)
    goal = stores.opened("default", "goal")
    done = moving.move(origin.dedup.store, goal.store, unseen)
    assert "more" not in goal.conversations()
    assert done.copied.size < sum(map(len, lines_of(origin.dedup.store)))
    assert capture_file(origin.dedup, origin.transcript(), thorough=True) is None
