"""A purge takes what was asked for and nothing else: what only begins as a purged message does is stored, shown and archived."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deduplication.archive import restore as restoring
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.client_transcripts import Transcript
from deduplication.purge.probes import Probes
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from deduplication.workflow import archive_transcripts
from exports import Turn
from purge_scenes import Place, Talk, everything, left, sentence, squeezed, word

OPENING = "First we will look at where the lanterns of this harbour hang."


@pytest.fixture(params=["json", "default"])
def place(request, tmp_path):
    """A project without anything in it."""
    return Place(tmp_path / "project", backend=request.param)


def answer(text):
    """A turn of the assistant."""
    return Turn("assistant", "text", text)


def hash_of(dedup, conversation, said):
    """The content hash of the message that says this."""
    return next(m["content_hash"] for m in dedup.get_full_conversation(conversation) if squeezed(m)[2] == bare(said))


def bare(text):
    """Without white space."""
    return "".join(text.split())


def archived(place, name):
    """The bytes of an archived file."""
    with restoring.opened(place.project) as shelf:
        (entry,) = [each for each in shelf.all() if each.name == name]
        return b"".join(shelf.parts(entry))


def texts(place, conversation):
    """What a conversation says, white space aside."""
    return [said for _, _, said in place.said(conversation)]


@pytest.mark.parametrize("everywhere", [True, False])
def test_an_answer_that_begins_as_a_purged_one_in_another_conversation(place, everywhere):
    """It goes on: nothing of it is lost, before and after packing."""
    alder, birch = Talk("alder"), Talk("birch")
    alder.turns[5] = answer(OPENING)
    birch.turns[7] = answer(f"{OPENING} Then come the nets.")
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    place.purge(sessions=() if everywhere else ["alder"], hashes=[hash_of(place.dedup, "alder", OPENING)])
    data = birch.text()
    place.export("2026-03-02-EXPORT-BIRCH.txt", data)
    assert bare(birch.turns[7].text) in texts(place, "birch")
    assert len(place.said("birch")) == 16
    assert archived(place, "2026-03-02-EXPORT-BIRCH.txt") == data
    place.pack()
    assert archived(place, "2026-03-02-EXPORT-BIRCH.txt") == data
    assert place.dedup.store.verify() == []


def test_what_is_stored_already_and_begins_so_stays(place):
    """The purge comes afterwards: in other conversations and later in the same one."""
    alder, birch = Talk("alder"), Talk("birch")
    alder.turns[5], alder.turns[13] = answer(OPENING), answer(f"{OPENING} And once more.")
    birch.turns[7] = answer(f"{OPENING} Then come the nets.")
    data = birch.text()
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    place.export("2026-03-02-EXPORT-BIRCH.txt", data)
    done = place.purge(hashes=[hash_of(place.dedup, "alder", OPENING)])
    assert done.plan.occurrences == 1
    assert bare(birch.turns[7].text) in texts(place, "birch")
    assert bare(alder.turns[13].text) in texts(place, "alder")
    assert archived(place, "2026-03-02-EXPORT-BIRCH.txt") == data
    assert archived(place, "2026-03-01-EXPORT-ALDER.txt").count(b"[purged by export-dedup]") == 1


def test_another_answer_in_its_place_that_begins_so(place):
    """Between turns that agree: it had not been unfinished, so the longer one is another one."""
    alder = Talk("alder")
    alder.turns[5] = answer(OPENING)
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    place.purge(hashes=[hash_of(place.dedup, "alder", OPENING)])
    alder.turns[5] = answer(f"{OPENING} Then come the nets.")
    data = alder.text()
    place.export("2026-03-02-EXPORT-ALDER.txt", data)
    assert bare(alder.turns[5].text) in texts(place, "alder")
    assert archived(place, "2026-03-02-EXPORT-ALDER.txt") == data
    assert place.dedup.store.verify() == []


def test_an_answer_that_was_being_written_when_it_was_exported_is_gone_when_it_had_grown(place):
    """The end of the export says why it had only the beginning; what the client printed behind it does not matter."""
    alder = Talk("alder", 8)
    alder.turns[7] = answer(OPENING)
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text() + "\n❯ /export\n  ⎿  Exporting\n".encode())
    place.purge(hashes=[hash_of(place.dedup, "alder", OPENING)])
    longer = Talk("alder", 12)
    longer.turns[7] = answer(f"{OPENING} {word('alder', 7)} comes next.")
    place.export("2026-03-02-EXPORT-ALDER.txt", longer.text())
    assert left(place, {word("alder", 7).encode(), b"lanterns of this harbour"}) == []
    assert len([kind for _, kind, _ in place.said("alder") if kind != "bookkeeping"]) == 11


@pytest.mark.parametrize("gone", ["shorter", "longer"])
def test_of_two_answers_of_which_one_begins_as_the_other_only_the_one_that_was_named_goes(place, gone):
    """A regenerated answer took the place of the first one: the other one is read afterwards, and every number is right."""
    alder, birch = Talk("alder"), Talk("alder")
    shorter, longer = OPENING, f"{OPENING} Then come the {word('nets', 1)}."
    alder.turns[5], birch.turns[5] = answer(shorter), answer(longer)
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    place.export("2026-03-02-EXPORT-ALDER.txt", birch.text())
    assert bare(longer) in texts(place, "alder")
    store = place.dedup.store
    with store.transaction(write=False):
        identities = {bare(str(body["content"])): body["content_hash"] for body in store.bodies("alder", range(17))}
    done = place.purge(hashes=[identities[bare(longer if gone == "longer" else shorter)]])
    assert done.plan.occurrences == 1
    (stays,) = {bare(shorter), bare(longer)} & set(texts(place, "alder"))
    assert stays == bare(shorter if gone == "longer" else longer)
    figures = place.dedup.get_statistics("alder")
    assert (figures["total_messages"], figures["purged_messages"]) == (16, 1)
    assert place.dedup.store.verify() == []


def test_a_result_of_another_run_of_the_same_call_is_kept(place):
    """After a rewind the same command is run again in the purged one's place, and prints something else."""
    alder = Talk("alder")
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text(0, 7))
    place.purge(hashes=[hash_of(place.dedup, "alder", alder.turns[4].text)])
    again = Talk("alder")
    again.turns[4] = Turn("system", "tool_result", f"{word('again', 4)} is what it prints this time")
    again.turns[5:] = Talk("branch").turns[5:]
    data = again.text()
    place.export("2026-03-02-EXPORT-ALDER.txt", data)
    assert any(word("again", 4) in said for said in texts(place, "alder"))
    assert archived(place, "2026-03-02-EXPORT-ALDER.txt") == data
    place.export("2026-03-03-EXPORT-ALDER.txt", alder.text(0, 16))
    assert left(place, {word("alder", 4).encode()}) == []


