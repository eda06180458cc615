"""The archive of an owner as rows: which files it took in (``archived_files``), and bytes of files (``archive_objects``).

An *object* is the bytes of one file, by their SHA-256, in parts; or, where they lie in a folder, the name of that folder. A *state*
of an archive says what it has; of each archive the one with the highest number counts, and whatever no such state refers to may go.
Each archive numbers the lines of its list for itself: a store on several machines has several archives.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, Optional

from ...start.late_tuple import NamedTuple
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from psycopg import Connection

    from .place import Place

PART: Final = 4 * 1024 * 1024
"""Bytes of a part of an object; the last one has fewer. So many are in memory at a time."""
OBJECT: Final = "object/"
STATE: Final = "archive/"
"""How the names of objects and of states begin: the SHA-256 follows, or the archive's id."""

_OF: Final = "FROM archive_objects WHERE conversation_id = '' AND owner = %s"
_LATEST: Final = f"SELECT DISTINCT ON (name) name, part, data {_OF} AND name LIKE 'archive/%%' ORDER BY name, part DESC"
_LAST: Final = f"SELECT part, sha256 {_OF} AND name = %s ORDER BY part DESC LIMIT 1"
_PARTS: Final = f"SELECT part, size, sha256, place {_OF} AND name = %s ORDER BY part"
_DATA: Final = f"SELECT data {_OF} AND name = %s AND part = %s"
_PUT: Final = """
INSERT INTO archive_objects (conversation_id, owner, name, part, size, sha256, data, place)
VALUES ('', %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_DROP: Final = f"DELETE {_OF} AND name = %s AND part = ANY(%s)"
_DROP_ALL: Final = f"DELETE {_OF} AND name = ANY(%s)"
_PROVEN: Final = f"""
SELECT name, sum(size)::bigint, max(place) {_OF} AND name = ANY(%s) GROUP BY name
HAVING count(*) = max(part) + 1
    AND bool_and(place IS NOT NULL OR (length(data) = size AND encode(sha256(data), 'hex') = sha256))
"""
_UNUSED: Final = f"SELECT DISTINCT name, place {_OF} AND name LIKE 'object/%%' AND name <> ALL(%s)"
_MAY_DROP: Final = (
    "SELECT has_table_privilege('archive_objects', 'DELETE'), has_table_privilege('archived_files', 'DELETE')"
)
_ALONE: Final = (
    "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || %s || '.export-dedup archive', 0))"
)
"""One at a time says what an owner's archives have, and removes what none of them has."""

_LISTED: Final = "FROM archived_files WHERE owner = %s AND position >= %s AND position < %s"
_LIST_NOW: Final = f"""
SELECT count(*), encode(sha256(coalesce(string_agg(entry, ''::bytea ORDER BY position), ''::bytea)), 'hex'),
    coalesce(max(position) + 1, %s)
{_LISTED}
"""
_LIST_ADD: Final = """
INSERT INTO archived_files (conversation_id, owner, name, entry, position)
SELECT line.conversation_id, %s, line.name, line.entry, %s + line.number - 1
FROM unnest(%s::text[], %s::text[], %s::bytea[]) WITH ORDINALITY AS line (conversation_id, name, entry, number)
"""
_LIST_ALL: Final = "SELECT position, entry FROM archived_files WHERE owner = %s ORDER BY position"
_SESSIONS: Final = """
SELECT DISTINCT ON (export_sha256) export_sha256, conversation_id FROM runs WHERE owner = %s AND export_sha256 = ANY(%s)
ORDER BY export_sha256, log_start DESC
"""


class Part(NamedTuple):
    """A part of an object: ``size`` and ``sha256`` of its bytes; ``place``: the folder in which they lie, None: in the row."""

    number: int
    size: int
    sha256: str
    place: Optional[str]


class State(NamedTuple):
    """What an archive says that it has; ``number`` -1: nothing yet."""

    archive: str
    number: int
    data: bytes


class ListLine(NamedTuple):
    """A line of a list of archived files."""

    session: str
    name: str
    entry: bytes


