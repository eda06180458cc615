"""The index of all sessions: made when it is asked for, kept from then on, and nothing in it that was purged."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from deduplication.commands import deduplicate_export
from deduplication.sessions.overview.documents import markdown, page
from deduplication.sessions.overview.rows import Row
from hostile import ATTACKS
from page_elements import TAGS, Seen
from purge_scenes import Place, Talk, everything


@pytest.fixture
def place(tmp_path):
    """Two conversations with session files, and an index."""
    place = Place(tmp_path / "project")
    for name in ("alder", "birch"):
        place.export(f"2026-03-06-EXPORT-{name.upper()}.txt", Talk(name).text(0, 8), "--no-checkpoint")
    place.sessions()
    index(place)
    return place


def index(place, *more):
    """Make the index."""
    assert deduplicate_export.main(["session", "--index", "--project", str(place.project.root), *more]) == 0


def read(place, name="index.md"):
    """One of the documents."""
    return (place.project.memory / name).read_text(encoding="utf-8")


def test_it_has_every_session_with_a_link_to_its_file(place):
    """Date, title, count and first prompt; the links lead to files that are there."""
    text = read(place)
    assert "2 sessions, the newest first." in text
    links = [each.partition(")")[0] for each in text.split("](")[1:]]
    assert len(links) == 2
    assert all((place.project.memory / unquote(link)).is_file() for link in links)
    assert "exports-archive/" in read(place, "README.md")
    assert "<th scope=col>" in read(place, "index.html")


def test_runs_and_renames_keep_it(place):
    """What is not there is made by nobody who was not asked for it."""
    place.export("2026-03-07-EXPORT-CEDAR.txt", Talk("cedar").text(0, 8))
    place.sessions()
    deduplicate_export.main(["rename", "birch", "The tide clock", "--project", str(place.project.root)])
    assert "3 sessions" in read(place)
    assert "The tide clock" in read(place)
    readme = place.project.memory / "README.md"
    readme.write_text("mine", encoding="utf-8")
    index(place)
    assert readme.read_text(encoding="utf-8") == "mine"
    for name in ("index.md", "index.html"):
        (place.project.memory / name).unlink()
    place.export("2026-03-08-EXPORT-DOGWOOD.txt", Talk("dogwood").text(0, 8))
    assert not (place.project.memory / "index.md").exists()


@pytest.mark.parametrize("whole", [True, False])
def test_a_purge_takes_it_out(place, whole):
    """Of the index, and of what is kept to make it."""
    dedup = place.dedup
    with dedup.store.transaction(write=False):
        first = next(dedup.store.bodies("alder", [0]))
    assert b"alderzq0xv" in everything(place.project.memory)
    place.purge(**({"sessions": ["alder"]} if whole else {"hashes": [first["content_hash"]]}))
    assert b"alderzq0xv" not in everything(place.project.memory)
    assert ("2 sessions" in read(place)) is not whole


@pytest.mark.parametrize("text", ATTACKS)
def test_hostile_titles_are_only_text(text):
    """In both forms: no element, no address, no line of a table of their own."""
    row = Row("id", "", text, "2026-03-04", 1, text + " and more", [])
    assert len(markdown([row], {}).splitlines()) == 9
    seen = Seen(page([row], {"id": "a'b\".md"}))
    assert (seen.open, seen.scripts) == ([], 0)
    assert seen.tags <= TAGS
    assert [value for _, name, value in seen.attributes if name in ("href", "src")] == ["sessions/a%27b%22.md"]
    assert not any(name.startswith("on") for _, name, _ in seen.attributes)
