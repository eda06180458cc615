"""What proves that the beginning of a growing file is still what it was when it was read.

The bytes are hashed in blocks of 1 MiB, each hash chained to those before it, and the rest behind the last whole block by
itself. To go on from there only that rest must be read again; to be sure of all of it, the whole.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK: Final = 1024 * 1024


class PrefixProof(NamedTuple):
    """The proof over the first ``offset`` bytes of a file: hashes in hexadecimal."""

    offset: int = 0
    chain: str = ""
    """Over the whole blocks, empty while there is none."""
    rest: str = hashlib.sha256().hexdigest()

    @property
    def begins(self) -> int:
        """Where the rest begins, which is all that must be read to go on."""
        return self.offset - self.offset % BLOCK

    def proves(self, rest: bytes) -> bool:
        """True where the bytes from :attr:`begins` up to ``offset`` are those that were hashed."""
        return len(rest) == self.offset - self.begins and hashlib.sha256(rest).hexdigest() == self.rest

    def extended(self, rest: bytes, new: bytes) -> PrefixProof:
        """The proof once ``new`` bytes follow; ``rest`` are those from :attr:`begins` up to ``offset``."""
        data = rest + new
        chain, at = self.chain, 0
        while len(data) - at >= BLOCK:
            block = hashlib.sha256(data[at : at + BLOCK]).hexdigest()
            chain = hashlib.sha256(f"{chain}{block}".encode()).hexdigest()
            at += BLOCK
        return PrefixProof(self.offset + len(new), chain, hashlib.sha256(data[at:]).hexdigest())

    def dumps(self) -> str:
        """As text: ``chain:rest``."""
        return f"{self.chain}:{self.rest}"

    @classmethod
    def loads(cls, offset: int, text: str) -> PrefixProof:
        """The proof that :meth:`dumps` wrote. Text of another form gives one that proves nothing."""
        chain, _, rest = text.partition(":")
        return cls(offset, chain, rest)


def proof_of(read: Callable[[int], bytes], size: int) -> PrefixProof:
    """The proof over the next ``size`` bytes that ``read(n)`` gives; fewer where it ends before."""
    proof = PrefixProof()
    while proof.offset < size:
        block = read(min(BLOCK, size - proof.offset))
        if not block:
            break
        proof = proof.extended(b"", block)
        if len(block) < BLOCK:
            break
    return proof
