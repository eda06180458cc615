"""What the user reads of damage: what it costs, what was repaired, what is lost. Pure functions to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..figures.counted import counted
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..repair.damage import Finding
    from ..repair.outcome import Repaired
    from ..repair.rebuild_from_archive import Rebuilt

_SHOWN = 8
"""Ranges of sequence numbers that are told one by one."""


def costs(findings: Sequence[Finding], *, named: bool) -> str:
    """What ``verify`` says of the cost of what it found; ``named``: what costs nothing by itself was named before."""
    told = [finding for finding in findings if not named or finding.kind not in ("bit", "pack")]
    if not told:
        return ""
    return "\n".join(["   What that costs:", *(f"   - {cost(finding)}" for finding in told)])


def cost(finding: Finding, *, done: bool = False) -> str:
    """One damage in the user's terms; ``done``: it was repaired."""
    took = "taken from" if done else "repair takes it from"
    source = f"{took} {printable(finding.file)}" if finding.file else "nothing has it"
    if finding.kind == "messages" and not finding.messages:
        rest = "nothing is missing that anything tells of" if finding.repaired else "it cannot be told whose it was"
        return f"{printable(finding.where)}: {printable(finding.fault)}; {rest}"
    if finding.kind == "messages":
        took = "taken from" if done else "repair takes them from"
        source = f"{took} {printable(finding.file)}" if finding.repaired else "lost: nothing else has them"
        export = f", from export {printable(finding.export)}" if finding.export else ""
        of = f"{counted(finding.messages, 'message')} of '{printable(finding.conversation)}'"
        return f"{of}, {_numbers(finding)}{export}; {source}"
    if finding.kind == "unfinished":
        return f"{printable(finding.where)}: {printable(finding.fault)}; it was never counted, run its export again"
    if finding.kind == "run":
        name = f" of {printable(finding.export)}" if finding.export else ""
        if finding.repaired:
            made = "made again from" if done else "repair makes it again from"
            return f"the record of a run{name} in '{printable(finding.conversation)}'; {made} {printable(finding.file)}"
        return f"the record of a run in '{printable(finding.conversation)}': lost; its messages are kept"
    if finding.kind == "chain":
        given = "given up: it goes on from what is there" if done else "what stood there nobody can tell"
        return f"{printable(finding.where)}: {printable(finding.fault)}; {given}"
    if finding.kind == "blob":
        return (
            f"an image or document of {finding.bytes:,} bytes in message {finding.numbers[0][0]} of "
            f"'{printable(finding.conversation)}'; {source if finding.repaired else 'lost: ' + source}"
        )
    if finding.kind == "file":
        return _file(finding, source)
    where = f"{printable(finding.where)}: {printable(finding.fault)}"
    if finding.kind == "note":
        return f"archived file {where}; {'noted again' if done else 'repair notes it again'}"
    if finding.kind == "bit":
        return f"{where}; {'set right' if done else 'repair sets it right'}"
    if finding.file:
        return f"{where}; {'made again from' if done else 'repair makes it again from'} {printable(finding.file)}"
    if finding.proven:
        return f"{where}; every file of it is had otherwise"
    return f"{where}; what is left of its files {'is packed anew' if done else 'can be packed anew'}"


def _file(finding: Finding, source: str) -> str:
    about = ", ".join(
        part
        for part in (
            f"conversation '{printable(finding.conversation)}'" if finding.conversation else "",
            finding.date,
            f"{finding.bytes:,} bytes",
        )
        if part
    )
    name = f"archived file {printable(finding.name)} ({about})"
    if finding.repaired:
        return f"{name}; {source}"
    return f"{name} cannot be restored; {finding.messages:,} of its messages are in the log"


def _numbers(finding: Finding) -> str:
    spans = [f"{first}" if first == last else f"{first}-{last}" for first, last in finding.numbers[:_SHOWN]]
    more = len(finding.numbers) - len(spans)
    word = "sequence number" if finding.messages == 1 else "sequence numbers"
    return f"{word} {', '.join(spans)}" + (f" and {more} more ranges" if more else "")


