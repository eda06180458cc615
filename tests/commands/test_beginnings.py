"""Wherever a conversation or a session is named, the beginning of its id is enough; where several begin so they are listed."""

from __future__ import annotations

import json
import shutil

import pytest

import exports
from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator
from deduplication.commands import export_dedup, stats
from in_process import call
from transcript_lines import SESSION, day

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
OTHER = SESSION[:-2] + ("00" if SESSION[-2:] != "00" else "11")
"""Another session whose id differs at its end alone."""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The current folder: a project with the conversations tide-clock and tide-table, both archived."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    shutil.copy(SAMPLES[0], folder)
    story = exports.Story(5, 9).exports()[0]
    (folder / "2026-03-09-EXPORT-TIDE-TABLE.txt").write_bytes(story.data)
    assert call("--yes", "--no-checkpoint", main=export_dedup.main).returncode == 0
    found = ClaudeConversationDeduplicator(folder / "MEMORY-CONTEXT" / "dedup_state").conversations()
    assert sorted(found) == ["tide-clock", "tide-table"]
    return folder


NAMED = {
    "stats": (["stats", "--session", "ID"], None),
    "search": (["search", "the", "--session", "ID"], None),
    "export": (["export", "--jsonl", "--messages", "--to", "out", "--session", "ID"], None),
    "show": (["show", "ID"], None),
    "session": (["session", "ID", "--output", "-"], None),
    "restore": (["restore", "--session", "ID", "--output", "out/"], None),
    "purge": (["purge", "--session", "ID", "--dry-run"], None),
    "dedup_stats.py": (["--session-id", "ID"], stats.of_session),
}


@pytest.mark.parametrize(("words", "main"), NAMED.values(), ids=NAMED)
def test_the_beginning_of_an_id_is_enough(project, words, main):
    """In any case; where two begin so, 1 and both names; where none does, 1 and what was asked for."""
    options = {} if main is None else {"main": main}

    def named(text):
        shutil.rmtree("out", ignore_errors=True)
        return call(*(text if word == "ID" else word for word in words), **options)

    whole = named("tide-clock")
    assert whole.returncode == 0, whole.stderr
    assert named("tide-c") == named("TIDE-C") == whole
    several = named("tide")
    assert several.returncode == 1
    assert "It is not clear which conversation is meant: 'tide' begins " in several.stderr
    assert all(name in several.stderr for name in ("tide-clock", "tide-table"))
    none = named("zzz")
    assert (none.returncode, "zzz" in none.stderr) == (1, True)


def test_a_transcript_is_captured_by_the_beginning_of_its_session(project, tmp_path, monkeypatch):
    """Those that the client keeps, of all projects; several that begin so are listed, and nothing is captured."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    place = tmp_path / "client" / "projects" / "-somewhere"
    place.mkdir(parents=True)
    for session in (SESSION, OTHER):
        (place / f"{session}.jsonl").write_bytes(day(2))
    several = call("capture", "--session", SESSION[:8])
    assert several.returncode == 1
    assert SESSION in several.stderr
    assert OTHER in several.stderr
    (place / f"{OTHER}.jsonl").unlink()
    done = call("capture", "--session", SESSION[:8], "--json")
    assert (done.returncode, json.loads(done.stdout)["transcripts"]) == (0, 1)
    assert call("capture", "--session", "zzz").returncode == 1


def test_what_gives_a_name_takes_it_as_it_is(project):
    """``--session-id`` of an import names a conversation that may be new: another one that begins so is not meant."""
    story = exports.Story(6, 9).exports()[0]
    (project / story.name).write_bytes(story.data)
    assert call(story.name, "--session-id", "tide-c").returncode == 0
    assert "tide-c" in ClaudeConversationDeduplicator("MEMORY-CONTEXT/dedup_state").conversations()
