"""The words of a checkpoint: its Markdown document, its commit message, its file name. Pure, and safe with any text.

Commit subjects, branch names and paths are foreign text: they are made printable, and stand in code spans and fences
that they cannot close.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from ..figures.counted import counted
from ..project.own_output import COMMENT
from ..reports.workflow import captured
from ..terminal.console import printable
from . import readme_entry
from .git_section import GitState, git_section
from .markdown_escape import code, escaped, shortened
from .run_figures import RunFigures, StoreTotals
from .session_titles import NOBODY, Named, linked, subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ..project.paths import Project
    from ..titles.naming import Naming
    from .completed_tasks import Task, Tasks
    from .run_figures import ExportFigures

SUBJECT_CHARACTERS: Final = 72
LISTED_NEW_TASKS: Final = 100
LISTED_EARLIER_TASKS: Final = 20
LISTED_SESSIONS: Final = 64
_SLUG_CHARACTERS: Final = 60
_TITLE_CHARACTERS: Final = 300
_FALLBACK_SLUG: Final = "checkpoint"


def slug(description: str) -> str:
    """``description`` as part of a file name: ASCII letters, digits and ``-``, at most 60 characters, never empty."""
    plain = unicodedata.normalize("NFKD", description).encode("ascii", "ignore").decode("ascii")
    words = re.sub(r"[^A-Za-z0-9]+", "-", plain.replace("'", "")).strip("-")
    return words[:_SLUG_CHARACTERS].strip("-") or _FALLBACK_SLUG


def title(description: str) -> str:
    """``description`` as one line that can be shown, at most 300 characters."""
    line = " ".join(printable(description.replace("\n", " ")).split())
    return shortened(line, _TITLE_CHARACTERS) or "Checkpoint"


def message(
    description: str,
    figures: Mapping[str, Any] | None,
    document: str = "",
    named: Named = NOBODY,
) -> str:
    """The commit message: a subject of at most 72 characters, the figures, and trailers that ``git log`` can find.

    ``document`` is the checkpoint's path in the project. Each session of the run has a trailer of its own.
    """
    titles = [each.shown for each in named.names.values()] if named.lead else []
    parts = [shortened(subject(f"checkpoint: {title(description)}", titles, SUBJECT_CHARACTERS), SUBJECT_CHARACTERS)]
    trailers = [f"Export-Dedup-Checkpoint: {printable(document)}"] if document else []
    run = RunFigures.of(figures)
    if run is not None:
        parts.append("\n".join(_numbers(run)))
        trailers += [f"Export-Dedup-Session: {printable(session)}" for session in run.sessions()[:LISTED_SESSIONS]]
        trailers += [f"Export-Dedup-New: {run.new}", f"Export-Dedup-Total: {run.total}"]
    if trailers:
        parts.append("\n".join(trailers))
    return "\n\n".join(parts) + "\n"


def readme_line(description: str, moment: datetime, target: str) -> str:
    """The line of the README's list; ``target`` is the document's path in the project."""
    from urllib.parse import quote

    return readme_entry.entry(f"{moment:%Y-%m-%d %H:%M} UTC:", escaped(title(description)), quote(target))


def render(
    description: str,
    moment: datetime,
    project: Project,
    state: GitState,
    figures: Mapping[str, Any] | None,
    tasks: Tasks | None = None,
    files: Sequence[Path] = (),
    named: Named = NOBODY,
) -> str:
    """The whole document. ``moment`` is in UTC; ``figures`` may have the store's totals under ``cumulative``.

    ``files`` are the run's session files, to which the document links; ``named`` is what the run's sessions are called.
    """
    names = named.names
    links = [linked(session, names, _target(project, session, files)) for session in names]
    lines = [f"# Checkpoint: {subject(escaped(title(description)), links if named.lead else ())}", "", COMMENT, ""]
    lines += [f"Created {moment:%Y-%m-%d %H:%M:%S} UTC by export-dedup.", ""]
    run = RunFigures.of(figures)
    if run is not None and names:
        lines += ["## What was said", "", *_said(run, names, links), ""]
    lines += ["## Git", "", *git_section(state), ""]
    if tasks is not None and (tasks.new or tasks.earlier):
        lines += ["## Completed tasks", "", *_tasks(tasks), ""]
    if run is not None:
        lines += ["## Deduplication", "", *(f"- {number}" for number in _numbers(run)), ""]
        exports = [_export(project, export, files, names) for export in run.exports]
        if exports:
            lines += ["### Exports", "", *exports, ""]
    totals = StoreTotals.of(figures)
    if totals is not None:
        lines += ["## In the store", "", *_totals(totals), ""]
    archive = code(f"{project.relative(project.archive)}/")
    lines += [
        "## Archive",
        "",
        f"Exports are kept, as they were written, in {archive} (private, not part of this commit).",
        f"{code('deduplicate_export.py restore')} gives any of them back.",
    ]
    return "\n".join(lines) + "\n"


def _tasks(tasks: Tasks) -> list[str]:
    from .completed_tasks import mark

    lines = []
    if tasks.new:
        lines += ["New since the last checkpoint:", "", *_boxes(tasks.new, LISTED_NEW_TASKS), ""]
    if tasks.earlier:
        lines += ["Before:", "", *_boxes(tasks.earlier, LISTED_EARLIER_TASKS), ""]
    return [*lines, mark(tasks)]


def _boxes(tasks: Sequence[Task], most: int) -> list[str]:
    lines = [f"- [x] {escaped(task.text)} ({code(task.file)})" for task in tasks[:most]]
    return lines + ([f"- and {len(tasks) - most:,} more"] if len(tasks) > most else [])


def _totals(totals: StoreTotals) -> list[str]:
    return [
        f"- Conversations: {totals.conversations:,}",
        f"- Processed so far: {counted(totals.exports, 'export')} and {counted(totals.captures, 'part')} of transcripts",
        f"- Messages in them: {totals.messages:,}, {totals.duplicates:,} of them duplicates",
        f"- Different messages in the store: {totals.unique:,}",
        f"- Bytes: {totals.raw_bytes:,} in, {totals.stored_bytes:,} on disk",
    ]


def _numbers(run: RunFigures) -> list[str]:
    """The banner's four numbers under the core's own labels, and how many new messages were captured before, if any."""
    said = captured(run.new, run.captured)
    return [
        f"New unique messages: {run.new:,}",
        f"Duplicates filtered: {run.duplicates:,}",
        f"Total messages: {run.total:,}",
        f"Global unique count: {run.unique:,}",
        *([said] if said else []),
    ]


def _export(project: Project, export: ExportFigures, files: Sequence[Path], named: Mapping[str, Naming]) -> str:
    name = code(_name(project, export.path))
    session = _session(project, export.session_id or "unknown", files, named)
    if export.failed:
        return f"- {name}: not processed"
    new = captured(export.new, export.captured) or f"{export.new:,} new"
    counts = [counted(export.total, "message"), new, counted(export.duplicates, "duplicate")]
    if export.gaps is not None:
        counts.append(counted(export.gaps, "gap"))
    archived = export.archived_to
    kept = f"; archived as {code(_name(project, archived))}" if archived else "; left where it is"
    return f"- {name}, session {session}: {', '.join(counts)}{kept}"


def _said(run: RunFigures, named: Mapping[str, Naming], links: Sequence[str]) -> list[str]:
    """Each session, the words to find it by, and what is new of it."""
    lines = []
    for (session, naming), link in zip(named.items(), links):
        new = sum(each.new for each in run.exports if each.session_id == session)
        tags = "".join(f" #{tag}" for tag in naming.tags)
        lines.append(f"- {link}{escaped(tags)}: {counted(new, 'new message')}")
    return lines


def _session(project: Project, session: str, files: Sequence[Path], named: Mapping[str, Naming]) -> str:
    """A conversation by its title, with a link to its readable file where there is one."""
    target = _target(project, session, files)
    return linked(session, named, target) if session in named or target else code(session)


def _target(project: Project, session: str, files: Sequence[Path]) -> str:
    from urllib.parse import quote

    from ..sessions.own_files import file_among

    file = file_among(session, [each.name for each in files if each.parent.name == project.sessions.name])
    return f"../{project.sessions.name}/{quote(file)}" if file else ""


def _name(project: Project, path: object) -> str:
    """A path below the project as it is, of any other only the name: the document is committed, homes are private."""
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else str(path)
    if not os.path.isabs(text):
        return text if ".." not in text.split("/") else os.path.basename(text)
    relative = project.relative(_path(text))
    return os.path.basename(text) if os.path.isabs(relative) else relative


def _path(text: str) -> Path:
    from pathlib import Path

    return Path(text)