def as_data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings for ``--json``: what is empty is left out."""
    return [
        {
            name: value
            for name, value in {
                "kind": each.kind,
                "where": each.where,
                "fault": each.fault,
                "repaired": each.repaired,
                "conversation": each.conversation,
                "numbers": [list(span) for span in each.numbers],
                "messages": each.messages,
                "export": each.export,
                "from": each.file,
                "name": each.name,
                "sha256": each.sha256,
                "bytes": each.bytes,
                "date": each.date,
            }.items()
            if value not in ("", [], 0) or name == "repaired"
        }
        for each in findings
    ]


def planned(findings: Sequence[Finding], notes: Sequence[str] = ()) -> str:
    """What ``repair --dry-run`` says."""
    told = [f"   - {printable(note)}" for note in notes]
    if not findings:
        return "\n".join([*told, "✅ Nothing to repair."])
    lost = sum(not finding.repaired and finding.kind != "unfinished" for finding in findings)
    end = f"   {lost:,} of them cost something that nothing has." if lost else "   All of it can be repaired."
    return "\n".join(
        [*told, f"🔧 {counted(len(findings), 'problem')} found:", *(f"   - {cost(each)}" for each in findings), end]
    )


def repaired(done: Repaired) -> str:
    """What ``repair`` did."""
    if not done.findings and not done.remaining:
        return "\n".join(
            [*(f"   - {printable(note)}" for note in done.notes), "✅ Nothing to repair: everything is whole."]
        )
    lost = done.lost()
    mended = [finding for finding in done.findings if finding not in _lost(done.findings)]
    lines = [f"   - {printable(note)}" for note in done.notes]
    if mended:
        lines.append(f"🔧 Repaired: {counted(len(mended), 'problem')}")
        lines += [f"   - {cost(finding, done=True)}" for finding in mended]
    if done.made:
        lines.append(f"🔗 Runs made again: {done.made:,}; proven to be what they were, byte for byte: {done.proven:,}")
    if lost:
        lines.append(f"❌ Lost for good: {len(lost):,}")
        lines += [f"   - {cost(finding)}" for finding in lost]
    if done.given_up:
        lines.append(f"🗑 Given up: {counted(len(done.given_up), 'archived file')}, noted as known to be lost")
        lines += [f"   - {printable(each.name)}, {each.size:,} bytes" for each in done.given_up]
    if done.quarantined:
        lines.append("   What was damaged is kept in MEMORY-CONTEXT:")
        lines += [f"   - {printable(name)}" for name in done.quarantined]
    if not done.remaining:
        lines.append("✅ The store and the archive verify.")
    elif lost:
        lines.append(
            "   What is lost stays named by 'verify': messages keep their sequence numbers. A file that you find goes"
        )
        lines.append(
            "   back by 'repair' once it lies in exports/; 'repair --accept-lost' gives up the files that are gone."
        )
    else:
        lines.append("⚠ Something is still wrong:")
        lines += [f"   - {printable(problem)}" for problem in done.remaining]
    return "\n".join(lines)


def _lost(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.repaired and finding.kind != "unfinished"]


def rebuilt(done: Rebuilt) -> str:
    """What ``rebuild --from-exports`` did."""
    conversations = counted(done.conversations, "conversation")
    lines = [
        f"✅ A new store was made in {printable(done.folder)}",
        f"   From {counted(done.files, 'archived file')}: {counted(done.unique, 'unique message')} in {conversations}",
    ]
    if done.moved:
        lines.append(f"   The old store is in {printable(done.moved)}")
    for name, reason in done.failures:
        lines.append(f"⚠ {printable(name)} could not be processed: {printable(reason)}")
    for each in done.missing:
        source = f", captured from {printable(each.export)}," if each.export else ""
        lines.append(
            f"❌ {counted(each.messages, 'message')} of '{printable(each.conversation_id)}'{source} that no archived file has"
        )
    if not done.old_known:
        lines.append("   What the old store had cannot be told: neither its log nor an index can be read")
    elif not done.missing:
        lines.append("   Everything that the old store had is in it")
    if not done.moved:
        lines.append("   Look at it with 'show --storage-dir'; the project goes on with the store that it has")
    return "\n".join(lines)
