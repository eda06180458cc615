"""The index of all sessions in a real browser: for those who see, hear or move otherwise, by keyboard, with hostile titles."""

from __future__ import annotations

import pytest

import axe
import browser
from deduplication.sessions.overview.documents import page as document
from deduplication.sessions.overview.rows import Row
from hostile import ATTACKS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        browser.executable() is None, reason="no Chromium on this machine (EXPORT_DEDUP_BROWSER names one)"
    ),
]


@pytest.fixture(scope="module")
def chromium():
    """A browser for all tests of this module."""
    with browser.Browser() as running:
        yield running


@pytest.fixture
def opened(tmp_path, chromium):
    """The index of sessions with these titles, whose files are there."""

    def open_(titles):
        rows = [
            Row(f"id{n}", "", title, "2026-03-04", n, f"{title} and more", ["tide"]) for n, title in enumerate(titles)
        ]
        path = tmp_path / "index.html"
        path.write_text(document(rows, {row.session: f"{row.session}.md" for row in rows}), encoding="utf-8")
        return chromium.open(path)

    return open_


@pytest.mark.skipif(axe.script() is None, reason="no axe-core (EXPORT_DEDUP_AXE names axe.min.js)")
def test_axe_finds_nothing(opened):
    """In light and dark, on a wide screen and on a phone's."""
    assert axe.everywhere(opened(["The tide clock", "", *["A long title of many words " * 8]])) == set()


def test_each_session_is_reached_by_keyboard(opened):
    """Tab goes from link to link, in the order of the rows, and what has the focus is to be seen."""
    page = opened(["The tide clock", "Lanterns"])
    reached = []
    for _ in range(2):
        page.key("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href')"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert reached == ["sessions/id0.md", "sessions/id1.md"]


def test_hostile_titles_do_nothing(opened):
    """Nothing runs, nothing is fetched, and the page is what it would be without them."""
    page = opened(ATTACKS)
    page.evaluate("document.querySelectorAll('*').forEach(each => each.dispatchEvent(new MouseEvent('mouseover')))")
    page.settled()
    assert page.evaluate("document.querySelectorAll('script,iframe,img,form,object,embed,base,animate').length") == 0
    assert page.evaluate("document.querySelectorAll('tbody tr').length") == len(ATTACKS)
    assert page.evaluate("document.title") not in ("1", "2", "")
    assert {address.split(":")[0] for address in page.requests() if not address.startswith("data:")} == {"file"}
    assert page.complaints() == []
