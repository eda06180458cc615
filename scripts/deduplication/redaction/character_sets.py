"""Which characters one item of a parsed regular expression can have, as far as it takes to tell that two have none in common."""

from __future__ import annotations

import re
from typing import Any, Final

from ..start.late_tuple import NamedTuple

_ENUMERATED: Final = 600
"""Characters up to which a set is looked at one by one."""
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
_APART: Final = frozenset(
    frozenset(pair)
    for pair in (
        (r"\d", r"\D"),
        (r"\s", r"\S"),
        (r"\w", r"\W"),
        (r"\d", r"\s"),
        (r"\w", r"\s"),
        (r"\d", r"\W"),
    )
)
"""Categories that have no character in common, whether they are those of ASCII or of Unicode."""


class Characters(NamedTuple):
    r"""Ranges of code points and categories (``\d``), or with ``negated`` everything but them.

    ``any_case``: what it matches may be written in another case than it says.
    """

    ranges: tuple[tuple[int, int], ...]
    categories: tuple[str, ...] = ()
    negated: bool = False
    any_case: bool = False


def of_item(item: Any, *, any_case: bool) -> Characters | None:
    """The characters of an item that takes exactly one; None for every other."""
    name, argument = str(item[0]), item[1]
    if name == "LITERAL":
        return Characters(((argument, argument),), any_case=any_case)
    if name == "NOT_LITERAL":
        return Characters(((argument, argument),), negated=True, any_case=any_case)
    if name == "ANY":
        return Characters((), negated=True)
    if name != "IN":
        return None
    ranges: list[tuple[int, int]] = []
    categories: list[str] = []
    negated = False
    for kind, what in argument:
        word = str(kind)
        if word == "NEGATE":
            negated = True
        elif word == "LITERAL":
            ranges.append((what, what))
        elif word == "RANGE":
            ranges.append((what[0], what[1]))
        elif word == "CATEGORY" and str(what) in _CATEGORIES:
            categories.append(_CATEGORIES[str(what)])
        else:
            return None
    return Characters(tuple(ranges), tuple(categories), negated, any_case)


def disjoint(one: Characters, other: Characters, *, mixed: bool) -> bool:
    """True where surely no character is in both; with ``mixed``, the flags are not the same everywhere in the pattern."""
    for few, many in ((one, other), (other, one)):
        if not few.negated and not few.categories and _count(few) <= _ENUMERATED:
            listed = [chr(code) for first, end in few.ranges for code in range(first, end + 1)]
            # In another case it could be any character: only what has no case is what it says.
            if (few.any_case or many.any_case) and any(each.lower() != each.upper() for each in listed):
                return False
            return not any(_may_have(many, each) for each in listed)
    if mixed:
        return False
    for held, left_out in ((one, other), (other, one)):
        if left_out.negated and not held.negated and not held.ranges:  # [^\s] and \s
            return set(held.categories) <= set(left_out.categories)
    if one.negated or other.negated or one.ranges or other.ranges:
        return False
    return all(frozenset((left, right)) in _APART for left in one.categories for right in other.categories)


def _count(characters: Characters) -> int:
    return sum(end - first + 1 for first, end in characters.ranges)


def _may_have(characters: Characters, character: str) -> bool:
    """False where the character is surely not in the set, whichever flags count."""
    code = ord(character)
    ranged = any(first <= code <= end for first, end in characters.ranges)
    held = [_in(category, character) for category in characters.categories]
    if characters.negated:
        return not (ranged or any(surely for surely, _ in held))
    return ranged or any(maybe for _, maybe in held)


def _in(category: str, character: str) -> tuple[bool, bool]:
    """Whether the character is in the category with either flag, and with one of them."""
    found = [re.match(category, character, flags) is not None for flags in (0, re.ASCII)]
    return all(found), any(found)
