from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from deduplication.sessions.layout import escaped_inline, layout_markdown
from deduplication.sessions.prose import is_harmless, safe_markdown

SENTINEL = "SENTINEL heading"
PIECES = [
    "```",
    "````",
    "~~~",
    "```py",
    "- ```",
    "1. ```",
    "7) ~~~",
    "    ```",
    "> ```",
    "> > ~~~",
    "`",
    "``",
    "\\`",
    "<script>",
    "</details>",
    "<details>",
    "<!--",
    "<![CDATA[",
    "<?php",
    "<a href='javascript:x'>",
    "<https://example.org>",
    "[x](javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](java&#115;cript:alert(1))",
    "[x]( javascript\\:alert(1))",
    "![i](https://example.org/i.png)",
    "[a]: javascript:alert(1)",
    "[a]",
    "![a]",
    "# heading",
    "## heading",
    "text",
    "===",
    "---",
    "- item",
    "  more",
    "| a | b |",
    "|---|---|",
    "> quote",
    "*emphasis*",
    "\\",
    "&lt;b&gt;",
    "\t",
    "",
    "",
]
"""What opens something, closes it, or looks like it."""
nasty = st.lists(
    st.tuples(st.sampled_from(["", "", " ", "  ", "    ", "> ", "- ", "* `", "x "]), st.sampled_from(PIECES)),
    max_size=9,
).map(lambda lines: "\n".join("".join(line) for line in lines))


def judged(markdown):
    """The tokens that a renderer which believes everything finds, inline ones included."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.validateLink = lambda _: True
    found = []
    for token in parser.parse(f"{markdown}\n\n## {SENTINEL}\n"):
        found += [token, *(token.children or [])]
    return found


def holds(markdown):
    """Nothing of the text does anything, and what comes after it stands on its own."""
    tokens = judged(markdown)
    assert not [token.content for token in tokens if token.type in ("html_block", "html_inline", "image")]
    targets = [token.attrGet("href") or "" for token in tokens if token.type == "link_open"]
    assert all(is_harmless(target) for target in targets), targets
    last = [token for token in tokens if token.type in ("heading_open", "inline", "heading_close") and token.level <= 1]
    assert [token.type for token in last[-3:]] == ["heading_open", "inline", "heading_close"]
    assert (last[-3].level, last[-3].tag, last[-2].content) == (0, "h2", SENTINEL)
    assert not [
        token.tag for token in tokens if token.type == "heading_open" and token.level == 0 and token.tag == "h1"
    ]


@pytest.mark.unmeasured
@settings(max_examples=600)
@given(nasty)
def test_whatever_a_message_says_ends_with_it(text):
    """No text opens HTML, loads an image, leads elsewhere, or swallows the heading that follows it."""
    holds(safe_markdown(text))


@pytest.mark.unmeasured
@settings(max_examples=300)
@given(nasty)
def test_whatever_a_screen_showed_ends_with_it(text):
    """The same for text that was laid out for a screen."""
    holds(layout_markdown(text))


@settings(max_examples=300)
@given(st.text(st.sampled_from("`~*_[]()<>#|\\ ab-+.1!&;:/'\"="), max_size=30))
def test_a_line_of_plain_text_says_just_that(text):
    """Escaped, a line is one paragraph of nothing but this text."""
    words = " ".join(text.split())
    if not words:
        return
    tokens = judged(f"x {escaped_inline(text)}")
    inline = next(token for token in tokens if token.type == "inline")
    assert {child.type for child in inline.children} <= {"text", "text_special"}
    assert "".join(child.content for child in inline.children) == f"x {words}"


CODE = 'def f(x):\n    return "<b>" + x  # `tick` [x](javascript:1)\n\n\n# not a heading\n---'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"Before\n```python\n{CODE}\n```\nafter", id="at the margin"),
        pytest.param(f"````python\n{CODE}\n````", id="a longer fence"),
        pytest.param(f"~~~python\n{CODE}\n~~~", id="tildes"),
        pytest.param(f"```python\n{CODE}", id="never closed"),
        pytest.param(
            "- item\n\n  ```python\n" + "\n".join(f"  {line}" for line in CODE.split("\n")) + "\n  ```", id="list"
        ),
        pytest.param(
            "> ```python\n" + "\n".join(f"> {line}".rstrip() for line in CODE.split("\n")) + "\n> ```", id="quote"
        ),
    ],
)
def test_code_is_untouched(text):
    """A fenced block comes through character for character, with its language, wherever it stands."""
    fences = [token for token in judged(safe_markdown(text)) if token.type == "fence"]
    assert [(token.info, token.content.rstrip("\n")) for token in fences] == [("python", CODE)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# One\n## Two\n###### Six\n#no heading", "### One\n#### Two\n###### Six\n#no heading"),
        ("Title\n=====\n\nmore\n---", "Title\n\\=====\n\nmore\n\n---"),
        ("`<b>` and <b>, a < b, <https://example.org>", "`<b>` and &lt;b>, a < b, <https://example.org>"),
        ("an odd ` tick", "an odd \\` tick"),
        ("![chart](https://example.org/x.png)", "🖼 [chart](https://example.org/x.png)"),
        ("[docs](../readme.md) [run](data:text/html,x)", "[docs](../readme.md) [run]\\(data:text/html,x)"),
        ("> quoted <i>\nafter", "> quoted &lt;i>\n\nafter"),
        ("`[x](javascript:1)`", "`[x](javascript:1)`"),
    ],
)
def test_what_is_changed_and_what_is_not(text, expected):
    """Headings move down below ours; HTML, images and other schemes become text; code spans stay."""
    assert safe_markdown(text) == expected


@pytest.mark.parametrize(
    ("target", "harmless"),
    [
        ("https://example.org/a?b=c:d", True),
        ("mailto:ada@example.org", True),
        ("#section", True),
        ("docs/readme.md", True),
        ("HTTPS://EXAMPLE.ORG", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("java\tscript:alert(1)", False),
        ("&#x6a;avascript:alert(1)", False),
        ("javascript\\:alert(1)", False),
        ("vbscript:x", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("C:\\Windows", False),
    ],
)
def test_schemes(target, harmless):
    """The web and mailboxes are harmless, and what has no scheme; everything else is not, however it is spelled."""
    assert is_harmless(target) is harmless


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "Here is a plan for the tide clock that reads a table of one\nharbour.\n\n1. Read the table\n2. Print",
            "Here is a plan for the tide clock that reads a table of one\nharbour.\n\n1. Read the table\n2. Print",
            id="wrapped lines are one paragraph, lists stay lists",
        ),
        pytest.param("one\ntwo", "one  \ntwo", id="short lines were ended by hand"),
        pytest.param(
            "call __init__ and a*b in snake_case",
            "call \\_\\_init\\_\\_ and a\\*b in snake_case",
            id="signs are letters",
        ),
        pytest.param("┌──┐\n│ab│\n└──┘", "```text\n┌──┐\n│ab│\n└──┘\n```", id="a drawn table"),
        pytest.param("Code:\n\n    if x:\n        y()", "Code:\n\n```\nif x:\n    y()\n```", id="indented code"),
        pytest.param("- item\n\n  goes on", "- item\n\n  goes on", id="an item that goes on"),
        pytest.param("# not one\n> nor this\n• point", "\\# not one  \n\\> nor this\n- point", id="beginnings"),
    ],
)
def test_layout(text, expected):
    """What a screen showed reads like it did there."""
    assert layout_markdown(text) == expected
