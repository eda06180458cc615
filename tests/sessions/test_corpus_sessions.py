"""Real exports and transcripts as people read them: nothing of them breaks out of its document."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from deduplication.errors import DedupError
from deduplication.sessions import full_document
from deduplication.sessions.content import LAID_OUT, MARKDOWN, blocks_of
from deduplication.sessions.html.blocks import render
from deduplication.sessions.layout import layout_markdown
from deduplication.sessions.redaction import Cleaner, unchanged
from page_elements import is_safe
from page_words import letters, shown, without_zeros

pytestmark = pytest.mark.slow


def filled(told, corpus):
    """The conversations of the corpus, stored."""
    for path in sorted(corpus.glob("**/*.jsonl")):
        try:
            told.capture(path.read_bytes(), name=f"{path.parent.name}-{path.name}")
        except DedupError:
            continue  # other kinds of logs lie there, too
    for path in sorted([*corpus.glob("real-2026/*.txt"), *sorted(corpus.glob("real-2025/*.txt"))[::4]]):
        try:
            told.add(path.read_bytes(), path.name)
        except DedupError:
            continue
    return told.dedup.conversations()


@pytest.mark.unmeasured
def test_no_letter_of_what_was_said_is_lost(told, corpus):
    """Whatever prose of real exports and transcripts says, its letters and digits are on the page, in their order."""
    seen = 0
    for session in filled(told, corpus):
        with told.store.transaction(write=False):
            messages = told.store.bodies(session, range(told.store.figures(session).occurrences))
            said = [block for message in messages for block in blocks_of(message, Cleaner(unchanged)).blocks]
        for form, text in {(block.form, block.text) for block in said if block.form in (MARKDOWN, LAID_OUT)}:
            plain = without_zeros(text.expandtabs(4))
            done = render(plain) if form == MARKDOWN else render(layout_markdown(plain), drawn=True)
            assert shown(done) == letters(plain)
            seen += 1
    assert seen > 1_000


@pytest.mark.unmeasured
def test_real_conversations_are_only_text_in_every_form(told, corpus):
    """Every page has no element but ours; every Markdown opens no HTML but ours, and its prompts are its headings."""
    sessions = filled(told, corpus)
    assert len(sessions) > 20
    ours = r"<!-- generator: export-dedup -->|"
    ours += r'<sub>|</sub>|<br>|<a id="m\d+"></a>|<a id="m\d+">|</a>|</details>|<details>\n<summary>[^\n]*</summary>'
    for session in sessions:
        with told.store.transaction(write=False):
            page = "".join(full_document.pieces(told.store, session, full_document.HTML, unchanged))
            text = "".join(full_document.pieces(told.store, session, full_document.MARKDOWN, unchanged))
        links = [link for link in re.findall(r'href="([^"]*)"', page) if not link.startswith(("#", "http", "mailto:"))]
        assert all(link.endswith(".html") for link in links)
        is_safe(re.sub(r'<a href="[^"#:]*\.html">', '<a href="#x">', page))
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
        found = [each for token in tokens for each in [token, *(token.children or [])]]
        html = [token.content.strip() for token in found if token.type in ("html_block", "html_inline")]
        assert [each for each in html if not re.fullmatch(ours, each)] == [], session
        headings = [token.tag for token in tokens if token.type == "heading_open" and token.level == 0]
        assert headings.count("h1") == 1
        assert headings.count("h2") == len(re.findall(r"^## 👤 ", text, re.MULTILINE)), session
