"""Commands from outside, stopped or refused at each of their system calls, and without room: import, capture, restore.

What reports success has done all of it; what fails says why, leaves what was there before, and the next run completes it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil

import pytest

import transcript_lines as lines
from archive_scenes import archived
from deduplication.commands import export_dedup, restore
from deduplication.errors import DedupError
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import Project
from exports import kept
from faults.children import Shim, run
from faults.scenes import FILES, NAME, dedup, truth
from faults.test_blob_faults import FIRST, SECOND
from faults.test_disk import fill

pytestmark = pytest.mark.faults


def quietly(command, arguments):
    """Whether a command ends well; its refusals go up as what they are."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        return command(arguments) == 0


class Import:
    """The whole command on the second export, the first one stored and archived."""

    def __init__(self, folder, backend):
        self.root = (folder / "project").resolve()
        self.template = folder / "template"
        self.project = Project(self.root)
        self.arguments = ["--project", str(self.root), "--session-id", NAME, "--yes", "--no-checkpoint"]
        self.arguments += ["--backend", backend]
        self.put(FILES[0])
        assert self.step()
        self.put(FILES[1])
        shutil.move(self.root, self.template)

    def put(self, file):
        """The client has exported."""
        self.project.exports.mkdir(parents=True, exist_ok=True)
        (self.project.exports / file.name).write_bytes(file.data)

    def reset(self):
        """Before the second run."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root)

    def step(self):
        """Whether the run says that all is well."""
        return quietly(export_dedup.main, self.arguments)

    def judge(self, *, well):
        """Bytes under one name at least; stored and archived where that was said; nothing of the first run is touched."""
        archive = archived(self.project)
        waiting = {p.name: p.read_bytes() for p in self.project.exports.glob("2026*")}
        assert archive[FILES[0].name] == FILES[0].data
        got = kept(dedup(self.project.state).get_full_conversation(NAME))
        assert got in ((truth(2),) if well else (truth(1), truth(2)))
        assert archive.get(FILES[1].name) == FILES[1].data or (not well and waiting.get(FILES[1].name) == FILES[1].data)

    def completes(self):
        """The next run has all of it done."""
        assert self.step()
        self.judge(well=True)
        assert list(self.project.exports.glob("2026*")) == []
        with dedup(self.project.state).store.transaction():
            pass
        assert dedup(self.project.state).store.verify() == []


class Capture:
    """A transcript that has grown, with images."""

    def __init__(self, folder, _backend):
        self.root, self.template = folder / "state", folder / "template"
        self.file = folder / "s.jsonl"
        self.file.write_bytes(FIRST)
        assert self.step()
        self.before = self.read()
        shutil.copytree(self.root, self.template)
        self.file.write_bytes(SECOND)
        assert self.step()
        self.after = self.read()

    def read(self):
        """What the store gives out."""
        return [m["content"] for m in dedup(self.root).get_full_conversation(lines.SESSION)]

    def reset(self):
        """Before the growth."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root)

    def step(self):
        """Well unless it raises."""
        capture_file(dedup(self.root), self.file)
        return True

    def judge(self, *, well):
        """All of it or none of it."""
        assert self.read() in ([self.after] if well else [self.before, self.after])

    def completes(self):
        """The next hook goes on from there."""
        self.step()
        assert self.read() == self.after
        with dedup(self.root).store.transaction():
            pass
        assert dedup(self.root).store.verify() == []


