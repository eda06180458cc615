"""The Markdown of a message on its page: as CommonMark has it, and nothing that was written gets lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonmark import answers, oracle, structure
from deduplication.sessions.html.blocks import render
from deduplication.sessions.layout import layout_markdown
from hostile import ATTACKS
from page_elements import Seen
from page_words import letters, shown, without_zeros

PIECES = [
    *("# One", "### two ##", "Title\n===", "under\n---", "---", "> quote", "> > deep", ">lazy\nline"),
    *("- item", "* star", "+ plus"),
    *("1. one", "7) seven", "3. three", "  more", "    code", "\tcode", "```", "```py file=x.py", "~~~", "````", "`", "``"),
    *("`code`",),
    *("| a | b |", "|---|--:|", "|:-:|", "| 1 | 2 | 3 |", "a \\| b | c"),
    *("**bold**", "*em*", "__init__", "a_b_c"),
    *("*", "**", "_", "~~"),
    *("~~gone~~", "~", "[text](https://example.org/a_(b) 'title')", "[file](src/__init__.py)", "![pic](https://example.org/x.png)"),
    *("[![badge](https://a.example/b.svg)](https://a.example)", "https://example.org/x_y_z."),
    *("(https://example.org)", "<a@b.example>"),
    *("[https://a.example](https://b.example)", "<https://example.org>", "[a]: https://example.org", "[a]", "[", "]", "](", "!["),
    *("&lt;", "&amp;nbsp;", "<b>x</b>", "\\", "\\*", "\\\n", "two  \nlines", "é", "日本語。", "text", "", "", " "),
]  # fmt: skip
"""What means something in Markdown, or looks like it."""
written = st.builds(
    lambda pieces, between: between.join(pieces),
    st.lists(st.sampled_from([*PIECES, *ATTACKS]) | st.text(max_size=12), max_size=9),
    st.sampled_from(["\n", "\n\n", " ", "", "\n  ", "\n> ", "\n- "]),
)


@pytest.mark.unmeasured
@settings(max_examples=600, deadline=None)
@given(written)
def test_no_letter_is_lost_added_or_moved(text):
    """Whatever Markdown makes of a text, its letters and digits are on the page, in their order."""
    text = without_zeros(text)
    assert shown(render(text)) == letters(text)


@settings(max_examples=200, deadline=None)
@given(written)
def test_a_screens_text_keeps_its_letters(text):
    """The same for what a screen showed, whose Markdown we made ourselves."""
    text = without_zeros(text.replace("\\", "").expandtabs(4))
    assert shown(render(layout_markdown(text), drawn=True)) == letters(text)


@settings(max_examples=300, deadline=None)
@given(written)
def test_the_elements_are_ours_each_closed_in_its_place(text):
    """Any text has none but our elements; links lead into the web or to a mailbox, and no link stands in another."""
    for drawn in (False, True):
        done = render(text, drawn=drawn)
        seen = Seen(done)
        assert seen.open == []
        names = {name for _, name, _ in seen.attributes}
        assert names <= {"href", "rel", "target", "title", "class", "data-language", "start", "value", "tabindex"}
        targets = [value for _, name, value in seen.attributes if name == "href"]
        assert all(value.startswith(("https://", "http://", "mailto:")) for value in targets)
        assert not re.search("<a [^>]*>(?:(?!</a>).)*<a ", done, re.DOTALL)


@pytest.mark.parametrize(
    ("text", "html_"),
    [
        ("# One #\n\n###### Six", "<h3>One</h3>\n<h6>Six</h6>\n"),
        ("Title\n===", "<h3>Title</h3>\n"),
        (
            "**bold *and em*** __b__ _e_ ~~s~~",
            "<p><strong>bold <em>and em</em></strong> <strong>b</strong> <em>e</em> <s>s</s></p>\n",
        ),
        ("snake_case_name 2*3*4", "<p>snake_case_name 2<em>3</em>4</p>\n"),
        ("``a ` b``", "<p><code>a ` b</code></p>\n"),
        ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n"),
        ("3. a\n3. b", "<ol start=3>\n<li>a</li>\n<li value=3>b</li>\n</ol>\n"),
        ("- a\n  - b\n\n- c", "<ul>\n<li><p>a</p>\n<ul>\n<li>b</li>\n</ul></li>\n<li><p>c</p></li>\n</ul>\n"),
        ("> a\nb", "<blockquote>\n<p>a\nb</p>\n</blockquote>\n"),
        ("a  \nb\\\nc", "<p>a  <br>\nb<br>\nc</p>\n"),
        ("a | b\n-|-:\n1 | 2 | 3", None),
        ("&amp; &lt;b&gt;", "<p>&amp;amp; &amp;lt;b&amp;gt;</p>\n"),
        ("[a](../x.md) [b](javascript:x)", "<p>[a](../x.md) [b](javascript:x)</p>\n"),
    ],
)
def test_what_each_sign_becomes(text, html_):
    """One case of each."""
    if html_ is None:
        assert "<td>1</td><td class=right>2</td><td>3</td>" in render(text)
    else:
        assert render(text) == html_


SAMPLE = """# Plan

Intro with **bold**, *em*, `code` and a [link](https://example.org/a "t").
Second line.

1. First
   - nested `x`
   - nested two

     a paragraph in it
2. Second
   ```py
   print("x")
   ```
3. Third
lazy line

| a | b |
|:--|--:|
| `1` | 2 |

> quote
> - in it
still in it

---

    indented code

Last ~~gone~~ line\\
broken.
"""


def test_a_sample_is_read_as_commonmark_reads_it():
    """Structure and words are those that another reader finds."""
    assert structure(render(SAMPLE)) == structure(oracle().render(SAMPLE))


@pytest.mark.slow
def test_real_answers_are_read_as_commonmark_reads_them(corpus):
    """Of the assistant's texts in real transcripts, 99 of 100 have the same structure, and all of them all of their letters."""
    texts = answers(corpus)
    assert len(texts) > 300
    parser = oracle()
    other = [text for text in texts if structure(render(text)) != structure(parser.render(text))]
    assert len(other) <= len(texts) // 100
    plain = [without_zeros(text) for text in texts]
    assert [text for text in plain if shown(render(text)) != letters(text)] == []


HARD = [
    "*a _b ",
    "[a](",
    "](",
    "![",
    "`a``",
    "> ",
    "- ",
    "1. ",
    "**a**",
    "<a",
    "https://x",
    "| ",
    "|-",
    "~~a",
    "\\",
    "[[a](b)",
    "_*",
    '[a](x "',
]


@pytest.mark.parametrize("piece", HARD, ids=repr)
def test_what_is_hard_to_read_is_read(piece):
    """Ten thousand times what opens something and never closes it, in a line and in lines: all of it is there."""
    for text in (piece * 10_000, (piece + "\n") * 10_000):
        plain = without_zeros(text)
        assert shown(render(plain)) == letters(plain)
