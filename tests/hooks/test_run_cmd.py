"""``run.cmd``, which a Windows without ``sh`` runs: the same as ``run.sh``, read beside it and run by Wine's command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from deduplication.commands.setup import install_script as install
from deduplication.hooks import forms
from deduplication.installation import origin, settings, targets, windows_shell
from transcript_lines import SESSION

TWIN = REPOSITORY / "hooks" / "run.cmd"
SHELL = REPOSITORY / "hooks" / "run.sh"
WINE = shutil.which("wine64") or next(iter(map(str, Path("/usr/lib/wine").glob("wine64"))), None)
wine_only = pytest.mark.skipif(WINE is None, reason="wine64 is not installed")


def test_both_say_and_ask_the_same():
    """One message, one lowest version, one way to start Python; each ends with 0 in every case."""
    batch, shell = TWIN.read_text(encoding="ascii"), SHELL.read_text(encoding="ascii")
    messages = [re.findall(r'\{"systemMessage".*"\}', text) for text in (batch, shell)]
    assert messages[0] == messages[1]
    assert len(json.loads(messages[0][0])["systemMessage"]) < 160
    for text in (batch, shell):
        assert re.findall(r"version_info >= (\(.*?\))", text) == ["(3, 9)"]
        assert text.count('"SessionStart"') + text.count("= SessionStart") == 1
    ways = re.findall(r"-S -E -X pycache_prefix=\"[%$]memory[%\\/]*pycache\" \S+ \S+", batch)
    assert len(ways) == 2
    assert '-S -E -X pycache_prefix="$memory/pycache" "$here/run.py" "$event"' in shell
    main, _, finding = batch.partition("\n:find\n")
    assert set(re.findall(r"exit.*", main)) == {"exit /b 0"}
    assert set(re.findall(r"exit.*", finding)) == {"exit /b"}


def test_its_lines_end_as_cmd_needs_them():
    """Labels are found where lines end with CRLF only; git is told so, whatever the user's own settings say."""
    data = TWIN.read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n") > 20
    assert "*.cmd text eol=crlf" in (REPOSITORY / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert targets.targets(origin.of_checkout(REPOSITORY))[forms.TWIN].data == data


@pytest.mark.parametrize(
    ("system", "client", "bash", "twin"),
    [
        ("nt", (2, 1, 197), False, True),
        ("nt", (2, 1, 197), True, False),
        ("nt", (2, 0, 76), False, False),
        ("nt", None, False, False),
        ("posix", (2, 1, 197), False, False),
    ],
)
def test_who_gets_the_twin(tmp_path, monkeypatch, system, client, bash, twin):
    """A Windows without the bash that the client would find, and a client that starts a program by itself."""
    git = tmp_path / "Git" / "cmd" / "git.exe"
    if bash:
        (tmp_path / "Git" / "bin").mkdir(parents=True)
        (tmp_path / "Git" / "bin" / "bash.exe").touch()
    monkeypatch.delenv("CLAUDE_CODE_GIT_BASH_PATH", raising=False)
    monkeypatch.setattr(windows_shell.shutil, "which", lambda name: str(git) if name == "git" else "/usr/bin/" + name)
    monkeypatch.setattr(windows_shell, "os", _Named(system))
    assert windows_shell.needs_twin(client) is twin
    monkeypatch.setenv("CLAUDE_CODE_GIT_BASH_PATH", str(git))
    git.parent.mkdir(parents=True, exist_ok=True)
    git.touch()
    assert not windows_shell.needs_twin(client)


class _Named:
    """The module ``os`` under the name of another system."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, attribute):
        return getattr(os, attribute)


def test_the_twin_s_entries_are_ours(tmp_path, monkeypatch):
    """They go in once, are known as a form of installation, name what they run, and go out again."""
    place = origin.of_checkout(REPOSITORY)
    plain = targets.hooks(place, forms.EVENTS)
    monkeypatch.setattr(windows_shell, "needs_twin", lambda _client: True)
    wanted = targets.hooks(place, forms.EVENTS)
    assert list(wanted) == list(plain)
    for event, groups in wanted.items():
        for group, other in zip(groups, plain[event]):
            (entry,), (known,) = group["hooks"], other["hooks"]
            assert entry["args"][2:] == ["call", r"${CLAUDE_PROJECT_DIR}\.coditect\hooks\run.cmd", event]
            assert {**known, "command": "cmd.exe", "args": entry["args"]} == entry
    foreign = {"Stop": [{"hooks": [{"type": "command", "command": "run.cmd", "args": ["Stop"]}]}]}
    before = json.dumps({"hooks": foreign}).encode()
    merged = settings.merged(settings.merged(settings.merged(before, plain), wanted), wanted)
    assert merged.count(b"run.cmd") == len(forms.EVENTS) + 1
    assert b"run.sh" not in merged
    path = tmp_path / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_bytes(merged)
    assert forms.project_events(str(tmp_path)) == set(forms.EVENTS)
    ((_path, _events, needed),) = forms.calls(str(tmp_path))
    assert needed == (forms.TWIN, *forms.NEEDED[1:])
    assert json.loads(settings.removed(merged)) == {"hooks": foreign}


# --- run -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """Where Wine keeps a Windows of its own; what runs there is ended afterwards."""
    folder = tmp_path_factory.mktemp("wine")
    environment = {**os.environ, "WINEPREFIX": str(folder), "WINEARCH": "win64", "WINEDEBUG": "-all", "DISPLAY": ""}
    environment["WINEDLLOVERRIDES"] = "mscoree,mshtml="
    command = [WINE, "cmd.exe", "/c", "ver"]
    try:
        said = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=300).stdout
    except subprocess.TimeoutExpired:
        said = b""
    if b"Windows" not in said:
        pytest.skip("Wine does not start here")
    yield environment
    server = shutil.which("wineserver") or str(Path(WINE).with_name("wineserver64"))
    subprocess.run([server, "-k"], env=environment, check=False, capture_output=True)


class Windows:
    """A Windows with some programs on its PATH; a project lies in a folder with a blank and brackets in its name."""

    def __init__(self, drive, root):
        self.drive, self.root = drive, root
        self.bin = root / "programs here"
        self.hooks = root / "a project (old)" / ".coditect" / "hooks"
        for folder in (self.bin, self.hooks):
            folder.mkdir(parents=True)
        # Wine waits for batch files, and not for programs of this machine: all that is looked for are such files.
        batch = re.sub(rb"(call :find \w+)\.exe", rb"\1.bat", TWIN.read_bytes())
        (self.hooks / "run.cmd").write_bytes(batch)
        (local,) = Path(drive["WINEPREFIX"]).glob("drive_c/users/*/AppData/Local")
        self.memory = local / "export-dedup" / "python"
        self.compiled = "C:\\" + str(local.relative_to(local.parents[3])).replace("/", "\\") + r"\export-dedup\pycache"
        shutil.rmtree(self.memory.parent, ignore_errors=True)

    @staticmethod
    def named(path):
        """As Windows calls a place of this machine."""
        return "Z:" + str(path).replace("/", "\\")

    def program(self, name, *lines, folder=None):
        """A batch file."""
        path = (folder or self.bin) / f"{name}.bat"
        path.write_bytes("\r\n".join(("@echo off", *lines, "")).encode())
        return path

    def python(self, name, says=None, folder=None, starts=("set /p said=", "set said")):
        """One that says which it is, and shows how it is started and what it reads."""
        says = says or self.named((folder or self.bin) / f"{name}.bat")
        asked = ('if "%~3"=="-c" goto ask', 'if "%~4"=="-c" goto ask')
        shows = ("echo %~n0 %*",) if len(starts) == 2 else ()
        return self.program(
            name, *asked, *shows, *starts, "exit /b 0", ":ask", f"echo python={says}", "exit /b 0", folder=folder
        )

    def fire(self, event="Stop", payload=None, **more):
        """The hook as the client starts it: lines of output."""
        entry = more.get("entry") or windows_shell.by_cmd(event)
        project = self.named(more.get("project", self.hooks.parents[1]))
        arguments = [each.replace("${CLAUDE_PROJECT_DIR}", project) for each in entry["args"]]
        environment = {**self.drive, "WINEPATH": self.named(self.bin)}
        done = subprocess.run(
            [WINE, entry["command"], *arguments],
            input=json.dumps(payload or {"prompt": "a & b"}).encode() + b"\n",
            env=environment,
            capture_output=True,
            check=False,
            cwd=more.get("cwd", self.root),
            timeout=300,
        )
        assert done.returncode == 0
        return done.stdout.decode().replace("\r", "").splitlines()

    def started(self, name, flags=""):
        """What a Python shows that was started well."""
        flags += f'-S -E -X pycache_prefix="{self.compiled}"'
        return [f'{name} {flags} "{self.named(self.hooks)}\\run.py" Stop', 'said={"prompt": "a & b"}']


@pytest.fixture
def windows(drive, tmp_path):
    """A new one."""
    return Windows(drive, tmp_path)


@wine_only
def test_a_python_is_found_remembered_and_found_again(windows):
    """Stubs and old versions are passed over; it gets the event and the client's bytes; one that is gone is looked for."""
    windows.program("py", "echo Python was not found; run without arguments to install it")
    windows.program("python", "exit /b 0")
    path = windows.python("python3")
    assert windows.fire() == windows.started("python3")
    assert windows.memory.read_text().splitlines() == [windows.named(path)]
    assert [each.name for each in windows.memory.parent.iterdir()] == ["python"]
    windows.program("python3", "exit /b 1")
    other = windows.python("other")
    windows.memory.write_text(windows.named(other) + "\r\n")
    assert windows.fire() == windows.started("other")
    other.unlink()
    windows.python("python")
    assert windows.fire() == windows.started("python")


@wine_only
def test_a_path_that_cannot_be_remembered_is_asked_for_each_time(windows):
    """A name that the console's code page has not got arrives as another one: then the launcher starts it."""
    windows.python("py", says=r"C:\Users\J?rgen\python.exe")
    for _ in range(2):
        assert windows.fire() == windows.started("py", "-3 ")
    assert not windows.memory.exists()


@wine_only
def test_no_python_is_said_once_and_nothing_of_the_current_folder_is_run(windows, tmp_path):
    """The message of ``run.sh`` at the beginning of a session, silence later; a project's own ``python`` is not run."""
    here = tmp_path / "cloned"
    here.mkdir()
    for name in ("py", "python", "python3"):
        windows.python(name, folder=here)
    (said,) = windows.fire("SessionStart", cwd=here)
    assert said in SHELL.read_text(encoding="ascii")
    assert json.loads(said)["systemMessage"].startswith("\nexport-dedup: no Python 3.9")
    assert windows.fire("Stop", cwd=here) == []


@wine_only
def test_a_session_is_captured_by_it(windows, session, monkeypatch):
    """Installed as on a Windows without bash: what the settings call captures the session, by a Python of this machine."""
    monkeypatch.setattr(windows_shell, "needs_twin", lambda _client: True)
    assert install.main(["--project", str(session.root), "--offline", "--client", "2.1.197"]) == 0
    hooks = json.loads((session.root / ".claude" / "settings.json").read_text())["hooks"]
    shutil.copy2(windows.hooks / "run.cmd", session.root / ".coditect" / "hooks")
    real = windows.bin / "real.exe"
    script = "script=$(printf %s \"$5\" | sed 's/^Z://; s/[\\]/\\//g')"
    real.write_text(f'#!/bin/sh\n{script}\nexec \'{sys.executable}\' -S -E "$script" "$6"\n')
    real.chmod(0o755)
    windows.python("py", starts=(f'"{windows.named(real)}" %*',))
    payload = {"session_id": SESSION, "transcript_path": str(session.transcript), "cwd": str(session.root)}
    (entry,) = hooks["Stop"][0]["hooks"]
    assert windows.fire("Stop", payload, entry=entry, project=session.root, cwd=session.root) == []
    assert len(session.talk()) == 6
    (entry,) = hooks["SessionStart"][0]["hooks"]
    payload["source"] = "startup"
    (answer,) = windows.fire("SessionStart", payload, entry=entry, project=session.root, cwd=session.root)
    assert isinstance(json.loads(answer), dict)
