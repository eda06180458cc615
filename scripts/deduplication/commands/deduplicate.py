"""Process exports from the shell, one after the other, oldest first; archive nothing, commit nothing."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

from .. import discovery, report, store_report
from ..errors import EXIT_FAILURE, EXIT_OK, UsageError
from ..intake import Entry, process
from ..metrics import ExportResult, RunResult
from ..project import Project, find_project
from . import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..deduplicator import ClaudeConversationDeduplicator, Ingest
    from ..discovery import Candidate

_DESCRIPTION: Final = """\
Store the messages of exports, each exactly once. The files stay where they are (export-dedup.py archives them).

  deduplicate_export.py session.txt --session-id rollout-master --output new.json --stats
  deduplicate_export.py MEMORY-CONTEXT/exports/ --batch --output-dir new/
  deduplicate_export.py session.txt --stats-only
  deduplicate_export.py verify | rebuild      check the store, make its indexes anew (each has --help)
"""


def main(arguments: Sequence[str]) -> int:
    """Process the exports that ``arguments`` name; 1 where one of them failed."""
    asked = _parser().parse_args(arguments)
    if not asked.exports:
        raise UsageError("no export was named", hint="Pass a file or a folder, or run export-dedup.py to search.")
    if asked.output and (asked.batch or len(asked.exports) > 1 or os.path.isdir(asked.exports[0])):
        raise UsageError("--output takes the messages of one export", hint="Use --output-dir for several.")
    dedup = shared.deduplicator(asked)
    project = find_project(asked.project)
    run = _Run(asked, dedup, project)
    outcome = run.process()
    if asked.json:
        import json

        print(json.dumps(outcome.as_dict()))
    elif not asked.stats_only and len(outcome.failed) < len(outcome.exports):
        report.show(report.sums_block(outcome))
    if run.defect is not None:
        raise run.defect
    return EXIT_FAILURE if outcome.failed else EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = shared.Parser("deduplicate_export.py", _DESCRIPTION)
    add = parser.add_argument
    add("exports", nargs="*", metavar="EXPORT", help="export files, or folders of exports")
    add("--session-id", metavar="ID", help="the conversation they belong to (default: found by content, else by name)")
    add("--output", metavar="F", help="write the new messages to F: Markdown where it ends in .md, else JSON")
    add("--output-dir", metavar="D", help="write the new messages of each export to a Markdown file in D")
    add("--batch", action="store_true", help="process folders and many files, oldest first, with the sums at the end")
    add("--stats", action="store_true", help="show the statistics of each conversation afterwards")
    add("--stats-only", action="store_true", help="show the statistics of the conversation and store nothing")
    add("--dry-run", action="store_true", help="count what would be new, each export by itself, and store nothing")
    shared.add_store(parser)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return parser


class _Run:
    """One call of the command."""

    def __init__(self, asked: argparse.Namespace, dedup: ClaudeConversationDeduplicator, project: Project) -> None:
        self._asked, self._dedup, self._project = asked, dedup, project
        self._started = time.monotonic()
        self._unread = bool(asked.dry_run or asked.stats_only)
        self.defect: Exception | None = None
        """A defect of ours that one file brought to light; the others were processed all the same."""

    def process(self) -> RunResult:
        """Every export in turn; a broken one costs only itself."""
        found = discovery.find_exports(self._project, self._asked.exports)
        results: list[ExportResult] = []
        for refusal in found.refusals:
            if refusal.fatal:
                results.append(ExportResult(str(refusal.path), error=str(refusal.error)))
                self._say_failed(results[-1], refusal.error.hint)
            elif not self._asked.json:
                report.show(report.passed_over(refusal.path, refusal.reason))
        from ..progress import progress

        with progress(sum(each.identity.size for each in found.exports), "Deduplicating") as advance:
            for candidate in found.exports:
                results.append(self._one(candidate))
                advance(candidate.identity.size)
        raw, stored = self._dedup.storage_bytes()
        return RunResult(
            exports=tuple(results),
            global_unique=self._dedup.global_unique_count(),
            raw_bytes=raw,
            stored_bytes=stored,
            duration_s=time.monotonic() - self._started,
        )

    def _one(self, candidate: Candidate) -> ExportResult:
        entry = Entry(candidate, ExportResult(self._project.relative(candidate.path)))
        failure = process(entry, self._dedup, self._asked.session_id, dry_run=self._unread)
        if failure is not None:
            self.defect = self.defect or failure.defect
            self._say_failed(entry.result, failure.error.hint)
        else:
            self._write(candidate, entry.done)
            if not self._asked.json:
                self._say(entry.result)
        return entry.result

    def _say(self, result: ExportResult) -> None:
        if not self._asked.stats_only:
            report.show(report.export_block(result, named=True))
            if self._asked.dry_run:
                report.show(report.skipped("--dry-run: nothing was stored"))
        if self._asked.stats or self._asked.stats_only:
            report.show(store_report.statistics(self._dedup.get_statistics(result.session_id)))

    def _say_failed(self, result: ExportResult, hint: str) -> None:
        text = report.export_block(result) + (f"\n{report.advice(hint)}" if hint else "")
        if self._asked.json:
            sys.stderr.write(text + "\n")
        else:
            report.show(text)

    def _write(self, candidate: Candidate, done: Ingest) -> None:
        """The new messages as a file of their own, where that was asked for."""
        if self._unread or not (self._asked.output or self._asked.output_dir):
            return
        from .. import new_messages

        if self._asked.output:
            new_messages.write(self._asked.output, done)
        elif done.new_messages:
            new_messages.write_into(self._asked.output_dir, candidate.path.stem, done)


