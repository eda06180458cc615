"""A store in a folder is searched by its filters, and the hits are those of a scan: whatever was stored, damaged, or uncovered."""

from __future__ import annotations

import random

import pytest

import query_set
from deduplication import ClaudeConversationDeduplicator
from deduplication.files.clock import microseconds
from deduplication.model import EXACT, Export, Message
from deduplication.search import in_folder
from deduplication.search.hits import Wanted
from deduplication.search.patterns import Pattern
from deduplication.search.scan import scan
from deduplication.storage.word_filters import block, filter_file
from deduplication.words.terms import terms
from exports import Story
from thorough import THOROUGH

SPAN = 6_000
STORY = Story(11, exchanges=24)
HALF, REST = STORY.starts[9], STORY.starts[12]
KINDS = (("user", "prompt"), ("assistant", "text"), ("system", "tool_result"))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks of a few messages, few blocks to a group, and all places named."""
    monkeypatch.setattr(block, "SPAN", SPAN)
    monkeypatch.setattr(block, "GROUP", 5)
    monkeypatch.setattr(in_folder, "PLACES_READ", 1_000_000)


def say(folder, *messages, conversation="one", number=0):
    """Store messages as one export."""
    dedup = ClaudeConversationDeduplicator(folder)
    export = Export("test", messages, conversation_id=conversation)
    dedup.ingest_export(export, name="x", sha256=f"{number:064}", raw_bytes=1)
    return dedup


def said(text, moment, uuid, kind=("user", "prompt")):
    """A message."""
    return Message(*kind, text, timestamp=moment, uuid=uuid, fidelity=EXACT)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with what makes a search hard: bodies that come again anywhere, times in no order, messages that grew."""
    folder = str(tmp_path_factory.mktemp("made") / "state")
    drawn = random.Random(3)
    texts = query_set.texts(120)
    grown = {}
    for number in range(12):
        messages = []
        for n in range(40):
            name = f"{number % 5}-{drawn.randrange(400)}"
            text = grown.get(name, drawn.choice(texts))
            if name in grown or drawn.random() < 0.2:
                text = grown[name] = f"{text} {drawn.choice(texts)[:30]}"
            moment = f"2026-0{drawn.randrange(1, 7)}-1{drawn.randrange(10)}T10:00:{n % 60:02}.{number:03}Z"
            messages.append(said(text, moment, name, drawn.choice(KINDS)))
        say(folder, *messages, conversation=f"conversation-{number % 5}", number=number)
    dedup = ClaudeConversationDeduplicator(folder)
    for name, text in (
        ("first-half", STORY.show(0, HALF)),
        ("second-half", STORY.show(REST, len(STORY.turns))),
        ("whole", STORY.show(0, len(STORY.turns))),
    ):
        dedup.ingest(text, name=f"{name}.txt")
    say(folder, said("the last harbour", "2026-07-01T10:00:00.000Z", "last"), conversation="last", number=99)
    return folder


@pytest.fixture(params=["open", "sealed"])
def folder(request, made, tmp_path, monkeypatch):
    """A copy of it, as it is and sealed, with filters."""
    import shutil

    copy = str(tmp_path / "state")
    shutil.copytree(made, copy)
    store = ClaudeConversationDeduplicator(copy).store
    if request.param == "sealed":
        store.condense()
    else:
        store.make_filters()
    with store.locked_log() as log:
        assert bool(log.sealed.end) == (request.param == "sealed")
        file = filter_file.FilterFile(copy)
        assert len(file.load(log)) > 20
    return copy


def told(found):
    """What was found, to be compared."""
    return [(hit.content_hash, hit.message, sorted(hit.places)) for hit in found.hits]


def same(folder, *query, **filters):
    """Both find the same, all of it and the newest of it; how many."""
    wanted = Wanted(tuple(terms(query)), **filters)
    right = told(scan(folder, wanted))
    found = in_folder.search(folder, wanted, 100_000)
    assert told(found) == right, (query, filters)
    assert not found.capped
    for limit in (1, 4):
        some = in_folder.search(folder, wanted, limit)
        assert told(some)[:limit] == right[:limit], (query, filters)
        assert len(some.hits) <= len(right)
        assert some.capped or len(some.hits) == len(right)
    return len(right)


@pytest.mark.unmeasured
@pytest.mark.slow
def test_the_query_set(folder):
    """Some hundred queries of eight kinds; every ninth unless the thorough size is asked for."""
    queries = query_set.ALL[:: 1 if THOROUGH else 9]
    assert sum(bool(same(folder, *query)) for query in queries) > len(queries) / 2


