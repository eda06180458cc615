"""``explain``: why each message of an export is new, or which stored one it is, by what, and between which neighbours."""

from __future__ import annotations

import json

import pytest

from deduplication.alignment import reasons as by
from deduplication.commands import deduplicate_export
from deduplication.errors import NotAnExport, StoreMissing, UsageError
from deduplication.reports import explain as explain_report
from exports import Story

STORY = Story(5, exchanges=12)
FIRST, LAST = STORY.starts[6], STORY.starts[9]


@pytest.fixture
def explained(tmp_path, capsys):
    """Runs the subcommand over bytes; its ``--json`` answer."""
    state = str(tmp_path / "state")

    def run(data, *more, name="a.txt", stored=False):
        file = tmp_path / name
        file.write_bytes(data)
        if stored:
            assert deduplicate_export.main([str(file), "--storage-dir", state]) == 0
        capsys.readouterr()
        assert deduplicate_export.main(["explain", str(file), "--storage-dir", state, "--json", *more]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def messages(answer):
    """The messages of an answer's only conversation."""
    (conversation,) = answer["conversations"]
    return conversation["messages"]


def test_what_is_new_and_what_is_known(explained):
    """Of a longer export the beginning is the one that is stored, the rest is new; nothing is stored by asking."""
    explained(STORY.show(0, FIRST), stored=True)
    for _ in range(2):
        found = messages(explained(STORY.show(0, LAST), name="b.txt"))
        assert [each["is"] for each in found] == [*range(FIRST), *[None] * (LAST - FIRST)]
        assert {each["by"] for each in found} == {by.PREFIX, None}
        assert (found[FIRST - 1]["after"], found[FIRST - 1]["before"]) == (FIRST - 2, None)


def test_a_processed_export_is_explained_as_it_was_found(explained):
    """What its own run stored is no reason: it was new then."""
    explained(STORY.show(0, FIRST), stored=True)
    asked = messages(explained(STORY.show(0, LAST), name="b.txt"))
    assert messages(explained(STORY.show(0, LAST), name="b.txt", stored=True)) == asked
    assert all(each["is"] is None for each in messages(explained(STORY.show(0, FIRST))))


def test_the_reason_is_named(explained):
    """At a seam, by the same content inside of a run, by letters and digits where it is drawn another way, and grown."""
    explained(STORY.show(0, LAST), stored=True)
    tail = STORY.starts[7]
    assert {each["by"] for each in messages(explained(STORY.show(tail, LAST, compacted=True), name="c.txt"))} <= {
        by.SEAM,
        by.PREFIX,
        by.WHOLE,
    }
    drawn = STORY.show(0, len(STORY.turns)).replace(b"In step", b"**In** step").replace(b"then", b"*then*", 3)
    reasons = {each["by"] for each in messages(explained(drawn, name="d.txt"))}
    assert {by.KEY, by.HASH, None} <= reasons
    half = STORY.show(0, LAST)[:-60]
    (last,) = messages(explained(half, "--message", str(LAST - 1), name="e.txt"))
    assert last["by"] == by.GREW


def test_an_export_that_unites_says_so(explained):
    """The other conversation is named."""
    explained(STORY.show(0, STORY.starts[4]), name="one.txt", stored=True)
    explained(STORY.show(LAST, len(STORY.turns)), name="two.txt", stored=True)
    (found,) = explained(STORY.show(0, len(STORY.turns)), name="both.txt")["conversations"]
    assert (found["session_id"], found["same_conversations"]) == ("one", ["two"])


def test_a_person_reads_a_line_for_each_message(tmp_path, capsys):
    """With its number, and for one message what the reason means."""
    state, file = str(tmp_path / "state"), tmp_path / "a.txt"
    file.write_bytes(STORY.show(0, FIRST))
    assert deduplicate_export.main([str(file), "--storage-dir", state]) == 0
    file.write_bytes(STORY.show(0, LAST))
    capsys.readouterr()
    assert deduplicate_export.main(["explain", str(file), "--storage-dir", state]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(f"{FIRST} of {LAST} messages known in conversation a, {LAST - FIRST} new")
    assert lines[1].split()[:5] == ["0", "message", "0,", "by", "proven"]
    assert lines[LAST].split()[:2] == [str(LAST - 1), "new"]
    assert deduplicate_export.main(["explain", str(file), "--storage-dir", state, "--message", "1"]) == 0
    told = capsys.readouterr().out
    assert "is message 1 of the conversation." in told
    assert "Above it: message 0 of the conversation; below it: message 2 of the conversation." in told


def test_every_reason_is_explained():
    """Alignment names none that the reader is not told the meaning of."""
    assert set(by.REASONS) == set(explain_report._BY)


def test_what_cannot_be_explained_is_a_named_failure(tmp_path):
    """A store that is not there, a message that is not there, and a file that is no export."""
    file, state = tmp_path / "a.txt", str(tmp_path / "s")
    file.write_bytes(STORY.show(0, FIRST))
    with pytest.raises(StoreMissing):
        deduplicate_export.main(["explain", str(file), "--storage-dir", state])
    assert deduplicate_export.main([str(file), "--storage-dir", state]) == 0
    with pytest.raises(UsageError, match="there is no message 999"):
        deduplicate_export.main(["explain", str(file), "--storage-dir", state, "--message", "999"])
    file.write_bytes(b"just a note\n")
    with pytest.raises(NotAnExport):
        deduplicate_export.main(["explain", str(file), "--storage-dir", state])
