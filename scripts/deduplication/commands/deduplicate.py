"""Process exports from the shell, one after the other, oldest first; archive nothing, commit nothing."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from ..archive import discovery
from ..errors import EXIT_FAILURE, EXIT_OK, OutputNotWritable, UsageError
from ..figures.run_result import ExportResult, RunResult
from ..ingest.export_file import Entry, process
from ..project.export_names import validate_session_id
from ..project.paths import Project, find_project
from ..reports import store as store_report
from ..reports import workflow as report
from ..start.late_dataclass import replace
from ..terminal.called import is_by_command
from . import arguments as shared
from .shell.table import OF_THE_TOOL, listing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..archive.discovery import Candidate
    from ..ingest.deduplicator import ClaudeConversationDeduplicator, Ingest

_DESCRIPTION: Final = """\
Store the messages of exports, each exactly once. The files stay where they are (export-dedup.py archives them).

  deduplicate_export.py session.txt --session-id rollout-master --output new.json --stats
  deduplicate_export.py MEMORY-CONTEXT/exports/ --batch --output-dir new/
  deduplicate_export.py session.txt --stats-only
"""


def main(arguments: Sequence[str]) -> int:
    """``export-dedup import``."""
    return run(parser().parse_args(arguments))


def batch(arguments: Sequence[str]) -> int:
    """``batch_deduplicate.py DIR --output-dir D``, as the original design has it: ``--batch`` with a folder for each."""
    asked = batch_parser().parse_args(arguments)
    words = ["--batch", "--output-dir", asked.output_dir, *(["--json"] if asked.json else [])]
    for option, value in (("--project", asked.project), ("--storage-dir", asked.storage_dir)):
        words += [] if value is None else [f"{option}={value}"]
    return main([*words, "--", *asked.exports])


def batch_parser() -> shared.Parser:
    """The arguments of ``batch_deduplicate.py``."""
    found = shared.Parser(
        "batch_deduplicate.py",
        "Store the exports of folders, oldest first, and write the new messages of each to a file in --output-dir; the sums at\n"
        "the end. The same as: deduplicate_export.py DIR --batch --output-dir D",
    )
    add = found.add_argument
    add("exports", nargs="+", metavar="DIR", help="folders of exports, or export files")
    add(
        "--output-dir",
        metavar="D",
        required=True,
        help="where the new messages of each export are written, as Markdown",
    )
    shared.add_storage(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def run(asked: argparse.Namespace) -> int:
    """Process the exports that the arguments name; 1 where one of them failed."""
    _check(asked)
    project = find_project(asked.project)
    dedup = shared.deduplicator(asked)
    keep = (shared.store_folder(asked), project.archive)
    if asked.output is not None or asked.output_dir is not None:
        from ..workflow import new_messages_file

        if asked.output is not None:
            asked.output = new_messages_file.check_file(asked.output, (*keep, *asked.exports))
        if asked.output_dir is not None:
            asked.output_dir = new_messages_file.check_folder(asked.output_dir, keep)
    done = _Run(asked, dedup, project)
    outcome = done.process()
    if asked.json:
        shared.print_json({**outcome.as_dict(), **({"statistics": done.statistics()} if done.wants_statistics else {})})
    else:
        if done.wants_statistics:
            for figures in done.statistics():
                report.show(store_report.statistics(figures))
        if asked.dry_run:
            report.show(report.skipped("storing (--dry-run)"))
        if not asked.stats_only and (len(outcome.failed) < len(outcome.exports) or not outcome.exports):
            report.show(report.sums_block(outcome))
    if done.defect is not None:
        raise done.defect
    return EXIT_FAILURE if outcome.failed else EXIT_OK


def _check(asked: argparse.Namespace) -> None:
    """What can be said of the arguments before anything is read."""
    if not asked.exports or "" in asked.exports:
        named = "an export's name is empty" if asked.exports else "no export was named"
        raise UsageError(named, hint="Pass a file or a folder, or run export-dedup.py to search.")
    if asked.session_id is not None:
        validate_session_id(asked.session_id)
    if "" in (asked.output, asked.output_dir):
        raise UsageError("--output and --output-dir need a name")
    if asked.output is not None and (asked.batch or len(asked.exports) > 1 or os.path.isdir(asked.exports[0])):
        raise UsageError("--output takes the messages of one export", hint="Use --output-dir for several.")
    if (asked.output is not None or asked.output_dir is not None) and (asked.dry_run or asked.stats_only):
        raise UsageError("--dry-run and --stats-only write nothing, so they go with neither --output nor --output-dir")


def parser() -> shared.Parser:
    """The arguments."""
    # The command lists its subcommands itself.
    others = "" if is_by_command() else f"\nSubcommands, each with --help:\n\n{listing(OF_THE_TOOL)}\n"
    found = shared.Parser("deduplicate_export.py", _DESCRIPTION + others)
    add = found.add_argument
    add("exports", nargs="*", metavar="EXPORT", help="export files, or folders of exports")
    add("--session-id", metavar="ID", help="the conversation they belong to (default: found by content, else by name)")
    output = found.add_mutually_exclusive_group().add_argument
    output("--output", metavar="F", help="write the new messages to F: Markdown where it ends in .md, else JSON")
    output("--output-dir", metavar="D", help="write the new messages of each export to a Markdown file in D")
    add("--batch", action="store_true", help="process folders and many files, oldest first, with the sums at the end")
    add("--stats", action="store_true", help="show the statistics of each conversation afterwards")
    add("--stats-only", action="store_true", help="show the statistics of each conversation and store nothing")
    add("--dry-run", action="store_true", help="count what would be new, and store nothing")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


class _Run:
    """One call of the command."""

    def __init__(self, asked: argparse.Namespace, dedup: ClaudeConversationDeduplicator, project: Project) -> None:
        self._asked, self._dedup, self._project = asked, dedup, project
        self._started = time.monotonic()
        self._conversations: dict[str, None] = {}
        self._counted: set[str] | None = set() if asked.dry_run or asked.stats_only else None
        """Where nothing is stored: the bodies of the exports so far."""
        self.defect: Exception | None = None
        """A defect of ours that one file brought to light; the others were processed all the same."""

    def process(self) -> RunResult:
        """Every export in turn; a broken one costs only itself."""
        found = discovery.find_exports(self._project, self._asked.exports)
        results: list[ExportResult] = []
        for refusal in found.refusals:
            if refusal.fatal:
                results.append(ExportResult(self._project.relative(refusal.path), error=str(refusal.error)))
                self._say_failed(results[-1], refusal.error.hint)
            elif not self._asked.json:
                report.show(report.passed_over(refusal.path, refusal.reason))
        from ..terminal.progress import progress

        with progress(sum(each.identity.size for each in found.exports), "Deduplicating") as advance:
            for candidate in found.exports:
                results.append(self._one(candidate))
                advance(candidate.identity.size)
        from ..accounting.storage_account import savings

        return RunResult(
            exports=tuple(results),
            global_unique=self._dedup.global_unique_count() + self._would_add(results),
            storage=savings(self._dedup, shared.store_folder(self._asked)),
            duration_s=time.monotonic() - self._started,
        )

    def _would_add(self, results: Sequence[ExportResult]) -> int:
        """Different messages that the store would have besides, had anything been stored."""
        return sum(each.new - each.captured for each in results) if self._counted is not None else 0

    @property
    def wants_statistics(self) -> bool:
        """Whether statistics are to be shown, with everything else or alone."""
        return bool(self._asked.stats or self._asked.stats_only)

    def statistics(self) -> list[dict[str, Any]]:
        """The statistics of each conversation that an export of this run belongs to."""
        return [self._dedup.get_statistics(conversation) for conversation in self._conversations]

    def _one(self, candidate: Candidate) -> ExportResult:
        entry = Entry(candidate, ExportResult(self._project.relative(candidate.path)))
        keep = self._asked.output is not None or self._asked.output_dir is not None
        failure = process(entry, self._dedup, self._asked.session_id, counted=self._counted, keep=keep)
        if failure is not None:
            self.defect = self.defect or failure.defect
            self._say_failed(entry.result, failure.error.hint)
            return entry.result
        self._conversations.update(dict.fromkeys(entry.result.conversations or [entry.result.session_id]))
        if not (self._asked.json or self._asked.stats_only):
            report.show(report.export_block(entry.result, named=True))
        try:
            self._write(candidate, entry.done)
        except OutputNotWritable as error:
            entry.result = replace(entry.result, error=f"Messages stored, but not written out. {error}")
            self._say_failed(entry.result, error.hint)
        return entry.result

    def _say_failed(self, result: ExportResult, hint: str) -> None:
        text = report.export_block(result) + (f"\n{report.advice(hint)}" if hint else "")
        report.show(text, sys.stderr if self._asked.json else None)

    def _write(self, candidate: Candidate, done: Ingest) -> None:
        """The new messages as a file of their own, where that was asked for."""
        if self._asked.output is None and (self._asked.output_dir is None or not done.new_messages):
            return
        from ..workflow import new_messages_file

        if self._asked.output is not None:
            new_messages_file.write(self._asked.output, done)
        else:
            new_messages_file.write_into(self._asked.output_dir, candidate.path.stem, done)
