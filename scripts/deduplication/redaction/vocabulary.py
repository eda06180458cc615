"""The different words of a text, so that a hundred words can be looked for in it at the price of one pass.

Nearly every text has none of the words that tell of a secret; a set of its words says so before any rule reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

_LETTERS: Final = bytes(byte if 97 <= byte <= 122 or byte >= 128 else 32 for byte in range(256))
"""A blank for everything that is no small letter; what is not ASCII stays as it is."""

_WITHOUT_BLANKS: Final = late_pattern(rb"\xe0[\xb8-\xbb]|[\xe3-\xed]")
"""How UTF-8 begins Thai and Lao, and Chinese, Japanese and Korean."""
_ESCAPES: Final = (b"n", b"r", b"t")
"""In JSON the letter of an escape stands before a line's first word."""


def words(*lines: str) -> frozenset[str]:
    """The words of a table that is written down in lines."""
    return frozenset(" ".join(lines).split())


class Vocabulary:
    """The words of one text in small letters: runs of letters."""

    def __init__(self, text: str) -> None:
        found = set(text.encode("utf-8", "surrogatepass").translate(_LETTERS).split())
        if "\\" in text:
            found |= {word[1:] for word in found if word[:1] in _ESCAPES}
        self.words: Final = found
        self._joined = b" ".join(self.words)

    def among(self, words: Iterable[bytes]) -> bool:
        """Whether one of ``words`` is a word of the text."""
        return not self.words.isdisjoint(words)

    def without_blanks(self) -> bool:
        """Whether one of its words is of a script that sets no blanks between words."""
        return _WITHOUT_BLANKS.search(self._joined) is not None

    def holds(self, stem: bytes) -> bool:
        """Whether ``stem`` is a part of one of its words."""
        return stem in self._joined
