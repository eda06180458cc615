"""``export-dedup`` from the outside: every subcommand by one name, wherever the package lies."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from conftest import REPOSITORY
from deduplication import __version__
from deduplication.commands.shell import one_command, table
from deduplication.terminal import called
from in_process import call as called_as_script

PACKAGE = REPOSITORY / "scripts" / "deduplication"
SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))


@pytest.fixture(autouse=True)
def afterwards():
    """Other tests call scripts."""
    yield
    called.by_command(so=False)


def call(*arguments, **options):
    """The command in this process."""
    return called_as_script(*arguments, main=one_command.main, **options)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The current folder: a project with the three samples."""
    folder = tmp_path / "project"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    for sample in SAMPLES:
        shutil.copy(sample, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("name", table.SUBCOMMANDS)
def test_every_subcommand_has_help_in_the_words_of_the_command(name):
    """Usage begins with the command and the subcommand; no entry script is named, which nobody has who installed with pip."""
    code, out, err = call(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: export-dedup {name} ")
    assert not re.search(r"(deduplicate_export|export-dedup|create-checkpoint|with-status)\.py|install\.sh", out)
    assert call(name, "--version") == (0, f"export-dedup {__version__}\n", "")


def test_help_lists_every_subcommand_once():
    """With and without ``--help``, which differ in the exit code: without it nothing was done."""
    for arguments, code in (((), 2), (("--help",), 0), (("-h",), 0), (("help",), 0)):
        ended = call(*arguments)
        assert (ended.returncode, ended.stderr) == (code, "")
        assert re.findall(r"^  ([a-z]+)  ", ended.stdout, re.MULTILINE) == list(table.SUBCOMMANDS)
    assert call("--version") == (0, f"export-dedup {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serch", "x"], "no subcommand 'serch' (did you mean search?)"),
        (["qqqqqq"], "no subcommand 'qqqqqq'\n"),
        ([""], "no subcommand ''"),
        (["--versoin"], "no option '--versoin' before a subcommand (did you mean --version?)"),
        (["--project", "x"], "no option '--project' before a subcommand"),
        (["--", "search"], "no option '--' before a subcommand"),
    ],
    ids=["slip", "far off", "empty", "option", "option alone", "end of options"],
)
def test_what_is_no_subcommand_is_told(words, said, tmp_path):
    """2, with what was meant; nothing is made."""
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_a_subcommand(project):
    """Where somebody passes an export as to ``deduplicate_export.py`` he is told how it goes here."""
    code, _, err = call(SAMPLES[0].name)
    assert (code, f"Run: export-dedup import {SAMPLES[0].name}" in err) == (2, True)
    assert "Total messages: 13" in call("import", SAMPLES[0].name).stdout


def test_options_may_stand_before_the_subcommand(project):
    """As with the entry script: options of the subcommand, with their values."""
    call("import", SAMPLES[0].name)
    answers = [call("stats", "--json"), call("--json", "stats"), call("--project", project, "stats", "--json")]
    assert {answer.returncode for answer in answers} == {0}
    told = [{**json.loads(answer.stdout), "metrics": None} for answer in answers]  # which have the moment
    assert told[0] == told[1] == told[2]


def test_errors_advise_what_can_be_run(project):
    """An error's hint names the command, and not a script."""
    code, _, err = call("show", "nothing")
    assert (code, "store is made when" in err) == (1, True)
    call("import", SAMPLES[0].name)
    code, _, err = call("show", "nothing")
    assert (code, "'export-dedup show' lists the conversations" in err) == (1, True)
    code, _, err = called_as_script("show", "nothing")
    assert (code, "'export-dedup show' lists" in err) == (1, True)  # this process was called by the command before


# --- run --------------------------------------------------------------------------------------------------------------


