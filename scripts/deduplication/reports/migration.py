"""What the user reads of a migration. Pure functions to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..figures.counted import counted
from ..start.late_dataclass import dataclass
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..migration.original_raw import Recovered


@dataclass(frozen=True)
class Migrated:
    """``source`` and ``target`` as people know them; bytes are those of the log, ``stored`` those that each takes on the disk.

    ``before``: bytes that the target had when this began; ``ahead``: bytes that it has besides. ``waiting``: runs that came into
    the source meanwhile. ``lost``: images that the source does not have either. Seconds are those of the copy and of the proof.
    """

    source: str
    target: str
    size: int
    before: int
    ahead: int
    runs: int
    conversations: int
    messages: int
    audit_entries: int
    head: str
    stored: tuple[int, int]
    seconds: tuple[float, float]
    waiting: int = 0
    lost: int = 0


@dataclass(frozen=True)
class United:
    """``runs`` were processed once more, ``known`` were there; ``purges`` of the source were not done in the target."""

    source: str
    target: str
    runs: int
    known: int
    purges: int
    messages: int
    seconds: float


@dataclass(frozen=True)
class Taken:
    """What was taken of a folder of the original project; ``damage`` and ``claims`` are lines for the user."""

    source: str
    target: str
    entries: int
    messages: int
    new: int
    conversations: int
    seconds: float
    damage: tuple[str, ...]
    claims: tuple[str, ...]
    raw: Recovered


def migrated(done: Migrated, use: str) -> str:
    """The result of ``migrate``; ``use`` is how the target is used from now on."""
    lines = [f"📤 From: {printable(done.source)}", f"💾 To:   {printable(done.target)}"]
    if done.ahead:
        lines.append(f"✓ Everything was there already, and the target went on since: {done.ahead:,} bytes more")
    elif done.before == done.size:
        lines.append("✓ Everything was there already")
    elif done.before:
        lines.append(
            f"✓ An earlier migration was stopped: {done.before:,} of {done.size:,} bytes were there, and it went on"
        )
    if done.before < done.size:
        lines.append(f"✓ Migrated: {counted(done.runs, 'run')}, {done.size:,} bytes of log, in {done.seconds[0]:.1f} s")
    lines += [f"✓ Proven in {done.seconds[1]:.1f} s: {_proof(done)}", _storage(done.stored)]
    if done.lost:
        lines.append(
            f"⚠ {counted(done.lost, 'image or document is', 'images or documents are')} lost in the source; "
            "the messages are kept without"
        )
    if done.waiting:
        lines.append(
            f"⚠ {counted(done.waiting, 'run')} came into the source meanwhile: run the command again to take them over, too"
        )
    return "\n".join(
        [
            *lines,
            f"✅ The target says what the source says (head {done.head}). The source is what it was.",
            f"   → {use}",
        ]
    )


def _proof(done: Migrated) -> str:
    if done.ahead:
        return "every line of the source is there, and 'verify' finds the target right"
    return (
        f"every line, {counted(done.messages, 'message')} with content hashes recomputed, "
        f"{counted(done.conversations, 'conversation')} in reading order, {counted(done.audit_entries, 'audit line')}; "
        "'verify' finds the target right"
    )


def _storage(stored: Sequence[int]) -> str:
    return f"✓ Bytes on the disk: {stored[0]:,} before, {stored[1]:,} after"


def united(done: United, use: str) -> str:
    """The result of ``migrate --unite``."""
    lines = [
        f"📤 From: {printable(done.source)}",
        f"💾 To:   {printable(done.target)}",
        f"✓ Processed once more: {counted(done.runs, 'run')}; {done.known:,} there already ({done.seconds:.1f} s)",
        f"✓ Proven: none of the source's {counted(done.messages, 'message')} is missing; 'verify' finds the target right",
    ]
    if done.purges:
        lines.append(
            f"⚠ {counted(done.purges, 'purge')} of the source not done in the target: what it has of that, purge there, too"
        )
    return "\n".join([*lines, "✅ The target has what both had. The source is what it was.", f"   → {use}"])


def taken(done: Taken, use: str) -> str:
    """The result of ``migrate --from original:DIR``."""
    lines = [
        f"📤 From: {printable(done.source)} (a folder of the original project)",
        f"💾 To:   {printable(done.target)}",
        (
            f"✓ Taken: {counted(done.messages, 'message')} of {counted(done.entries, 'line')} in "
            f"{counted(done.conversations, 'conversation')}, {done.new:,} new"
        ),
        f"✓ Proven: none of them is missing; 'verify' finds the target right ({done.seconds:.1f} s)",
    ]
    lines += [f"⚠ {printable(problem)}" for problem in done.damage]
    lines += [f"⚠ {printable(claim)}" for claim in done.claims]
    lines += _recovered(done.raw)
    return "\n".join([*lines, "✅ The target has every message of the folder, which is what it was.", f"   → {use}"])


def _recovered(raw: Recovered) -> list[str]:
    told = "⚠ No raw exports were found: what the original had dropped stays lost. Name them with --raw."
    if raw.files:
        told = (
            f"✓ Got back: {counted(raw.places, 'message')} that the folder did not have, from "
            f"{counted(raw.files, 'raw export')} with {counted(raw.messages, 'message')}"
        )
    return [told, *(f"⚠ Not an export: {printable(each)}" for each in raw.skipped)]


def claimed(file: str, name: str, hashes: int, watermark: int | None, highest: int | None) -> str:
    """A line for what an index of the original project says that no line of its logs has."""
    of = f" of '{name}'" if name else ""
    if watermark is not None:
        return f"{file}: the watermark{of} is {watermark}, and the last message in the log is number {highest}"
    return f"{file}: {hashes:,} content hashes{of} are on no line: the original project counted these messages and lost them"


def as_data(done: Migrated) -> Mapping[str, Any]:
    """For ``--json``."""
    return {
        "source": done.source,
        "target": done.target,
        "log_bytes": done.size,
        "log_bytes_before": done.before,
        "runs": done.runs,
        "conversations": done.conversations,
        "messages": done.messages,
        "audit_entries": done.audit_entries,
        "head": done.head,
        "stored_bytes_before": done.stored[0],
        "stored_bytes_after": done.stored[1],
        "copy_s": round(done.seconds[0], 3),
        "proof_s": round(done.seconds[1], 3),
        "runs_waiting": done.waiting,
        "lost_images": done.lost,
        "ahead_bytes": done.ahead,
    }


def united_as_data(done: United) -> Mapping[str, Any]:
    """For ``--json``."""
    return {
        "source": done.source,
        "target": done.target,
        "runs": done.runs,
        "runs_known": done.known,
        "purges_left": done.purges,
        "messages": done.messages,
        "seconds": round(done.seconds, 3),
    }


def taken_as_data(done: Taken) -> Mapping[str, Any]:
    """For ``--json``."""
    return {
        "source": done.source,
        "target": done.target,
        "lines": done.entries,
        "messages": done.messages,
        "new_messages": done.new,
        "conversations": done.conversations,
        "seconds": round(done.seconds, 3),
        "damage": list(done.damage),
        "lost_before": list(done.claims),
        "raw_exports": done.raw.files,
        "raw_messages": done.raw.messages,
        "recovered_messages": done.raw.places,
        "raw_skipped": list(done.raw.skipped),
    }
