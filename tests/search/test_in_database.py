"""A store in a database is searched by its indexes, and the hits are those of the same store in a folder."""

from __future__ import annotations

import json
import random

import pytest

import query_set
from deduplication.alignment.plain_text import SEARCHED
from deduplication.errors import StoreMissing
from deduplication.files.clock import microseconds
from deduplication.model import BOOKKEEPING, EXACT, Export, Message
from deduplication.search import in_database
from deduplication.search.hits import Wanted
from deduplication.search.scan import scan
from deduplication.storage.database.database_store import DatabaseStore
from deduplication.storage.database.place import Place
from deduplication.words.terms import terms
from exports import Story
from store_backends import DATABASES, Stores

STORY = Story(11, exchanges=24)
HALF, REST = STORY.starts[9], STORY.starts[12]
HALVES = {
    "first-half": STORY.show(0, HALF),
    "second-half": STORY.show(REST, len(STORY.turns)),
    "whole": STORY.show(0, len(STORY.turns)),
}
"""Two conversations that the last file shows to be one."""


@pytest.fixture(params=DATABASES)
def both(request, tmp_path):
    """A deduplicator over a folder, its place, and a store in a database that takes over its log."""
    with Stores(request, tmp_path) as stores:
        folder, database = stores.opened("default"), stores.opened(request.param).store

        def copied():
            with folder.store.transaction(write=False), database.transaction():
                for _ in database.load([line.data for line in folder.store.lines()], folder.store.blobs.read):
                    pass
            return str(tmp_path / "state" / "default"), database

        yield folder, copied


def say(dedup, *messages, conversation="one", number=0):
    """Store messages, (role, kind, content) or whole ones, as one export."""
    made = [
        m if isinstance(m, Message) else Message(*m, fidelity=EXACT, uuid=f"{conversation}-{number}-{n}")
        for n, m in enumerate(messages)
    ]
    export = Export("test", tuple(made), conversation_id=conversation)
    dedup.ingest_export(export, name="x", sha256=f"{number:064}", raw_bytes=1)


def told(found):
    """What was found, to be compared."""
    return [(hit.content_hash, hit.message, hit.places, hit.more) for hit in found.hits], found.capped


def same(where, *query, limit=50, **filters):
    """Both find the same; what they found."""
    folder, database = where
    wanted = Wanted(tuple(terms(query)), **filters)
    here, there = scan(folder, wanted), in_database.search(database.place, wanted, limit)
    assert told(there) == told(here), (query, filters)
    return [hit.message["content"] for hit in here.hits]


@pytest.mark.unmeasured
def test_the_query_set(both):
    """Some hundred queries over made-up texts, said by several, some of them again and again in other conversations."""
    dedup, copied = both
    drawn = random.Random(3)
    texts = query_set.texts(150)
    for number in range(4):
        messages = [
            Message(
                *drawn.choice([("user", "prompt"), ("assistant", "text"), ("system", "tool_result")]),
                drawn.choice(texts),
                timestamp=f"2026-0{drawn.randrange(1, 5)}-1{drawn.randrange(10)}T10:00:{n % 60:02}.{n:03}Z",
                uuid=f"{number}-{n}",
                fidelity=EXACT,
            )
            for n in range(120)
        ]
        say(dedup, *messages, conversation=f"conversation-{number}", number=number)
    where = copied()
    found = [same(where, *query, limit=1_000) for query in query_set.ALL]
    assert sum(map(bool, found)) > 70
    filters = {
        "role": "user",
        "kind": "tool_result",
        "conversation": "conversation-2",
        "since": microseconds("2026-02-13"),
        "until": microseconds("2026-03-01T00:00:00Z"),
    }
    for name, value in filters.items():
        assert same(where, "t", limit=1_000, **{name: value})
    assert same(where, "t", limit=1_000, **{**filters, "role": None})
    assert same(where, "t", limit=1_000, conversation="nobody") == []


def test_conversations_that_are_one(both):
    """What was said in a conversation that turned out to be another one is found there, once."""
    dedup, copied = both
    for name, text in HALVES.items():
        dedup.ingest(text, name=f"{name}.txt")
    where = copied()
    words = {word for turn in STORY.turns for word in turn.text.split() if len(word) > 5}
    for word in sorted(words)[:40]:
        same(where, word)
        same(where, word, conversation="first-half")
        assert same(where, word, conversation="second-half") == []


def test_longer_forms(both):
    """A message that grew is found under the number of its last form, wherever the words are."""
    dedup, copied = both
    for number, text in enumerate(
        ("the harbour is", "the harbour is closed", "closed since noon", "the harbour is closed, alas")
    ):
        say(
            dedup,
            Message("assistant", "text", text, uuid="m", fidelity=EXACT),
            ("user", "prompt", "why"),
            number=number,
        )
    where = copied()
    assert same(where, "harbour")[0] == "the harbour is closed, alas"
    same(where, "closed")
    same(where, "noon")


