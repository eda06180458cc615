"""Where else something may be that was purged: what a purge cannot reach, each place named with what to do.

Git's history is the user's, the client's own files are the client's, and a copy that somebody made is wherever they put it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..archive import copies
from ..errors import DedupError, PurgeRefused
from ..figures.counted import counted
from ..files import atomic
from ..files.title_marks import without_titles
from ..git.plumbing import Git, GitFailed, find_executable
from ..project.paths import LOG_NAME
from ..start.late_dataclass import dataclass
from ..storage.log.log_copies import copies_in
from ..storage.log_backed import folder_of
from ..titles.slug import short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..project.paths import Project
    from ..storage.contract import Store
    from .plan import Plan

_MOST: Final = 64 * 1024 * 1024
"""Bytes of a file beyond which it is not looked through."""


def require_no_copies(folder: str, project: Project | None) -> None:
    """Raise ``PurgeRefused`` where another machine's log or pack waits to be taken in: what is purged would come back from it."""
    beside = [] if project is None else [*copies.of_packs(project), *copies.of_lists(project)]
    for name in (*copies_in(folder), *map(os.path.basename, beside)):
        hint = "Run 'deduplicate_export.py unite', which takes it in, then purge again."
        raise PurgeRefused(f"a copy that another machine left may have the same messages: {name}", hint=hint)


@dataclass(frozen=True)
class OtherPlace:
    """A place, and what to do about it."""

    what: str
    advice: str
    sha256: str = ""
    """Of a file that waits below ``MEMORY-CONTEXT``, where backups take it as it is."""


def other_places(project: Project | None, store: Store, plan: Plan, sessions: Iterable[str]) -> list[OtherPlace]:
    """Every place that is known or that has to be thought of. ``sessions`` are the names of session files that are made anew."""
    found: list[OtherPlace] = []
    if project is None:
        found.append(
            OtherPlace(
                "the archive and the session files of a project: --storage-dir names a store alone",
                "Purge with --project for those of a project.",
            )
        )
    else:
        found += _in_git(project, sessions)
        found += _documents(project, plan, set(sessions))
        found += _waiting(project, plan)
        found += _other_stores(project, store)
    found += _transcripts(store, plan)
    named = sorted(name for name in plan.conversations if plan.names and _derived(name, plan))
    found += [
        OtherPlace(f"the name of the conversation {name}", "It is made from a file's name and stays.") for name in named
    ]
    found.append(
        OtherPlace(
            "exports and copies that lie elsewhere, backups that export-dedup did not make",
            "Remove them where you put them; a disk may keep what was deleted until it is written over.",
        )
    )
    return found


def _derived(name: str, plan: Plan) -> bool:
    from ..project.export_names import session_id_from_name

    return any(session_id_from_name(file) == name for file in plan.names)


def _in_git(project: Project, names: Iterable[str]) -> list[OtherPlace]:
    """Session files that are in commits."""
    executable = find_executable()
    paths = [str(project.sessions / name) for name in names]
    if executable is None or not paths:
        return []
    try:
        git = Git(executable, Path(project.root))
        commits = git.run("log", "--all", "--format=%h", "--", *paths).split()
    except GitFailed:
        return []
    if not commits:
        return []
    what = (
        f"{counted(len(commits), 'commit')} of the project with these session files, the last one {commits[0].decode()}"
    )
    advice = "Commit the new files; rewriting history ('git filter-repo') and what was pushed are yours to decide."
    return [OtherPlace(what, advice)]


def _documents(project: Project, plan: Plan, ours: set[str]) -> list[OtherPlace]:
    """Checkpoints, reports and session files that somebody changed: ours no longer, or never of messages."""
    found = []
    for folder in (project.checkpoints, project.sessions, project.memory):
        for path in sorted(folder.glob("*")) if folder.is_dir() else ():
            made = path == project.status_log or (folder == project.sessions and path.name in ours)
            if path.is_file() and not path.is_symlink() and not made and _says(path, plan):
                found.append(
                    OtherPlace(project.relative(path), "Take it out yourself: this file is not made from messages.")
                )
    return found


def _says(path: Path, plan: Plan) -> bool:
    """Whether it says or names something that goes, besides titles, which the purge takes out."""
    data = without_titles(_bytes(path), map(short, plan.conversations))
    return bool(plan.probes.found_in(data) - plan.quoted_keys) or any(name.encode() in data for name in plan.names)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST:
            return b""
        with atomic.open_regular(str(path)) as file:
            return file.read()
    except OSError:
        return b""


def _sha256(path: Path) -> str:
    return hashlib.sha256(_bytes(path)).hexdigest()


def _waiting(project: Project, plan: Plan) -> list[OtherPlace]:
    """Exports that wait to be processed."""
    from ..archive.discovery import find_exports
    from ..errors import RestoredExport

    try:
        found = find_exports(project)
    except DedupError:
        return []
    restored = [each.path for each in found.refusals if isinstance(each.error, RestoredExport)]
    copies = [
        OtherPlace(f"{project.relative(path)}, restored from the archive", "Remove it.", _sha256(path))
        for path in restored
        if _says(path, plan)
    ]
    return copies + [
        OtherPlace(
            f"{project.relative(each.path)}, an export that is still to be processed",
            "The next run archives it without what was purged; or remove it.",
            _sha256(each.path),
        )
        for each in found.exports
        if _says(each.path, plan)
    ]


def _other_stores(project: Project, store: Store) -> list[OtherPlace]:
    """Stores beside the project's own one: made from exports, or moved aside."""
    backed = folder_of(store)
    own = os.path.realpath(backed.folder if backed is not None else project.state)
    return [
        OtherPlace(f"{project.relative(log.parent)}, another store", "Purge it with --storage-dir, or remove it.")
        for log in sorted(project.memory.glob(f"*/{LOG_NAME}"))
        if os.path.realpath(log.parent) != own
    ]


def _transcripts(store: Store, plan: Plan) -> list[OtherPlace]:
    """The client's own files of the sessions."""
    sources = sorted({cursor.source for name, cursor in store.cursors() if name in plan.conversations})
    return [
        OtherPlace(
            f"{source}, the client's own transcript", "Remove it yourself, or wait: the client deletes it in time."
        )
        for source in sources
        if os.path.lexists(source)
    ]
