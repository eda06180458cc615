"""The quick look at a line of the log overlooks none that has the terms, and leaves out most others."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.plain_text import readable
from deduplication.search.quick_look import looks, may_hold, may_hold_rows, rows
from deduplication.storage.log.lines import encode_line
from deduplication.words.letters import is_alone
from deduplication.words.prepared import prepared
from deduplication.words.terms import has, terms


def passes(line, *query):
    """Whether a line is decoded."""
    return may_hold(looks(terms(query)), line.lower())


@pytest.mark.unmeasured
def test_every_character_that_becomes_another_one_is_known():
    """A line is decoded where one of its characters may be an ASCII letter, a word by itself, or nothing, in the words."""
    look = looks(terms(["zzzzz"]))
    for code in (*range(128, 0xD800), *range(0xE000, 0x33480), *range(0xE0000, 0xE0200)):
        character = chr(code)
        words = prepared(f"a{character}").strip()
        becomes = {letter for letter in words[1:] if letter != character and (letter.isascii() or is_alone(letter))}
        if prepared(f"a{character}b") == " ab " or becomes - set(" +"):
            assert may_hold(look, character.encode()), hex(code)


pieces = st.sampled_from(
    (
        *("a", "b", "K", "st", "der", "Tide", "0", "é", "e\u0301", "ß", "ſ", "\u212a", "潮", "汐", "か\u3099", "ｶﾞ"),
        *("\u1112", "\u1161", " ", ".", "\n", "\n  ", "\n\t\u00a0", "x" * 20, "\u00ad", "\ufe01", "│", '"', "\\"),
    )
)
words = st.lists(pieces, min_size=1, max_size=12).map("".join)


@given(words, words, words, st.sampled_from(['"{}"', '"{}*"', "{}"]), st.booleans())
def test_the_quick_look_overlooks_nothing(before, sought, after, form, capitals):
    """Where a text has the terms, its line of the log passes."""
    text = before + (sought.upper() if capitals else sought) + after
    wanted = terms([form.format(sought.replace('"', " "))])
    if wanted and has(text, wanted):
        assert may_hold(looks(wanted), encode_line({"content": text}).lower())


@given(words, words, words, words)
def test_the_look_for_phrases_overlooks_nothing(before, first, second, after):
    """Where a text has them, one text or two blocks of which it is made, what the log has of it passes."""
    wanted = terms([f'"{first} {second}"'.replace('"', " ")])
    for content in (
        f"{before}{first}{second}{after}",
        f"{before}{first} \n{second}{after}",
        [{"type": "text", "text": before + first}, {"type": "text", "text": second + after}],
    ):
        if wanted and has(readable(content), wanted):
            assert may_hold_rows(rows(wanted), json.dumps(content, ensure_ascii=False).encode().lower())


@pytest.mark.parametrize(
    "text", ["tide\ntable", 'the "tide"\t table', "tide\\ table", "tide \u001b[0mtable", 'Tide_Table {"a": 1}']
)
def test_phrases_are_told_from_words_apart(text):
    """Whatever is between the words, but other words."""
    row = rows(terms(["tide table"]))
    assert may_hold_rows(row, json.dumps(text).encode().lower()) == ("[0m" not in text)
    assert not may_hold_rows(row, json.dumps(text.lower().replace("tide", "tide of the")).encode())
    assert may_hold_rows(row, json.dumps({"a": "tide", "b": "table"}).encode())


def test_a_line_with_escaped_surrogates_is_always_looked_at():
    """Such a line has everything escaped that is not ASCII, so that nothing can be told from its bytes."""
    line = encode_line({"content": "stra\u00dfe \udc80"})
    assert line.isascii()
    assert passes(line, "strasse")


LEFT_OUT = {
    "another word": (["harbour"], "the crane"),
    "one of the words is missing": (["harbour", "crane"], "the harbour and a cräne"),
    "halves of it in other words": (["harbourmaster"], "harbour tramaster harbmaster"),
    "halves of it in other lines": (["master"], "ter\nmas"),
    "a script without blanks": (["潮汐"], "the tide 潮"),
    "another letter of ours": (["harbour"], "─ → … “tide” – é 潮、"),
}


@pytest.mark.parametrize(("query", "text"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_most_lines_are_not_decoded(query, text):
    """A line without the words fails the quick look: that is what makes it quick."""
    assert not passes(encode_line({"content": text}), *query)
