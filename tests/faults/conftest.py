"""``--full`` runs the large sizes; a folder in memory, because a kill proves the same there and fsync costs nothing."""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from thorough import THOROUGH

_IN_MEMORY = "/dev/shm"
INDEXED = ("json", "default")


def pytest_addoption(parser):
    """``python -m pytest tests/faults --full``; without the folder's name pytest reads this file too late, and runs small."""
    parser.addoption("--full", action="store_true", default=False, help="inject faults in the large size (hours)")


def pytest_configure(config):
    """The large size of a property is twenty thousand examples, and other ones each time."""
    if config.getoption("--full", default=False):
        settings.register_profile(
            "full", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        settings.load_profile("full")


@pytest.fixture(scope="session")
def full(request):
    """Whether the large size was asked for."""
    return bool(request.config.getoption("--full", default=False))


@pytest.fixture
def calls(request, full):
    """At which calls a fault is injected: at every one in the large size, at every sixth, or so many, in the thorough one.

    Else at a third of those, the first among them, but where the calls are few.
    Each variant of a test (killed or refused, one index or the other) begins at another of the first ones, so that a test's
    variants together come to calls between those of each; those of one index half way between those of the other.
    """

    def numbers(step=6):
        name = request.node.nodeid.replace(*INDEXED)
        half = step // 2 if name != request.node.nodeid else 0
        first = (zlib.crc32(name.encode()) + half) % step + 1
        return itertools.count(1, 1) if full else itertools.count(first, step if THOROUGH or step < 5 else 3 * step)

    return numbers


@pytest.fixture(params=INDEXED, autouse=True)
def backend(request, monkeypatch):
    """Every fault is injected into every backend."""
    monkeypatch.setenv("EXPORT_DEDUP_FAULTS_BACKEND", request.param)
    return request.param


@pytest.fixture
def disk(tmp_path):
    """An empty folder, in memory where the system has such a place."""
    if os.access(_IN_MEMORY, os.W_OK):
        with tempfile.TemporaryDirectory(prefix="export-dedup-", dir=_IN_MEMORY) as folder:
            yield Path(folder)
    else:
        folder = tmp_path / "disk"
        folder.mkdir()
        yield folder


@pytest.fixture
def tiny(disk):
    """A file system of 2 MB that can be filled and made read-only; skips where this process may not mount one."""
    folder = disk / "tiny"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, capture_output=True)
