"""Scanning a store: every body once, with its places; bookkeeping, our own output and unfinished runs are no hits."""

from __future__ import annotations

import pytest

from deduplication import ClaudeConversationDeduplicator
from deduplication.alignment.plain_text import SEARCHED
from deduplication.errors import StoreError
from deduplication.model import BOOKKEEPING, EXACT, Export, Message
from deduplication.search.hits import Place, Wanted
from deduplication.search.scan import scan
from deduplication.storage.log.lines import decode_line, encode_line
from deduplication.words.terms import terms


@pytest.fixture
def folder(tmp_path):
    """Where a store may lie."""
    return str(tmp_path / "store")


def store(folder, *messages, conversation="one", sha="0"):
    """Store messages as (role, kind, content) or Message."""
    made = [
        m if isinstance(m, Message) else Message(*m, fidelity=EXACT, uuid=f"{conversation}-{sha}-{n}")
        for n, m in enumerate(messages)
    ]
    dedup = ClaudeConversationDeduplicator(folder)
    export = Export("test", tuple(made), conversation_id=conversation)
    dedup.ingest_export(export, name="x", sha256=sha * 64, raw_bytes=1)
    return dedup


def find(folder, *query, **filters):
    """The contents found, the newest first."""
    return [hit.message["content"] for hit in scan(folder, Wanted(tuple(terms(query)), **filters)).hits]


def test_every_word_in_every_conversation(folder):
    """All words must be in one message, in whatever conversation it stands."""
    store(folder, ("user", "prompt", "The harbour crane"), ("assistant", "text", "the harbour"))
    store(folder, ("user", "prompt", "a crane in the Harbour"), conversation="two", sha="1")
    assert sorted(find(folder, "harbour", "CRANE")) == ["The harbour crane", "a crane in the Harbour"]
    assert find(folder, "lighthouse") == []


def test_filters(folder):
    """Role, kind and conversation each leave out the others."""
    store(
        folder, ("user", "prompt", "harbour a"), ("assistant", "text", "harbour b"), ("system", "notice", "harbour c")
    )
    store(folder, ("user", "prompt", "harbour d"), conversation="two", sha="1")
    assert sorted(find(folder, "harbour", role="user")) == ["harbour a", "harbour d"]
    assert find(folder, "harbour", kind="notice") == ["harbour c"]
    assert find(folder, "harbour", conversation="two") == ["harbour d"]


def test_a_body_is_found_once_with_all_its_places(folder):
    """A "yes" was said three times in two conversations: one hit, three places, also where only the last one counts."""
    store(folder, ("user", "prompt", "yes"), ("assistant", "text", "fine"), ("user", "prompt", "yes"))
    store(folder, ("user", "prompt", "yes"), conversation="two", sha="1")
    (hit,) = scan(folder, Wanted(tuple(terms(["yes"])))).hits
    assert [place[:2] for place in hit.places] == [("one", 0), ("one", 2), ("two", 0)]
    (hit,) = scan(folder, Wanted(tuple(terms(["yes"])), conversation="two")).hits
    assert [place[:2] for place in hit.places] == [("two", 0)]


def test_the_newest_comes_first(folder):
    """Order is by the messages' own times, not by that of storing."""
    moments = ("2026-03-02T10:00:00.000Z", "2026-03-01T10:00:00.000Z", "2026-03-03T10:00:00.000Z")
    made = [
        Message("user", "prompt", f"tide {moment[:10]}", timestamp=moment, uuid=moment, fidelity=EXACT)
        for moment in moments
    ]
    store(folder, *made)
    assert find(folder, "tide") == ["tide 2026-03-03", "tide 2026-03-02", "tide 2026-03-01"]


