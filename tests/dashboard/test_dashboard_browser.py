"""The dashboard in a real Chromium: every panel, every width, light and dark; attacks, the keyboard, what follows the store."""

from __future__ import annotations

import threading

import pytest

import axe
import browser
import dashboard_scenes as scenes
from deduplication import ClaudeConversationDeduplicator
from deduplication.dashboard import board, serving
from deduplication.dashboard.subject import key_of, subject_of
from hostile import ATTACKS
from in_process import call

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        browser.executable() is None, reason="no Chromium on this machine (EXPORT_DEDUP_BROWSER names one)"
    ),
]
WIDTHS = (390, 768, 1440)
PANELS = [
    "overview",
    "alerts",
    "risk",
    "trends",
    "savings",
    "performance",
    "growth",
    "calendar",
    "conversations",
    "layers",
]
PANELS += ["runs", "gaps", "backups"]
COUNTED = "![...document.querySelectorAll('.panel')].some(each => each.textContent.includes('Being counted'))"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def chromium():
    """A browser for all tests of this module."""
    with browser.Browser() as running:
        yield running


@pytest.fixture
def served(monkeypatch):
    """What serves a project's store in a thread of this process, until the test ends."""
    monkeypatch.setattr(board, "LOOKED_EVERY", 0.2)
    ends = []

    def serve(root):
        there = serving.served(subject_of(str(scenes.state_of(root)), None, None))
        thread = threading.Thread(target=there.run, daemon=True)
        thread.start()
        ends.append((there, thread))
        return there

    yield serve
    for there, thread in ends:
        there.close()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def opened(served, project, chromium):
    """The page of the project with its figures."""
    chromium.dark(dark=False)
    page = chromium.go(served(project).url)
    page.until(COUNTED)
    page.sized(1440)
    return page


def test_every_panel_at_every_width_in_light_and_dark(opened):
    """Each has figures, each chart is drawn where there is room for it, nothing goes over the edge; nothing is complained of."""
    assert opened.evaluate("[...document.querySelectorAll('.panel')].map(each => each.id)") == PANELS
    for dark in (False, True):
        opened.dark(dark=dark)
        for width in WIDTHS:
            opened.sized(width)
            opened.until(
                "document.querySelectorAll('.chart canvas').length === document.querySelectorAll('.chart').length"
            )
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
            charts = (
                "[...document.querySelectorAll('.chart')].map("
                "each => [each.clientWidth, each.querySelector('canvas').clientWidth])"
            )
            for room, drawn in opened.evaluate(charts):
                assert 0 < drawn <= room
            assert opened.evaluate("document.querySelectorAll('.failed').length") == 0
    assert opened.evaluate("document.querySelectorAll('.chart').length") == 7
    assert opened.complaints() == []
    assert {address.split("/")[2] for address in opened.requests()} == {opened.evaluate("location.host")}


def test_charts_draw_what_their_tables_have(opened):
    """A canvas is not empty, is none for who listens, and its table has as many rows as there are days."""
    inked = (
        "[...document.querySelectorAll('.chart canvas')].map(each => each.getContext('2d')"
        ".getImageData(0, 0, each.width, each.height).data.some(value => value))"
    )
    assert all(opened.evaluate(inked))
    assert opened.evaluate(
        "[...document.querySelectorAll('.chart')].every(each => each.getAttribute('aria-hidden') === 'true')"
    )
    assert opened.evaluate("document.querySelectorAll('#rate tbody tr').length") == 14


@pytest.mark.skipif(axe.script() is None, reason="no axe-core (EXPORT_DEDUP_AXE names axe.min.js)")
def test_axe_finds_nothing(opened, served, project, chromium, tmp_path):
    """On the dashboard, on hits, in a conversation, on the page that refuses, in the file: at every width, folded and open."""
    place = opened.evaluate("location.href")
    assert call("report", "--html", tmp_path / "report.html", "--project", project).returncode == 0
    pages = (
        place,
        f"{place}search?q=harbour",
        f"{place}conversation/rollout-master",
        (tmp_path / "report.html").as_uri(),
    )
    for url in pages:
        page = chromium.go(url)
        page.until("document.readyState === 'complete'")
        assert axe.everywhere(page) == set(), url
        page.sized(768)
        assert axe.faults(page) == [], url
        assert page.complaints() == [], url
    chromium.send("Network.clearBrowserCookies")
    assert axe.faults(chromium.go(place)) == []


