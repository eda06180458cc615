"""What the client's own files name and nobody has: parents, sessions, outputs, exports, prompts; and what it will delete."""

from __future__ import annotations

import json
import os
import time

import pytest

from deduplication.files.clock import spelt
from deduplication.gaps import transcript_facts
from deduplication.gaps.archived_files import archived_files
from gap_scenes import DAY, OUTPUT, Scene, put_aside, turns
from transcript_lines import SESSION, answer, day, exported, identity, line, prompt

OTHER = "99999999-2222-4333-8444-555555555555"
BEGAN = 1_795_133_000.0
"""20 November 2026, in the morning: about when the made lines of a transcript were written."""


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A project that opted in, and the client's folder."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    return Scene(tmp_path)


# --- missing parents --------------------------------------------------------------------------------------------------


def test_a_parent_that_stands_nowhere(scene):
    """The first half of the file is gone: the first line left goes on from a line that nobody has."""
    data = day(2) + chained("Going on from what was lost of the harbour", "gone")
    scene.capture(scene.transcript(data))
    (gap,) = scene.look().of("missing_parent")
    assert (gap.sure, gap.conversation_id) == ("likely", SESSION)
    assert identity("gone") in gap.text


def chained(text, parent):
    """A prompt whose line begins with its parent, as the client writes it."""
    value = json.loads(prompt(text))
    del value["parentUuid"]
    return json.dumps({"parentUuid": identity(parent), **value}, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize("where", ["above", "below", "another file", "the store"])
def test_a_parent_that_is_somewhere(scene, where):
    """In the same file in whatever order, in another transcript of the project, or in the store."""
    text = "Which of the cranes is the oldest of all that still work?"
    own, child = prompt(text, "parent"), chained("Going on from that crane, please", "parent")
    if where == "the store":
        scene.capture(scene.transcript(own))
        scene.transcript(child)  # the client lost the beginning
    elif where == "another file":
        scene.transcript(own, OTHER)
        scene.transcript(child)
    else:
        scene.transcript(own + child if where == "above" else child + own)
    assert scene.look().of("missing_parent") == []


def test_a_parent_is_found_across_the_parts_that_are_read(scene, monkeypatch):
    """A file is read in parts; a line that stands in none of them as a whole is read all the same."""
    monkeypatch.setattr(transcript_facts, "_PART", 100)
    data = (
        prompt("Which of the cranes is the oldest?", "parent") + day(3) + chained("Going on from that crane", "parent")
    )
    scene.transcript(data)
    assert [facts.orphans for facts in scene.client().facts] == [[]]
    assert scene.look().of("missing_parent") == []
    scene.transcript(day(3) + chained("Going on from that crane", "parent"))
    assert len(scene.look().of("missing_parent")) == 1


# --- sessions that are named ------------------------------------------------------------------------------------------

NAMED = {
    "branch": prompt("Go on from here", forkedFrom={"sessionId": OTHER, "messageUuid": identity("x")}),
    "fork": line("ref", "fork-context-ref", parentSessionId=OTHER),
    "derived": line("from", "derived-from", v=1, sessions=[OTHER]),
    "continued": line("in", "continued-in", continuedInSessionId=OTHER),
}


@pytest.mark.parametrize("data", NAMED.values(), ids=NAMED)
def test_a_session_that_nobody_has(scene, data):
    """Named as its origin, or as that in which it went on; one that is stored, or on the disk, is not missing."""
    scene.capture(scene.transcript(day(2) + data))
    (gap,) = scene.look().of("missing_origin")
    assert OTHER in gap.text
    assert (gap.conversation_id, gap.sure) == (SESSION, "certain")
    scene.transcript(day(1).replace(SESSION.encode(), OTHER.encode()), OTHER)
    assert scene.look().of("missing_origin") == []


def test_a_session_that_is_stored_is_not_missing(scene):
    """Its transcript may be gone by then."""
    path = scene.transcript(day(1).replace(SESSION.encode(), OTHER.encode()), OTHER)
    scene.capture(path)
    path.unlink()
    scene.capture(scene.transcript(day(2) + NAMED["derived"]))
    assert scene.look().of("missing_origin") == []


def test_a_session_that_was_moved_to_a_folder_without_it(scene, tmp_path):
    """The line says where it went; a transcript there makes it good."""
    there = tmp_path / "elsewhere"
    path = scene.transcript(day(1) + line("moved", "relocated", relocatedCwd=str(there)))
    (gap,) = scene.look().of("missing_origin")
    assert (gap.sure, str(there) in gap.text) == ("possible", True)
    folder = scene.config / "projects" / "".join(c if c.isalnum() else "-" for c in str(there))
    folder.mkdir()
    (folder / path.name).write_bytes(day(2))
    assert scene.look().of("missing_origin") == []


# --- outputs that were put aside --------------------------------------------------------------------------------------


def test_an_output_that_is_gone(scene):
    """Captured without its file: the store has the beginning, and says how much is missing."""
    scene.capture(scene.transcript(day(1) + put_aside()))
    (gap,) = scene.look().gaps
    assert (gap.kind, gap.source, gap.unit, gap.sure) == ("missing_output", OUTPUT, "bytes", "certain")
    assert 340_000 < gap.count < 348_876
    assert scene.kinds(SESSION) == {"missing_output": 1}


def test_an_output_that_was_captured_or_is_there(scene):
    """What the file says is in the store, or the file is where the client put it."""
    path = scene.transcript(day(1) + put_aside())
    file = scene.output(path)
    scene.capture(path)
    file.unlink()
    assert scene.look().gaps == ()


def test_an_output_that_the_archive_has(scene):
    """The store has the beginning, the archive the file."""
    path = scene.transcript(day(1) + put_aside())
    scene.capture(path)
    file = scene.output(path)
    assert scene.look().of("missing_output") == []
    scene.archive()
    file.unlink()
    assert scene.look().of("missing_output") == []


def test_an_output_of_a_line_that_is_not_captured(scene):
    """The line is on the disk alone, the file nowhere: both are said."""
    scene.transcript(day(1) + put_aside())
    assert scene.kinds() == {"missing_output": 1, "at_risk": 1}
    assert scene.look().of("missing_output")[0].count < 348_894


# --- exports that were announced --------------------------------------------------------------------------------------


def test_an_export_that_was_announced_and_never_seen(scene):
    """It lies there: it can be taken. It is gone, and so is no line of its session: its transcript is to be captured."""
    file = scene.root / "notes.txt"
    file.write_bytes(turns("Which of the cranes is the oldest of all?", "The third from the north, it is said."))
    path = scene.transcript(day(1) + exported(str(file)))
    (gap,) = scene.look().of("unseen_export")
    assert (gap.source, gap.sure, gap.count) == (str(file), "certain", 1)
    scene.capture(path)
    (gap,) = scene.look().of("unseen_export")
    assert gap.sure == "possible"  # its transcript has all that it showed
    scene.dedup.ingest(file.read_bytes(), name=file.name)
    assert scene.look().of("unseen_export") == []


def test_an_export_that_is_gone(scene):
    """It is missing as long as its session's transcript is not captured."""
    path = scene.transcript(day(1) + exported(str(scene.root / "gone.txt")))
    assert "it is gone" in scene.look().of("unseen_export")[0].text
    scene.capture(path)
    assert scene.look().of("unseen_export") == []


# --- the client's history ---------------------------------------------------------------------------------------------


def test_a_session_of_the_history_without_a_conversation(scene, tmp_path):
    """Commands of the client and other projects make none; a transcript that is there is at risk, and not gone."""
    scene.history(("/model", BEGAN), ("What is the tide today?", BEGAN + 1), ("! ls", BEGAN + 2), session=OTHER)
    scene.history(("/exit", BEGAN), ("# remember this", BEGAN), session="11111111-0000-4000-8000-000000000000")
    scene.history(("What else?", BEGAN), session="22222222-0000-4000-8000-000000000000", project=tmp_path / "beside")
    (gap,) = scene.look().gaps
    assert (gap.kind, gap.source, gap.count, gap.unit) == ("unstored_session", OTHER, 2, "prompts")
    assert (gap.since, gap.until) == (spelt(BEGAN + 1), spelt(BEGAN + 2))
    scene.transcript(day(1).replace(SESSION.encode(), OTHER.encode()), OTHER)
    assert scene.kinds() == {"at_risk": 1}


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"display": 1}', b"\xff\xfe", b'{"timestamp": 1e999, "display": "x"}'])
def test_a_history_that_cannot_be_read(scene, line):
    """Nothing is said by a line that is none."""
    scene.config.mkdir()
    (scene.config / "history.jsonl").write_bytes(line + b"\n")
    assert scene.look().gaps == ()


