"""The virtual environment, the demonstration and the test command: with packages, without them, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archive_scenes import archived
from conftest import REPOSITORY
from deduplication.commands import install
from deduplication.errors import InstallRefused
from deduplication.installation import demo, environment
from deduplication.project.paths import Project

# No test may ask the network: pip is told that there is none, whatever the machine's own settings say.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}


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

    def missing(python, packages=environment.PACKAGES):
        return [name for name in packages if name in pretended.lacking.get(python, ())]

    pretended.commands, pretended.lacking = [], {}
    monkeypatch.setattr(environment, "_run", run)
    monkeypatch.setattr(environment, "missing", missing)
    return pretended


@pytest.mark.e2e
def test_missing_packages_are_found(bare):
    """An interpreter without the packages is told from one that has them, and from one that does not run."""
    assert environment.missing(bare) == ["rich", "filelock"]
    assert environment.missing(bare, ("json",)) == []
    assert environment.missing("/no/such/python") == ["rich", "filelock"]


@pytest.mark.e2e
def test_a_folder_of_that_name_is_not_the_package(bare, tmp_path):
    """A folder called rich where the user stands does not count as the package."""
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").touch()
    assert "rich" in environment.missing(bare)


@pytest.mark.unmeasured
@pytest.mark.slow
@pytest.mark.e2e
def test_without_a_network_the_installation_goes_on(bare, tmp_path):
    """No network: one line names the two packages, everything else is installed, no broken environment is left."""
    project = tmp_path / "project"
    project.mkdir()
    done = subprocess.run(
        [str(REPOSITORY / "install.sh"), "--project", str(project)],
        env={**os.environ, **OFFLINE, "PYTHON": bare},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if "rich and filelock are missing" in line]
    assert (project / ".coditect/scripts/export-dedup.py").is_file()
    assert not (project / ".coditect/venv").exists()


def test_an_interpreter_that_has_both_needs_no_environment(pretend, tmp_path):
    """Where rich and filelock are installed already, nothing is made and nothing is said."""
    found = environment.for_running(tmp_path / "venv")
    assert (found.python, found.created, found.note) == (sys.executable, False, "")
    assert pretend.commands == []


def test_environment_is_made_once(pretend, tmp_path):
    """The first run makes the environment and installs both packages; the second finds them and runs nothing."""
    pretend.lacking[sys.executable] = ("rich",)
    found = environment.for_running(tmp_path / "venv")
    assert found.created
    assert found.note == ""
    assert found.python.startswith(str(tmp_path / "venv"))
    assert pretend.commands[1][-2:] == ["rich", "filelock"]
    del pretend.commands[:]
    assert environment.for_running(tmp_path / "venv").python == found.python
    assert pretend.commands == []


@pytest.mark.parametrize("failing", ["venv", "pip"])
def test_environment_that_fails_is_removed(pretend, tmp_path, failing):
    """Where venv or pip fail, the plain interpreter goes on, the missing package is named, nothing half made stays."""
    pretend.lacking[sys.executable] = ("rich",)
    pretend.failing = failing
    found = environment.for_running(tmp_path / "venv")
    assert (found.python, found.created) == (sys.executable, False)
    assert found.note == "rich is missing (no route to host): going on without, nothing depends on it."
    assert not (tmp_path / "venv").exists()


def test_environment_of_the_user_is_not_removed(pretend, tmp_path):
    """A folder that was there before survives a failing pip, also one that is no environment."""
    pretend.lacking[sys.executable] = ("filelock",)
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "mine").touch()
    found = environment.for_running(tmp_path / "venv")
    assert "is no virtual environment" in found.note
    assert (tmp_path / "venv" / "mine").exists()
    assert pretend.commands == []


def test_installed_elsewhere_is_said(pretend, tmp_path):
    """A broken environment beside an interpreter that has both packages costs nothing, and says so."""
    (tmp_path / "venv").mkdir()
    found = environment.for_running(tmp_path / "venv")
    assert found.note.endswith("rich and filelock are installed anyway.")


def test_project_environment_is_removed_with_the_rest(pretend, tmp_path):
    """An environment that the installer made goes on uninstall; one that was there before stays."""
    pretend.lacking[sys.executable] = ("rich",)
    for name, made_before in (("new", False), ("old", True)):
        project = tmp_path / name
        project.mkdir()
        if made_before:
            environment.make(project / ".coditect" / "venv")
        install.main(["--project", str(project)])
        assert (project / ".coditect/venv/pyvenv.cfg").exists()
        install.main(["--uninstall", "--project", str(project)])
        assert (project / ".coditect/venv").exists() == made_before


def test_dry_run_names_the_environment(pretend, tmp_path, capsys):
    """A dry run says that an environment would be made, and makes none."""
    (tmp_path / "project").mkdir()
    install.main(["--project", str(tmp_path / "project"), "--dry-run"])
    assert ".coditect/venv" in capsys.readouterr().out
    assert pretend.commands == []


def test_note_about_packages_reaches_the_user(pretend, tmp_path, capsys):
    """What is missing is said where the user looks: in the installer's own output."""
    pretend.lacking[sys.executable] = ("rich", "filelock")
    pretend.failing = "pip"
    (tmp_path / "project").mkdir()
    assert install.main(["--project", str(tmp_path / "project")]) == 0
    assert "rich and filelock are missing" in capsys.readouterr().out


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
    assert called == [(["some-python", "-m", "pytest", *at_once, "-k", "x", "--project"], {"cwd": install.CHECKOUT})]
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
    assert all((install.CHECKOUT / word).exists() for word in (first, *rest) if word.startswith("tests/"))
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
def test_demo_shows_three_banners():
    """The demonstration ends with success and three banners: all new, then mostly duplicates, then mostly duplicates."""
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
    numbers = {}
    for label in (
        "NEW UNIQUE MESSAGES ADDED & BACKED UP: ",
        "Duplicate Messages Filtered: ",
        "Total Messages Processed: ",
    ):
        numbers[label] = [int(line.split(": ")[1]) for line in done.stdout.splitlines() if label in line]
    assert list(numbers.values()) == [[13, 7, 7], [0, 14, 22], [13, 21, 29]]
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
    assert demo.run(REPOSITORY, sys.executable, said.append) == 3
    assert "exit code 3" in said[-1]


def test_demo_without_git(monkeypatch):
    """Without git the demonstration goes on, and says so."""

    def no_git(*_, **__):
        raise FileNotFoundError(2, "No such file", "git")

    monkeypatch.setattr(subprocess, "call", lambda *_, **__: 0)
    monkeypatch.setattr(subprocess, "run", no_git)
    said = []
    assert demo.run(REPOSITORY, sys.executable, said.append) == 0
    assert any("git was not found" in text for text in said)


def test_demo_without_samples(tmp_path):
    """A checkout without the samples is refused."""
    with pytest.raises(InstallRefused, match="samples"):
        demo.run(tmp_path, sys.executable, print)


def test_demo_uses_the_environment(pretend, monkeypatch, capsys):
    """--demo makes the environment in the checkout, and says in one line when it cannot."""
    monkeypatch.setattr(
        environment, "for_running", lambda folder: environment.Environment(str(folder), note="no network")
    )
    monkeypatch.setattr(demo, "run", lambda checkout, python, say: say(python) or 0)
    assert install.main(["--demo"]) == 0
    assert capsys.readouterr().out == f"no network\n{REPOSITORY / '.coditect' / 'venv'}\n"
