"""Run a script as a child: its output live and in order, signals handed on, no wait without an end.

The child has a process group of its own and no standard input: an interruption at the terminal reaches it exactly
once, through us, and it cannot stop for a question nobody sees.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import queue
import signal
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Final, Optional, Union

from ..start.late_dataclass import dataclass
from . import forked

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Child = Union["subprocess.Popen[bytes]", forked.Forked]

OUTPUT: Final = "output"
ERRORS: Final = "errors"

GRACE: Final = 10.0
"""Seconds that an interrupted child has for its end; a second signal, or the end of this time, kills it."""
_DRAIN: Final = 2.0
"""Seconds of silence after the child's end until we stop listening to a process it left behind."""
_TICK: Final = 0.05
_BLOCK: Final = 65536


@dataclass(frozen=True)
class Ended:
    """How the child ended: the exit code as a shell counts it (128 + n for signal n), and which signals were involved."""

    code: int
    killed_by: int = 0
    interrupted_by: int = 0


class Signals:
    """The signals that somebody would die of, while :meth:`installed`: remembered, and handed on to the child.

    Before the child's start they wait for it, after its end they change nothing: what is left to do takes no time.
    """

    def __init__(self) -> None:
        self.process: Optional[Child] = None
        self.received = 0
        self.handed_on = False
        self.deadline = float("inf")

    def __call__(self, number: int, _frame: object) -> None:
        """The handler: the first signal is handed on, a further one kills."""
        again = bool(self.received)
        self.received = self.received or number
        if not again:
            self.deadline = time.monotonic() + GRACE
        if self.process is not None:
            self.kill() if again else self.hand_on()

    def hand_on(self) -> None:
        """Pass the first signal to the child, once."""
        process = self.process
        if process is None or self.handed_on or process.poll() is not None:
            return
        self.handed_on = True
        if os.name != "nt":
            process.send_signal(self.received)
        elif self.received != signal.SIGINT:  # on Windows the console itself has told the child of an interruption
            process.terminate()

    def kill(self) -> None:
        """End the child and what it started, at once."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        if os.name == "nt":
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    @contextlib.contextmanager
    def installed(self) -> Iterator[Signals]:
        """Ours for as long as the block runs; what was ignored (nohup) stays ignored."""
        before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, self)
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _read(stream: IO[bytes], name: str, arrived: queue.Queue[tuple[str, Optional[bytes]]]) -> None:
    with stream, contextlib.suppress(OSError):
        while block := os.read(stream.fileno(), _BLOCK):
            arrived.put((name, block))
    arrived.put((name, None))


def run(
    interpreter: Sequence[str],
    script: Sequence[str],
    env: Mapping[str, str],
    receive: Callable[[str, str], None],
    signals: Signals,
    *,
    apart: bool = False,
) -> Ended:
    """Run ``script`` (a Python file and its arguments) to its end; what it prints goes to ``receive(stream, text)`` as it arrives.

    The child is a fork of this process; where it cannot be, ``interpreter`` (a command) is started for it. Parts of lines are
    passed, too. ``stream`` is :data:`OUTPUT`; with ``apart`` standard error comes as :data:`ERRORS` instead of merged in order.
    Bytes that are no UTF-8 become escapes, all line ends line feeds. Raises ``OSError`` where there can be no child.
    """
    process = _started(interpreter, script, env, apart=apart)
    signals.process = process
    if isinstance(process, forked.Forked):
        process.begun()
    try:
        if signals.received:
            signals.hand_on()
        _listen(process, signals, receive)
    finally:
        if process.poll() is None:
            signals.kill()
        process.wait()
    ended = process.returncode or 0
    killed_by = -ended if ended < 0 else 0
    code = 128 + killed_by if killed_by else ended
    # A child that came to its end although it was interrupted has done its work: then its own 0 is the truth.
    interrupted_by = signals.received if code else 0
    return Ended(128 + interrupted_by if interrupted_by else code, killed_by, interrupted_by)


def _started(interpreter: Sequence[str], script: Sequence[str], env: Mapping[str, str], *, apart: bool) -> Child:
    os.stat(script[0])  # said by us, not by an interpreter that finds no script
    if forked.POSSIBLE and threading.active_count() == 1:  # of several threads a fork has one, and the locks of all
        return forked.Forked(script[0], script[1:], env, apart=apart)
    import subprocess

    return subprocess.Popen(
        [*interpreter, *script],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if apart else subprocess.STDOUT,
        start_new_session=os.name != "nt",
        bufsize=0,
    )


def _listen(process: Child, signals: Signals, receive: Callable[[str, str], None]) -> None:
    arrived: queue.Queue[tuple[str, Optional[bytes]]] = queue.Queue(maxsize=64)
    decoders = {}
    for name, stream in ((OUTPUT, process.stdout), (ERRORS, process.stderr)):
        if stream is not None:
            decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
            decoders[name] = io.IncrementalNewlineDecoder(decoder, translate=True)
            threading.Thread(target=_read, args=(stream, name, arrived), daemon=True).start()
    open_streams = set(decoders)
    silent_since: Optional[float] = None
    while open_streams:
        if time.monotonic() >= signals.deadline:
            signals.kill()
        try:
            name, block = arrived.get(timeout=_TICK)
        except queue.Empty:
            if process.poll() is not None:
                # Ended, and yet somebody holds its output open: a process it left behind. What was said is here.
                silent_since = silent_since or time.monotonic()
                if time.monotonic() >= silent_since + _DRAIN:
                    break
            continue
        silent_since = None
        if block is None:
            open_streams.discard(name)
        text = decoders[name].decode(block or b"", final=block is None)
        if text:
            receive(name, text)
    # The child may close its output long before its end.
    while process.poll() is None and not _waited(process):
        if time.monotonic() >= signals.deadline:
            signals.kill()


def _waited(process: Child) -> bool:
    if isinstance(process, forked.Forked):
        return process.wait(_TICK) is not None
    import subprocess

    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_TICK)
        return True
    return False
