"""What is missing is looked for where something came, is forgotten with its conversation, and leaves others their time."""

from __future__ import annotations

import dataclasses
from collections import Counter
from types import SimpleNamespace

import pytest

import dashboard_scenes as scenes
from deduplication.dashboard import gap_watch
from deduplication.dashboard.figures import Figures
from deduplication.dashboard.subject import subject_of


@pytest.fixture
def looked(monkeypatch):
    """How often each conversation was looked at."""
    counts = Counter()
    real = gap_watch.in_conversation

    def counted(store, name, passed):
        counts[name] += 1
        return real(store, name, passed)

    monkeypatch.setattr(gap_watch, "in_conversation", counted)
    return counts


@pytest.fixture
def world(project):
    """The figures of a project, whose conversations a test may change."""
    figures = Figures(subject_of(str(scenes.state_of(project)), None, None))
    figures.stored()
    return SimpleNamespace(
        subject=figures.subject,
        conversations=dict(figures.conversations),
        stored=lambda: None,
        version=lambda: 1,
    )


def test_a_conversation_is_looked_at_again_where_something_came(world, looked):
    """And only then: what is told rests on when it was told of last."""
    watch = gap_watch.GapWatch(world, at_once=True)
    assert [row["id"] for row in watch.gaps()["rows"]] == ["with-a-gap"]
    watch.gaps()
    assert set(looked.values()) == {1}
    later = world.conversations["with-a-gap"]
    world.conversations["with-a-gap"] = dataclasses.replace(later, updated_at="2999-01-01T00:00:00.000Z")
    watch.gaps()
    assert (looked["with-a-gap"], sum(looked.values())) == (2, len(world.conversations) + 1)


def test_what_was_purged_is_missing_nowhere(world):
    """With its conversation its gaps are gone."""
    watch = gap_watch.GapWatch(world, at_once=True)
    assert watch.gaps()["all"] == 1
    del world.conversations["with-a-gap"]
    assert watch.gaps()["all"] == 0


def test_others_have_nine_times_as_long_as_a_look(world, monkeypatch):
    """A look holds the store: after each one it is left alone."""
    slept, moments = [], iter(range(10_000))
    monkeypatch.setattr(gap_watch, "time", SimpleNamespace(monotonic=lambda: float(next(moments)), sleep=slept.append))
    watch = gap_watch.GapWatch(world)
    watch._look_at(["with-a-gap"], {"with-a-gap": ""})
    assert len(slept) == 2  # after the client's files, and after the conversation
    assert min(slept) >= gap_watch._PAUSE
