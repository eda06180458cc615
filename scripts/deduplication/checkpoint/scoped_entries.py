"""What of ours may be in a commit: which files, with what content, and why others are left out.

A file of ours is committed as it lies on the disk. A file of the user's (the README) gets a *change*: it is applied to the
version in HEAD for the commit, and to the version in the index for the index, each by itself. So the commit has nothing of
the user's but what HEAD has, and what is staged or changed stays staged or changed, our lines aside.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Optional

from ..files import beneath
from ..git.plumbing import GitFailed
from ..start.late_dataclass import dataclass
from ..terminal.console import printable
from . import head_trees
from .new_objects import NewObjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..git.repository import Repository
    from .head_trees import HeadTrees

_SAFE: Final[int] = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))
_PLAIN: Final = ("100644", "100755")


@dataclass(frozen=True)
class Edit:
    """A change to a file of the user's: ``change`` makes new bytes of old ones, or None where there is nothing to change."""

    path: Path
    change: Callable[[bytes], Optional[bytes]]


@dataclass(frozen=True)
class Own:
    """A file of the commit: its path below the project, its ``mode,object`` in the commit and in HEAD (None: not there).

    It is empty for a file that goes.

    ``indexed`` and ``indexed_before`` are the same for the user's index, which differs from HEAD where something is staged.
    ``edit``: it is the user's, and belongs into the commit only as long as HEAD has the version that was changed.
    """

    path: str
    entry: str
    before: Optional[str]
    indexed: str
    indexed_before: Optional[str]
    edit: bool = False


@dataclass(frozen=True)
class Admitted:
    """What may be committed, and the paths of edits that no commit has yet, so that only the work tree can have them.

    ``head`` is HEAD as it was then, ``objects`` has what git does not have yet: it is to be written.
    """

    own: Sequence[Own]
    head: HeadTrees
    objects: NewObjects
    uncommitted: Sequence[Path] = ()


def admitted(
    repository: Repository,
    root: Path,
    files: Sequence[Path],
    edits: Sequence[Edit],
    notes: list[str],
    gone: Sequence[Path] = (),
) -> Admitted:
    """The files and edits that may be committed and are not yet; each of the others gets a note.

    An edit, and a file of ours that is ``gone``, goes along with a file of ours or not at all.
    """
    wanted = _wanted(repository, root, files, notes)
    if not wanted:
        return Admitted((), head_trees.NOTHING, NewObjects(repository.git, ()))
    edited = [path for reason, path in (_place(root, edit.path) for edit in edits) if not reason]
    left = [path for path in (_gone_place(root, file) for file in gone) if path and path not in wanted]
    head = head_trees.read(repository, [*wanted, *edited, *left])
    objects = NewObjects(repository.git, filter(None, [head.commit]))
    own = _changed(wanted, head, objects, notes)
    changed, uncommitted = _gone(repository, left, head) if own else [], []
    edits = edits if own else ()
    for edit in edits:
        reason, path = _place(root, edit.path)
        if reason:
            notes.append(f"left out: {printable(edit.path.name)} {reason}")
            continue
        try:
            outcome = _edited(repository, path, head.entries([path]).get(path), edit)
        except GitFailed as error:
            outcome = f"cannot be read: {error.said}"
        if outcome is None:
            uncommitted.append(edit.path)
            notes.append(f"left out: {printable(path)} is in no commit yet; the line is in your file")
        elif isinstance(outcome, str):
            if outcome:
                notes.append(f"left out: {printable(path)} {outcome}")
        else:
            changed.append(outcome)
    return Admitted([*own, *changed], head, objects, uncommitted)


def _gone_place(root: Path, file: Path) -> str:
    """The path below ``root`` of a file that is gone; empty where it is there, or lay elsewhere."""
    resolved = Path(os.path.realpath(file.parent)) / file.name
    return resolved.relative_to(root).as_posix() if root in resolved.parents and not os.path.lexists(file) else ""


def _gone(repository: Repository, paths: Sequence[str], head: HeadTrees) -> list[Own]:
    """Those of these files that HEAD has, and the user's index as HEAD has them: they go from both."""
    heads, indexed = head.entries(paths), in_index(repository, paths) if paths else {}
    return [
        Own(path, "", heads[path], "", heads[path])
        for path in paths
        if heads.get(path) == indexed.get(path) and path in heads
    ]


def _edited(repository: Repository, path: str, head: str | None, edit: Edit) -> Own | str | None:
    """The file with the change in HEAD's version and in the index's; why not (empty: nothing to change); None: not in HEAD."""
    git = repository.git
    listed, ignored = _listed(repository, [path])
    indexed = listed.get(path)
    if head is None:
        return "is ignored by git" if ignored else None
    if indexed is None or "conflict" in indexed:
        return "is deleted or in conflict in your index"
    if _to_be_added(repository, path):
        return "is only marked to be added in your index"
    if head.partition(",")[0] not in _PLAIN or indexed.partition(",")[0] not in _PLAIN:
        return "is no regular file in git"
    if not git.run("ls-files", "-v", "-z", "--", path).startswith(b"H "):
        return "is marked in your index as not to be looked at"
    attributes = os.fsdecode(git.run("check-attr", "-z", "filter", "--", path)).split("\0")
    if attributes[2] not in ("unspecified", "unset"):
        return "has a content filter"
    entry = _with_edit(repository, head, edit)
    if entry is None:
        return ""
    return Own(path, entry, head, (_with_edit(repository, indexed, edit) or indexed), indexed, edit=True)


