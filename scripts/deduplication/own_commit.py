"""One commit of only our own files, beside the user's index and work tree.

The commit is built from HEAD's tree in a private index: ``hash-object --no-filters``, ``update-index --cacheinfo``,
``write-tree``, ``commit-tree`` (which runs no hook and, unlike ``git commit``, obeys no ``commit.gpgSign``), then
``update-ref`` as compare-and-swap. What the user has staged is in none of this, so it stays staged and uncommitted.

**The user's index gets exactly our entries and nothing else** (as ``git commit --only`` does it). Without them git
would show each committed file as deleted, and the user's next commit would delete it. They are entered *before* the
branch moves: a crash between the two leaves our file staged as new, which loses nothing; the other order would leave
it staged as deleted. Where the index stays locked, nothing is committed; where the branch cannot be moved, the
entries are taken back. A file of ours that the user has staged differently, or whose content filter is ``required``
(encryption), is left out: the one is the user's, and committing the other unfiltered would publish what is to be hidden.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .console import printable
from .git import GitFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .repository import Repository

LOCK_WAIT: Final = 5.0
"""Seconds to wait for the user's index, and for the branch, while another git uses them."""
_POLL: Final = 0.05
_SAFE: Final[int] = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))


@dataclass(frozen=True)
class Outcome:
    """The new commit's full name, or None; and whatever the user should know, one line each."""

    commit: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Own:
    """A file of ours: its path below the project, and its ``mode,object`` now and in HEAD (None: not there)."""

    path: str
    entry: str
    before: str | None


def commit_only(repository: Repository, root: Path, files: Sequence[Path], message: str) -> Outcome:
    """Commit ``files`` (below ``root``, the resolved project folder) as they are on disk now, and nothing else.

    Every failure of git ends up in the notes; whatever happens, the user's staged changes are as before.
    """
    operation = repository.operation()
    if operation:
        return Outcome(None, (f"not committed: a {operation} is in progress",))
    notes: list[str] = []
    try:
        commit = _commit(repository, _admitted(repository, root, files, notes), message)
    except GitFailed as error:
        return Outcome(None, (*notes, f"not committed: {error.said}"))
    except OSError as error:
        return Outcome(None, (*notes, f"not committed: {printable(str(error))}"))
    if commit and repository.identity:
        notes.append("committed under a stand-in name: git knows no user.name or user.email here")
    return Outcome(commit, tuple(notes))


def _admitted(repository: Repository, root: Path, files: Sequence[Path], notes: list[str]) -> list[_Own]:
    """The files that may be committed and are not yet; each of the others gets a note."""
    wanted: dict[str, Path] = {}
    for file in files:
        reason, path = _place(root, file)
        if reason:
            notes.append(f"left out: {printable(file.name)} {reason}")
        else:
            wanted[path] = file
    if wanted:
        _leave_out(wanted, _ignored(repository, wanted), "is ignored by git", notes)
    if wanted and repository.required_filters:
        _leave_out(wanted, _filtered(repository, wanted), "needs a content filter, and checkpoints run none", notes)
    if not wanted:
        return []
    indexed, in_head = _in_index(repository, wanted), _in_head(repository, wanted)
    staged = {path for path in wanted if indexed.get(path) != in_head.get(path)}
    _leave_out(wanted, staged, "has staged changes of yours", notes)
    own = [_Own(path, _blob(repository, file), in_head.get(path)) for path, file in wanted.items()]
    changed = [one for one in own if one.entry != one.before]
    if own and not changed:
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


def _leave_out(wanted: dict[str, Path], which: Iterable[str], reason: str, notes: list[str]) -> None:
    refused = sorted(path for path in which if wanted.pop(path, None) is not None)
    notes += [f"left out: {printable(path)} {reason}" for path in refused]


def _ignored(repository: Repository, paths: Iterable[str]) -> set[str]:
    """What git would refuse to add without force; a tracked file is never ignored."""
    # This one command refuses literal pathspecs; "./" keeps a name that begins with ":" from being magic.
    named = _zero_separated(f"./{path}" for path in paths)
    try:
        output = repository.git.run("check-ignore", "-z", "--stdin", stdin=named, extra={"GIT_LITERAL_PATHSPECS": "0"})
    except GitFailed as error:
        if error.code == 1:
            return set()
        raise
    return {path[2:] for path in os.fsdecode(output).split("\0") if path}


def _filtered(repository: Repository, paths: Iterable[str]) -> set[str]:
    """The files whose filter must not be left out (``filter.<driver>.required``)."""
    output = repository.git.run("check-attr", "-z", "--stdin", "filter", stdin=_zero_separated(paths))
    fields = os.fsdecode(output).split("\0")
    return {path for path, driver in zip(fields[::3], fields[2::3]) if driver in repository.required_filters}


