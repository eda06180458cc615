"""How the benchmarks measure: whole processes, medians, and the same interpreter doing nothing in between."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


COMPILED: Final = {"PYTHONDONTWRITEBYTECODE": ""}
"""In the environment of what is measured: modules are compiled once, by the first run, as they are where it is installed."""


def process(arguments: list[str], folder: Path, given: bytes = b"", **environment: str) -> tuple[float, float]:
    """Wall seconds and peak megabytes of one process, with ``given`` on its standard input; raises where it fails."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(given)
        stdin.seek(0)
        started = time.perf_counter()
        child = subprocess.Popen(
            arguments,
            cwd=folder,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **COMPILED, **environment},
        )
    errors = child.stderr.read() if child.stderr else b""
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status) if hasattr(os, "waitstatus_to_exitcode") else status
    if status:
        raise SystemExit(f"{arguments} failed:\n{errors.decode()}")
    scale = 1_000_000 if sys.platform == "darwin" else 1_000
    return seconds, usage.ru_maxrss / scale


class Table:
    """Rows of the result, printed as they come."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.missed = 0
        print("| what | seconds | peak MB | of Python, times | limit |")
        print("|---|---|---|---|---|")

    def row(
        self,
        what: str,
        prepare: Callable[[], tuple[list[str], Path]],
        *,
        limit: float | None = None,
        megabytes: float | None = None,
        times_python: float | None = None,
        given: Callable[[], bytes] = bytes,
        **environment: str,
    ) -> float:
        """Measure a command that ``prepare`` sets up anew for each run; returns the median in seconds."""
        times, peaks, bare = [], [], []
        for _ in range(self.runs):
            arguments, folder = prepare()
            seconds, peak = process(arguments, folder, given(), **environment)
            times.append(seconds)
            peaks.append(peak)
            bare.append(process([sys.executable, "-c", "pass"], folder)[0])
        median, peak = statistics.median(times), max(peaks)
        ratio = statistics.median(one / other for one, other in zip(times, bare))
        limits = ((limit, median, "s"), (megabytes, peak, "MB"), (times_python, ratio, "times Python"))
        over = any(bound is not None and value > bound for bound, value, _ in limits)
        self.missed += over
        bounds = ", ".join(f"{bound} {unit}" for bound, _, unit in limits if bound is not None)
        print(
            f"| {what} | {median:.3f} | {peak:.0f} | {ratio:.1f} | {bounds}{' **missed**' if over else ''} |",
            flush=True,
        )
        return median
