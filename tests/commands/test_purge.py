"""``deduplicate_export.py purge``: what it says, what it asks, and what it names because it cannot reach it."""

from __future__ import annotations

import io
import json
import sys

import pytest

import conversations
from archive_scenes import archived
from deduplication.commands import deduplicate_export
from deduplication.errors import NothingToPurge, PurgeIncomplete, PurgeRefused, UsageError
from deduplication.purge import proof
from deduplication.purge.scope import moment, scope_of
from purge_scenes import Place, Talk, left, word


@pytest.fixture
def place(tmp_path):
    """A project with one conversation."""
    made = Place(tmp_path / "project")
    made.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    return made


def run(place, *arguments):
    """The command for this project."""
    return deduplicate_export.main(["purge", "--project", str(place.project.root), *arguments])


def test_it_asks_nobody_where_nobody_is(place, capsys):
    """Without a terminal and without ``--yes`` nothing is purged, with ``--json`` neither."""
    before = place.snapshot()
    for more in ([], ["--json"]):
        with pytest.raises(PurgeRefused):
            run(place, "--session", "alder", *more)
    assert place.snapshot() == before
    assert "Purged" not in capsys.readouterr().out


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self):
        """Yes."""
        return True


@pytest.mark.parametrize(("typed", "goes"), [("y\n", True), ("n\n", False), ("", False)])
def test_on_a_terminal_it_shows_and_asks(place, monkeypatch, typed, goes):
    """What would go is shown first; only a yes is one."""
    out = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stdout", out)
    if goes:
        assert run(place, "--session", "alder") == 0
    else:
        with pytest.raises(PurgeRefused):
            run(place, "--session", "alder")
    said = out.getvalue()
    assert "Would purge: 16 messages of 1 conversation" in said
    assert ("Purged: 16 messages" in said) == goes
    assert "vouch for it no longer" in said
    assert (left(place, Talk("alder").words()) == []) == goes


def test_the_report_says_what_went_and_what_is_out_of_reach(place, capsys, tmp_path):
    """Never with a word of what was purged; a dry run says the same before."""
    talk = Talk("birch")
    place.capture(tmp_path / "client", talk)
    (place.project.exports / "waiting.txt").write_bytes(talk.text(0, 10))
    notes = place.project.memory / "notes.md"
    notes.write_bytes(talk.text(1, 2))
    capsys.readouterr()
    assert run(place, "--session", talk.session, "--dry-run") == 0
    dry = capsys.readouterr().out
    assert run(place, "--session", talk.session, "--yes") == 0
    said = capsys.readouterr().out
    for text in (dry, said):
        assert "17 messages" in text
        assert "1 image" in text
        assert "waiting.txt" in text
        assert "notes.md" in text
        assert "the client's own transcript" in text
        assert not any(each.decode() in text for each in talk.words())
    assert "Nothing was changed" in dry
    assert said.count("✅ Verified") == 2


def test_json_says_the_same(place, capsys):
    """One object, with the proof."""
    capsys.readouterr()
    assert run(place, "--session", "alder", "--between", "2000-01-01", "2100-01-01", "--yes", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["messages"], said["scope"], said["by_capture_time"]) == (16, ["session", "between"], 16)
    assert said["archive"]["removed"][0]["name"] == "2026-03-01-EXPORT-ALDER.txt"
    assert (said["verified"]["remaining"], said["verified"]["problems"]) == ([], [])


def test_the_audit_has_no_content(place):
    """An entry with counts, kind of scope and time."""
    run(place, "--session", "alder", "--yes")
    lines = (place.project.state / "deduplication_log.jsonl").read_bytes().splitlines()
    entry = json.loads(lines[-1])
    assert (entry["operation"], entry["conversation_id"]) == ("purge", "alder")
    assert entry["metadata"] == {"scope": ["session"], "messages": 16, "occurrences": 16, "forgotten": False}
    assert deduplicate_export.main(["status", "--project", str(place.project.root)]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--message", "xyz"],
        ["--message", "abc"],
        ["--between", "yesterday", "today"],
        ["--between", "2026-01-01", "noon"],
        ["--between", "2026-02-02", "2026-01-01"],
        ["--between", "2026-02-31", "2026-03-01"],
    ],
)
def test_what_cannot_be_meant_is_refused(place, arguments):
    """Exit code 2, nothing done."""
    with pytest.raises(UsageError):
        run(place, *arguments, "--yes")


def test_what_is_not_there_is_said(place):
    """A hash that no message has, a time in which nothing was said, a second time."""
    with pytest.raises(NothingToPurge):
        run(place, "--message", "0123456789abcdef", "--yes")
    with pytest.raises(NothingToPurge):
        run(place, "--between", "2001-01-01", "2001-01-02", "--yes")
    run(place, "--session", "alder", "--yes")
    with pytest.raises(NothingToPurge):
        run(place, "--session", "alder", "--yes")


def test_a_store_that_is_named_is_purged_alone(place, capsys):
    """``--storage-dir``: archive and session files are another matter, and named."""
    state = str(place.project.state)
    assert deduplicate_export.main(["purge", "--storage-dir", state, "--session", "alder", "--yes"]) == 0
    assert "--storage-dir names a store alone" in capsys.readouterr().out
    assert place.said("alder") == []
    assert archived(place.project)


