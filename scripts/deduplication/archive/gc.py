"""All packs written anew, without some files and with others in the place of theirs: what nothing refers to is left behind.

The new packs are complete, synced and restored once before anybody is told of them; the old ones were only read.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from ..errors import ArchiveDamaged
from ..packs.pack_names import listed
from ..packs.pack_set import opened_packs
from ..packs.pack_writer import PackWriter
from .pack_files import BATCH_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..packs.pack_set import Packs

_ADVICE = "Nothing was changed. 'deduplicate_export.py verify' names what is damaged; put it back from a backup first."


def renew(
    packs: Packs,
    folder: str,
    instead: Mapping[int, bytes | None],
    name_of: Callable[[str], str] = lambda name: name,
    *,
    thorough: bool = False,
) -> list[str]:
    """Write every file of ``packs`` into new packs in ``folder``; the names of the files made, packs and indexes.

    ``instead`` has the bytes of files that change by their number, None for those that go; ``name_of`` gives the name of a file
    for the one it had; ``thorough`` is slower and smaller. Raises :class:`ArchiveDamaged` where a file cannot be read: nothing may
    be lost on the way.
    """
    require_whole(packs)
    expected: list[tuple[str, bytes]] = []
    waiting: list[int] = []
    size = 0
    numbers = [number for number in packs.numbers() if instead.get(number, b"") is not None]
    for number in numbers:
        waiting.append(number)
        size += packs.record(number).size
        if size >= BATCH_BYTES or number == numbers[-1]:
            expected += _added(packs, folder, waiting, instead, name_of, thorough=thorough)
            waiting, size = [], 0
    if not expected:
        return []
    _check(folder, expected)
    return sorted(os.listdir(folder))


def require_whole(packs: Packs) -> None:
    """Raises :class:`ArchiveDamaged` where a pack cannot be read: nobody can say what is in it."""
    if packs.problems or packs.unreadable or packs.missing():
        what = (*packs.problems, *packs.unreadable, "a pack is missing")[0]
        raise ArchiveDamaged(what, hint=_ADVICE)


def _added(
    packs: Packs,
    folder: str,
    numbers: list[int],
    instead: Mapping[int, bytes | None],
    name_of: Callable[[str], str],
    *,
    thorough: bool,
) -> list[tuple[str, bytes]]:
    added = []
    with opened_packs(folder) as new:
        addition = PackWriter(new, thorough=thorough)
        for number in numbers:
            record = packs.record(number)
            other = instead.get(number)
            data = other if other is not None else b"".join(packs.restore(number))
            kept = addition.add(
                data, name=name_of(record.name), mtime_ns=record.mtime_ns, session_of=_always(record.session)
            )
            added.append((kept.name, hashlib.sha256(data).digest()))
        addition.commit()
    return added


def _always(session: str) -> Callable[[str], str]:
    return lambda _sha256: session


def _check(folder: str, expected: list[tuple[str, bytes]]) -> None:
    """Every file restored from the packs as they lie on the disk."""
    wanted = set(expected)
    found = set()
    with opened_packs(folder) as new:
        for number in new.numbers():
            record = new.record(number)
            digest = hashlib.sha256()
            for part in new.restore(number):
                digest.update(part)
            found.add((record.name, digest.digest()))
        if found != wanted or new.problems:
            raise ArchiveDamaged("the new packs do not hold what the old ones do", hint=_ADVICE)


def pack_files(folder: str) -> list[str]:
    """The names of every pack and index in ``folder``, whatever of them is there."""
    names = [name for _, name in listed(folder)]
    return [each for name in names for each in (name, name[: -len("pack")] + "idx")]