class Restore:
    """Every archived file, plain and packed, into a folder."""

    def __init__(self, folder, _backend):
        from deduplication.archive import pack_files

        self.root = (folder / "project").resolve()
        self.project = Project(self.root)
        self.out = folder / "out"
        self.project.archive.mkdir(parents=True, mode=0o700)
        for number, file in enumerate(FILES[:4]):
            (self.project.archive / file.name).write_bytes(file.data)
            if number == 1:
                pack_files.pack(self.project, 0)

    def reset(self):
        """Nothing was restored yet."""
        shutil.rmtree(self.out, ignore_errors=True)

    def step(self):
        """Whether all of it was restored."""
        return quietly(restore.main, ["--all", str(self.out), "--project", str(self.root)])

    def judge(self, *, well):
        """No half file under its own name; all of them where that was said; the archive is what it was."""
        found = {p.name: p.read_bytes() for p in self.out.glob("2026*.txt")} if self.out.is_dir() else {}
        expected = {file.name: file.data for file in FILES[:4]}
        assert found.items() <= expected.items()
        assert found == expected or not well
        assert len(list(self.project.archive.glob("2026*"))) == 2

    def completes(self):
        """What is there already is no obstacle."""
        assert self.step()
        self.judge(well=True)


ACTIONS = {
    "no space from then on": (
        errno.ENOSPC,
        {"forever": True, "only": ("write", "mkdir", "fsync", "replace", "rename", "open")},
    ),
    "EIO": (errno.EIO, {}),
    "kill": ("kill", {}),
    "torn": ("torn", {"only": ("write",)}),
    "short write, then full": ("short-then-full", {"only": ("write",)}),
    "every fsync": (errno.EIO, {"only": ("fsync",), "forever": True}),
}
MORE = {
    "ENOSPC": (errno.ENOSPC, {}),
    "EDQUOT": (errno.EDQUOT, {}),
    "EACCES": (errno.EACCES, {}),
    "EROFS from then on": (errno.EROFS, {"forever": True}),
    "EMFILE": (errno.EMFILE, {"only": ("open",)}),
    "fsync": (errno.EIO, {"only": ("fsync",)}),
    "short write": ("short", {"only": ("write",)}),
}
"""In the large size only."""
CASES = [(make, how) for make in (Import, Capture, Restore) for how in (*ACTIONS, *MORE)]


@pytest.mark.parametrize(("make", "how"), CASES)
def test_each_call_of_a_command_may_be_its_last_or_fail(disk, make, how, backend, full, calls):
    """Each call in turn: success means done, failure is a named error, earlier work stays, the next run completes it."""
    if how in MORE and not full:
        pytest.skip("in the large size (--full)")
    if make is Restore and backend != "json":
        pytest.skip("an archive has no index of the log")
    scene = make(disk, backend)
    action, options = {**ACTIONS, **MORE}[how]
    for at in calls(2 if "only" in options else 6):
        scene.reset()

        def job(at=at):
            shim = Shim(at, action, **options).install()
            try:
                return scene.step(), "", shim.count >= at
            except DedupError as error:
                return False, f"{type(error).__name__}: {error}", shim.count >= at

        outcome = run(job)
        assert (outcome.error, outcome.trace) == ("", ""), f"call {at}: {outcome.trace}"
        well, _, reached = outcome.value if not outcome.signal else (False, "", True)
        scene.judge(well=well)
        scene.completes()
        if not reached:
            break
    assert at > 2, "the shim does not see the calls"


@pytest.mark.parametrize("make", [Import, Capture, Restore])
def test_a_disk_that_is_full_costs_nothing_that_was_there(tiny, make, backend):
    """With any number of free pages left: named or done, readable while it is full, complete once there is room."""
    if make is Restore and backend != "json":
        pytest.skip("an archive has no index of the log")
    scene = make(tiny, backend)
    failures = successes = 0
    for pages in (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96):
        scene.reset()
        fill(tiny / "filler", pages * 4096)

        def job():
            try:
                return scene.step()
            except DedupError:
                return False

        outcome = run(job)
        assert (outcome.signal, outcome.error, outcome.trace) == (0, "", ""), outcome.trace
        failures += not outcome.value
        successes += outcome.value
        scene.judge(well=outcome.value)
        os.unlink(tiny / "filler")
        scene.completes()
    assert failures
    assert successes