def test_a_shorter_form_that_stays_is_not_hidden_by_a_longer_one_that_was_purged(place):
    """The longer one is gone wherever it is shown; the beginning that another conversation has of it was never asked for."""
    alder, birch = Talk("alder"), Talk("birch", 8)
    whole = f"{OPENING} Then come the {word('nets', 1)}."
    alder.turns[5], birch.turns[7] = answer(whole), answer(OPENING)
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    place.export("2026-03-02-EXPORT-BIRCH.txt", birch.text())
    place.purge(hashes=[hash_of(place.dedup, "alder", whole)])
    birch.turns[7] = answer(whole)
    place.export("2026-03-03-EXPORT-BIRCH.txt", birch.text())
    assert bare(OPENING) in texts(place, "birch")
    assert left(place, {word("nets", 1).encode()}) == []
    assert place.dedup.store.verify() == []


def test_what_was_purged_is_told_where_it_is_shown_again(place, capsys):
    """In the run, in its JSON and in the audit, for an export, the same file again, and a transcript's new lines."""
    alder, birch = Talk("alder"), Talk("birch")
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    place.purge(hashes=[hash_of(place.dedup, "alder", alder.turns[5].text)])
    birch.turns[7] = alder.turns[5]
    capsys.readouterr()
    place.export("2026-03-02-EXPORT-BIRCH.txt", birch.text())
    told = "1 message that it shows was purged before"
    assert told in capsys.readouterr().out
    place.export("2026-03-02-EXPORT-BIRCH.txt", birch.text(), "--json")
    (export,) = json.loads(capsys.readouterr().out)["exports"]
    assert export["warnings"] == [f"{told}: not stored again, and to be archived without"]
    place.export("2026-03-03-EXPORT-CEDAR.txt", Talk("cedar").text(), "--json")
    assert "warnings" not in json.loads(capsys.readouterr().out)["exports"][0]
    cedar = Talk("maple")
    cedar.turns[1], cedar.turns[5] = alder.turns[5], alder.turns[5]
    found = [place.capture(place.project.root.parent / "client", cedar, end) for end in (2, 4, 6)]
    assert [len(each.warnings) for each in found] == [1, 0, 1]
    lines = (place.project.state / "deduplication_log.jsonl").read_bytes().splitlines()
    metadata = [each["metadata"] for each in map(json.loads, lines) if each["operation"] != "purge"]
    assert [each.get("purged", 0) for each in metadata] == [0, 1, 0, 0, 1, 0, 1]


