"""Files of a store into the parts of a backup: what was read already is not read again, what changed meanwhile is."""

from __future__ import annotations

import hashlib
import os
import zlib
from typing import TYPE_CHECKING, Final

from ..files import atomic, clock
from ..files.safe_read import Identity
from ..start.late_dataclass import replace
from ..start.late_tuple import NamedTuple
from . import soundness
from .manifest import File, Snapshot
from .objects import PART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .objects import Objects
    from .selection import Found

_DOUBTFUL: Final = 2_000_000_000
"""Nanoseconds before a snapshot in which a file may have been changed once more without another time: some disks count in twos."""


class Held(NamedTuple):
    """A file that is in the backup: the state in which it was read, and what was wrong with it."""

    identity: Identity
    file: File
    fault: str


class Copying:
    """What one run has read so far. ``previous`` is the snapshot before, whose files count where size and time are the same."""

    def __init__(self, objects: Objects, previous: Snapshot | None) -> None:
        self.held: dict[str, Held] = {}
        self.read_bytes = 0
        self._objects = objects
        self._previous = previous.files if previous is not None else {}
        self._faulty = {path for path, _ in previous.problems} if previous is not None else set()
        self._believed_ns = clock.nanoseconds(previous.time) - _DOUBTFUL if previous is not None else 0

    def missing(self, found: Sequence[Found]) -> list[Found]:
        """Those that have to be read: new, or not as they were."""
        return [each for each in found if not self._is_held(each)]

    def _is_held(self, found: Found) -> bool:
        held = self.held.get(found.path)
        if held is not None and held.identity == found.identity:
            return True
        before = self._previous.get(found.path)
        if before is None or found.path in self._faulty or found.identity.mtime_ns >= self._believed_ns:
            return False
        if (before.size, before.mtime_ns) != (found.identity.size, found.identity.mtime_ns):
            return False
        if not all(self._objects.has(part, size) for part, size in zip(before.parts, _sizes(before.size))):
            return False  # somebody removed it from the backup
        self.held[found.path] = Held(found.identity, before, "")
        return True

    def copy(self, found: Found, advance: Callable[[int], None]) -> str:
        """Read a file into the backup; why that was not possible, empty where it was. Raises ``StoreNotWritable``.

        A file that somebody writes to meanwhile is kept as it was read, in a state that no later look will find again.
        """
        digest, crc32, size, parts = hashlib.sha256(), 0, 0, []
        try:
            with atomic.open_regular(found.place) as file:
                identity = Identity.of(os.fstat(file.fileno()))
                while part := file.read(PART):
                    digest.update(part)
                    crc32 = zlib.crc32(part, crc32)
                    size += len(part)
                    parts.append(self._objects.put(part))
                    advance(len(part))
        except OSError as error:
            return str(error.strerror or error)
        self.read_bytes += size
        sha256 = digest.hexdigest()
        kept = File(found.path, size, found.mode, identity.mtime_ns, sha256, tuple(parts))
        fault = soundness.fault(found.path, found.place, sha256, crc32)
        self.held[found.path] = Held(identity._replace(size=size), kept, fault)
        return ""

    def put(self, found: Found, data: bytes) -> File:
        """A file whose content is at hand already."""
        parts = tuple(self._objects.put(data[at : at + PART]) for at in range(0, len(data), PART))
        sha256 = hashlib.sha256(data).hexdigest()
        return File(found.path, len(data), found.mode, found.identity.mtime_ns, sha256, parts)

    def file(self, found: Found) -> File:
        """A file that is held, with the permissions that it has now."""
        file = self.held[found.path].file
        return file if file.mode == found.mode else replace(file, mode=found.mode)


def _sizes(size: int) -> Iterator[int]:
    """Bytes of each part of a file."""
    for at in range(0, size, PART):
        yield min(PART, size - at)
