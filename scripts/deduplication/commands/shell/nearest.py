"""Words that were meant: what a mistyped one is most like."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def guess(word: str, known: Iterable[str]) -> str:
    """`` (did you mean …?)``; empty where nothing is like ``word``."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(word.lower(), names, n=3) if any(map(str.isalpha, word)) else []
    near.sort(
        key=lambda name: sorted(name) != sorted(word.lower())
    )  # letters changed about, before what is only like it
    return f" (did you mean {near[0]}?)" if near else ""
