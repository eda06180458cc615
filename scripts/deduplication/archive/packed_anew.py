"""Archived files into new packs, some megabytes at a time, restored from there before they take the place of the others."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from ..files import atomic, folder_swap
from ..packs.pack_names import INDEX, names_in, number_of
from ..packs.pack_set import opened_packs
from ..packs.pack_writer import PackWriter
from ..start.late_tuple import NamedTuple
from .pack_files import BATCH_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..packs.file_records import FileRecord


class Anew(NamedTuple):
    """A file that is packed anew under the name, the session and with the time of ``record``; ``read`` gives its bytes."""

    record: FileRecord
    read: Callable[[], bytes]


def pack(folder: str, files: Iterable[Anew], *, thorough: bool = True, again: bool = False) -> list[FileRecord]:
    """Add files to the packs in ``folder``; their records there. Raises ``StoreNotWritable``, and what ``read`` raises.

    ``again``: no file is to rest on one that is there, of which some do not come back.
    """
    added: list[FileRecord] = []
    waiting = iter(files)
    while True:
        size = len(added)
        with opened_packs(folder) as packs:
            addition = PackWriter(packs, thorough=thorough)
            taken = 0
            for file in waiting:
                data = file.read()
                record = file.record
                added.append(
                    addition.add(
                        data,
                        name=record.name,
                        mtime_ns=record.mtime_ns,
                        session_of=_always(record.session),
                        again=again,
                    )
                )
                taken += len(data)
                if taken >= BATCH_BYTES:
                    break
            if len(added) > size:  # else nothing is put together with others
                addition.commit()
        if taken < BATCH_BYTES:
            return added


def _always(session: str) -> Callable[[str], str]:
    return lambda _sha256: session


def restored(folder: str) -> set[tuple[str, int, bytes]]:
    """Name, modification time and the SHA-256 of what comes back of every file in ``folder``. Raises ``ArchiveDamaged``."""
    found = set()
    with opened_packs(folder) as packs:
        for number in packs.numbers():
            record = packs.record(number)
            digest = hashlib.sha256()
            for part in packs.restore(number):
                digest.update(part)
            found.add((record.name, record.mtime_ns, digest.digest()))
    return found


def replace(folder: str, fill: Callable[[str], None]) -> None:
    """Put in the place of the packs in ``folder`` those that ``fill`` writes into an empty one, in one step.

    What else lies there stays: a copy of a pack may have what no other one has. Raises ``StoreNotWritable``, and what ``fill``
    raises; then nothing has changed.
    """

    def whole(new: str) -> None:
        fill(new)
        for name in names_in(folder):
            path = os.path.join(folder, name)
            ours = number_of(name) >= 0 or INDEX.match(name) or atomic.is_temporary(name)
            if not ours and os.path.isfile(path) and not os.path.islink(path):
                folder_swap.keep_copy(path, os.path.join(new, name))

    folder_swap.replace(folder, whole)
