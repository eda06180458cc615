"""A session's transcript back where the client keeps it, with its sub-agents' files and the outputs that were put aside.

Nothing that is there is overwritten: whatever lies in a file's place with other bytes stops it before anything is written.
The files get the time of now, for the client deletes what was not written to for some weeks.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from typing import TYPE_CHECKING, Final

from ..errors import NotInArchive, OutputNotWritable, StoreNotWritable
from ..files import atomic, beneath
from ..project import client_transcripts
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from .entry import Entry
    from .restore import ArchivedFiles

_PLAIN: Final = late_pattern(r"[A-Za-z0-9._-]{1,255}\Z", re.ASCII)
"""Names that the client gives: none of them leads anywhere else, on any system."""


class RestoredSession(NamedTuple):
    """``files``: the name in the archive, the path, whether it was written now. ``directory``: where the session began, or ""."""

    files: list[tuple[str, str, bool]]
    directory: str


def to_client(shelf: ArchivedFiles, session: str) -> RestoredSession:
    """Put the files of a session back. Raises :class:`NotInArchive`, :class:`OutputNotWritable`, :class:`ArchiveDamaged`.

    The transcript comes last: the client sees a session once all that belongs to it is there.
    """
    found = [entry for entry in shelf.of_session(session) if entry.transcript]
    chosen: dict[str, Entry] = {}
    for entry in found:
        # Of a transcript that shrank, emptied in place for one, the longest state has the most of the session.
        if entry.name not in chosen or entry.size >= chosen[entry.name].size:
            chosen[entry.name] = entry
    main = [entry for entry in chosen.values() if entry.plain_name == f"{session}.jsonl"]
    if not main:
        raise NotInArchive(f"the transcript of session {session}")
    projects = client_transcripts.config_dir() / "projects"
    folder = main[-1].name.split("/")[0]
    rest = [entry for entry in chosen.values() if entry.name.split("/")[0] == folder and entry not in main]
    files = [(entry, _place(projects, entry)) for entry in (*rest, main[-1])]
    there = [_is_there(shelf, entry, path) for entry, path in files]
    written = []
    for (entry, path), is_there in zip(files, there):
        _remove_temporaries(path)
        if not is_there:
            _write(shelf, entry, path)
        written.append((entry.name, str(path), not is_there))
    return RestoredSession(written, client_transcripts.working_directory(files[-1][1]) or "")


def _place(projects: Path, entry: Entry) -> Path:
    parts = entry.name.split("/")
    if not all(_PLAIN.match(part) and part.strip(".") for part in parts):
        raise OutputNotWritable(f"{entry.name} is no name that the client gives")
    return projects.joinpath(*parts)


def _is_there(shelf: ArchivedFiles, entry: Entry, path: Path) -> bool:
    """Whether the file is there already, with these bytes; raises :class:`OutputNotWritable` where anything else is."""
    above = path.parent
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir():
        raise OutputNotWritable(f"{above} is no folder")
    if not os.path.lexists(path):
        return False
    if shelf.is_at(entry, str(path)):
        return True
    raise OutputNotWritable(
        f"{path} exists and is not what the archive has",
        hint="The client's own file stays as it is. To look at both: restore --session ID --output DIR/",
    )


def _remove_temporaries(path: Path) -> None:
    """What a run that was killed left of this file: whoever returns a session holds the archive's lock."""
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
            beneath.unlink(left)


def _write(shelf: ArchivedFiles, entry: Entry, path: Path) -> None:
    try:
        beneath.make_folders(path.parent, atomic.PRIVATE_DIRECTORY)
        with atomic.replacing(str(path), fresh=True) as descriptor:
            for part in shelf.parts(entry):
                atomic.write_all(descriptor, part)
    except StoreNotWritable as error:
        raise OutputNotWritable(error.detail) from error
    except OSError as error:
        raise OutputNotWritable(f"{path}: {error.strerror or error}") from error
