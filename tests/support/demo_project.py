"""A project with the samples of the demonstration: two were processed, the third waits."""

from __future__ import annotations

import shutil
from pathlib import Path

from deduplication.commands import export_dedup
from in_process import call

SAMPLES = sorted((Path(__file__).resolve().parents[2] / ".coditect" / "demo").glob("*.txt"))


def make(folder):
    """Make it in ``folder``, which is not there yet, and return that."""
    (folder / ".git").mkdir(parents=True)
    for sample in SAMPLES[:2]:
        shutil.copy(sample, folder)
    assert call("--yes", "--no-checkpoint", "--project", folder, main=export_dedup.main).returncode == 0
    shutil.copy(SAMPLES[2], folder)
    return folder
