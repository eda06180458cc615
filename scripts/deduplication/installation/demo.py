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

from ..accounting import run_history
from ..figures.counted import counted
from ..project.paths import Project
from ..start.child import main_module
from ..terminal import called
from ..terminal.console import printable
from .errors import InstallRefused
from .targets import GET_AGAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from .origin import Origin


def run(origin: Origin, say: Callable[[str], None]) -> int:
    """Run the whole job on every sample, the first with its whole report; returns the first exit code that is not 0.

    The scratch project is kept, so that the user can look at what the job made of it.
    """
    samples = sorted((origin.coditect / "demo").glob("*.txt"))
    if not samples:
        raise InstallRefused(f"the samples in {origin.coditect / 'demo'} are missing", hint=GET_AGAIN)
    scratch = Path(tempfile.mkdtemp(prefix="export-dedup-demo-"))
    say(f"Scratch project: {printable(str(scratch))}")
    _make_repository(scratch, say)
    for number, sample in enumerate(samples, 1):
        if number == 1:
            say(f"\n--- {sample.name}, as /export writes it: the whole report ---\n")
        shutil.copyfile(sample, scratch / sample.name)
        sys.stdout.flush()
        words = ["run", "--project", str(scratch), *(["--yes"] if number == 1 else ["--quiet"])]
        code = subprocess.call([sys.executable, main_module(), *words], stdin=subprocess.DEVNULL)
        if code:
            say(f"\nThe run ended with exit code {code}; the scratch project is kept: {printable(str(scratch))}")
            return code
    say(_growth(scratch))
    say(_closing(scratch, origin))
    return 0


def _growth(scratch: Path) -> str:
    """A line for each export: what it showed, and what of it was new."""
    runs, _ = run_history.runs(os.fspath(Project(Path(os.path.realpath(scratch))).state))
    lines = [
        f"  {', '.join(run.exports)}   {counted(run.total, 'message')}: {run.new:,} new, {counted(run.duplicates, 'duplicate')}"
        for run in reversed(runs)
    ]
    return "\n".join(["\n--- It went on, and was exported twice more ---\n", *lines])


def _make_repository(scratch: Path, say: Callable[[str], None]) -> None:
    # A fresh machine may have git without a name in it, or no git at all: the checkpoint step copes with both.
    git = ["git", "-C", str(scratch)]
    with contextlib.suppress(OSError):
        if subprocess.run([*git, "init", "--quiet"], capture_output=True, check=False).returncode == 0:
            for name, value in (("user.name", "export-dedup demo"), ("user.email", "demo@example.invalid")):
                subprocess.run([*git, "config", name, value], capture_output=True, check=False)
            return
    say("git was not found: the demonstration goes on without commits.")


def _closing(scratch: Path, origin: Origin) -> str:
    place = shlex.quote(str(scratch))
    script = shlex.quote(str(origin.scripts / "deduplicate_export.py"))
    tool = called.typed() if called.is_by_command() else f"python3 {script}"
    remove = f"rmdir /s /q {place}" if os.name == "nt" else f"rm -r {place}"
    return "\n".join(
        [
            "",
            "The second and the third export brought mostly duplicates, and only what was new was stored.",
            "",
            "Look at what is there now:",
            f"  cd {place}",
            f"  {tool} restore --all out",
            "  ls out                                       the three files, byte for byte",
            "  ls MEMORY-CONTEXT/checkpoints                the checkpoint documents",
            "  cat MEMORY-CONTEXT/export-dedup-status.txt   a line a run; 'status --full' shows a whole report",
            "  git log --stat                               one commit a run",
            "",
            "Next:",
            called.as_called("  Install into a project of yours:  ./install.sh --project DIR"),
            f"  Remove the scratch project:       {remove}",
        ]
    )
