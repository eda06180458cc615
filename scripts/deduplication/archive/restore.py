"""Finds archived files, plain ones and packed ones alike, and writes them where they are wanted."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, Optional

from ..errors import ArchiveDamaged, DedupError, NotInArchive, OutputNotWritable, StoreNotWritable
from ..files import atomic, beneath, journal, locking
from ..files.safe_read import read
from ..packs.pack_set import opened_packs
from ..project.export_names import moment, session_id_from_name
from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern
from . import drop_folder, inventory, places, purged_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from ..packs.pack_set import Packs
    from ..project.paths import Project
    from .listed import Listed

_DATE: Final = late_pattern(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_HASH: Final = late_pattern(r"[0-9a-f]{8,64}\Z", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """One archived file. ``number`` is its number in the packs, -1 where it is the plain file at ``path``."""

    name: str
    session: str
    size: int
    mtime_ns: int
    sha256: str
    """64 digits; empty for a plain file, until it is asked for."""
    number: int = -1
    path: Optional[Path] = None

    @property
    def transcript(self) -> bool:
        """Whether it is one of the client's own files: its name is the path below the client's ``projects``."""
        return self.number >= 0 and "/" in self.name

    @property
    def plain_name(self) -> str:
        """The name without the client's folder."""
        return self.name.split("/", 1)[1] if self.transcript else self.name

    @property
    def day(self) -> str:
        """The day on which it was written, by its name or its time, in local time; ``no date`` outside every calendar."""
        try:
            written = datetime.fromtimestamp(moment(self.name, self.mtime_ns), timezone.utc).astimezone()
        except (ValueError, OverflowError, OSError):
            return "no date"
        return written.strftime("%Y-%m-%d")