def test_prompts_that_a_conversation_lacks(scene):
    """A hole in its middle: three in a row are likely missing, one was perhaps taken back."""
    scene.capture(scene.transcript(day(2)))
    known = ("Question number 1 about the harbour and its cranes, asked in the morning", BEGAN + 50)
    lost = [(f"A question that is nowhere, number {number}", BEGAN + number) for number in range(10, 13)]
    scene.history(
        ("Question number 0 about the harbour", BEGAN - 1), *lost, known, ("A last one that is nowhere", BEGAN + 90)
    )
    one, other = scene.look().of("time_hole")
    assert (one.count, one.unit, one.sure, one.conversation_id) == (3, "prompts", "likely", SESSION)
    assert (one.since, one.until) == (spelt(BEGAN + 10), spelt(BEGAN + 12))
    assert (other.count, other.sure) == (1, "possible")


def test_prompts_that_are_not_captured_yet(scene):
    """They stand in the transcript, which is at risk: that is all there is to say."""
    path = scene.transcript(day(1))
    scene.capture(path)
    scene.transcript(day(1) + prompt("A question that was asked when nobody captured"))
    scene.history(("A question that was asked when nobody captured", BEGAN))
    assert scene.kinds() == {"at_risk": 1}


def test_prompts_that_are_stored_in_other_words(scene):
    """A paste is written out, white space is another: it is the same prompt."""
    scene.capture(scene.transcript(prompt("Look   at this\n\nline 1\nline 2\nof the harbour")))
    scene.history(("Look at this [Pasted text #1 +2 lines]", BEGAN))
    assert scene.look().gaps == ()


