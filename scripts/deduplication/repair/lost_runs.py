"""Runs of which no line is left: what the archive has, and no run of the log tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from . import rerun
from .blanked_files import purged_in
from .raw_sources import Part, is_transcript, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive.entry import Entry
    from ..storage.replay import Replay
    from .evidence import Evidence
    from .rerun import Rerun
    from .run_remains import RunRemains

Accept = Callable[["Rerun"], bool]
"""Take a run into the log, where it fits there."""


def accept_one_before(replay: Replay, evidence: Evidence, before: RunRemains, accept: Accept) -> bool:
    """Have one run accepted that stood before this one; False where there is none."""
    for source in evidence.sources_captured():
        again = rerun.of_gap(replay, evidence, source)
        if again is not None and accept(again):
            return True
    for entry in evidence.sources.entries:
        if is_transcript(entry) or _known(replay, evidence, entry):
            continue
        for again in _reruns(replay, evidence, entry):
            if again.run.conversation_id == before.conversation_id and accept(again):
                return True
    return False


def accept_unknown_files(replay: Replay, evidence: Evidence, accept: Accept) -> None:
    """Have the runs accepted of all files that the log does not tell of, in the order of time: they stood at its end."""
    for entry in evidence.sources.entries:
        if is_transcript(entry):
            again = _behind(replay, evidence, entry)
            if again is not None and again.run.occurrences:
                accept(again)
        elif not _known(replay, evidence, entry):
            for again in _reruns(replay, evidence, entry):
                accept(again)


def _reruns(replay: Replay, evidence: Evidence, entry: Entry) -> Iterator[Rerun]:
    """The runs of an archived file, each done when it is asked for."""
    several = False
    for member in evidence.sources.members_of(entry):
        several = True
        if member.sha256 not in evidence.digests and not replay.seen(member.sha256):
            title = f"{entry.name}: {member.name}" if member.name else entry.name
            name = member.name if member.side else title
            again = rerun.of_member(replay, member, name, evidence.remembered.exports.get(member.sha256))
            if again is not None:
                yield again
    if several:
        return
    sha256 = evidence.sources.sha256(entry)
    raw = evidence.sources.file(sha256)
    session = evidence.remembered.exports.get(sha256) or evidence.sources.conversation(entry)
    again = rerun.of_file(replay, raw, session) if raw is not None else None
    if again is not None:
        yield again


def _known(replay: Replay, evidence: Evidence, entry: Entry) -> bool:
    """Whether the log knows an archived file, or its export with messages that were purged since.

    Or knows what had its name, so that these bytes are not what was archived.
    """
    sha256 = evidence.sources.sha256(entry)
    if sha256 in evidence.digests or replay.seen(sha256):
        return True
    return purged_in(evidence, entry) > 0 or is_another(evidence, entry)


def is_another(evidence: Evidence, entry: Entry) -> bool:
    """Whether a plain file is not what was archived under its name: the log has that one's SHA-256, and nothing its bytes."""
    if entry.number >= 0 or evidence.sources.sha256(entry) in evidence.digests or purged_in(evidence, entry):
        return False
    if any(member.sha256 in evidence.digests for member in evidence.sources.members_of(entry)):
        return False
    return any(
        evidence.is_named(record, entry.name) and not evidence.sources.has(record["export"]["sha256"])
        for record in evidence.commits
    )


def _behind(replay: Replay, evidence: Evidence, entry: Entry) -> Rerun | None:
    """What an archived transcript has behind what was captured of it."""
    sources = (each for each in evidence.sources_captured() if each.replace("\\", "/").endswith("/" + entry.name))
    source = next(sources, source_of(entry.name))
    before = replay.cursor(source)
    start = before[1].offset if before is not None else 0
    if start >= entry.size:
        return None
    data = evidence.sources.bytes_of(entry)
    end = data.rfind(b"\n") + 1 if data is not None else 0
    if data is None or end <= start:
        return None
    return rerun.of_part(replay, Part(data[start:end], data, start, source, entry.name))
