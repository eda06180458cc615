"""What the lines of transcripts name and nobody has: parents, sessions that they came from or went on in, outputs, exports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..figures.counted import counted
from ..files.clock import spelt
from ..formats.transcript_types import RELOCATED
from ..project.client_transcripts import folder_name
from ..terminal.console import printable
from . import announced_exports, results
from .gap import AT_RISK, BYTES, CERTAIN, FILES, LIKELY, MISSING_ORIGIN, MISSING_PARENT, POSSIBLE, UNSEEN_EXPORT, Gap
from .transcript_facts import exports_in, ids_among
from .uncaptured import QUIET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..storage.contract import Store
    from .client_side import ClientSide
    from .transcript_facts import Origin, Orphan, TranscriptFacts
    from .uncaptured import Behind

_FILLS_PARENT: Final = "a backup of the transcript, or an export of the session from before"
_FILLS_ORIGIN: Final = "a backup of the client's folder that has that session, or an export of it"
_IN_WORDS: Final = {
    "forkedFrom": "it was branched from",
    "fork-context-ref": "it was forked from",
    "derived-from": "it is derived from",
    "continued-in": "it goes on in",
}


def missing_parents(store: Store, client: ClientSide) -> Iterator[Gap]:
    """Lines that go on from a line which is in no transcript of the project and in no conversation.

    The client has written lines that it only had in memory for a moment as parents, so that there is another explanation where
    something else stands before it in the file.
    """
    lonely = [(facts, orphan) for facts in client.facts for orphan in facts.orphans]
    wanted = {orphan.parent.encode() for _, orphan in lonely}
    for facts in client.facts if wanted else ():
        wanted -= ids_among(facts.transcript.path, wanted)
    for facts, orphan in lonely:
        if orphan.parent.encode() in wanted:
            name = _conversation(store, facts.transcript.session)
            with store.transaction(write=False):
                known = bool(name and store.known_uuids(name, [orphan.parent, f"{orphan.parent}:0"]))
            if not known:
                yield _parent(facts, orphan, name)


def _parent(facts: TranscriptFacts, orphan: Orphan, name: str) -> Gap:
    return Gap(
        MISSING_PARENT,
        f"a line of {facts.transcript.path.name} goes on from the line {orphan.parent}, which is nowhere",
        LIKELY,
        _FILLS_PARENT,
        name,
        until=orphan.line.timestamp,
        source=facts.transcript.path.name,
    )


def missing_origins(store: Store, client: ClientSide) -> Iterator[Gap]:
    """Sessions that transcripts name and that are neither in the store nor on the disk."""
    told: set[tuple[str, str]] = set()
    for facts in client.facts:
        for origin in facts.origins.values():
            if origin.relation == RELOCATED:
                if _moved_away(store, facts, origin):
                    yield _relocated(facts, origin, _conversation(store, facts.transcript.session))
                continue
            if origin.session in client.sessions or _conversation(store, origin.session):
                continue
            key = facts.transcript.session, origin.session
            if key not in told:
                told.add(key)
                yield _origin(facts, origin, _conversation(store, facts.transcript.session))


def _origin(facts: TranscriptFacts, origin: Origin, name: str) -> Gap:
    later = origin.relation == "continued-in"
    how = _IN_WORDS.get(origin.relation, "it names")
    return Gap(
        MISSING_ORIGIN,
        f"{how} session {printable(origin.session)}, which is neither stored nor on the disk",
        CERTAIN,
        _FILLS_ORIGIN,
        name,
        since=origin.line.timestamp if later else "",
        until="" if later else origin.line.timestamp,
        source=facts.transcript.path.name,
    )


def _moved_away(store: Store, facts: TranscriptFacts, origin: Origin) -> bool:
    """True where the folder that a session was moved to has, and had, no transcript of it."""
    here = facts.transcript.path
    folder = folder_name(origin.session)
    there = here.parent.parent / folder / here.name
    if here.parent.name == folder or there.is_file():
        return False
    with store.transaction(write=False):
        return not any(cursor.source == os.path.realpath(there) for _, cursor in store.cursors())


def _relocated(facts: TranscriptFacts, origin: Origin, name: str) -> Gap:
    return Gap(
        MISSING_ORIGIN,
        f"it was moved to {printable(origin.session)}, and no transcript of it is there",
        POSSIBLE,
        _FILLS_ORIGIN,
        name,
        since=origin.line.timestamp,
        source=facts.transcript.path.name,
    )


def missing_outputs(store: Store, client: ClientSide) -> Iterator[Gap]:
    """Results that were put aside, named by lines that are not captured yet; those that are, the store tells of."""
    for facts in client.facts:
        for output in facts.outputs:
            if output.path.name in client.outputs:
                continue
            name = _conversation(store, facts.transcript.session)
            uuid = output.line.uuid
            with store.transaction(write=False):
                known = bool(name and uuid and store.known_uuids(name, [uuid, f"{uuid}:0", f"{uuid}:1"]))
            if not known:
                yield results.missing_output(output.path.name, output.size, output.shown, name, output.line.timestamp)


def unseen_exports(store: Store, folder: str, client: ClientSide, waiting: Iterable[Behind]) -> Iterator[Gap]:
    """Exports that the client said it made and of which nothing was stored.

    One that is gone is missing only where the line that names it is not captured: what is captured before it has all that
    it showed.
    """
    session_of = {notice.path: facts.transcript.session for facts in client.facts for notice in facts.exports}
    named = announced_exports.named(notice for facts in client.facts for notice in facts.exports)
    lost = {notice.path for each in waiting for notice in exports_in(each.transcript.path, each.known)}
    for each in announced_exports.unseen(store, folder, named):
        if each.there or each.path in lost:
            yield Gap(
                UNSEEN_EXPORT,
                f"the client said that it exported {printable(each.path)}, and nothing of it was stored"
                + ("" if each.there else "; it is gone"),
                CERTAIN if each.path in lost else POSSIBLE,
                f"run export-dedup on {printable(each.path)}"
                if each.there
                else "a backup of that file, or the session's transcript",
                _conversation(store, session_of[each.path]),
                1,
                FILES,
                until=spelt(each.moment),
                source=each.path,
            )


def at_risk(store: Store, client: ClientSide, found: Iterable[Behind]) -> Iterator[Gap]:
    """Transcripts that are not wholly captured, with the days until the client deletes them."""
    for each in found:
        file = each.transcript
        if client.now - file.mtime_ns / 1e9 < QUIET:
            continue  # it is just being written to
        days = client.retention.days_left(file, client.now)
        yield Gap(
            AT_RISK,
            f"{each.bytes:,} of {file.size:,} bytes of {file.path.name} are not captured, and {when(days)}",
            CERTAIN,
            "export-dedup capture",
            _conversation(store, file.session),
            each.bytes,
            BYTES,
            until=spelt(file.mtime_ns / 1e9),
            source=str(file.path),
            days_left=days,
        )


def when(days: int | None) -> str:
    """What the client does with a transcript, and when; ``days`` None: it keeps it."""
    if days is None:
        return "the client keeps it"
    return f"the client deletes it in {counted(days, 'day')}" if days else "the client may delete it any moment"


def _conversation(store: Store, session: str) -> str:
    with store.transaction(write=False):
        return store.session(session)
