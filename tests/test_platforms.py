"""Windows and macOS as far as they can be shown here: the page's list against the tests, and commands as on a Windows."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

import windows_like
from conftest import REPOSITORY
from deduplication.errors import StoreLocked, StoreNotWritable
from deduplication.files import atomic, locking
from transcript_lines import SESSION, day

PAGE = REPOSITORY / "docs" / "platforms.md"
_NAMED = re.compile(r"\[([\w/.]+\.py)::(\w+)\]\(\.\./tests/([\w/.]+\.py)\)")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="open files are found in /proc")


def test_every_test_that_the_page_names_is_there():
    """Each file has the function; each row of the list has a test; each module that it names exists."""
    text = PAGE.read_text(encoding="utf-8")
    named = _NAMED.findall(text)
    assert len(named) > 40
    for shown, function, path in named:
        assert shown == path
        assert f"\ndef {function}(" in (REPOSITORY / "tests" / path).read_text(encoding="utf-8"), f"{path}::{function}"
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| assumption")]
    assert len(rows) > 20
    for row in rows:
        assert _NAMED.search(row), row
    for module in re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", text):
        assert any((REPOSITORY / place / module).is_file() for place in ("scripts/deduplication", ".")), module


class Simulated:
    """A project, and our scripts run as on a Windows, or as they are."""

    def __init__(self, folder):
        self.root = folder / "my project (old)"
        self.root.mkdir()
        programs = folder / "programs"
        programs.mkdir()
        if git := shutil.which("git"):
            (programs / "git.exe").symlink_to(git)
        here = {"HOME": folder / "home", "CLAUDE_CONFIG_DIR": folder / "client"}
        windows = {"APPDATA": folder / "home" / "roaming", "LOCALAPPDATA": folder / "home" / "local"}
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.environment = {
            **os.environ,
            **{name: str(value) for name, value in {**here, **windows}.items()},
            "PATH": path,
        }
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "PYTHONIOENCODING", "PYTHONUTF8"):
            self.environment.pop(name, None)

    def run(self, script, *arguments, windows=True, said=b""):
        """Its output as text; it must end with 0."""
        way = [str(REPOSITORY / "tests" / "support" / "windows_like.py")] if windows else []
        done = subprocess.run(
            [sys.executable, *way, str(REPOSITORY / script), *map(str, arguments)],
            cwd=self.root,
            env=self.environment,
            input=said,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        assert b"Traceback" not in done.stderr
        return done.stdout.decode("utf-8")

    def demo(self):
        """The samples as new exports."""
        for path in (REPOSITORY / ".coditect" / "demo").glob("*.txt"):
            shutil.copy2(path, self.root)


@pytest.fixture
def simulated(tmp_path):
    """A new one."""
    return Simulated(tmp_path)


@linux_only
@pytest.mark.parametrize("script", ["export-dedup.py", "export-dedup-with-status.py"])
def test_a_run_as_on_a_windows(simulated, script):
    """Stored, archived and packed with the same bytes; what reads and changes the store works, and is right elsewhere, too."""
    simulated.demo()
    wanted = {path.name: path.read_bytes() for path in simulated.root.glob("*.txt")}
    said = simulated.run(f"scripts/{script}")
    assert "27" in said
    assert "✅" in said  # a pipe gets UTF-8, whatever the code page is
    assert "index" not in said  # such as a warning that the index could not be replaced
    verify = ("scripts/deduplicate_export.py", "verify")
    assert "Verified" in simulated.run(*verify)
    assert "Verified" in simulated.run(*verify, windows=False)
    assert not list((simulated.root / "MEMORY-CONTEXT").rglob("*.tmp"))
    for name in ("pack", "upgrade", "rebuild"):
        simulated.run("scripts/deduplicate_export.py", name)
        assert "Verified" in simulated.run(*verify)
    simulated.run("scripts/deduplicate_export.py", "restore", "--all", simulated.root / "back", windows=False)
    assert {path.name: path.read_bytes() for path in (simulated.root / "back").rglob("*.txt")} == wanted
    for path in (simulated.root / "MEMORY-CONTEXT").rglob("*.json*"):
        assert b"\r\n" not in path.read_bytes(), path


@linux_only
def test_a_hook_as_on_a_windows(simulated):
    """Turns are captured, and the log is that of another system."""
    (simulated.root / "MEMORY-CONTEXT").mkdir()
    simulated.environment["CLAUDE_PROJECT_DIR"] = str(simulated.root)
    transcript = simulated.root.parent / "client" / "projects" / "x" / f"{SESSION}.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_bytes(day(3))
    payload = {"session_id": SESSION, "transcript_path": str(transcript), "cwd": str(simulated.root)}
    assert simulated.run("hooks/run.py", "Stop", said=json.dumps(payload).encode()) == ""
    verified = simulated.run("scripts/deduplicate_export.py", "verify", windows=False)
    assert "every number is right (6 unique messages)" in verified


@linux_only
def test_paths_of_ours_are_short(simulated):
    """Windows refuses more than 260 characters unless it was told otherwise: what we make takes no more than 150 of them."""
    simulated.demo()
    simulated.run("scripts/export-dedup.py", windows=False)
    made = [str(path.relative_to(simulated.root)) for path in (simulated.root / "MEMORY-CONTEXT").rglob("*")]
    assert 40 < max(map(len, made)) <= 150
    deep = simulated.root.joinpath(*["a folder with a long name, one of many, so that the path is longer than 260"] * 4)
    deep.mkdir(parents=True)
    for path in simulated.root.glob("MEMORY-CONTEXT/exports-archive/*"):
        shutil.move(path, deep)
    (simulated.root / "MEMORY-CONTEXT").rename(deep / "MEMORY-CONTEXT")
    assert "Verified: every line" in simulated.run(
        "scripts/deduplicate_export.py",
        "verify",
        "--storage-dir",
        deep / "MEMORY-CONTEXT" / "dedup_state",
        windows=False,
    )


def test_locks_of_windows(tmp_path, monkeypatch):
    """``msvcrt.locking``: one holder; who comes meanwhile is told of it, and gets the lock afterwards."""
    monkeypatch.setitem(sys.modules, "msvcrt", windows_like.msvcrt())
    monkeypatch.setattr(locking, "os", _Named("nt"))
    monkeypatch.setattr(locking, "SHARED", False)
    path = str(tmp_path / ".lock")
    with locking.exclusive(path), pytest.raises(StoreLocked), locking.exclusive(path, timeout=0.05):
        pass
    with locking.exclusive(path):
        pass


class _Named:
    """The module ``os`` under the name of another system."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, attribute):
        return getattr(os, attribute)


