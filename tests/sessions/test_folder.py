"""The folder of the session files: what a process that was killed left in it goes with the next who holds its lock."""

from __future__ import annotations

import threading

import pytest

from deduplication.commands import deduplicate_export
from deduplication.project.paths import Project
from deduplication.sessions import folder
from purge_scenes import Place, Talk, word

LEFT = "alder.md.4711.tmp"


@pytest.fixture
def place(tmp_path):
    """A project with a session file, and beside it what somebody left who was killed while he wrote it."""
    made = Place(tmp_path / "project")
    made.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    (made.project.sessions / LEFT).write_text(word("alder", 5))
    return made


def test_the_next_run_deletes_what_was_left(place):
    """And nothing else."""
    before = {path.name for path in place.project.sessions.iterdir()}
    place.sessions()
    assert {path.name for path in place.project.sessions.iterdir()} == before - {LEFT}


def test_a_purge_deletes_what_was_left(place):
    """It says what the session said."""
    message = next(m for m in place.dedup.get_full_conversation("alder") if word("alder", 5) in m["content"])
    place.purge(hashes=[message["content_hash"]])
    assert not (place.project.sessions / LEFT).exists()


def test_a_folder_that_leads_elsewhere_is_left_alone(place, tmp_path):
    """Behind a link nothing is ours."""
    place.project.sessions.rename(tmp_path / "elsewhere")
    place.project.sessions.symlink_to(tmp_path / "elsewhere")
    folder.finish_purge(place.project, place.dedup.store)
    assert (tmp_path / "elsewhere" / LEFT).exists()


def test_a_page_waits_for_whoever_holds_the_folder(place):
    """So nobody takes for a leftover what is being written, and no page is made of what is purged at this moment."""
    arguments = ["session", "alder", "--format", "html", "--project", str(place.project.root)]
    other = threading.Thread(target=deduplicate_export.main, args=(arguments,))
    with folder.held(Project(place.project.root)):
        other.start()
        other.join(0.5)
        assert other.is_alive()
        assert not list(place.project.sessions.glob("*.html"))
    other.join(30)
    assert len(list(place.project.sessions.glob("*.html"))) == 1
