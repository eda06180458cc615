"""An archive brought into a database: what it does not have is sent; what packs have taken in, or a purge removed, goes there.

Nothing is removed before all that takes its place is there and the server has read it. What is gone on this machine, and was
neither taken in nor purged, stays in the database. Killed anywhere, the next exchange goes on with what is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from typing import TYPE_CHECKING, Final

from ..errors import DedupError, StoreLocked, StoreNotWritable
from ..figures.counted import counted
from ..files import atomic, locking
from ..files.clock import timestamp
from ..project import config
from ..project.paths import SENDING_LOCK
from ..start.late_dataclass import dataclass, field
from ..storage.database.archive_tables import ArchiveTables, State
from . import archive_state, fetched_folder, local_files, sent_note, team_folder
from .archive_state import ArchiveState, Held
from .local_files import Vanished
from .still_needed import still_needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..project.paths import Project
    from ..storage.database.archive_tables import ListLine, Published
    from ..storage.database.place import Place
    from .local_files import Found, Local
    from .sent_note import SentNote

_ROUNDS: Final = 20
"""Times that packs may be put together while one exchange is under way."""


@dataclass
class Sent:
    """``files`` and their bytes that were sent, objects that were ``removed`` there, and how many ``others`` this owner has.

    ``stays``: files that are on this machine alone; ``problems``: what went wrong, a line each.
    """

    files: int = 0
    size: int = 0
    removed: int = 0
    others: int = 0
    stays: list[Held] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def exchange(project: Project, place: Place, *, thorough: bool = False) -> Sent:
    """Have the archive of ``project`` in the database, too. Raises ``DatabaseError`` and the ``StoreError`` family, which is noted.

    ``thorough``: all that is there is read by the server, and what is damaged is sent once more.
    """
    folder = os.fspath(project.archive)
    if not os.path.isdir(folder):
        return Sent()
    with locking.exclusive(os.path.join(folder, SENDING_LOCK)):
        note = sent_note.read(folder)
        try:
            with contextlib.closing(ArchiveTables(place)) as tables:
                return _Exchange(project, tables, note, thorough=thorough).run()
        except DedupError as error:
            note.failure, note.failed_at = str(error), timestamp()
            with contextlib.suppress(StoreNotWritable):
                sent_note.write(folder, note)
            raise


class _Exchange:
    """One exchange of one archive, under its lock."""

    def __init__(self, project: Project, tables: ArchiveTables, note: SentNote, *, thorough: bool) -> None:
        self._project, self._tables, self._note = project, tables, note
        self._folder = os.fspath(project.archive)
        self._thorough = thorough
        settings = config.load(os.fspath(project.root))
        self._most = int(settings["archive_database_mb"] * 1_000_000)
        self._team = os.path.expanduser(settings["archive_folder"])
        self._done = Sent()

    def run(self) -> Sent:
        """Until nothing changed meanwhile."""
        for _ in range(_ROUNDS):
            self._done.stays, self._done.problems = [], []
            with contextlib.suppress(Vanished):
                self._once()
                return self._done
        raise StoreLocked(f"{self._folder}: its packs change all the time")

    def _once(self) -> None:
        local = local_files.look(self._project)
        self._tables.bring_up()
        before = self._said()
        after, sources = self._wanted(local, before)
        listed = hashlib.sha256(b"".join(line.entry for line in local.lines)).hexdigest()
        there = {held.object for held in before.files if not held.stays}
        damaged = there - set(self._tables.proven(there)) if self._thorough else set()
        new = {held.object: held for held in after.files if not held.stays and held.object in sources}
        new = {name: held for name, held in new.items() if self._thorough or name not in there}
        if new:
            coming = ArchiveState(before.files, socket.gethostname(), tuple(sorted(new)))
            self._say(coming, {})
            kept = {name for name, held in new.items() if self._send(held, sources[name], anew=name in damaged)}
            after = after._replace(files=tuple(self._as_kept(held, new, kept) for held in after.files))
        if new or after.files != before.files or before.coming or listed != self._note.listed:
            needed = {name: held.size for name, held in new.items() if held.object in after.objects()}
            self._publish(after, needed, local)
            self._note.listed = listed
        self._end(after)

    def _said(self) -> ArchiveState:
        """What this archive said last; nothing where it never did, or somebody else speaks for it."""
        note = self._note
        if not note.archive:
            note.begin()
        for state in self._tables.states():
            if state.archive == note.archive:
                sha256 = hashlib.sha256(state.data).hexdigest()
                if note.is_mine(state.number, sha256):
                    note.number, note.sha256 = state.number, sha256
                    return archive_state.decode(state.data)
                note.begin()  # the folder was copied, or put back from a backup
                return ArchiveState()
        note.number = sent_note.NONE
        return ArchiveState()

    def _wanted(self, local: Local, before: ArchiveState) -> tuple[ArchiveState, dict[str, Found]]:
        """What the archive is to say, and where the bytes of its objects are."""
        files: list[Held] = []
        sources: dict[str, Found] = {}
        kept = {held.sha256 for held in before.files if not held.stays}
        for found in local.files:
            held = local_files.held(found, self._note)
            if held is None:
                self._done.problems.append(f"{found.name} is damaged here, and was not sent")
                continue
            too_large = held.size > self._most and not self._team
            files.append(held._replace(stays=too_large and held.sha256 not in kept))
            sources[held.object] = found
        sent_note.keep_only(self._note, [found.key for found in local.files])
        files += still_needed(before.files, files, local, self._tables)
        return ArchiveState(tuple(files), socket.gethostname()), sources

    def _send(self, held: Held, found: Found, *, anew: bool) -> bool:
        """Have an object there; False where it has to stay here."""
        size, folder = self._tables.proven([held.object]).get(held.object, (-1, None))
        is_there = size == held.size and (folder is None or team_folder.has(folder, held.sha256, held.size))
        if is_there and not self._thorough:
            return True  # another archive has the same file
        parts = local_files.proven_parts(found, held.sha256)
        if held.size <= self._most or (is_there and folder is None):
            sent = self._tables.send(held.object, parts, anew=anew)
        else:
            team = self._team or folder or ""
            try:
                sent = team_folder.put(team, held.sha256, held.size, parts)
            except StoreNotWritable as error:
                self._done.problems.append(f"{held.name} stays here: {error}")
                return False
            if folder != team:
                self._tables.refer(held.object, held.size, held.sha256, team)
        self._done.size += sent
        self._done.files += bool(sent) or not is_there
        return True

    @staticmethod
    def _as_kept(held: Held, new: dict[str, Held], kept: set[str]) -> Held:
        return held._replace(stays=True) if held.object in new and held.object not in kept else held

    def _publish(self, after: ArchiveState, needed: dict[str, int], local: Local) -> None:
        def remove(name: str, folder: str) -> None:
            for each in filter(None, (self._team, folder)):
                team_folder.remove(each, name.rpartition("/")[2])

        done = self._say(after, needed, local.lines, archive_state.objects_in, remove)
        self._done.removed += done.removed
        if done.left:
            self._done.problems.append(
                f"{counted(done.left, 'file')} that no archive needs any more stay in the database: this user may not remove any"
            )
        if done.list_left:
            self._done.problems.append(
                "the list of archived files in the database has lines that are not in this one: this user may not remove them"
            )

    def _say(
        self,
        state: ArchiveState,
        needed: dict[str, int],
        lines: list[ListLine] | None = None,
        names_in: Callable[[bytes], Iterable[str]] | None = None,
        remove: Callable[[str, str], None] = lambda _name, _folder: None,
    ) -> Published:
        note, data = self._note, state.encode()
        note.said = hashlib.sha256(data).hexdigest()
        sent_note.write(self._folder, note)
        done = self._tables.publish(State(note.archive, note.number + 1, data), needed, lines, names_in, remove)
        if not done.is_ours:
            note.begin()
        if not done.is_ours or done.lacking:
            raise Vanished
        note.number, note.sha256 = note.number + 1, note.said
        return done

    def _end(self, after: ArchiveState) -> None:
        """Note what the database has now, and let go of fetched files that nobody has any more."""
        note = self._note
        note.have = [held.sha256 for held in after.files if not (held.stays or held.gone)]
        note.stays = [held.sha256 for held in after.files if held.stays]
        note.at, note.failure, note.failed_at = timestamp(), "", ""
        sent_note.write(self._folder, note)
        self._done.stays = [held for held in after.files if held.stays]
        atomic.remove_temporaries(os.path.join(self._folder, fetched_folder.NAME))
        states = self._tables.states()
        self._done.others = len(states) - 1
        used = {name.rpartition("/")[2] for state in states for name in archive_state.objects_in(state.data)}
        fetched_folder.keep_only(self._folder, used - {found[0] for found in note.hashes.values()})