def test_filters(folder):
    """Role, kind, conversation and time leave out the others; a body that came again counts where it came again."""
    filters = {
        "role": "user",
        "kind": "tool_result",
        "conversation": "conversation-2",
        "since": microseconds("2026-02-13"),
        "until": microseconds("2026-03-01T00:00:00Z"),
    }
    for name, value in filters.items():
        assert same(folder, "t", **{name: value})
        same(folder, "harbour", **{name: value})
    same(folder, "t", **{**filters, "role": None})
    assert same(folder, "t", conversation="nobody") == 0


def test_conversations_that_are_one(folder):
    """What was said in a conversation that turned out to be another one is found there."""
    words = {word for turn in STORY.turns for word in turn.text.split() if len(word) > 5}
    for word in sorted(words)[:12]:
        same(folder, word)
        same(folder, word, conversation="first-half")
        assert same(folder, word, conversation="second-half") == 0


def test_a_pattern(folder):
    """A regular expression is looked for in what the other conditions leave, by itself or beside words."""
    pattern = Pattern(r"tide.?[Cc]lock")
    assert same(folder, matches=pattern.is_in)
    same(folder, "harbour", matches=pattern.is_in)
    assert same(folder, matches=pattern.is_in, role="user")


def filters_of(folder):
    """The bytes of the file."""
    with open(f"{folder}/words.bin", "rb") as file:
        return file.read()


def test_few_blocks_are_read(tmp_path, monkeypatch):
    """Of a word that is nowhere none, of one that stands in one block this one, of one that is everywhere the newest."""
    folder = str(tmp_path / "state")
    for number in range(40):
        text = f"tide {'harbour' if number == 7 else ''} {number} " + f"word{number} " * 800
        say(folder, said(text, f"2026-03-01T10:00:{number:02}.000Z", f"{number}"), number=number)
    ClaudeConversationDeduplicator(folder).store.make_filters()
    read = []
    plain = in_folder.BlockReader._lines
    monkeypatch.setattr(
        in_folder.BlockReader,
        "_lines",
        lambda self, each, *more: read.append(each.number) or plain(self, each, *more),
    )
    for query, blocks, hits, capped in (("lighthouse", 0, 0, False), ("harbour", 1, 1, False), ("tide", 2, 2, True)):
        read.clear()
        found = in_folder.search(folder, Wanted(tuple(terms([query]))), 2)
        assert (len(set(read)), len(found.hits), found.capped) == (blocks, hits, capped)
        assert found.unfiltered < SPAN + 10_000


@pytest.mark.unmeasured
def test_a_damaged_file_costs_time_and_no_hits(folder):
    """Whichever bytes of it are others: what cannot be believed is read."""
    data = filters_of(folder)
    drawn = random.Random(1)
    for _ in range(12):
        at, length = drawn.randrange(len(data)), drawn.choice([1, 1, 3_000])
        changed = data[:at] + bytes(each ^ 0x55 for each in data[at : at + length]) + data[at + length :]
        with open(f"{folder}/words.bin", "wb") as file:
            file.write(changed)
        for query in (["harbour"], ["tide", "table"], ["潮"]):
            same(folder, *query)


def test_what_is_not_covered_is_read(folder):
    """A file that ends anywhere, or is missing: the same hits, and how much was read is told."""
    data = filters_of(folder)
    least = in_folder.search(folder, Wanted(tuple(terms(["tide"]))), 5).unfiltered
    for size in (0, 10, len(data) // 3, len(data) // 2, len(data) - 1):
        with open(f"{folder}/words.bin", "wb") as file:
            file.write(data[:size])
        same(folder, "tide")
        assert in_folder.search(folder, Wanted(tuple(terms(["tide"]))), 5).unfiltered > least


def test_filters_of_another_log_are_not_believed(folder, tmp_path):
    """Of a file that was copied from another store nothing is believed."""
    other = str(tmp_path / "other")
    for number in range(40):
        text = f"tide {number} " + "x " * 200
        say(other, said(text, f"2026-03-01T10:00:{number:02}.000Z", f"{number}"), number=number)
    with open(f"{other}/words.bin", "wb") as file:
        file.write(filters_of(folder))
    assert same(other, "tide") == 40
    assert same(other, "harbour") == 0


def test_the_places_of_a_body_that_was_said_very_often(tmp_path, monkeypatch):
    """Its newest place is right, and it is said that there are more than are named."""
    monkeypatch.setattr(in_folder, "PLACES_READ", 1)
    folder = str(tmp_path / "state")
    for number in range(30):
        moment = f"2026-03-{number + 1:02}T10:00:00.000Z"
        messages = [said("yes", moment, f"{number}"), said(f"{number} " + "word " * 1_500, moment, f"w{number}")]
        say(folder, *messages, conversation=f"conversation-{number}", number=number)
    ClaudeConversationDeduplicator(folder).store.make_filters()
    (hit,) = in_folder.search(folder, Wanted(tuple(terms(["yes"]))), 5).hits
    assert hit.more
    assert hit.newest.conversation == "conversation-29"
    assert 1 < len(hit.places) < 30
