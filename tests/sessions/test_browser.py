from __future__ import annotations

import pytest

import axe
import browser
from hostile import ATTACKS
from transcript_lines import SESSION, answer, call, compacted, day, line, prompt, result

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        browser.executable() is None, reason="no Chromium on this machine (EXPORT_DEDUP_BROWSER names one)"
    ),
]
VISIBLE = "[...document.querySelectorAll('.turn')].filter(each => each.offsetParent).length"

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def image(name, data):
    """A prompt with an image."""
    source = {"type": "base64", "media_type": "image/png", "data": data}
    content = [{"type": "text", "text": f"look at {name}"}, {"type": "image", "source": source}]
    return line(name, "user", {"role": "user", "content": content})


@pytest.fixture(scope="module")
def chromium():
    """A browser for all tests of this module."""
    with browser.Browser() as running:
        yield running


@pytest.fixture
def opened(told, tmp_path, chromium):
    """Opens the page of the session as it is then."""

    def open_(**more):
        path = tmp_path / "page.html"
        path.write_text(told.html(SESSION, **more), encoding="utf-8")
        return chromium.open(path)

    return open_


def test_hostile_content_does_nothing(told, opened):
    """Of every attack in every kind of message nothing runs, nothing is fetched, and the page stays as it is."""
    for number, attack in enumerate(ATTACKS):
        told.capture(
            prompt(attack, f"p{number}"),
            answer(attack, f"a{number}"),
            call(attack, f"c{number}", command=attack),
            result(f"{attack}\n{attack}", f"c{number}"),
        )
    page = opened()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.evaluate("document.querySelectorAll('main a, main [tabindex]').forEach(each => { each.focus(); })")
    page.evaluate("document.querySelectorAll('main a[href^=\"#\"]').forEach(each => each.click())")
    page.evaluate(
        "document.querySelectorAll('main *').forEach(each => each.dispatchEvent(new MouseEvent('mouseover')))"
    )
    page.settled()
    assert page.evaluate("document.documentElement.hasAttribute('data-done')") is False
    assert page.evaluate("document.title") not in ("1", "2", "")
    assert page.evaluate("document.querySelectorAll('iframe,img,form,object,embed,link,base,animate').length") == 0
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert (
        page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => /^on/.test(a.name)).length"
        )
        == 0
    )
    assert page.evaluate("document.querySelectorAll('article').length") == 4 * len(ATTACKS)
    assert page.evaluate("getComputedStyle(document.querySelector('main')).display") != "none"
    ours = [address for address in page.requests() if not address.startswith("data:image/svg+xml,")]
    assert {address.split(":")[0] for address in ours} == {"file"}
    assert page.complaints() == []


def test_the_policy_would_stop_a_script_that_got_in(told, opened):
    """Should an element slip through all the same, the browser refuses to run it or to fetch for it."""
    told.capture(day(1))
    page = opened()
    title = page.evaluate("document.title")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=https://example.org/x.png onerror=\"document.title=1\">');"
        "const s = document.createElement('script'); s.textContent = 'document.title = 2'; document.body.append(s);"
    )
    page.settled()
    assert page.evaluate("document.title") == title not in ("1", "2")
    assert len([told_ for told_ in page.complaints() if "Content Security Policy" in told_]) >= 2


