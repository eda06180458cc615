"""A command called in this process, as its entry script does it."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import NamedTuple

import pytest

import schemas
from deduplication.commands import deduplicate_export, entry
from deduplication.errors import DedupError


class Ended(NamedTuple):
    """How a command ended, in the words of ``subprocess``."""

    returncode: int
    stdout: str
    stderr: str


def _stream():
    """Standard output or errors as a terminal of today has them: takes text and, as ``buffer``, bytes."""
    return io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")


def call(*arguments, main=deduplicate_export.main, cwd=None, environment=None):
    """A command to its end, as ``entry.run`` takes it there: exit code, output, errors. A trace is a failure of the test.

    What it printed under ``--json`` is as its schema says.
    ``cwd`` and ``environment`` (what is set beside the test's own) hold for the command alone; its input is at its end.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(_stream()) as out,
        contextlib.redirect_stderr(_stream()) as err,
    ):
        patch.setattr(sys, "stdin", io.StringIO())
        if cwd is not None:
            patch.chdir(cwd)
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        try:
            code = main([*map(str, arguments)])
        except SystemExit as ended:
            code = ended.code or 0
        except DedupError as error:
            code = entry.report(error)
        except PermissionError as error:
            code = entry.report(entry.not_permitted(error))
    out.flush()
    err.flush()
    ended = Ended(code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())
    schemas.hold(main, [*map(str, arguments)], ended.stdout)
    return ended
