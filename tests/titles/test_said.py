"""What is said of a conversation, in a store: the last one holds, in whatever order the log has it, on any backend."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import store_backends
from conversations import chat, exported, identity
from deduplication.files import clock
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.run_names import Runs
from deduplication.ingest.taken_over import runs_of, take_over
from deduplication.storage.log.title_records import CLIENT, TAGS, TITLE, TITLED
from deduplication.titles.naming import naming
from deduplication.titles.said import rename, said_of, say, tag
from exports import Story
from migration_scenes import moved
from store_backends import LOGGED
from told import Told
from transcript_lines import SESSION, answer, line, prompt

MOMENTS = st.integers(0, 3).map(lambda n: clock.spelt(1_700_000_000 + n))
SAID = st.fixed_dictionaries(
    {},
    optional={
        TITLE: st.sampled_from(["", "a", "b"]),
        TAGS: st.dictionaries(st.sampled_from("xy"), st.booleans(), min_size=1),
        CLIENT: st.dictionaries(st.sampled_from(["ai", "custom"]), st.sampled_from(["c", "d"]), min_size=1),
    },
)


def said(dedup, name):
    """What the log has of a conversation."""
    with dedup.store.transaction(write=False):
        return said_of(dedup.store, name)


@pytest.fixture(params=LOGGED)
def stores(request, tmp_path):
    """Empty stores of a backend."""
    if request.param in store_backends.DATABASES:
        store_backends.require_server(request.param)
    with store_backends.Stores(request, tmp_path) as made:
        yield lambda place: made.opened(request.param, place)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(MOMENTS, SAID), max_size=6), data=st.data())
def test_the_order_of_the_log_says_nothing(tmp_path_factory, lines, data):
    """Two machines that have the same lines in another order agree."""
    found = []
    for some in (lines, data.draw(st.permutations(lines))):
        dedup = ClaudeConversationDeduplicator(tmp_path_factory.mktemp("said"))
        name = dedup.ingest(Story(1, 3).show(0, 6), name="a.txt").conversation_id
        with dedup.store.transaction():
            for moment, each in some:
                say(dedup.store, name, each, moment)
        found.append(said(dedup, name))
        assert dedup.store.verify() == []
    assert found[0] == found[1]


def test_titles_are_kept_wherever_the_store_lies(stores):
    """Set, changed and taken away again; verified, made anew from the log, and moved to another backend and back."""
    dedup = stores("one")
    name = dedup.ingest(Story(1, 3).show(0, 6), name="a.txt").conversation_id
    figures = dedup.get_statistics(name)
    with dedup.store.transaction():
        rename(dedup.store, name, "first")
        rename(dedup.store, name, "second")
        tag(dedup.store, name, {"x": True, "y": True})
        tag(dedup.store, name, {"x": False})
    assert said(dedup, name)[::2] == ("second", ("y",))
    again = stores("one")
    assert said(again, name)[::2] == ("second", ("y",))
    assert again.store.verify() == []
    again.store.rebuild()
    assert said(again, name)[::2] == ("second", ("y",))
    other = stores("other")
    moved(again, other)
    assert said(other, name) == said(again, name)
    after = again.get_statistics(name)
    assert {**after, "updated_at": 0, "stored_bytes": 0, "storage_savings_pct": 0, "last_updated": 0} == {
        **figures,
        "updated_at": 0,
        "stored_bytes": 0,
        "storage_savings_pct": 0,
        "last_updated": 0,
    }


def test_titles_survive_sealing(tmp_path):
    """Sealed and compressed, the log says the same."""
    dedup = ClaudeConversationDeduplicator(tmp_path)
    name = dedup.ingest(Story(1, 3).show(0, 6), name="a.txt").conversation_id
    with dedup.store.transaction():
        rename(dedup.store, name, "sealed")
    dedup.store.condense()
    dedup.store.rebuild()
    assert said(ClaudeConversationDeduplicator(tmp_path), name).title == "sealed"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_stores_agree_on_the_later_title(tmp_path, order):
    """Whichever takes in the other one's: the later title holds, and words of both are there."""
    places = [ClaudeConversationDeduplicator(tmp_path / each) for each in "ab"]
    for dedup in places:
        name = dedup.ingest(Story(1, 3).show(0, 6), name="a.txt").conversation_id
    for number, dedup in enumerate(places):
        with dedup.store.transaction():
            say(dedup.store, name, {TITLE: f"title {number}", TAGS: {f"tag{number}": True}}, clock.spelt(2e9 + number))
    target, source = (places[each] for each in order)
    _taken_in(target, source)
    assert said(target, name)[::2] == ("title 1", ("tag0", "tag1"))
    before = target.store.log_backed()
    with target.store.transaction(write=False):
        size = before.log_size()
    _taken_in(target, source)
    with target.store.transaction(write=False):
        assert target.store.log_backed().log_size() == size