def _zero_separated(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _in_index(repository: Repository, paths: Iterable[str]) -> dict[str, str]:
    """Mode and object of each path that the user's index has; of a conflict the stages too, so that it equals nothing."""
    lines = os.fsdecode(repository.git.run("ls-files", "--stage", "-z", "--", *paths)).split("\0")
    found: dict[str, str] = {}
    for facts, _, path in (line.partition("\t") for line in lines if line):
        mode, oid, stage = facts.split(" ")
        found[path] = f"{mode},{oid}" if stage == "0" else f"conflict {stage}"
    return found


def _in_head(repository: Repository, paths: Iterable[str]) -> dict[str, str]:
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


def _blob(repository: Repository, file: Path) -> str:
    """Store the file's bytes as they are, through no filter; its mode and object. A link put in its place is refused."""
    descriptor = os.open(file, os.O_RDONLY | _SAFE)
    with open(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise GitFailed(f"{printable(file.name)} is no regular file any more")
        data = opened.read()
    oid = repository.git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=data)
    return f"100644,{oid.decode('ascii').strip()}"


def _commit(repository: Repository, own: Sequence[_Own], message: str) -> str | None:
    if not own:
        return None
    import tempfile

    with tempfile.TemporaryDirectory(prefix="export-dedup-") as folder, _entered(repository, own):
        index = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
        deadline = time.monotonic() + LOCK_WAIT
        while True:
            head = repository.head()
            commit = _build(repository, own, head, message, index)
            if commit is None:
                return None
            try:
                _move_branch(repository, commit, head, message)
            except GitFailed as error:
                # Somebody else committed in between, or holds the branch: build on what is there now.
                if "cannot lock ref" not in error.said or time.monotonic() >= deadline:
                    raise
                time.sleep(_POLL)
            else:
                break
    with contextlib.suppress(GitFailed):
        # The time stamps of our own entries, so that scripts on ``git diff-files`` see no change either.
        repository.git.run("add", "--refresh", "--", *(one.path for one in own))
    return commit


def _build(
    repository: Repository, own: Sequence[_Own], head: tuple[str, str] | None, message: str, index: Mapping[str, str]
) -> str | None:
    """A commit of HEAD's tree with our files in it, which no branch points at yet; None where HEAD has them already."""
    git = repository.git
    if head:
        git.run("read-tree", head[1], extra=index)
    _enter(repository, own, index)
    tree = git.run("write-tree", "--missing-ok", extra=index).decode("ascii").strip()
    if head and tree == head[1]:
        return None
    parents = ("-p", head[0]) if head else ()
    commit = git.run("commit-tree", tree, *parents, stdin=message.encode(), extra=dict(repository.identity))
    return commit.decode("ascii").strip()


def _move_branch(repository: Repository, commit: str, head: tuple[str, str] | None, message: str) -> None:
    """Point HEAD's branch (or a detached HEAD) at ``commit``, provided that it is still where it was."""
    subject = message.split("\n", 1)[0]
    try:
        repository.git.run("update-ref", "-m", subject, "HEAD", commit, head[0] if head else "0" * len(commit))
    except GitFailed:
        now = repository.head()
        if now is None or now[0] != commit:  # it can have moved and been too late to say so
            raise


def _enter(repository: Repository, own: Iterable[_Own], index: Mapping[str, str] | None = None) -> None:
    entries = [part for one in own for part in ("--cacheinfo", f"{one.entry},{repository.prefix}{one.path}")]
    repository.git.run("update-index", "--add", *entries, extra=index)


@contextlib.contextmanager
def _entered(repository: Repository, own: Sequence[_Own]) -> Iterator[None]:
    """Our entries in the user's index; taken back where the commit does not come about."""
    deadline = time.monotonic() + LOCK_WAIT
    while True:
        try:
            _enter(repository, own)
        except GitFailed as error:
            if "index.lock" not in error.said or time.monotonic() >= deadline:
                raise
            time.sleep(_POLL)
        else:
            break
    try:
        yield
    except BaseException:
        with contextlib.suppress(GitFailed):
            _take_back(repository, own)
        raise


def _take_back(repository: Repository, own: Sequence[_Own]) -> None:
    """The index as it was, as far as our entries are still ours and HEAD does not have them after all."""
    paths = [one.path for one in own]
    indexed, in_head = _in_index(repository, paths), _in_head(repository, paths)
    mine = [one for one in own if indexed.get(one.path) == one.entry != in_head.get(one.path)]
    known = [_Own(one.path, one.before, None) for one in mine if one.before]
    if known:
        _enter(repository, known)
    added = [one.path for one in mine if not one.before]
    if added:
        repository.git.run("update-index", "--force-remove", "--", *added)
