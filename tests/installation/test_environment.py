"""No environment is made in projects; the tests have one in the checkout; the demonstration."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from archive_scenes import archived
from conftest import REPOSITORY
from deduplication.commands.setup import install_script as install
from deduplication.installation import demo, environment, origin
from deduplication.installation import manifest as manifests
from deduplication.installation.errors import InstallRefused
from deduplication.project.paths import Project


@pytest.fixture
def bare(tmp_path):
    """An interpreter with no packages at all."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return str(tmp_path / "bare" / "bin" / "python")


@pytest.fixture
def pretend(monkeypatch):
    """Commands are noted instead of run; ``missing`` answers as the test says; venvs are folders with a pyvenv.cfg."""

    class Pretended:
        commands = []
        failing = ""
        lacking = {}

    pretended = Pretended()

    def run(command):
        pretended.commands.append(command)
        if "venv" in command:
            folder = Path(command[-1])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "pyvenv.cfg").touch()
        return "no route to host" if pretended.failing and pretended.failing in command else None

    def missing(python, packages):
        return [name for name in packages if name in pretended.lacking.get(python, ())]

    pretended.commands, pretended.lacking = [], {}
    monkeypatch.setattr(environment, "_run", run)
    monkeypatch.setattr(environment, "missing", missing)
    return pretended


@pytest.mark.e2e
def test_missing_packages_are_found(bare):
    """An interpreter without the packages is told from one that has them, and from one that does not run."""
    assert environment.missing(bare, ("rich", "filelock")) == ["rich", "filelock"]
    assert environment.missing(bare, ("json",)) == []
    assert environment.missing("/no/such/python", ("rich", "json")) == ["rich", "json"]


@pytest.mark.e2e
def test_a_folder_of_that_name_is_not_the_package(bare, tmp_path):
    """A folder called rich where the user stands does not count as the package."""
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").touch()
    assert environment.missing(bare, ("rich",)) == ["rich"]


