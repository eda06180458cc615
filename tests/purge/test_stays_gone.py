"""What was purged does not come back: by later exports and transcripts, in any order, at any width, in any form."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deduplication.archive import restore as restoring
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.client_transcripts import Transcript
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from deduplication.workflow import archive_transcripts
from purge_scenes import Place, Talk, everything, left, squeezed, word

_SHORT = ("yes", "Done.", "go on")


@pytest.fixture(params=["json", "default"])
def place(request, tmp_path):
    """A project without anything in it."""
    return Place(tmp_path / "project", backend=request.param)


def content_hash(dedup, conversation, own):
    """The content hash of the message with this word."""
    return next(m["content_hash"] for m in dedup.get_full_conversation(conversation) if own in str(m["content"]))


def test_later_exports_are_archived_without_it(place):
    """Cumulative, compacted, at another width: known, nothing stored, and the drop folder's file goes."""
    talk = Talk("alder", 24)
    place.export("2026-03-01-EXPORT-ALDER.txt", talk.text(0, 16))
    place.purge(sessions=["alder"], between=["2000-01-01", "2100-01-01"])
    assert left(place, talk.words(0, 16)) == []
    place.export("2026-03-02-EXPORT-ALDER.txt", talk.text(0, 20, width=60))
    place.export("2026-03-03-EXPORT-ALDER.txt", talk.text(13, 24, width=100, compacted=True))
    assert left(place, talk.words(0, 16)) == []
    assert left(place, talk.words(16)) == sorted(w.decode() for w in talk.words(16))
    assert len(place.said("alder")) == 8
    place.pack()
    place.sessions()
    assert left(place, talk.words(0, 16)) == []
    assert place.dedup.store.verify() == []


def test_the_very_file_again(place):
    """The same bytes: known, and the archive does not take them."""
    talk = Talk("alder")
    data = talk.text()
    place.export("2026-03-01-EXPORT-ALDER.txt", data)
    place.purge(sessions=["alder"])
    place.export("2026-03-01-EXPORT-ALDER.txt", data)
    assert left(place, talk.words()) == []


def test_a_message_that_was_purged_everywhere_is_not_stored_in_another_conversation(place):
    """``--message`` alone: by what it says, also where it was never said before, in either form."""
    alder, birch = Talk("alder"), Talk("birch")
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    for position in (1, 2):
        place.purge(hashes=[content_hash(place.dedup, "alder", word("alder", position))])
        birch.turns[6 + position - 1] = alder.turns[position]
    place.export("2026-03-02-EXPORT-BIRCH.txt", birch.text())
    gone = {word("alder", 1).encode(), word("alder", 2).encode()}
    assert left(place, gone) == []
    assert len(place.said("birch")) == 14
    other = Talk("cedar")
    other.turns[5], other.turns[6] = alder.turns[1], alder.turns[2]
    place.capture(place.project.root.parent / "client", other)
    assert left(place, gone) == []
    assert place.dedup.store.verify() == []


def test_a_message_purged_in_a_session_is_said_anew_elsewhere(place):
    """``--session`` with ``--message`` names one place: what another conversation says is a message of its own."""
    alder, birch = Talk("alder"), Talk("birch")
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    place.purge(sessions=["alder"], hashes=[content_hash(place.dedup, "alder", word("alder", 2))])
    birch.turns[6] = alder.turns[2]
    place.export("2026-03-02-EXPORT-BIRCH.txt", birch.text())
    assert len(place.said("birch")) == 16
    assert len(place.said("alder")) == 15


def test_a_transcript_goes_on_behind_what_was_purged(place, tmp_path):
    """The cursor holds: only new lines are read, and they are stored; a file that is read anew brings nothing back."""
    talk = Talk("alder", 24)
    folder = tmp_path / "client"
    place.capture(folder, talk, 16)
    place.purge(sessions=[talk.session])
    done = place.capture(folder, talk, 20)
    assert (done.new, done.read_bytes) == (4, len(talk.lines(16, 20)))
    assert left(place, talk.words(0, 16)) == []
    copy = tmp_path / "elsewhere" / f"{talk.session}.jsonl"
    copy.parent.mkdir()
    copy.write_bytes(talk.lines())
    capture_file(place.dedup, copy)
    assert left(place, talk.words(0, 16)) == []
    assert len(place.said(talk.session)) == 8
    assert place.dedup.store.verify() == []


def test_a_text_export_of_a_purged_transcript_brings_nothing_back(place, tmp_path):
    """The other form of the same conversation, before or after."""
    talk = Talk("alder", 24)
    place.capture(tmp_path / "client", talk, 24)
    place.purge(sessions=[talk.session], between=["2026-11-20T10:00:00Z", "2026-11-20T10:00:12Z"])
    gone = talk.words(0, 12)
    place.export("2026-03-02-EXPORT-ALDER.txt", talk.text())
    assert left(place, gone) == []
    assert len(place.said(talk.session)) == 12


