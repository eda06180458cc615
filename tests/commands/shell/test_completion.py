"""What shells complete, tried in the shells themselves: a person at a terminal types, and presses the tab key."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from conftest import REPOSITORY
from deduplication.commands.shell import completed_words, completion_scripts, one_command, table
from deduplication.errors import UsageError
from deduplication.terminal import called
from in_process import call

SHELLS = tuple(completion_scripts.SHELLS)
_PATIENCE = 300
"""Seconds in which a shell that works has long answered."""
each_shell = pytest.mark.parametrize("shell", SHELLS)


@pytest.fixture(autouse=True)
def afterwards():
    """Other tests call scripts."""
    yield
    called.by_command(so=False)


@pytest.fixture(scope="module")
def words():
    """What the parsers have, by subcommand."""
    return {each.name: each for each in completed_words.every()}


def test_everything_that_parsers_know_is_completed(words):
    """Each subcommand with every option of its own, and whether a value follows."""
    assert list(words) == list(table.SUBCOMMANDS)
    for name, each in words.items():
        actions = table.module_of(name).parser()._option_string_actions
        assert {option for one in each.options for option in one.names} == set(actions)
        for one in each.options:
            assert (one.value is None) == (actions[one.names[0]].nargs == 0)


def test_a_value_is_what_its_name_says(words):
    """Folders, files, words to choose from, or nothing that anybody could know."""
    found = {
        (name, option): one.value
        for name in ("search", "import", "backup", "stats")
        for one in words[name].options
        for option in one.names
    }
    assert found["search", "--project"].kind == completed_words.FOLDERS
    assert found["search", "--role"].words == ("user", "assistant", "system")
    assert found["import", "--output"].kind == completed_words.FILES
    assert found["stats", "--session"].kind == completed_words.NOTHING
    assert found["stats", "--json"] is None
    assert words["import"].arguments.kind == completed_words.FILES
    assert words["completion"].arguments.words == SHELLS


@each_shell
def test_every_subcommand_and_option_stands_in_each_script(shell, words):
    """The script is made of the same words for every shell, and of nothing else."""
    code, out, err = call("completion", shell, main=one_command.main)
    assert (code, err) == (0, "")
    assert not re.search(r"deduplicate_export\.py", out)
    for each in words.values():
        assert re.search(rf"\b{each.name}\b", out)
        for one in each.options:
            for option in one.names:
                assert (
                    (f"-l {option[2:]} " in f"{out} " or f"-s {option[1:]}" in out)
                    if shell == "fish"
                    else option in out
                )


def test_an_unknown_shell_is_told():
    """2, with the shells that there are."""
    code, out, err = call("completion", "tcsh", main=one_command.main)
    assert (code, out) == (2, "")
    assert all(shell in err for shell in SHELLS)


def test_a_copy_in_a_project_completes_what_it_has(monkeypatch):
    """Without an installer its subcommands are not completed."""
    real = table.module_of

    def module_of(name):
        if name in ("install", "uninstall", "demo"):
            raise UsageError("no installer")
        return real(name)

    monkeypatch.setattr(table, "module_of", module_of)
    assert {"install", "uninstall", "demo"} == set(table.SUBCOMMANDS) - {each.name for each in completed_words.every()}


def test_bash_finds_no_fault():
    """shellcheck, where it is, has nothing to say of the script for bash."""
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("no shellcheck here")
    script = call("completion", "bash", main=one_command.main).stdout
    done = subprocess.run(
        [program, "-s", "bash", "-"], input=script, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


# --- in the shells themselves -----------------------------------------------------------------------------------------


class Terminal:
    """A shell with somebody at its keyboard; ``export-dedup`` there writes down how it was called."""

    def __init__(self, shell, folder):
        program = shutil.which(shell)
        if program is None:
            pytest.skip(f"no {shell} here")
        self.called = folder / "called"
        (folder / "bin").mkdir()
        stub = folder / "bin" / "export-dedup"
        stub.write_text(
            f"#!/bin/sh\nprintf '%s\\n' \"$@\" >'{self.called}.new'\nmv '{self.called}.new' '{self.called}'\n"
        )
        stub.chmod(0o755)
        script = folder / "completion"
        script.write_text(call("completion", shell, main=one_command.main).stdout, encoding="utf-8")
        command, first = {
            "bash": ([program, "--norc", "--noprofile", "-i"], f"source '{script}'"),
            "zsh": ([program, "-f", "-i"], f"autoload -Uz compinit && compinit -u -D && source '{script}'"),
            "fish": ([program, "--no-config", "-i"], f"source '{script}'"),
        }[shell]
        environment = {
            **{name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TMPDIR")},
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "TERM": "dumb" if shell != "fish" else "xterm",
            "LC_ALL": "C.UTF-8",
        }
        self.process, self._screen = pty.fork()
        if not self.process:
            os.chdir(folder)
            os.execve(program, command, environment)
        self.seen = b""
        self.type(f"{first}\n")
        self.ready(shell)

    def ready(self, shell):
        """The script is read: a command that is typed now is run behind it."""
        mark = "$status" if shell == "fish" else "$?"
        self.type(f"echo re''ady:{mark}\n")
        self.until(lambda: b"ready:0" in self.seen)

    def type(self, text):
        """Press keys."""
        os.write(self._screen, text.encode())

    def until(self, true):
        """Read what appears, and answer what a terminal is asked, until something is true."""
        end = time.monotonic() + _PATIENCE
        while not true():
            assert time.monotonic() < end, self.seen[-2000:]
            if select.select([self._screen], [], [], 0.05)[0]:
                part = os.read(self._screen, 65536)
                self.seen += part
                if b"\x1b[c" in part or b"\x1b[0c" in part:  # fish asks what the terminal is, and waits for it
                    os.write(self._screen, b"\x1b[?62;c")

    def completed(self, line):
        """The arguments with which the command is called that ``line`` and the tab key make."""
        self.called.unlink(missing_ok=True)
        self.type(f"{line}\t")
        self.until_quiet()
        self.type("\n")
        self.until(self.called.exists)
        return self.called.read_text(encoding="utf-8").splitlines()

    def until_quiet(self):
        """Until the shell has drawn what it completed, and draws nothing more."""
        while select.select([self._screen], [], [], 0.7)[0]:
            self.seen += os.read(self._screen, 65536)

    def close(self):
        """The terminal goes."""
        os.close(self._screen)
        os.waitpid(self.process, 0)


@pytest.fixture
def terminal(shell, tmp_path):
    """A shell with our completion in it, in a folder with a folder and a file."""
    (tmp_path / "tide tables").mkdir()
    (tmp_path / "session-of-today.txt").touch()
    found = Terminal(shell, tmp_path)
    yield found
    found.close()


@pytest.mark.e2e
@pytest.mark.unmeasured
@each_shell
def test_the_tab_key_completes(shell, terminal):
    """A subcommand, an option of it, a value to choose, a folder with a blank in its name, a file."""
    assert terminal.completed("export-dedup doct") == ["doctor"]
    assert terminal.completed("export-dedup search --all-st") == ["search", "--all-stores"]
    assert terminal.completed("export-dedup search x --role assi") == ["search", "x", "--role", "assistant"]
    assert terminal.completed("export-dedup completion fi") == ["completion", "fish"]
    (folder,) = terminal.completed("export-dedup stats --project ti")[2:]
    assert folder.rstrip("/") == "tide tables"
    assert terminal.completed("export-dedup import sess") == ["import", "session-of-today.txt"]


@pytest.mark.e2e
@pytest.mark.unmeasured
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_value_behind_an_equals_sign_is_completed(shell, terminal):
    """``--role=assi`` is one word, though bash takes it for three."""
    assert terminal.completed("export-dedup search x --role=assi") == ["search", "x", "--role=assistant"]


def test_the_documents_say_how_to_switch_it_on():
    """The help of the subcommand and the reference name a place for each shell."""
    told = call("completion", "--help", main=one_command.main).stdout
    for shell in SHELLS:
        assert f"export-dedup completion {shell} > ~/" in told
    assert "export-dedup completion bash|zsh|fish" in (REPOSITORY / "docs" / "cli-reference.md").read_text(
        encoding="utf-8"
    )
