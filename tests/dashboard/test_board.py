"""What is gathered anew, and when: a board is one for all who ask, and costs what changed."""

from __future__ import annotations

from collections import Counter

import pytest

from deduplication.dashboard.board import LOOKED_EVERY, Board, Source
from deduplication.errors import StoreLocked


class Scene:
    """A board of two panels over figures that a test sets; time stands until it is told to go on."""

    def __init__(self, every=0.0):
        self.now = 100.0
        self.version, self.value = {"one": 1, "two": 1}, {"one": "a", "two": "b"}
        self.gathered = Counter()
        sources = [
            Source(name, name.title(), lambda name=name: self.gather(name), lambda name=name: self.version[name], every)
            for name in ("one", "two")
        ]
        self.board = Board(sources, lambda name, title, data: f"{title}: {dict(data)}", lambda: self.now)

    def gather(self, name):
        """What a panel shows; an error where the test has put one."""
        self.gathered[name] += 1
        if isinstance(self.value[name], Exception):
            raise self.value[name]
        return {"value": self.value[name]}

    def look(self, seconds=LOOKED_EVERY):
        """Time goes on, and somebody looks."""
        self.now += seconds
        return {panel.name: panel for panel in self.board.look().panels}


@pytest.fixture
def scene():
    """Everything was looked at once."""
    made = Scene()
    made.look()
    return made


def test_what_did_not_change_is_not_gathered_again(scene):
    """The version decides, panel by panel."""
    scene.look()
    assert scene.gathered == {"one": 1, "two": 1}
    scene.version["two"], scene.value["two"] = 2, "c"
    assert scene.look()["two"].data == {"value": "c"}
    assert scene.gathered == {"one": 1, "two": 2}


def test_many_who_look_cost_what_one_does(scene):
    """Between two looks nothing is asked."""
    scene.version["one"] = 2
    for _ in range(50):
        scene.look(0.0)
    assert scene.gathered["one"] == 1


def test_what_is_expensive_waits_however_often_it_changes():
    """A source says how long what it showed stands."""
    scene = Scene(every=30.0)
    scene.look()
    for version in range(2, 6):
        scene.version["one"] = version
        scene.look(5.0)
    assert scene.gathered["one"] == 1
    scene.look(30.0)
    assert scene.gathered["one"] == 2


@pytest.mark.parametrize("error", [StoreLocked("somebody writes"), ValueError("a mistake of ours")])
def test_a_panel_that_fails_says_so_costs_no_other_and_is_tried_again(error):
    """Also where nothing changed since: the next time it may work."""
    scene = Scene()
    scene.value["one"] = error
    panels = scene.look()
    assert str(error) in panels["one"].data["error"]
    assert panels["two"].data == {"value": "b"}
    scene.value["one"] = "well again"
    assert scene.look()["one"].data == {"value": "well again"}
    assert scene.gathered == {"one": 2, "two": 1}


def test_what_shows_the_same_is_not_sent_again(scene):
    """A panel that was gathered anew and is what it was keeps its number; of what changed only the later part is sent."""
    before = scene.board.look()
    scene.version["one"] = 2
    scene.look()
    after = scene.board.look()
    assert scene.gathered["one"] == 2
    assert (after.number, after.tag) == (before.number, before.tag)
    scene.version["two"], scene.value["two"] = 2, "c"
    scene.look()
    assert [panel.name for panel in scene.board.look().since(before.number)] == ["two"]
