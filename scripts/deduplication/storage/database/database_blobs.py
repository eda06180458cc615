"""Images and documents inside messages, as rows of the database, named after the SHA-256 of their bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from ..state.blobs import BlobLost, Blobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .session import Session

_READ: Final = "SELECT data FROM blobs WHERE owner = %s AND digest = %s LIMIT 1"
_HAS: Final = "SELECT DISTINCT digest FROM blobs WHERE owner = %s AND digest = ANY(%s)"


class DatabaseBlobs(Blobs):
    """Those of the owner of a session. What is kept lies in :attr:`unsent` until it is in the database."""

    def __init__(self, session: Session) -> None:
        super().__init__("")
        self._session = session
        self.unsent: dict[str, bytes] = {}

    def keep(self, found: Mapping[str, bytes]) -> None:
        """Take them; whoever calls it sends those that the database does not have."""
        self.unsent.update(found)

    def read(self, digest: str) -> bytes:
        """The bytes of a blob. Raises :class:`BlobLost`."""
        data = self.unsent.get(digest)
        if data is None:
            found = self._session.rows(_READ, [self._session.owner, digest])
            if not found or hashlib.sha256(found[0][0]).hexdigest() != digest:
                self.lost[digest] = "not the bytes that its name says" if found else "missing"
                raise BlobLost(digest)
            data = bytes(found[0][0])
        return data

    def has(self, digest: str) -> bool:
        """True where there is one of this name."""
        return digest in self.unsent or not self.missing([digest])

    def missing(self, digests: Iterable[str]) -> list[str]:
        """Those that the database does not have."""
        wanted = list(digests)
        found = self._session.rows(_HAS, [self._session.owner, wanted]) if wanted else []
        return [digest for digest in wanted if (digest,) not in found]

    def exist(self) -> bool:
        """Whether there may be any."""
        return True
