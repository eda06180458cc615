"""Subsequences: the longest increasing one, what occurs once, where one sequence lies inside another."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence of ``pairs`` (sorted by the first number) whose second numbers increase."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for position, (_, value) in enumerate(pairs):
        place = bisect_left(tails, value)
        previous.append(ends[place - 1] if place else -1)
        if place == len(tails):
            tails.append(value)
            ends.append(position)
        else:
            tails[place] = value
            ends[place] = position
    chain: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(pairs[at])
        at = previous[at]
    return chain[::-1]


def unique(values: list[str], positions: Sequence[int]) -> dict[str, int]:
    """Where each value that occurs once among ``positions`` stands."""
    found: dict[str, int] = {}
    for position in positions:
        value = values[position]
        found[value] = -1 if value in found else position
    return {value: position for value, position in found.items() if position >= 0}


def borders(values: Sequence[str]) -> Sequence[int]:
    """For each beginning of ``values`` the length of the longest shorter beginning that also ends it.

    Linear (Knuth, Morris, Pratt).
    """
    lengths = array("q", bytes(8 * len(values)))
    length = 0
    for position in range(1, len(values)):
        while length and values[position] != values[length]:
            length = lengths[length - 1]
        length += values[position] == values[length]
        lengths[position] = length
    return lengths


def find(haystack: list[str], needle: list[str]) -> int:
    """Where ``needle`` last stands in ``haystack`` without a break, or -1. Linear (Knuth, Morris, Pratt, backwards)."""
    if not needle or len(needle) > len(haystack):
        return -1
    pattern = needle[::-1]
    fallback = borders(pattern)
    length = 0
    for position in range(len(haystack) - 1, -1, -1):
        while length and haystack[position] != pattern[length]:
            length = fallback[length - 1]
        length += haystack[position] == pattern[length]
        if length == len(pattern):
            return position
    return -1
