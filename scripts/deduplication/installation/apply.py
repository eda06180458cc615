"""Carrying out a plan: the manifest first, then each file whole, then what became empty.

Where things go is what was looked at, and asked about, before: a link that is put on the way later is not followed.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final, Optional

from ..errors import DedupError, StoreNotWritable
from ..files import atomic, beneath
from ..project import approvals, config
from .errors import InstallFailed
from .manifest import NAME, sha256
from .plan import ENVIRONMENT, NEW, PERMISSIONS, REMOVE, UPDATE, is_venv
from .targets import COMMANDS, CONFIG, SCRIPTS, SKILL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .links import Place
    from .manifest import Manifest
    from .plan import Plan, Step


_OURS: Final = (".coditect/", f"{COMMANDS}/", SKILL)


def install(place: Place, plan: Plan, before: Optional[Manifest]) -> None:
    """Write what ``plan`` says. Interrupted at any moment, the next run knows every file that is ours."""
    with _failures():
        writing = [step for step in plan.steps if step.changes]
        new = [NAME, *(step.path for step in writing if step.kind == NEW)]
        for folder in filter(None, dict.fromkeys(map(os.path.dirname, new))):
            plan.manifest.directories += _make_folders(place, folder)
        if writing:
            _write(place, NAME, plan.during(before).dump(), 0o644)
        for step in writing:
            _carry_out(place, step)
        _remove_empty(place, [os.path.dirname(step.path) for step in writing if step.kind == REMOVE])
        if (writing or (before and before.unfinished)) and hasattr(os, "sync"):
            os.sync()
        _save(place, plan.manifest)


def uninstall(place: Place, plan: Plan) -> None:
    """Remove what ``plan`` says, then our folders where they are empty, the manifest last: a second run can go on."""
    with _failures():
        for step in plan.steps:
            _carry_out(place, step)
        _remove_caches(place(SCRIPTS))
        folders = [folder for folder in plan.manifest.directories if folder != ".coditect"]
        _remove_empty(place, folders)
        beneath.unlink(place(NAME))
        _remove_empty(place, [folder for folder in plan.manifest.directories if folder == ".coditect"])


def _save(place: Place, manifest: Manifest) -> None:
    """Write the manifest, unless it says the same already."""
    with contextlib.suppress(FileNotFoundError), open(place(NAME), "rb") as file:
        if file.read() == manifest.dump():
            return
    _write(place, NAME, manifest.dump(), 0o644)


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except StoreNotWritable as error:
        cause = error.__cause__
        raise InstallFailed(f"{getattr(cause, 'filename', '')}: {getattr(cause, 'strerror', cause)}") from error
    except OSError as error:
        raise InstallFailed(f"{error.filename}: {error.strerror or error}") from error


def _carry_out(place: Place, step: Step) -> None:
    if step.kind in (NEW, UPDATE):
        _write(place, step.path, step.data, step.mode)
    elif step.kind == PERMISSIONS:
        beneath.chmod(place(step.path), step.mode)
    elif step.kind == REMOVE:
        beneath.unlink(place(step.path))
    elif step.kind == ENVIRONMENT and is_venv(place(step.path)):
        beneath.remove_tree(place(step.path))


def _write(place: Place, path: str, data: bytes, mode: int) -> None:
    """Our own files are synced all at once, in the end: one by one that takes ten times as long as to write them.

    Until then the manifest, which is synced, says that they may be torn. What has words of the user's in it never is.
    """
    atomic.replace(place(path), data, mode=mode, durable=path == NAME or not path.startswith(_OURS))


def _make_folders(place: Place, folder: str) -> list[str]:
    made = []
    parts = folder.split("/")
    for count in range(1, len(parts) + 1):
        path = "/".join(parts[:count])
        with contextlib.suppress(FileExistsError):
            beneath.mkdir(place(path))
            made.append(path)
    return made


def _remove_caches(scripts: str) -> None:
    """Compiled copies of our files: made by Python, useless without them."""
    for folder, _folders, names in os.walk(scripts):
        if os.path.basename(folder) == "__pycache__":
            for name in names:
                if name.endswith(".pyc"):
                    beneath.unlink(os.path.join(folder, name))
            with contextlib.suppress(OSError):
                beneath.rmdir(folder)


def _remove_empty(place: Place, folders: list[str]) -> None:
    """Remove the folders among ``folders`` that hold nothing, the deepest first; a full one stays."""
    for folder in sorted(set(folders), key=lambda name: name.count("/"), reverse=True):
        with contextlib.suppress(OSError):  # of a link, too
            beneath.rmdir(place(folder))


def approve_settings(root: Path, plan: Plan) -> str:
    """Have settings that were written just now with the user's answer count from now on; those of anybody else are not touched.

    Returns why they could not be approved; empty where nothing went wrong.
    """
    written = any(step.path == CONFIG and step.changes for step in plan.steps)
    found = config.examine(str(root))
    if (
        written
        and (found.waiting or found.file.fault)
        and sha256(found.file.data) in plan.manifest.files.get(CONFIG, ())
    ):
        try:
            approvals.approve(str(root), found.path, found.file.data, time.time())
        except DedupError as error:
            return str(error)
    return ""