def process(*words, cwd, **environment):
    """The command as a process of its own, by the path of its main module."""
    return subprocess.run(
        [sys.executable, str(PACKAGE / "__main__.py"), *words],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.e2e
def test_run_is_what_the_slash_command_does(project):
    """The five steps, the banner, the status log; with --quiet all of it but on the screen; an unknown option makes nothing."""
    wrong = process("run", "--no-chekpoint", cwd=project)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean --no-checkpoint?" in wrong.stderr
    assert not (project / "MEMORY-CONTEXT").exists()
    done = process("run", "--yes", SAMPLES[0].name, cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "NEW UNIQUE MESSAGES ADDED & BACKED UP: 13" in done.stdout
    log = project / "MEMORY-CONTEXT" / "export-dedup-status.txt"
    reports = project / "MEMORY-CONTEXT" / "dedup_state" / "reports.txt"
    assert (log.read_text(encoding="utf-8").count("\n"), reports.read_text("utf-8").count("NEW UNIQUE")) == (1, 1)
    quiet = process("run", "--quiet", SAMPLES[1].name, cwd=project)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert (log.read_text(encoding="utf-8").count("\n"), reports.read_text("utf-8").count("NEW UNIQUE")) == (2, 2)


@pytest.mark.e2e
def test_run_tells_of_a_failure_however_quiet(project):
    """On standard error, once, with what to do; the report has it, too."""
    done = process("run", "--quiet", "gone.txt", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert "gone.txt" in done.stderr
    assert "gone.txt" in (project / "MEMORY-CONTEXT" / "export-dedup-status.txt").read_text(encoding="utf-8")


@pytest.mark.e2e
def test_run_alone_leaves_the_status_log_to_others(project):
    """``--no-status`` is the core: its steps, no banner, no report."""
    done = process("run", "--no-status", "--no-checkpoint", cwd=project)
    assert done.returncode == 0
    assert "Step 4" in done.stdout
    assert "EXECUTION REPORT" not in done.stdout
    assert not (project / "MEMORY-CONTEXT" / "export-dedup-status.txt").exists()


# --- where the package lies -------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize("how", ["-m", "path", "folder"])
def test_what_lies_in_the_current_folder_is_not_imported(project, how):
    """Modules of the project called like Python's, and like ours, are its own business."""
    for name in ("json", "argparse", "re", "typing"):
        (project / f"{name}.py").write_text("raise SystemExit('not this one')\n", encoding="utf-8")
    # What Python's own runpy imports is looked for in the current folder, too, before anything of ours runs.
    way = f"import sys; here = sys.path.pop(0); import runpy; sys.path[:0] = [{str(PACKAGE.parent)!r}, here]"
    as_module = f"{way}; runpy.run_module('deduplication', run_name='__main__')"
    words = {
        "-m": ["-c", as_module],
        "path": [str(PACKAGE / "__main__.py")],
        "folder": [str(PACKAGE)],
    }[how]
    done = subprocess.run(
        [sys.executable, *words, "stats"], cwd=project, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, "There is no message store" in done.stderr) == (1, True), done.stderr


@pytest.mark.e2e
def test_another_package_of_the_name_is_not_taken(project, tmp_path):
    """``PYTHONPATH`` may lead to an older copy: the child of a run is of the copy that was started."""
    other = tmp_path / "other" / "deduplication"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise SystemExit('an older copy')\n", encoding="utf-8")
    done = process("run", "--no-checkpoint", SAMPLES[0].name, cwd=project, PYTHONPATH=str(other.parent))
    assert (done.returncode, "BACKED UP: 13" in done.stdout) == (0, True), done.stdout + done.stderr


def setuptools_for_a_wheel():
    """The folder of a setuptools that can build ours, or a reason to skip: no test asks the network for one."""
    spec = importlib.util.find_spec("setuptools")
    if spec is None or int(importlib.metadata.version("setuptools").partition(".")[0]) < 77:
        pytest.skip("no setuptools 77 or newer in this Python (the group 'dev' has it)")
    return os.path.dirname(os.path.dirname(spec.origin))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of this checkout, built without network from a copy of it."""
    folder = setuptools_for_a_wheel()
    copy, built = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for name in ("scripts", "commands", "skills", "hooks", ".coditect"):
        shutil.copytree(
            REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("venv", "__pycache__", "*.egg-info")
        )
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--wheel-dir", str(built))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(copy)],
        env={**os.environ, "PYTHONPATH": folder, "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (path,) = built.glob("*.whl")
    return path


@pytest.mark.slow
@pytest.mark.unmeasured
def test_a_wheel_has_what_an_installation_needs(wheel):
    """Every module, migration, template and picture, and each file that a project gets or the demonstration shows; nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in {".pyc", ".pyo"}]
    package = {f"deduplication/{path.relative_to(PACKAGE).as_posix()}" for path in files}
    shipped = {
        f"deduplication/shipped/{room}/{path.relative_to(folder).as_posix()}"
        for room, folder, patterns in (
            ("scripts", REPOSITORY / "scripts", ("*.py", "database/*")),
            ("commands", REPOSITORY / "commands", ("*",)),
            ("skills", REPOSITORY / "skills", ("*/*",)),
            ("hooks", REPOSITORY / "hooks", ("*",)),
            ("coditect", REPOSITORY / ".coditect", ("*", "demo/*")),
        )
        for pattern in patterns
        for path in folder.glob(pattern)
        if path.is_file()
    }
    assert {name for name in names if ".dist-info/" not in name} == package | shipped


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The command as pip installs it, in an environment with nothing else."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    options = ("--no-deps", "--no-index", "--quiet", "--no-warn-script-location", "--prefix", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True, capture_output=True)
    assert (packages / "deduplication").is_dir()
    command = folder / "bin" / "export-dedup"
    text = command.read_text(encoding="utf-8").partition("\n")[2]
    command.write_text(f"#!{folder / 'bin' / 'python'}\n{text}", encoding="utf-8")
    return command


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.unmeasured
def test_the_installed_command_does_all_of_it(installed, project):
    """The demonstration, a run with its child, an installation into a project, and out of it again; no script is named."""

    def run(*words, cwd=project):
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "encoding": "utf-8"}
        return subprocess.run([str(installed), *words], cwd=cwd, check=False, **options)

    assert run("--version").stdout == f"export-dedup {__version__}\n"
    shown = run("demo")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.findall(r"BACKED UP: (\d+)", shown.stdout) == ["13"]
    assert "29 messages: 7 new, 22 duplicates" in shown.stdout
    assert "export-dedup restore --all out" in shown.stdout
    before = {path.name for path in project.iterdir()}
    put = run("install")
    assert (put.returncode, put.stderr) == (0, "")
    assert (project / ".coditect/scripts/deduplication/commands/search.py").is_file()
    assert not (project / ".coditect/scripts/deduplication/shipped").exists()
    assert not (project / ".coditect/scripts/deduplication/commands/setup").exists()
    assert "✓ hooks: in the project" in run("doctor", "--all").stdout
    scripts = {path.relative_to(REPOSITORY / "scripts") for path in (REPOSITORY / "scripts").rglob("*.py")}
    there = {path.relative_to(project / ".coditect/scripts") for path in (project / ".coditect/scripts").rglob("*.py")}
    assert there < scripts
    assert "up to date" in run("install").stdout
    assert run("uninstall").returncode == 0
    assert {path.name for path in project.iterdir()} == before
    done = run("run", "--no-checkpoint", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "BACKED UP: 27" in done.stdout
