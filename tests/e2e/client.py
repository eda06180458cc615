"""The real Claude Code client in a terminal of the test's own: what is typed, and what a person would see.

The terminal is a pseudo-terminal of the operating system, drawn by ``pyte``. The home is the test's scratch home; the
API is the stand-in of ``api.py``.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path
from typing import Final

KEY: Final = "sk-ant-dummy-key-for-the-stand-in-of-the-api"
_INPUT: Final = re.compile("─{20,}\n(?=[❯>])")
READY: Final = re.compile("─{20,}\n[❯>]")  # the sign of the input line is ">" up to 2.0.76
PATIENCE: Final = 60.0  # seconds until something that must come has not come; wide, for machines that are slow
KEYS: Final = {
    "enter": "\r", "escape": "\x1b", "up": "\x1b[A", "down": "\x1b[B", "ctrl-c": "\x03", "ctrl-d": "\x04",
}  # fmt: skip
# Questions about the terminal and keyboard modes of newer terminals, which pyte would print or take for others.
_NOT_DRAWN: Final = re.compile(r"\x1b\[[<=>][\d;]*[ -/]*[@-~]|\x1bP.*?\x1b\\|\x1b_.*?\x1b\\", re.DOTALL)
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[\x20-\x3f]*|[P_][^\x1b]*\x1b?)?\Z")
_TURN_OVER: Final = re.compile(r"✻\w+for\d+")
_BUSY: Final = "(esctointerrupt"
_QUIET: Final = 1.0
"""Seconds for which an old client, which does not say that a turn is over, must have shown its answer and be idle."""
_FROM_THE_TEST: Final = ("PATH", "HOME", "USERPROFILE", "TMPDIR", "GIT_CEILING_DIRECTORIES")


class Waited(AssertionError):
    """What should have appeared did not."""


def _squeezed(text: str) -> str:
    """``text`` without white space: the client breaks lines where its window ends."""
    return "".join(text.split())


def environment(url: str) -> dict[str, str]:
    """All that the client and its hooks see of the environment: the test's home, a dummy key, the stand-in's address."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _FROM_THE_TEST or name.startswith(("XDG_", "GIT_CONFIG"))
    }
    return {
        **kept,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
    }


def answer_first_questions(project: Path) -> None:
    """Write into the scratch home what the client would ask a new user: theme, key, trust in ``project``."""
    path = Path(os.environ["HOME"], ".claude.json")
    state = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    state.update(
        hasCompletedOnboarding=True, theme="dark", customApiKeyResponses={"approved": [KEY[-20:]], "rejected": []}
    )
    state.setdefault("projects", {}).setdefault(str(project), {}).update(
        hasTrustDialogAccepted=True, hasCompletedProjectOnboarding=True
    )
    path.write_text(json.dumps(state), encoding="utf-8")


