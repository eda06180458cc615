"""Completed tasks: checked boxes in the project's TASKLIST, TODO and plan files, in the root, ``docs/`` and ``plans/``."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import DedupError
from ..files.safe_read import read
from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..project.paths import Project

_FOLDERS: Final = (".", "docs", "plans")
_NAME: Final = late_pattern(
    r"(?:.*[-_ ])?(?:task-?lists?|tasks?|to-?dos?|plans?)(?:[-_ .].*)?\.(?:md|markdown|txt)", re.IGNORECASE
)
_CHECKED: Final = late_pattern(r"\s{0,40}(?:[-*+]|\d{1,4}[.)])\s{1,4}\[[xX✓✔]\]\s{1,4}(\S.*)")
_MOST_FILES: Final = 50
_MOST_BYTES: Final = 1_000_000
_CHARACTERS: Final = 200
_MARK: Final = late_pattern(r"<!-- export-dedup tasks:((?: [0-9a-f]{8})*) -->")
_DOCUMENTS: Final = 20


@dataclass(frozen=True)
class Task:
    """A checked box: what it says, on one line, and in which file (relative to the project)."""

    text: str
    file: str

    @property
    def digest(self) -> str:
        """By which the next checkpoint knows it: eight hexadecimal digits."""
        return hashlib.sha256(self.text.encode("utf-8", "backslashreplace")).hexdigest()[:8]


@dataclass(frozen=True)
class Tasks:
    """Completed tasks in the order of their files: those that no checkpoint had before, and the others."""

    new: Sequence[Task] = ()
    earlier: Sequence[Task] = ()


def completed(project: Project, clean: Callable[[str], str]) -> Tasks:
    """The project's completed tasks; ``clean`` takes out what must not be shared. Files that cannot be read are passed over."""
    found: dict[str, Task] = {}
    for path in _files(project.root):
        for text in _checked(path):
            task = Task(clean(text)[:_CHARACTERS], project.relative(path))  # a secret that is cut is not found
            found.setdefault(task.digest, task)
    known = _known(project)
    return Tasks(
        [task for digest, task in found.items() if digest not in known],
        [task for digest, task in found.items() if digest in known],
    )


def mark(tasks: Tasks) -> str:
    """An invisible line for the document, by which the next checkpoint tells what is new."""
    return f"<!-- export-dedup tasks:{''.join(f' {task.digest}' for task in (*tasks.new, *tasks.earlier))} -->"


def _files(root: Path) -> Iterator[Path]:
    found = []
    for folder in _FOLDERS:
        try:
            names = sorted(os.listdir(root / folder))
        except OSError:
            continue
        if root in (Path(os.path.realpath(root / folder)), *Path(os.path.realpath(root / folder)).parents):
            found += [Path(os.path.normpath(root / folder / name)) for name in names if _NAME.fullmatch(name)]
    return iter(found[:_MOST_FILES])


def _checked(path: Path) -> Iterator[str]:
    try:
        if os.lstat(path).st_size > _MOST_BYTES:
            return
        text = read(path)[0].decode("utf-8", "replace")
    except (OSError, DedupError):
        return
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        found = None if fenced else _CHECKED.match(line[:2000])
        if found:
            yield printable(found[1].strip())


def _known(project: Project) -> set[str]:
    """The tasks that the newest checkpoint lists; none where there is no checkpoint yet."""
    try:
        names = sorted((name for name in os.listdir(project.checkpoints) if name.endswith(".md")), reverse=True)
    except OSError:
        return set()
    for name in names[:_DOCUMENTS]:
        try:
            marked = _MARK.search(read(project.checkpoints / name)[0].decode("utf-8", "replace"))
        except (OSError, DedupError):
            continue
        if marked:
            return set(marked[1].split())
    return set()
