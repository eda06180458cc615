"""What the user reads of the archive: what was packed, restored, found by verify. Pure functions to text."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from ..figures.counted import counted
from ..terminal.called import as_called
from ..terminal.console import printable, printable_name

_SHOWN: Final = 8
"""Names that are told of a list."""
DUE: Final = "What was due to be packed"
"""In the place of a file's name in :func:`not_packed`, where nothing could be packed at all."""

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from ..archive.entry import Entry
    from ..archive.pack_files import Packed
    from ..archive.sealed_archive import SealedArchive
    from ..archive.verify import Checked


def packed(done: Packed, days: float) -> str:
    """The result of ``pack``."""
    if done.names:
        lines = [f"📦 Packed: {counted(len(done.names), 'file')}, {done.raw_bytes:,} bytes, each restored and compared"]
    elif done.failures:
        lines = ["📦 Nothing was packed"]
    else:
        older = f" is older than {days:g} {'day' if days == 1 else 'days'}" if days else " is left"
        lines = [f"✓ Nothing to pack: no plain file in the archive{older}"]
    if done.packs:
        lines.append(f"   The archive has {counted(done.packs, 'pack')}, {done.pack_bytes:,} bytes in all")
    return "\n".join(lines)


def packed_by_itself(files: int, raw_bytes: int) -> str:
    """What a run packed at its end."""
    return f"  ✓ Packed: {counted(files, 'file')}, {raw_bytes:,} bytes; 'restore' gives any of them back"


def kept(done: Packed) -> str:
    """What of the client's own files went into the archive."""
    return (
        f"📦 Archived: {counted(len(done.names), 'file')} of the client, {done.raw_bytes:,} bytes; "
        "'restore --session ID' gives them back"
    )


def list_healed(note: str) -> str:
    """What was wrong with the list of archived files before it was made whole."""
    return f"⚠ {printable(note)}. It was made whole from its copy, and from what the archive has."


def not_kept(name: str, message: str, hint: str) -> str:
    """One of the client's files that could not be archived."""
    advice = f"\n   → {as_called(printable(hint))}" if hint else ""
    return f"⚠ Not archived: {printable(name)}. {printable(message)}{advice}"


def not_packed(name: str, message: str, hint: str) -> str:
    """A file that stays plain."""
    return f"⚠ {printable(name)} stays a plain file. {printable(message)}" + (
        f"\n   → {as_called(printable(hint))}" if hint else ""
    )


def restored(name: str, path: str, *, new: bool, purged: int = 0) -> str:
    """One restored file; ``purged`` messages of what was exported are not in it any more."""
    where = printable(path)
    if purged:
        were = counted(purged, "message was", "messages were")
        return f"{restored(name, path, new=new)}\n    ⚠ {were} purged: these are not the bytes that were exported"
    return f"  ✓ Restored: {printable(name)} → {where}" if new else f"  ✓ {where} is there already, byte for byte"


def sealed(done: SealedArchive) -> str:
    """Archived files in one that is encrypted, and how it is opened."""
    what = f"{counted(done.files, 'file')}, {done.bytes:,} bytes, encrypted by {printable(done.tool)}"
    key = " --identity KEYFILE" if done.tool.startswith("age") else ""
    return "\n".join(
        [
            f"🔐 {printable(done.path)}: {what}",
            "   Only who has a key that you named can open it, also without export-dedup:",
            f"   {done.tool.partition('.')[0]} --decrypt{key} {shlex.quote(printable(done.path))} | tar xz",
            "   A purge does not reach it: after one seal them anew, and remove this file.",
        ]
    )


def to_client(session: str, directory: str, *, there: bool) -> str:
    """A session that the client has again, and how to go on with it."""
    lines = ["✅ The client has the session again. Go on with it:"]
    if directory:
        lines.append(f"   cd {shlex.quote(printable(directory))}")
    lines.append(f"   claude --resume {printable(session)}")
    if directory and not there:
        lines.append(
            "   ⚠ That folder is not there any more: the client looks for a session in the folder where it began."
        )
    return "\n".join(lines)


