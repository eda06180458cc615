"""Which files a database has of an archive that are gone on its machine, and must not go there: nothing has taken them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..packs.pack_index import Index
from ..project.paths import PURGED_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.database.archive_tables import ArchiveTables
    from .archive_state import Held
    from .local_files import Local


def still_needed(before: Sequence[Held], now: Iterable[Held], local: Local, tables: ArchiveTables) -> list[Held]:
    """Those of ``before`` that are to be said ``gone``, and not left out.

    A pack was taken in where each file in it is in another one, or plain; it was purged where the list does not name the file any
    more, which names all that was archived.
    """
    there = {held.sha256 for held in now}
    missing = [held for held in before if held.sha256 not in there and held.name != PURGED_FILES]
    have = local.known | there
    found: list[Held] = []
    for held in missing:
        if held.name.endswith(".idx"):
            continue
        inside = [held.sha256]
        if held.name.endswith(".pack"):
            index = _index_of(held, before)
            inside = _files_in(tables, index) if index is not None else []
        if not inside or any(sha256 not in have and _is_listed(sha256, local) for sha256 in inside):
            found.append(held)
            index = _index_of(held, before)
            found += [index] if index is not None and index.sha256 not in there else []
    return [held._replace(gone=True) for held in found]


def _is_listed(sha256: str, local: Local) -> bool:
    return local.listed is None or sha256 in local.listed


def _index_of(pack: Held, files: Sequence[Held]) -> Held | None:
    name = f"{pack.name[: -len('.pack')]}.idx"
    return next((held for held in files if held.name == name and held.gone == pack.gone), None)


def _files_in(tables: ArchiveTables, index: Held) -> list[str]:
    """SHA-256 of the files of a pack; none where its index cannot be read."""
    data = b"".join(tables.data(index.object, part.number) for part in tables.parts(index.object))
    found = Index.of_bytes(data)
    return [known.sha256.hex() for known in found.all_known()] if found is not None else []
