"""A title as people read it: one line that may stand anywhere."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.redaction.redact import policy, redact
from deduplication.titles.title import LONGEST, title_of

HOSTILE = st.text() | st.text(alphabet="\x1b[]()m;07a<b>/*`#- \u202e\n\t\r\x9b")


def unredacted(text):
    """The text as it is."""
    return text


@given(HOSTILE)
def test_one_line_that_no_terminal_obeys(text):
    """No control, no character that reorders or hides others, no more characters than there is room for."""
    found = title_of(text, unredacted)
    assert len(found) <= LONGEST
    assert all(unicodedata.category(each)[0] != "C" for each in found)
    assert found == found.strip()
    assert found == "" or any(each.isalnum() for each in found)


@given(HOSTILE)
def test_it_begins_with_what_was_said(text):
    """Letters and digits of a title stand in the text, in the same order."""
    rest = iter(text)
    assert all(each in rest for each in title_of(text, unredacted) if each.isalnum())


@given(st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=12), min_size=1, max_size=40))
def test_it_is_cut_between_words(words):
    """What is left out is whole words, and an ellipsis says so."""
    text = " ".join(words)
    found = title_of(text, unredacted)
    assert found == text or (found.endswith("…") and (text[len(found) - 1] == " " or text.startswith(found[:-1])))
    if found != text:
        assert text.startswith(found.removesuffix("…"))
        assert text[len(found) - 1] == " "


@given(st.integers(0, 40))
def test_a_secret_is_gone_before_anything_is_cut(before):
    """Wherever it stands: what is shortened is what was redacted."""
    secret = "AKIA" + "IOSFODNN7EXAMPL3"
    rules = policy({})
    found = title_of(f"{'word ' * before}{secret} is the key", lambda text: redact(text, rules)[0])
    assert "AKIA" not in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Fix the **tide-clock**, please", "Fix the tide-clock, please"),
        ("<command-name>/x</command-name>\nlook at `a.py`", "/x look at a.py"),
        ("\x1b[31mred\x1b[0m alert", "red alert"),
        ("> - * hello", "hello"),
        ("…!?", ""),
        ("", ""),
    ],
)
def test_examples(text, expected):
    """What becomes of prompts."""
    assert title_of(text, unredacted) == expected
