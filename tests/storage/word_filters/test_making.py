"""Filters follow from the log, bit for bit: however often their making is stopped, and after a purge; what is wrong is noticed."""

from __future__ import annotations

import os

import pytest

from deduplication import ClaudeConversationDeduplicator
from deduplication.model import EXACT, Export, Message
from deduplication.project.paths import WORDS
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from deduplication.search.hits import Wanted
from deduplication.search.scan import scan
from deduplication.storage.footprint import footprint
from deduplication.storage.word_filters import block, of_store
from deduplication.storage.word_filters.filter_file import FilterFile
from deduplication.storage.word_filters.table import Key
from deduplication.words.lexemes import asked_of
from deduplication.words.terms import terms

SPAN = 3_000
SECRET = 12
"""The export with a word that no other one has."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks of a few messages, few blocks to a group."""
    monkeypatch.setattr(block, "SPAN", SPAN)
    monkeypatch.setattr(block, "GROUP", 4)


@pytest.fixture(params=["default", "json"])
def dedup(request, tmp_path):
    """A store of twenty exports, with filters."""
    found = ClaudeConversationDeduplicator(tmp_path / "state", backend=request.param)
    for number in range(20):
        word = "zanzibarquay" if number == SECRET else "harbour"
        texts = [f"{word} {number} " + f"crane{number} " * 200, "yes", f"the tide of {number}"]
        messages = tuple(
            Message("user", "prompt", t, uuid=f"{number}-{n}", fidelity=EXACT) for n, t in enumerate(texts)
        )
        export = Export("test", messages, conversation_id=f"conversation-{number % 3}")
        found.ingest_export(export, name="x", sha256=f"{number:064}", raw_bytes=1)
    found.store.make_filters()
    return found


def path_of(dedup):
    """Where the filters lie."""
    return os.path.join(dedup.store.folder, WORDS)


def content(dedup):
    """The bytes of the file."""
    with open(path_of(dedup), "rb") as file:
        return file.read()


def made_anew(dedup):
    """The bytes of one that is made from nothing."""
    os.unlink(path_of(dedup))
    dedup.store.make_filters()
    return content(dedup)


def may_have(dedup, word):
    """The numbers of the blocks that may have a word."""
    file = FilterFile(dedup.store.folder)
    with dedup.store.locked_log() as log:
        keys = [Key(lexeme, begun=begun) for lexeme, begun in asked_of(terms([f'"{word}"']))]
        found = [each.number for each in file.load(log) if all(map(each.parts, keys))]
    file.close()
    return found


def test_stopped_anywhere_they_are_the_same(dedup):
    """One block at a time, or cut off after any byte: what is made next is what would have been made in one go."""
    whole = content(dedup)
    assert len(may_have(dedup, "harbour")) > 10
    os.unlink(path_of(dedup))
    steps = 0
    left = True
    while left:
        store = ClaudeConversationDeduplicator(dedup.store.folder).store
        with store.transaction():
            left = of_store.make(store._indexed, 0.0)
        steps += 1
    assert steps > 10
    assert content(dedup) == whole
    for size in range(1, len(whole), 97):
        with open(path_of(dedup), "wb") as file:
            file.write(whole[:size])
        assert dedup.store.verify() == [], size
        dedup.store.make_filters()
        assert content(dedup) == whole, size


def test_what_is_stored_later_is_added(dedup):
    """What is there stays as it is, and a store whose lines were sealed meanwhile has the same filters."""
    before = content(dedup)
    texts = [f"lantern {number} " * 200 for number in range(4)]
    messages = tuple(Message("user", "prompt", text, uuid=text[:9], fidelity=EXACT) for text in texts)
    dedup.ingest_export(Export("test", messages, conversation_id="new"), name="y", sha256="f" * 64, raw_bytes=1)
    dedup.store.settle()
    dedup.store.make_filters()
    after = content(dedup)
    assert after[: len(before)] == before
    assert len(after) > len(before)
    if not dedup.store.is_plain:
        dedup.store.condense()
        assert made_anew(dedup) == after


@pytest.mark.parametrize("forget", [False, True])
def test_a_purge_takes_its_words_out(dedup, forget):
    """What is before the purged message stays; what comes after it is made anew, the same as from nothing, without the word."""
    before = content(dedup)
    (secret,) = may_have(dedup, "zanzibarquay")
    (hit,) = scan(dedup.store.folder, Wanted(tuple(terms(["zanzibarquay"])))).hits
    done = purge(dedup.store, None, Scope(hashes=(hit.content_hash,)), forget=forget)
    assert len(done.plan.tombstones) == 1
    kept = b""
    if not forget:  # else each line names another head, and nothing is what it was
        kept = content(dedup)
        assert before.startswith(kept)
        assert 100 < len(kept) < len(before)
    assert may_have(dedup, "zanzibarquay") == []
    dedup.store.make_filters()
    after = content(dedup)
    assert after.startswith(kept)
    assert may_have(dedup, "zanzibarquay") == []
    assert secret in may_have(dedup, "harbour") or secret + 1 in may_have(dedup, "harbour")
    assert made_anew(dedup) == after
    assert dedup.store.verify() == []


def test_verify_notices_and_rebuild_makes_them_again(dedup):
    """Whichever byte is another one; a file that is missing is no fault."""
    whole = content(dedup)
    assert dedup.store.verify() == []
    for at in (3, 40, len(whole) // 2, len(whole) - 20):
        with open(path_of(dedup), "wb") as file:
            file.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        problems = dedup.store.verify()
        assert len(problems) == 1
        assert problems[0].startswith(f"{WORDS}: ")
        dedup.store.rebuild()
        assert content(dedup) == whole
        assert dedup.store.verify() == []
    os.unlink(path_of(dedup))
    assert dedup.store.verify() == []


def test_damage_is_made_good_when_more_is_stored(dedup):
    """From the damaged block on they are made again by whoever adds one."""
    whole = content(dedup)
    with open(path_of(dedup), "wb") as file:
        file.write(whole[: len(whole) // 2] + b"?" + whole[len(whole) // 2 + 1 :])
    texts = [f"lantern {number} " * 300 for number in range(4)]
    messages = tuple(Message("user", "prompt", text, uuid=text[:9], fidelity=EXACT) for text in texts)
    dedup.ingest_export(Export("test", messages, conversation_id="new"), name="y", sha256="f" * 64, raw_bytes=1)
    dedup.store.make_filters()
    assert content(dedup).startswith(whole)


def test_their_bytes_are_counted(dedup):
    """They belong to the indexes."""
    size = len(content(dedup))
    with_them = footprint(dedup.store.folder)
    os.unlink(path_of(dedup))
    assert with_them.indexes - footprint(dedup.store.folder).indexes == size
    assert with_them.other == 0
