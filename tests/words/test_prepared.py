"""A text as a row of words: what is a border, a seam, a neighbour; the same as told by the rules."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import search_reference
from deduplication.words.letters import is_word
from deduplication.words.prepared import prepared, prepared_query

LINE = "x" * 30
ROWS = {
    "words": ("The  tide, clock!", " the tide clock "),
    "nothing": ("→ ─ 🔐 …", " "),
    "empty": ("", " "),
    "a path": ("src/mod_12/file-7.py", " src mod 12 file 7 py "),
    "an apostrophe": ("don't", " don t "),
    "capitals inside a name": ("tideClock HTTPServer sha256Sum", " tide ^ clock http ^ server sha256 ^ sum "),
    "no capital inside": ("HTTP planB iOS Tide", " http planb i ^ os tide "),
    "the end of a full line": (f"{LINE} dedup\n   lication", f" {LINE} dedup / lication "),
    "the end of a short line": ("dedup\nlication", " dedup lication "),
    "a line shorter than the next": (f"{LINE} dedup\n{LINE} lication {LINE}", f" {LINE} dedup {LINE} lication {LINE} "),
    "a line shorter than the one before": (f"{LINE} {LINE}.\n{LINE}\nrest", f" {LINE} {LINE} {LINE} rest "),
    "a full line that ends with a stop": (f"{LINE}.\nrest", f" {LINE} rest "),
    "a frame is no indentation": (f"{LINE}\n│ rest", f" {LINE} rest "),
    "no blanks in the script": ("潮汐", " 潮 + 汐 "),
    "beside other words": ("ab潮c 潮", " ab + 潮 + c 潮 "),
    "any line's end in such a script": ("潮\n  汐", " 潮 % 汐 "),
    "such a script beside another": ("潮\nab\n潮", " 潮 % ab % 潮 "),
    "a very long sentence": ("潮" * 200 + "\n汐", " " + "潮 + " * 199 + "潮 % 汐 "),
    "marks": ("Café cafe\u0301 हिन्दी", " café café हिन्दी "),
    "a key": ("aB3dE5Gh" * 20, " " + "ab3de5gh" * 20 + " "),
    "a key that a line's end cut": (f"{'k' * 79}\n{'k' * 40}", f" {'k' * 79} {'k' * 40} "),
    "a name of many parts": ("aaBbCcDdEeFfGgHhIi", " aabbccddeeffgghhii "),
    "signs of our own": ("a\x01b\x02c\x03d+e^f/g%h", " a b c d e f g h "),
    "blanks of other kinds": (f"{LINE}\n\u00a0\u2003\trest", f" {LINE} / rest "),
}


@pytest.mark.parametrize(("text", "row"), ROWS.values(), ids=ROWS)
def test_a_row(text, row):
    """Words stand between blanks, seams and neighbours are marked."""
    assert prepared(text) == row


def test_a_query_has_no_seams():
    """What is asked for is one word, whatever its capitals; a line's end is a border."""
    assert prepared_query(f"TideClock {LINE}\nab潮\n汐") == f" tideclock {LINE} ab + 潮 汐 "


pieces = st.sampled_from(
    (
        *(
            "a",
            "Z",
            "tide",
            "Clock",
            "HTTP",
            "7",
            "é",
            "e\u0301",
            "ß",
            "ﬁ",
            "Ⅳ",
            "潮",
            "汐",
            "か\u3099",
            "ｶﾞ",
            "한",
            "ไ",
        ),
        *(
            "\n",
            "\n",
            "\n  ",
            "\n\u00a0",
            "\t",
            " ",
            " ",
            ".",
            "_",
            "│",
            "→",
            "\u00ad",
            "\u200b",
            "\x00",
            "\x01",
            "\x02",
            "\x03",
        ),
        *("\U00016a70", "x" * 19, "y" * 20, "k" * 60, "\ud83d"),
    )
)
texts = st.lists(pieces, max_size=40).map("".join)


def told(words):
    """The row that the reference's words make."""
    return " " + "".join((word if before == " " else f"{before} {word}") + " " for before, word in words)


@given(texts)
@example("k" * 60 + "\n" + "k" * 60)
def test_the_row_is_what_the_rules_say(text):
    """Word for word, seam for seam, as the slow form finds them."""
    assert prepared(text) == told(search_reference.words_of(text))
    assert prepared_query(text) == told(search_reference.words_of(text, seams=False))


@given(st.text(max_size=60))
def test_only_letters_and_our_signs_are_in_a_row(text):
    """Whatever the text holds."""
    row = prepared(text)
    assert row.startswith(" ") and row.endswith(" ") and "  " not in row  # noqa: PT018
    assert all(
        is_word(character) and character > "\x03" for word in row.split() if word not in "+^/%" for character in word
    )
