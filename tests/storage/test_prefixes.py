"""How exports begin, as a store keeps it: from the log alone, the last ones of each head, and nothing of what it lost."""

from __future__ import annotations

import pytest

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import LOG_NAME
from deduplication.storage.log.lines import Damaged, decode_line
from deduplication.storage.prefix import Prefix, of_prefix, to_prefix
from deduplication.storage.state.log_state import State
from deduplication.storage.state.prefixes import add_prefix, prefixes_in
from export_chains import Ran, day_chain
from truth_day import Happens
from truth_screen import ERAS
from truth_session import Session

HEAD = "0123456789abcdef"
PREFIX = Prefix(HEAD, 600, "5" * 64, 3, 2, 500, (1, "two", 0), (0, 1, 2), keyed=True)


def noted(state, name, prefix, *, window=((0, 2),)):
    """Note that an export of a conversation begins so."""
    conversation = state.entered(name)
    position = conversation.add_window([list(each) for each in window])
    export = {"parser": 3, "format": "claude-code-text"}
    add_prefix(state, conversation, {"conversation_id": name, "export": export, "prefix": of_prefix(prefix)}, position)


def sizes(state):
    """The conversation and the size of each prefix that is kept."""
    return [(each.conversation_id, each.prefix.size) for each in prefixes_in(state, HEAD)]


@pytest.mark.parametrize("prefix", [PREFIX, PREFIX._replace(witness=()), PREFIX._replace(keyed=False)])
def test_a_prefix_is_read_as_it_was_written(prefix):
    """With and without what is rare."""
    assert to_prefix(of_prefix(prefix)) == prefix


@pytest.mark.parametrize(
    "change",
    [
        {"size": -1},
        {"size": "600"},
        {"messages": True},
        {"head": "xyz"},
        {"head": "01"},
        {"sha256": 5},
        {"witness": [-1]},
    ],
    ids=str,
)
def test_a_prefix_of_another_form_is_damage(change):
    """Whatever the checksum of its line says."""
    state = State()
    conversation = state.entered("s")
    with pytest.raises(Damaged):
        add_prefix(
            state,
            conversation,
            {"conversation_id": "s", "export": {"parser": 3, "format": "f"}, "prefix": {**of_prefix(PREFIX), **change}},
            0,
        )


def test_the_last_prefixes_are_kept():
    """Four of each conversation, eight of a head; one that comes again is the last one."""
    state = State()
    for size in (600, 700, 600, 800, 900, 1000):
        noted(state, "one", PREFIX._replace(size=size))
    assert sizes(state) == [("one", 600), ("one", 800), ("one", 900), ("one", 1000)]
    for name in ("two", "three"):
        for size in (600, 700, 800):
            noted(state, name, PREFIX._replace(size=size))
    assert sizes(state) == [
        ("one", 900),
        ("one", 1000),
        *((name, size) for name in ("two", "three") for size in (600, 700, 800)),
    ]
    assert prefixes_in(state, "f" * 16) == []


def test_a_conversation_that_lost_a_message_or_became_another_has_none():
    """What its window names may be no longer there."""
    state = State()
    noted(state, "one", PREFIX)
    assert sizes(state) == [("one", 600)]
    state.conversation("one").keep_lost(1)
    assert sizes(state) == []
    state = State()
    noted(state, "one", PREFIX)
    state.conversation("one").adopted_by = ("two", 0)
    assert sizes(state) == []


@pytest.mark.parametrize(("runs", "alone"), [({}, True), ({"exports": 1}, False), ({"captures": 1}, False)])
def test_it_is_alone_while_nothing_is_told_of_another_conversation(runs, alone):
    """Runs of its own change nothing."""
    state = State()
    noted(state, "one", PREFIX)
    state.conversation("one").figures["exports"] = 5
    state.figures = state.figures.plus(exports=5).plus(**runs)
    (found,) = prefixes_in(state, HEAD)
    assert found.alone == alone
    noted(state, "one", PREFIX._replace(witness=()))
    assert not prefixes_in(state, HEAD)[0].alone


def test_a_message_that_was_lost_has_the_same_file_and_a_longer_one_read_whole(tmp_path):
    """The line of a message is damaged: the very file that had it is read again, and brings it back."""
    chain = day_chain(2, Session("lost", turns=20), ERAS["2.1.197"], Happens(), exports=4)
    ran = Ran(tmp_path, chain[:2], rest=True)
    log = tmp_path / LOG_NAME
    lines = b"".join(line.data for line in lines_of(ran.dedup.store)).splitlines(keepends=True)
    assert log.read_bytes() == b"".join(lines)
    record = decode_line(lines[3])
    assert record["index"] == 3
    lines[3] = lines[3][:60] + b"#" * 8 + lines[3][68:]
    log.write_bytes(b"".join(lines))
    assert ran.dedup.store.rebuild()
    del ran
    later = ClaudeConversationDeduplicator(tmp_path)
    with later.store.transaction(write=False):
        (name,) = later.store.conversations()
        assert later.store.prefixes(decode_line(lines[-1])["prefix"]["head"]) == []
    assert later.ingest(chain[1][1], name="again.txt").known_before is False
    assert record["message"]["content"] in [message["content"] for message in later.get_full_conversation(name)]


def lines_of(store):
    """Every line of a log."""
    with store.transaction(write=False):
        return list(store.lines())