def _to_be_added(repository: Repository, path: str) -> bool:
    """Whether the index has the file as "to be added one day" (``git add -N``): it has no content there."""
    options = ("--ita-invisible-in-index", "--diff-filter=A", "--name-only", "-z")
    return bool(repository.git.run("diff-files", *options, "--", path))


def _with_edit(repository: Repository, entry: str, edit: Edit) -> str | None:
    mode, _, oid = entry.partition(",")
    data = edit.change(repository.git.run("cat-file", "blob", oid))
    return None if data is None else f"{mode},{_store(repository, data)}"


def _store(repository: Repository, data: bytes) -> str:
    return repository.git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=data).decode("ascii").strip()


def _wanted(
    repository: Repository, root: Path, files: Sequence[Path], notes: list[str]
) -> dict[str, tuple[Path, Optional[str]]]:
    """The files that may be committed, by path, with what the index has of them; each of the others gets a note."""
    placed: dict[str, Path] = {}
    for file in files:
        reason, path = _place(root, file)
        if reason:
            notes.append(f"left out: {printable(file.name)} {reason}")
        else:
            placed[path] = file
    if not placed:
        return {}
    indexed, ignored = _listed(repository, placed)
    _leave_out(placed, ignored, "is ignored by git", notes)
    if placed and repository.required_filters:
        _leave_out(placed, _filtered(repository, placed), "needs a content filter, and checkpoints run none", notes)
    return {path: (file, indexed.get(path)) for path, file in placed.items()}


def _changed(
    wanted: dict[str, tuple[Path, Optional[str]]], head: HeadTrees, objects: NewObjects, notes: list[str]
) -> list[Own]:
    """The files that HEAD does not have as they are; a note for those of which the user has staged something."""
    heads = head.entries(wanted)
    _leave_out(
        wanted,
        [path for path, (_, indexed) in wanted.items() if indexed != heads.get(path)],
        "has staged changes of yours",
        notes,
    )
    changed = []
    for path, (file, _) in wanted.items():
        data, before = _content(file), heads.get(path)
        entry = f"100644,{objects.id_of(data)}"
        if entry != before:
            objects.add(data)
            changed.append(Own(path, entry, before, entry, before))
    if wanted and not changed:
        notes.append("nothing to commit: HEAD has these files already")
    return changed


def _place(root: Path, file: Path) -> tuple[str, str]:
    """Why a file cannot be ours (or ""), and its path below ``root`` with forward slashes."""
    resolved = Path(os.path.realpath(file.parent)) / file.name
    try:
        path = resolved.relative_to(root)
    except ValueError:
        return "lies outside the project", ""
    if file.is_symlink() or not file.is_file():
        return "is not a regular file", ""
    if any(part.lower() == ".git" for part in path.parts):
        return "lies in git's own folder", ""
    folder = resolved.parent
    while folder != root:
        if os.path.lexists(folder / ".git"):
            return "lies in another repository", ""
        folder = folder.parent
    return "", path.as_posix()


def _leave_out(wanted: dict[str, Any], which: Iterable[str], reason: str, notes: list[str]) -> None:
    refused = sorted(path for path in which if wanted.pop(path, None) is not None)
    notes += [f"left out: {printable(path)} {reason}" for path in refused]


def _listed(repository: Repository, paths: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """Mode and object of each path in the user's index, and those that git would refuse to add without force.

    Of a conflict the stages, too, so that it equals nothing. A tracked file is never ignored.
    """
    options = ("-z", "-t", "--stage", "--cached", "--others", "--exclude-standard")
    lines = [line for line in os.fsdecode(repository.git.run("ls-files", *options, "--", *paths)).split("\0") if line]
    others = {line[2:] for line in lines if line.startswith("? ")}
    indexed = _indexed(line[2:] for line in lines if not line.startswith("? "))
    return indexed, set(paths) - others - indexed.keys()


def _filtered(repository: Repository, paths: Iterable[str]) -> set[str]:
    """The files whose filter must not be left out (``filter.<driver>.required``)."""
    output = repository.git.run("check-attr", "-z", "--stdin", "filter", stdin=_zero_separated(paths))
    fields = os.fsdecode(output).split("\0")
    return {path for path, driver in zip(fields[::3], fields[2::3]) if driver in repository.required_filters}


def _zero_separated(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def in_index(repository: Repository, paths: Iterable[str]) -> dict[str, str]:
    """Mode and object of each path that the user's index has; of a conflict the stages too, so that it equals nothing."""
    lines = os.fsdecode(repository.git.run("ls-files", "--stage", "-z", "--", *paths)).split("\0")
    return _indexed(line for line in lines if line)


def _indexed(lines: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for facts, _, path in (line.partition("\t") for line in lines):
        mode, oid, stage = facts.split(" ")
        found[path] = f"{mode},{oid}" if stage == "0" else f"conflict {stage}"
    return found


def in_head(repository: Repository, paths: Iterable[str]) -> dict[str, str]:
    """Mode and object of each path that HEAD has."""
    try:
        lines = os.fsdecode(repository.git.run("ls-tree", "-z", "HEAD", "--", *paths)).split("\0")
    except GitFailed:
        if repository.head() is None:
            return {}
        raise
    found: dict[str, str] = {}
    for facts, _, path in (line.partition("\t") for line in lines if line):
        mode, _kind, oid = facts.split(" ")
        found[path] = f"{mode},{oid}"
    return found


def _content(file: Path) -> bytes:
    """The file's bytes as they are, through no filter. A link put in its place is refused."""
    descriptor = beneath.open_file(file, os.O_RDONLY | _SAFE)
    with open(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise GitFailed(f"{printable(file.name)} is no regular file any more")
        return opened.read()
