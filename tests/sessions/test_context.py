"""What a machine wrote and what no rule explains, on every page of a session and in the search: as what it is."""

from __future__ import annotations

import json

import pytest

from deduplication.sessions.full_document import HTML, JSON, MARKDOWN, pieces
from deduplication.sessions.redaction import unchanged
from deduplication.sessions.screen_document import text_parts
from transcript_lines import SESSION, answer, prompt

SELECTED = "<ide_selection>The user selected the lines 3 to 9 of quay.py</ide_selection>"
SCREEN = " ▐▛███▛█   Claude Code v2.1.290\n\n\n❯ look".ljust(100) + "\n\n● It falls.\n\n◆ quay watch on\n"


def pages(told, session):
    """The session in each form."""
    with told.store.transaction(write=False):
        return {form: "".join(pieces(told.store, session, form, unchanged)) for form in (MARKDOWN, HTML, JSON)}


@pytest.mark.parametrize(
    ("kind", "words", "title"),
    [("context", "lines 3 to 9", "Context"), ("unknown", "quay watch on", "Explained by no rule")],
)
def test_it_is_shown_as_what_it_is(told, kind, words, title):
    """Folded under its own title, no prompt in the list, counted in the head; on the screen with its own heading."""
    if kind == "context":
        told.capture(prompt(SELECTED, "ide"), prompt("why?"), answer("It drifts."))
        session = SESSION
    else:
        told.add(SCREEN.encode(), "quay.txt", "quay")
        session = "quay"
    found = pages(told, session)
    assert f"{title}</" in found[MARKDOWN]
    assert f"<b>{title}</b>" in found[HTML]
    assert words in found[MARKDOWN]
    assert words in found[HTML]
    assert found[HTML].count("<b>User</b>") == 1
    assert f"1 {kind}" in found[MARKDOWN]
    messages = json.loads(found[JSON])["messages"]
    assert [(m["role"], m["kind"]) for m in messages if words in m["content"]] == [("system", kind)]
    with told.store.transaction(write=False):
        order = told.store.conversation(session).reading().order
        stored = list(told.store.bodies(session, order))
    assert any(f" {kind.capitalize()} · " in part and words in part for part in text_parts(stored, {}))
