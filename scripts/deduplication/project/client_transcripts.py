"""The client's own transcripts: where they lie, and which project each belongs to.

``<config>/projects/<folder>/<session>.jsonl``, those of sub-agents beside them (``agent-*.jsonl``, up to 2.0.76) or in
``<session>/subagents/``. The folder's name is the working directory with every other character as a dash: ambiguous, so the
lines themselves say where a session was at work.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD: Final = 256 * 1024
"""Bytes in which the first line with a working directory is looked for."""
_WORKING_DIRECTORY: Final = late_pattern(rb'"cwd": ?("(?:[^"\\]|\\.){1,4096}")(?=[,}])')
"""What follows tells a whole one from one in which a line was cut."""
_OTHER: Final = late_pattern(r"[^A-Za-z0-9]")


@dataclass(frozen=True)
class Transcript:
    """One transcript file as it was found; ``session`` is the name of the session whose conversation, or agents, it holds."""

    path: Path
    session: str
    size: int
    mtime_ns: int


def config_dir() -> Path:
    """The client's folder: ``CLAUDE_CONFIG_DIR``, or ``.claude`` in the home folder."""
    named = os.environ.get("CLAUDE_CONFIG_DIR")
    return Path(named) if named else Path(os.path.expanduser("~")) / ".claude"


def folder_name(directory: str) -> str:
    """The name of the folder in which the client keeps the sessions of a working directory."""
    return _OTHER.sub("-", directory)


def find_transcripts(project_root: Path | None = None, *, session: str | None = None) -> list[Transcript]:
    """All transcripts, oldest first; those of one project, with the folders below it, or of one session.

    A folder that cannot be read, or a file that goes away meanwhile, is passed over.
    """
    projects = config_dir() / "projects"
    prefix = folder_name(str(project_root)) if project_root is not None else ""
    found: list[Transcript] = []
    for folder in _folders(projects):
        if prefix and folder.name != prefix and not folder.name.startswith(f"{prefix}-"):
            continue
        here = [each for each in _in_folder(folder) if session in (None, each.session)]
        if project_root is not None:
            here = [each for each in here if lies_within(project_root, working_directory(each.path))]
        found += here
    return sorted(found, key=lambda each: (each.mtime_ns, str(each.path)))


def companions(transcript: Path) -> list[Path]:
    """What the client keeps in a folder beside a session's transcript: its sub-agents' files, outputs that it put aside.

    Regular files only, by name; a folder that is a link is not entered.
    """
    found: list[Path] = []
    for inside, names, files in os.walk(transcript.with_suffix("")):
        names.sort()
        places = (Path(inside, name) for name in sorted(files))
        found += [path for path in places if path.is_file() and not path.is_symlink()]
    return found


def files_of(found: Iterable[Transcript]) -> Iterator[tuple[Path, str, str]]:
    """Each file of these sessions once, with its :func:`place` and its session: those of one session one after the other."""
    seen: set[str] = set()
    for transcript in found:
        main = transcript.path.stem == transcript.session
        for path in (transcript.path, *(companions(transcript.path) if main else ())):
            name = place(path, transcript.session)
            if name not in seen:
                seen.add(name)
                yield path, name, transcript.session


def place(path: Path, session: str) -> str:
    """Where the client keeps a file of a session: the path below its ``projects``, with slashes.

    For a file that lies elsewhere, a copy for one, the folder is told by the working directory that its session names.
    """
    parts = path.parts
    at = parts.index(session, 1) if session in parts[1:-1] else len(parts) - 1
    folder, rest = Path(*parts[:at]), parts[at:]
    if os.path.realpath(folder.parent) == os.path.realpath(config_dir() / "projects"):
        return "/".join((folder.name, *rest))
    directory = working_directory(folder / f"{session}.jsonl") or working_directory(path)
    return "/".join((folder_name(directory) if directory else folder.name, *rest))


def session_of(path: Path) -> str:
    """The session whose conversation, or agents, a transcript holds, by its place and, for older agents' files, by its lines."""
    if path.parent.name == "subagents":
        return path.parent.parent.name
    return _session_in(path) if path.name.startswith("agent-") else path.stem


def working_directory(path: Path) -> str | None:
    """The first working directory that the lines of a transcript name; None where the beginning names none."""
    try:
        with path.open("rb") as file:
            match = _WORKING_DIRECTORY.search(file.read(_HEAD))
    except OSError:
        return None
    try:
        return str(json.loads(match.group(1))) if match else None
    except ValueError:
        return None


def _folders(projects: Path) -> Iterator[Path]:
    try:
        with os.scandir(projects) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return
    for name in names:
        yield projects / name


def _in_folder(folder: Path) -> Iterator[Transcript]:
    for path in _files(folder):
        found = _transcript(path, session_of(path))
        if found is not None:
            yield found
    with os.scandir(folder) as entries:
        sessions = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    for session in sessions:
        for path in _files(folder / session / "subagents"):
            found = _transcript(path, session)
            if found is not None:
                yield found


def _files(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                folder / entry.name
                for entry in entries
                if entry.name.endswith(".jsonl") and entry.is_file(follow_symlinks=False)
            )
    except OSError:
        return []


def _transcript(path: Path, session: str) -> Transcript | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return Transcript(path, session, status.st_size, status.st_mtime_ns)


def _session_in(path: Path) -> str:
    """The session that an agent's file of an older version names; the file's own name where it names none."""
    try:
        with path.open("rb") as file:
            match = re.search(rb'"sessionId": ?"([A-Za-z0-9._-]{1,100})"', file.read(_HEAD))
    except OSError:
        return path.stem
    return match.group(1).decode() if match else path.stem


def lies_within(root: Path, directory: str | None) -> bool:
    """Is this working directory the folder ``root``, or one below it? True where none is known."""
    if directory is None:
        return True  # nothing says otherwise, and the folder's name fits
    real = Path(os.path.realpath(directory))
    return real == root or root in real.parents