def test_search_finds_what_was_said(told, opened):
    """Typing shows only turns with the word, Enter goes from hit to hit and opens what is folded, Escape shows all again."""
    told.capture(day(30), call("Bash", "x", command="ls"), result("one\nneedle\ntwo", "x"), prompt("about the NEEDLE"))
    page = opened()
    everything = page.evaluate(VISIBLE)
    page.key("/", "/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.type("needle")
    page.settled()
    assert page.evaluate(VISIBLE) == 2
    assert page.evaluate("CSS.highlights.get('found').size") == 2
    assert page.evaluate("document.getElementById('count').value") == "2 turns"
    page.key("Enter", "\r")
    assert page.evaluate("document.querySelector('.tool_result details').open") is True
    assert page.evaluate("document.getElementById('count').value") == "1 of 2"
    page.key("Escape")
    page.settled()
    assert page.evaluate(VISIBLE) == everything


def test_filters_themes_and_folding(told, opened):
    """Tools can be hidden, everything folded can be opened, light and dark can be chosen whatever the system says."""
    told.capture(prompt("go"), call("Bash", "x", command="ls\npwd"), result("one\ntwo", "x"), answer("done"))
    page = opened()
    background = "getComputedStyle(document.body).backgroundColor"
    page.dark(dark=False)
    light = page.evaluate(background)
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate(background) != light
    page.evaluate("document.getElementById('theme').click()")
    page.dark(dark=True)
    assert page.evaluate(background) == light
    page.evaluate("document.getElementById('fold').click()")
    assert page.evaluate("document.querySelectorAll('.turn details:not([open])').length") == 0
    page.evaluate("document.getElementById('tools').click()")
    assert (
        page.evaluate("[...document.querySelectorAll('.tool_call,.tool_result')].some(each => each.offsetParent)")
        is False
    )
    assert page.complaints() == []


def test_the_page_follows_the_system(told, opened):
    """Without a choice of the reader's, dark is dark and light is light."""
    told.capture(day(1))
    page = opened()
    page.evaluate("localStorage.clear(); delete document.documentElement.dataset.theme")
    backgrounds = []
    for dark in (True, False):
        page.dark(dark=dark)
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(set(backgrounds)) == 2


def test_anchors_lead_to_messages(told, opened):
    """The link of a prompt in the list brings its message into view, also where it was not laid out yet."""
    told.capture(day(200))
    page = opened()
    page.evaluate("document.querySelector('nav a[href=\"#m360\"]').click()")
    page.settled()
    top = page.evaluate("document.getElementById('m360').getBoundingClientRect().top")
    assert 0 <= top < 400


def test_the_page_can_be_printed(told, opened):
    """On paper there is no bar and no list, and every turn is laid out."""
    told.capture(day(3))
    page = opened()
    page.send("Emulation.setEmulatedMedia", media="print")
    assert page.evaluate("getComputedStyle(document.getElementById('bar')).display") == "none"
    assert page.evaluate("getComputedStyle(document.querySelector('.turn')).contentVisibility") == "visible"
    page.send("Emulation.setEmulatedMedia", media="")
    assert len(page.send("Page.printToPDF")["data"]) > 1000


def test_a_narrow_screen_has_no_sideways_scrolling(told, opened):
    """On a phone, everything fits into the width but code, which scrolls by itself."""
    told.capture(
        prompt("x" * 300), answer("```\n" + "y" * 400 + "\n```\n\n| a | b |\n|---|---|\n| " + "z" * 200 + " | 1 |")
    )
    page = opened()
    page.send("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=False)
    page.settled()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.send("Emulation.clearDeviceMetricsOverride")


def everything(told):
    """Every kind of message, with what Markdown can say in it."""
    told.capture(
        prompt("Plan\n\n1. it\n2. well"),
        line("t", "assistant", {"role": "assistant", "content": [{"type": "thinking", "thinking": "so *be* it"}]}),
        answer("# A\n\n## B\n\n- **b** `c` [d](https://example.org)\n\n> q\n\n```python\n" + "x = 1; " * 60 + "\n```"),
        answer("| " + " | ".join("abcdefghij") + " |\n|" + "---|" * 10 + "\n| " + " | ".join(["word" * 4] * 10) + " |"),
        call("Edit", "e", file_path="x.py", old_string="one", new_string="two"),
        result("done", "e"),
        call("mcp__harbour__look_up_the_tide_tables", "m", place="here"),
        result("\n".join("line " * 40 for _ in range(90)), "m"),
        image("picture", PNG),
        compacted("What was said"),
    )


@pytest.mark.skipif(axe.script() is None, reason="no axe-core (EXPORT_DEDUP_AXE names axe.min.js)")
def test_axe_finds_nothing_far_down_either(told, opened):
    """What was not near yet is as it must be, too, and what attacks the page adds no fault."""
    for number, attack in enumerate(ATTACKS):
        told.capture(
            prompt(attack, f"p{number}"), answer(attack, f"a{number}"), result("x" * 500 + f"\n{attack}", f"c{number}")
        )
    page = opened()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert [each for each in axe.faults(page) if each.startswith(("serious", "critical"))] == []


@pytest.mark.skipif(axe.script() is None, reason="no axe-core (EXPORT_DEDUP_AXE names axe.min.js)")
def test_axe_finds_nothing(told, opened):
    """In light and dark, on a wide screen and a phone's, folded and open: nothing but the order of an author's own headings."""
    everything(told)
    assert {
        each for each in axe.everywhere(opened(pictures=True)) if not each.startswith("moderate: heading-order:")
    } == set()


def pressed(page, count):
    """What has the focus after each press of the tabulator key."""
    for _ in range(count):
        page.key("Tab")
        yield page.evaluate(
            "(at => at.getAttribute('aria-label') || at.id || at.textContent.trim().slice(0, 20))(document.activeElement)"
        )


def test_everything_can_be_reached_by_keyboard(told, opened):
    """The tabulator key comes by link, button, fold and every box that can be scrolled; each is seen when it has the focus."""
    everything(told)
    page = opened(pictures=True)
    page.settled()
    reached = list(pressed(page, 60))
    for number in (0, 1, 2, 3, 4, 5, 6, 7, 8):
        assert f"Link to message {number}" in reached
        assert f"Copy message {number}" in reached
    assert {"Tools", "fold", "Search", "theme", "Thinking"} & set(reached) >= {"fold", "Search"}
    assert "Code" in reached
    assert "Table" in reached
    assert not any(words.startswith("-one") for words in reached)  # a box that cannot be scrolled is no stop
    page.evaluate("document.querySelector('#m2 > .copy').focus()")
    assert page.evaluate("getComputedStyle(document.querySelector('#m2 > .copy')).opacity") == "1"


def test_a_message_is_copied_as_it_reads(told, opened):
    """By keyboard alone; what is folded, too; and said, so that nobody has to see it. No policy is broken by it."""
    told.capture(prompt("go"), answer("**One** and `two`\n\n- three"), call("Bash", "x", command="ls -l\npwd"))
    page = opened()
    page.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    for number, words in ((1, "One and two"), (2, "ls -l\npwd")):
        page.evaluate(f"document.querySelector('#m{number} > .copy').focus()")
        page.key("Enter", "\r")
        page.settled()
        assert words in page.evaluate("navigator.clipboard.readText()")
        assert page.evaluate("document.getElementById('told').textContent") == "Copied"
    assert "three" not in page.evaluate("navigator.clipboard.readText()")
    assert page.evaluate("document.querySelector('#m2 details').open") is False
    page.evaluate(
        "window.heard = ''; document.addEventListener('copy', () => { heard = document.activeElement.value; });"
        "navigator.clipboard.writeText = () => Promise.reject(); document.querySelector('#m0 > .copy').click()"
    )
    page.settled()
    assert page.evaluate("heard") == "go"
    assert page.complaints() == []


def test_names_of_tools_do_not_break(told, opened):
    """On a phone, too: a name is one line; where it is longer than the screen its end is left out, until it is pointed at."""
    told.capture(
        prompt("go"), call("TodoWrite", "t", todos=[]), call("mcp__harbour__" + "look_up_" * 9, "m", place="here" * 40)
    )
    page = opened()
    page.send("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=False)
    page.settled()
    lines = page.evaluate(
        "[...document.querySelectorAll('.tool_call b')].map(each => each.getClientRects().length + ' ' + each.offsetHeight)"
    )
    assert len(set(lines)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.send("Emulation.clearDeviceMetricsOverride")


def test_an_image_is_drawn(told, opened):
    """The policy lets the page's own images be shown, and no other."""
    told.capture(image("picture", PNG))
    page = opened(pictures=True)
    page.settled()
    assert page.evaluate("document.querySelector('img').complete && document.querySelector('img').naturalWidth") == 1
    assert page.complaints() == []
