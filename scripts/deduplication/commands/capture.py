"""``deduplicate_export.py capture``: the client's own transcripts into the store."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EXIT_FAILURE, EXIT_OK, DedupError, ExportError, ExportUnreadable, UnsafePath, UsageError
from ..ingest import transcript_capture
from ..ingest.conversation_choice import by_beginning
from ..project import client_transcripts, config
from ..project.export_names import validate_session_id
from ..project.paths import find_project
from ..reports import archive as archive_report
from ..reports import capture as capture_report
from ..start.late_dataclass import asdict
from ..terminal.display import show
from ..terminal.progress import progress
from . import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..archive.pack_files import Packed
    from ..project.client_transcripts import Transcript


def main(arguments: Sequence[str]) -> int:
    """Capture what is new of the transcripts asked for; 1 where one of them failed, the others are captured all the same."""
    asked = parser().parse_args(arguments)
    found, failures = _asked_for(asked)
    dedup = shared.deduplicator(asked)
    done: list[transcript_capture.Captured] = []
    with progress(sum(each.size for each in found), "Capturing") as advance:
        for each in found:
            try:
                captured = transcript_capture.capture_file(dedup, each.path, thorough=True)
            except (ExportError, UnsafePath) as error:
                failures.append((each.path, error))
            else:
                if captured is not None:
                    done.append(captured)
                    if not asked.json:
                        show(capture_report.captured(captured))
            advance(each.size)
    kept = _kept(asked, [each for each in found if each.path not in {path for path, _ in failures}])
    _show_failures(failures)
    sums = {
        "transcripts": len(found),
        "captured": [asdict(each) for each in done],
        "total_messages": sum(each.total for each in done),
        "new_messages": sum(each.new for each in done),
        "read_bytes": sum(each.read_bytes for each in done),
        "global_unique": dedup.global_unique_count(),
        "archived": kept.names,
        "failed": [{"path": str(path), "error": str(error)} for path, error in failures],
    }
    if asked.json:
        shared.print_json(sums)
    else:
        show(capture_report.sums(sums))
        if kept.names:
            show(archive_report.kept(kept))
        for note in kept.notes:
            show(archive_report.list_healed(note))
    for name, failure in kept.failures:
        show(archive_report.not_kept(name, str(failure), failure.hint), sys.stderr)
    return EXIT_FAILURE if failures or kept.failures else EXIT_OK


def _kept(asked: argparse.Namespace, found: Sequence[Transcript]) -> Packed:
    """The files themselves into the archive, where the store has one and the settings want it."""
    from ..archive.pack_files import Packed
    from ..workflow import archive_transcripts

    state = shared.store_folder(asked)
    project = archive_transcripts.project_of(state)
    if project is None or not config.load(os.fspath(project.root))["archive_transcripts"]:
        return Packed()
    try:
        with progress(sum(each.size for each in found), "Archiving") as advance:
            return archive_transcripts.archive_transcripts(project, found, advance=advance)
    except DedupError as error:
        return Packed(failures=[("the transcripts", error)])


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py capture",
        "Store what is new in the transcripts that Claude Code itself keeps: of this project, of all projects, of one\n"
        "session, or of the files named. They are only read, and only what was added since the last time is stored.",
    )
    add = found.add_argument
    add(
        "transcripts",
        nargs="*",
        metavar="TRANSCRIPT",
        help="transcript files, or folders of them (default: this project's)",
    )
    add("--all", action="store_true", help="every transcript of every project, in CLAUDE_CONFIG_DIR or ~/.claude")
    add(
        "--session",
        metavar="ID",
        help="the transcript of one session, by its id or the beginning of it, with its sub-agents",
    )
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _asked_for(asked: argparse.Namespace) -> tuple[list[Transcript], list[tuple[Path, DedupError]]]:
    if ((asked.all or asked.session) and asked.transcripts) or (asked.all and asked.session):
        raise UsageError("--all, --session and named transcripts exclude each other")
    if asked.transcripts:
        return _named(asked.transcripts)
    if asked.session is not None:
        session = validate_session_id(asked.session)
        every = client_transcripts.find_transcripts()
        chosen = by_beginning(session, (each.session for each in every))
        found = [each for each in every if each.session == chosen]
        if not found:
            raise ExportUnreadable(
                f"no transcript of session '{session}' in {client_transcripts.config_dir() / 'projects'}",
                hint="The client deletes transcripts after a while. Check the id, and CLAUDE_CONFIG_DIR.",
            )
        return found, []
    return client_transcripts.find_transcripts(None if asked.all else find_project(asked.project).root), []


def _named(paths: Sequence[str]) -> tuple[list[Transcript], list[tuple[Path, DedupError]]]:
    found: list[Transcript] = []
    failures: list[tuple[Path, DedupError]] = []
    for given in paths:
        if not given:
            raise UsageError(
                "a transcript's name is empty", hint="An unset variable of the shell? Nothing was captured."
            )
        path = Path(os.path.abspath(given))
        try:
            files = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
            for file in files:
                status = file.stat()
                found.append(
                    client_transcripts.Transcript(
                        file, client_transcripts.session_of(file), status.st_size, status.st_mtime_ns
                    )
                )
        except OSError as error:
            failures.append((path, ExportUnreadable(error.strerror or str(error))))
    return found, failures


def _show_failures(failures: list[tuple[Path, Any]]) -> None:
    for path, error in failures:
        show(capture_report.not_captured(str(path), str(error), error.hint), sys.stderr)