class Client:
    """The client at ``executable``, started in ``project`` and ready for the first prompt; ends with its ``with``.

    Every wait polls; one that ends in vain raises :class:`Waited` with the screen in its message.
    """

    def __init__(self, executable: str, project: Path, url: str, *arguments: str, columns: int = 100, lines: int = 60):
        self.project = project
        self._command = [executable, *arguments]
        self._environment = environment(url)
        import pyte  # only where the real client is: the tests are collected everywhere

        self._screen = pyte.HistoryScreen(columns, lines, history=5000)
        self._stream = pyte.Stream(self._screen)
        self._drawing = threading.Lock()
        self._sent = ""

    def __enter__(self) -> Client:
        answer_first_questions(self.project)
        self._terminal, inside = pty.openpty()
        size = struct.pack("HHHH", self._screen.lines, self._screen.columns, 0, 0)
        fcntl.ioctl(inside, termios.TIOCSWINSZ, size)
        self._process = subprocess.Popen(
            self._command,
            cwd=self.project,
            env=self._environment,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        self._reader = threading.Thread(target=self._draw, daemon=True)
        self._reader.start()
        try:
            self.wait_until(lambda: READY.search(self.screen()), "the input line")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # The hooks that the client started belong to its session and go with it.
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._reader.join(10)
        os.close(self._terminal)

    # --- what a person does ---------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Type, without sending."""
        os.write(self._terminal, text.encode())

    def press(self, key: str) -> None:
        """Press one of ``KEYS``."""
        os.write(self._terminal, KEYS[key].encode())

    def say(self, text: str) -> None:
        """Type a prompt or a command and send it once it stands in the input line.

        While the client is busy, what was sent before may still stand there, and what is typed then would be added to it.
        """
        self.wait_until(lambda: not (self._sent and self._sent in self._input()), "an input line that is free")
        self.type(text)
        typed = _squeezed(text)[-30:]
        self.wait_until(lambda: typed in _squeezed(self.screen()), f"{text!r} in the input line")
        # Enter in the same breath would be taken for a line break of a paste.
        for _ in range(3):
            time.sleep(0.4)
            self.press("enter")
            # A client that is still starting may swallow it; one on a busy machine is slow, and takes another one for a choice.
            with contextlib.suppress(Waited):
                self.wait_until(lambda: typed not in self._input(), "the input line empty", 20)
                break
        self._sent = typed

    def ask(self, text: str) -> None:
        """Send a prompt and wait until its turn is over."""
        asked = _squeezed(text)[-30:]
        self.say(text)
        idle: list = [0.0, ""]

        def over() -> bool:
            history = _squeezed(self.history())
            if _TURN_OVER.search(history.rpartition(asked)[2]):
                return True
            said = history.rpartition(f">{_squeezed(text)}")[2]  # not where the answer quotes the prompt
            if self._sign != ">" or "●" not in said or _BUSY in said or said != idle[1]:
                idle[:] = [time.monotonic(), said]
                return False
            return time.monotonic() - idle[0] > _QUIET

        self.wait_until(over, f"the end of the turn {text!r}")

    def clear(self) -> None:
        """``/clear``, until the new session stands: before that the client takes keys for the old one."""
        self.say("/clear")
        self.wait_until(lambda: self.screen().count(self._sign or "❯") == 2, "the new session")
        time.sleep(1.5)

    def leave(self) -> None:
        """End the client as a user does, and wait until it has gone."""
        self.say("/exit")
        self._process.wait(PATIENCE)

    # --- what a person sees ---------------------------------------------------------------------------------------

    @property
    def _sign(self) -> str:
        """What stands before the input line."""
        found = READY.findall(self.screen())
        return found[-1][-1] if found else ""

    @property
    def running(self) -> bool:
        """Whether the client is there."""
        return self._process.poll() is None

    def screen(self) -> str:
        """The lines on the screen, without the blanks at their ends."""
        with self._drawing:
            return "\n".join(self._lines()).strip("\n")

    def history(self) -> str:
        """What has scrolled off the top, and the screen."""
        with self._drawing:
            above = [self._line(line) for line in self._screen.history.top]
            return "\n".join([*above, *self._lines()])

    def _lines(self) -> list[str]:
        # pyte's own ``display`` fails where half of a wide letter was overwritten.
        return [self._line(self._screen.buffer[number]) for number in range(self._screen.lines)]

    def _line(self, line) -> str:
        return "".join(line[at].data for at in range(self._screen.columns)).rstrip()

    def wait_for(self, text: str, seconds: float = PATIENCE) -> float:
        """Wait until ``text`` stands on the screen; the seconds that it took."""
        return self.wait_until(lambda: text in self.screen(), repr(text), seconds)

    def wait_until(self, holds, what: str, seconds: float = PATIENCE) -> float:
        """Wait until ``holds()`` is true; the seconds that it took."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds:
                raise Waited(f"{what} did not come within {seconds:g} s; the screen:\n{self.screen()}")
            time.sleep(0.05)
        return time.monotonic() - began

    def _input(self) -> str:
        """What stands in the input line, squeezed."""
        return _squeezed(_INPUT.split(self.screen())[-1])

    def _draw(self) -> None:
        """Read what the client writes until it ends, and draw it."""
        rest = ""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                ready, _, _ = select.select([self._terminal], [], [], 0.2)
                if not ready:
                    if self._process.poll() is not None:
                        return
                    continue
                data = os.read(self._terminal, 65536)
            except OSError:  # the last process that had the terminal open is gone
                return
            rest += decoder.decode(data)
            cut = _UNFINISHED.search(rest)
            whole, rest = (rest[: cut.start()], rest[cut.start() :]) if cut else (rest, "")
            with self._drawing:
                self._stream.feed(_NOT_DRAWN.sub("", whole))
