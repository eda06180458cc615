"""Which characters make words: the same on every Python, composed or not."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest

from deduplication.words.letters import LETTERS, composed, folded, is_alone, is_word
from deduplication.words.prepared import prepared

EVERY = [chr(code) for code in (*range(0x33480), *range(0xE0000, 0xE0200))]
"""Where Unicode has assigned something, or may soon."""
SAME_EVERYWHERE = "7527d896fd202f8225fd5ccfff4149dd0ef656f9f72af59cba472053bd637f73"


def test_every_python_makes_the_same_words():
    """Whatever version of Unicode it has: what one Python stored is what another one looks for."""
    found = hashlib.sha256()
    for character in EVERY:
        found.update(prepared(f"a{character}b C{character}").encode())
    assert found.hexdigest() == SAME_EVERYWHERE


KINDS = {
    "letters and digits": ("aZé7ßщא漢かカ한ไ", True),
    "marks": ("\u0301\u0903", True),
    "letters that came after Unicode 13": ("\U00016a70\U00031350\u0870", False),
    "signs, blanks, control characters": (" _-+*→─🔐\t\n\0\u200b\u2028\u20e3", False),
    "halves of characters and private ones": ("\ud83d\udc80\ue000\U0010ffff", False),
}


@pytest.mark.parametrize(("characters", "word"), KINDS.values(), ids=KINDS)
def test_what_is_a_letter(characters, word):
    """Letters, digits and marks of every script make words, and nothing else does."""
    assert [is_word(character) for character in characters] == [word] * len(characters)


ALONE = {
    "Han": "漢々",
    "kana": "かカー",
    "Hangul": "한\u1112",
    "Thai": "ไ\u0e31",
    "Lao": "ກ",
    "Khmer": "ខ",
    "Myanmar": "က",
}


@pytest.mark.parametrize("characters", ALONE.values(), ids=ALONE)
def test_scripts_without_blanks(characters):
    """Each character is a word by itself; letters of other scripts are none, nor is punctuation of these."""
    assert all(map(is_alone, characters))
    assert not any(map(is_alone, "aéщא、。「"))


def test_one_form():
    """Composed or not, of full width or bold, in whichever case, with what is invisible in it: a letter is the same letter."""
    for forms in (
        ("é", "e\u0301", "É", "E\u0301"),
        ("ǰ", "j\u030c", "J\u030c"),
        ("abc", "ＡＢＣ", "𝐀𝐁𝐂", "a\u00adb\u200dc"),
        ("ss", "ß", "ẞ", "ſs"),
        ("が", "か\u3099", "か\uff9e"),
        ("ガ", "ｶﾞ"),
        ("한", "\u1112\u1161\u11ab"),
    ):
        assert len({prepared(form) for form in forms}) == 1, forms


MARKS_OF_KANA = "\u3099\u309a"
"""They are passed over where there is no kana before them."""


def test_folding_again_changes_nothing():
    """The form of a character is its own form."""
    for character in EVERY:
        once = folded(composed(character))
        assert folded(composed(once)) == once, hex(ord(character))
        assert (LETTERS[ord(character)] is None) == (once == "") or character in MARKS_OF_KANA
        assert prepared(unicodedata.normalize("NFD", character)) == prepared(character)
