"""A session as its transcript wrote it and as an export drew it: one conversation, whatever came first."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import (
    ASSISTANT,
    EXACT,
    LAYOUT,
    PROMPT,
    SYSTEM,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    USER,
    Export,
    Message,
)

ROLES = {PROMPT: USER, TEXT: ASSISTANT, THINKING: ASSISTANT, TOOL_CALL: ASSISTANT, TOOL_RESULT: SYSTEM}
SHORT = st.sampled_from(["yes", "continue", "Done.", "OK."])


def _long(number):
    return f"Turn {number}: the ledger of the {number} harbours is folded beside **lantern {number}** and sealed"


# A stretch of tools: how many calls, and how the export draws them.
TOOLS = st.tuples(st.just("tools"), st.integers(1, 4), st.sampled_from(["each", "collapsed", "left out", "calls only"]))
THOUGHT = st.tuples(st.just(THINKING), st.just(0), st.just(""))
TURN = st.tuples(st.sampled_from([PROMPT, TEXT]), st.integers(0, 1), SHORT)
STORIES = st.lists(st.one_of(TURN, TURN, TURN, TOOLS, THOUGHT), min_size=1, max_size=20)


def both(story):
    """The messages of a story as they were written, and as they were drawn."""
    written, drawn = [], []
    for number, (kind, count, form) in enumerate(story):
        if kind == "tools":
            names = [f"{number}.{n}" for n in range(count)]
            written += [(TOOL_CALL, [{"type": "tool_use", "id": name, "name": "Read"}]) for name in names]
            written += [(TOOL_RESULT, f"content of {name}\n" * 5) for name in reversed(names)]
            if form == "collapsed":
                drawn.append((TOOL_CALL, f"Read {count} files (ctrl+o to expand)"))
            elif form != "left out":
                for name in names:
                    drawn.append((TOOL_CALL, f"Read({name})"))
                    drawn += [(TOOL_RESULT, f"content of {name}\n… +4 lines")] if form == "each" else []
        elif kind == THINKING:
            written.append((THINKING, f"I think about {number}, and about what comes after it, at some length"))
        else:
            said = _long(number) if count else form
            written.append((kind, said))
            drawn.append((kind, said.replace("**", "").replace(" the ", "\n the ")))
    return (
        [Message(ROLES[k], k, content, uuid=f"id{n}", fidelity=EXACT) for n, (k, content) in enumerate(written)],
        [Message(ROLES[k], k, content, fidelity=LAYOUT) for k, content in drawn],
    )


def process(store, messages):
    """Store an export that shows ``messages``."""
    sha256 = hashlib.sha256(repr(messages).encode()).hexdigest()
    export = Export("test", tuple(messages))
    return store.ingest_export(export, name="x", sha256=sha256, raw_bytes=1, conversation_id="c")


def contents(store):
    """What a reader gets."""
    return [message["content"] for message in store.get_full_conversation("c")]


@pytest.fixture(scope="module")
def new_store(tmp_path_factory):
    """Makes empty stores."""
    return lambda: ClaudeConversationDeduplicator(tmp_path_factory.mktemp("store") / "state")


@pytest.mark.unmeasured
@settings(max_examples=60)
@given(story=STORIES)
def test_an_export_of_what_was_captured_adds_no_turn(new_store, story):
    """Written first, then drawn: the conversation is what it was, and calls are not stored as they were drawn."""
    written, drawn = both(story)
    store = new_store()
    process(store, written)
    done = process(store, drawn)
    assert [m for m in done.new_messages if m["kind"] in (PROMPT, TEXT)] == []
    if any(message.kind in (PROMPT, TEXT) for message in drawn):
        assert contents(store) == [message.content for message in written]
    assert store.store.verify() == []


@pytest.mark.unmeasured
@settings(max_examples=60)
@given(story=STORIES)
def test_what_was_written_takes_the_place_of_what_was_drawn(new_store, story):
    """Drawn first, then written: every message once, as it was written, in order; and the drawing again adds nothing."""
    written, drawn = both(story)
    store = new_store()
    process(store, drawn)
    process(store, written)
    if sum(message.kind in (PROMPT, TEXT) for message in drawn) > 1:
        assert contents(store) == [message.content for message in written]
        assert process(store, [*drawn, drawn[-1]][:-1]).new == 0
        assert contents(store) == [message.content for message in written]
    assert set(map(repr, contents(store))) >= {repr(message.content) for message in written}
    assert store.store.verify() == []


@pytest.mark.unmeasured
@settings(max_examples=60)
@given(story=STORIES, data=st.data())
def test_a_transcript_that_lags_behind_the_export(new_store, story, data):
    """Some turns of the transcript, the whole export, the whole transcript: every message once, as it was written."""
    whole = [(PROMPT, 1, ""), (TEXT, 1, ""), *story]
    written, drawn = both(whole)
    turns = [n for n in range(2, len(whole)) if whole[n][0] in (PROMPT, TEXT)]
    first = len(both(whole[: data.draw(st.sampled_from([*turns, len(whole)]))])[0])
    store = new_store()
    process(store, written[:first])
    process(store, drawn)
    process(store, written)
    assert contents(store) == [message.content for message in written]
