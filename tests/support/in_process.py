"""A command called in this process, as its entry script does it."""

from __future__ import annotations

import contextlib
import io

from deduplication.commands import deduplicate_export, entry
from deduplication.errors import DedupError


def _standard_output():
    """Takes text and, as ``buffer``, bytes."""
    return io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")


def call(*arguments, main=deduplicate_export.main):
    """A command to its end, as ``entry.run`` takes it there: exit code, output, errors. A trace is a failure of the test."""
    with (
        contextlib.redirect_stdout(_standard_output()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        try:
            code = main([*map(str, arguments)])
        except SystemExit as ended:
            code = ended.code or 0
        except DedupError as error:
            code = entry.report(error)
    out.flush()
    return code, out.buffer.getvalue().decode(), err.getvalue()
