"""New objects for git, contents of our files and trees: named in this process, so that git is started only to store them.

One git takes many contents, on its standard input: it opens no file of ours, which somebody may have swapped for a link.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..git.plumbing import Git

_ALGORITHMS: Final = {40: "sha1", 64: "sha256"}
"""By the digits of an object's id."""
_TREE: Final = 2
_BLOB: Final = 3
"""What a tree and a blob are in a pack (gitformat-pack(5))."""
MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of files that one git is given at most: it has some seconds, and this process the memory for as many."""
MOST_FILES: Final = 64
"""Objects that one git is given at most: each object is synced to the disk by itself."""


class NewObjects:
    """The blobs and trees of one commit. ``ids`` are of other objects of the repository: their length tells how these are named."""

    def __init__(self, git: Git, ids: Iterable[str]) -> None:
        self._git = git
        self._algorithm = _ALGORITHMS.get(next(map(len, ids), 0))
        self._waiting: list[bytes] = []
        self._bytes = 0

    def id_of(self, data: bytes) -> str:
        """The id of a blob with these bytes."""
        return self._digest(b"blob %d\0" % len(data), data).hex()

    def add(self, data: bytes) -> None:
        """Have a blob stored, with the next ones; :meth:`write` has to be called in the end. Raises ``GitFailed``."""
        self._add(_BLOB, data)

    def add_tree(self, data: bytes) -> str:
        """The same for a tree; its id."""
        self._add(_TREE, data)
        return self._digest(b"tree %d\0" % len(data), data).hex()

    def _add(self, kind: int, data: bytes) -> None:
        self._waiting.append(_in_pack(kind, data))
        self._bytes += len(data)
        if self._bytes >= MOST_BYTES or len(self._waiting) >= MOST_FILES:
            self.write()

    def write(self) -> None:
        """Store what was added. Raises ``GitFailed``.

        The pack's own checksum is made as ids are: a git that names its objects in another way refuses it.
        """
        if self._waiting:
            pack = b"".join((b"PACK", (2).to_bytes(4, "big"), len(self._waiting).to_bytes(4, "big"), *self._waiting))
            self._waiting, self._bytes = [], 0
            self._git.run("unpack-objects", "-q", stdin=pack + self._digest(pack))

    def _digest(self, *parts: bytes) -> bytes:
        if self._algorithm is None:
            self._algorithm = _ALGORITHMS[len(self._git.line("hash-object", "--stdin"))]
        digest = hashlib.new(self._algorithm, usedforsecurity=False)
        for part in parts:
            digest.update(part)
        return digest.digest()


def _in_pack(kind: int, data: bytes) -> bytes:
    """An object as it stands in a pack: its kind and size, seven bits a byte but for the first one, and its bytes, compressed."""
    size, head = len(data) >> 4, bytearray([kind << 4 | len(data) & 15])
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head) + zlib.compress(data, 1)
