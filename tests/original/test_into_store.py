"""A state folder of the original project in a store: every message once, whatever was there before, however often it is done."""

from __future__ import annotations

import json

import pytest

from deduplication.errors import ExportChanged
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.original.entries import CONVERSATION_LOG
from deduplication.original.into_store import store_original, usable_id
from deduplication.original.state import read_state
from deduplication.project.export_names import validate_session_id
from deduplication.storage import open_store
from in_memory_store import Content, MemoryStore
from original_project import Conversations, Pool, damaged, said, turns

BACKENDS = {
    "memory": lambda _folder, content: MemoryStore(content),
    "json": lambda folder, _content: open_store("json", str(folder / "store")),
    "default": lambda folder, _content: open_store("default", str(folder / "store")),
}


@pytest.fixture(params=BACKENDS)
def dedup(request, tmp_path):
    """A deduplicator over a store of each kind, empty."""
    found = ClaudeConversationDeduplicator(tmp_path / "store")
    found.store = BACKENDS[request.param](tmp_path, Content())
    return found


@pytest.fixture
def folder(tmp_path):
    """Where the original project's state lies."""
    return tmp_path / "original"


def taken(dedup, folder, **more):
    """Take it into the store; what became of it."""
    return store_original(dedup.store, read_state(folder), **more)


def stored(dedup):
    """What each conversation says, in its order."""
    return {
        name: [message["content"] for message in dedup.get_full_conversation(name)] for name in dedup.conversations()
    }


def texts(messages):
    """What messages of an export say."""
    return [each["message"] for each in messages]


def test_sixteen_messages_are_sixteen(dedup, folder):
    """Numbers that begin anew after ten: none of the messages takes the place of another one."""
    log = Conversations(folder)
    log.process("rollout-master", turns(0, 10))
    log.forget()
    log.process("rollout-master", turns(0, 6, "after the compaction"))
    done = taken(dedup, folder)
    assert (done.entries, done.messages, done.new) == (16, 16, 16)
    assert stored(dedup) == {"rollout-master": texts([*turns(0, 10), *turns(0, 6, "after the compaction")])}
    messages = dedup.get_full_conversation("rollout-master")
    assert [(each["source_index"], each["role"]) for each in messages[9:12]] == [
        (9, "assistant"),
        (0, "user"),
        (1, "assistant"),
    ]
    assert {(each["timestamp"], each["clock"]) for each in messages} == {("2025-11-17T10:00:00Z", "source")}


def test_twice_is_once(dedup, folder):
    """The second time nothing is new; what was added to the folder since comes in, in its place, and nothing else."""
    log, pool = Conversations(folder), Pool(folder)
    log.process("a", turns(0, 6))
    log.process("b", turns(0, 4, "other"))
    pool.process("day 1", turns(0, 3, "pooled"))
    first = taken(dedup, folder)
    before = stored(dedup)
    again = taken(dedup, folder)
    assert (first.new, again.new) == (13, 0)
    assert all(each.known_before for each in again.conversations)
    assert stored(dedup) == before
    log.process("a", turns(0, 9))
    pool.process("day 1", turns(0, 5, "pooled"))
    grown = taken(dedup, folder)
    assert [each.new for each in grown.conversations] == [3, 0, 2]
    assert stored(dedup) == {
        "a": texts(turns(0, 9)),
        "b": texts(turns(0, 4, "other")),
        "day-1": texts(turns(0, 5, "pooled")),
    }
    assert dedup.store.verify() == []


def test_the_raw_exports_first(dedup, folder):
    """What they brought is not doubled, neither under the same id nor under another one."""
    log, pool = Conversations(folder), Pool(folder)
    log.process("a", turns(0, 6))
    log.process("b", turns(0, 6, "other"))
    pool.process("a day", turns(0, 6, "pooled"))
    dedup.process_export("a", {"messages": turns(0, 8)})
    dedup.process_export("what we called it", {"messages": turns(0, 8, "other")})
    dedup.process_export("some session", {"messages": turns(0, 8, "pooled")})
    before = stored(dedup)
    done = taken(dedup, folder)
    assert [each.conversation_id for each in done.conversations] == ["a", "what we called it", "some session"]
    assert (done.new, stored(dedup)) == (0, before)
    assert stored(dedup) == before
    assert taken(dedup, folder).new == 0
    assert stored(dedup) == before


def test_the_raw_exports_afterwards(dedup, folder):
    """They find their conversation, and bring what the original project had dropped: a "yes" that was said again."""
    messages = [*turns(0, 4), said(4, "prompt", "yes"), *turns(5, 7), said(7, "prompt", "yes"), *turns(8, 10)]
    Pool(folder).process("day 1", messages)
    taken(dedup, folder)
    assert len(stored(dedup)["day-1"]) == 9
    dedup.process_export(None, {"messages": messages})
    assert stored(dedup) == {"day-1": texts(messages)}