def test_a_transcript_of_a_purged_text_export_brings_nothing_back(place, tmp_path):
    """The lossless source of what was purged from a text."""
    talk = Talk("alder", 24)
    place.export("2026-03-02-EXPORT-ALDER.txt", talk.text(0, 20))
    for position in (1, 2, 5, 10, 13):
        place.purge(hashes=[content_hash(place.dedup, "alder", word("alder", position))])
    place.capture(tmp_path / "client", talk)
    assert left(place, {word("alder", p).encode() for p in (1, 2, 5, 10, 13)}) == []
    said = place.said("alder")
    assert len([each for each in said if each[1] in ("prompt", "text")]) >= 13


def test_both_forms_go_at_once(place, tmp_path):
    """A message that is stored as it was written goes from the archived text as well, and the other way round."""
    talk = Talk("alder", 24)
    place.export("2026-03-02-EXPORT-ALDER.txt", talk.text(0, 20))
    place.capture(tmp_path / "client", talk)
    (name,) = place.dedup.conversations()
    for position in (1, 2, 9, 21):
        place.purge(hashes=[content_hash(place.dedup, name, word("alder", position))])
    assert left(place, {word("alder", p).encode() for p in (1, 2, 9, 21)}) == []


def test_the_clients_files_in_the_archive_lose_it_and_do_not_bring_it_back(place, tmp_path):
    """Transcripts in packs: lines give way to lines that keep their ids, tool results that stand twice go twice."""
    talk = Talk("alder", 24)
    place.capture(tmp_path / "client", talk)
    path = tmp_path / "client" / f"{talk.session}.jsonl"

    def keep():
        status = path.stat()
        archive_transcripts.archive_transcripts(
            place.project, [Transcript(path, talk.session, status.st_size, status.st_mtime_ns)]
        )

    keep()
    place.purge(sessions=[talk.session], between=["2026-11-20T10:00:02Z", "2026-11-20T10:00:09Z"])
    gone = talk.words(2, 9)
    assert left(place, gone) == []
    with restoring.opened(place.project) as shelf:
        (entry,) = shelf.all()
        lines = b"".join(shelf.parts(entry)).split(b"\n")
    assert len(lines) == 25
    assert all(b'"parentUuid"' in line for line in lines[:-1])
    keep()
    assert left(place, gone) == []
    path.write_bytes(talk.lines())
    keep()
    assert left(place, gone) == []
    place.purge(sessions=[talk.session])
    keep()
    assert left(place, talk.words()) == []


def test_an_answer_that_had_grown_goes_in_every_form(place):
    """The shorter form that was stored first, the longer one, and one that is longer still."""
    talk = Talk("alder", 8)
    longer = Talk("alder", 8)
    base = talk.turns[7]
    from exports import Turn

    talk.turns[7] = Turn(base.role, base.kind, base.text[: len(base.text) // 2])
    place.export("2026-03-01-EXPORT-ALDER.txt", talk.text())
    place.export("2026-03-02-EXPORT-ALDER.txt", longer.text())
    place.purge(hashes=[content_hash(place.dedup, "alder", word("alder", 7))])
    assert left(place, {word("alder", 7).encode()}) == []
    longest = Talk("alder", 8)
    longest.turns[7] = Turn(base.role, base.kind, base.text + " And one more word about the lantern.")
    place.export("2026-03-03-EXPORT-ALDER.txt", longest.text())
    assert left(place, {word("alder", 7).encode()}) == []
    place.export("2026-03-04-EXPORT-ALDER.txt", talk.text())
    assert left(place, {word("alder", 7).encode()}) == []


def test_forgotten_messages_leave_no_hash(place):
    """``--forget``: no hash of what was said is left, in any index; what shows it between known messages is still known."""
    talk = Talk("alder")
    place.export("2026-03-01-EXPORT-ALDER.txt", talk.text())
    identity = content_hash(place.dedup, "alder", word("alder", 2))
    raw = everything(place.project.state)
    assert identity.encode() in raw or bytes.fromhex(identity) in raw
    place.purge(hashes=[identity], forget=True)
    raw = everything(place.project.state)
    assert identity.encode() not in raw
    assert bytes.fromhex(identity) not in raw
    assert place.dedup.store.verify() == []


@pytest.mark.unmeasured
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), data=st.data())
def test_purged_and_imported_again_is_the_store_without_it(tmp_path_factory, seed, data):
    """Whatever goes and whatever comes again in whatever order, what is read is what is left, and what came is known."""
    chance = random.Random(seed)
    talk = Talk(f"t{seed}", 20, images=False)
    exports = [talk.text(0, end, width=chance.choice((60, 80, 110))) for end in (8, 14, 20)]
    exports.append(talk.text(11, 20, compacted=True, width=72))
    dedup = ClaudeConversationDeduplicator(tmp_path_factory.mktemp("store"), chance.choice(("json", "default")))
    for number, each in enumerate(exports[:3]):
        dedup.ingest(each, name=f"{number}.txt", conversation_id="it")
    whole = dedup.get_full_conversation("it")
    gone = data.draw(st.sets(st.sampled_from(range(20)), min_size=1))
    for message in whole:
        if message["index"] in gone:
            purge(dedup.store, None, scope_of(["it"], None, [message["content_hash"]]))
    expected = [squeezed(m) for m in whole if m["index"] not in gone]
    assert [squeezed(m) for m in dedup.get_full_conversation("it")] == expected
    chance.shuffle(exports)
    for number, each in enumerate(exports):
        again = dedup.ingest(each + b"\n" * number, name=f"again-{number}.txt", conversation_id="it")
        assert again.total == again.new + again.duplicates
        assert again.new == 0
    dedup.ingest(talk.lines(), name="x.jsonl", conversation_id="it")
    raw = everything(tmp_path_factory.getbasetemp() / dedup.store.folder)
    assert [n for n in sorted(gone) if word(f"t{seed}", n).encode() in raw] == []
    assert dedup.store.verify() == []


