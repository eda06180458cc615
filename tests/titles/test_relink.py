"""A project that was moved or renamed keeps what the user's own store has of it."""

from __future__ import annotations

import pytest

from deduplication.commands import deduplicate_export
from deduplication.errors import StoreMissing, UsageError
from deduplication.hooks import quick
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import Project
from exports import Story


@pytest.fixture
def projects(tmp_path):
    """The folder that a project was in, and the one that it is in; nothing is installed in either."""
    old, new = tmp_path / "old", tmp_path / "new"
    new.mkdir()
    return old, new


def own(root):
    """What the user's own store has of a project."""
    return Project(type(root)(quick.user_store(str(root))))


def fill(root, seed):
    """One conversation there."""
    state = own(root).state
    state.mkdir(parents=True)
    ClaudeConversationDeduplicator(state).ingest(Story(seed, 3).show(0, 6), name=f"{seed}.txt")


def conversations(state):
    """Which there are."""
    return sorted(ClaudeConversationDeduplicator(state).conversations())


def test_it_is_moved(projects):
    """The whole folder; nothing is left at the old place."""
    old, new = projects
    fill(old, 1)
    assert deduplicate_export.main(["relink", str(old), str(new)]) == 0
    assert conversations(own(new).state) == ["1"]
    assert not own(old).root.exists()


@pytest.mark.parametrize("opted_in", [True, False])
def test_a_store_that_is_there_takes_it_in(projects, opted_in):
    """The project's, or the one that the user's own store has under the new path; done again it changes nothing."""
    old, new = projects
    fill(old, 1)
    if opted_in:
        (new / "MEMORY-CONTEXT").mkdir()
        state = Project(new).state
        ClaudeConversationDeduplicator(state).ingest(Story(2, 3).show(0, 6), name="2.txt")
    else:
        fill(new, 2)
        state = own(new).state
    for _ in range(2):
        assert deduplicate_export.main(["relink", str(old), str(new)]) == 0
        assert conversations(state) == ["1", "2"]
        assert conversations(own(old).state) == ["1"]


def test_what_is_not_there_is_named(projects):
    """A path that was mistyped, or the project's own."""
    old, new = projects
    with pytest.raises(StoreMissing):
        deduplicate_export.main(["relink", str(old), str(new)])
    with pytest.raises(UsageError):
        deduplicate_export.main(["relink", str(new), str(new)])
