"""A blanked file without its note is neither damage nor unknown: its note is made again, and no message stands twice."""

from __future__ import annotations

import json

import pytest

from deduplication.archive import purged_files
from deduplication.commands import deduplicate_export
from deduplication.project.paths import PURGED_FILES
from faults import reader
from purge_scenes import Place, Talk, left, word

NAME = "2026-03-01-EXPORT-ALDER.txt"
GONE = word("alder", 5).encode()

pytestmark = pytest.mark.usefixtures("plain_week")


@pytest.fixture
def place(tmp_path):
    """A project with an archived export of which a message was purged."""
    made = Place(tmp_path / "project")
    made.export(NAME, Talk("alder").text())
    made.export("2026-03-02-EXPORT-BIRCH.txt", Talk("birch").text())
    message = next(m for m in made.dedup.get_full_conversation("alder") if word("alder", 5) in m["content"])
    made.purge(hashes=[message["content_hash"]])
    return made


def command(place, name, *arguments):
    """Exit code of a command for this project."""
    return deduplicate_export.main([name, *arguments, "--project", str(place.project.root)])


def log(place):
    """The log as it is, by the reader that shares no code with the product."""
    return reader.read(reader.whole(place.project.state))


@pytest.mark.parametrize("packed", [False, True])
def test_a_lost_note_is_made_again(place, packed, capsys):
    """``verify`` names the file and its cure; ``repair`` notes it, keeps it in its place, and leaves the log as it was."""
    if packed:
        place.pack()
    notes = purged_files.load(str(place.project.archive))
    (place.project.archive / PURGED_FILES).unlink()
    before = log(place)
    capsys.readouterr()
    assert command(place, "verify", "--json") == 1
    (cost,) = json.loads(capsys.readouterr().out)["costs"]
    assert (cost["kind"], cost["name"], cost["repaired"], cost["messages"]) == ("note", NAME, True, 1)
    assert command(place, "verify") == 1
    assert f"archived file {NAME}: messages of it were purged" in capsys.readouterr().out
    assert command(place, "repair") == 0
    assert "noted again" in capsys.readouterr().out
    assert purged_files.load(str(place.project.archive)) == notes
    assert log(place) == before
    assert not (place.project.archive / "quarantine").exists()
    assert command(place, "verify") == 0
    assert left(place, [GONE]) == []


def test_what_is_not_proven_to_be_blanked_is_damage(place, capsys):
    """A file that another one's messages and our words take the place of is not noted: it is named as what it is."""
    path = place.project.archive / NAME
    path.write_bytes(path.read_bytes().replace(b"alderzq", b"otherzq"))
    (place.project.archive / PURGED_FILES).unlink()
    capsys.readouterr()
    assert command(place, "verify", "--json") == 1
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)["costs"]] == ["file"]


def test_a_blanked_file_with_a_message_less_than_the_log_has_is_damage(place, capsys):
    """Half of the messages may be drawn otherwise, but not one may be missing."""
    path = place.project.archive / NAME
    data = path.read_bytes()
    at = (
        data.index(b"\xe2\x9d\xaf alderzq14xv")
        if b"\xe2\x9d\xaf alderzq14xv" in data
        else data.rindex(b"\xe2\x9d\xaf ")
    )
    path.write_bytes(data[:at])
    (place.project.archive / PURGED_FILES).unlink()
    capsys.readouterr()
    assert command(place, "verify", "--json") == 1
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)["costs"]] == ["file"]


def test_the_messages_of_an_unknown_file_are_found_in_the_log(place):
    """A blanked file under a name that tells of another conversation brings the run that it is, and no message twice."""
    source = place.project.archive / NAME
    data = source.read_bytes()
    other = place.project.archive / "2026-03-09-EXPORT-WILLOW.txt"
    other.write_bytes(data.replace(b"v2.1.197", b"v2.1.198"))
    place.pack()
    before = log(place)
    assert command(place, "repair") == 0
    after = log(place)
    assert after.messages == before.messages
    assert after.problems == []
    assert len(after.exports) == len(before.exports) + 1
    assert command(place, "verify") == 0
