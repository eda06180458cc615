"""A sequence of messages by their fingerprints, a column a property: what alignment compares and indexes keep."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ..start.late_dataclass import dataclass, field
from .fingerprint import ANCHOR_KINDS, DISTINCTIVE, Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass
class Columns:
    """A sequence of messages by their fingerprints, one list a property, all of one length."""

    hashes: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    uuids: list[str] = field(default_factory=list)

    def append(self, item: Fingerprint) -> None:
        """Add one message at the end."""
        self.hashes.append(item.content_hash)
        self.keys.append(item.key)
        self.kinds.append(item.kind)
        self.weights.append(item.weight)
        self.uuids.append(item.uuid)

    def extend(self, other: Columns) -> None:
        """Add the rows of another sequence at the end."""
        self.hashes += other.hashes
        self.keys += other.keys
        self.kinds += other.kinds
        self.weights += other.weights
        self.uuids += other.uuids

    def item(self, number: int) -> Fingerprint:
        """One row; the role is not kept."""
        return Fingerprint(
            self.hashes[number], self.keys[number], self.kinds[number], "", self.weights[number], self.uuids[number]
        )

    def items(self, start: int = 0) -> Iterator[Fingerprint]:
        """Every row from ``start`` on."""
        c = self.since(start) if start else self
        return map(Fingerprint, c.hashes, c.keys, c.kinds, itertools.repeat(""), c.weights, c.uuids)

    def since(self, start: int) -> Columns:
        """The rows from ``start`` on, as a sequence of their own."""
        return Columns(
            self.hashes[start:], self.keys[start:], self.kinds[start:], self.weights[start:], self.uuids[start:]
        )

    def take(self, numbers: Sequence[int]) -> Columns:
        """The rows with these numbers, in this order."""
        return Columns(
            [self.hashes[n] for n in numbers],
            [self.keys[n] for n in numbers],
            [self.kinds[n] for n in numbers],
            [self.weights[n] for n in numbers],
            [self.uuids[n] for n in numbers],
        )

    def distinctive(self) -> list[int]:
        """Positions of the messages that may anchor an alignment."""
        weights = self.weights
        return [n for n, kind in enumerate(self.kinds) if weights[n] >= DISTINCTIVE and kind in ANCHOR_KINDS]

    def __len__(self) -> int:
        return len(self.hashes)


def columns(items: Sequence[Fingerprint]) -> Columns:
    """The columns of a list of fingerprints."""
    result = Columns()
    for item in items:
        result.append(item)
    return result
