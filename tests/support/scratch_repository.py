"""Real git repositories for tests, and what of them is the user's and must be as before."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from pathlib import Path

from deduplication.project.paths import MEMORY, Project


class Scratch:
    """A repository at ``top``; ``root`` is the project's folder in it."""

    def __init__(self, top: Path, root: Path | None = None, *, new: bool = True) -> None:
        self.top = top
        self.root = root or top
        if new:
            top.mkdir(parents=True, exist_ok=True)
            self.git("init", "-q", "-b", "main")

    @property
    def project(self) -> Project:
        """The project whose root this is."""
        return Project(self.root.resolve())

    def git(self, *arguments: str, fails: bool = False, **options) -> str:
        """What git writes, without the last line break; ``fails`` where it must not succeed. Hooks do not run."""
        command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
        run = subprocess.run(
            command, cwd=options.pop("cwd", self.top), capture_output=True, timeout=60, check=False, **options
        )
        assert bool(run.returncode) is fails, (arguments, run.stdout, run.stderr)
        return os.fsdecode(run.stdout).rstrip("\n")

    def write(self, path: str, text: str | bytes = "text\n") -> Path:
        """Write a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def commit(self, path: str = "a.txt", text: str | bytes = "text\n", subject: str = "first") -> str:
        """Commit one file as the user would; the commit's full name."""
        file = self.write(path, text)
        self.git("add", "--", str(file))
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def script(self, name: str, body: str) -> str:
        """An executable beside the repository, for a configuration that wants to run something."""
        file = self.top.parent / f"{self.top.name}-{name}"
        file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        file.chmod(0o755)
        return shlex.quote(str(file))

    def hook(self, name: str, body: str) -> None:
        """Make an executable hook."""
        folder = Path(self.git("rev-parse", "--absolute-git-dir")) / "hooks"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)

    def staged(self) -> list[str]:
        """Every entry of the index that is not below MEMORY-CONTEXT."""
        return [line for line in self.git("ls-files", "--stage", "-v", "-z").split("\0") if f"{MEMORY}/" not in line]

    def users(self) -> dict[str, object]:
        """All that is the user's: index entries, staged and unstaged changes, status, branches, files with their times."""
        return {
            "index": self.staged(),
            "staged": self.git("diff", "--cached", "--binary", "--no-ext-diff"),
            "unstaged": self.git("diff", "--binary", "--no-ext-diff", "--no-textconv"),
            "status": self.status(),
            "stash": self.git("stash", "list"),
            "branch": self.git("rev-parse", "--abbrev-ref", "HEAD"),
            "config": (
                Path(self.git("rev-parse", "--path-format=absolute", "--git-common-dir")) / "config"
            ).read_bytes(),
            "files": self._files(),
        }

    def status(self) -> list[str]:
        """The lines of git status, every untracked file by itself."""
        output = self.git("status", "--porcelain", "-z", "--untracked-files=all")
        return [line for line in output.split("\0") if line]

    def committed(self, commit: str) -> list[str]:
        """The paths that a commit adds or changes, from the repository's top."""
        output = self.git("show", "--format=", "--name-only", "-z", "--root", "--no-renames", commit)
        return [path for path in output.split("\0") if path]

    def _files(self) -> dict[str, tuple[int, int, bytes]]:
        found = {}
        for folder, folders, names in os.walk(self.top):
            folders[:] = [name for name in folders if name not in {".git", MEMORY}]
            for name in names:
                file = os.path.join(folder, name)
                facts = os.lstat(file)
                content = Path(file).read_bytes() if stat.S_ISREG(facts.st_mode) else b""
                found[file] = (facts.st_mode, facts.st_mtime_ns, content)
        return found
