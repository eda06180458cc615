"""A disk of a few megabytes that a test may fill and that may grow: a tmpfs, where mounting is allowed."""

from __future__ import annotations

import contextlib
import shutil
import subprocess

import pytest

import postgres_server


class Disk:
    """A mounted disk at ``folder``; it belongs to the user as whom servers run."""

    def __init__(self, folder):
        self.folder = folder

    def resize(self, size):
        """Give it another size, as ``mount`` writes it: ``400m``."""
        _run("mount", "-o", f"remount,size={size}", str(self.folder))

    def shrink(self):
        """Leave no room on it, at once and whoever writes meanwhile; :meth:`resize` gives it back."""
        while True:
            with contextlib.suppress(subprocess.CalledProcessError):  # by now there is more on it
                return self.resize(shutil.disk_usage(self.folder).used)

    def fill(self):
        """Leave no room on it."""
        free = shutil.disk_usage(self.folder).free
        with contextlib.suppress(OSError), open(self.folder / "filler", "ab") as filler:
            filler.write(b"\0" * (free + 1))

    def empty(self):
        """Take back what :meth:`fill` took."""
        (self.folder / "filler").unlink()


def _run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def disk(size="20m"):
    """A disk of this size; the test is skipped where it cannot be mounted."""
    folder = postgres_server.new_folder("disk")
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk may be mounted here: {getattr(error, 'stderr', '') or error}")
    try:
        yield Disk(postgres_server.owned(folder))
    finally:
        _run("umount", "-l", str(folder))