def test_ids_that_people_gave_stay(dedup, folder):
    """Two conversations of the original project are two here, whatever they share."""
    log = Conversations(folder)
    log.process("Rollout Master", turns(0, 8))
    log.process("a copy", turns(0, 8))
    done = taken(dedup, folder)
    assert [each.conversation_id for each in done.conversations] == ["Rollout Master", "a copy"]
    assert stored(dedup) == {"Rollout Master": texts(turns(0, 8)), "a copy": texts(turns(0, 8))}
    assert [each.new for each in done.conversations] == [8, 0]


def test_what_was_kept_twice_there_is_once_here(dedup, folder):
    """The same exports went into the conversation log and, later, into the pool."""
    Conversations(folder).process("rollout-master", turns(0, 8))
    Pool(folder).process("2025-11-17-EXPORT-ROLLOUT.txt", turns(0, 10))
    done = taken(dedup, folder)
    assert [each.conversation_id for each in done.conversations] == ["rollout-master", "rollout-master"]
    assert stored(dedup) == {"rollout-master": texts(turns(0, 10))}


HOSTILE = [
    "a/b",
    "c/b",
    "..",
    "",
    " blank ",
    "x" * 300,
    "nul\0",
    "\ud800",
    "two\nlines",
    "'); DROP TABLE messages;--",
    "漢字 é",
]


def test_hostile_ids(dedup, folder):
    """Each conversation has an id of its own that every command takes, the same each time."""
    log = Conversations(folder)
    for number, name in enumerate(HOSTILE):
        log.process(name, turns(0, 3, f"number {number}"))
    done = taken(dedup, folder)
    ids = [each.conversation_id for each in done.conversations]
    assert ids == [usable_id(name) if name else "uncategorized" for name in HOSTILE]
    assert len(set(ids)) == len(HOSTILE)
    for each in ids:
        validate_session_id(each)
    assert [stored(dedup)[each] for each in ids] == [
        texts(turns(0, 3, f"number {number}")) for number in range(len(HOSTILE))
    ]
    assert taken(dedup, folder).new == 0
    assert usable_id("plain") == "plain"


def test_hostile_contents(dedup, folder):
    """NUL, half a pair, 2 MB, blocks: what was said is what is stored."""
    contents = ["a\0b", "\ud83d", "long text, " * 200_000, [{"type": "text", "text": "x\0"}], "", {"a": 1}, 7, None]
    Conversations(folder).process("c", [said(n, "response", each) for n, each in enumerate(contents)])
    done = taken(dedup, folder)
    assert done.messages == len(contents)
    found = stored(dedup)["c"]
    assert found[:3] == contents[:3]
    assert found[3] in ("x\0", contents[3])
    (told,) = done.conversations
    assert "line 7: it has no content; kept as it is" in " ".join(told.warnings)


def test_a_trial_run(dedup, folder, tmp_path):
    """Counts the same, and stores nothing."""
    log, pool = Conversations(folder), Pool(folder)
    log.process("a", turns(0, 6))
    log.process("b", turns(0, 6))
    pool.process("day 1", [*turns(0, 2), *turns(0, 3, "pooled")])
    tried = taken(dedup, folder, dry_run=True)
    assert stored(dedup) == {}
    assert not (tmp_path / "store").exists()
    done = taken(dedup, folder)
    assert [(each.messages, each.new) for each in tried.conversations] == [
        (each.messages, each.new) for each in done.conversations
    ]
    assert [each.new for each in done.conversations] == [6, 0, 3]


def test_damage_is_told_with_the_result(dedup, folder):
    """What can be read is stored; lines and hashes that are missing are named."""
    Conversations(folder).process("c", turns(0, 4))
    damaged(folder / CONVERSATION_LOG.file, 2, b"{")
    done = taken(dedup, folder)
    assert [line.partition(" (")[0] for line in done.damage] == [f"{CONVERSATION_LOG.file}, line 2: it is no JSON"]
    assert [(each.file, each.name, each.hashes) for each in done.claims] == [("content_hashes.json", "c", 1)]
    assert len(stored(dedup)["c"]) == 3


def test_what_is_told_is_stored(dedup, folder):
    """One conversation after another: where the folder changes meanwhile, those that were told of stay."""
    log = Conversations(folder)
    log.process("a", turns(0, 3))
    log.process("b", turns(0, 3, "other"))
    told = []

    def tell(one):
        told.append((one.name, len(stored(dedup)[one.conversation_id])))
        log.process("b", turns(0, 4, "other"))

    with pytest.raises(ExportChanged):
        taken(dedup, folder, told=tell)
    assert told[0] == ("a", 3)
    done = taken(dedup, folder)
    assert stored(dedup) == {"a": texts(turns(0, 3)), "b": texts(turns(0, 4, "other"))}
    assert done.messages == 7


def test_the_folder_stays_what_it_is(dedup, folder):
    """Not a byte of it is changed."""
    Conversations(folder).process("a", turns(0, 3))
    Pool(folder).process("p", turns(0, 3, "pooled"))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    taken(dedup, folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert json.loads((folder / "watermarks.json").read_text()) == {"a": 2}
