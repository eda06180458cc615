"""In which stretches of the log something stands, found by five bytes of its hash: bodies, ids, and keys of turns.

What is found is a hint. Two things with the same five bytes are told apart by whoever reads the log there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from ...alignment.fingerprint import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WIDTH: Final = 5
"""Bytes of a hash."""
_OTHERS: Final = bytes(255 - each for each in range(256))


def body_prefix(identity: str) -> bytes:
    """By what the body with this content hash is found."""
    return _begins(identity) or _hashed(b"body", identity)


def turn_prefix(key: str) -> bytes:
    """By what the turns with this alignment key are found, which may begin as a content hash does."""
    return (_begins(key) or _hashed(b"turn", key)).translate(_OTHERS)


def uuid_prefix(uuid: str) -> bytes:
    """By what the messages with this id are found."""
    return _hashed(b"uuid", uuid)


def _begins(digits: str) -> bytes:
    """The first bytes of what are hexadecimal digits; nothing of anything else."""
    try:
        found = bytes.fromhex(digits[: 2 * WIDTH])
    except ValueError:
        return b""
    return found if len(found) == WIDTH else b""


def _hashed(kind: bytes, text: str) -> bytes:
    return hashlib.sha256(kind + b"\0" + encoded(text)).digest()[:WIDTH]


class Places:
    """``fetch`` gives the stretches that an index has of a prefix, in ascending order."""

    def __init__(self, fetch: Callable[[bytes], Sequence[int]] | None = None) -> None:
        self._fetch = fetch
        self._fresh: dict[bytes, list[int]] = {}

    def of(self, prefix: bytes) -> list[int]:
        """The stretches, in the order of the log."""
        found = list(self._fetch(prefix)) if self._fetch is not None else []
        fresh = self._fresh.get(prefix)
        return found + [each for each in fresh if each not in found] if fresh else found

    def add(self, prefix: bytes, chunk: int) -> None:
        """It stands in this stretch, the last one that there is."""
        fresh = self._fresh.setdefault(prefix, [])
        if chunk not in fresh[-1:]:
            fresh.append(chunk)

    def fresh(self) -> Iterator[tuple[bytes, int]]:
        """What was added since :meth:`saved`."""
        for prefix, chunks in self._fresh.items():
            for chunk in chunks:
                yield prefix, chunk

    def saved(self) -> None:
        """An index has it all now."""
        if self._fetch is not None:
            self._fresh.clear()
