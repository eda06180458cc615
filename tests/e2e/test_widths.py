"""What we say in the client, on screens of several widths: no line of it is broken."""

from __future__ import annotations

import pytest

from e2e import tour

NARROW = 40


@pytest.mark.parametrize("columns", [NARROW, 60, 100])
def test_no_line_of_ours_is_broken(project, plugin, executable, start, columns):
    """Each line of each notice and each answer stands on the screen as it left us; an answer says first that nothing is blocked."""
    tour.listen()
    places = {}
    with start(project, columns=columns, lines=200) as client:
        for shown in tour.tour(client, project, tour.version_of(executable)):
            assert shown.broken == (), f"{shown.place}:\n{shown.screen}"
            places[shown.place] = shown.text
            if shown.place.startswith("/export-dedup"):
                assert shown.text.split("\n")[0][2:] in ("Done, nothing is blocked", "Failed, nothing is blocked")
    assert len(places) == 10
    banner = places["/export-dedup"].split("\n")
    assert ("🆕 2 new" in banner) == (columns == NARROW)
    assert len(banner) == 5 or columns != NARROW
    assert "/export-dedup-search WORD" in " ".join(places["/export-dedup-search"].split())
