"""Which characters make words, and which of them are words by themselves: the same on every version of Python.

Python's own tables grow with it. What Unicode assigned after version 13, which Python 3.9 has, is no letter here: a word that one
Python put into a database is the word that another one looks for.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Optional

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

BESIDE: Final = "\x02"
"""Stands before and after a character that is a word by itself."""
CUT: Final = "\x01"
CAPITAL: Final = "\x03"
"""Signs of seams, which are kept."""

_ALONE: Final = (
    *(0x0E00, 0x0F00),  # Thai, Lao
    *(0x1000, 0x10A0),  # Myanmar
    *(0x1100, 0x1200),  # Hangul
    *(0x1780, 0x1800),  # Khmer
    *(0x3000, 0x3200),  # Hiragana, Katakana, Bopomofo
    *(0x3400, 0xA4D0),  # Han, Yi
    *(0xA960, 0xA980),  # Hangul
    *(0xA9E0, 0xAA00),  # Myanmar
    *(0xAA60, 0xAA80),
    *(0xAC00, 0xD800),  # Hangul
    *(0xF900, 0xFB00),  # Han
    *(0x1B000, 0x1B170),  # Hiragana, Katakana
    *(0x20000, 0x40000),  # Han
)
"""Where scripts begin and end that are written without blanks between words, and Hangul, whose words have endings."""
ONE_ALONE: Final = "[" + "".join(f"{chr(first)}-{chr(end - 1)}" for first, end in zip(_ALONE[::2], _ALONE[1::2])) + "]"
ANY_ALONE: Final = late_pattern(ONE_ALONE)
"""In words these are the characters that are words by themselves."""

_IGNORED: Final = (
    *(0x034F, 0x0350),
    *(0x115F, 0x1161),
    *(0x17B4, 0x17B6),
    *(0x180B, 0x180E),
    *(0x302A, 0x3030),
    *(0x3099, 0x309B),
    *(0x3164, 0x3165),
    *(0xFE00, 0xFE0E),
    *(0xFFA0, 0xFFA1),
    *(0xE0100, 0xE01F0),
)
"""Beside what Unicode calls format characters: fillers, choices between forms of a letter, and marks of kana that have no kana."""

_LATER: Final = (
    "558 58b-58c 5c8-5c9 870-887 889-891 897-89f 8b5 8c8-8d2 b53-b54 c3c c5c-c5d cdc-cdd cf3 ece 170d 1715 171f 180f 1ac1-1af0 "
    "1b4c 1c89-1c8a 1dfa 208f 209d-209f 2c2f 2c5f 9ffd-9fff a7c0-a7c1 a7cb-a7dd a7e2 a7f1-a7f4 ab6c-ab6d 10570-1057a 1057c-1058a "
    "1058c-10592 10594-10595 10597-105a1 105a3-105b1 105b3-105b9 105bb-105bc 105c0-105f3 10780-10785 10787-107b0 107b2-107bf "
    "10940-10959 10d40-10d65 10d69-10d6d 10d6f-10d85 10ec2-10ec7 10ecb-10ecf 10ed9-10eee 10ef0-10eff 10f70-10f85 11070-11075 "
    "110c2 1123f-11241 11380-11389 1138b 1138e 11390-113b5 113b7-113c0 113c2 113c5 113c7-113ca 113cc-113d3 113e1-113e2 "
    "116d0-116e3 11740-11746 11ab0-11abf 11b0a 11b60-11b67 11bc0-11be0 11bf0-11bf9 11db0-11ddb 11de0-11de9 11df0-11df1 "
    "11f00-11f10 11f12-11f3a 11f3e-11f42 11f50-11f5a 1246f 12475-1247f 12550-12686 12f90-12ff0 1342f 13439-13455 13460-143fa "
    "16100-16139 16a70-16abe 16ac0-16ac9 16d40-16d6c 16d70-16d79 16ea0-16eb8 16ebb-16ed3 16ff2-16ff6 187f8-187ff 18cd6-18cda "
    "18cff 18d09-18d20 18d80-18df2 18e00-19191 191a0-191d2 1aff0-1aff3 1aff5-1affb 1affd-1affe 1b11f-1b128 1b132 1b155 1b168 "
    "1ccf0-1ccf9 1cf00-1cf2d 1cf30-1cf46 1d127-1d128 1d250-1d252 1d25b-1d25c 1d25f 1d280-1d281 1d2c0-1d2d3 1d6a6 1df00-1df81 "
    "1df90-1df96 1dfcd-1dfff 1e030-1e06d 1e08f 1e290-1e2ae 1e4d0-1e4f9 1e5d0-1e5fa 1e6c0-1e6de 1e6e0-1e6f5 1e6fe-1e6ff "
    "1e7e0-1e7e6 1e7e8-1e7eb 1e7ed-1e7ee 1e7f0-1e7fe 2a6de-2a6df 2b735-2b73f 2b81e 2cea2-2cead 2ebf0-2ee5d 31350-33479 "
    "3d000-3fc3f"
)
"""Letters, marks, digits and format characters that Unicode 14 to 18 brought."""
_SPECIAL: Final = late_pattern(
    "[\u0558-\u058c\u05c8-\u05c9\u0870-\u08d2\u0b53-\u0b54\u0c3c\u0c5c-\u0c5d\u0cdc-\u0cdd\u0cf3\u0ece\u170d\u1715\u171f\u180f"
    "\u1ac1-\u1af0\u1b4c\u1c89-\u1c8a\u1dfa\u208f\u209d-\u209f\u2c2f\u2c5f\u9ffd-\u9fff\ua7c0-\ua7f4\uab6c-\uab6d"
    "\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180e\u200c-\u200f\u202a-\u202e"
    "\u2060-\u206f\u302a-\u302f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb\U00010000-\U0010ffff]"
)
"""What may be one of these, or is passed over."""


@lru_cache(maxsize=1)
def _later() -> list[int]:
    bounds: list[int] = []
    for each in _LATER.split():
        first, _, last = each.partition("-")
        bounds += [int(first, 16), int(last or first, 16) + 1]
    return bounds


def _within(code: int, bounds: Sequence[int]) -> bool:
    return bisect_right(bounds, code) % 2 == 1


class _Letters(dict[int, Optional[str]]):
    """For ``str.translate``: what becomes of a character in the words of a text, found out when it is first met."""

    def __missing__(self, code: int) -> str | None:
        self[code] = found = self._find(chr(code), code)
        return found

    @staticmethod
    def _find(character: str, code: int) -> str | None:
        category = unicodedata.category(character)
        if _within(code, _later()):
            return " "
        if (category == "Cf" and code != 0x200B) or _within(code, _IGNORED):
            return None
        if category[0] not in "LNM" or category == "Me":
            return " "
        return f"{BESIDE}{character}{BESIDE}" if _within(code, _ALONE) else character


LETTERS: Final = _Letters({ord(CUT): CUT, ord(CAPITAL): CAPITAL})
"""A letter, a digit or a mark is itself, what is a word by itself has BESIDE on both sides; None: passed over; else a blank."""


def is_word(character: str) -> bool:
    """True for a character that words are made of, whatever its case."""
    return LETTERS[ord(character)] not in (" ", None)


def is_alone(word: str) -> bool:
    """True for a word that is one character of a script without blanks."""
    return len(word) == 1 and word > "\x7f" and _within(ord(word), _ALONE) and is_word(word)


def composed(text: str) -> str:
    """The text in Unicode's compatible composed form, without what is passed over, with stops for what not every Python knows."""
    if _SPECIAL.search(text):
        text = _SPECIAL.sub(lambda found: _known(found[0]), text)
    return unicodedata.normalize("NFKC", text)


def _known(character: str) -> str:
    if _within(ord(character), _later()):
        return "."
    return "" if LETTERS[ord(character)] is None else character


def folded(text: str) -> str:
    """A composed text without differences of case, composed again."""
    text = text.casefold()
    return text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)
