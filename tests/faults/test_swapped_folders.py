"""A build script of the repository swaps a folder for a link while we work: nothing outside of the project is touched.

The swap happens in the worst moment there is: the interpreter tells of each call before it is made, and right then a folder
of the project becomes a link to one outside that has the same files in it, so that whatever would be removed, replaced, added
to or made by a name is there to be hit.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import stat
import sys

import pytest

from deduplication.commands import (
    capture,
    create_checkpoint,
    deduplicate_export,
    export_dedup,
    pack,
    purge,
    rebuild,
    repair,
    restore,
    session,
)
from deduplication.commands.backups import backup
from deduplication.project.paths import Project
from faults.children import run
from purge_scenes import Place, Talk
from scratch_repository import Scratch

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="there is only a look before and after here"),
]
ALDER, BIRCH = Talk("alder", 8), Talk("birch", 6)
MEMORY = "MEMORY-CONTEXT"
FOLDERS = (
    MEMORY,
    f"{MEMORY}/dedup_state",
    f"{MEMORY}/dedup_state/blobs",
    f"{MEMORY}/dedup_state/live",
    f"{MEMORY}/dedup_state/sealed",
    f"{MEMORY}/dedup_state/quarantine",
    f"{MEMORY}/exports",
    f"{MEMORY}/exports-archive",
    f"{MEMORY}/exports-archive/packs",
    f"{MEMORY}/exports-archive/quarantine",
    f"{MEMORY}/sessions",
    f"{MEMORY}/checkpoints",
)
CHANGING = {
    "open",
    "os.chmod",
    "os.link",
    "os.listdir",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.scandir",
    "os.symlink",
    "os.truncate",
    "os.utime",
    "shutil.rmtree",
}


class Scene:
    """A project with everything in it, and a copy of it outside, the victim."""

    def __init__(self, folder, backend):
        self.root, self.victim = folder.resolve() / "project", folder.resolve() / "victim"
        self.other = str(folder.resolve() / "backup")
        self.template = folder / "template"
        scratch = Scratch(self.root)
        scratch.commit("README.md", "# made up\n")
        place = Place(self.root, backend=backend)
        place.export("2026-03-04-EXPORT-ALDER.txt", ALDER.text(0, 4))
        place.export("2026-03-05-EXPORT-BIRCH.txt", BIRCH.text(0, 4))
        place.pack()
        place.export("2026-03-06-EXPORT-ALDER.txt", ALDER.text(0, 6))
        place.sessions()
        place.capture(folder, BIRCH, 4)
        self.project.exports.mkdir(exist_ok=True)
        (self.project.exports / "2026-03-07-EXPORT-ALDER.txt").write_bytes(ALDER.text(0, 8))
        self.transcript = folder / f"{BIRCH.session}.jsonl"
        self.transcript.write_bytes(BIRCH.lines())
        self.backend = backend
        (self.project.state / "purge.stage").mkdir()
        for name in (*FOLDERS, "out"):
            (self.root / name).mkdir(exist_ok=True, mode=0o700)
            (self.root / name / "left.1.tmp").write_bytes(b"left by a run that was killed")
        shutil.move(self.root, self.template)
        shutil.copytree(self.template, self.victim, symlinks=True)
        self.before = photo(self.victim)

    @property
    def project(self):
        return Project(self.root)

    def reset(self):
        """The project as it was."""
        for folder in (self.root, self.other):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.template, self.root, symlinks=True)

    def job(self, name):
        """One command."""
        root = ["--project", str(self.root)]
        kept = [*root, "--backend", self.backend]
        jobs = {
            "import": lambda: export_dedup.main([*kept, "--yes", "--session-id", "alder", "--no-checkpoint"]),
            "import and checkpoint": lambda: export_dedup.main([*root, "--yes", "--session-id", "alder"]),
            "capture": lambda: capture.main([*root, str(self.transcript)]),
            "checkpoint": lambda: create_checkpoint.main([*root, "made up"]),
            "pack": lambda: pack.main([*root, "--older-than", "0"]),
            "purge": lambda: purge.main([*root, "--session", "alder", "--yes"]),
            "repair": lambda: repair.main(root),
            "rebuild": lambda: rebuild.main(root),
            "restore": lambda: restore.main([*root, "--all", str(self.root / "out")]),
            "session": lambda: session.main([*root, "--all"]),
            "backup": lambda: backup.main([*root, self.other]),
            "deduplicate": lambda: deduplicate_export.main(
                [
                    *root,
                    str(self.project.exports / "2026-03-07-EXPORT-ALDER.txt"),
                    "--output",
                    str(self.root / "out/x.md"),
                ]
            ),
        }
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return jobs[name]()


JOBS = (
    "import",
    "import and checkpoint",
    "capture",
    "checkpoint",
    "pack",
    "purge",
    "repair",
    "rebuild",
    "restore",
    "session",
    "backup",
    "deduplicate",
)


class Swap:
    """Right before the call ``at`` (from 1) that has to do with the project, ``folder`` becomes a link; at the next one it is back.

    ``stays``: it remains a link.
    """

    def __init__(self, scene, at, folder, *, stays):
        self.scene, self.at, self.stays = scene, at, stays
        self.place = str(scene.root / folder)
        self.target = str(scene.victim / folder)
        self.count = 0
        self.busy = False

    def __call__(self, event, arguments):
        """The interpreter's audit hook."""
        if self.busy or event not in CHANGING or not self._ours(arguments[0]):
            return
        self.busy = True
        self.count += 1
        with contextlib.suppress(OSError):
            if self.count == self.at:
                os.rename(self.place, self.place + ".away")
                os.symlink(self.target, self.place)
            elif self.count == self.at + 1 and not self.stays:
                os.unlink(self.place)
                os.rename(self.place + ".away", self.place)
        self.busy = False

    def _ours(self, path):
        if isinstance(path, int):
            return True
        path = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        path = path.removeprefix("file:")
        return bool(path) and (not os.path.isabs(path) or path.startswith(str(self.scene.root)))


def photo(folder):
    """Every name, kind, mode and time, and the bytes of files."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names, "."):
            path = os.path.join(place, name)
            status = os.lstat(path)
            data = b""
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    data = file.read()
            found[path] = (status.st_mode, status.st_mtime_ns, data)
    return found


@pytest.fixture
def scene(disk, backend):
    """Made once for each test."""
    return Scene(disk, backend)


@pytest.mark.parametrize("name", JOBS)
def test_nothing_outside_the_project_is_touched_whenever_a_folder_is_swapped(scene, name, full, backend):
    """In the ordinary size at some calls, in the large one at each call with each folder."""
    outcome = attempt(scene, name, 0, FOLDERS[0], stays=False)
    calls = outcome.value[1]
    assert calls > 10
    assert outcome.value[0] == 0, "without an attacker all is well"
    chance = random.Random(f"{name} {backend}")
    points = [(at, folder, stays) for at in range(1, calls + 1) for folder in FOLDERS for stays in (False, True)]
    for at, folder, stays in points if full else chance.sample(points, 8):
        attempt(scene, name, at, folder, stays=stays)
        now = photo(scene.victim)
        changed = {path for path in {*now, *scene.before} if now.get(path) != scene.before.get(path)}
        assert changed == set(), (at, folder, stays)


def attempt(scene, name, at, folder, *, stays):
    """The command in a process of its own, attacked at that call; what it ended with and how many calls it made."""
    scene.reset()

    def attacked():
        swap = Swap(scene, at, folder, stays=stays)
        sys.addaudithook(swap)
        return scene.job(name), swap.count

    return run(attacked)
