"""What is closed to us is named, with the command that opens it."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from deduplication.commands import entry
from deduplication.errors import BackupFailed, ExportUnreadable, NotPermitted, OutputNotWritable, StoreNotWritable
from deduplication.start import permissions
from in_process import call
from plain_rights import done_by

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
NOBODY = 65534


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The current folder: a project with a store, and one export that waits. Modes are set back for whoever cleans up."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(folder)
    for sample in SAMPLES:
        shutil.copy(sample, folder)
    assert call(SAMPLES[0].name).returncode == 0
    yield folder
    for path, _, _ in os.walk(tmp_path):
        os.chmod(path, 0o700)


STATE = "MEMORY-CONTEXT/dedup_state"
READERS = (
    *(["stats"], ["search", "tide"], ["show"], ["status"], ["verify"], ["log"], ["rebuild"], ["repair"]),
    ["backup", "b"],
)
CLOSED = {
    **{f"store: {words[0]}": (STATE, 0o000, words, STATE) for words in READERS},
    "store: import": (STATE, 0o000, [SAMPLES[1].name], STATE),
    "log": (f"{STATE}/conversation_log.jsonl", 0o000, ["stats"], f"{STATE}/conversation_log.jsonl"),
    "export": (SAMPLES[1].name, 0o000, [SAMPLES[1].name], SAMPLES[1].name),
    "folder for the store": ("empty", 0o500, [SAMPLES[1].name, "--storage-dir", "empty/a/b"], "empty"),
    "output": ("empty", 0o500, [SAMPLES[1].name, "--output", "empty/x.json"], "empty"),
    "session file": ("empty", 0o500, ["session", "tide-clock", "--output", "empty/x.md"], "empty"),
    "tables": ("empty", 0o500, ["export", "--jsonl", "--runs", "--to", "empty/t"], "empty"),
    "backup": ("empty", 0o500, ["backup", "empty/b"], "empty"),
}


@pytest.mark.unmeasured
@pytest.mark.parametrize(("place", "mode", "words", "closed"), CLOSED.values(), ids=CLOSED)
def test_what_is_closed_is_named_with_what_opens_it(project, place, mode, words, closed):
    """1, never 3; ``chmod`` for the very file or folder that is in the way, and not "export again". Done, it works."""
    (project / "empty").mkdir()
    target = project / place

    def work():
        target.chmod(mode)
        refused = call(*words)
        advised = re.search(r"chmod u\+rwX (\S+?)\.? ", refused.stdout + refused.stderr)
        first = (refused.returncode, advised and os.path.relpath(advised[1], project), refused.stderr + refused.stdout)
        subprocess.run(["chmod", "u+rwX", advised[1] if advised else target], check=True)
        return [*first, call(*words).returncode]

    answer = done_by(work)
    assert answer.startswith(f"[1, '{closed}', "), answer
    assert answer.endswith(", 0]"), answer
    assert "xport again" not in answer
    assert "defect" not in answer


@pytest.mark.unmeasured
def test_the_doctor_goes_on_where_something_is_closed(project):
    """What cannot be looked at is a problem with its cure; all other findings are there."""

    def work():
        (project / STATE).chmod(0)
        code, out, err = call("doctor", "--json")
        return json.dumps([code, json.loads(out)["findings"], err])

    code, findings, err = json.loads(done_by(work))
    found = {each["name"]: each for each in findings}
    assert (code, err) == (1, "")
    assert found["store"]["state"] == "problem"
    assert found["store"]["cure"].startswith(f"Give yourself the permission: chmod u+rwX {project / STATE}.")
    assert {"python", "hooks", "exports", "git"} <= set(found)


@pytest.mark.parametrize("error", [ExportUnreadable, StoreNotWritable, OutputNotWritable, BackupFailed, NotPermitted])
def test_the_advice_is_that_of_the_refusal_behind_the_error(tmp_path, error):
    """However many errors stand between; other causes, and an advice of their own, are left as they are."""
    refusal = PermissionError(13, "Permission denied", str(tmp_path / "x"))

    def raised(cause, **options):
        between, found = ValueError("between"), error("x", **options)
        between.__cause__, found.__cause__ = cause, between
        return found.hint

    assert "chmod u+rwX" in raised(refusal)
    assert raised(OSError(28, "No space left")) == error.usual_hint
    assert raised(refusal, hint="mine") == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_is_somebody_elses_is_given_back_by_chown(tmp_path):
    """A run with sudo leaves files of root: the advice names the owner, and ``chown``."""
    theirs = tmp_path / "theirs"
    theirs.touch(mode=0o600)
    os.chown(theirs, NOBODY, NOBODY)

    def work():
        try:
            theirs.read_bytes()
        except PermissionError as refusal:
            return permissions.advice(refusal)

    name = pwd.getpwuid(NOBODY).pw_name
    assert done_by(work) == f'It belongs to {name}. Give it to yourself: sudo chown -R "$(id -un)" {theirs}'


def test_a_name_alone_is_told_as_it_is(tmp_path):
    """Whoever was refused from within a folder knows no more than the name; nothing at all is told in general."""
    assert "chmod u+rwX 'a b.txt'" in permissions.advice(PermissionError(13, "Permission denied", "a b.txt"))
    assert permissions.advice(PermissionError(13, "Permission denied")).startswith("Correct the permissions")


def test_a_refusal_that_nobody_named_is_no_defect(tmp_path, monkeypatch, capsys):
    """The last line of defence calls it by its name: 1, and no log of details."""

    def refused(_arguments):
        raise PermissionError(13, "Permission denied", str(tmp_path / "x"))

    monkeypatch.setattr(sys, "argv", ["x"])
    assert entry.run(refused) == 1
    said = capsys.readouterr().err
    assert f"❌ ERROR: The system does not permit it: {tmp_path / 'x'}: Permission denied\n" in said
    assert "chmod u+rwX" in said
    assert not list(Path(os.environ.get("TMPDIR", tmp_path)).glob("export-dedup-error-*"))
