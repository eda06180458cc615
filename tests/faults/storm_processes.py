"""Processes of a storm: several at once, some killed at a random instant, and what they left running waited for."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faults.children import Shim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: what a killed process had started becomes ours to wait for."""
_STEP = 0.002
_LONGEST = 180.0
"""Seconds after which a process hangs for ever."""


@dataclass(frozen=True)
class Command:
    """One process: its ``name`` in the counts, what runs in it, its arguments, and what it reads."""

    name: str
    run: Callable[[], int]
    arguments: tuple[str, ...] = ()
    stdin: bytes = b""
    at_call: int = 0
    """Killed at this system call that changes something, or within it; 0: at none."""


@dataclass
class Ended:
    """How a process ended: ``code`` is negative where it was killed. ``said`` is what it wrote."""

    command: Command
    code: int
    said: str


@dataclass
class Processes:
    """Starts commands of a world in forks of this process. Call it in a process of its own: it waits for every child.

    ``usual``: seconds that each command takes, learnt from those that ended by themselves.
    """

    folder: Path
    root: Path
    environment: Mapping[str, str]
    usual: dict[str, float] = field(default_factory=dict)
    started: int = 0

    def adopt(self) -> None:
        """Have this process told of what its children leave behind, where the system can do that."""
        if sys.platform == "linux":
            ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)

    def together(self, commands: Sequence[Command], delays: Sequence[float | None], *, groups: bool) -> list[Ended]:
        """Run commands at once; each with a delay (a share of its usual time) is killed then. ``groups``: with its own children."""
        running: dict[int, tuple[Command, float, float, Path]] = {}
        for command, share in zip(commands, delays):
            self.started += 1
            output = self.folder / f"said-{self.started % 8}"
            begun = time.monotonic()
            due = begun + share * self.usual.get(command.name, 0.3) if share is not None else float("inf")
            running[self._fork(command, output)] = (command, begun, due, output)
        ended = []
        while running:
            ended += self._reaped(running)
            now = time.monotonic()
            for pid, (command, begun, due, _) in running.items():
                if now - begun > _LONGEST:
                    os.kill(pid, signal.SIGABRT)
                    raise AssertionError(f"{command.name} hangs")
                if now >= due:
                    with contextlib.suppress(ProcessLookupError):
                        (os.killpg if groups else os.kill)(pid, signal.SIGKILL)
            time.sleep(_STEP)
        self._wait_for_the_rest()
        return ended

    def alone(self, command: Command) -> Ended:
        """Run a command to its end."""
        return self.together([command], [None], groups=False)[0]

    def _reaped(self, running: dict[int, tuple[Command, float, float, Path]]) -> list[Ended]:
        found = []
        for pid in list(running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done:
                continue
            command, begun, _, output = running.pop(pid)
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            if code >= 0:
                took = time.monotonic() - begun
                self.usual[command.name] = 0.7 * self.usual.get(command.name, took) + 0.3 * took
            found.append(Ended(command, code, output.read_text("utf-8", "replace")))
        return found

    @staticmethod
    def _wait_for_the_rest() -> None:
        """What was left to processes apart, by those that ended and by those that were killed."""
        deadline = time.monotonic() + _LONGEST
        while True:
            try:
                done, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not done:
                assert time.monotonic() < deadline, "a process that was left behind hangs"
                time.sleep(_STEP)

    def _fork(self, command: Command, output: Path) -> int:
        output.write_bytes(b"")
        pid = os.fork()
        if pid:
            return pid
        code = 3
        try:
            os.setsid()
            os.chdir(self.root)
            os.environ.clear()
            os.environ.update(self.environment)
            reading, writing = os.pipe()
            os.write(writing, command.stdin)
            os.close(writing)
            os.dup2(reading, 0)
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
            os.dup2(1, 2)
            sys.stdin, sys.stdout, sys.stderr = (
                open(0, encoding="utf-8", closefd=False),  # noqa: SIM115 - they live as long as the process
                open(1, "w", encoding="utf-8", closefd=False),  # noqa: SIM115
                open(2, "w", encoding="utf-8", closefd=False),  # noqa: SIM115
            )
            sys.argv = [command.name, *command.arguments]
            if command.at_call:
                Shim(command.at_call, "torn" if command.at_call % 2 else "kill").install()
            code = command.run()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 3
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must see it
            with contextlib.suppress(OSError):
                print(f"{type(error).__name__}: {error}")
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
