"""Archived files without some messages: the rest byte for byte, copies beside the messages gone, and the whole still readable."""

from __future__ import annotations

import json

import pytest

from deduplication.alignment.tombstone import MARKER, is_marker
from deduplication.archive import gc, purged_files
from deduplication.archive import restore as restoring
from deduplication.errors import ArchiveDamaged, DedupError
from deduplication.ingest.transcript_capture import capture_file
from deduplication.packs.pack_set import opened_packs
from deduplication.project.client_transcripts import Transcript
from deduplication.project.paths import PURGED_FILES
from deduplication.purge.archived import later_form
from deduplication.purge.probes import Probes, strings
from deduplication.workflow import archive_transcripts
from purge_scenes import Place, left, sentence
from transcript_lines import SESSION, answer, line, prompt

SECRET = sentence("quincezq1xv")
OTHER = sentence("pearzq2xv")
BLOCKS = [
    {"type": "text", "text": SECRET},
    {"type": "thinking", "thinking": f"{SECRET} thought", "signature": "s"},
    {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": f"echo {SECRET}"}},
    {"type": "text", "text": OTHER},
]
RESULTS = [
    {"type": "tool_result", "tool_use_id": "toolu_1", "content": f"{SECRET} printed"},
    {"type": "text", "text": f"{OTHER} beside it"},
]


def rich():
    """A transcript with everything that may say a message again."""
    return (
        prompt(f"{SECRET} asked", name="p", at=1)
        + line("q", "queue-operation", content=f"{SECRET} asked", at=1)
        + json.dumps({"type": "last-prompt", "lastPrompt": f"{SECRET} asked", "sessionId": SESSION}).encode()
        + b"\n"
        + line("a", "assistant", {"id": "m", "role": "assistant", "content": BLOCKS}, at=2)
        + line("r", "user", {"role": "user", "content": RESULTS}, toolUseResult={"stdout": f"{SECRET} printed"}, at=3)
        + line("w", "attachment", attachment={"type": "queued_command", "prompt": f"{SECRET} waiting"}, at=4)
        + line("s", "system", subtype="local_command", content=f"<bash-stdout>{SECRET} out</bash-stdout>", at=5)
        + b"{not json\n"
        + answer(f"{OTHER} at the end", name="e", at=6)
    )


@pytest.fixture
def place(tmp_path):
    """A project in which that transcript was captured, and is in the archive with an output beside it."""
    made = Place(tmp_path / "project")
    folder = tmp_path / "client" / "-home-me"
    folder.mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_bytes(rich())
    outputs = folder / SESSION / "tool-results"
    outputs.mkdir(parents=True)
    (outputs / "x.txt").write_text(f"{SECRET} in an output")
    (outputs / "y.txt").write_text(f"{OTHER} in an output")
    capture_file(made.dedup, folder / f"{SESSION}.jsonl")
    made.transcript = folder / f"{SESSION}.jsonl"
    keep(made)
    return made


def keep(place):
    """The client's files into the archive."""
    status = place.transcript.stat()
    found = Transcript(place.transcript, SESSION, status.st_size, status.st_mtime_ns)
    return archive_transcripts.archive_transcripts(place.project, [found])


def test_every_copy_of_a_message_goes_and_the_chain_stays(place):
    """Blocks of one line, doubled results, queued prompts, the last prompt; outputs that the client put aside."""
    hashes = [
        m["content_hash"] for m in place.dedup.get_full_conversation(SESSION) if "quincezq1xv" in str(m["content"])
    ]
    assert len(hashes) == 7
    place.purge(hashes=hashes)
    assert left(place, {b"quincezq1xv"}) == []
    assert left(place, {b"pearzq2xv"}) == ["pearzq2xv"]
    with restoring.opened(place.project) as shelf:
        names = {entry.name.rsplit("/", 1)[-1]: b"".join(shelf.parts(entry)) for entry in shelf.all()}
    assert set(names) == {f"{SESSION}.jsonl", "y.txt"}
    lines = names[f"{SESSION}.jsonl"].split(b"\n")
    assert [json.loads(each).get("uuid") for each in lines if each.startswith(b'{"')] == [
        json.loads(each).get("uuid") for each in rich().split(b"\n") if each.startswith(b'{"')
    ]
    assert lines[-2] + b"\n" == answer(f"{OTHER} at the end", name="e", at=6)
    answered = json.loads(lines[3])["message"]["content"]
    assert [block["type"] for block in answered] == ["text", "text", "tool_use", "text"]
    assert answered[3]["text"] == OTHER


def test_the_clients_files_do_not_bring_it_back(place):
    """The same files again, touched and grown; the output that went is known by its bytes."""
    hashes = [
        m["content_hash"] for m in place.dedup.get_full_conversation(SESSION) if "quincezq1xv" in str(m["content"])
    ]
    place.purge(hashes=hashes)
    place.transcript.write_bytes(rich() + prompt(f"{OTHER} later", name="later", at=9))
    capture_file(place.dedup, place.transcript)
    keep(place)
    keep(place)
    assert left(place, {b"quincezq1xv"}) == []
    assert left(place, {b"pearzq2xv"}) == ["pearzq2xv"]
    place.purge(sessions=[SESSION])
    assert left(place, {b"quincezq1xv", b"pearzq2xv"}) == []
    keep(place)
    assert left(place, {b"quincezq1xv", b"pearzq2xv"}) == []


def test_a_blanked_file_is_processed_like_any_other(place):
    """What our archive says in the place of a message is no message, in the store it came from and in any other."""
    hashes = [
        m["content_hash"] for m in place.dedup.get_full_conversation(SESSION) if "quincezq1xv" in str(m["content"])
    ]
    place.purge(hashes=hashes)
    before = place.said(SESSION)
    with restoring.opened(place.project) as shelf:
        data = next(b"".join(shelf.parts(entry)) for entry in shelf.all() if entry.name.endswith(".jsonl"))
    done = place.dedup.ingest(data, name="again.jsonl")
    assert (done.new - done.captured, place.said(SESSION)) == (0, before)
    other = Place(place.project.root.parent / "other")
    other.dedup.ingest(data, name="again.jsonl")
    assert not any("purged" in str(message) for message in other.said(SESSION))


def test_the_list_of_purged_files_is_a_note(tmp_path):
    """It can be damaged or gone: nothing depends on it."""
    assert purged_files.load(str(tmp_path)) == {}
    purged_files.add(str(tmp_path), purged_files.PurgedFile("a" * 64, 3))
    purged_files.add(str(tmp_path), purged_files.PurgedFile("a" * 64, 3))
    purged_files.add(str(tmp_path), purged_files.PurgedFile("b" * 64, 0, gone=True))
    with (tmp_path / PURGED_FILES).open("ab") as file:
        file.write(b"damaged\n")
    found = purged_files.load(str(tmp_path))
    assert {name[0]: (each.messages, each.gone) for name, each in found.items()} == {"a": (3, False), "b": (0, True)}


def test_packs_that_cannot_be_read_are_not_written_anew(place):
    """Nothing may be lost on the way: the purge is refused before anything has changed."""
    (path,) = (place.project.archive / "packs").glob("*.pack")
    data = bytearray(path.read_bytes())
    data[:8] = bytes(8)
    data[-96:-88] = bytes(8)
    path.write_bytes(data)
    before = place.snapshot()
    with pytest.raises(ArchiveDamaged):
        place.purge(sessions=[SESSION])
    after = place.snapshot()
    assert {name: data for name, data in before.items() if "idx" not in name} == {
        name: data for name, data in after.items() if "idx" not in name
    }
    with opened_packs(str(path.parent)) as packs, pytest.raises(ArchiveDamaged):
        gc.renew(packs, str(place.project.root / "new"), {})


def test_a_store_without_purges_costs_an_archived_file_nothing(place):
    """Its bytes are not even read."""

    def read():
        raise AssertionError

    assert later_form(place.dedup.store, read, "x.jsonl") is None


def test_probes_find_words_through_any_layout():
    """JSON by its strings, text as it is; never by what blocks are called."""
    probes = Probes()
    probes.add("key", [{"type": "tool_use", "name": "Bash", "input": {"command": SECRET}}])
    assert probes.found_in(SECRET.replace(" ", "\n   ").encode()) == {"key"}
    assert probes.found_in(json.dumps({"a": [SECRET]}).encode()) == {"key"}
    assert probes.found_in(b'{"a": 1}\n' + json.dumps({"a": SECRET}).encode() + b"\n{torn") == {"key"}
    assert probes.found_in(b'{"type": "tool_use", "name": "Bash"}') == set()
    assert probes.found_in(OTHER.encode()) == set()
    assert list(strings(b"plain")) == ["plain"]


def test_a_marker_is_told_in_every_form():
    """As text, in blocks, as a call; what says anything else is a message."""
    for content in (MARKER, f" {MARKER}\n", f"Purged({MARKER})", [{"type": "text", "text": MARKER}]):
        assert is_marker(content)
    assert is_marker([{"type": "tool_use", "id": "x", "name": "Bash", "input": {"purged": MARKER}}])
    for content in ("", f"{MARKER} and more", [], [{"type": "text", "text": "x"}], {"a": 1}):
        assert not is_marker(content)
    assert issubclass(ArchiveDamaged, DedupError)
