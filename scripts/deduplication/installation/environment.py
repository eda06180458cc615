"""The virtual environment of a checkout, in which its tests run. What is installed into projects has none, and needs none."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final, Optional

from ..start.late_dataclass import dataclass
from .plan import is_venv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_STAMP: Final = "export-dedup.stamp"
_PIP: Final = ("-m", "pip", "--disable-pip-version-check", "--quiet", "--retries", "1")
_PATIENCE: Final = 600
"""Seconds that pip may take on a slow line before we go on without it."""


@dataclass(frozen=True)
class Environment:
    """``python`` is the interpreter to go on with; ``note`` is one line for the user where something is missing."""

    python: str
    note: str = ""


def for_testing(folder: Path, checkout: Path) -> Environment:
    """An interpreter with everything of the dev group in it; ``note`` is set where that could not be had."""
    python = _python(folder)
    with open(checkout / "pyproject.toml", encoding="utf-8") as file:
        stamp = file.read()
    if is_venv(str(folder)) and _stamp(folder) == stamp and not missing(python, ("pytest",)):
        return Environment(python)
    # Groups of dependencies are known to pip from 25.1 on.
    problem = (
        make(folder)
        or install(python, ("pip>=25.1",), "--upgrade")
        or install(python, (), "--group", f"{checkout / 'pyproject.toml'}:dev")
    )
    if problem is None:
        with open(folder / _STAMP, "w", encoding="utf-8") as file:
            file.write(stamp)
        return Environment(python)
    return Environment(sys.executable, note=problem)


def make(folder: Path) -> Optional[str]:
    """Make a virtual environment at ``folder`` unless a working one is there; the reason in one line where not."""
    if is_venv(str(folder)) and _works(_python(folder)):
        return None
    if os.path.lexists(folder) and not is_venv(str(folder)):
        return f"{folder} exists and is no virtual environment"
    return _run([sys.executable, "-m", "venv", "--clear", str(folder)])


def install(python: str, packages: Sequence[str], *options: str) -> Optional[str]:
    """Let pip install ``packages``; the reason in one line where it could not."""
    return _run([python, *_PIP, "install", *options, *packages])


def missing(python: str, packages: Sequence[str]) -> list[str]:
    """Which of ``packages`` the interpreter cannot import; all of them where it does not run."""
    # The current folder is taken from the path first: a folder named rich beside the user is not the package.
    code = "import sys; sys.path.pop(0)\nimport importlib.util as u; print(*[n for n in sys.argv[1:] if not u.find_spec(n)])"
    try:
        done = subprocess.run([python, "-c", code, *packages], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return list(packages)
    return done.stdout.split()


def _python(folder: Path) -> str:
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def _works(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _stamp(folder: Path) -> Optional[str]:
    try:
        with open(folder / _STAMP, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def _run(command: list[str]) -> Optional[str]:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{os.path.basename(command[0])}: {getattr(error, 'strerror', None) or 'took too long'}"
    if done.returncode == 0:
        return None
    said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line for line in said if line.startswith("ERROR")]
    what = "no venv module" if "venv" in command else "pip failed"
    return (errors or said or [f"{what} (exit {done.returncode})"])[-1].replace("ERROR: ", "").rstrip(".")
