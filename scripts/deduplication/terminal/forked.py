"""A Python script as a child of this very interpreter: forked, not started anew, so that what is imported is imported once.

To its parent it is what ``subprocess.Popen`` is; to the script it is a process of its own, with its arguments, its environment,
no standard input, and pipes for its output, in UTF-8 and written through.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import time
from typing import IO, TYPE_CHECKING, Final, NoReturn, Optional

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POSSIBLE: Final = hasattr(os, "fork")
_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_LONGEST_SLEEP: Final = 0.02


class Forked:
    """The child, which runs ``script`` with ``arguments``; ``apart``: standard error has a pipe of its own.

    Raises ``OSError`` where there can be no more processes. Signals wait until the caller has it: :meth:`begun`.
    """

    def __init__(self, script: str, arguments: Sequence[str], env: Mapping[str, str], *, apart: bool) -> None:
        self.returncode: Optional[int] = None
        reading, writing = os.pipe()
        errors, errors_in = os.pipe() if apart else (None, writing)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _numbers())
        try:
            self.pid = os.fork()
        except BaseException:
            for each in {reading, writing, errors, errors_in} - {None}:
                os.close(each)  # type: ignore[arg-type]
            self.begun()
            raise
        if not self.pid:
            self._run(script, arguments, env, writing, errors_in)
        for each in {writing, errors_in}:
            os.close(each)
        self.stdout: IO[bytes] = os.fdopen(reading, "rb", 0)
        self.stderr: Optional[IO[bytes]] = os.fdopen(errors, "rb", 0) if errors is not None else None

    def begun(self) -> None:
        """From now on signals reach the parent again."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def poll(self) -> Optional[int]:
        """The exit code, negative for a signal; None while it runs."""
        return self._waited(os.WNOHANG)

    def wait(self, timeout: Optional[float] = None) -> Optional[int]:
        """The same, once it has ended, or when ``timeout`` seconds have passed."""
        if timeout is None:
            return self._waited(0)
        deadline, pause = time.monotonic() + timeout, 0.0005
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_SLEEP)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _waited(self, options: int) -> Optional[int]:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # somebody else has waited for it: nobody can tell how it ended
                self.returncode = 0
            else:
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def _run(self, script: str, arguments: Sequence[str], env: Mapping[str, str], output: int, errors: int) -> NoReturn:
        """In the child: everything until its end. Nothing of the parent's stack is ever gone back to."""
        code = 1
        try:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDONLY)
            for descriptor, number in ((nothing, 0), (output, 1), (errors, 2)):
                os.dup2(descriptor, number)
            os.closerange(3, max(nothing, output, errors) + 1)
            os.environ.clear()
            os.environ.update(env)
            sys.stdin = os.fdopen(0, encoding="utf-8")
            sys.stdout, sys.stderr = _written_through(1), _written_through(2)
            sys.argv = [script, *arguments]
            _usual_signals()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            code = _end_of(script)
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)


def _end_of(script: str) -> int:
    """Run the script as the interpreter does; its exit code."""
    from types import ModuleType

    main = ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    try:
        with open(script, "rb") as file:
            code = compile(file.read(), script, "exec")
        exec(code, main.__dict__)  # noqa: S102 - a script of ours, in the place of a second interpreter
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return (ended.code or 0) & 0xFF
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except BaseException as error:  # noqa: BLE001 - it is shown as the interpreter shows it
        sys.excepthook(type(error), error, error.__traceback__)
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        return 1
    return 0


def _written_through(descriptor: int) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)


def _numbers() -> list[int]:
    return [int(getattr(signal, name)) for name in _SIGNALS if hasattr(signal, name)]


def _usual_signals() -> None:
    """As at the start of an interpreter; what is ignored stays ignored."""
    for number in _numbers():
        if signal.getsignal(number) is not signal.SIG_IGN:
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)
