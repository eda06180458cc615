"""A file a checkpoint: only the messages that no file of the session before it has. Files are written once and never again."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from ..alignment.reading_order import ranges
from ..errors import SessionNotWritten, SessionUnknown, StoreNotWritable
from ..files import atomic
from ..model import LOCAL_COMMAND, PROMPT, counts
from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern
from . import footer
from .conversation import open_reading
from .header import checkpoint_header
from .markdown import Flow
from .names import ENDING
from .own_files import NO_FILE, named_like, remove
from .parts import Growing, Part
from .session_file import Written

if TYPE_CHECKING:
    from ..storage.contract import Store
    from .conversation import Reading
    from .markdown import Names
    from .redaction import Cleaner

_STAMP: Final = late_pattern(r"\.(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-(\d{1,9}))?\.md\Z")
_THROUGH: Final = late_pattern(rb'"through":(\d{1,15})[,}]')


def write(store: Store, session: str, folder: str, clean: Cleaner, names: Names) -> Written:
    """Write what is new of ``session`` to a file of its own in ``folder``; none where nothing is: ``files`` is empty then.

    Call it inside a transaction of the store, and under a lock of the folder. Raises :class:`SessionNotWritten`, and
    ``NotYetClean`` before anything is written.
    """
    reading = open_reading(store, session)
    if not len(reading):
        raise SessionUnknown(session)
    total = sum(count for kind, count in reading.counts().items() if counts(kind))
    try:
        through = _through(folder, session)
        positions = [position for position, number in enumerate(reading.order) if number > through]
        new = sum(counts(reading.kinds[reading.order[position]]) for position in positions)
        if not new:
            return Written("", total, 0, 0, ())
        for file in files_of(folder, session):
            if file.name != _renamed(file, names.own.stem):
                renew(store, folder, file, clean, names)
        path = _free(folder, f"{names.own.stem}.{datetime.now(timezone.utc):%Y-%m-%dT%H-%M-%SZ}")
        data = _document(reading, positions, clean, names, max(reading.order))
        clean.require()
        atomic.replace(path, data, mode=atomic.SHARED_FILE)
    except (StoreNotWritable, OSError) as error:
        raise SessionNotWritten(str(error)) from error
    return Written(path, total, new, 1, (path,), every=(path,))


@dataclass(frozen=True)
class CheckpointFile:
    """A file of a session: what it holds are the messages with numbers above ``after`` and up to ``through``."""

    name: str
    session: str
    after: int
    through: int


def files_of(folder: str, session: str) -> list[CheckpointFile]:
    """The files of a session in ``folder`` that are as we left them, the oldest first. Raises :class:`SessionNotWritten`."""
    result: list[CheckpointFile] = []
    through = -1
    for name in _in_order(folder, session):
        try:
            with atomic.open_regular(os.path.join(folder, name)) as file:
                data = file.read()
        except OSError as error:
            if error.errno in NO_FILE:
                continue
            raise SessionNotWritten(f"{name}: {error.strerror or error}") from error
        known = footer.proven(data)
        numbers = _THROUGH.findall(data)
        after = through
        if numbers:
            through = int(numbers[-1])
        if known is not None and known.said.get("session") == session and numbers:
            result.append(CheckpointFile(name, session, after, through))
    return result


def renew(store: Store, folder: str, file: CheckpointFile, clean: Cleaner, names: Names) -> None:
    """Write a file again from what is stored now of its messages, under the name of today; it goes where none of them is left.

    Call it as :func:`write`. Raises :class:`SessionNotWritten`.
    """
    reading = open_reading(store, file.session)
    positions = [at for at, number in enumerate(reading.order) if file.after < number <= file.through]
    name = _renamed(file, names.own.stem)
    try:
        if any(counts(reading.kinds[reading.order[at]]) for at in positions):
            data = _document(reading, positions, clean, names, file.through)
            clean.require()
            atomic.replace(os.path.join(folder, name), data, mode=atomic.SHARED_FILE)
            if name == file.name:
                return
        remove(folder, [file.name])
    except FileNotFoundError:
        return
    except (StoreNotWritable, OSError) as error:
        raise SessionNotWritten(str(error)) from error


def _renamed(file: CheckpointFile, stem: str) -> str:
    found = _STAMP.search(file.name)
    return file.name if found is None else stem + found[0]


def _in_order(folder: str, session: str) -> list[str]:
    """Files with a name that one of this session has, whatever it was called then, the oldest first."""
    found = [
        (match[1], int(match[2] or 1), name)
        for name, rest in named_like(folder, session)
        if (match := _STAMP.match(rest))
    ]
    return [name for _, _, name in sorted(found)]


def _through(folder: str, session: str) -> int:
    """The highest sequence number that a file of this session has, -1 where there is none.

    A file that somebody added to counts all the same: its messages were written.
    """
    for name in reversed(_in_order(folder, session)):
        try:
            with atomic.open_regular(os.path.join(folder, name)) as file:
                data = file.read()
        except OSError:
            continue
        known = footer.proven(data)
        if known is not None and known.said.get("session") != session:
            continue
        numbers = _THROUGH.findall(data)
        if numbers:
            return int(numbers[-1])
    return -1


def _free(folder: str, name: str) -> str:
    number, path = 1, os.path.join(folder, name + ENDING)
    while os.path.lexists(path):
        number += 1
        path = os.path.join(folder, f"{name}-{number}{ENDING}")
    return path


def _document(reading: Reading, positions: list[int], clean: Cleaner, names: Names, through: int) -> bytes:
    before = reading.counts(0, positions[0])
    growing = Growing([Part(flow=Flow(before[PROMPT] + before[LOCAL_COMMAND]))], 1 << 62, clean, names)
    for first, last in ranges(positions):
        growing.add(reading.entries(first, last + 1))
    part = growing.parts[0]
    head = checkpoint_header(names.own.shown, part.kinds, part.first, part.last)
    said: dict[str, Any] = {"session": reading.session, "through": through}
    return footer.sealed(head.encode("utf-8", "backslashreplace") + growing.added.get(0, b""), said)[0]