def test_a_purged_line_comes_back_with_other_content_under_its_id(place, tmp_path):
    """It is another version of what was purged, in the next lines of its file and in a copy that is read anew."""
    talk = Talk("alder", images=False)
    place.capture(tmp_path / "client", talk, 8)
    name = place.dedup.conversations()[0]
    place.purge(sessions=[name], hashes=[hash_of(place.dedup, name, talk.turns[5].text)])
    again = Talk("alder", images=False)
    again.turns[5] = answer(f"{word('other', 5)} is what the same line says now, at some length and in other words.")
    file = tmp_path / "client" / f"{talk.session}.jsonl"
    file.write_bytes(talk.lines(0, 8) + again.lines(5, 6) + talk.lines(8, 10))
    assert len(capture_file(place.dedup, file).warnings) == 1
    copy = tmp_path / "elsewhere" / file.name
    copy.parent.mkdir()
    copy.write_bytes(again.lines(0, 12))
    assert len(capture_file(place.dedup, copy).warnings) == 1
    assert left(place, {word("other", 5).encode(), word("alder", 5).encode()}) == []
    assert len(place.said(name)) == 11
    assert place.dedup.store.verify() == []


def test_lines_that_came_after_all_of_a_session_was_purged_are_archived(place, tmp_path):
    """The archive takes a transcript before its new lines were captured."""
    talk = Talk("alder", 24)
    place.capture(tmp_path / "client", talk, 16)
    place.purge(sessions=[talk.session])
    path = tmp_path / "client" / f"{talk.session}.jsonl"
    path.write_bytes(talk.lines(0, 20))
    status = path.stat()
    archive_transcripts.archive_transcripts(
        place.project, [Transcript(path, talk.session, status.st_size, status.st_mtime_ns)]
    )
    raw = everything(place.project.archive)
    assert [n for n in range(24) if word("alder", n).encode() in raw] == [16, 17, 18, 19]