@pytest.mark.unmeasured
@pytest.mark.slow
@pytest.mark.e2e
def test_an_installation_needs_nothing_but_python(bare, tmp_path):
    """With an interpreter that has no package, and no pip: all is installed, no environment is made, doctor has no complaint."""
    project = tmp_path / "project"
    project.mkdir()
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "encoding": "utf-8"}
    done = subprocess.run(
        [str(REPOSITORY / "install.sh"), "--project", str(project)],
        env={**os.environ, "PYTHON": bare, "PATH": f"{bare.rpartition('/')[0]}:{os.environ['PATH']}"},
        check=False,
        **options,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (project / ".coditect/venv").exists()
    assert "rich" not in done.stdout
    tool = str(project / ".coditect/scripts/deduplicate_export.py")
    looked = subprocess.run([bare, tool, "doctor", "--all"], cwd=project, check=False, **options)
    assert (looked.returncode, looked.stderr) == (0, "")
    assert "nothing needs to be done" in looked.stdout
    assert "✓ rich: not installed, and nothing depends on it" in looked.stdout
    assert "❌" not in looked.stdout


@pytest.fixture
def older(tmp_path):
    """A project into which an earlier version installed itself, and the environment that it made or found."""

    def project(name, *, made):
        root = tmp_path / name
        root.mkdir()
        assert install.main(["--project", str(root)]) == 0
        (root / ".coditect" / "venv" / "bin").mkdir(parents=True)
        (root / ".coditect" / "venv" / "pyvenv.cfg").touch()
        manifest = root / manifests.NAME
        record = json.loads(manifest.read_bytes())
        manifest.write_text(json.dumps({**record, "version": "0.1.0", "venv": made}), encoding="utf-8")
        return root

    return project


@pytest.mark.usefixtures("small_checkout")
@pytest.mark.parametrize("made", [True, False], ids=["made by us", "found"])
@pytest.mark.parametrize("option", [(), ("--uninstall",)], ids=["upgrade", "uninstall"])
def test_the_environment_of_an_earlier_version_goes(older, made, option, capsys):
    """Where that version made it; one that was there before stays. A dry run names it, and leaves it."""
    root = older("project", made=made)
    capsys.readouterr()
    assert install.main(["--project", str(root), "--dry-run", *option]) == 0
    assert ("remove: .coditect/venv" in capsys.readouterr().out) == made
    assert (root / ".coditect" / "venv").is_dir()
    assert install.main(["--project", str(root), *option]) == 0
    assert (root / ".coditect" / "venv").exists() is not made
    if not option:
        assert json.loads((root / manifests.NAME).read_bytes())["venv"] is False
        assert install.main(["--project", str(root)]) == 0
        assert "up to date" in capsys.readouterr().out
        assert install.main(["--uninstall", "--project", str(root)]) == 0
    assert {path.name for path in root.rglob("*")} == (set() if made else {".coditect", "venv", "bin", "pyvenv.cfg"})


@pytest.mark.usefixtures("small_checkout")
def test_a_link_in_the_place_of_the_environment_is_not_followed(older, tmp_path):
    """A symbolic link that a manifest calls our environment leads to something that is not ours: it stays."""
    root = older("project", made=True)
    elsewhere = tmp_path / "elsewhere"
    (root / ".coditect" / "venv").rename(elsewhere)
    (root / ".coditect" / "venv").symlink_to(elsewhere)
    for option in ((), ("--uninstall",)):
        assert install.main(["--project", str(root), "--yes", *option]) == 0
    assert (elsewhere / "pyvenv.cfg").is_file()


FAILURES = {
    "pip": (
        [sys.executable, "-c", "import sys; sys.exit('WARNING: x\\nERROR: No matching distribution.\\n')"],
        "No matching",
    ),
    "silent": ([sys.executable, "-c", "raise SystemExit(3)"], "pip failed (exit 3)"),
    "no such program": (["/no/such/python"], "No such file"),
}


@pytest.mark.parametrize(("command", "said"), FAILURES.values(), ids=FAILURES)
def test_reasons_fit_in_a_line(command, said):
    """Whatever went wrong comes back as one line."""
    reason = environment._run(command)
    assert said in reason
    assert "\n" not in reason


def test_patience_ends(monkeypatch):
    """A pip that hangs is given up."""
    monkeypatch.setattr(environment, "_PATIENCE", 0.05)
    assert "took too long" in environment._run([sys.executable, "-c", "import time; time.sleep(60)"])


def test_success_has_no_reason():
    """A command that succeeds gives None."""
    assert environment._run([sys.executable, "-c", ""]) is None


def test_broken_interpreter_is_made_again(pretend, tmp_path):
    """An environment whose Python has gone (an upgrade of the system) is made anew."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert environment.make(tmp_path / "venv") is None
    assert "--clear" in pretend.commands[0]


# --- the tests' own environment -----------------------------------------------------------------------------------


def test_test_environment_is_made_once_for_each_pyproject(pretend, tmp_path):
    """The dev group is installed at first, not again while pyproject.toml is the same, and again when it changed."""
    (tmp_path / "pyproject.toml").write_text("a")
    for expected in (3, 0):
        del pretend.commands[:]
        assert environment.for_testing(tmp_path / "venv", tmp_path).note == ""
        assert len(pretend.commands) == expected
    (tmp_path / "pyproject.toml").write_text("b")
    environment.for_testing(tmp_path / "venv", tmp_path)
    assert pretend.commands[-1][-2:] == ["--group", f"{tmp_path / 'pyproject.toml'}:dev"]
    (tmp_path / "venv" / "export-dedup.stamp").write_bytes(b"\xff")
    del pretend.commands[:]
    environment.for_testing(tmp_path / "venv", tmp_path)
    assert pretend.commands


def test_test_command_passes_its_arguments_on(pretend, monkeypatch, capsys):
    """All that follows --test goes to pytest, whose exit code is the answer; without a network an installed one runs."""
    called = []
    monkeypatch.setattr(subprocess, "call", lambda command, **options: called.append((command, options)) or 5)
    monkeypatch.setattr(
        environment, "for_testing", lambda *_: environment.Environment("some-python", note="no network")
    )
    assert install.main(["--test", "-k", "x", "--project"]) == 5
    at_once = ("-n", "auto")
    assert called == [(["some-python", "-m", "pytest", *at_once, "-k", "x", "--project"], {"cwd": REPOSITORY})]
    said = capsys.readouterr().out
    assert "going on with the pytest of some-python" in said
    assert "minutes" in said


def test_test_command_has_a_quick_form(pretend, monkeypatch, capsys):
    """The word quick stands for the core and says how long it takes; one after the other where xdist is not there."""
    called = []
    monkeypatch.setattr(subprocess, "call", lambda command, **options: called.append(command) or 0)
    monkeypatch.setattr(environment, "for_testing", lambda *_: environment.Environment("some-python"))
    pretend.lacking["some-python"] = ("xdist",)
    assert install.main(["--test", "quick", "-x"]) == 0
    ((_, switch, module, first, *rest),) = called
    assert (switch, module, first, rest[-1]) == ("-m", "pytest", "tests/alignment", "-x")
    assert all((REPOSITORY / word).exists() for word in (first, *rest) if word.startswith("tests/"))
    assert "The tests of the core" in capsys.readouterr().out


def test_test_command_without_pytest(pretend, monkeypatch):
    """Without pytest, and no way to get it, the error names it."""
    pretend.lacking["some-python"] = ("pytest",)
    monkeypatch.setattr(
        environment, "for_testing", lambda *_: environment.Environment("some-python", note="no network")
    )
    with pytest.raises(InstallRefused, match="pytest"):
        install.main(["--test"])


# --- the demonstration ----------------------------------------------------------------------------------------------


@pytest.mark.e2e
def test_demo_shows_one_report_and_how_it_grew():
    """The demonstration ends with success, one whole report, and a line for each export: all new, then mostly duplicates."""
    done = subprocess.run(
        [str(REPOSITORY / "install.sh"), "--demo", "--offline"],
        env={**os.environ, "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("EXECUTION REPORT") == 1
    assert re.findall(r"NEW UNIQUE MESSAGES ADDED & BACKED UP: (\d+)\n", done.stdout) == ["13"]
    growth = re.findall(r"^  2026-03-0\d-\S+   (.*)$", done.stdout, re.MULTILINE)
    assert growth == [
        "13 messages: 13 new, 0 duplicates",
        "21 messages: 7 new, 14 duplicates",
        "29 messages: 7 new, 22 duplicates",
    ]
    scratch = Path(next(line for line in done.stdout.splitlines() if line.startswith("Scratch project: "))[17:])
    kept = archived(Project(scratch))
    samples = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
    assert kept == {path.name: path.read_bytes() for path in samples}
    log = subprocess.run(["git", "-C", str(scratch), "log", "--oneline"], capture_output=True, text=True, check=True)
    assert len(log.stdout.splitlines()) == 3
    assert f"rm -r {scratch}" in done.stdout


def test_demo_stops_at_the_first_failure(tmp_path, monkeypatch):
    """A run that fails ends the demonstration with its exit code, and the scratch project is named."""
    monkeypatch.setattr(subprocess, "call", lambda *_, **__: 3)
    said = []
    assert demo.run(origin.found(), said.append) == 3
    assert "exit code 3" in said[-1]


def test_demo_without_git(monkeypatch):
    """Without git the demonstration goes on, and says so."""

    def no_git(*_, **__):
        raise FileNotFoundError(2, "No such file", "git")

    monkeypatch.setattr(subprocess, "call", lambda *_, **__: 0)
    monkeypatch.setattr(subprocess, "run", no_git)
    said = []
    assert demo.run(origin.found(), said.append) == 0
    assert any("git was not found" in text for text in said)


def test_demo_without_samples(tmp_path):
    """A checkout without the samples is refused."""
    with pytest.raises(InstallRefused, match="samples"):
        demo.run(origin.of_checkout(tmp_path), print)
