"""Who wrote a text in a user's line: tags of machines before, behind and instead of a person's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.formats.machine_text import is_machine_text, split

names = st.from_regex(r"(ide[_-][a-z]{1,9})|teammate-message|system-reminder", fullmatch=True)
words = st.from_regex(r"[a-z]{1,9}( [a-z]{1,9}){0,5}", fullmatch=True)


@given(st.lists(st.tuples(names, words), max_size=3), words, st.lists(st.tuples(names, words), max_size=3))
def test_a_persons_words_are_kept_and_what_stands_around_them_is_apart(before, own, behind):
    """Nothing is lost, nothing changes sides."""
    first, last = ([f'<{name} at="x">{inner}</{name}>' for name, inner in each] for each in (before, behind))
    found = split("\n".join([*first, own, *last]))
    assert (list(found.before), found.own, list(found.behind)) == (first, own, last)


@given(st.from_regex(r"[a-z]{1,9}[-_][a-z]{1,9}", fullmatch=True).filter(lambda name: "pasted" not in name), words)
def test_a_block_that_is_one_tag_is_a_machines_whatever_its_name(name, inner):
    """Unless the line says that a person typed it: then only known names tell."""
    assert is_machine_text(f"<{name}>{inner}</{name}>")
    known = name.startswith(("ide-", "ide_"))
    assert is_machine_text(f"<{name}>{inner}</{name}>", typed=True) == known


@pytest.mark.parametrize(
    "text",
    [
        "<pasted_content id=1>\nx\n</pasted_content>",
        "<b>bold</b>",
        "<quay-view>x</quay-view> why is it empty?",
        "what does <system-reminder>x</system-reminder> mean?",
        "see <ide_selection>x</ide_selection>",
        "<ide_selection>never closed",
        "<system-reminder>" * 20_000,
        "[URGENT] look",
        "",
    ],
    ids=lambda text: text[:30],
)
def test_what_a_person_wrote_stays_theirs(text):
    """Pastes, markup, a tag inside a sentence, one that never ends."""
    found = split(text)
    assert (is_machine_text(text), found.before, found.own, found.behind) == (False, (), text, ())


@pytest.mark.parametrize(
    "text",
    [
        "[SYSTEM NOTIFICATION - NOT USER INPUT]\nThe sweep is done.",
        "Another Claude session sent a message:\nThe sweep is done.",
        '<channel source="quay">ahoy</channel>',
        "<ide_opened_file>a</ide_opened_file>\n<new-thing>b</new-thing>",
    ],
    ids=lambda text: text[:30],
)
def test_what_a_machine_wrote_is_its_own(text):
    """Sentences that say so, tags of one word that the client has, several tags."""
    assert is_machine_text(text)
