"""What every test stands on: no test sees, or touches, home, git identity, database or folder of whoever runs it."""

from __future__ import annotations

import gc
import itertools
import os
import re
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import postgres_server
from deduplication.files import anchored

# No test measures time: a slow machine finds the same errors as a fast one. In CI the same examples come every time.
settings.register_profile(
    "export-dedup", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("export-dedup")

pytest_plugins = ["document_fixtures", "encryption_keys", "postgres_fixtures", "store_fixtures"]

REPOSITORY = Path(__file__).resolve().parent.parent
CLIENT = "2.1.332"
"""What the client says of its version, where a test does not have it say another one."""
_UNSET = (
    "CLAUDE_PROJECT_DIR",
    "CLAUDE_PLUGIN_ROOT",
    "CLAUDE_PLUGIN_DATA",
    "CLAUDE_CONFIG_DIR",
    "COLUMNS",
    "FORCE_COLOR",
    "GIT_AUTHOR_DATE",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_DATE",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_WORK_TREE",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONIOENCODING",
    "PYTHONPATH",
    "PYTHONWARNINGS",
)
_FOLDERS = itertools.count()
_IDENTITY = """\
[user]
    name = Test
    email = test@example.invalid
[init]
    defaultBranch = main
[commit]
    gpgSign = false
"""


def client(folder, version):
    """A stand-in for the client that does nothing but say its version; ``claude`` in a folder for the PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / "claude"
    path.write_text(f"#!/bin/sh\necho '{version} (Claude Code)'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def pytest_collection_modifyitems(items):
    """What takes longest comes first: begun last, it would leave one worker alone with it.

    With older servers the same tests run the same lines of ours again, which nobody has to measure twice.
    """
    items.sort(key=lambda item: not item.get_closest_marker("slow"))
    versions = "|".join(str(each.major) for each in postgres_server.installations()[1:])
    older = re.compile(rf"(?:postgres|postgresql-|hybrid-)(?:{versions or 'none'})")
    for item in items:
        if older.search(item.name):
            item.add_marker(pytest.mark.unmeasured)


def pytest_collection_finish():
    """The tests that were collected stay to the end: to look through them for garbage again and again is a tenth of the work."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def measuring(request, monkeypatch):
    """A test that is marked ``unmeasured``, and what it starts, runs without coverage: many of them take half as long then.

    ``no_cover`` of pytest-cov does not do it: in a worker of pytest-xdist coverage is at work more than once, and what
    pytest-cov pauses the one below it goes on with. A child that any test forks off here writes nothing when it ends with
    ``os._exit``, as a hook does: it would write once more all that was measured before it, which takes seconds.
    """
    monkeypatch.setattr(os, "_exit", sys.modules[os.name]._exit)
    if not request.node.get_closest_marker("unmeasured"):
        yield
        return
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    here, in_threads = sys.gettrace(), getattr(threading, "gettrace", lambda: None)()  # gettrace came with Python 3.10
    sys.settrace(None)
    threading.settrace(None)
    yield
    sys.settrace(here)
    threading.settrace(in_threads)


@pytest.fixture
def tmp_path(request, tmp_path_factory):
    """An empty folder of the test's own, as pytest's: that one looks for a free number among the folders of all earlier tests."""
    name = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in request.node.name)[:30]
    folder = tmp_path_factory.getbasetemp() / f"{name}{next(_FOLDERS)}"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(autouse=True)
def guard(tmp_path, tmp_path_factory, monkeypatch):
    """A home, a temporary folder and a git configuration of the test's own; the current folder is ``tmp_path``.

    No folder is an anchor because an earlier test of this process made it one. The identity lies in ``~/.gitconfig``: a test of a
    machine without one deletes that file. Garbage is collected again whatever a test has called: hooks, which end soon, turn that
    off, and a worker of these tests would come to some gigabytes.
    """
    monkeypatch.setattr(anchored, "_anchors", set())
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_FOLDERS))
    temporary = home / "tmp"
    temporary.mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    for name in _UNSET:
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith(("GIT_CONFIG", "PG", "EXPORT_DEDUP_DATABASE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name, folder in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_RUNTIME_DIR", ".run"),
    ):
        monkeypatch.setenv(name, str(home / folder))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    # The installer asks the client for its version: never the one of whoever runs the tests.
    client(home / "client", CLIENT)
    monkeypatch.setenv("PATH", f"{home / 'client'}{os.pathsep}{os.environ['PATH']}")
    (home / ".gitconfig").write_text(_IDENTITY, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # A repository above the temporary folder is none of a test's business.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    yield
    gc.enable()


@pytest.fixture
def plain_week():
    """The user wants archived exports as plain files for a week."""
    from settings_scenes import own

    own(pack_older_than_days=7)


@pytest.fixture(scope="session")
def repository():
    """The checkout under test."""
    return REPOSITORY


@pytest.fixture(scope="session")
def few_modules(tmp_path_factory):
    """A checkout with all that is installed, but of the package a few modules only; it is read, never changed."""
    import checkouts

    checkout = tmp_path_factory.mktemp("few-modules")
    checkouts.small(checkout)
    return checkout


@pytest.fixture
def small_checkout(few_modules, monkeypatch):
    """The installer of this process installs that one."""
    from deduplication.installation import origin

    monkeypatch.setattr(origin, "found", lambda: origin.of_checkout(few_modules))


@pytest.fixture(scope="session")
def corpus():
    """Real exports: public files and recordings that are not part of the repository, read where they lie."""
    folder = Path(os.environ.get("EXPORT_DEDUP_CORPUS") or REPOSITORY.parent / "shared" / "corpus")
    if not folder.is_dir():
        pytest.skip(f"no corpus of real exports at {folder} (EXPORT_DEDUP_CORPUS names another place)")
    return folder
