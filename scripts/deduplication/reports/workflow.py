"""The one home of what the user reads of a run. Pure functions from numbers and names to text; no text ends in a newline.

The labels are stable: scripts and the status log's readers rely on them. Texts are made in their full form, with
emoji and rules 80 cells wide, and so they go to the log; ``show`` fits them to the console at hand. Names that come
from outside pass through ``console.printable``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..figures.counted import counted
from ..terminal import console
from ..terminal.called import as_called
from ..terminal.display import show as show  # noqa: PLC0414 - whoever makes a report finds beside it how to show it
from . import storage as storage_report

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import Optional, Union

    from ..accounting.last_run import Earlier
    from ..figures.run_result import ExportResult, RunResult
    from ..project.paths import Project

WORKFLOW_RULE: Final = "=" * 60
FAILED_EXPORTS: Final = "❌ Failed, left where they are:"
"""Heads the summary's list of failed exports."""
_MOST_LINES: Final = 10
"""Gaps and warnings of one export shown at most; ``--json`` has them all."""
NO_EXPORT: Final = "no export was processed"
NO_ARCHIVE: Final = "--no-archive was given"
ELSEWHERE: Final = "the archive belongs to the project's own store, and --storage-dir names another one"
NO_CHECKPOINT: Final = "--no-checkpoint was given"
NOTHING_NEW: Final = "nothing is new"
DECLINED: Final = "nothing was done, as you wished"
"""Reasons for which a step is :func:`skipped`."""


# --- the five steps --------------------------------------------------------------------------------------------


def workflow_header() -> str:
    """The title of the workflow."""
    return f"{WORKFLOW_RULE}\nCODITECT Export & Deduplicate Workflow\n{WORKFLOW_RULE}"


def step_find() -> str:
    """Heading of step 1."""
    return "\nStep 1: Looking for export files..."


def step_deduplicate(count: int) -> str:
    """Heading of step 2."""
    return f"\nStep 2: Deduplicating {count} export file(s)..."


def step_archive() -> str:
    """Heading of step 3."""
    return "\nStep 3: Archiving export files..."


def step_checkpoint() -> str:
    """Heading of step 4."""
    return "\nStep 4: Creating checkpoint..."


def age(seconds: float) -> str:
    """How old a file is, short: ``12s``, ``6.3m``, ``2.5h``, ``3.0d``. A time in the future is ``0s``."""
    if seconds < 60:
        return f"{max(0, int(seconds))}s"
    if seconds < 3600:
        return f"{seconds / 60:.1f}m"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f}h"
    return f"{seconds / 86400:.1f}d"


def found(exports: Sequence[tuple[Union[str, os.PathLike[str]], float, str]]) -> str:
    """What step 1 found: for each export its path, its age in seconds, and the place where it lies (``repo root``)."""
    lines = [f"✓ Found {len(exports)} export file(s)"]
    for path, seconds, where in exports:
        lines += [f"  → [{age(seconds)}] {console.printable_name(path)}", f"     Location: {console.printable(where)}"]
    return "\n".join(lines)


def place(project: Project, folder: Path) -> str:
    """A folder as the user reads it: relative to the project, which is itself the ``repo root``."""
    return "repo root" if folder == project.root else project.relative(folder)


def question(count: int, outside: int) -> str:
    """What a person is asked before ``count`` exports are processed, ``outside`` of them outside the project."""
    where = f", {outside} of them outside the project" if outside else ""
    return f"Process {counted(count, 'export file')}{where}?"


def passed_over(path: Union[str, os.PathLike[str]], reason: str) -> str:
    """A file that lies where exports lie and is none: it stays where it is."""
    return f"  · Not an export: {console.printable_name(path)} ({console.printable(reason)})"


def nothing_found(places: Iterable[str]) -> str:
    """No export lies in any of ``places``: where was looked, and what to do."""
    looked = [f"   - {console.printable(place)}" for place in places]
    return "\n".join(
        [
            "✓ No new export files found",
            *(["   Looked in:", *looked] if looked else []),
            "   → Run /export in Claude Code and save the file in one of these folders, then run /export-dedup again.",
            as_called("   → Or pass the file: export-dedup.py PATH/TO/EXPORT.txt"),
        ]
    )


def handled_before(earlier: Earlier) -> str:
    """In the place of "nothing found": what a hook has done with the last export, and what was captured since."""
    result = earlier.result
    names = ", ".join(console.printable(name) for name in earlier.names[:3])
    more = f" and {len(earlier.names) - 3} more" if len(earlier.names) > 3 else ""
    since = (
        f"   {counted(earlier.since, 'new message was', 'new messages were')} captured since." if earlier.since else ""
    )
    return "\n".join(
        [
            f"✓ Already done: the hook processed {names}{more} at {earlier.clock}",
            *([since] if since else []),
            f"  Total messages: {result['total_messages']}",
            f"  New unique: {result['new_messages']}",
            *_captured(result["new_messages"], earlier.captured, "  "),
            f"  Duplicates filtered: {result['duplicates_filtered']}",
            f"  Global unique count: {earlier.unique}",
        ]
    )


def captured(new: int, count: int) -> str:
    """How many of the messages that are announced as new were captured before; empty where none was."""
    if not count:
        return ""
    part = f"{count:,}" if count < new else "all" if new > 1 else ""
    return f"{new:,} new ({part}{' ' if part else ''}captured earlier)"