def test_what_is_not_found(both):
    """Bookkeeping and our own output are no hits, nor is a part of a word; odd characters do no harm."""
    dedup, copied = both
    say(
        dedup,
        ("user", BOOKKEEPING, "/export-dedup-search harbour"),
        ("system", "tool_result", f"{SEARCHED} 1 message with harbour"),
        ("assistant", "text", "the harbour\0 is \ud83d closed"),
        (
            "assistant",
            "text",
            [{"type": "text", "text": "a harbour in blocks"}, {"type": "tool_use", "name": "Read", "id": "harbour"}],
        ),
        ("user", "prompt", "harbours' crane"),
        conversation="gr\ud83d\u00f6\0\u00dfe",
    )
    where = copied()
    assert len(same(where, "harbour")) == 3
    assert same(where, "arbour") == []
    (name,) = dedup.conversations()
    assert len(same(where, "harbour", conversation=name)) == 3


def test_a_message_of_very_many_words(both):
    """Its last words are found, too: a message whose words are not all kept is always looked at."""
    dedup, copied = both
    many = " ".join(f"word{number}x{number}" for number in range(90_000))
    say(dedup, ("system", "tool_result", f"{many} harbour"), ("user", "prompt", "harbour"))
    where = copied()
    assert len(same(where, "harbour")) == 2
    assert same(where, "lighthouse") == []
    assert len(same(where, "word89999x")) == 1


def test_everywhere_and_rare(both, monkeypatch):
    """Words that are everywhere are found among the newest messages and not counted to the end; rare ones by the index."""
    dedup, copied = both
    for name, few in (("NEWEST", 20), ("COUNTED", 10)):
        monkeypatch.setattr(in_database, name, few)
    texts = [f"tide {number}" + (" rare" if number in {3, 140} else "") for number in range(200)]
    moments = [f"2026-03-01T10:{number // 60:02}:{number % 60:02}.000Z" for number in range(200)]
    made = [Message("user", "prompt", t, timestamp=m, uuid=m, fidelity=EXACT) for t, m in zip(texts, moments)]
    say(dedup, *made)
    _, database = copied()
    found = in_database.search(database.place, Wanted(tuple(terms(["tide"]))), 5)
    assert [hit.message["content"] for hit in found.hits] == texts[:-21:-1]
    assert found.capped
    found = in_database.search(database.place, Wanted(tuple(terms(["rare"]))), 5)
    assert [hit.message["content"] for hit in found.hits] == [texts[140], texts[3]]
    assert not found.capped
    found = in_database.search(database.place, Wanted(tuple(terms(["tide"]))), 100)
    assert [hit.message["content"] for hit in found.hits[:100]] == texts[:-101:-1]


def test_the_places_of_a_body_that_was_said_very_often(both, monkeypatch):
    """Some of them are named, the newest among them, and it is said that there are more."""
    dedup, copied = both
    monkeypatch.setattr(in_database, "NAMED", 5)
    for number in range(9):
        message = Message(
            "user", "prompt", "yes", timestamp=f"2026-03-0{number + 1}T10:00:00.000Z", uuid=f"{number}", fidelity=EXACT
        )
        say(dedup, message, conversation=f"conversation-{number}", number=number)
    _, database = copied()
    (hit,) = in_database.search(database.place, Wanted(tuple(terms(["yes"]))), 5).hits
    assert hit.more
    assert len(hit.places) in (5, 6)
    assert hit.newest.conversation == "conversation-8"


@pytest.mark.parametrize("backend", DATABASES)
def test_no_store(request, tmp_path, backend):
    """A database without tables has no store, and gets none by being searched."""
    with Stores(request, tmp_path) as stores:
        place = Place(stores.url(backend), schema="nothing")
        store = DatabaseStore(place)
        for _ in range(2):
            with pytest.raises(StoreMissing):
                in_database.search(store.place, Wanted(tuple(terms(["tide"]))), 5)
        store.database.close()


@pytest.mark.parametrize("backend", DATABASES)
def test_the_command(request, tmp_path, capsys, monkeypatch, backend):
    """``search`` looks into the database that it is told of, for a person and for a program; what was not counted is said."""
    from deduplication.commands import search

    with Stores(request, tmp_path) as stores:
        say(stores.opened(backend), *[("user", "prompt", f"harbour {number}") for number in range(30)])
        told = ["--backend", "postgresql", "--db-url", stores.url(backend), "--storage-dir", str(tmp_path / "nothing")]
        assert search.main(["harbour", "--limit", "2", "--context", "1", *told]) == 0
        shown = capsys.readouterr().out
        assert "30 messages with harbour, the newest 2 of them (--limit 30 shows all)" in shown
        assert "   > «harbour» 29\n" in shown
        assert search.main(["harbour", "--session", "one", "--json", *told]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["total"], said["capped"], len(said["hits"])) == (30, False, 20)
        assert said["hits"][0]["conversation_id"] == "one"
        monkeypatch.setattr(in_database, "NEWEST", 20)
        monkeypatch.setattr(in_database, "COUNTED", 10)
        assert search.main(["harbour", "--limit", "2", *told]) == 0
        assert (
            "20+ messages with harbour, the newest 2 of them (they were not counted further)" in capsys.readouterr().out
        )
