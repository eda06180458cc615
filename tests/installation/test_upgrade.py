"""From 0.1 to this version, by each way of installing: what 0.1 stored is all there, and goes on.

0.1 itself comes out of the repository's history; a checkout without it (a shallow clone, an archive) says so and is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO

import pytest

from conftest import REPOSITORY
from deduplication import __version__
from scratch_repository import Scratch

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.unmeasured]  # a report would name the modules of 0.1

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
RELEASE_0_1 = "8af1e20"
"""The commit that was 0.1.0."""


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A checkout of 0.1."""
    done = subprocess.run(["git", "-C", str(REPOSITORY), "archive", RELEASE_0_1], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("the history of this checkout does not reach back to 0.1")
    folder = tmp_path_factory.mktemp("first") / "export dedup 0.1"
    folder.mkdir()
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        for member in archive:  # extractall has a filter from 3.9.17 on alone
            if member.isfile() or member.isdir():
                archive.extract(member, folder)
    return folder


def run(script, *arguments, cwd, environment=None):
    """A command to its end; it must end well."""
    command = [str(script)] if script.suffix == ".sh" else [sys.executable, str(script)]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def process(scripts, project, samples):
    """Exports come one by one, and each is processed by the command with the banner."""
    for sample in samples:
        shutil.copy(sample, project / "MEMORY-CONTEXT" / "exports" / sample.name)
        shown = run(scripts / "export-dedup-with-status.py", "--project", project, cwd=project)
        assert "NEW UNIQUE MESSAGES ADDED & BACKED UP" in shown
    return shown


def told(scripts, project):
    """What this version tells of the store."""
    stats = json.loads(run(scripts / "deduplicate_export.py", "stats", "--project", project, "--json", cwd=project))
    return stats["unique_messages"], stats["conversations"], stats["announced_messages"]


@pytest.mark.parametrize("form", ["project", "plugin", "package"])
def test_a_store_of_0_1_goes_on(first, form, tmp_path):
    """What 0.1 stored is as if this version had stored it: the same numbers, a whole store, every file byte for byte."""
    *earlier, last = SAMPLES
    projects = []
    for name in ("tide clock", "never had 0.1"):
        scratch = Scratch(tmp_path / name)
        scratch.commit()
        (scratch.root / "MEMORY-CONTEXT" / "exports").mkdir(parents=True)
        projects.append(scratch.root)
    project, fresh = projects

    old, new = first / "scripts", REPOSITORY / "scripts"
    if form == "project":
        run(first / "install.sh", "--project", project, "--offline", "--yes", cwd=project)
        old = new = project / ".coditect" / "scripts"
    process(old, project, earlier)
    if form == "project":
        run(REPOSITORY / "install.sh", "--project", project, "--yes", cwd=project)
    elif form == "package":  # the command of a wheel, as python -m deduplication has it
        new = tmp_path / "site" / "scripts"
        shutil.copytree(REPOSITORY / "scripts", new, ignore=shutil.ignore_patterns("__pycache__"))
    assert run(new / "export-dedup.py", "--version", cwd=project).strip() == f"export-dedup {__version__}"

    process(REPOSITORY / "scripts", fresh, SAMPLES)
    shown = process(new, project, [last])
    assert "✅ SUCCESS" in shown
    assert told(new, project) == told(REPOSITORY / "scripts", fresh)
    run(new / "deduplicate_export.py", "verify", "--project", project, cwd=project)
    out = tmp_path / "restored"
    run(new / "deduplicate_export.py", "restore", "--all", out, "--project", project, cwd=project)
    given = sorted(path.read_bytes() for path in out.rglob("*.txt"))
    assert given == sorted(sample.read_bytes() for sample in SAMPLES)
    if form == "project":
        run(REPOSITORY / "install.sh", "--uninstall", "--project", project, cwd=project)
        assert not (project / ".coditect" / "scripts").exists()
