"""The bytes of an export that stay the same when it is made again: all but the volatile ones, hashed from the first one on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ink:
    """``data`` without its ``volatile`` runs (half open, in order), hashed as far as :meth:`advance` went. Nothing is copied."""

    def __init__(self, data: bytes, volatile: Iterable[tuple[int, int]]) -> None:
        self._data = memoryview(data)
        self._volatile = iter(volatile)
        self._begins, self._ends = next(self._volatile, (len(data), len(data)))
        self._hash = hashlib.sha256()
        self.at = 0
        """The byte of ``data`` up to which it went."""
        self.size = 0
        """Bytes that were hashed."""

    def advance(self, size: int) -> bool:
        """Go on until ``size`` bytes are hashed; False where there are not so many, or more were hashed before."""
        while self.size < size:
            if self.at == self._begins:
                if self._begins == len(self._data):
                    return False
                self.at = self._ends
                self._begins, self._ends = next(self._volatile, (len(self._data), len(self._data)))
                continue
            self._take(min(self.at + size - self.size, self._begins))
        return self.size == size

    def advance_to(self, at: int) -> None:
        """Go on up to the byte ``at`` of ``data``, which is in no volatile run."""
        while self._ends <= at and self._begins < at:
            self._take(self._begins)
            self.at = self._ends
            self._begins, self._ends = next(self._volatile, (len(self._data), len(self._data)))
        self._take(at)

    def digest(self) -> str:
        """The SHA-256 of what was hashed up to now, in hexadecimal."""
        return self._hash.hexdigest()

    def _take(self, end: int) -> None:
        if end > self.at:
            self._hash.update(self._data[self.at : end])
            self.size += end - self.at
            self.at = end
