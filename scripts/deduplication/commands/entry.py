"""The one handler between a command and its process: an exit code, one line for a known failure, a log for the rest."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .. import console
from ..display import show
from ..errors import EXIT_INTERRUPTED, EXIT_UNEXPECTED, DedupError

if TYPE_CHECKING:
    from collections.abc import Callable


def run(command: Callable[[list[str]], int]) -> int:
    """Run ``command`` with this process's arguments and return its exit code; never lets a trace through."""
    console.prepare()
    try:
        code = command(sys.argv[1:])
        sys.stdout.flush()
    except DedupError as error:
        return report(error)
    except KeyboardInterrupt:
        show("\n❌ Interrupted. Nothing is half done; run the command again to go on.", sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        console.abandon_output()
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: the user gets a line, we get the trace
        return _unexpected(error)
    return code


def report(error: DedupError) -> int:
    """Print a named failure on standard error, with what to do next; returns its exit code."""
    show(f"❌ ERROR: {console.printable(str(error))}", sys.stderr)
    if error.hint:
        show(f"   → {console.printable(error.hint)}", sys.stderr)
    return error.exit_code


def _unexpected(error: Exception) -> int:
    import platform
    import tempfile
    import traceback

    descriptor, path = tempfile.mkstemp(prefix="export-dedup-error-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"Python {platform.python_version()} on {platform.platform()}\n{sys.argv!r}\n")
        traceback.print_exception(type(error), error, error.__traceback__, file=log)
    show(f"❌ ERROR: Unexpected failure: {console.printable(f'{type(error).__name__}: {error}')}", sys.stderr)
    show(f"   → This is a defect of export-dedup. Details were written to {path}", sys.stderr)
    return EXIT_UNEXPECTED