def not_restored(name: str, message: str, hint: str) -> str:
    """A file that could not be restored."""
    return f"❌ {printable(name)}: {printable(message)}" + (f"\n   → {as_called(printable(hint))}" if hint else "")


def listed(entries: Sequence[Entry]) -> str:
    """What the archive has, a line each."""
    lines = [
        f"  {entry.day:10}  {entry.size:>12,}  {'packed' if entry.number >= 0 else 'plain ':6}  {printable(entry.name)}"
        for entry in entries
    ]
    return "\n".join([*lines, f"{counted(len(entries), 'file')}, {sum(entry.size for entry in entries):,} bytes"])


def checked(found: Checked) -> str:
    """What ``verify`` says of the archive, behind what it says of the store."""
    gone = len(found.missing)
    if not found.all_problems():
        said = f"✅ Archive: {counted(found.files, 'file')} in {counted(found.packs, 'pack')}, every byte is right."
    elif not found.lost and not gone:
        said = f"⚠ Archive: it is damaged, but all of its {counted(found.files, 'file')} can still be restored."
    elif gone:
        said = f"❌ Archive: {gone:,} of {counted(gone + len(found.there), 'file')} that it took in cannot be restored."
    else:
        packs = counted(found.packs, "pack")
        said = f"❌ Archive: {len(found.lost):,} of {counted(found.files, 'file')} in {packs} cannot be restored."
    return "\n".join([said, *not_there(found)])


def gone(found: Checked) -> list[str]:
    """What ``stats`` says of archived files that are not there; nothing where all are."""
    lines = []
    if found.missing:
        names = _some([each.name for each in found.missing])
        lines.append(f"❌ Archived and not there: {counted(len(found.missing), 'file')}: {names}")
    return [*lines, *not_there(found)]


def not_there(found: Checked) -> list[str]:
    """Files that are not in the archive, and are no damage: given up, or never known to be in it."""
    lines = []
    if found.given_up:
        names = _some([each.name for each in found.given_up])
        lines.append(f"   Given up, known to be lost: {counted(len(found.given_up), 'file')}: {names}")
    if found.unsure:
        names = _some([each.name for each in found.unsure])
        lines.append(
            f"   In the log and not in the archive, from before it kept a list: {counted(len(found.unsure), 'export')}, processed "
            f"without being archived or lost: {names}"
        )
    return lines


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(printable(name) for name in names[:_SHOWN]) + more


def archived(path: str | os.PathLike[str], folder: str) -> str:
    """Step 3 for one export that was moved to ``folder`` (as the user reads it, without a closing slash)."""
    return f"  ✓ Archived: {printable_name(path)} → {printable(folder)}/"


def already_archived(path: str | os.PathLike[str], kept: str | os.PathLike[str]) -> str:
    """Step 3 for one export whose very bytes the archive had already, under the path ``kept``."""
    return f"  ✓ Archived already: {printable_name(path)} (identical to {printable(str(kept))})"


def not_archived(path: str | os.PathLike[str], reason: str) -> str:
    """Step 3 for one export that stays where it is."""
    return f"  · Left in place: {printable_name(path)} ({printable(reason)})"


def copied(path: str | os.PathLike[str]) -> str:
    """Step 3 for one export that lies outside the project."""
    return not_archived(path, "outside the project, so it was copied")


def purged(path: str | os.PathLike[str], why: str) -> str:
    """Step 3 for one export that shows purged messages; ``why`` it cannot be kept without them; empty: it shows no others."""
    return not_archived(
        path, f"it shows purged messages, and {why}: remove it yourself" if why else "all it shows was purged"
    )


def stored_only(error: str) -> str:
    """The error of an export whose messages are stored and which could not be archived."""
    return f"Messages stored, but not archived. {error}"