def test_something_left_is_a_failure(place, monkeypatch, capsys):
    """What the last look finds is named, with exit code 1."""
    monkeypatch.setattr(proof.Proof, "search_lines", lambda self, where, *_: self.remaining.append(where))
    with pytest.raises(PurgeIncomplete):
        run(place, "--session", "alder", "--yes")
    assert "still there" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "end", "seconds"),
    [
        ("2026-03-01T00:00Z", False, 1772323200.0),
        ("2026-03-01T01:00:00+01:00", False, 1772323200.0),
        ("2026-02-28 19:00:00.5-0500", False, 1772323200.5),
        ("2026-02-28", True, None),
        ("soon", False, None),
    ],
)
def test_times_are_read_as_people_and_logs_write_them(text, end, seconds, monkeypatch):
    """A day is a day on this clock."""
    if seconds is None and text != "soon":
        assert moment(text, end=True) == moment("2026-03-01T00:00")
    else:
        assert moment(text, end=end) == seconds


def test_a_scope_is_everywhere_only_for_a_hash_alone():
    """Everything else names places."""
    assert scope_of([], None, ["0123456789"]).everywhere
    assert not scope_of(["a"], None, ["0123456789"]).everywhere
    assert not scope_of([], ["2026-01-01", "2026-01-02"], ["0123456789"]).everywhere


def test_names_that_tell_are_changed(tmp_path):
    """The client names an export after the first prompt: log, archive, status log and last run get a neutral name."""
    place = Place(tmp_path / "named")
    talk = Talk("alder")
    told = "in-step-0-we-weigh-the-alderzq0xv-lantern"
    place.export(f"2026-03-01-{told}.txt", talk.text())
    place.pack()
    place.export(f"2026-03-02-{told}.txt", talk.text(0, 16, width=60))
    status = place.project.status_log
    for kept in (status, place.project.reports):
        kept.write_text(f"Exports: 2026-03-01-{told}.txt\n")
    (name,) = place.dedup.conversations()
    message = next(m for m in place.dedup.get_full_conversation(name) if word("alder", 0) in m["content"])
    done = place.purge(hashes=[message["content_hash"]])
    assert done.renamed == 2
    for path in (
        status,
        place.project.reports,
        place.project.state / "last_run.json",
        place.project.state / "conversation_log.jsonl",
    ):
        assert f"{told}.txt" not in path.read_text()
    assert not any(told in path.name for path in place.project.archive.rglob("*"))


def test_what_a_stopped_run_left_goes(place):
    """A piece in the quarantine that holds something of it; another one stays."""
    folder = place.project.state / "quarantine"
    folder.mkdir()
    (folder / "unfinished-1.jsonl").write_bytes(Talk("alder").text(0, 3))
    (folder / "unfinished-2.jsonl").write_bytes(Talk("birch").text(0, 3))
    done = place.purge(sessions=["alder"])
    assert done.quarantine == ["unfinished-1.jsonl"]
    assert [path.name for path in folder.iterdir()] == ["unfinished-2.jsonl"]


def test_a_form_that_cannot_be_patched_goes_as_a_whole(tmp_path):
    """JSON of other exporters and of claude.ai: named before, and not taken in again."""
    place = Place(tmp_path / "json")
    chats = [conversations.chat("harbour", 3), conversations.chat("meadow", 3)]
    place.export("conversations.json", conversations.exported(chats), "--no-checkpoint")
    name = conversations.identity("harbour")
    done = place.purge(sessions=[name])
    assert [(each[0], bool(each[2])) for each in done.removed] == [("conversations.json", True)]
    assert left(place, {b"harbour says number 1"}) == []
    assert len(place.said(conversations.identity("meadow"))) == 6
    (place.project.exports / "conversations.json").write_bytes(conversations.exported(chats))
    from deduplication.commands import export_dedup

    assert export_dedup.main(["--project", str(place.project.root), "--yes", "--no-checkpoint"]) == 0
    assert not list(place.project.archive.glob("*.json"))
    assert (place.project.exports / "conversations.json").exists()


def test_restore_says_that_a_file_is_not_what_was_exported(place, capsys, tmp_path):
    """On the screen and in JSON."""
    message = next(m for m in place.dedup.get_full_conversation("alder") if word("alder", 5) in m["content"])
    place.purge(hashes=[message["content_hash"]])
    root = ["--project", str(place.project.root)]
    name = "2026-03-01-EXPORT-ALDER.txt"
    capsys.readouterr()
    assert deduplicate_export.main(["restore", name, "--output", str(tmp_path / "a"), *root]) == 0
    assert "1 message was purged" in capsys.readouterr().out
    assert deduplicate_export.main(["restore", name, "--output", str(tmp_path / "b"), "--json", *root]) == 0
    assert json.loads(capsys.readouterr().out)["restored"][0]["purged"] == 1


def test_readers_say_how_many_were_purged(place, capsys):
    """``show`` as text and Markdown, ``search``, and the pages."""
    message = next(m for m in place.dedup.get_full_conversation("alder") if word("alder", 5) in m["content"])
    place.purge(hashes=[message["content_hash"]])
    root = ["--project", str(place.project.root)]
    capsys.readouterr()
    assert deduplicate_export.main(["show", "alder", *root]) == 0
    assert "1 message purged here" in capsys.readouterr().out
    assert deduplicate_export.main(["show", "alder", "--format", "markdown", *root]) == 0
    assert "1 message was removed here for good" in capsys.readouterr().out
    assert deduplicate_export.main(["show", "alder", "--format", "json", *root]) == 0
    assert len(json.loads(capsys.readouterr().out)["messages"]) == 15
    assert deduplicate_export.main(["show", "alder", "--last", "12", *root]) == 0
    assert deduplicate_export.main(["show", *root]) == 0
    assert deduplicate_export.main(["search", word("alder", 6), "--context", "3", *root]) == 0
    assert word("alder", 6) in capsys.readouterr().out
    for form in ("md", "html", "json"):
        assert deduplicate_export.main(["session", "alder", "--format", form, "--output", "-", *root]) == 0
        assert "urged" in capsys.readouterr().out
    assert deduplicate_export.main(["./none", "--stats-only", "--session-id", "alder", *root]) in (0, 1)