# --- sessions at risk -------------------------------------------------------------------------------------------------


def test_a_session_that_is_not_captured_and_how_long_it_stays(scene):
    """The most urgent one first; what is being written to right now is at no risk."""
    scene.transcript(day(2), days_old=10.5)
    scene.transcript(day(1).replace(SESSION.encode(), OTHER.encode()), OTHER, days_old=28.5)
    now = scene.transcript(day(1), "33333333-2222-4333-8444-555555555555")
    os.utime(now)
    found = scene.look().of("at_risk")
    assert [(gap.days_left, gap.count) for gap in found] == [
        (1, len(scene_bytes(scene, OTHER))),
        (19, len(scene_bytes(scene, SESSION))),
    ]


def scene_bytes(scene, session):
    """The transcript of a session."""
    (path,) = scene.config.glob(f"projects/*/{session}.jsonl")
    return path.read_bytes()


def test_a_session_that_is_captured_is_at_no_risk(scene):
    """And one that grew is for what it grew by."""
    path = scene.transcript(day(2), days_old=29.5)
    scene.capture(path)
    assert scene.look().gaps == ()
    with path.open("ab") as file:
        file.write(day(1, 2))
    moment = time.time() - 29.5 * DAY
    os.utime(path, (moment, moment))
    (gap,) = scene.look().gaps
    assert (gap.kind, gap.days_left, gap.count) == (
        "at_risk",
        0,
        path.stat().st_size - len(day(2).replace(b"/home/ada/project", str(scene.place.root).encode())),
    )


def test_a_session_of_desktop_is_kept(scene):
    """It is not captured all the same, and the client does not delete it."""
    scene.transcript(answer("Done, the cranes are painted", entrypoint="claude-desktop"), days_old=300)
    (gap,) = scene.look().gaps
    assert (gap.kind, gap.days_left) == ("at_risk", None)
    assert gap.text.endswith("the client keeps it")


# --- the other way: what may be deleted -------------------------------------------------------------------------------


def test_what_the_archive_has_may_be_deleted(scene):
    """Byte for byte: what grew since, what changed, and what was written to just now is not among it."""
    path = scene.transcript(day(3) + put_aside())
    output = scene.output(path, b"x" * 5000)
    size = path.stat().st_size
    nothing = archived_files(scene.client())
    assert (nothing.files, nothing.bytes, nothing.verified_files) == (2, size + 5000, 0)
    scene.archive()
    both = archived_files(scene.client())
    assert (both.verified_files, both.verified_bytes, set(both.verified)) == (2, size + 5000, {str(path), str(output)})
    output.write_bytes(b"y" * 5000)
    os.utime(output, (time.time() - DAY,) * 2)
    assert archived_files(scene.client()).verified == (str(path),)
    os.utime(path)
    assert archived_files(scene.client()).verified == ()


def test_a_damaged_archive_lets_nothing_be_deleted(scene):
    """A pack whose bytes flipped restores it no more."""
    scene.transcript(day(30))
    scene.archive()
    assert archived_files(scene.client()).verified_files == 1
    (pack,) = (scene.place.archive / "packs").glob("*.pack")
    data = bytearray(pack.read_bytes())
    for at in range(len(data) // 4, len(data) * 3 // 4):
        data[at] ^= 0x55
    pack.chmod(0o600)
    pack.write_bytes(bytes(data))
    assert archived_files(scene.client()).verified_files == 0


# --- nothing is led astray --------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_links_and_pipes_are_not_followed(scene, tmp_path):
    """A pipe in the place of the history or a transcript is not waited for; a link to elsewhere is not read."""
    scene.config.mkdir()
    os.mkfifo(scene.config / "history.jsonl")
    secret = tmp_path / "secret.jsonl"
    secret.write_bytes(NAMED["derived"])
    path = scene.transcript(day(1))
    (path.parent / f"{OTHER}.jsonl").symlink_to(secret)
    scene.capture(path)
    found = scene.look()
    assert (found.gaps, found.transcripts) == ((), 1)


def test_a_line_without_an_end_is_not_read_whole(scene, monkeypatch):
    """A file of one endless line: it is named as what could not be looked at."""
    monkeypatch.setattr(transcript_facts, "_PART", 1_000)
    monkeypatch.setattr(transcript_facts, "_LONGEST_LINE", 5_000)
    path = scene.transcript(day(1) + b"x" * 20_000)
    assert scene.look().not_looked == (f"{path.name} cannot be read to its end",)
