"""Child processes that can be killed, and a shim over the system calls that kills or fails them at a given call."""

from __future__ import annotations

import builtins
import errno
import os
import pickle
import signal
import traceback
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deduplication.errors import DedupError

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = (
    "open",
    "write",
    "fsync",
    "replace",
    "rename",
    "unlink",
    "ftruncate",
    "mkdir",
    "chmod",
    "fchmod",
    "link",
    "symlink",
)
"""What of ``os`` is watched; the built-in ``open`` is watched as well, as "read"."""
_FOLDER = getattr(os, "O_DIRECTORY", 0)
"""Folders on the way to a file are opened one by one (``files/anchored.py``), which changes nothing: such calls are not counted."""
_write = os.write


@dataclass(frozen=True)
class End:
    """How a child ended: ``signal`` (0: by itself), what it returned, the named error or the trace it died of."""

    signal: int
    value: Any = None
    error: str = ""
    trace: str = ""


def start(job: Callable[[], Any]) -> tuple[int, int]:
    """Fork and run ``job``; returns the process id and a descriptor from which :func:`end` reads the outcome."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # The children only compute and write files; no lock of another thread is ever waited for.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.close(reading)
        try:
            outcome = End(0, job())
        except DedupError as error:
            outcome = End(0, error=f"{type(error).__name__}: {error}")
        except BaseException:  # noqa: BLE001 - whatever it is, the parent must see it
            outcome = End(0, trace=traceback.format_exc())
        data = pickle.dumps(outcome)
        while data:
            data = data[_write(writing, data) :]
    finally:
        os._exit(0)


def end(pid: int, reading: int) -> End:
    """Wait for a child and say how it ended."""
    data = b""
    while part := os.read(reading, 65536):
        data += part
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return End(os.WTERMSIG(status))
    return pickle.loads(data)


def run(job: Callable[[], Any]) -> End:
    """Run ``job`` in a child to its end."""
    return end(*start(job))


class Shim:
    """Counts the watched system calls of this process and acts at some of them. Install it in a child only.

    ``at``: the number of the call (from 1) at which it acts; ``action``: "kill" before the call, "torn" (write the
    first half, then kill), "short" (write the first half and say so, once), "short-then-full" (the first half, and
    from then on no space), or the number of an error; ``forever``: at every call from ``at`` on; ``only``: the names
    of the calls that are counted.
    """

    def __init__(self, at: int, action: str | int, *, forever: bool = False, only: tuple[str, ...] = ()) -> None:
        self.at, self.action, self.forever = at, action, forever
        self.only = only or ("read", *CALLS)
        self.count = 0
        self.full = False
        self.seen: list[str] = []

    def install(self) -> Shim:
        """Put the shim in place."""
        for name in CALLS:
            setattr(os, name, self._watched(name, getattr(os, name)))
        builtins.open = self._watched("read", builtins.open)
        return self

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name == "open" and arguments[1] & _FOLDER:
                return real(*arguments, **options)  # one of the folders on the way to a file
            if name == "write" and self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if name in self.only and self._due(name):
                self._act(name, real, arguments)
                if name == "write":
                    return real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2 or 1])
            return real(*arguments, **options)

        return call

    def _due(self, name: str) -> bool:
        self.count += 1
        self.seen.append(name)
        return self.count == self.at or (self.forever and self.count > self.at)

    def _act(self, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if isinstance(self.action, int):
            raise OSError(self.action, os.strerror(self.action))
        if self.action == "torn" and name == "write":
            real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        if self.action in ("kill", "torn"):
            os.kill(os.getpid(), signal.SIGKILL)
        self.full = self.action == "short-then-full" and name == "write"
