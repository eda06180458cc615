"""What the repository around a project tells: branch, commits, changes, and which programs it would like to run.

Hooks, the file system monitor and transports are switched off by an option (``git/plumbing.py``); **filters are not**: ``git
status``, and even ``git update-index`` while it writes an index, run the clean filter of a file whose time stamp is in
doubt. So the drivers that are configured are listed first (``git config`` runs nothing) and each is overridden by name.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..files import atomic
from ..start.late_dataclass import dataclass, replace
from ..terminal.console import printable
from .plumbing import Git, GitFailed, find_executable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

FALLBACK_NAME: Final = "export-dedup"
FALLBACK_EMAIL: Final = "export-dedup@localhost"
_OPERATIONS: Final = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("sequencer", "cherry-pick or revert"),
    ("BISECT_LOG", "bisect"),
)
_ABBREVIATED: Final = 10
_MOST_BYTES: Final = 4096
_SIGNS: Final = "commit.gpgsign"
_FALSE: Final = frozenset({"false", "no", "off", "0", ""})


class NoRepository(GitFailed):
    """There is nothing to commit to"""


@dataclass(frozen=True)
class Commit:
    """One commit as the checkpoint document shows it."""

    abbreviated: str
    date: str
    subject: str


@dataclass(frozen=True)
class Change:
    """One line of ``git status --porcelain``: two letters and a path from the top of the work tree."""

    letters: str
    path: str


@dataclass(frozen=True)
class Submodule:
    """A submodule: its path from the top of the work tree, the commit that is recorded, the one that is checked out.

    Both are abbreviated; ``recorded`` is empty where none is staged, ``checked_out`` where it is not initialised.
    """

    path: str
    recorded: str
    checked_out: str


@dataclass(frozen=True)
class Repository:
    """The repository whose work tree holds the project. ``prefix`` leads from its top to the project, ``""`` or ``a/b/``."""

    git: Git
    prefix: str
    directory: Path
    required_filters: frozenset[str] = frozenset()
    identity: tuple[tuple[str, str], ...] = ()
    """What has to be set because the user has told git no name or no email."""
    signs: bool = False
    """Whether commits are to be signed here (``commit.gpgSign``)."""

    def operation(self) -> str | None:
        """What the user is in the middle of: a merge, a rebase, a cherry-pick, a revert, a bisect."""
        return next((word for name, word in _OPERATIONS if os.path.lexists(self.directory / name)), None)

    def head(self) -> tuple[str, str] | None:
        """The commit at HEAD and its tree; None on a branch without commits."""
        try:
            commit, tree = self.git.line("rev-parse", "HEAD^{commit}", "HEAD^{tree}").split("\n")
        except GitFailed as error:
            if error.code < 0:
                raise
            return None
        return commit, tree

    def last_commit_of(self, path: str) -> str:
        """The full name of the last commit that changed ``path``, which is from the project; empty where none did."""
        return self.git.line("rev-list", "--max-count=1", "HEAD", "--", path)

    def branch(self) -> str | None:
        """The branch that is checked out; None where HEAD is detached."""
        said = self._head_file()
        if said.startswith("ref: refs/heads/") and not said.endswith(
            ".invalid"
        ):  # which is what "reftable" leaves there
            return said[len("ref: refs/heads/") :]
        try:
            return self.git.line("symbolic-ref", "--quiet", "HEAD").replace("refs/heads/", "", 1)
        except GitFailed as error:
            if error.code == 1:
                return None
            raise

    def _head_file(self) -> str:
        """What HEAD says where it is a plain file, as in every work tree but very old ones."""
        try:
            with atomic.open_regular(str(self.directory / "HEAD")) as file:
                return os.fsdecode(file.read(_MOST_BYTES)).rstrip("\n")
        except OSError:
            return ""

    def commits(self, limit: int) -> tuple[Commit, ...]:
        """The last commits, newest first (``rev-list``: unlike ``log`` no configuration changes what it prints)."""
        try:
            text = self.git.run(
                "rev-list",
                f"--max-count={limit}",
                "--encoding=UTF-8",
                "--format=%h %cd %s",
                "--date=short",
                "HEAD",
                "--",
            )
        except GitFailed as error:
            if error.code < 0:
                raise
            return ()
        lines = text.decode("utf-8", "replace").split("\n")
        return tuple(Commit(*[*line.split(" ", 2), "", ""][:3]) for line in lines[1::2] if line)

    def changes(self, ours: Collection[str] = ()) -> tuple[Change, ...]:
        """What differs in the project's folder. Does not look into submodules: that would run what they configure.

        ``ours`` are paths from the top of the work tree that are being committed: they are left out, where nothing is staged of
        them; of an untracked folder that has some of them the others are listed one by one.
        """
        found: list[Change] = []
        for change in self._status(".", "normal"):
            if change.path.endswith("/") and any(path.startswith(change.path) for path in ours):
                within = change.path[len(self.prefix) :] if change.path.startswith(self.prefix) else ""
                found += self._status(within or ".", "all")
            else:
                found.append(change)
        return tuple(change for change in found if change.letters[0] not in " ?" or change.path not in ours)

    def _status(self, path: str, untracked: str) -> Sequence[Change]:
        output = self.git.run(
            *("status", "--porcelain", "-z", f"--untracked-files={untracked}", "--ignore-submodules=dirty", "--", path)
        )
        fields = iter(os.fsdecode(output).split("\0"))
        found = []
        for line in fields:
            if line:
                found.append(Change(line[:2], line[3:]))
                if "R" in line[:2] or "C" in line[:2]:
                    next(fields, None)  # the name before
        return found

    def submodules(self, limit: int) -> tuple[Submodule, ...]:
        """The submodules that ``.gitmodules`` names, at most ``limit``; nothing of theirs is run."""
        up = len(self.prefix.rstrip("/").split("/")) if self.prefix else 0
        top = self.git.folder.parents[up - 1] if up else self.git.folder
        git = replace(self.git, folder=top)
        if not os.path.isfile(top / ".gitmodules") or os.path.islink(top / ".gitmodules"):
            return ()
        try:
            named = git.run("config", "-z", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
        except GitFailed as error:
            if error.code == 1:
                return ()
            raise
        paths = [entry.partition("\n")[2] for entry in os.fsdecode(named).split("\0") if entry]
        inside = [path for path in paths if path and not os.path.isabs(path) and ".." not in path.split("/")][:limit]
        if not inside:
            return ()
        staged = os.fsdecode(git.run("ls-files", "--stage", "-z", "--", *inside)).split("\0")
        recorded = {
            path: facts.split(" ")[1]
            for facts, _, path in (line.partition("\t") for line in staged)
            if facts.startswith("160000 ")
        }
        return tuple(
            Submodule(path, recorded.get(path, "")[:_ABBREVIATED], _checked_out(git, top / path)) for path in inside
        )


def _checked_out(git: Git, folder: Path) -> str:
    if not os.path.lexists(folder / ".git"):
        return ""
    try:
        return replace(git, folder=folder).line("rev-parse", "HEAD")[:_ABBREVIATED]
    except GitFailed:
        return ""


def open_repository(root: Path) -> Repository:
    """The repository around ``root``. Raises :class:`NoRepository`, or :class:`GitFailed` where it cannot be used."""
    executable = find_executable()
    if executable is None:
        raise NoRepository("git is not installed")
    git = Git(executable, root)
    try:
        answer = git.line("rev-parse", "--is-inside-work-tree", "--show-cdup", "--absolute-git-dir")
    except GitFailed as error:
        if "not a git repository (or any" in error.said:
            raise NoRepository("this is no git repository") from error
        raise
    inside, up, directory = [*answer.split("\n", 2), "", ""][:3]
    if inside != "true":
        raise NoRepository("the git repository here has no work tree that holds the project")
    if not os.path.isabs(directory):
        raise GitFailed("this git is too old: version 2.13 or newer is needed")
    depth = up.count("../")
    prefix = "".join(f"{part}/" for part in root.parts[len(root.parts) - depth :]) if depth else ""
    return _disarm(Repository(git, prefix, Path(directory)))


def _disarm(repository: Repository) -> Repository:
    """The same repository with every program that its configuration names switched off."""
    settings = _settings(repository.git)
    drivers: dict[str, set[str]] = {"filter": set(), "hook": set()}
    required = set()
    for key, value in settings.items():
        section, _, rest = key.partition(".")
        name, dot, variable = rest.rpartition(".")
        if section in drivers and dot:
            drivers[section].add(name)
            if section == "filter" and variable == "required" and _is_true(value):
                required.add(name)
    strange = [name for names in drivers.values() for name in names if "=" in name or "\n" in name]
    if strange:
        raise GitFailed(
            f"the repository's configuration names a program that cannot be switched off: {printable(strange[0])}"
        )
    off = [
        f"filter.{n}.{v}"
        for n in sorted(drivers["filter"])
        for v in ("clean=", "smudge=", "process=", "required=false")
    ]
    off += [f"hook.{n}.enabled=false" for n in sorted(drivers["hook"])]
    return replace(
        repository,
        git=replace(repository.git, switches=(*repository.git.switches, *off)),
        required_filters=frozenset(required),
        identity=_missing_identity(settings),
        signs=_is_true(settings.get(_SIGNS, "")),
    )


def _is_true(value: str | None) -> bool:
    return value is None or value.lower() not in _FALSE


def _settings(git: Git) -> dict[str, str | None]:
    """The settings that name filters, hooks, the user and signing; the last value of each. A setting without "=" is None."""
    try:
        output = git.run("config", "-z", "--get-regexp", r"^((filter|hook|user|author|committer)\.|commit\.gpgsign$)")
    except GitFailed as error:
        if error.code == 1:
            return {}
        raise
    found: dict[str, str | None] = {}
    for entry in os.fsdecode(output).split("\0"):
        if entry:
            key, newline, value = entry.partition("\n")
            found[key] = value if newline else None
    return found


def _missing_identity(settings: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    missing = []
    for role in ("AUTHOR", "COMMITTER"):
        for part, fallback in (("NAME", FALLBACK_NAME), ("EMAIL", FALLBACK_EMAIL)):
            variable = f"GIT_{role}_{part}"
            known = [
                os.environ.get(variable),
                settings.get(f"{role}.{part}".lower()),
                settings.get(f"user.{part}".lower()),
            ]
            if part == "EMAIL":
                known.append(os.environ.get("EMAIL"))
            if not any(value and value.strip() for value in known):
                missing.append((variable, fallback))
    return tuple(missing)
