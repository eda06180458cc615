"""Everything the user reads of a purge. Pure functions to text and to data; nothing here repeats what was purged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..figures.counted import counted
from ..terminal.called import as_called
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..backup.known import Known
    from ..backup.renewing import Renewed, Unreached
    from ..purge.outcome import Purged

QUESTION: Final = "Remove it for good? Nobody can bring it back."
FINISH: Final = (
    "Any other command that opens the store, and any hook, finishes it: 'deduplicate_export.py stats' for one."
)
_PLACES: Final = {
    "store": "the store",
    "archive": "the archive",
    "sessions": "the session files",
    "last_run": "the figures of the last run",
}
_NAMED: Final = 20
"""Files and places that are named one by one."""


def purged(done: Purged) -> str:
    """What went, what stays and why, and what is out of reach."""
    plan = done.plan
    messages = sum(plan.conversations.values())
    verb = "Would purge" if done.dry_run else "Purged"
    lines = [f"🗑 {verb}: {counted(messages, 'message')} of {counted(len(plan.conversations), 'conversation')}"]
    for name, count in plan.conversations.items():
        whole = ", all of it" if name in plan.whole else ""
        lines.append(f"   {printable(name)}: {counted(count, 'message')}{whole}")
    lines += [f"   {line}" for line in (*_store(done), *_archive(done), *_stays(done))]
    lines += _backups(done.backups, dry_run=done.dry_run)
    lines.append("   Out of reach:")
    lines += [f"   - {printable(each.what)}\n     → {printable(each.advice)}" for each in done.elsewhere]
    lines += _ending(done)
    return "\n".join(lines)


def _store(done: Purged) -> list[str]:
    plan = done.plan
    lines = [f"From the store: {counted(plan.bodies, 'content')} ({plan.body_bytes:,} bytes)"]
    if plan.blobs:
        lines[0] += (
            f", {counted(len(plan.blobs), 'image or document', 'images or documents')} ({sum(plan.blobs.values()):,} bytes)"
        )
    lines.append(f"{counted(plan.occurrences, 'place')} in the log, client commands included, each becomes a tombstone")
    if plan.chained:
        lines.append(f"{plan.chained:,} of them are other forms of messages that were meant")
    if plan.by_capture:
        lines.append(f"{plan.by_capture:,} of them have no time of their own: that of storing was compared")
    if plan.occurrences:
        lines.append("Heads of the log that 'verify' named since then vouch for it no longer: keep the new one")
    if done.quarantine:
        lines.append(f"From the quarantine: {counted(len(done.quarantine), 'file')}")
    return lines


def _archive(done: Purged) -> list[str]:
    lines = []
    if done.removed:
        size = sum(size for _, size, _ in done.removed)
        lines.append(f"From the archive: {counted(len(done.removed), 'file')} ({size:,} bytes)")
        lines += _some([f"- {printable(name)}: {why or 'it shows nothing else'}" for name, _, why in done.removed])
    if done.blanked:
        lines.append(f"In the archive: {counted(len(done.blanked), 'file')} with messages taken out")
        lines += _some([f"- {printable(name)}: {counted(count, 'message')}" for name, count in done.blanked])
    if done.renamed:
        lines.append(f"In the archive: {counted(done.renamed, 'file')} whose name tells what was said, renamed")
    if done.packs_renewed:
        lines.append("Every pack is written anew without it")
    if done.sessions:
        lines.append(f"Session files made anew: {', '.join(map(printable, done.sessions[:_NAMED]))}")
    return lines


def _stays(done: Purged) -> list[str]:
    plan = done.plan
    lines = []
    if plan.shared:
        lines.append(f"Stays: {counted(plan.shared, 'content')} that other places say, too")
    if plan.quoted:
        places = ", ".join(f"{printable(name)} {number}" for name, number in plan.quoted[:_NAMED])
        lines.append(f"Stays: {counted(len(plan.quoted), 'other message')} with something of it ({places})")
    return lines


def _ending(done: Purged) -> list[str]:
    if done.dry_run:
        return ["   Nothing was changed: this was --dry-run."]
    proof = done.proof
    if proof is None:
        return []
    if proof.remaining:
        return [
            "❌ Something of it is still there:",
            *_some([f"   - {printable(each)}" for each in proof.remaining]),
            *problems(done),
        ]
    looked = f"{counted(proof.files, 'file')}, {proof.size:,} bytes looked through: nothing of it is left"
    return [f"✅ Verified: {looked}", *problems(done), *_unreached(done.unreached)]


def _backups(folders: Sequence[str], *, dry_run: bool) -> list[str]:
    if not folders:
        return []
    verb = "get" if dry_run else "got"
    places = ", ".join(map(printable, folders))
    return [f"   Backups that {verb} a fresh snapshot in the place of all earlier ones: {places}"]


def _unreached(unreached: Sequence[Unreached]) -> list[str]:
    lines = []
    for each in unreached:
        where = printable(each.folder)
        lines.append(f"❌ The backup {where} may still have it: {printable(each.why)}")
        renew = as_called(f"'deduplicate_export.py backup {where}'")
        lines.append(f"   → Until then it is remembered: {renew} removes it there,")
        lines.append("     and so does the same purge again.")
    return lines


def caught_up(done: Renewed, *, dry_run: bool) -> str:
    """A purge that found nothing more in the store, and went on with the backups that earlier ones had not reached."""
    head = "🗑 Nothing more to purge in the store; backups that an earlier purge did not reach:"
    if dry_run:
        return "\n".join([head, *_backups(done.reached, dry_run=True), "   Nothing was changed: this was --dry-run."])
    return "\n".join([head, *_backups(done.reached, dry_run=False), *_unreached(done.unreached)])


def caught_up_as_dict(done: Renewed, *, dry_run: bool) -> dict[str, Any]:
    """The same for ``--json``."""
    return {
        "dry_run": dry_run,
        "messages": 0,
        "backups": list(done.reached),
        "unreached_backups": _unreached_as_dicts(done.unreached),
    }


def _unreached_as_dicts(unreached: Sequence[Unreached]) -> list[dict[str, str]]:
    return [{"folder": each.folder, "why": each.why} for each in unreached]


def places(waiting: Sequence[str]) -> str:
    """The places of a purge that was stopped, in words."""
    return ", ".join(_PLACES.get(each, each) for each in waiting)


def owed(backup: Known) -> str:
    """A backup that a purge did not reach."""
    return f"the backup {backup.path} may still have what was purged ({counted(len(backup.owed), 'purge')})"


def cure(backup: Known) -> str:
    """What to do about it."""
    renew = as_called(f"'deduplicate_export.py backup {backup.path}'")
    return f"Have its disk there and run {renew}, or wherever it is then."


def unfinished(waiting: Sequence[str], backups: Sequence[Known]) -> str:
    """What ``verify`` and ``status`` say of purges of which something is still to be done."""
    lines = []
    if waiting:
        lines += [f"❌ A purge was stopped half way; still to be done: {places(waiting)}", f"   → {as_called(FINISH)}"]
    for each in backups:
        lines += [f"⚠ {_capital(printable(owed(each)))}", f"   → {printable(cure(each))}"]
    return "\n".join(lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def left_to_do(waiting: Sequence[str], backups: Sequence[Known]) -> dict[str, Any]:
    """The same for ``--json``."""
    return {
        "unfinished_purge": list(waiting),
        "backups_with_purged": [{"folder": each.path, "purges": len(each.owed)} for each in backups],
    }


def problems(done: Purged) -> list[str]:
    """What the recount found afterwards."""
    if not done.problems:
        return ["✅ Verified: every line, every message and every number is right"]
    return [
        f"❌ {counted(len(done.problems), 'problem')} found:",
        *(f"   - {printable(each)}" for each in done.problems),
    ]


def as_dict(done: Purged) -> dict[str, Any]:
    """The object of ``--json``."""
    plan, proof = done.plan, done.proof
    return {
        "dry_run": done.dry_run,
        "scope": plan.scope.kinds,
        "forgotten": plan.forget,
        "conversations": [
            {"conversation_id": name, "messages": count, "whole": name in plan.whole}
            for name, count in plan.conversations.items()
        ],
        "messages": sum(plan.conversations.values()),
        "occurrences": plan.occurrences,
        "other_forms": plan.chained,
        "by_capture_time": plan.by_capture,
        "bodies": plan.bodies,
        "body_bytes": plan.body_bytes,
        "shared_bodies": plan.shared,
        "images": len(plan.blobs),
        "image_bytes": sum(plan.blobs.values()),
        "quoted": [{"conversation_id": name, "index": number} for name, number in plan.quoted],
        "archive": {
            "removed": [{"name": name, "bytes": size, "reason": why} for name, size, why in done.removed],
            "blanked": [{"name": name, "messages": count} for name, count in done.blanked],
            "renamed": done.renamed,
            "packs_renewed": done.packs_renewed,
        },
        "session_files": done.sessions,
        "quarantine": done.quarantine,
        "backups": done.backups,
        "unreached_backups": _unreached_as_dicts(done.unreached),
        "out_of_reach": [{"what": each.what, "advice": each.advice} for each in done.elsewhere],
        "verified": None
        if proof is None
        else {
            "files": proof.files,
            "bytes": proof.size,
            "remaining": proof.remaining,
            "problems": done.problems,
        },
    }


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - _NAMED
    return [*lines[:_NAMED], f"- and {more:,} more"] if more > 0 else lines
