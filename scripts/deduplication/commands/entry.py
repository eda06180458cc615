"""The one handler between a command and its process: an exit code, one line for a known failure, a log for the rest."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from ..errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNEXPECTED,
    DedupError,
    NotPermitted,
    OutputNotWritable,
    UnsafePath,
    UsageError,
)
from ..files.anchored import LeadsOut
from ..terminal import called, console
from ..terminal.display import show

if TYPE_CHECKING:
    from collections.abc import Callable


def start(command: Callable[[list[str]], int]) -> NoReturn:
    """Run ``command`` as :func:`run` does, and end the process with its exit code.

    Nothing is left to be tidied up, and taking an interpreter with 200 modules apart takes as long as storing an export.
    """
    code = run(command)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # its reader has gone, and has been told what it could be told
            stream.flush()
    os._exit(code)


def run(command: Callable[[list[str]], int]) -> int:
    """Run ``command`` with this process's arguments and return its exit code; never lets a trace through."""
    console.prepare()
    try:
        code = _finished(command)
        sys.stdout.flush()
    except DedupError as error:
        return report(error)
    except KeyboardInterrupt:
        _tell("\n❌ Interrupted. Nothing is half done; run the command again to go on.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        console.abandon_output()
        return EXIT_INTERRUPTED
    except LeadsOut as error:
        return report(UnsafePath(f"{error.filename}: {error.strerror}"))
    except PermissionError as error:
        return _unexpected(error) if error.filename is None else report(not_permitted(error))
    except OSError as error:
        return _output_lost(error) if _output_is_broken(error) else _unexpected(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: the user gets a line, we get the trace
        return _unexpected(error)
    return code


def _finished(command: Callable[[list[str]], int]) -> int:
    try:
        return command(sys.argv[1:])
    except (
        SystemExit
    ) as ended:  # argparse after --help: its output is flushed by us, or Python would complain of a pipe
        return ended.code if isinstance(ended.code, int) else EXIT_OK


def not_permitted(error: PermissionError) -> NotPermitted:
    """The named failure for a refusal that nobody named on the way."""
    refused = NotPermitted(f"{os.fsdecode(error.filename)}: {error.strerror}")
    refused.__cause__ = error
    return refused


def report(error: DedupError) -> int:
    """Print a named failure on standard error, with what to do next; returns its exit code."""
    if called.slash_command() and isinstance(error, UsageError):
        _tell(f"❌ ERROR: {console.printable(called.as_called(error.detail or str(error)))}")
        for hint in filter(None, (error.told, called.slash_command())):
            _tell(f"   → {console.printable(called.as_called(hint))}")
        return error.exit_code
    _tell(f"❌ ERROR: {console.printable(called.as_called(str(error)))}")
    if error.hint:
        _tell(f"   → {console.printable(called.as_called(error.hint))}")
    return error.exit_code


def _tell(text: str) -> None:
    try:
        show(text, sys.stderr)
    except OSError:
        console.abandon_output()  # nobody can be told; the exit code still says it


def _output_is_broken(error: OSError) -> bool:
    """Whether ``error`` came from standard output (a full disk behind ``>``): then it takes nothing more."""
    if error.filename is not None:
        return False
    try:
        sys.stdout.write("\n")  # what was waiting is gone with the first failure, so that flushing alone tells nothing
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _output_lost(error: OSError) -> int:
    hint = "What was stored before is safe. Run the command again; what is stored already is not stored twice."
    code = report(OutputNotWritable(f"standard output: {error.strerror or error}", hint=hint))
    console.abandon_output()
    return code


def _unexpected(error: Exception) -> int:
    _tell(f"❌ ERROR: Unexpected failure: {console.printable(f'{type(error).__name__}: {error}')}")
    _tell(f"   → This is a defect of export-dedup. {_details(error)}")
    return EXIT_UNEXPECTED


def _details(error: Exception) -> str:
    """Write the trace to a private file; says where it is, or why there is none."""
    import platform
    import tempfile
    import traceback

    try:
        descriptor, path = tempfile.mkstemp(prefix="export-dedup-error-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"Python {platform.python_version()} on {platform.platform()}\n{sys.argv!r}\n")
            traceback.print_exception(type(error), error, error.__traceback__, file=log)
    except OSError as reason:
        return f"The details could not be written: {console.printable(reason.strerror or str(reason))}"
    return f"Details were written to {console.printable(path)}"
