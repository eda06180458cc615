"""Archived files as one encrypted file: a compressed tar of them as they were, which is opened without us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DedupError
from ..files import encryption
from ..start.late_tuple import NamedTuple
from .entry import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .entry import Entry
    from .restore import ArchivedFiles


class SealedArchive(NamedTuple):
    """What was put into an encrypted file: ``files`` of ``bytes`` in the clear, and what could not be, by its name."""

    path: str
    files: int
    bytes: int
    tool: str
    failures: list[tuple[str, DedupError]]


def seal(
    shelf: ArchivedFiles,
    entries: Sequence[Entry],
    path: str,
    recipients: Sequence[str],
    advance: Callable[[int], None],
) -> SealedArchive:
    """The files byte for byte, with their modification times, into the new file ``path``, which only ``recipients`` can open.

    A file that does not come back from the archive is in no part there; the others are. Raises what
    :func:`encryption.encrypted` does.
    """
    failures: list[tuple[str, DedupError]] = []
    count = size = 0
    with encryption.encrypted(path, recipients, compressed=True) as archive:
        for entry, name in zip(entries, names(entries)):
            try:
                data = b"".join(shelf.parts(entry))  # proven as a whole before the first byte goes on
            except DedupError as error:
                failures.append((entry.name, error))
                continue
            archive.add(name, data, entry.mtime_ns / 1e9)
            count, size = count + 1, size + len(data)
            advance(len(data))
    return SealedArchive(path, count, size, archive.tool, failures)