def _taken_in(target, source):
    """The runs of one store done once more in the other."""
    with source.store.transaction(write=False), target.store.transaction():
        known = Runs(target.store.log_backed().commits())
        take_over(target.store, list(runs_of(source.store.log_backed(), known)))


def titled(type_, **more):
    """A line of the client that names the session."""
    return json.dumps({"type": type_, "sessionId": SESSION, **more}).encode() + b"\n"


def test_the_clients_title_is_taken_from_the_transcript(tmp_path):
    """The last one of its kind; what its user set in the client before what a model made; ours before both."""
    told = Told(tmp_path)
    told.capture(prompt("look at the tide clock"), answer("done"))
    assert told.named(SESSION).title == "look at the tide clock"
    told.capture(titled("ai-title", aiTitle="Clocks"), titled("ai-title", aiTitle="Tides"))
    assert told.named(SESSION).title == "Tides"
    with told.store.transaction(write=False):
        titles = [record for _, record in told.store.records() if TITLED in record]
    told.capture(titled("ai-title", aiTitle="Tides"), prompt("more", name="m"))
    with told.store.transaction(write=False):
        assert [record for _, record in told.store.records() if TITLED in record] == titles  # said once
    assert told.named(SESSION).title == "Tides"
    told.capture(titled("custom-title", customTitle="Mine"), titled("ai-title", aiTitle="Later"))
    assert told.named(SESSION).title == "Mine"
    told.capture(titled("custom-title", customTitle="Not this one", sessionId="other"))
    assert told.named(SESSION).title == "Mine"
    with told.store.transaction():
        rename(told.store, SESSION, "Ours")
    assert told.named(SESSION).title == "Ours"
    with told.store.transaction():
        rename(told.store, SESSION, "")
    assert told.named(SESSION).title == "Mine"


def test_a_summary_counts_where_its_last_line_is_this_sessions(tmp_path):
    """Versions up to 2.0 put summaries into files of other sessions."""
    told = Told(tmp_path)
    told.capture(prompt("look", name="p1"), titled("summary", summary="Elsewhere", leafUuid="unknown"))
    assert told.named(SESSION).title == "look"
    own = line("p2", "user", {"role": "user", "content": "more"})
    told.capture(own, titled("summary", summary="Here", leafUuid=json.loads(own)["uuid"]))
    assert told.named(SESSION).title == "Here"


def test_a_conversation_that_turned_out_to_be_another_brings_its_title(tmp_path):
    """And its words; the later title of both holds."""
    story = Story(11, exchanges=24)
    half, rest = story.starts[9], story.starts[12]
    dedup = ClaudeConversationDeduplicator(tmp_path)
    one = dedup.ingest(story.show(0, half), name="first.txt").conversation_id
    other = dedup.ingest(story.show(rest, len(story.turns)), name="second.txt").conversation_id
    with dedup.store.transaction():
        tag(dedup.store, one, {"a": True})
        rename(dedup.store, other, "the other one")
    dedup.ingest(story.show(0, len(story.turns)), name="whole.txt")
    assert dedup.conversations() == [one]
    assert said(dedup, one)[::2] == ("the other one", ("a",))
    with dedup.store.transaction(write=False):
        assert naming(dedup.store, one, lambda text: text).title == "the other one"


def test_the_title_of_a_conversation_of_claude_ai_is_its_name(tmp_path):
    """As the account's export has it."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    dedup.process_export(None, exported([chat("Tides", 2)]))
    with dedup.store.transaction(write=False):
        assert naming(dedup.store, identity("Tides"), str).title == "Tides"
