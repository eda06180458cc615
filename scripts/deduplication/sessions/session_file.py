"""One session as Markdown files that grow: what stands in them stays, a new turn is put below it.

The first file has the head and the table of parts; where a part has become long, the next prompt begins another one. Before a
file is written to, its end proves that it is as we left it (``footer``); one that somebody changed is left alone, and the
session goes on in files of another name beside it. Where the order of reading changed, or something new stands between old
messages, the parts from there on are made anew. For a turn, the first file and the last part are written, whatever the length
of the session.

Nothing is read from the store but the order, and the bodies of what is written anew.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from ..errors import SessionNotWritten, SessionUnknown, StoreNotWritable
from ..files import atomic, beneath
from ..model import counts
from ..start.late_dataclass import dataclass, replace
from . import evidence as evidence_of
from . import footer
from .conversation import open_reading
from .facts import Facts, facts_of
from .header import Row, header, part_header
from .names import bases, file_of
from .own_files import own_files, remove
from .parts import Growing, Part, from_json

if TYPE_CHECKING:
    from ..storage.contract import Store
    from .conversation import Reading
    from .markdown import Names
    from .redaction import Cleaner

PART_BYTES: Final = 256 * 1024
"""A part that is longer ends before the next prompt; one that is half as long again, before the next message.

