"""The private folder stays private: its modes, and that git neither has it nor would take it. Looked at before each run."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Final

from ..errors import StoreNotWritable, StoreTracked
from ..figures.counted import counted
from ..files import atomic, beneath
from ..git.plumbing import Git, GitFailed, find_executable, work_tree_above
from .own_place import IGNORES_ALL, require_inside
from .paths import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .paths import Project

PRIVATE: Final = ("dedup_state", "exports", "exports-archive", "export-dedup-status.txt")
"""What of ``MEMORY-CONTEXT/`` is for the user alone; the rest is for the repository."""
_OTHERS: Final = 0o077
_IGNORE: Final = ".gitignore"
_MOST: Final = 1_000_000
"""Bytes of the user's own that are looked at."""


def secure(folder: Path) -> list[str]:
    """Make the store in ``folder`` private where it was not; what was corrected, one line each.

    Modes become 0700 and 0600. Raises :class:`StoreTracked` where git tracks a file in it: what was said may be in
    commits, and only a person can judge what that means. A folder that does not exist is private; one of somebody else
    is left alone (the store refuses it), and so is one behind a link. Raises ``UnsafePath`` where a link leads out of the project.
    """
    require_inside(os.fspath(folder))
    if not folder.is_dir():
        return []
    real = os.path.realpath(folder)
    listed = _in_git(real)
    tracked = sorted(path for tag, path in listed if tag != "?" and path != _IGNORE)
    if tracked:
        more = f" and {len(tracked) - 1:,} more" if len(tracked) > 1 else ""
        raise StoreTracked(f"{os.path.join(os.fspath(folder), tracked[0])}{more}")
    if real != os.path.abspath(folder):
        return []  # a link may lead to anything, and a stranger's project may bring one
    notes = []
    loose = sum(_close(path, mode) for path, mode in _entries(real))
    if loose:
        notes.append(
            f"others could read {counted(loose, 'file or folder', 'files or folders')} of the message store; now only you can"
        )
    if any(tag == "?" and path != _IGNORE for tag, path in listed):
        try:
            atomic.replace(os.path.join(real, _IGNORE), IGNORES_ALL, durable=False)
            notes.append("git would have taken the message store into a commit; it is ignored now")
        except StoreNotWritable:
            notes.append("git would take the message store into a commit: add it to your .gitignore")
    return notes


def hide_from_git(project: Project) -> None:
    """Have git ignore what is private in ``MEMORY-CONTEXT/`` of a project that nothing was installed into, as an installation does.

    In a file of our own, which ignores itself: the user's own ``.gitignore`` stays as it is. One that is there already is
    somebody's decision, and stays, too.
    """
    ignore = os.path.join(project.memory, _IGNORE)
    if os.path.lexists(ignore) or not project.memory.is_dir() or not work_tree_above(str(project.root)):
        return
    try:
        with atomic.open_regular(os.path.join(project.root, _IGNORE), follow=True) as file:
            is_installed = f"/{MEMORY}/{PRIVATE[0]}/".encode() in file.read(_MOST).split()
    except OSError:
        is_installed = False
    if is_installed:
        return
    lines = ["# What was said stays on this machine (export-dedup).", *(f"/{name}" for name in (_IGNORE, *PRIVATE))]
    with contextlib.suppress(StoreNotWritable):  # the doctor says what git would take
        atomic.remove_temporaries(str(project.memory), (_IGNORE,))  # of one who was killed; git would show it
        atomic.replace(ignore, "\n".join([*lines, ""]).encode(), durable=False)


def _entries(folder: str) -> Iterator[tuple[str, int]]:
    """Everything in the folder and itself, with the mode it should have; links are not followed."""
    yield folder, atomic.PRIVATE_DIRECTORY
    for place, folders, names in os.walk(folder):
        yield from ((os.path.join(place, name), atomic.PRIVATE_DIRECTORY) for name in folders)
        yield from ((os.path.join(place, name), atomic.PRIVATE_FILE) for name in names if name != _IGNORE)


def _close(path: str, mode: int) -> bool:
    """Take from others what they may; True where there was something to take."""
    if os.name == "nt":
        return False
    try:
        status = os.lstat(path)
        right_kind = stat.S_ISDIR if mode == atomic.PRIVATE_DIRECTORY else stat.S_ISREG
        if not right_kind(status.st_mode) or not status.st_mode & _OTHERS or status.st_uid != os.geteuid():
            return False
        beneath.chmod(path, mode)
    except OSError:
        return False  # gone meanwhile, or on a file system without modes
    return True


def _in_git(folder: str) -> list[tuple[str, str]]:
    """What git tracks in ``folder`` (``H`` and other letters) and what it would take (``?``); nothing without a repository."""
    executable = find_executable() if work_tree_above(folder) else None
    if executable is None:
        return []
    from pathlib import Path

    try:
        output = Git(executable, Path(folder)).run(
            "ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard", "--", "."
        )
    except GitFailed:
        return []  # a repository that git itself will not touch commits nothing
    return [(line[0], line[2:]) for line in os.fsdecode(output).split("\0") if line]
