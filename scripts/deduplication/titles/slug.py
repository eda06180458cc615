"""A title as part of the name of a file. Pure."""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Final

from ..start.late_pattern import late_pattern

LONGEST: Final = 60
"""Bytes of a slug in UTF-8."""
_UUID: Final = late_pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_SILENT: Final = str.maketrans("", "", "'’")
"""Apostrophes: what stands on both sides of one is one word."""


def slug(title: str, longest: int = LONGEST) -> str:
    """Letters and digits of every script, in lower case, with single hyphens between; empty where the title has none.

    At most ``longest`` bytes, cut between words where that leaves one. To a file system, a shell and a terminal all of it is plain.
    """
    plain = unicodedata.normalize("NFKC", title).translate(_SILENT).lower()
    words = [""]
    for each in unicodedata.normalize("NFKC", plain):
        category = unicodedata.category(each)
        if category[0] in "LN" or (category[0] == "M" and words[-1]):
            words[-1] += each
        elif words[-1]:
            words.append("")
    return _cut("-".join(filter(None, words)), longest)


def _cut(words: str, longest: int) -> str:
    data = words.encode()
    if len(data) <= longest:
        return words
    whole, _, _ = data[: longest + 1].rpartition(b"-")
    return (whole or data[:longest]).decode(errors="ignore")


def short(conversation_id: str) -> str:
    """Eight digits by which the name of a file tells one conversation from every other: the beginning of its id.

    Of an id that is no UUID, the beginning of its SHA-256: two such ids may begin alike.
    """
    if _UUID.match(conversation_id):
        return conversation_id[:8]
    return sha256(conversation_id.encode(errors="surrogatepass")).hexdigest()[:8]
