"""Words and phrases: how they are read, what they match, and that the quick look at a log line never overlooks one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.search.terms import Text, fold, may_hold, terms
from deduplication.storage.log.lines import encode_line


def texts(*arguments):
    """The folded texts of a query's terms."""
    return [term.text for term in terms(arguments)]


READ = {
    "words": (["harbour", "Crane"], ["harbour", "crane"]),
    "an argument with a blank is a phrase": (["tide clock"], ["tide clock"]),
    "quotes inside one argument": (['the "tide  clock" ticks'], ["the", "tide clock", "ticks"]),
    "a quote that is not closed": (['"tide clock'], ["tide clock"]),
    "the same twice": (["a", "A"], ["a"]),
    "nothing": (["", "  ", '""'], []),
    "an apostrophe is a letter": (["don't"], ["don't"]),
    "composed": (["cafe\u0301"], ["café"]),
    "sharp s": (["Straße"], ["strasse"]),
}


@pytest.mark.parametrize(("arguments", "expected"), READ.values(), ids=READ)
def test_a_query_is_words_and_phrases(arguments, expected):
    """White space separates words unless an argument or quotes hold them together; all is folded."""
    assert texts(*arguments) == expected


MATCHES = {
    "case": ("HARBOUR", "the harbour", True),
    "inside a word": ("deploy", "redeployment", True),
    "every word": ("crane harbour", "only a harbour", False),
    "a phrase over a line break": ('"tide clock"', "the tide\n   clock", True),
    "a phrase needs white space": ('"tide clock"', "tideclock", False),
    "a phrase is in order": ('"tide clock"', "clock tide", False),
    "a long word that a line's end cut": ("harbourmaster/index.html", "harbourmas\n  ter/index.html", True),
    "a short word is not put together": ("tide", "ti\nde", False),
    "a script without blanks": ("潮汐时钟", "潮汐\n时钟", True),
    "decomposed": ("café", "cafe\u0301", True),
    "another letter": ("cafe", "café", False),
    "sharp s": ("STRASSE", "straße", True),
    "ligature": ("file", "\ufb01le", True),
    "Kelvin sign": ("300k", "300\u212a", True),
}


@pytest.mark.parametrize(("query", "text", "found"), MATCHES.values(), ids=MATCHES)
def test_what_matches(query, text, found):
    """Case, composition and layout do not matter; letters, order and the number of words do."""
    assert Text(text).has(terms([query])) is found


@pytest.mark.parametrize("character", [chr(n) for n in range(128, 0x20000) if any(c.isascii() for c in fold(chr(n)))])
def test_every_character_that_folds_to_ascii_is_known(character):
    """The quick look takes a line for a candidate where a character may become an ASCII letter."""
    wanted = terms(["zzzzz"])
    letters = "".join(c for c in fold(character) if c.isascii() and c.isalnum())
    if letters:
        assert may_hold(wanted, character.encode().lower())


words = st.text(st.sampled_from("abkst0 \nßſKéé潮"), min_size=1, max_size=30)


@given(words, words, words)
def test_the_quick_look_overlooks_nothing(before, sought, after):
    """Where a text has the terms, its line of the log passes the quick look."""
    wanted = terms([f'"{sought}"'])
    text = before + sought.upper() + after
    if wanted and Text(text).has(wanted):
        assert may_hold(wanted, encode_line({"content": text}).lower())


def test_a_line_with_escaped_surrogates_is_always_looked_at():
    """Such a line has everything escaped that is not ASCII, so that nothing can be told from its bytes."""
    line = encode_line({"content": "stra\u00dfe \udc80"})
    assert line.isascii()
    assert may_hold(terms(["strasse"]), line.lower())


def test_most_lines_are_not_decoded():
    """A line without the word fails the quick look: that is what makes it quick."""
    assert not may_hold(terms(["harbour"]), b'{"content":"the crane"}')
    assert not may_hold(terms(["harbour", "crane"]), '{"content":"the cr\u00e4ne"}'.encode())
    assert not may_hold(terms(["harbourmaster.example"]), b'{"content":"harbmaste"}')


# --- excerpts -----------------------------------------------------------------------------------------------------


def joined(excerpt):
    """An excerpt with its marks as brackets."""
    return "".join(f"[{piece}]" if found else piece for piece, found in excerpt)


def test_an_excerpt_marks_the_words_on_one_line():
    """White space is collapsed, each occurrence is marked, the text's own spelling stays."""
    (excerpt,) = Text("The Tide\n   clock, the tide").excerpts(terms(["tide"]))
    assert joined(excerpt) == "The [Tide] clock, the [tide]"


def test_an_excerpt_of_a_long_text_is_cut_between_words():
    """What was left out shows as an ellipsis; no word is cut in two."""
    text = "before " * 50 + "harbour " + "after " * 50
    (excerpt,) = Text(text).excerpts(terms(["harbour"]))
    shown = joined(excerpt)
    assert shown.startswith("…before before")
    assert shown.endswith("after…")
    assert len(shown) < 200


def test_words_far_apart_have_excerpts_of_their_own():
    """Each word can be seen, the first three of them at least."""
    text = (" filler" * 80).join(["alpha", "beta", "gamma", "delta"])
    shown = [joined(excerpt) for excerpt in Text(text).excerpts(terms(["alpha", "beta", "gamma", "delta"]))]
    assert [next(word for word in ("alpha", "beta", "gamma") if f"[{word}]" in each) for each in shown] == [
        "alpha",
        "beta",
        "gamma",
    ]


def test_marks_stand_where_the_words_are_when_folding_changes_lengths():
    """After a sharp s and a ligature every position is still the right one."""
    (excerpt,) = Text("Großer \ufb03 Fuß: Maß").excerpts(terms(["mass"]))
    assert joined(excerpt) == "Großer \ufb03 Fuß: [Maß]"


@given(st.text(max_size=80), st.text(min_size=1, max_size=6))
def test_what_is_marked_is_what_was_sought(text, sought):
    """Every marked piece, folded, is the term again; the pieces together are the text on one line."""
    wanted = terms([sought.replace('"', "")])
    prepared = Text(text)
    if len(wanted) != 1 or not prepared.has(wanted):
        return
    (excerpt,) = prepared.excerpts(wanted)
    for piece, found in excerpt:
        if found:
            assert wanted[0].text in fold(piece) or wanted[0].text == " ".join(fold(piece).split())
    whole = "".join(piece for piece, _ in excerpt)
    assert whole.strip("…").split() == unicodedata.normalize("NFC", text).split() or "…" in whole
