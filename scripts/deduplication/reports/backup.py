"""What the user reads of backups: taken, listed, verified, restored. Pure functions to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..figures.counted import counted
from ..files.clock import local
from ..terminal.called import as_called
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..backup.checking import Checked
    from ..backup.restoring import Restored
    from ..backup.sealed_file import Sealed
    from ..backup.snapshot_copy import SnapshotResult

_SHOWN: Final = 10


def note(text: str) -> str:
    """Something to know that is no failure."""
    return f"⚠ {printable(text)}"


def taken(done: SnapshotResult, path: str) -> str:
    """A snapshot that was taken."""
    snapshot = done.snapshot
    what = f"{counted(len(snapshot.files), 'file')}, {snapshot.size:,} bytes"
    new = (
        f"{counted(done.written, 'new part')}, {done.written_bytes:,} bytes, each read again"
        if done.written
        else "nothing new"
    )
    lines = [f"💾 Snapshot {snapshot.number} in {printable(path)}: {what}", f"   Written: {new}"]
    if done.removed.snapshots:
        lines.append(
            f"   Removed: {counted(done.removed.snapshots, 'old snapshot')}, {counted(done.removed.objects, 'part')}"
        )
    if done.purged:
        lines.append(f"   Removed: {counted(done.purged, 'snapshot')} taken before a purge, with what was purged")
    if done.kept:
        lines.append(f"❌ It may still have what was purged: {printable(done.kept)}")
    if done.removed.kept:
        lines.append("   ⚠ A snapshot cannot be read: no part was removed. 'backup DIR --verify' names it.")
    if snapshot.problems:
        lines.append("❌ Something in the store was damaged or could not be read; earlier good snapshots are kept:")
        lines += _some([f"{path}: {text}" for path, text in snapshot.problems])
        lines.append(as_called("   → Run 'deduplicate_export.py verify'; --restore --snapshot gives an earlier state."))
    return "\n".join(lines)


def listed(rows: Sequence[Mapping[str, Any]], damaged: Sequence[str]) -> str:
    """The snapshots of a backup, the oldest first."""
    lines = [
        f"  {row['snapshot']:>6}  {local(row['time'])}  {counted(row['files'], 'file'):>14}  {row['bytes']:>15,} bytes"
        + (f"  ⚠ {counted(len(row['problems']), 'problem')}" if row["problems"] else "")
        + ("  ⚠ taken before a purge: the next backup removes it" if row["before_purge"] else "")
        for row in rows
    ]
    lines += [f"❌ {printable(text)}" for text in damaged]
    return "\n".join([*lines, counted(len(rows), "snapshot")])


def checked(found: Checked) -> str:
    """The result of ``--verify``."""
    if not found.damaged:
        figures = f"{counted(len(found.costs), 'snapshot')}, {counted(found.objects, 'part')}, {found.bytes:,} bytes"
        return f"✅ Backup: {figures}, every byte is right."
    lines = [f"❌ Backup: {counted(len(found.damaged), 'damaged part')}:", *_some(found.damaged, len(found.damaged))]
    for name, lost in found.costs.items():
        if lost:
            lines.append(f"   Snapshot {name} lost {counted(len(lost), 'file')}:")
            lines += _some(lost)
    lines.append(f"   Whole snapshots: {len(found.whole):,} of {len(found.costs):,}")
    lines.append("   → 'backup DIR --full' writes anew what the store still has.")
    return "\n".join(lines)


def restored(done: Restored) -> str:
    """The result of ``--restore``."""
    which = f"snapshot {done.snapshot.number} of {local(done.snapshot.time)}"
    figures = f"{counted(done.files, 'file')}, {done.bytes:,} bytes"
    lines = [f"  ✓ Restored {which} to {printable(done.place)}: {figures}"]
    if done.left_out:
        lines.append(
            f"   Left in the backup: {counted(done.left_out, 'file that is', 'files that are')} no part of the store itself"
        )
    if done.settings == "kept":
        lines.append("   The project's settings were left as they are; the backup has some, too")
    if done.lost:
        lines.append(f"❌ {counted(len(done.lost), 'file is', 'files are')} damaged in the backup and not restored:")
        lines += _some([f"{path}: {text}" for path, text in done.lost], len(done.lost))
    if done.snapshot.problems:
        lines.append("⚠ When the snapshot was taken this was wrong in the store:")
        lines += _some([f"{path}: {text}" for path, text in done.snapshot.problems])
    if done.problems:
        lines.append(
            f"❌ 'verify' finds {counted(len(done.problems), 'problem')} in it, although every byte is as it was kept:"
        )
        lines += _some(done.problems)
        lines.append(as_called("   → 'deduplicate_export.py rebuild' sets right what can be set right."))
    elif not done.lost:
        lines.append("✅ Verified: every line, every message and every number is right.")
    return "\n".join(lines)


def forgotten(path: str, *, known: bool, has_purged: bool = False) -> str:
    """The result of ``--forget``."""
    where = printable(path)
    if not known:
        return f"✓ {where} was not among the known backups"
    if has_purged:
        return f"⚠ {where} is no longer among the known backups; what was purged is still there, and nothing will tell of it"
    return f"✓ {where} is no longer among the known backups; what lies there was left as it is"


def _some(lines: Sequence[str], most: int = _SHOWN) -> list[str]:
    shown = [f"   - {printable(line)}" for line in lines[:most]]
    return [*shown, f"   … and {len(lines) - most:,} more"] if len(lines) > most else shown


def sealed(done: Sealed) -> str:
    """A backup that was put into an encrypted file."""
    what = f"{counted(done.snapshots, 'snapshot')}, {counted(done.objects, 'part')}, {done.bytes:,} bytes"
    lines = [
        f"🔐 {printable(done.path)}: {what}, encrypted",
        "   Each part was proven as it was read. Only who has a key that you named can open it: keep that key elsewhere, too.",
        "   A purge does not reach it: after one take a backup, seal it anew, and remove this file.",
    ]
    return "\n".join(lines)


def unsealed(done: Sealed, place: str) -> str:
    """A backup that was taken out of one."""
    what = f"{counted(done.snapshots, 'snapshot')}, {counted(done.objects, 'part')}, {done.bytes:,} bytes"
    return "\n".join(
        [
            f"🔓 {printable(place)}: {what}, each part read again",
            as_called("   → 'deduplicate_export.py backup DIR --restore' restores from it. It is not encrypted."),
        ]
    )
