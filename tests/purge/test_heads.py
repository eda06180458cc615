"""A purge changes what a head vouched for: the log is a chain again, and says which heads are no more."""

from __future__ import annotations

import json

import pytest

from deduplication.commands import deduplicate_export
from deduplication.files.clock import local
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from deduplication.storage.log.chain import REPLACED
from deduplication.storage.log.lines import PREVIOUS, decode_line, encode_line
from faults import reader
from purge_scenes import Place, Talk


@pytest.fixture(params=["json", "default"])
def place(request, tmp_path):
    """Three exports of two conversations."""
    made = Place(tmp_path / "project", backend=request.param)
    made.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    made.export("2026-03-02-EXPORT-BIRCH.txt", Talk("birch", 8).text())
    made.export("2026-03-03-EXPORT-BIRCH.txt", Talk("birch").text())
    return made


def heads(place):
    """The head behind each run, as the tests' own reader finds them."""
    found = reader.read(reader.whole(place.project.state))
    assert found.problems == []
    return found.heads


def commits(place):
    """The commit records."""
    lines = reader.whole(place.project.state).splitlines()
    return [record for record in map(json.loads, lines) if "window" in record]


def since(place, head, capsys):
    """What verify says of a head."""
    capsys.readouterr()
    code = deduplicate_export.main(["verify", "--project", str(place.project.root), "--since", head])
    return code, capsys.readouterr().out


def test_every_run_follows_on_the_one_before_and_the_heads_that_went_are_told(place, capsys):
    """Those before what was changed stay; of the last one of the others it is said which purge replaced it."""
    before = heads(place)
    place.purge(sessions=["birch"])
    after = heads(place)
    assert after[:1] == before[:1]
    assert not set(after[1:]) & set(before)
    assert place.dedup.store.verify() == []
    assert since(place, before[0], capsys)[0] == 0
    code, out = since(place, before[2], capsys)
    moment = local(commits(place)[-1]["timestamp"])
    assert code == 1
    assert (
        f"The head {before[2]} is from before the purge of {moment}, which removed 16 messages: "
        "what it vouched for cannot be proven any more." in out
    )
    assert "Up to run 1 every head is what it was before." in out
    code, out = since(place, before[1], capsys)
    assert code == 1
    assert f"The purge of {moment} replaced the heads behind run 1, up to run 3." in out
    assert since(place, after[-1], capsys)[0] == 0


def test_a_purge_of_several_conversations_tells_it_once(place):
    """Its first record does."""
    place.purge(sessions=["alder", "birch"])
    assert [REPLACED in record for record in commits(place)] == [False, False, False, True, False]


def test_two_purges_tell_both(place, capsys):
    """What the first one said is still there."""
    first = heads(place)[-1]
    place.purge(sessions=["birch"])
    second = heads(place)[-1]
    place.purge(sessions=["alder"])
    assert heads(place)
    for head, messages in ((first, 16), (second, 16)):
        code, out = since(place, head, capsys)
        assert code == 1
        assert f"The head {head} is from before the purge of" in out
        assert f"which removed {messages} messages" in out


def test_what_is_to_be_forgotten_leaves_no_head(place, capsys):
    """A head was made of all that went: who guesses what it said could prove it. Not of this purge, nor of one before."""
    before = heads(place)[-1]
    place.purge(sessions=["birch"])
    between = heads(place)[-1]
    place.purge(sessions=["alder"], forget=True)
    log = reader.whole(place.project.state)
    assert before.encode() not in log
    assert between.encode() not in log
    assert place.dedup.store.verify() == []
    code, out = since(place, between, capsys)
    assert code == 1
    assert "was to forget, and kept no head that there was before" in out


def test_runs_behind_it_go_on_from_there(place):
    """As from any other."""
    place.purge(sessions=["birch"])
    head = heads(place)[-1]
    place.export("2026-03-04-EXPORT-CEDAR.txt", Talk("cedar").text())
    assert commits(place)[-1][PREVIOUS] == head
    place.pack()
    assert heads(place)
    assert place.dedup.store.verify() == []


def test_a_purge_makes_no_change_of_somebody_else_undone(place):
    """A run that did not follow on what stands before it does not afterwards."""
    path = place.project.state / "conversation_log.jsonl"
    first, *rest = path.read_bytes().splitlines(keepends=True)
    first = encode_line({**decode_line(first), "timestamp": "2020-02-02T02:02:02.020Z"})
    path.write_bytes(first + b"".join(rest))
    place.dedup.store.rebuild()
    purge(place.dedup.store, place.project, scope_of(["birch"], None, []))
    assert any("does not follow" in problem for problem in place.dedup.store.verify())
