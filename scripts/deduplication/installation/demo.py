"""The demonstration: three exports of one conversation that grows, one after another, in a scratch project."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InstallRefused
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Callable


def run(checkout: Path, python: str, say: Callable[[str], None]) -> int:
    """Run the whole job on every sample with ``python``; returns the first exit code that is not 0.

    The scratch project is kept, so that the user can look at what the job made of it.
    """
    samples = sorted((checkout / ".coditect" / "demo").glob("*.txt"))
    if not samples:
        raise InstallRefused("the samples in .coditect/demo are missing", hint="Clone export-dedup again.")
    scratch = Path(tempfile.mkdtemp(prefix="export-dedup-demo-"))
    say(f"Scratch project: {printable(str(scratch))}")
    _make_repository(scratch, say)
    for number, sample in enumerate(samples, 1):
        say(f"\n--- Export {number} of {len(samples)}: {sample.name} (as /export writes it) ---\n")
        shutil.copyfile(sample, scratch / sample.name)
        command = [python, str(checkout / "scripts" / "export-dedup-with-status.py")]
        sys.stdout.flush()
        code = subprocess.call([*command, "--project", str(scratch), "--yes"], stdin=subprocess.DEVNULL)
        if code:
            say(f"\nThe run ended with exit code {code}; the scratch project is kept: {printable(str(scratch))}")
            return code
    say(_closing(scratch, checkout))
    return 0


def _make_repository(scratch: Path, say: Callable[[str], None]) -> None:
    # A fresh machine may have git without a name in it, or no git at all: the checkpoint step copes with both.
    git = ["git", "-C", str(scratch)]
    with contextlib.suppress(OSError):
        if subprocess.run([*git, "init", "--quiet"], capture_output=True, check=False).returncode == 0:
            for name, value in (("user.name", "export-dedup demo"), ("user.email", "demo@example.invalid")):
                subprocess.run([*git, "config", name, value], capture_output=True, check=False)
            return
    say("git was not found: the demonstration goes on without commits.")


def _closing(scratch: Path, checkout: Path) -> str:
    place = shlex.quote(str(scratch))
    tool = shlex.quote(str(checkout / "scripts" / "deduplicate_export.py"))
    remove = f"rmdir /s /q {place}" if os.name == "nt" else f"rm -r {place}"
    return "\n".join(
        [
            "",
            "The same conversation grew from export to export: the second and the third brought mostly duplicates,",
            "and only what was new was stored.",
            "",
            "Look at what is there now:",
            f"  cd {place}",
            f"  python3 {tool} restore --all out",
            "  ls out                                       the three files, byte for byte",
            "  ls MEMORY-CONTEXT/checkpoints                the checkpoint documents",
            "  cat MEMORY-CONTEXT/export-dedup-status.txt   the reports above",
            "  git log --stat                               one commit a run",
            "",
            "Next:",
            "  Install into a project of yours:  ./install.sh --project DIR",
            f"  Remove the scratch project:       {remove}",
        ]
    )
