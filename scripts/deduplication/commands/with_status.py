"""``export-dedup-with-status.py``: the core as a child, its output live, then banner, summary and the status log.

The exit code is the core's (128 + n where signal n ended it, 130 and 143 where we were interrupted). One exception: a
core that succeeded while its report could not be kept gives 1, because a report that is promised and missing is a failure.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Optional

from ..errors import EXIT_FAILURE, EXIT_OK, EXIT_USAGE, DedupError
from ..figures import run_result
from ..project.paths import Project, find_project
from ..project.private_folder import hide_from_git
from ..reports import execution as execution_report
from ..reports import workflow as report
from ..start.late_pattern import late_pattern
from ..terminal import console
from ..terminal.called import as_called
from ..terminal.child_output import Capture
from ..terminal.display import Screen
from ..workflow import status_log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..terminal.child_process import Ended, Signals

CORE: Final = (str(Path(__file__).resolve().parents[2] / "export-dedup.py"),)
"""The script that is run as a child, and the words before the arguments."""

_HELP_NOTE: Final = """
export-dedup-with-status.py takes the same arguments. It runs export-dedup.py, shows its output, the banner and an
execution summary, and appends a line to MEMORY-CONTEXT/export-dedup-status.txt; 'deduplicate_export.py status --full'
shows the whole report again. With --json standard output carries the JSON object only; the report is kept all the same."""

_ERROR: Final = late_pattern(r"^([ \t]*)❌ ERROR:[ \t]*(.+)((?:\n[ \t]*→[ \t]+.+)*)", re.MULTILINE)
"""An error with the advice below it; what stands at the margin is the run's own, what is indented is one export's."""
_FAILED_EXPORTS: Final = late_pattern(rf"^{re.escape(report.FAILED_EXPORTS)}\n((?:   - .+\n?)+)", re.MULTILINE)
_MOST_ERRORS: Final = 5
_AGAIN: Final = "What was stored before is safe. Run the command again to go on."


def main(argv: Sequence[str], core: Sequence[str] = CORE, *, quiet: bool = False) -> int:
    """Run ``core`` with ``argv``; returns the exit code. Raises ``UsageError`` where the project folder does not exist.

    ``quiet``: the report goes to the log alone, and to standard error what went wrong.
    """
    as_json, wants, named = _look_at(argv)
    if wants == "version":
        from .arguments import VERSION

        Screen(sys.stdout).line(VERSION)
        return EXIT_OK
    interpreter, script = [sys.executable, *_interpreter_flags(), "-u"], [*core, *argv]
    if wants:
        import subprocess

        code = subprocess.call([*interpreter, *script], stdin=subprocess.DEVNULL)
        Screen(sys.stdout).line(_HELP_NOTE)
        return code
    return _Run(find_project(named), as_json=as_json, quiet=quiet).run(interpreter, script)


class _Run:
    """One run and its report: what is shown goes to the screen and to the report, with ``--json`` to the report only."""

    def __init__(self, project: Project, *, as_json: bool, quiet: bool) -> None:
        self.project = project
        self.as_json = as_json
        self.apart = as_json or quiet
        self.status_log = project.relative(project.status_log)
        self.screen = Screen(sys.stdout)
        self.errors = Screen(sys.stderr)
        self.output = Capture()
        self.object = Capture()
        self.report: list[str] = []

    def run(self, interpreter: Sequence[str], script: Sequence[str]) -> int:
        """Everything from header to log; an interruption ends the child, never the report."""
        from ..terminal.child_process import Signals

        with Signals().installed() as signals:
            return self.reported(interpreter, script, signals)

    def reported(self, interpreter: Sequence[str], script: Sequence[str], signals: Signals) -> int:
        """The report's parts in their order; returns the exit code."""
        began = time.monotonic()
        self.say(
            execution_report.execution_header(_now(), self.project.root.name or str(self.project.root), self.status_log)
        )
        ended, trouble = self.start(interpreter, script, signals)
        self.screen.flush()
        self.errors.flush()
        output = self.output.text()
        if output and not output.endswith("\n"):
            output += "\n"
            if not self.apart:
                self.screen.part("\n")
        self.report.append(output.rstrip("\n"))
        code = ended.code if ended is not None else EXIT_FAILURE
        figures = run_result.extract_json(self.object.text()) if self.as_json else run_result.extract(output)
        if figures is not None:
            counted = (figures.new, figures.duplicates, figures.total, figures.unique)
            self.say(execution_report.banner(*counted, captured=figures.captured))
            if figures.raw_bytes:
                self.say(execution_report.below_banner(figures.raw_bytes, figures.stored_bytes))
        ending = code, _now(), time.monotonic() - began
        self.say(execution_report.execution_summary(*ending))
        failure = _failure(code, ended, output, trouble) if code else ""
        if failure:
            self.report.append(failure)
        # Arguments that cannot be used make no folder and no file, not even a report.
        kept = code == EXIT_USAGE or self.keep(code, execution_report.log_line(*ending, figures, _first_of(failure)))
        if failure and not self.as_json:
            (self.errors if self.apart else self.screen).line(failure)
        return code if kept else code or EXIT_FAILURE

    def start(self, interpreter: Sequence[str], script: Sequence[str], signals: Signals) -> tuple[Optional[Ended], str]:
        """Run the child; how it ended, or why it could not be started."""
        from ..terminal import child_process

        try:
            ended = child_process.run(interpreter, script, _environment(), self.receive, signals, apart=self.apart)
        except OSError as error:
            return None, f"The deduplication could not be started: {error.strerror or error}"
        return ended, ""

    def receive(self, stream: str, text: str) -> None:
        """Part of the child's output: to the report, and to the screen at once."""
        safe = console.printable(text, newlines=True)
        self.output.add(safe)
        if not self.apart:
            self.screen.part(safe)
        elif stream == "errors":
            self.errors.part(safe)
        elif self.as_json:
            self.object.add(text)
            self.screen.raw(text)

    def say(self, text: str) -> None:
        """Our own lines."""
        self.report.append(text)
        if not self.apart:
            self.screen.line(text)

    def keep(self, code: int, line: str) -> bool:
        """Append the line to the log and the report to the reports; False where that failed, which is said."""
        try:
            status_log.append(self.project, line, "\n".join(self.report))
            hide_from_git(self.project)
        except DedupError as error:
            self.errors.line(execution_report.log_not_saved(self.status_log, str(error), code or EXIT_FAILURE))
            return False
        if not self.apart:
            self.screen.line(execution_report.log_saved(self.project.relative(self.project.reports)))
        return True


