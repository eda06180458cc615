"""A purge of a store that lies in a database: gone there, in the archive and in the session files, and nothing is left behind."""

from __future__ import annotations

import os

import pytest

from deduplication.errors import NothingToPurge, PurgeRefused
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import LENT, LOG_NAME
from deduplication.purge.lent_folder import in_a_folder
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of

SECRET = "the combination of the safe is nine, four, one and then nine again, as it always was"
EXPORT = f"❯ What do you remember?\n\n● I remember that {SECRET}.\n\n❯ And what else?\n\n● Nothing else.\n".encode()


@pytest.fixture
def stored(database, tmp_path):
    """A deduplicator over a store in a database that has a secret, and the folder that it may be lent."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "lent", "postgresql", database)
    dedup.ingest(EXPORT, name="a.txt", conversation_id="safe")
    return dedup, str(tmp_path / "lent")


def purged(dedup, folder):
    """Purge the message with the secret."""
    (found,) = (each for each in dedup.get_full_conversation("safe") if SECRET in each["content"])
    with in_a_folder(dedup.store, folder) as store:
        return purge(store, None, scope_of([], None, [found["content_hash"]]))


def test_what_was_purged_is_in_no_table(stored):
    """Neither as text nor as bytes, the words are nowhere; the others stay; the folder is empty again."""
    dedup, folder = stored
    purged(dedup, folder)
    assert [each["content"] for each in dedup.get_full_conversation("safe")] == [
        "What do you remember?",
        "And what else?",
        "Nothing else.",
    ]
    assert dedup.store.verify() == []
    assert not os.path.lexists(os.path.join(folder, LOG_NAME))
    assert not os.path.lexists(os.path.join(folder, LENT))
    for table in ("messages", "runs", "conversations", "index_entries", "deduplication_log", "stores"):
        rows = dedup.store.database.rows(f"SELECT t::text FROM {table} AS t")
        words = SECRET.encode()
        assert not any(SECRET in row or words.hex() in row for (row,) in rows), table


def test_it_does_not_come_back(stored):
    """The same export once more: the place is known, and the words stay away."""
    dedup, folder = stored
    purged(dedup, folder)
    dedup.ingest(EXPORT + b"\n\xe2\x9d\xaf More?\n", name="b.txt", conversation_id="safe")
    assert not any(SECRET in each["content"] for each in dedup.get_full_conversation("safe"))


def test_a_folder_with_a_store_of_its_own_is_not_lent(stored):
    """Its messages would go into the database."""
    dedup, folder = stored
    ClaudeConversationDeduplicator(folder).ingest(EXPORT, name="a.txt")
    with pytest.raises(PurgeRefused, match="a store of its own"):
        purged(dedup, folder)
    assert ClaudeConversationDeduplicator(folder, "default").conversations() != []


def test_nothing_to_purge_leaves_nothing(stored):
    """The folder is emptied whatever came of it."""
    dedup, folder = stored
    with pytest.raises(NothingToPurge), in_a_folder(dedup.store, folder) as store:
        purge(store, None, scope_of([], None, ["0" * 64]))
    assert not {LOG_NAME, LENT} & {*os.listdir(folder)}