def test_bookkeeping_and_our_own_output_are_no_hits(folder):
    """A search finds neither the command that called it nor what an earlier search printed; talk about it is found."""
    store(
        folder,
        ("user", BOOKKEEPING, "/export-dedup-search harbour"),
        ("assistant", "tool_call", 'Bash(python3 "/x y/deduplicate_export.py" search harbour)'),
        (
            "assistant",
            "tool_call",
            {"name": "Bash", "input": {"command": "python3 deduplicate_export.py show harbour"}},
        ),
        ("system", "tool_result", f"{SEARCHED} 1 message with harbour"),
        ("system", "command_output", "🔐" * 40 + "\nharbour"),
        ("system", "tool_result", '{"query": "harbour", "total": 1}'),
        ("assistant", "text", f"{SEARCHED} harbour, it said"),
        ("assistant", "tool_call", "Bash(python3 deduplicate_export.py harbour.txt)"),
        ("system", "tool_result", "the harbour is closed"),
    )
    assert sorted(find(folder, "harbour")) == [
        "Bash(python3 deduplicate_export.py harbour.txt)",
        "the harbour is closed",
        f"{SEARCHED} harbour, it said",
    ]


def test_blocks_are_searched_as_text(folder):
    """The texts inside blocks are found as they were written, escapes and all."""
    content = [
        {"type": "text", "text": 'say "ahoy"\nharbour'},
        {"type": "tool_use", "id": "harbour-id", "name": "Read"},
    ]
    store(folder, ("assistant", "text", content))
    assert find(folder, '"ahoy" harbour') == [content]
    assert find(folder, "harbour-id") == []


def test_the_longer_form_takes_the_place_of_the_shorter_one(folder):
    """A message that grew is found once, under the number of its last form."""
    first = Message("assistant", "text", "the harbour is", uuid="m", fidelity=EXACT)
    grown = Message("assistant", "text", "the harbour is closed", uuid="m", fidelity=EXACT)
    store(folder, first)
    store(folder, grown, sha="1")
    assert find(folder, "harbour") == ["the harbour is closed"]
    assert find(folder, "closed") == ["the harbour is closed"]


def test_what_no_commit_record_follows_is_not_found(folder):
    """A run that did not finish is not looked at, nor what is torn."""
    dedup = store(folder, ("user", "prompt", "harbour a"))
    store(folder, ("user", "prompt", "harbour b"), conversation="two", sha="1")
    log = dedup.store.log.path
    with open(log, "rb") as file:
        lines = file.readlines()
    with open(log, "wb") as file:
        file.writelines(lines[:-1])
    assert find(folder, "harbour") == ["harbour a"]
    with open(log, "wb") as file:
        file.write(b"".join(lines)[:-3])
    scanned = scan(folder, Wanted(tuple(terms(["harbour"]))))
    assert [hit.message["content"] for hit in scanned.hits] == ["harbour a"]
    assert scanned.damaged == 1


def test_a_damaged_line_costs_its_own_message(folder):
    """It is passed over and counted; the others are found."""
    dedup = store(folder, ("user", "prompt", "harbour a"), ("user", "prompt", "harbour b"))
    with open(dedup.store.log.path, "r+b") as file:
        data = file.read().replace(b"harbour a", b"harbour x")
        file.seek(0)
        file.write(data)
    scanned = scan(folder, Wanted(tuple(terms(["harbour"]))))
    assert [hit.message["content"] for hit in scanned.hits] == ["harbour b"]
    assert scanned.damaged == 1


def test_lines_of_another_spelling_are_decoded(folder):
    """A log whose members stand in another order is searched all the same: only slower."""
    dedup = store(folder, ("user", "prompt", "harbour a"), ("user", BOOKKEEPING, "harbour"), ("user", "prompt", "yes"))
    with open(dedup.store.log.path, "rb") as file:
        lines = [decode_line(line) for line in file]
    with open(dedup.store.log.path, "wb") as file:
        file.writelines(encode_line(dict(reversed(list(record.items())))) for record in lines)
        file.write(encode_line({"conversation_id": "one", "something": "new, with a harbour"}))
    assert find(folder, "harbour") == ["harbour a"]


def test_nothing_there_is_nothing_found(folder, tmp_path):
    """Without a log there are no hits; a log that cannot be read is a named failure."""
    assert find(folder, "x") == []
    (tmp_path / "store" / "conversation_log.jsonl").mkdir(parents=True)
    with pytest.raises(StoreError):
        find(folder, "x")


def test_odd_names_of_conversations(folder):
    """A conversation's id may have letters of every script."""
    store(folder, ("user", "prompt", "harbour"), conversation="größe")
    (hit,) = scan(folder, Wanted(tuple(terms(["harbour"])))).hits
    assert hit.newest[:2] == ("größe", 0)
    assert isinstance(hit.newest, Place)
