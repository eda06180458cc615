"""Finds archived files, plain ones and packed ones alike, and writes them where they are wanted."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Optional

from ..errors import ArchiveDamaged, DedupError, NotInArchive, OutputNotWritable, StoreNotWritable
from ..files import atomic, beneath, journal, locking
from ..files.safe_read import read
from ..packs.pack_set import opened_packs
from ..project.export_names import session_id_from_name
from . import drop_folder, inventory, places, purged_files
from .entry import Entry, distinct, is_date, is_hash, lost_error, outgrown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..packs.pack_set import Packs
    from ..project.paths import Project
    from .entry import Elsewhere
    from .listed import Listed

__all__ = ["ArchivedFiles", "Entry", "opened"]


class ArchivedFiles:
    """The archive of a project, to look up and take from; see :func:`opened`."""

    def __init__(
        self,
        project: Project,
        packs: Packs,
        elsewhere: Optional[Callable[[], Elsewhere]] = None,
        let_go: Callable[[], None] = lambda: None,
        *,
        here: bool = True,
    ) -> None:
        """``elsewhere`` is asked for what is not here, after ``let_go``; not ``here``: for all."""
        self._packs, self._elsewhere, self._let_go = packs, elsewhere, let_go
        self.entries: list[Entry] = []
        folder = str(project.archive)
        self.purged = purged_files.load(folder) if here else {}
        """Files that are not what was exported, by SHA-256: messages of theirs were purged."""
        self.problems: list[str] = []
        """What turned out to be damaged elsewhere."""
        self.lost: list[DedupError] = []
        """Files of which not even the name can be read: one error for each, or for each pack that is missing or unreadable."""
        self.lost += [ArchiveDamaged(f"{name}: none of its files can be restored") for name in packs.unreadable]
        self.lost += [
            ArchiveDamaged(
                f"a pack that is missing or cannot be read had {gap.end_file - gap.first_file:,} of the files"
            )
            for gap in packs.missing()
            if gap.end_file > gap.first_file
        ]
        for number in packs.numbers():
            try:
                record = packs.record(number)
            except DedupError as error:
                self.lost.append(error)
                continue
            session = record.session or session_id_from_name(record.name)
            self.entries.append(Entry(record.name, session, record.size, record.mtime_ns, record.sha256.hex(), number))
        for path, status in places.plain_files(project) if here else ():
            session = session_id_from_name(path.name)
            self.entries.append(Entry(path.name, session, status.st_size, status.st_mtime_ns, "", path=path))
        self._earlier = outgrown(self.entries)
        self._listed = inventory.load(str(project.state), folder) if here else inventory.none()
        """What the archive took in, whatever is left of it."""

    def ask_elsewhere(self) -> None:
        """Have what other archives have besides, once. Where they cannot be asked it is among what is ``lost``."""
        ask, self._elsewhere = self._elsewhere, None
        if ask is None:
            return
        self._let_go()
        try:
            found = ask()
        except DedupError as error:
            self.lost.append(error)
            return
        there = {self.sha256(entry) for entry in self.entries}
        for entry in found.entries:
            if entry.sha256 not in there:
                self.entries.append(entry)
                there.add(entry.sha256)
        for listed in found.listed:
            self._listed.files.setdefault(listed.key, listed)
            self._listed.began = True
        for data in found.purged:
            self.purged = {**purged_files.parsed(data.splitlines(keepends=True)), **self.purged}
        self.lost += found.lost
        self.problems = found.problems
        self._earlier = outgrown(self.entries)

    def find(self, wanted: str) -> list[Entry]:
        """The files meant by a name, a session, a date (``YYYY-MM-DD``) or the first eight or more digits of a SHA-256.

        The first of these that fits anything decides. Of a file that grew the last state is meant, but by a SHA-256. Raises
        :class:`NotInArchive`.
        """
        found = self._named(wanted)
        if not found:
            self.ask_elsewhere()
            found = self._named(wanted)
        now = self._current()
        found = found or [entry for entry in now if entry.session == wanted]
        if not found and is_date(wanted):
            found = [entry for entry in now if entry.day == wanted]
        if found:
            return distinct(found, self.sha256)
        # A file whose record is lost, and whose bytes another one has.
        same = {each.sha256 for each in self._listed.files.values() if wanted == each.name}
        for entry in reversed(self.entries if same else ()):
            with contextlib.suppress(DedupError):
                if self.sha256(entry) in same:
                    return [entry]
        raise next(iter(self.unasked()), None) or self._why_lost(wanted) or NotInArchive(wanted)

    def _named(self, wanted: str) -> list[Entry]:
        """Those of this name, or else with this SHA-256."""
        found = [
            each for each in self._current() if wanted in (each.name, each.plain_name, os.path.basename(each.name))
        ]
        if found or not is_hash(wanted):
            return found
        return [entry for entry in self.entries if self.sha256(entry).startswith(wanted.lower())]

    def unasked(self) -> list[DedupError]:
        """Why other archives could not be asked."""
        return [error for error in self.lost if not isinstance(error, ArchiveDamaged)]

    def _why_lost(self, wanted: str) -> Optional[DedupError]:
        """Why a file is not there that the archive took in, by its name, its session or the beginning of its SHA-256."""
        digits = wanted.lower() if is_hash(wanted) else "none"
        for each in self.missing():
            if wanted in (each.name, os.path.basename(each.name), each.session) or each.sha256.startswith(digits):
                return lost_error(each)
        return None

    def missing(self) -> list[Listed]:
        """The files that the archive took in and does not have any more, but for those that were given up."""
        self.ask_elsewhere()
        there = set()
        for entry in self.entries if self._listed.began else ():
            with contextlib.suppress(DedupError):  # one that cannot be read is none that is there
                there.add(self.sha256(entry))
        return self._listed.missing(there)

    def sessions(self) -> list[str]:
        """The sessions of all files, of those that are missing as well."""
        self.ask_elsewhere()
        every = [*(entry.session for entry in self.entries), *(each.session for each in self.missing())]
        return list(filter(None, every))

    def of_session(self, session: str) -> list[Entry]:
        """The files of a session, exports and transcripts. Raises :class:`NotInArchive`."""
        self.ask_elsewhere()
        found = [entry for entry in self._current() if entry.session == session]
        if not found:
            raise (
                next(iter(self.unasked()), None)
                or self._why_lost(session)
                or NotInArchive(f"a file of session {session}")
            )
        return distinct(found, self.sha256)

    def all(self) -> list[Entry]:
        """Every file; of those that grew the last state, which holds the ones before."""
        self.ask_elsewhere()
        return distinct(self._current(), self.sha256)

    def _current(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.place not in self._earlier]

    def sha256(self, entry: Entry) -> str:
        """The SHA-256 of a file, in 64 digits."""
        if entry.sha256 or entry.path is None:
            return entry.sha256
        return hashlib.sha256(read(entry.path)[0]).hexdigest()

    def parts(self, entry: Entry) -> Iterable[memoryview]:
        """The bytes of a file. Raises :class:`ArchiveDamaged` where they are not what was archived."""
        if entry.source is not None:
            return entry.source.parts(entry)
        if entry.path is not None:
            return [memoryview(read(entry.path)[0])]
        last = self._packs.file(
            bytes.fromhex(entry.sha256)
        )  # the same bytes were stored again where the first ones do not come back
        return self._packs.restore(max(last, entry.number))

    def is_at(self, entry: Entry, path: str) -> bool:
        """Whether a regular file with these bytes is at ``path``."""
        return not os.path.islink(path) and os.path.isfile(path) and _digest(path) == self.sha256(entry)

    def write(self, entry: Entry, path: str) -> bool:
        """Write a file to ``path`` with its modification time; False where it is there already, byte for byte.

        Raises :class:`OutputNotWritable` where something else is there, :class:`ArchiveDamaged` where the archive does not
        have the bytes any more; then nothing is written.
        """
        if os.path.lexists(path):
            if self.is_at(entry, path):
                return False
            raise OutputNotWritable(f"{path} exists and is another file")
        try:
            with atomic.replacing(path) as descriptor:
                for part in self.parts(entry):
                    atomic.write_all(descriptor, part)
            beneath.set_times(path, entry.mtime_ns)
        except (StoreNotWritable, OSError) as error:
            raise OutputNotWritable(error.detail if isinstance(error, DedupError) else f"{path}: {error}") from error
        return True


@contextlib.contextmanager
def opened(
    project: Project, elsewhere: Optional[Callable[[], Elsewhere]] = None, *, here: bool = True
) -> Iterator[ArchivedFiles]:
    """The archive of ``project``, locked where there is one and it can be; nothing is created where there is none.

    ``elsewhere`` gives what other archives have. Once it is asked others go on here: what is open stays readable. Not ``here``:
    only what they have.
    """
    if not here:
        with opened_packs("") as none:
            yield ArchivedFiles(project, none, elsewhere, here=False)
        return
    journal.recover(str(project.state))
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(contextlib.ExitStack())
        if os.path.isdir(project.archive):
            # An archive on a medium that cannot be written has nobody who writes to it.
            with contextlib.suppress(StoreNotWritable):
                held.enter_context(locking.exclusive(drop_folder.lock_path(str(project.archive))))
            drop_folder.recover(project)
        packs = stack.enter_context(opened_packs(places.packs_folder(project)))
        yield ArchivedFiles(project, packs, elsewhere, held.close)


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
