"""Notices take turns in the corner of the screen: the client drops one that comes while another is on its way."""

from __future__ import annotations

import time

import pytest

from deduplication.hooks import notices


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is moved; its value is a list of one."""
    moment = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: moment[0])
    return moment


def test_the_first_notice_comes_at_once(tmp_path, clock):
    """Nothing is dropped where nothing came before: the client lets it wait for its own hint."""
    notices.session_began(tmp_path, "s")
    clock[0] += 1
    assert notices.turn(tmp_path, "s") == 0


@pytest.mark.parametrize("seen", [True, False], ids=["start-seen", "start-not-seen"])
def test_no_two_notices_are_on_their_way_at_once(tmp_path, clock, seen):
    """However early the first one comes, the second one comes when the first was shown: after the hint, and for its time."""
    began = clock[0]
    if seen:
        notices.session_began(tmp_path, "s")
    clock[0] += 2
    notices.turn(tmp_path, "s")
    said = clock[0]
    clock[0] += 3
    shown = (began if seen else said) + notices.FIRST
    assert clock[0] + notices.turn(tmp_path, "s") == pytest.approx(shown + notices.SHOWN, abs=0.01)
    assert clock[0] + notices.turn(tmp_path, "s") == pytest.approx(shown + 2 * notices.SHOWN, abs=0.01)


def test_later_in_a_session_a_notice_waits_for_the_one_before_it_only(tmp_path, clock):
    """Six seconds after the last notice the corner is free, three seconds after it not."""
    notices.session_began(tmp_path, "s")
    clock[0] += 100
    assert notices.turn(tmp_path, "s") == 0
    clock[0] += 3
    assert notices.turn(tmp_path, "s") == pytest.approx(notices.SHOWN - 3, abs=0.01)
    clock[0] += notices.SHOWN + 6
    assert notices.turn(tmp_path, "s") == 0


def test_sessions_have_a_screen_each(tmp_path, clock):
    """What another session shows is nobody's business."""
    notices.session_began(tmp_path, "s")
    notices.session_began(tmp_path, "t")
    clock[0] += 100
    assert (notices.turn(tmp_path, "s"), notices.turn(tmp_path, "t")) == (0, 0)


@pytest.mark.parametrize("left", ["", "nonsense", "+1e300", "+2000000", "nan"])
def test_a_broken_marker_silences_nobody(tmp_path, clock, left):
    """Whatever lies there, and however the clock was set: a notice waits half a minute at most."""
    (tmp_path / "s.notices").write_text(left)
    for _ in range(20):
        assert 0 <= notices.turn(tmp_path, "s") <= notices.LONGEST


def test_nothing_is_made_where_no_store_is(tmp_path, clock):
    """A session that begins leaves nothing in a project without a store."""
    notices.session_began(tmp_path / "live", "s")
    assert list(tmp_path.iterdir()) == []
