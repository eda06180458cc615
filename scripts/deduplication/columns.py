"""A sequence of messages by their fingerprints, a column a property: what alignment compares and indexes keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .fingerprint import ANCHOR_KINDS, DISTINCTIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .fingerprint import Fingerprint


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