def test_a_file_that_somebody_reads_is_waited_for(tmp_path, monkeypatch):
    """Windows gives its name to no other meanwhile: it is tried again, and refused by name where that does not help."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    windows = _Named("nt")
    left = [3]

    def replaced(source, target, **arguments):
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(13, "in use", source)
        os.replace(source, target)

    windows.replace = replaced
    monkeypatch.setattr(atomic, "os", windows)
    monkeypatch.setattr(atomic.time, "sleep", lambda _seconds: None)
    atomic.replace(str(path), b"new", durable=False)
    assert path.read_bytes() == b"new"
    left[0] = 1000
    with pytest.raises(StoreNotWritable, match="in use"):
        atomic.replace(str(path), b"newer", durable=False)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"new"]


def test_no_module_needs_what_only_posix_has():
    """What Windows lacks is imported where it is used, behind a look at the system."""
    for path in (REPOSITORY / "scripts").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not set(names) & set(windows_like.MISSING_MODULES), path


@pytest.mark.skipif(sys.version_info < (3, 10), reason="Python cannot say it")
def test_every_file_is_opened_with_its_encoding(simulated):
    """Nothing hangs on the code page: Python's warning of a default encoding is an error."""
    simulated.demo()
    simulated.environment.update(PYTHONWARNDEFAULTENCODING="1", PYTHONWARNINGS="error::EncodingWarning")
    simulated.run("scripts/export-dedup.py", windows=False)
    for words in (("verify",), ("search", "tide"), ("status",), ("stats",), ("doctor",), ("session", "--all")):
        simulated.run("scripts/deduplicate_export.py", *words, windows=False)


def test_shell_scripts_need_no_newer_bash_and_no_gnu_tools():
    """macOS has bash 3.2 and the tools of BSD, the hooks any ``sh``."""
    newer = r"declare -A|mapfile|readarray|\$\{\w+(?:,,?|\^\^?)|&>>|\|&|local -n|\[\[ -v|coproc|wait -n|EPOCH|/dev/shm"
    gnu = r"readlink -f|realpath|sed -i|sed -r|date -d|stat -c|grep -\w*P|mktemp --|xargs -r|cp --|sort -V|head -n -|timeout "
    for name in ("install.sh", "hooks/run.sh"):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert not re.search(f"{newer}|{gnu}", text), name
    shell = (REPOSITORY / "hooks" / "run.sh").read_text(encoding="utf-8")
    assert not re.search(r"\[\[|^\s*local |^\s*function |<<<|\$\{\w+//|=~", shell, re.MULTILINE)
