"""One commit of only our own files, beside the user's index and work tree.

The commit is built from HEAD's trees (``checkpoint/head_trees.py``): ``cat-file --batch``, ``unpack-objects``, ``commit-tree``
(which runs no hook; ``checkpoint/signing.py`` tells when it signs), then ``update-ref`` as compare-and-swap. What the user
has staged is in none of this, so it stays staged and uncommitted.

**The user's index gets exactly our entries and nothing else** (as ``git commit --only`` does it). Without them git
would show each committed file as deleted, and the user's next commit would delete it. They are entered *before* the
branch moves: a crash between the two leaves our file staged as new, which loses nothing; the other order would leave
it staged as deleted. Where the index stays locked, nothing is committed; where the branch cannot be moved, the
entries are taken back. A file of ours that the user has staged differently, or whose content filter is ``required``
(encryption), is left out: the one is the user's, and committing the other unfiltered would publish what is to be hidden.
Which files and which changes to the user's README go in is decided in ``checkpoint/scoped_entries.py``.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..git.plumbing import TIMEOUT, GitFailed
from ..start.late_dataclass import dataclass, replace
from ..terminal.console import printable
from . import commit_hooks, head_trees, signing
from .scoped_entries import admitted, in_head, in_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..git.repository import Repository
    from .head_trees import HeadTrees
    from .new_objects import NewObjects
    from .scoped_entries import Admitted, Edit, Own

LOCK_WAIT: Final = 5.0
"""Seconds to wait for the user's index, and for the branch, while another git uses them."""
_POLL: Final = 0.05


@dataclass(frozen=True)
class Outcome:
    """The new commit's full name, or None; and whatever the user should know, one line each.

    ``edited`` are the files whose edit is now to be made in the work tree too: it was committed, or no commit has the file yet.
    """

    commit: str | None
    notes: tuple[str, ...]
    edited: tuple[Path, ...] = ()


def commit_only(
    repository: Repository,
    root: Path,
    files: Sequence[Path],
    message: str,
    *,
    edits: Sequence[Edit] = (),
    hooks: bool = False,
    sign: bool = True,
    entering: Callable[[Sequence[Own], Sequence[Path]], None] | None = None,
    gone: Sequence[Path] = (),
) -> Outcome:
    """Commit ``files`` (below ``root``, the resolved project folder) as they are on disk now and ``edits``, nothing else.

    Files of ours that are ``gone`` from the disk go from the commit, too.

    ``hooks``: the repository's commit hooks run, and may refuse. ``sign``: as git is configured to; a signature that does not
    come about is no commit. ``entering`` is told, before the user's index changes, what enters it and which files will be
    ``edited``. The work tree is not touched. Every failure of git ends up in the notes; whatever happens, the
    user's staged changes are as before.
    """
    operation = repository.operation()
    if operation:
        return Outcome(None, (f"not committed: a {operation} is in progress",))
    notes: list[str] = []
    try:
        wanted = admitted(repository, root, files, edits, notes, gone)
        if entering is not None and wanted.own:
            entering(wanted.own, [*(root / one.path for one in wanted.own if one.edit), *wanted.uncommitted])
        commit, own = _commit(repository, wanted, message, notes, hooks=hooks, sign=sign)
    except GitFailed as error:
        return Outcome(None, (*notes, f"not committed: {error.said}"))
    except OSError as error:
        return Outcome(None, (*notes, f"not committed: {printable(str(error))}"))
    if commit and repository.identity:
        notes.append("committed under a stand-in name: git knows no user.name or user.email here")
    done = [root / one.path for one in own if one.edit] if commit else []
    return Outcome(commit, tuple(notes), (*done, *(wanted.uncommitted if commit else ())))


def refresh(repository: Repository, root: Path, files: Sequence[Path]) -> None:
    """Tell the index the time stamps of files that were written just now. Best effort: git looks at the content, else."""
    if files:
        with contextlib.suppress(GitFailed, ValueError):
            paths = [file.relative_to(root).as_posix() for file in files]
            repository.git.run("add", "--refresh", "--", *paths)


def _commit(
    repository: Repository, wanted: Admitted, message: str, notes: list[str], *, hooks: bool, sign: bool
) -> tuple[str | None, Sequence[Own]]:
    own, head = wanted.own, wanted.head
    if not own:
        return None, own
    signer = signing.switches(repository) if sign and repository.signs else None
    if hooks:
        message = _approved(repository, own, message)
    tree = _tree(own, head, wanted.objects)
    with _entered(repository, own):
        deadline = time.monotonic() + LOCK_WAIT
        while True:
            if tree == head.tree:
                return None, own  # somebody else has committed just that
            commit = _build(repository, tree, head, message, signer)
            try:
                _move_branch(repository, commit, head, message)
            except GitFailed as error:
                # Somebody else committed in between, or holds the branch: build on what is there now.
                if "cannot lock ref" not in error.said or time.monotonic() >= deadline:
                    raise
                time.sleep(_POLL)
                head = head_trees.read(repository, [one.path for one in own])
                own = _up_to_date(repository, own, head, notes)
                tree = _tree(own, head, wanted.objects)
            else:
                break
    # The time stamps of our own entries, so that scripts on ``git diff-files`` see no change either.
    refresh(repository, Path(), [Path(one.path) for one in own if one.entry and not one.edit])
    if hooks:
        notes += commit_hooks.after(repository)
    return commit, own