@pytest.mark.parametrize("first", ["purged", "archived"])
def test_a_transcript_that_is_archived_before_it_is_captured_is_so_without_what_was_purged_everywhere(
    place, tmp_path, first
):
    """Of a session that nobody knows yet, whichever came first."""
    alder, birch = Talk("alder"), Talk("birch")
    place.export("2026-03-01-EXPORT-ALDER.txt", alder.text())
    birch.turns[5] = alder.turns[5]
    path = tmp_path / f"{birch.session}.jsonl"
    path.write_bytes(birch.lines())
    status = path.stat()
    transcript = Transcript(path, birch.session, status.st_size, status.st_mtime_ns)
    if first == "archived":
        archive_transcripts.archive_transcripts(place.project, [transcript])
    place.purge(hashes=[hash_of(place.dedup, "alder", alder.turns[5].text)])
    archive_transcripts.archive_transcripts(place.project, [transcript])
    raw = everything(place.project.archive)
    assert word("alder", 5).encode() not in raw
    assert [n for n in range(16) if word("birch", n).encode() not in raw] == [5]


def test_a_text_that_begins_and_ends_like_another_one_does_not_say_it():
    """A form that is filled in again and again: nothing is removed for what stands in another copy of it."""
    probes = Probes()
    form = "the daily report of the harbour {} lanterns were counted by the keeper {} and all of the nets were dry"
    probes.add("one", form.format("some four hundred and seven", "in the early morning"))
    assert probes.found("Note: " + form.format("some four hundred and seven", "in the early\nmorning")) == {"one"}
    assert probes.found(form.format("three", "late")) == set()
    assert probes.found(form.format("some four hundred and eight", "in the early morning")) == set()


@pytest.mark.unmeasured
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(20, 5000),
    st.sampled_from(("longer", "shorter", "different")),
    st.sampled_from(("text", "prompt", "tool_result")),
    st.booleans(),
    st.booleans(),
)
def test_any_other_message_with_a_common_beginning_is_stored_shown_and_archived(
    tmp_path_factory, common, how, kind, gone_written, shown_written
):
    """Whichever of the two is the longer one, in whichever form they come, in a conversation of its own."""
    place = Place(tmp_path_factory.mktemp("x") / "project")
    beginning = (sentence("common", 70) + " ")[:common].strip() + "e"
    one, other = {
        "longer": (beginning, f"{beginning} and on it goes"),
        "shorter": (f"{beginning} and on it goes", beginning),
        "different": (f"{beginning} and on it goes", f"{beginning} but here it ends, with other words"),
    }[how]
    role = {"text": "assistant", "prompt": "user", "tool_result": "system"}[kind]
    at = {"text": 5, "prompt": 6, "tool_result": 4}[kind]
    alder, birch = Talk("alder", images=False), Talk("birch", images=False)
    alder.turns[at], birch.turns[at] = Turn(role, kind, one), Turn(role, kind, other)
    names = []
    for talk, written, name in ((alder, gone_written, "ALDER"), (birch, shown_written, "BIRCH")):
        data = talk.lines() if written else talk.text()
        place.export(f"2026-03-01-EXPORT-{name}.{'jsonl' if written else 'txt'}", data)
        names += [each for each in place.dedup.conversations() if each not in names]
        if name == "ALDER":
            place.purge(hashes=[hash_of(place.dedup, names[0], one)])
    assert bare(other) in texts(place, names[1])
    assert len(place.said(names[1])) == 16
    assert archived(place, f"2026-03-01-EXPORT-BIRCH.{'jsonl' if shown_written else 'txt'}") == data
    assert bare(one) not in texts(place, names[0])


def test_the_same_words_in_another_conversation_are_purged_with_it(tmp_path):
    """What ``--message`` names is gone wherever it is said, and nothing that is said beside it."""
    dedup = ClaudeConversationDeduplicator(tmp_path)
    one, other = Talk("alder"), Talk("birch", images=False)
    other.turns[7] = one.turns[5]
    dedup.ingest(one.text(), name="a.txt", conversation_id="a")
    dedup.ingest(other.lines(), name="b.jsonl", conversation_id="b")
    done = purge(dedup.store, None, scope_of([], None, [hash_of(dedup, "a", one.turns[5].text)]))
    assert done.plan.conversations == {"a": 1, "b": 1}
    assert len(dedup.get_full_conversation("b")) == 15