The first part, which is read first and written most often, has a quarter of it.
"""


@dataclass(frozen=True)
class Written:
    """What became of a session's files: the path of the first one, the messages in all of them, how many are new.

    ``files`` are those that were written, ``every`` those that there are now; ``untouched`` is a file that somebody changed, so
    that another name was taken.
    """

    path: str
    messages: int
    new: int
    parts: int
    files: tuple[str, ...]
    untouched: str | None = None
    every: tuple[str, ...] = ()


class _Taken(Exception):
    """A file that would have to be written to is not as we left it."""


def update(
    store: Store, session: str, folder: str, clean: Cleaner, names: Names, *, part_bytes: int = PART_BYTES
) -> Written:
    """Bring the files of ``session`` in ``folder``, which exists, up to the store.

    Call it inside a transaction of the store, and under a lock of the folder. Raises :class:`SessionNotWritten`, and
    ``NotYetClean`` before anything is written.
    """
    untouched: str | None = None
    for base in bases(names.own.stem):
        try:
            done = _Files(store, session, os.path.join(folder, ""), base, clean, names, part_bytes).update()
        except _Taken as taken:
            untouched = untouched or str(taken)
        except (StoreNotWritable, OSError) as error:
            raise SessionNotWritten(str(error)) from error
        else:
            former = own_files(folder, session, but=base)
            remove(folder, former.files)
            changed = next((os.path.join(folder, name) for name in former.changed), None)
            return replace(done, untouched=untouched or changed)
    raise SessionNotWritten(f"{folder}: every name for {session} is taken")


class _Files:
    """The files of one session under one name."""

    def __init__(
        self, store: Store, session: str, folder: str, base: str, clean: Cleaner, names: Names, limit: int
    ) -> None:
        self._store, self._session, self._prefix, self._base = store, session, folder, base
        self._clean, self._names, self._limit = clean, names, limit
        self._title = names.own.shown

    def update(self) -> Written:
        first = self._read(0)
        said = first.said if first is not None else {}
        listed = from_json(said.get("parts", []))
        if (
            said.get("v") != footer.VERSION
            or said.get("rules") != self._clean.rules
            or said.get("title") != self._title
        ):
            said = {}
        before = listed if said else []
        known = evidence_of.from_json(said.get("evidence", {})) if before else None
        reading = open_reading(self._store, self._session, known)
        kept = self._kept(before, reading)
        growing = Growing(
            [replace(part, kinds=dict(part.kinds)) for part in before[:kept]], self._limit, self._clean, self._names
        )
        begun = sum(part.count for part in growing.parts)
        growing.add(reading.entries(begun))
        if not growing.parts:
            raise SessionUnknown(self._session)
        new = sum(count for kind, count in reading.counts(begun).items() if counts(kind))
        texts = self._texts(before, growing, reading, first)
        written = self._write(growing.parts, texts, reading, first)
        self._remove(range(len(growing.parts), len(listed)))
        total = _facts(growing.parts, reading).messages
        every = tuple(self._path(position) for position in range(len(growing.parts)))
        return Written(every[0], total, new, len(every), tuple(written), every=every)

    def _path(self, position: int) -> str:
        return self._prefix + file_of(self._base, position + 1)

    def _read(self, position: int) -> footer.Proven | None:
        """A file of this session as we left it; None where there is none. Raises :class:`_Taken` for anything else."""
        path = self._path(position)
        try:
            with atomic.open_regular(path) as file:
                found = footer.proven(file.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _Taken(path) from error  # a link, a folder, no permission: not what we left there
        if found is None or found.said.get("session") != self._session or found.said.get("part") != position + 1:
            raise _Taken(path)
        return found

    def _kept(self, before: list[Part], reading: Reading) -> int:
        """How many parts from the first on still say what the reading says there, and are where they were."""
        start = 0
        for position, part in enumerate(before):
            end = start + part.count
            if (
                end > len(reading)
                or reading.digest(start, end) != part.digest
                or not os.path.lexists(self._path(position))
            ):
                return position
            start = end
        return len(before)

    def _texts(
        self, before: list[Part], growing: Growing, reading: Reading, first: footer.Proven | None
    ) -> dict[int, bytes]:
        """The text below the head of every part whose file has to be written, by position."""
        last = len(growing.parts) - 1
        changed = {position for position, part in enumerate(growing.parts) if part.following != (position < last)}
        changed.update(growing.added)
        texts = {position: self._text(position, before, growing, reading, None) for position in sorted(changed - {0})}
        texts[0] = self._text(0, before, growing, reading, first)
        return texts

    def _text(
        self, position: int, before: list[Part], growing: Growing, reading: Reading, first: footer.Proven | None
    ) -> bytes:
        part, added = growing.parts[position], growing.added.get(position, b"")
        old = part.size - len(added)
        found = first or self._read(position)  # also where nothing of it is used: it will be written over
        if not old:
            return added
        if found is not None and (position == 0 or found.checksum == before[position].checksum):
            return found.text[len(found.text) - old :] + added
        # The file is another one of ours, or of a run that was cut off: what stood in it is written anew.
        start = sum(each.count for each in growing.parts[:position])
        again = Growing(
            [Part(flow=growing.parts[position - 1].flow.in_a_new_part())], self._limit * 100, self._clean, self._names
        )
        again.add(reading.entries(start, start + part.count))
        part.size = again.parts[0].size
        return again.added[0]

    def _write(
        self, parts: list[Part], texts: dict[int, bytes], reading: Reading, first: footer.Proven | None
    ) -> list[str]:
        """Write every text, the first part last: its end vouches for the others."""
        start = 0
        for position, part in enumerate(parts):
            if position in texts:
                part.digest = reading.digest(start, start + part.count)
                part.following = position + 1 < len(parts)
            start += part.count
        rows = [_row(part, file_of(self._base, number)) for number, part in enumerate(parts, 1)]
        names = {number: row.name for number, row in enumerate(rows, 1)}
        written: list[str] = []
        above = header(_facts(parts, reading), rows, self._clean, self._names)
        self._clean.require()
        for position in sorted(texts, reverse=True):
            said: dict[str, Any] = {"session": self._session, "part": position + 1}
            if position:
                head = part_header(self._title, position + 1, rows[position], names)
            else:
                head = above
                said.update(
                    v=footer.VERSION,
                    rules=self._clean.rules,
                    title=self._title,
                    parts=[part.as_json() for part in parts],
                )
                said.update(evidence=reading.evidence.as_json())
            text = head.encode("utf-8", "backslashreplace") + texts[position]
            data, checksum = footer.sealed(text, said)
            if not position and written:
                atomic.sync_directory(
                    os.path.dirname(self._prefix)
                )  # the others have their names before it vouches for them
            if position:
                parts[position].checksum = checksum
            elif first is not None and first.text == text and _without_place(first.said) == _without_place(said):
                continue
            # After a power cut the file may be the old one: the next run adds what it lacks. A new one has to be there.
            new = not position and not os.path.lexists(self._path(0))
            atomic.replace(self._path(position), data, mode=atomic.SHARED_FILE, durable=new, whole=True)
            written.append(self._path(position))
        return written

    def _remove(self, positions: range) -> None:
        """Parts that there no longer are; one that somebody changed stays."""
        for position in positions:
            with contextlib.suppress(_Taken):
                if self._read(position) is not None:
                    beneath.unlink(self._path(position))


def _row(part: Part, name: str) -> Row:
    messages = sum(count for kind, count in part.kinds.items() if counts(kind))
    return Row(name, messages, part.first, part.last, part.title)


def _without_place(said: dict[str, Any]) -> dict[str, Any]:
    """What a last line says, but for how far the log was read: other conversations go on, too."""
    evidence = {key: value for key, value in said.get("evidence", {}).items() if key not in ("position", "seal")}
    return {**said, "evidence": evidence}


def _facts(parts: list[Part], reading: Reading) -> Facts:
    kinds: Counter[str] = Counter()
    for part in parts:
        kinds.update(part.kinds)
    first = min((part.first for part in parts if part.first), default="")
    return facts_of(reading, first, max((part.last for part in parts), default=""), kinds)
