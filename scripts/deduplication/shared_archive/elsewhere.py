"""Archived files that a database has: of other machines of the same owner, of this one where they are gone, or of somebody else."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Callable, Optional

from ..archive.entry import Elsewhere, Entry
from ..archive.inventory import told_by
from ..archive.listed import Listed
from ..errors import ArchiveDamaged, StoreDamaged
from ..files import atomic
from ..project import config
from ..project.export_names import session_id_from_name
from ..project.paths import PURGED_FILES
from ..storage.database.archive_tables import ArchiveTables
from . import archive_state, fetched_folder
from .fetching import Fetcher
from .late_packs import LatePacks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..project.paths import Project
    from ..storage.database.place import Place
    from .archive_state import ArchiveState, Held


@contextlib.contextmanager
def opened(
    project: Project, place: Optional[Place], *, keep: bool = True
) -> Iterator[Optional[Callable[[], Elsewhere]]]:
    """What asks the database, once somebody needs to; None for a store that lies in none. What was fetched is open until the end.

    What belongs to the owner of this store is kept beside the archive of ``project``; another one's goes with the block, and so
    does all of it without ``keep``.
    """
    if place is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        yield lambda: _asked(project, place, stack, keep=keep)


def _asked(project: Project, place: Place, stack: contextlib.ExitStack, *, keep: bool) -> Elsewhere:
    """Raises ``DatabaseError``."""
    tables = ArchiveTables(place)
    stack.callback(tables.close)
    if not stack.enter_context(tables.snapshot()):
        return Elsewhere()
    settings = config.load(os.fspath(project.root))
    fetcher = Fetcher(tables, _folder(project, place, stack, keep=keep), os.path.expanduser(settings["archive_folder"]))
    stack.callback(fetcher.close)
    lists: dict[str, list[bytes]] = {}
    for archive, line in tables.lists():
        lists.setdefault(archive, []).append(line)
    found = Elsewhere(problems=fetcher.problems)
    listed = told_by(lists.values())
    sessions = tables.sessions([each.sha256 for each in listed])
    everywhere: dict[str, _Packed] = {}
    for state in tables.states():
        try:
            said = archive_state.decode(state.data)
        except ValueError as error:
            raise StoreDamaged(f"{tables}, archive {state.archive}: {error}") from error
        for gone in (False, True) if any(held.gone for held in said.files) else (False,):
            packs = stack.enter_context(contextlib.closing(LatePacks(said, fetcher, gone=gone)))
            found.entries += _packed(packs, f"{state.archive} {gone}", listed, sessions, everywhere)
        found.entries += _plain(said, fetcher)
        found.lost += [ArchiveDamaged(f"{name}: none of its files can be restored") for name in packs.unreadable]
        notes = [held for held in said.files if held.name == PURGED_FILES]
        found.purged += [fetcher.bytes_of(held, said.host) for held in notes]
    found.listed = listed
    return found


def _folder(project: Project, place: Place, stack: contextlib.ExitStack, *, keep: bool) -> str:
    if keep and not place.owner and os.path.isdir(project.archive):
        return os.path.join(project.archive, fetched_folder.NAME)
    import tempfile

    return stack.enter_context(tempfile.TemporaryDirectory(prefix="export-dedup-"))


def _packed(
    packs: LatePacks,
    archive: str,
    listed: Iterable[Listed],
    sessions: dict[str, str],
    everywhere: dict[str, _Packed],
) -> Iterator[Entry]:
    names: dict[str, list[Listed]] = {}
    for each in listed:
        names.setdefault(each.sha256, []).append(each)
    for number in packs.numbers():
        known = packs.known(number)
        sha256 = known.sha256.hex()
        source = everywhere.setdefault(sha256, _Packed())
        source.places.append((packs, number))
        told = names.get(sha256, [])
        if not told:  # the list was lost, and its record says it
            with contextlib.suppress(ArchiveDamaged):
                told = [Listed.of(packs.record(number))]
        for each in told:
            session = each.session or sessions.get(sha256, "") or session_id_from_name(each.name)
            yield Entry(each.name, session, known.size, each.mtime_ns, sha256, number, None, source, archive)


def _plain(said: ArchiveState, fetcher: Fetcher) -> Iterator[Entry]:
    for held in said.files:
        if "/" not in held.name and held.name != PURGED_FILES:
            source = _Plain(held, said.host, fetcher)
            session = session_id_from_name(held.name)
            yield Entry(held.name, session, held.size, held.mtime_ns, held.sha256, source=source)


class _Packed:
    """Where a file comes from that lies in packs: ``places`` are all that have it."""

    def __init__(self) -> None:
        self.places: list[tuple[LatePacks, int]] = []

    def parts(self, _entry: Entry) -> Iterable[memoryview]:
        """Its bytes, proven at the end: from the first packs that give them back."""
        *others, last = self.places
        for packs, number in others:
            with contextlib.suppress(ArchiveDamaged):
                for _ in packs.restore(number):
                    pass
                return packs.restore(number)
        return last[0].restore(last[1])


class _Plain:
    """Where a plain file comes from."""

    def __init__(self, held: Held, host: str, fetcher: Fetcher) -> None:
        self._held, self._host, self._fetcher = held, host, fetcher

    def parts(self, _entry: Entry) -> Iterator[memoryview]:
        """Its bytes, proven at the end."""
        digest = hashlib.sha256()
        with atomic.open_regular(self._fetcher.fetch(self._held, self._host)) as file:
            while part := file.read(1 << 20):
                digest.update(part)
                yield memoryview(part)
        if digest.hexdigest() != self._held.sha256:
            raise ArchiveDamaged(f"{self._held.name} of the archive on {self._host}")