@pytest.mark.unmeasured
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), data=st.data())
def test_what_is_new_is_stored_as_if_nothing_had_been_purged(tmp_path_factory, seed, data):
    """Nothing that stays is lost to a tombstone: after rewinds, edits and repeats a purged store keeps what another one keeps."""
    chance = random.Random(seed)
    talk = Talk(f"t{seed}", 20, images=False)
    for position in range(20):  # turns that are said again and again
        if talk.turns[position].kind in ("prompt", "text") and chance.random() < 0.2:
            talk.turns[position] = replace(talk.turns[position], text=chance.choice(_SHORT))
    stores = [ClaudeConversationDeduplicator(tmp_path_factory.mktemp("store")) for _ in range(2)]
    transcripts = chance.random() < 0.4
    first = talk.lines(0, 14) if transcripts else talk.text(0, 14)
    for dedup in stores:
        dedup.ingest(first, name="first", conversation_id="it")
    gone = data.draw(st.sets(st.sampled_from(range(14)), min_size=1, max_size=8))
    purged, other = stores
    for number in sorted(gone):
        bury(purged, number)
    branch = Talk(f"b{seed}", 20, images=False)
    back = chance.randrange(2, 12)
    edited = Talk(f"t{seed}", 20, images=False)
    edited.turns = [*talk.turns[:back], *branch.turns[back : back + 6]]
    more = [talk.text(0, 20), edited.text(), talk.text(9, 20, compacted=True), edited.text(0, None, width=60)]
    for number, each in enumerate(more):
        new = [dedup.ingest(each, name=f"{number}.txt", conversation_id="it").new for dedup in stores]
        if not any(turn.text in _SHORT for turn in talk.turns):
            assert new[0] >= new[1]
    numbers = {m["index"]: squeezed(m) for m in other.get_full_conversation("it")}
    expected = [said for number, said in numbers.items() if number not in gone]
    kept = [squeezed(m) for m in purged.get_full_conversation("it")]
    rest = iter(kept)
    assert all(said in rest for said in expected)
    # A call or a result in a purged one's place is kept, where another store takes it for a second rendering.
    more_than_that = Counter(kept) - Counter(expected)
    assert {kind for _, kind, _ in more_than_that} <= {"tool_call", "tool_result"}
    assert not any(word(f"t{seed}", number) in said for number in gone for _, _, said in more_than_that)
    assert purged.store.verify() == []


def test_a_body_never_moves_into_a_tombstone_of_the_same_words(tmp_path):
    """Three sessions say the same: purged one after the other, the last one keeps its words, and no tombstone gets them."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    for name in ("one", "two", "three"):
        shown = f"❯ Go on, please\n\n● The answer that was given in {name} alone\n\n"
        dedup.ingest(shown.encode(), name=f"{name}.txt", conversation_id=name)
    for name in ("one", "two"):
        purge(dedup.store, None, scope_of([name], None, []))
        assert dedup.get_full_conversation(name) == []
    assert dedup.get_full_conversation("three")[0]["content"] == "Go on, please"
    assert dedup.store.verify() == []


def bury(dedup, number):
    """Purge one occurrence, whatever else says the same."""
    from deduplication.purge import plan as planning

    real = planning.chosen_by
    planning.chosen_by = lambda *_: {"it": {number}}
    try:
        purge(dedup.store, None, scope_of(["it"], None, []))
    finally:
        planning.chosen_by = real
