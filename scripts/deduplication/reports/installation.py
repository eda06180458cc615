"""What the user reads of an installation into a project, and of one that is taken out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..terminal.called import is_by_command, typed
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any, Optional

    from ..installation.plan import Plan

HOOKS_OF_THE_PLUGIN: Final = (
    "  The plugin is enabled and has the hooks: none were put into the project, or they would run twice."
)
DATA_STAYS: Final = "  Your data in MEMORY-CONTEXT stays."


def title(text: str, *, dry_run: bool) -> str:
    """The first line."""
    return f"{text} (dry run: nothing is changed)" if dry_run else text


def installed(version: str, root: Path, *, dry_run: bool) -> str:
    """The first line of an installation into ``root``."""
    return title(f"export-dedup {version} → {printable(str(root))}", dry_run=dry_run)


def remark(text: str) -> str:
    """Something that its owner should know besides."""
    return f"  {printable(text)}"


def steps(planned: Plan, scripts: str, *, dry_run: bool) -> str:
    """What is done to each file; files in the folder ``scripts`` are only counted, unless it is a dry run."""
    changing = [step for step in planned.steps if step.changes]
    ours = [] if dry_run else [step for step in changing if step.path.startswith(scripts + "/")]
    lines = []
    for step in changing:
        if dry_run or not step.path.startswith(scripts + "/"):
            note = f" ({step.note})" if step.note else ""
            lines.append(f"  {step.label}: {printable(step.path)}{note}")
    if ours:
        counted = ", ".join(f"{number} {label}" for label, number in planned.counted(ours))
        lines.append(f"  {scripts}: {counted}")
    if not changing:
        lines.append("  Everything is up to date.")
    lines += [f"  kept: {printable(step.path)} ({printable(step.note)})" for step in planned.steps if step.is_kept]
    return "\n".join(lines)


def as_dict(
    version: Optional[str], root: Path, planned: Optional[Plan], remarks: Iterable[str], *, dry_run: bool
) -> dict[str, Any]:
    """The object of ``--json``: every file with what is done to it; ``version`` is None where nothing was installed."""
    steps = planned.steps if planned is not None else ()
    files = [{"path": each.path, "done": each.kind, "changed": each.changes, "note": each.note} for each in steps]
    return {"version": version, "project": str(root), "dry_run": dry_run, "files": files, "remarks": list(remarks)}


def not_installed(root: Path, manifest: str) -> str:
    """Nothing can be taken out of ``root``, which has no ``manifest``."""
    return f"export-dedup is not installed in {printable(str(root))} (no {manifest}): nothing to remove."


def link(path: str, real: str) -> str:
    """A symbolic link on the way to a file that is written."""
    return f"{printable(path)} is a symbolic link to {printable(real)}: what is done there, other projects may see."


def next_steps(root: Path, lowest: str) -> str:
    """What to do after an installation; ``lowest`` is the oldest version of the client that reads the hooks."""
    together = "  git: commit .coditect, .claude/commands, .claude/settings.json and .gitignore together"
    everybody = f"(everybody then needs Claude Code {lowest} or newer)"
    lines = [
        f"{together} {everybody}, or ignore the first three (.git/info/exclude): one without the other does nothing."
    ]
    lines += ["", "Next, in Claude Code: /export, then /export-dedup (start a new session once, to make it known)."]
    run = f"{typed()} run" if is_by_command() else "python3 .coditect/scripts/export-dedup-with-status.py"
    lines.append(f"From a shell in the project: {run}")
    if any(character in str(root) for character in '"$`\\'):
        lines.append(
            "Note: the project's path has one of the characters \" $ ` \\ in it. Claude Code does not run commands "
            "through such a path: use the shell."
        )
    return "\n".join(lines)
