"""What is missing, as people read it: a paragraph for each kind, a line for each gap with what would fill it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...alignment.plain_text import MISSING
from ...figures.counted import counted
from ...files.clock import local
from ...terminal.called import as_called
from ...terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...gaps.archived_files import ArchivedFiles
    from ...gaps.found import Found
    from ...gaps.gap import Gap

_KINDS: Final = {
    "index_jump": "Numbers that jump",
    "missing_parent": "Lines that go on from nowhere",
    "compaction": "Compactions without what was said before",
    "time_hole": "Holes in time",
    "missing_origin": "Sessions that nobody has",
    "missing_output": "Results that were put aside and are gone",
    "hidden_lines": "Lines that exports hide",
    "unseen_export": "Exports that were announced and not stored",
    "unstored_session": "Sessions of which nothing is stored",
    "at_risk": "Sessions at risk",
}
"""What people call each kind."""


def text(found: Found, kept: ArchivedFiles | None, *, most: int | None) -> str:
    """All of it; ``most`` gaps of each kind, None for every one."""
    total = len(found.gaps)
    where = counted(found.conversations, "conversation")
    if found.transcripts:
        where += f" and {counted(found.transcripts, 'transcript')} of the client"
    said = f"{counted(total, 'gap')} in {where}" if total else f"nothing is known to be missing in {where}"
    lines = [f"{MISSING} {said}" + (f", {found.hidden_lines:,} hidden lines among them" if found.hidden_lines else "")]
    for kind, count in found.counts.items():
        if count:
            lines += [
                "",
                f"{_KINDS[kind]}: {count:,}",
                *_listed([each for each in found.gaps if each.kind == kind], most),
            ]
    if found.not_looked:
        lines += ["", "Not looked at:", *(f"  {printable(each)}" for each in found.not_looked)]
    if kept is not None and kept.files:
        lines += ["", *_kept(kept)]
    return as_called("\n".join(lines))


def _listed(gaps: Sequence[Gap], most: int | None) -> list[str]:
    shown = gaps if most is None else gaps[:most]
    lines: list[str] = []
    for each in shown:
        whose = f"{printable(each.conversation_id)}: " if each.conversation_id else ""
        lines.append(f"  {whose}{printable(each.text)} ({each.sure}{_when(each)})")
        lines.append(f"    → {printable(each.fill)}")
    if len(gaps) > len(shown):
        lines.append(f"  … {len(gaps) - len(shown):,} more (--all lists them)")
    return lines


def _when(gap: Gap) -> str:
    since, until = local(gap.since), local(gap.until)
    if since and until and since != until:
        return f", between {since} and {until}"
    if since and until:
        return f", at {since}"
    return f", since {since}" if since else f", before {until}" if until else ""


def _kept(kept: ArchivedFiles) -> list[str]:
    files = f"{kept.verified_files:,} of {counted(kept.files, 'file')} of the client"
    lines = [f"In the archive, byte for byte and verified: {files}, {kept.verified_bytes:,} of {kept.bytes:,} bytes"]
    if kept.verified_files:
        lines.append(
            "  These may be deleted: deduplicate_export.py restore --session ID brings them back (--json lists them)"
        )
    return [*lines, *(f"  {printable(each)}" for each in kept.problems)]
