"""Everything the user reads of ``create-checkpoint.py``. Pure functions to text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..figures.counted import counted
from ..terminal.called import as_called
from ..terminal.console import printable
from .workflow import export_block

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Optional

    from ..figures.run_result import ExportResult

ASK_TITLE = "Title of the checkpoint: "
ASK = "   Press Enter when it is done, or to go on without it: "


def what_to_type(path: str) -> str:
    """There is no recent export: ``path``, from the project, is where one belongs."""
    return "\n".join(
        [
            "· No recent export. To have the conversation in a checkpoint, type in Claude Code, in the project's folder:",
            f"     /export {printable(path)}",
            "  and make the checkpoint after that.",
        ]
    )


def deduplicated(results: Sequence[ExportResult], older: int) -> str:
    """What the export brought; ``older`` is how many others lie about, which a checkpoint leaves alone."""
    lines = [export_block(result, named=True) for result in results]
    if older:
        lines.append(
            as_called(
                f"  · {counted(older, 'older export was', 'older exports were')} left; export-dedup.py processes every one"
            )
        )
    return "\n".join(lines)


def known_from_a_hook(names: Sequence[str], new: int, clock: str) -> str:
    """The newest export was processed before."""
    return f"✓ {printable(', '.join(names[:3]))}: processed by a hook at {clock}, {counted(new, 'new message')}"


def created(
    document: str, commit: Optional[str], note: str, readme: Optional[str], figures: Optional[Mapping[str, Any]]
) -> str:
    """The checkpoint: its document, its commit, the README, and the store's totals."""
    lines = [f"✓ Checkpoint created: {printable(document)}"]
    if readme:
        lines.append(f"✓ Listed in: {printable(readme)}")
    if commit:
        lines.append(f"✓ Committed: {commit[:10]}")
    if note:
        lines.append(f"ℹ {printable(note)}")
    if figures:
        conversations = counted(figures["conversations"], "conversation")
        lines.append(f"  In the store: {counted(figures['unique_messages'], 'different message')} of {conversations}")
    return "\n".join(lines)


def untitled(export: Optional[str], *, commit: bool) -> str:
    """What a checkpoint would do under a title: without one nothing was done."""
    first = f"store and archive {printable(export)}, " if export is not None else ""
    last = ", and commit both" if commit else ""
    does = f"It would {first}write a document into MEMORY-CONTEXT/checkpoints/, list it in the README{last}."
    return as_called(f'Nothing was done. {does} Run: create-checkpoint.py "Sprint Complete"')
