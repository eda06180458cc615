"""Titles as parts of names of files: laws that hold for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.titles.slug import LONGEST, short, slug


@given(st.text())
def test_only_letters_digits_and_single_hyphens(text):
    """Nothing that a file system, a shell or a terminal takes for more than a letter, and no more bytes than there is room for."""
    found = slug(text)
    assert len(found.encode()) <= LONGEST
    assert all(each == "-" or unicodedata.category(each)[0] in "LNM" for each in found)
    assert not found.startswith("-")
    assert not found.endswith("-")
    assert "--" not in found
    assert found == "" or unicodedata.category(found[0])[0] in "LN"


@given(st.text())
def test_a_slug_is_its_own_slug(text):
    """So a word that was kept is found as it was kept."""
    assert slug(slug(text)) == slug(text)


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x17F), min_size=1, max_size=20))
def test_what_has_a_letter_has_a_slug(text):
    """And the same in capitals has the same one, of scripts in which both are as long."""
    assert slug(text)
    assert slug(text.lower()) == slug(text)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Fix the tide-clock, please!", "fix-the-tide-clock-please"),
        ("../../etc/passwd", "etc-passwd"),
        ("don't", "dont"),
        ("日本語の プロンプト", "日本語の-プロンプト"),
        ("हिन्दी में", "हिन्दी-में"),
        ("\x1b]0;evil\x07 \u202etxt.exe", "0-evil-txt-exe"),
        ("...", ""),
        ("word " * 30, "word-word-word-word-word-word-word-word-word-word-word-word"),
        ("w" * 100, "w" * LONGEST),
    ],
)
def test_examples(title, expected):
    """What becomes of titles."""
    assert slug(title) == expected


def test_short_ids():
    """A UUID is known by its beginning; ids that begin alike by digits of their own."""
    assert short("9ce93e42-1111-4222-8333-444455556666") == "9ce93e42"
    assert short("rollout-a") != short("rollout-b")
    assert len(short("rollout-a")) == len(short("9ce93e42-1111-4222-8333-444455556666-agent-1")) == 8
