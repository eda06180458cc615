"""Real exports and transcripts as people read them: nothing of them breaks out of its document."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from deduplication.errors import DedupError
from deduplication.sessions import full_document
from deduplication.sessions.redaction import unchanged
from page_elements import is_safe

pytestmark = pytest.mark.slow


@pytest.mark.unmeasured
def test_real_conversations_are_only_text_in_every_form(told, corpus):
    """Every page has no element but ours; every Markdown opens no HTML but ours, and its prompts are its headings."""
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
    sessions = told.dedup.conversations()
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