class ArchivedFiles:
    """The archive of a project, to look up and take from; see :func:`opened`."""

    def __init__(self, project: Project, packs: Packs) -> None:
        self._packs = packs
        self.entries: list[Entry] = []
        self.purged = purged_files.load(str(project.archive))
        """Files that are not what was exported, by SHA-256: messages of theirs were purged."""
        self.lost: list[DedupError] = []
        """Files of which not even the name can be read: one error for each, or for each pack that is missing or unreadable."""
        self.lost += [ArchiveDamaged(f"{name}: none of its files can be restored") for name in packs.unreadable]
        self.lost += [
            ArchiveDamaged(f"{gap.end_file - gap.first_file:,} file(s) lay in a pack that is missing or cannot be read")
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
        for path, status in places.plain_files(project):
            session = session_id_from_name(path.name)
            self.entries.append(Entry(path.name, session, status.st_size, status.st_mtime_ns, "", path=path))
        self._earlier = _outgrown(self.entries)
        self._listed = inventory.load(str(project.state), str(project.archive))
        """What the archive took in, whatever is left of it."""

    def find(self, wanted: str) -> list[Entry]:
        """The files meant by a name, a session, a date (``YYYY-MM-DD``) or the first eight or more digits of a SHA-256.

        The first of these that fits anything decides. Of a file that grew the last state is meant, but by a SHA-256. Raises
        :class:`NotInArchive`.
        """
        now = self._current()
        ways: list[tuple[Callable[[Entry], bool], list[Entry]]] = [
            (lambda entry: wanted in (entry.name, entry.plain_name, os.path.basename(entry.name)), now)
        ]
        if _HASH.match(wanted.lower()):
            ways.append((lambda entry: self.sha256(entry).startswith(wanted.lower()), self.entries))
        ways.append((lambda entry: entry.session == wanted, now))
        if _DATE.match(wanted):
            ways.append((lambda entry: entry.day == wanted, now))
        for fits, among in ways:
            found = [entry for entry in among if fits(entry)]
            if found:
                return _distinct(found, self.sha256)
        # A file whose record is lost, and whose bytes another one has.
        same = {each.sha256 for each in self._listed.files.values() if wanted == each.name}
        for entry in reversed(self.entries if same else ()):
            with contextlib.suppress(DedupError):
                if self.sha256(entry) in same:
                    return [entry]
        raise self._why_lost(wanted) or NotInArchive(wanted)

    def _why_lost(self, wanted: str) -> Optional[DedupError]:
        """Why a file is not there that the archive took in, by its name, its session or the beginning of its SHA-256."""
        digits = wanted.lower() if _HASH.match(wanted.lower()) else "none"
        for each in self.missing():
            if wanted in (each.name, os.path.basename(each.name), each.session) or each.sha256.startswith(digits):
                return lost_error(each)
        return None

    def missing(self) -> list[Listed]:
        """The files that the archive took in and does not have any more, but for those that were given up."""
        there = set()
        for entry in self.entries if self._listed.began else ():
            with contextlib.suppress(DedupError):  # one that cannot be read is none that is there
                there.add(self.sha256(entry))
        return self._listed.missing(there)

    def of_session(self, session: str) -> list[Entry]:
        """The files of a session, exports and transcripts. Raises :class:`NotInArchive`."""
        found = [entry for entry in self._current() if entry.session == session]
        if not found:
            raise self._why_lost(session) or NotInArchive(f"a file of session {session}")
        return _distinct(found, self.sha256)

    def all(self) -> list[Entry]:
        """Every file; of those that grew the last state, which holds the ones before."""
        return _distinct(self._current(), self.sha256)

    def _current(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.number not in self._earlier]

    def sha256(self, entry: Entry) -> str:
        """The SHA-256 of a file, in 64 digits."""
        if entry.sha256 or entry.path is None:
            return entry.sha256
        return hashlib.sha256(read(entry.path)[0]).hexdigest()

    def parts(self, entry: Entry) -> Iterable[memoryview]:
        """The bytes of a file. Raises :class:`ArchiveDamaged` where they are not what was archived."""
        if entry.path is not None:
            return [memoryview(read(entry.path)[0])]
        return self._packs.restore(entry.number)

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
def opened(project: Project) -> Iterator[ArchivedFiles]:
    """The archive of ``project``, locked where there is one and it can be; nothing is created where there is none."""
    journal.recover(str(project.state))
    with contextlib.ExitStack() as stack:
        if os.path.isdir(project.archive):
            # An archive on a medium that cannot be written has nobody who writes to it.
            with contextlib.suppress(StoreNotWritable):
                stack.enter_context(locking.exclusive(drop_folder.lock_path(str(project.archive))))
            drop_folder.recover(project)
        yield ArchivedFiles(project, stack.enter_context(opened_packs(places.packs_folder(project))))


def lost_error(listed: Listed) -> ArchiveDamaged:
    """What there is to say of a file that the archive took in and does not have any more."""
    day = Entry(listed.name, listed.session, listed.size, listed.mtime_ns, listed.sha256).day
    return ArchiveDamaged(
        f"it was archived ({day}, {listed.size:,} bytes, SHA-256 {listed.sha256[:16]}…), and is not there",
        hint="'deduplicate_export.py repair' looks for another copy of it: in backups, in what Claude Code keeps, in exports/.",
    )


def names(entries: Sequence[Entry]) -> list[str]:
    """A file name for each, no two alike (``name-2.txt`` for the second), none of them leading anywhere."""
    taken: set[str] = set()
    chosen = []
    for entry in entries:
        name = re.sub(r"[/\\\0]", "-", entry.plain_name)
        name = "file" if name in ("", ".", "..") else name
        stem, ending = os.path.splitext(name)
        number = 1
        while name.casefold() in taken:
            number += 1
            while len(os.fsencode(f"{stem}-{number}{ending}")) > atomic.MAX_NAME_BYTES and stem:
                stem = stem[:-1]
            name = f"{stem}-{number}{ending}"
        taken.add(name.casefold())
        chosen.append(name)
    return chosen


def _outgrown(entries: Sequence[Entry]) -> set[int]:
    """The numbers of the client's files that a longer state of the same file came after. One that shrank later is kept."""
    last: dict[str, Entry] = {}
    outgrown = set()
    for entry in entries:
        if not entry.transcript:
            continue
        before = last.get(entry.name)
        if before is not None and before.size < entry.size:
            outgrown.add(before.number)
        last[entry.name] = entry
    return outgrown


def _distinct(entries: Sequence[Entry], sha256_of: Callable[[Entry], str]) -> list[Entry]:
    """Without those that have name and bytes of another one (a run that was killed leaves a plain file beside its pack)."""
    seen: set[tuple[str, str]] = set()
    often = Counter(entry.name for entry in entries)
    kept = []
    for entry in entries:
        if often[entry.name] > 1:
            key = (entry.name, sha256_of(entry))
            if key in seen:
                continue
            seen.add(key)
        kept.append(entry)
    return kept


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
