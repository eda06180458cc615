"""What the user reads of settings that a project asks for: what waits, what is approved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..terminal.called import as_called
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..errors import DedupError
    from ..project.approvals import Approval
    from ..project.config import Settings

_MOST_CHARACTERS: Final = 120
_SHOWN: Final = 50


def waiting(file: str, asked: Mapping[str, Any]) -> str:
    """That the project's settings would loosen the user's, and how they come into force."""
    names = ", ".join(asked)
    shows = as_called("'deduplicate_export.py trust' shows it.")
    return f"export-dedup: {file} of this project sets {names}, which counts once you have approved the file: {shows}"


def not_shared(error: DedupError) -> str:
    """That a checkpoint or session file was not written, because nobody can tell what may be shared."""
    return f"export-dedup: the messages are stored, and nothing is shared: {printable(str(error))}"


def listing(found: Settings, approved: Sequence[Approval], *, is_approved: bool) -> str:
    """Both files of settings, what waits, and every file that is approved."""
    lines = [
        f"Your own settings: {printable(found.own_path)} ({_state(found.own.values, found.own.fault)})",
        f"The project's:     {printable(found.path)} ({_state(found.file.values, found.file.fault)})",
    ]
    if found.waiting:
        lines += ["", "⚠ Not in force, because they loosen your own settings and you have not approved the file:"]
        lines += [
            f"   {name}: {_shown(value)} (now {_shown(found.values[name])})" for name, value in found.waiting.items()
        ]
        lines.append(as_called("   → 'deduplicate_export.py trust --approve' approves the file as it is now."))
    elif is_approved:
        lines += ["", "✓ You approved this file: all that it sets counts."]
    elif found.file.values is not None:
        lines += ["", "✓ Nothing in it waits for an approval."]
    lines += ["", f"Approved files: {len(approved):,}", *(f"   {printable(one.path)}" for one in approved[:_SHOWN])]
    if len(approved) > _SHOWN:
        lines.append(f"   and {len(approved) - _SHOWN:,} more (--json lists all)")
    return "\n".join(lines)


def approved(path: str, asked: Mapping[str, Any]) -> str:
    """That a file counts now."""
    what = f": {', '.join(asked)}" if asked else ""
    until = as_called("It counts until the file changes, or 'deduplicate_export.py trust --revoke'.")
    return f"✅ Approved: {printable(path)}{what}\n   {until}"


def revoked(path: str, *, was: bool) -> str:
    """That a file counts no longer."""
    return f"✅ No longer approved: {printable(path)}" if was else f"It was not approved: {printable(path)}"


def as_dict(found: Settings, every: Sequence[Approval], *, is_approved: bool) -> dict[str, Any]:
    """The object of ``--json``."""
    return {
        "own": {"path": found.own_path, "fault": found.own.fault},
        "project": {"path": found.path, "fault": found.file.fault, "approved": is_approved},
        "waiting": dict(found.waiting),
        "approved": [one._asdict() for one in every],
    }


def _state(values: object, fault: str) -> str:
    if fault:
        return f"cannot be used: {printable(fault)}"
    return "none" if values is None else "read"


def _shown(value: Any) -> str:
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
