"""The real client, a stand-in for its API, and a project: one of each for every test, the project with a space in its path.

``EXPORT_DEDUP_CLIENT`` names the client: the path of ``claude``, or ``npm`` to install the version below into a cache.
Without it the tests of this folder are skipped, as no other test asks the network or runs somebody's client.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from conftest import REPOSITORY

CLIENT_VERSION: Final = "2.1.197"
_WANTED: Final = os.environ.get("EXPORT_DEDUP_CLIENT", "")
_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "export-dedup")


def pytest_collection_modifyitems(items):
    """Everything in this folder is marked ``e2e``."""
    here = str(Path(__file__).parent) + os.sep
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def executable():
    """The path of the real client."""
    pytest.importorskip("pyte", reason="pyte draws the terminal, and is not installed")
    if not _WANTED:
        pytest.skip("EXPORT_DEDUP_CLIENT names no client: the path of claude, or npm to install it")
    if _WANTED != "npm":
        assert shutil.which(_WANTED), f"EXPORT_DEDUP_CLIENT={_WANTED} is no executable"
        return _WANTED
    if not shutil.which("npm"):
        pytest.skip("the client is installed from npm, and npm is not here")
    folder = _CACHE / f"client-{CLIENT_VERSION}"
    path = folder / "node_modules" / ".bin" / "claude"
    if not path.exists():
        package = f"@anthropic-ai/claude-code@{CLIENT_VERSION}"
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"the client cannot be installed from npm: {done.stderr.strip()[-300:]}")
    return str(path)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """What a user clones: the shipped files alone, in a folder with a space in its name."""
    command = ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("clone") / "export dedup"
    for name in filter(None, done.stdout.split(b"\0")):
        source, target = REPOSITORY / os.fsdecode(name), folder / os.fsdecode(name)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


@pytest.fixture
def api():
    """The stand-in for the Messages API, running."""
    from e2e.api import StandIn

    with StandIn() as server:
        yield server


@pytest.fixture
def project(tmp_path):
    """A git repository of the user's with one commit; nothing of ours is in it."""
    from e2e.place import Place

    place = Place(tmp_path / "my project")
    place.begin()
    return place


@pytest.fixture
def start(executable, api):
    """``start(place, *arguments)``: the client there, to be used in a ``with``.

    ``model`` is one without efforts: of those the client shows a hint in the first ten seconds, where our notices come.
    """
    from e2e.client import Client

    def start(place, *arguments, model="claude-haiku-4-5", **options):
        chosen = ["--model", model] if model else []
        return Client(executable, place.root, api.url, *chosen, *arguments, "--allowedTools", "Bash", **options)

    return start


@pytest.fixture
def plugin(executable, checkout):
    """The plugin, installed for the user from the checkout as the documentation says."""
    from e2e.client import environment

    for arguments in (["marketplace", "add", str(checkout)], ["install", "export-dedup@export-dedup"]):
        command = [executable, "plugin", *arguments]
        done = subprocess.run(
            command, env=environment("http://127.0.0.1:9"), capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(params=["project", "plugin"])
def opted_in(request, project, checkout):
    """A project that export-dedup works in, once in each form of installation."""
    if request.param == "plugin":
        request.getfixturevalue("plugin")
        project.memory.mkdir()
    else:
        project.install(checkout)
    return project


@pytest.fixture
def with_plugin(project, plugin):
    """A project that export-dedup works in, through the plugin."""
    project.memory.mkdir()
    return project