def test_attacks_do_nothing(project, served, chromium):
    """Each attack as words, title, file and id: on the dashboard as it follows, among hits, in conversations; 46 and more."""
    state = scenes.state_of(project)
    there = served(project)
    page = chromium.go(there.url)
    page.until(COUNTED)
    scenes.hostile(ClaudeConversationDeduplicator(state), ATTACKS)
    links = "[...document.querySelectorAll('a[href*=\"/conversation/\"]')].map(each => each.href)"
    page.until(f"new Set({links}).size > 20")
    place = page.evaluate("location.href")
    conversations = [f"{place}conversation/{key_of(attack)}" for attack in ATTACKS]
    searches = [f"{place}search?q=script", f"{place}search?q=click", f"{place}search?q=example"]
    for url in [place, *searches, *conversations]:
        page = chromium.go(url)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        page.evaluate("document.querySelectorAll('main a, main [tabindex]').forEach(each => each.focus())")
        page.evaluate(
            "document.querySelectorAll('main *').forEach(each => each.dispatchEvent(new MouseEvent('mouseover')))"
        )
        page.settled()
        assert page.evaluate("document.documentElement.hasAttribute('data-done')") is False, url
        assert (
            page.evaluate("document.querySelectorAll('iframe,object,embed,base,animate,main img,main script').length")
            == 0
        )
        ours = {address.split("/")[2] for address in page.requests() if not address.startswith("data:")}
        assert ours == {page.evaluate("location.host")}
        assert page.complaints() == [], url


def test_the_policy_would_stop_a_script_that_got_in(opened):
    """Should an element slip through all the same, the browser refuses to run it and to fetch for it."""
    opened.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=https://example.org/x.png onerror=\"window.got=1\">');"
        "const s = document.createElement('script'); s.textContent = 'window.got = 2'; document.body.append(s); 0"
    )
    opened.settled()
    assert opened.evaluate("window.got") is None
    assert len([each for each in opened.complaints() if "Content Security Policy" in each]) >= 2


def test_it_follows_the_store(opened, project):
    """A run shows without a reload; what is open stays open, and the focus where it was."""
    opened.evaluate("window.same = true; document.querySelector('#growth details').open = true")
    opened.evaluate("document.querySelector('#growth summary').focus()")
    dedup = ClaudeConversationDeduplicator(scenes.state_of(project))
    dedup.ingest(scenes.numbered("just-now", range(40)), name="just-now.json", conversation_id="just-now")
    opened.until("document.getElementById('conversations').textContent.includes('just-now')")
    opened.until("document.getElementById('growth').querySelector('canvas')")
    assert opened.evaluate("window.same")
    assert opened.evaluate("document.querySelector('#growth details').open")
    assert opened.evaluate("document.activeElement === document.querySelector('#growth summary')")
    assert opened.complaints() == []


def test_a_search_while_one_types(opened):
    """The slash leads to the box, hits come without a reload, Enter leads to the page of hits, a hit to its message."""
    opened.key("/", "/")
    assert opened.evaluate("document.activeElement.id") == "q"
    opened.type("harbour")
    opened.until("document.querySelectorAll('#hits li').length === 14")
    assert opened.evaluate("document.querySelector('#hits [role=status]').textContent").startswith("14 messages")
    opened.evaluate("document.querySelector('#hits a').click()")
    opened.until("location.hash.startsWith('#m') && document.querySelector('article:target')")
    assert "harbour" in opened.evaluate("document.querySelector('article:target').textContent")
    assert opened.complaints() == []


def test_by_keyboard(opened):
    """The first stop leads past the bar; every link, fold and box that scrolls is one, and can be seen to be."""
    opened.key("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    seen = set()
    focused = "document.activeElement.tagName + ' ' + (document.activeElement.getAttribute('aria-label') || '')"
    for _ in range(60):
        opened.key("Tab")
        seen.add(opened.evaluate(focused))
        seeable = "document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        assert opened.evaluate(seeable), opened.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    assert {"A ", "SUMMARY ", "BUTTON Light or dark", "INPUT Search in all conversations"} <= seen


def test_light_and_dark_can_be_chosen(opened):
    """Whatever the system says; the pages of conversations and the charts go along."""
    background = "getComputedStyle(document.body).backgroundColor"
    light = opened.evaluate(background)
    opened.evaluate("document.getElementById('theme').click()")
    dark = opened.evaluate(background)
    assert dark != light
    opened.evaluate("document.querySelector('#conversations a').click()")
    opened.until("document.querySelector('article')")
    assert opened.evaluate(background) == dark
    opened.evaluate("localStorage.clear()")


def test_signing_out(opened):
    """One button, and nothing is shown any more."""
    place = opened.evaluate("location.href")
    opened.evaluate("document.querySelector('form[action$=logout] button').click()")
    opened.until("document.body.textContent.includes('signed out')")
    opened.go(place)
    assert opened.evaluate("document.querySelectorAll('.panel').length") == 0
