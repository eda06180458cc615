"""Which occurrences a scope means: by conversation, by time, by content hash, with every other form of the same message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..alignment.fingerprint import fingerprint
from ..alignment.tombstone import Bans, tombstone_of
from ..errors import NothingToPurge, UsageError
from ..model import LAYOUT, LOST, PURGED, Message
from ..start.late_dataclass import dataclass
from ..storage.log.records import PURGED as TOMBSTONE
from ..storage.log.records import blobs_of, is_occurrence
from .scope import moment
from .versions import with_versions

if TYPE_CHECKING:
    from ..storage.log_backed import FolderStore
    from .plan import Plan
    from .scope import Scope


@dataclass(frozen=True)
class Row:
    """An occurrence as its line tells of it."""

    timestamp: str
    clock: str
    content_hash: str
    extends: int | None
    blobs: tuple[str, ...]
    source_index: int | None


def rows_of(store: FolderStore) -> dict[str, dict[int, Row]]:
    """Every occurrence that has a line, by conversation. Raises :class:`StoreDamaged`."""
    rows: dict[str, dict[int, Row]] = {}
    for _, record in store.records():
        if not is_occurrence(record):
            continue
        rows.setdefault(record["conversation_id"], {})[record["index"]] = Row(
            record.get("timestamp", ""),
            record.get("source", {}).get("clock", ""),
            record["content_hash"] if TOMBSTONE not in record else "",
            record.get("extends"),
            tuple(blobs_of(record)),
            record.get("source_index"),
        )
    return rows


def chosen_by(store: FolderStore, scope: Scope, rows: dict[str, dict[int, Row]], found: Plan) -> dict[str, set[int]]:
    """The occurrences that go, by conversation."""
    bans, hashes = _named(store, scope, rows)
    chosen: dict[str, set[int]] = {}
    for name in scope.sessions or tuple(rows):
        own = rows.get(name, {})
        numbers = {number for number, row in own.items() if row.content_hash}
        if scope.since is not None:
            numbers = {number for number in numbers if _is_between(own[number], scope)}
        if hashes or bans:
            numbers = {number for number in numbers if own[number].content_hash in hashes} | (
                _other_renderings(store, name, numbers, hashes, bans) if bans else set()
            )
        meant = len(numbers)
        numbers = with_versions(store, name, numbers, {n for n, row in own.items() if row.content_hash})
        if numbers:
            chosen[name] = numbers
            found.chained += len(numbers) - meant
            found.by_capture += sum(own[n].clock == "capture" for n in numbers) if scope.since is not None else 0
    return chosen


def _is_between(row: Row, scope: Scope) -> bool:
    at = moment(row.timestamp)
    return at is not None and scope.since is not None and scope.until is not None and scope.since <= at < scope.until


def _named(store: FolderStore, scope: Scope, rows: dict[str, dict[int, Row]]) -> tuple[Bans | None, set[str]]:
    """The content hashes that ``--message`` names, and what tells the same messages in other renderings."""
    if not scope.hashes:
        return None, set()
    where: dict[str, tuple[str, int]] = {}
    for name, own in rows.items():
        for number, row in own.items():
            if row.content_hash:
                where.setdefault(row.content_hash, (name, number))
    hashes: set[str] = set()
    for asked in scope.hashes:
        fitting = [identity for identity in where if identity.startswith(asked)]
        if not fitting:
            raise NothingToPurge(f"no message has the content hash {asked}")
        if len(fitting) > 1:
            raise UsageError(f"{len(fitting)} content hashes begin with {asked}", hint="Give more of its digits.")
        hashes.update(fitting)
    found = []
    for identity in hashes:
        name, number = where[identity]
        body = next(iter(store.bodies(name, [number])))
        message = message_of(body)
        found.append(tombstone_of(message, fingerprint(message)))
    return Bans(found), hashes


def _other_renderings(store: FolderStore, name: str, numbers: set[int], hashes: set[str], bans: Bans) -> set[int]:
    """Those that say all of what a message says that is named, as the other kind of source has it."""
    columns = store.conversation(name).columns
    wanted = [n for n in sorted(numbers) if columns.hashes[n] not in hashes and columns.kinds[n] not in (LOST, PURGED)]
    also = set()
    for body in store.bodies(name, wanted):
        message = message_of(body)
        if bans.has(message, fingerprint(message)):
            also.add(body["index"])
    return also


def message_of(body: dict[str, Any]) -> Message:
    """A stored body as a message, as it is compared with others."""
    return Message(
        body["role"], body["kind"], body["content"], uuid=body.get("uuid"), fidelity=body.get("fidelity", LAYOUT)
    )
