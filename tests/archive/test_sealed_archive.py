"""Archived exports in one encrypted file: opened without us they are what they were, and nothing else has a word of them."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile

import pytest

import schemas
from conftest import REPOSITORY
from encryption_keys import needed
from in_process import call

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
MOMENT = 1_772_000_000


@pytest.fixture
def project(tmp_path):
    """A project whose archive has the exports of the demonstration."""
    import os

    from deduplication.commands import export_dedup

    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    exports = root / "MEMORY-CONTEXT" / "exports"
    exports.mkdir(parents=True)
    for sample in SAMPLES:
        (exports / sample.name).write_bytes(sample.read_bytes())
        os.utime(exports / sample.name, (MOMENT, MOMENT))
    assert call("--project", root, "--no-checkpoint", main=export_dedup.main).returncode == 0
    return root


def opened(path, keys):
    """What the program and tar find in such a file, without us."""
    if "--identity" in keys.opening():
        command = ["age", "--decrypt", *keys.opening(), str(path)]
    else:
        command = ["gpg", "--batch", "--quiet", "--decrypt", str(path)]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {entry.name: (tar.extractfile(entry).read(), entry.mtime) for entry in tar}


def test_every_file_is_there_byte_for_byte(project, tmp_path, keys):
    """With its time; the encrypted file itself says nothing of them, and is for its owner alone."""
    path = tmp_path / "sealed"
    done = call("restore", "--seal", path, "--encrypt-to", keys.recipient, "--project", project, "--json")
    assert done.returncode == 0, done
    told = json.loads(done.stdout)
    schemas.check("restore", told)
    assert (told["sealed"], told["files"], told["failed"]) == (str(path), len(SAMPLES), [])
    assert told["bytes"] == sum(sample.stat().st_size for sample in SAMPLES)
    assert opened(path, keys) == {sample.name: (sample.read_bytes(), MOMENT) for sample in SAMPLES}
    assert not [sample for sample in SAMPLES if sample.read_bytes()[:60] in path.read_bytes()]
    assert path.stat().st_mode & 0o777 == 0o600


def test_those_that_are_named(project, tmp_path, keys):
    """As restore has them."""
    path = tmp_path / "sealed"
    assert (
        call(
            "restore", SAMPLES[0].name, "--seal", path, "--encrypt-to", keys.recipient, "--project", project
        ).returncode
        == 0
    )
    assert list(opened(path, keys)) == [SAMPLES[0].name]


def test_one_that_does_not_come_back_is_named_and_the_others_are_there(project, tmp_path, keys):
    """A damaged pack costs what stood in it, and the exit code says so."""
    packs = sorted((project / "MEMORY-CONTEXT" / "exports-archive" / "packs").glob("*.pack"))
    data = bytearray(packs[0].read_bytes())
    data[40 : len(data) - 40] = bytes(len(data) - 80)
    packs[0].write_bytes(data)
    plain = project / "MEMORY-CONTEXT" / "exports-archive" / "2026-03-09-EXPORT-PLAIN.txt"
    plain.write_bytes(b"plain\n")
    path = tmp_path / "sealed"
    done = call("restore", "--seal", path, "--encrypt-to", keys.recipient, "--project", project, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["failed"]
    assert opened(path, keys)[plain.name][0] == b"plain\n"


def test_what_cannot_be_encrypted_leaves_nothing(project, tmp_path):
    """A key that is none, a program that is missing; and nothing is overwritten."""
    needed("age")
    path = tmp_path / "sealed"
    for key, environment in (("age1nonsense", {}), ("age1x", {"PATH": str(tmp_path)})):
        words = ("restore", "--seal", path, "--encrypt-to", key, "--project", project)
        done = call(*words, environment=environment) if environment else call(*words)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done
    assert not [each for each in tmp_path.iterdir() if "sealed" in each.name]
    path.write_bytes(b"mine")
    assert call("restore", "--seal", path, "--encrypt-to", "age1x", "--project", project).returncode == 1
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "words",
    [
        ("--seal", "x"),
        ("--encrypt-to", "age1x", "--list"),
        ("--seal", "x", "--encrypt-to", "age1x", "--all", "out"),
        ("--seal", "x", "--encrypt-to", "age1x", "--list"),
        ("--seal", "", "--encrypt-to", "age1x"),
    ],
)
def test_what_does_not_go_together(project, words):
    """A mistake in the command line, and nothing is written."""
    assert call("restore", *words, "--project", project).returncode == 2
