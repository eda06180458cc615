"""The real client, a stand-in for its API, and a project: one of each for every test, the project with a space in its path.

``EXPORT_DEDUP_CLIENT`` names the client: the path of ``claude``, ``npm`` to install the version below into a cache, or
``npm:VERSION`` for another one (``npm:latest``). ``EXPORT_DEDUP_CLIENTS`` names several, with the system's separator of paths
between them (a comma does as well), for the tests that run in each. Without either the tests of this folder are skipped, as no
other test asks the network or runs somebody's client.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Final

import pytest

from conftest import REPOSITORY

CLIENT_VERSION: Final = "2.1.197"
_SEVERAL: Final = [each for each in re.split(r"[,;]|:(?=/)", os.environ.get("EXPORT_DEDUP_CLIENTS", "")) if each]
_WANTED: Final = os.environ.get("EXPORT_DEDUP_CLIENT") or (_SEVERAL[0] if _SEVERAL else "")
NOWHERE: Final = "http://127.0.0.1:9"
"""Where no stand-in for the API listens."""
FORMS: Final = ("project", "plugin")
_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "export-dedup")


def pytest_collection_modifyitems(items):
    """Everything in this folder is marked ``e2e``."""
    here = str(Path(__file__).parent) + os.sep
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.e2e)


def pytest_addoption(parser):
    """``python -m pytest tests/e2e --one-form``: for a further client, in which ``test_clients.py`` tries both forms anyway."""
    parser.addoption(
        "--one-form",
        action="store_true",
        default=False,
        help="each test in one form of installation, chosen by its name",
    )


def pytest_generate_tests(metafunc):
    """A test that asks for ``each_client`` runs once in every client that was named; ``opted_in`` is each form, or one."""
    if "opted_in" in metafunc.fixturenames:
        one = zlib.crc32(metafunc.function.__name__.encode()) % len(FORMS)
        forms = FORMS[one : one + 1] if metafunc.config.getoption("--one-form", default=False) else FORMS
        metafunc.parametrize("opted_in", forms, indirect=True)
    if "each_client" in metafunc.fixturenames:
        metafunc.parametrize("each_client", _SEVERAL or [_WANTED], indirect=True, ids=_name, scope="session")


def _name(wanted):
    """How a client is called in the name of a test: ``.../2.1.197/node_modules/.bin/claude`` is 2.1.197."""
    named = [part for part in Path(wanted).parts if part not in (os.sep, "node_modules", ".bin", "bin", "claude")]
    return named[-1] if named else "no client"


@pytest.fixture(scope="session")
def executable():
    """The path of the real client."""
    return _found(_WANTED)


@pytest.fixture(scope="session")
def each_client(request):
    """The path of each real client in turn."""
    return _found(request.param)


def _found(wanted):
    """The path of the client that ``wanted`` names, installed where it has to be."""
    pytest.importorskip("pyte", reason="pyte draws the terminal, and is not installed")
    if not wanted:
        pytest.skip("EXPORT_DEDUP_CLIENT names no client: the path of claude, or npm to install it")
    if wanted.partition(":")[0] != "npm":
        assert shutil.which(wanted), f"{wanted} is no executable"
        return wanted
    if not shutil.which("npm"):
        pytest.skip("the client is installed from npm, and npm is not here")
    version = wanted.partition(":")[2] or CLIENT_VERSION
    folder = _CACHE / f"client-{version}"
    path = folder / "node_modules" / ".bin" / "claude"
    if not path.exists():
        package = f"@anthropic-ai/claude-code@{version}"
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
def project(request, tmp_path):
    """A git repository of the user's with one commit; nothing of ours is in it, and the installer finds the client of the test."""
    from e2e.place import Place

    each = "each_client" in request.fixturenames
    place = Place(tmp_path / "my project", client=request.getfixturevalue("each_client" if each else "executable"))
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
def start_each(each_client, api):
    """The same with each client in turn."""
    from e2e.client import Client

    def start_each(place, *arguments, **options):
        chosen = ["--model", "claude-haiku-4-5", *arguments, "--allowedTools", "Bash"]
        return Client(each_client, place.root, api.url, *chosen, **options)

    return start_each


@pytest.fixture(scope="session")
def home_with_plugin(tmp_path_factory, checkout):
    """``home_with_plugin(client)``: a home with the plugin in it, installed by that client as the documentation says; made once."""
    from e2e.client import environment

    made = {}

    def home(executable):
        if executable not in made:
            folder = made[executable] = tmp_path_factory.mktemp("plugin")
            variables = {name: value for name, value in environment(NOWHERE).items() if not name.startswith("XDG_")}
            variables.update(HOME=str(folder), USERPROFILE=str(folder))
            for arguments in (["marketplace", "add", str(checkout)], ["install", "export-dedup@export-dedup"]):
                command = [executable, "plugin", *arguments]
                done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
                assert done.returncode == 0, done.stdout + done.stderr
        return made[executable]

    return home


@pytest.fixture
def plugin(request, home_with_plugin):
    """The plugin, installed for the user: the client's files of that, in the home of the test."""
    each = "each_client" in request.fixturenames
    template = home_with_plugin(request.getfixturevalue("each_client" if each else "executable"))
    home = Path(os.environ["HOME"])
    for name in (".claude", ".claude.json"):
        source = template / name
        if source.is_dir():
            shutil.copytree(source, home / name, symlinks=True, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy2(source, home / name)
    places = [home / ".claude.json", *(home / ".claude").glob("*.json"), *(home / ".claude" / "plugins").glob("*.json")]
    for path in filter(Path.exists, places):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(str(template), str(home)), encoding="utf-8")


@pytest.fixture
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