def export_block(export: ExportResult, *, named: bool = False) -> str:
    """Step 2 for one export; ``named`` puts its file name and session first (where a run has several)."""
    lines = []
    if named or export.error is not None:
        session = f" (session {console.printable(export.session_id)})" if export.session_id else ""
        if len(export.conversations) > 1:
            session = f" ({len(export.conversations):,} conversations)"
        lines.append(f"  📄 {console.printable_name(export.path)}{session}")
    if export.error is not None:
        return "\n".join([*lines, f"  ❌ ERROR: {console.printable(export.error)}"])
    lines += _figures(export)
    lines += _some("Gap", export.gaps) + _some("Note", export.warnings)
    return "\n".join(lines)


def failure(export: ExportResult, hint: str) -> list[str]:
    """The texts that name a failed export, its error, and what to do about it where that is known."""
    return [export_block(export), *([advice(hint)] if hint else [])]


def advice(hint: str) -> str:
    """What to do about the error above it."""
    return f"     → {console.printable(as_called(hint))}"


def note(text: str) -> str:
    """Something that was set right, or that cost nothing."""
    return f"⚠ Note: {console.printable(text)}"


def sums_block(run: RunResult) -> str:
    """The end of step 2: the sums, where more or less than one export went into them, and what the store holds now."""
    several = len(run.exports) > 1 or bool(run.failed)
    title = [f"  All {len(run.exports):,} exports:"] if len(run.exports) > 1 else []
    lines = [] if len(run.exports) == 1 and not several else [*title, *_figures(run)]
    return "\n".join([*lines, f"  Global unique count: {run.global_unique}"])


def taken(name: str, *, archived: bool = False) -> str:
    """An export that a run beside this one took before we came to it, or ``archived`` before we did."""
    return skipped(f"{name} is gone, another run {'archived' if archived else 'took'} it")


def skipped(reason: str) -> str:
    """A step with nothing to do, or one that was switched off."""
    return f"  · Skipped: {console.printable(reason)}"


def checkpoint_created(commit: Optional[str] = None, note: str = "") -> str:
    """Step 4 done; ``commit`` is the id of the commit that was made, ``note`` why there is none, or what else to know."""
    lines = ["✓ Checkpoint created successfully"]
    if commit:
        lines.append(f"  Committed: {commit[:10]}")
    if note:
        lines.append(f"  {console.printable(note)}")
    return "\n".join(lines)


def checkpoint_failed(error: str, hint: str = "") -> str:
    """Step 4 failed; the messages are stored all the same."""
    return f"❌ ERROR: {console.printable(error)}" + (f"\n   → {console.printable(as_called(hint))}" if hint else "")


def summary(
    run: RunResult, project: Project, checkpoint: Optional[str] = None, *, storage: Optional[str] = None
) -> str:
    """Step 5. ``checkpoint`` is the description of the checkpoint made, None where none was; ``storage`` where the
    store is, if not in the project.
    """
    failed = len(run.failed)
    title = (
        f"❌ Finished with {counted(failed, 'export')} failed" if failed else "✅ Export and deduplication complete!"
    )
    lines = [
        "",
        WORKFLOW_RULE,
        title,
        WORKFLOW_RULE,
        "",
        "📊 Deduplication Summary:",
        f"   - New unique messages: {run.new:,}",
        *_captured(run.new, run.captured, "   - "),
        f"   - Total unique messages: {run.global_unique:,}",
        f"   - Overall dedup rate: {run.dedup_rate:.1f}%",
        *([f"   - In short: {said}"] if (said := in_short(run)) else []),
        f"   - Storage: {console.printable(storage or project.relative(project.state))}",
    ]
    if run.archived:
        lines += [
            "",
            "📁 Export(s) archived:",
            f"   - Location: {console.printable(project.relative(project.archive))}",
            f"   - Files: {len(run.archived)} export(s) moved",
        ]
    if run.storage.seen.raw:
        lines += ["", *storage_report.in_a_run(run.storage)]
    if run.failed:
        lines += ["", FAILED_EXPORTS]
        lines += [
            f"   - {console.printable_name(export.path)}: {console.printable(export.error or '')}"
            for export in run.failed
        ]
    if checkpoint:
        lines += ["", f"📝 Checkpoint created: {console.printable(checkpoint)}"]
    return "\n".join(lines)


def in_short(run: RunResult) -> str:
    """What the figures of a run mean, in one line: all new, mostly new, mostly known, nothing new; empty for no message."""
    if not run.total:
        return ""
    if not run.new:
        return "nothing new, all messages were there already"
    if not run.duplicates:
        return "new content, every message is new"
    if run.duplicates < run.new:
        return f"lots of new content, {run.new:,} of {counted(run.total, 'message')}"
    return f"mostly context that was there already, {run.new:,} of {counted(run.total, 'message')} new"


# --- pieces ----------------------------------------------------------------------------------------------------


def _figures(counted: Union[ExportResult, RunResult]) -> list[str]:
    return [
        f"  Total messages: {counted.total}",
        f"  New unique: {counted.new}",
        *_captured(counted.new, counted.captured, "  "),
        f"  Duplicates filtered: {counted.duplicates}",
        f"  Dedup rate: {counted.dedup_rate:.1f}%",
    ]


def _captured(new: int, count: int, indent: str) -> list[str]:
    said = captured(new, count)
    return [f"{indent}{said}"] if said else []


def _some(label: str, texts: Sequence[str]) -> list[str]:
    lines = [f"  ⚠ {label}: {console.printable(text)}" for text in texts[:_MOST_LINES]]
    if len(texts) > _MOST_LINES:
        lines.append(f"  ⚠ … and {len(texts) - _MOST_LINES} more (--json lists them all)")
    return lines
