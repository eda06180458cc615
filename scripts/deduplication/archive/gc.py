"""All packs written anew, without some files and with others in the place of theirs: what nothing refers to is left behind.

The new packs are complete, synced and restored once before anybody is told of them; the old ones were only read.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from ..errors import ArchiveDamaged
from ..packs.pack_names import listed
from ..start.late_dataclass import replace
from . import packed_anew
from .packed_anew import Anew

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
    wanted: list[Anew] = []
    for number in packs.numbers():
        record = packs.record(number)
        data = instead.get(number, b"")
        if data is not None:
            read = partial(_bytes, packs, number) if number not in instead else partial(bytes, data)
            wanted.append(Anew(replace(record, name=name_of(record.name)), read))
    if not wanted:
        return []
    added = packed_anew.pack(folder, wanted, thorough=thorough)
    if packed_anew.restored(folder) != {(each.name, each.mtime_ns, each.sha256) for each in added}:
        raise ArchiveDamaged("the new packs do not hold what the old ones do", hint=_ADVICE)
    return sorted(os.listdir(folder))


def _bytes(packs: Packs, number: int) -> bytes:
    return b"".join(packs.restore(number))


def require_whole(packs: Packs) -> None:
    """Raises :class:`ArchiveDamaged` where a pack cannot be read: nobody can say what is in it."""
    if packs.problems or packs.unreadable or packs.missing():
        what = (*packs.problems, *packs.unreadable, "a pack is missing")[0]
        raise ArchiveDamaged(what, hint=_ADVICE)


def pack_files(folder: str) -> list[str]:
    """The names of every pack and index in ``folder``, whatever of them is there."""
    names = [name for _, name in listed(folder)]
    return [each for name in names for each in (name, name[: -len("pack")] + "idx")]