def _approved(repository: Repository, own: Sequence[Own], message: str) -> str:
    """The message that the repository's hooks agree to. Raises :class:`GitFailed` where one of them does not."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="export-dedup-") as folder:
        index = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
        head = repository.head()
        if head:
            repository.git.run("read-tree", head[1], extra=index)
        _enter(repository, [(one.path, one.entry) for one in own], index)
        tree = repository.git.run("write-tree", "--missing-ok", extra=index)
        approved = commit_hooks.before(repository, message, index)
        if repository.git.run("write-tree", "--missing-ok", extra=index) != tree:
            raise GitFailed("a hook changed what would be committed")
        return approved


def _up_to_date(repository: Repository, own: Sequence[Own], head: HeadTrees, notes: list[str]) -> Sequence[Own]:
    """``own`` without edits of a version that HEAD no longer has: committing them would undo somebody's change."""
    edits = [one for one in own if one.edit]
    if not edits:
        return own
    now = head.entries([one.path for one in edits])
    stale = [one for one in edits if now.get(one.path) not in (one.before, one.entry)]
    if stale:
        take_back(repository, stale)
        notes += [f"left out: {printable(one.path)} was changed by another commit meanwhile" for one in stale]
    return [one for one in own if one not in stale]


def _tree(own: Sequence[Own], head: HeadTrees, objects: NewObjects) -> str:
    """HEAD's tree with our files in it, stored with all that is new in it."""
    tree = head.tree_with([(one.path, one.entry) for one in own], objects)
    objects.write()
    return tree


def _build(repository: Repository, tree: str, head: HeadTrees, message: str, signer: tuple[str, ...] | None) -> str:
    """A commit of ``tree`` on HEAD, which no branch points at yet.

    ``signer`` are the options with which it is signed, None where it is not.
    """
    parents = ("-p", head.commit) if head.commit else ()
    git, arguments, timeout = repository.git, [tree, *parents], TIMEOUT
    if signer is not None:
        git = replace(git, switches=(*git.switches, *signer))
        arguments, timeout = ["-S", *arguments], signing.TIMEOUT
    try:
        commit = git.run(
            "commit-tree", *arguments, stdin=message.encode(), extra=dict(repository.identity), timeout=timeout
        )
    except GitFailed as error:
        if signer is None:
            raise
        raise GitFailed(f"it could not be signed: {error.said}", code=error.code) from error
    return commit.decode("ascii").strip()


def _move_branch(repository: Repository, commit: str, head: HeadTrees, message: str) -> None:
    """Point HEAD's branch (or a detached HEAD) at ``commit``, provided that it is still where it was."""
    subject = message.split("\n", 1)[0]
    try:
        repository.git.run("update-ref", "-m", subject, "HEAD", commit, head.commit or "0" * len(commit))
    except GitFailed:
        now = repository.head()
        if now is None or now[0] != commit:  # it can have moved and been too late to say so
            raise


def _enter(repository: Repository, entries: Iterable[tuple[str, str]], index: Mapping[str, str] | None = None) -> None:
    """Put paths with their ``mode,object`` into an index: the user's, or the one that ``index`` names."""
    all_ = [*entries]
    given = [part for path, entry in all_ if entry for part in ("--cacheinfo", f"{entry},{repository.prefix}{path}")]
    gone = [path for path, entry in all_ if not entry]
    repository.git.run("update-index", "--add", *given, *(("--force-remove", "--", *gone) if gone else ()), extra=index)


@contextlib.contextmanager
def _entered(repository: Repository, own: Sequence[Own]) -> Iterator[None]:
    """Our entries in the user's index; taken back where the commit does not come about."""
    deadline = time.monotonic() + LOCK_WAIT
    try:
        while True:
            try:
                _enter(repository, [(one.path, one.indexed) for one in own])
            except GitFailed as error:
                if "index.lock" not in error.said or time.monotonic() >= deadline:
                    raise
                time.sleep(_POLL)
            else:
                break
        yield
    except BaseException:  # of entering, too: git may have done it and been too late to say so
        with contextlib.suppress(GitFailed):
            take_back(repository, own)
        raise


def take_back(repository: Repository, own: Sequence[Own]) -> None:
    """The index as it was, as far as our entries are still ours and HEAD does not have them after all. Raises ``GitFailed``."""
    paths = [one.path for one in own]
    indexed, heads = in_index(repository, paths), in_head(repository, paths)
    mine = [one for one in own if indexed.get(one.path, "") == one.indexed and heads.get(one.path, "") != one.entry]
    known = [(one.path, one.indexed_before) for one in mine if one.indexed_before]
    if known:
        _enter(repository, known)
    added = [one.path for one in mine if not one.indexed_before]
    if added:
        repository.git.run("update-index", "--force-remove", "--", *added)
