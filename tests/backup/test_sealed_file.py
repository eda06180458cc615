"""A backup in one encrypted file: who has the key gets every byte back, nobody else a word, and nothing readable is left."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time

import pytest

from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator
from encryption_keys import Age, needed
from full_store import numbered
from in_process import call

SECRET = "harbour says something that nobody else may read"


@pytest.fixture
def project(tmp_path):
    """A project whose store has words."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    dedup = ClaudeConversationDeduplicator(root / "MEMORY-CONTEXT" / "dedup_state")
    dedup.ingest(numbered("tides", range(20), SECRET), name="tides.json", conversation_id="tides")
    return root


@pytest.fixture
def backup(project, tmp_path):
    """A backup of it with two snapshots."""
    folder = tmp_path / "backup"
    assert call("backup", folder, "--project", project).returncode == 0
    state = project / "MEMORY-CONTEXT" / "dedup_state"
    ClaudeConversationDeduplicator(state).ingest(numbered("more", range(5)), name="more.json", conversation_id="more")
    assert call("backup", folder, "--project", project).returncode == 0
    return folder


def seal(backup, path, keys):
    """Into a file, as a program does it."""
    done = call("backup", backup, "--seal", path, "--encrypt-to", keys.recipient, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def parts(folder):
    """What a backup consists of."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name != ".lock"}


def test_every_byte_comes_back(backup, tmp_path, keys, project):
    """The same backup, and the same store from it; the file itself says nothing of what it holds."""
    sealed, opened = tmp_path / "sealed", tmp_path / "opened"
    told = seal(backup, sealed, keys)
    assert told["snapshots"] == 2
    assert SECRET.encode() not in sealed.read_bytes()
    assert sealed.stat().st_mode & 0o777 == 0o600
    done = call("backup", opened, "--unseal", sealed, *keys.opening())
    assert done.returncode == 0, done
    assert parts(opened) == parts(backup)
    assert call("backup", opened, "--verify").returncode == 0
    assert call("backup", opened, "--restore", "--output", tmp_path / "restored").returncode == 0
    state = tmp_path / "restored" / "dedup_state"
    assert len(ClaudeConversationDeduplicator(state).get_full_conversation("tides")) == 20


def test_nobody_else_opens_it_and_nothing_is_left(backup, tmp_path, keys):
    """Another key: a named failure, no folder, no file."""
    sealed = tmp_path / "sealed"
    seal(backup, sealed, keys)
    before = sorted(path.name for path in tmp_path.iterdir())
    done = call("backup", tmp_path / "opened", "--unseal", sealed, *keys.opening(1))
    assert done.returncode == 1
    assert "could not open it" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("change", ["cut", "flipped"])
def test_a_damaged_file_gives_nothing(backup, tmp_path, keys, change):
    """Not even what stands before the damage."""
    sealed = tmp_path / "sealed"
    seal(backup, sealed, keys)
    data = bytearray(sealed.read_bytes())
    if change == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 1
    sealed.write_bytes(data)
    done = call("backup", tmp_path / "opened", "--unseal", sealed, *keys.opening())
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "opened").exists()


def test_no_key_no_file(backup, tmp_path):
    """A recipient that is none, a program that is not there, two kinds at once: said, and nothing is written."""
    needed("age")
    path = tmp_path / "sealed"
    for keys, said in (
        (("age1nonsense",), "could not encrypt"),
        (("age1nonsense", "ada@example.org"), "cannot be mixed"),
    ):
        options = [word for key in keys for word in ("--encrypt-to", key)]
        done = call("backup", backup, "--seal", path, *options)
        assert (done.returncode, said in done.stderr) == (1, True), done
    done = call("backup", backup, "--seal", path, "--encrypt-to", "age1x", environment={"PATH": str(tmp_path)})
    assert (done.returncode, "age is not on the PATH" in done.stderr) == (1, True)
    assert call("backup", backup, "--seal", path).returncode == 2
    assert call("backup", backup, "--encrypt-to", "age1x").returncode == 2
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(("sealed", ".sealed"))]


def test_nothing_is_overwritten(backup, tmp_path, keys):
    """Neither a file by sealing, nor a folder by opening."""
    sealed = tmp_path / "sealed"
    seal(backup, sealed, keys)
    data = sealed.read_bytes()
    assert call("backup", backup, "--seal", sealed, "--encrypt-to", keys.recipient).returncode == 1
    assert sealed.read_bytes() == data
    before = parts(backup)
    assert call("backup", backup, "--unseal", sealed, *keys.opening()).returncode == 1
    assert parts(backup) == before


def test_a_damaged_backup_is_not_sealed(backup, tmp_path, keys):
    """What is encrypted is proven first."""
    part = max(
        (path for path in (backup / "objects").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    done = call("backup", backup, "--seal", tmp_path / "sealed", "--encrypt-to", keys.recipient)
    assert (done.returncode, "damaged" in done.stderr) == (1, True)
    assert not (tmp_path / "sealed").exists()


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "objects/zz/zz", "backup.json/x", "snapshots/x"])
def test_what_no_backup_has_is_not_written(tmp_path, name):
    """Whoever has the public key can make such a file: it leads nowhere."""
    needed("age")
    keys = Age(tmp_path)
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"evil"))
    sealed = tmp_path / "sealed"
    command = ["age", "--recipient", keys.recipient, "--output", str(sealed)]
    subprocess.run(command, input=held.getvalue(), check=True)
    done = call("backup", tmp_path / "opened", "--unseal", sealed, *keys.opening())
    assert (done.returncode, "what no backup has" in done.stderr) == (1, True), done
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "other key", "sealed"]


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_killed_at_any_moment_sealing_leaves_nothing_readable(backup, tmp_path, project):
    """Nothing that a kill leaves has a word of what was said; the next one makes the file."""
    needed("age")
    keys = Age(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    script = REPOSITORY / "scripts" / "deduplicate_export.py"
    command = [
        sys.executable,
        str(script),
        "backup",
        str(backup),
        "--seal",
        str(out / "sealed"),
        "--encrypt-to",
        keys.recipient,
    ]
    for delay in (0.05, 0.1, 0.15, 0.2, 0.3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for path in out.iterdir():
            assert SECRET.encode() not in path.read_bytes()
        (out / "sealed").unlink(missing_ok=True)
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert (out / "sealed").is_file()