class Published(NamedTuple):
    """What came of it. ``is_ours`` False: somebody else says what this archive has. ``lacking``: objects that are not there.

    ``left``: objects that no archive has any more, and that this user may not remove. ``list_left``: the list has lines that the
    archive's has not.
    """

    is_ours: bool = True
    lacking: frozenset[str] = frozenset()
    removed: int = 0
    left: int = 0
    list_left: bool = False


class ArchiveTables:
    """Those of the owner at ``place``. What is asked inside of :meth:`snapshot` is told from one moment."""

    def __init__(self, place: Place) -> None:
        self._session = Session(place)
        self.snapshot = self._session.reading
        """A context; False where no store was ever made in the database."""
        self.bring_up = self._session.bring_up
        self.close = self._session.close

    def __str__(self) -> str:
        return str(self._session)

    @property
    def owner(self) -> str:
        """To whom the archive belongs."""
        return self._session.owner

    # -- what there is ---------------------------------------------------------------------------------------------

    def states(self) -> list[State]:
        """The state of each archive."""
        return [_state(row) for row in self._session.rows(_LATEST, [self.owner])]

    def parts(self, name: str) -> list[Part]:
        """The parts of an object, in order, as far as they are there."""
        return [Part(*row) for row in self._session.rows(_PARTS, [self.owner, name])]

    def data(self, name: str, part: int) -> bytes:
        """The bytes of a part, unchecked; none where it is gone."""
        found = self._session.rows(_DATA, [self.owner, name, part])
        return bytes(found[0][0] or b"") if found else b""

    def proven(self, names: Iterable[str]) -> dict[str, tuple[int, str | None]]:
        """Of those objects that are there whole, as the server itself has read them, their bytes and their folder."""
        asked = [self.owner, list(names)]
        return {name: (size, folder) for name, size, folder in self._session.rows(_PROVEN, asked)}

    def lists(self) -> Iterator[tuple[str, bytes]]:
        """The lines of all lists, each with the id of its archive."""
        for position, entry in self._session.rows(_LIST_ALL, [self.owner]):
            yield f"{position >> 32:08x}", bytes(entry)

    def sessions(self, hashes: Sequence[str]) -> dict[str, str]:
        """The conversation of each export of which the log tells."""
        return dict(self._session.rows(_SESSIONS, [self.owner, list(hashes)]))

    # -- what is sent ----------------------------------------------------------------------------------------------

    def send(self, name: str, parts: Iterable[bytes], *, anew: bool = False) -> int:
        """Have an object there, part by part; those that are there stay, but for ``anew``. Bytes that were sent.

        Killed, it goes on the next time.
        """
        known = {part.number: part._replace(size=-1) if anew else part for part in self.parts(name)}
        sent = number = 0
        for number, data in enumerate(parts, start=1):
            sha256 = hashlib.sha256(data).hexdigest()
            before = known.pop(number - 1, None)
            if before is None or (before.size, before.sha256, before.place) != (len(data), sha256, None):
                self.put(name, number - 1, data, sha256)
                sent += len(data)
        if known:
            self._session.repeated(lambda connection: connection.execute(_DROP, [self.owner, name, list(known)]))
        return sent

    def put(self, name: str, number: int, data: bytes, sha256: str) -> None:
        """Have a part there, whatever was in its place."""

        def make(connection: Connection[Any]) -> None:
            row = [self.owner, name, number, len(data), sha256, data, None]
            if not connection.execute(_PUT, row).rowcount:
                with connection.transaction():
                    connection.execute(_DROP, [self.owner, name, [number]])
                    connection.execute(_PUT, row)

        self._session.repeated(make)

    def refer(self, name: str, size: int, sha256: str, folder: str) -> None:
        """Have an object there whose bytes lie in a folder."""
        row = [self.owner, name, 0, size, sha256, None, folder]

        def make(connection: Connection[Any]) -> None:
            with connection.transaction():
                connection.execute(_DROP_ALL, [self.owner, [name]])
                connection.execute(_PUT, row)

        self._session.repeated(make)

    def publish(
        self,
        state: State,
        needed: Mapping[str, int],
        lines: Sequence[ListLine] | None = None,
        names_in: Callable[[bytes], Iterable[str]] | None = None,
        remove: Callable[[str, str], None] = lambda _name, _folder: None,
    ) -> Published:
        """Say what an archive has from now on, where all that is ``needed`` is there whole (names of objects, and their bytes).

        ``lines``: its list. ``names_in`` gives the objects to which a state refers: with it all goes to which none does any more,
        ``remove`` is told of those in folders. All of it or nothing; done twice it is what it was.
        """

        def make(connection: Connection[Any]) -> Published:
            with connection.transaction():
                return self._publish(connection, state, needed, lines, names_in, remove)

        return self._session.repeated(make)

    def _publish(
        self,
        connection: Connection[Any],
        state: State,
        needed: Mapping[str, int],
        lines: Sequence[ListLine] | None,
        names_in: Callable[[bytes], Iterable[str]] | None,
        remove: Callable[[str, str], None],
    ) -> Published:
        connection.execute(_ALONE, [self.owner])
        name, sha256 = STATE + state.archive, hashlib.sha256(state.data).hexdigest()
        last = connection.execute(_LAST, [self.owner, name]).fetchone() or (-1, "")
        if last[0] >= state.number and last != (state.number, sha256):
            return Published(is_ours=False)
        rows = connection.execute(_PROVEN, [self.owner, list(needed)]).fetchall()
        there = {found: size for found, size, _ in rows}
        lacking = frozenset(each for each, size in needed.items() if there.get(each) != size)
        if lacking:
            return Published(lacking=lacking)
        row = [self.owner, name, state.number, len(state.data), sha256, state.data, None]
        connection.execute(_PUT, row)
        may_drop, may_drop_lines = connection.execute(_MAY_DROP).fetchone() or (False, False)
        list_left = lines is not None and self._list(connection, state.archive, lines, may_drop=may_drop_lines)
        done = Published(list_left=list_left)
        if names_in is not None:
            if may_drop:
                connection.execute(f"DELETE {_OF} AND name = %s AND part < %s", [self.owner, name, state.number])
            with connection.cursor(binary=True) as cursor:
                states = [_state(each) for each in cursor.execute(_LATEST, [self.owner]).fetchall()]
            used = {each for one in states for each in names_in(one.data)}
            unused = connection.execute(_UNUSED, [self.owner, list(used)]).fetchall()
            if not may_drop:
                return done._replace(left=len(unused))
            for each, folder in unused:
                if folder is not None:
                    remove(each, folder)
            gone = [each for each, _ in unused]
            connection.execute(_DROP_ALL, [self.owner, gone])
            done = done._replace(removed=len(gone))
        return done

    def _list(self, connection: Connection[Any], archive: str, lines: Sequence[ListLine], *, may_drop: bool) -> bool:
        """Have the list of an archive there. Whether there are lines in it that are not among these, and have to stay."""
        begins = int(archive, 16) << 32
        reach = [self.owner, begins, begins + (1 << 32)]
        count, sha256, end = connection.execute(_LIST_NOW, [begins, *reach]).fetchone() or (0, "", begins)
        left = False
        new = lines[count:]
        if hashlib.sha256(b"".join(line.entry for line in lines[:count])).hexdigest() != sha256:
            if may_drop:
                connection.execute(f"DELETE {_LISTED}", reach)
                new, end = lines, begins
            else:
                left = True
                with connection.cursor(binary=True) as cursor:
                    rows = cursor.execute(f"SELECT entry {_LISTED}", reach).fetchall()
                there = {bytes(entry) for (entry,) in rows}
                new = [line for line in lines if line.entry not in there]
        if new:
            columns = [[line[at] for line in new] for at in range(3)]
            connection.execute(_LIST_ADD, [self.owner, end, *columns])
        return left


def _state(row: Sequence[Any]) -> State:
    return State(row[0][len(STATE) :], row[1], bytes(row[2] or b""))