def _failure(code: int, ended: Optional[Ended], output: str, trouble: str) -> str:
    """How the failed run ends: its own errors repeated where they cannot be missed, else what can be said from outside."""
    if trouble or ended is None:
        return execution_report.failure([trouble], [as_called("Install export-dedup again (./install.sh).")], code)
    errors, hints = _errors_in(output)
    if ended.interrupted_by:
        name = _signal_name(ended.interrupted_by)
        return execution_report.failure([*errors, f"The run was interrupted ({name})"], [_AGAIN], code)
    if ended.killed_by:
        name = _signal_name(ended.killed_by)
        hints = ["The system may have run out of memory."] if name == "SIGKILL" else []
        return execution_report.failure([*errors, f"The deduplication was killed by {name}"], [*hints, _AGAIN], code)
    if errors:
        return execution_report.failure(errors, hints, code)
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
    hint = "Run the command with --help to see what it takes." if code == EXIT_USAGE else "See the output above."
    return execution_report.failure([last or "The deduplication ended without a word"], [hint], code)


def _first_of(failure: str) -> str:
    """The first error that a failed run ends with."""
    named = _ERROR.search(failure)
    return named.group(2) if named else ""


def _errors_in(output: str) -> tuple[list[str], list[str]]:
    """The errors that the core named, those of single exports with their file names first, and what it said to do."""
    listed = _FAILED_EXPORTS.search(output)
    errors = [line[5:] for line in listed.group(1).splitlines()] if listed else []
    if len(errors) > _MOST_ERRORS:
        errors[_MOST_ERRORS:] = [f"and {len(errors) - _MOST_ERRORS} more exports, see above"]
    named = _ERROR.findall(output)
    errors += [text for margin, text, _ in named if not margin]
    errors = errors or [text for _, text, _ in named][-_MOST_ERRORS:]
    hints = [line.strip(" \t→") for _, _, below in named for line in below.splitlines() if line.strip()]
    return list(dict.fromkeys(errors)), list(dict.fromkeys(hints))


def _look_at(argv: Sequence[str]) -> tuple[bool, str, Optional[str]]:
    """What the wrapper itself must know of the core's arguments.

    ``--json``; which of ``help`` and ``version`` is wanted, if any; the value of ``--project``.
    """
    as_json, wants = False, ""
    project: Optional[str] = None
    arguments = iter(argv)
    for argument in arguments:
        if argument == "--":
            break
        if argument == "--project":
            project = next(arguments, None)
        elif argument.startswith("--project="):
            project = argument.partition("=")[2]
        elif argument == "--json":
            as_json = True
        elif argument in ("-h", "--help"):
            wants = wants or "help"
        elif argument == "--version":
            wants = wants or "version"
    return as_json, wants, project


def _interpreter_flags() -> list[str]:
    """The child runs under the same rules as we do: isolation and warnings travel along."""
    flags = sys.flags
    chosen = ["-I"] if flags.isolated else ["-E"] * flags.ignore_environment + ["-s"] * flags.no_user_site
    chosen += ["-B"] * flags.dont_write_bytecode
    return chosen + [f"-W{option}" for option in sys.warnoptions]


def _environment() -> dict[str, str]:
    """UTF-8, unbuffered, in full width and without colour: what the child prints goes to the log."""
    dropped = ("COLUMNS", "FORCE_COLOR", "CLICOLOR_FORCE")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONIOENCODING": "utf-8:backslashreplace", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _now() -> str:
    # The time on the user's own clock, without an offset, as the log has always had it; not from datetime, which cannot show
    # a time zone that is a day ahead.
    return time.strftime("%Y-%m-%dT%H:%M:%S")
