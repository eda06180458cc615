"""Thin, typed plumbing around the git executable: harmless in a hostile repository, bounded in time, no shell.

A repository's own configuration names programs: hooks, a file system monitor, content filters, signers, transports.
Every call switches off what one option can switch off; ``git/repository.py`` adds the rest, the filters, by their names.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..errors import DedupError
from ..start.late_dataclass import dataclass
from ..terminal.console import printable

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

TIMEOUT: Final = 10.0
"""Seconds that one call of git may take."""
_GRACE: Final = 2.0
"""Seconds between asking git to end (it then removes its lock files) and killing it."""

_SWITCHES: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=keep",  # "false" would strip the user's cache from an index that we add to
    "core.quotepath=false",
    "core.fsync=all",  # without it a power cut leaves a branch that points at an empty object
    "core.filesRefLockTimeout=1000",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "i18n.commitEncoding=UTF-8",
    "diff.renameLimit=200",
)
_KEPT: Final = frozenset(
    {f"GIT_{role}_{part}" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL", "DATE")}
    | {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"}
    | {"GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"}
)
"""All else that begins with GIT_ is dropped: inside a hook GIT_DIR and GIT_INDEX_FILE name the user's own index."""


class GitFailed(DedupError):
    """git did not do what was asked"""

    def __init__(self, detail: str, *, code: int = -1) -> None:
        """``detail`` is one line for the user; ``code`` is git's exit code, -1 where it gave none."""
        super().__init__(detail)
        self.said = detail
        self.code = code


def work_tree_above(folder: str) -> str:
    """The nearest folder, ``folder`` or one above it, that has a repository; empty where none has."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        if os.path.dirname(folder) == folder:
            return ""
        folder = os.path.dirname(folder)
    return folder


def find_executable(name: str = "git") -> str | None:
    """The absolute path of a program, or None. Only absolute entries of PATH count: "." may hold a stranger's git."""
    name = f"{name}.exe" if os.name == "nt" and not name.endswith(".exe") else name
    for folder in os.get_exec_path():
        candidate = os.path.join(folder, name)
        if os.path.isabs(folder) and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What git is told through its environment: nothing of the caller's repository, no prompt, no translation."""
    inherited = os.environ.items()
    kept = {key: value for key, value in inherited if not key.startswith("GIT_") or (key in _KEPT and value)}
    kept.update(
        GIT_TERMINAL_PROMPT="0",
        GIT_OPTIONAL_LOCKS="0",
        GIT_LITERAL_PATHSPECS="1",
        GIT_NO_LAZY_FETCH="1",
        GIT_ALLOW_PROTOCOL="none",  # a partial clone fetches what it lacks, through whatever program it names
        LC_ALL="C",
    )
    kept.update(extra or {})
    return kept


@dataclass(frozen=True)
class Git:
    """The executable, the folder it runs in, and the options that keep it harmless there."""

    executable: str
    folder: Path
    switches: tuple[str, ...] = _SWITCHES

    def run(
        self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None, timeout: float = TIMEOUT
    ) -> bytes:
        """What git wrote on standard output. Raises :class:`GitFailed` for everything but exit code 0."""
        import subprocess

        options = [part for switch in self.switches for part in ("-c", switch)]
        try:
            process = subprocess.Popen(
                [self.executable, "--no-pager", *options, *arguments],
                cwd=self.folder,
                env=environment(extra),
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=os.name != "nt",  # no terminal: nothing git starts can ask a question
            )
        except (OSError, ValueError) as error:
            raise GitFailed(f"git could not be started: {printable(str(error))}") from error
        with process:
            try:
                output, errors = process.communicate(stdin or None, timeout)
            except subprocess.TimeoutExpired as error:
                _end(process)
                raise GitFailed(f"git {arguments[0]} took longer than {timeout:g} s") from error
            except BaseException:
                _end(process)
                raise
        if process.returncode:
            raise GitFailed(f"git {arguments[0]}: {_reason(errors)}", code=process.returncode)
        return output

    def line(self, *arguments: str) -> str:
        """The one line that git answers."""
        return os.fsdecode(self.run(*arguments)).rstrip("\n")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask git and all it started to end, so that it removes its locks; kill what does not listen."""
    import contextlib
    import signal
    import subprocess

    if os.name == "nt":
        process.kill()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)


def _reason(errors: bytes) -> str:
    """The line of git's complaint that says most: the first one, or the first fatal one."""
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    chosen = next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "no reason given"
    )
    return printable(chosen)[:300]
