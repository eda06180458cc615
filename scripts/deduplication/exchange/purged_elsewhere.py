"""What a purge left in another log of the same store, done in this one as well: the same runs without the same messages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..alignment.fingerprint import fingerprint
from ..alignment.tombstone import Bans, tombstone_of
from ..files import beneath, journal
from ..ingest.run_names import place_of, purge_of
from ..project.export_names import is_purged
from ..start.late_dataclass import replace
from ..storage.log.lines import is_commit
from ..storage.log.records import (
    PURGE,
    PURGED,
    is_occurrence,
    message_of,
    tombstone_from,
    tombstone_record,
)
from ..storage.log_rewrite import Instead

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..ingest.run_names import Name
    from ..storage.log.lines import Line, Record
    from ..storage.log_backed import FolderStore

    Place = tuple[str, int]

_OF_A_PLACE: Final[tuple[str, ...]] = ("conversation_id", "index", "uuid", "source_index")


class PurgedElsewhere:
    """The tombstones of a log, of which the lines are told, and the runs by what a purge leaves of them as it was."""

    def __init__(self, records: Iterable[tuple[Line, Record]]) -> None:
        self.purges: dict[Name, Record] = {}
        self.tombstones: dict[Name, dict[Place, Record]] = {}
        self.files: dict[Name, tuple[str, str]] = {}
        """Name and SHA-256 of what a run processed, as they are called there."""
        run: dict[Place, Record] = {}
        for _, record in records:
            if PURGED in record:
                run[record["conversation_id"], record["index"]] = record
            elif PURGE in record:
                self.purges[purge_of(record)] = record
            elif is_commit(record):
                self.tombstones[place_of(record)] = run
                self.files[place_of(record)] = record["export"]["name"], record["export"]["sha256"]
                run = {}

    def bans(self) -> Bans:
        """What was purged wherever it is shown."""
        found = (tombstone_from(record) for run in self.tombstones.values() for record in run.values())
        return Bans(each for each in found if each.everywhere)


def purge_as(store: FolderStore, other: PurgedElsewhere) -> int:
    """Purge in a store what was purged in the ``other`` log, in the runs that both have, and what is not to be shown anywhere.

    Returns how many messages that were. Killed before it is decided nothing has changed. Raises the ``StoreError`` family.
    """
    with store.transaction():
        instead = _instead(store, other)
        stage = os.path.join(store.folder, journal.STAGE)
        beneath.remove_tree(stage, ignore_errors=True)
        made = store.rewrite_log(stage, instead)
        changes = journal.Changes([[os.path.join(journal.STAGE, name), name] for name in made.files], made.superseded)
        journal.begin(store.folder, {journal.STORE: changes}, {})
        journal.apply(store.folder, journal.STORE, store.folder)
        store.reopen()
    return len(instead.tombstones)


def _instead(store: FolderStore, other: PurgedElsewhere) -> Instead:
    own = {purge_of(record): record for record in store.commits() if PURGE in record}
    last = [record for name, record in other.purges.items() if name not in own]
    forgotten = any(_forgets(record) for name, record in own.items() if name not in other.purges)
    tombstones: dict[Place, Record] = {}
    names: dict[str, str] = {}
    hashes: dict[str, str] = {}
    banned = _banned(store, other.bans())
    run: list[Record] = []
    for _, record in store.records():
        if is_occurrence(record):
            run.append(record)
        elif is_commit(record) and PURGE not in record:
            place, export = place_of(record), record["export"]
            tombstones.update(_gone(run, other.tombstones.get(place, {}), banned))
            run = []
            name, sha256 = other.files.get(place, ("", ""))
            if name and not is_purged(export["name"]):
                names[export["name"]] = name
            if sha256 and not forgotten:  # else it is not known which of both is what stands for it
                hashes.update({export["sha256"]: sha256, export["sha256"][:16]: sha256[:16]})
    return Instead(
        tombstones,
        last,
        last[-1]["timestamp"] if last else "",
        any(map(_forgets, last)),
        lambda name: names.get(name, name),
        lambda sha256: hashes.get(sha256, sha256),
        shared=True,
        untitled=_untitled(store, tombstones),
    )


def _untitled(store: FolderStore, tombstones: Iterable[Place]) -> set[str]:
    """The ids of the conversations that something is purged of: what they are called may be made of it."""
    names = {store.canonical(name) for name, _ in tombstones}
    return names.union(each.conversation_id for name in names for each in store.conversation(name).adopted)


def _forgets(purge: Record) -> bool:
    return bool(purge[PURGE].get("forgotten"))


def _gone(run: list[Record], theirs: dict[Place, Record], banned: dict[str, Record]) -> dict[Place, Record]:
    found: dict[Place, Record] = {}
    for record in run:
        place = record["conversation_id"], record["index"]
        if PURGED not in record and (place in theirs or record["content_hash"] in banned):
            found[place] = theirs.get(place) or _at(record, banned[record["content_hash"]])
    return found


def _at(record: Record, tombstone: Record) -> Record:
    """A tombstone in the place of a line."""
    return {**tombstone, **{name: value for name, value in record.items() if name in _OF_A_PLACE}}


def _banned(store: FolderStore, bans: Bans) -> dict[str, Record]:
    """A tombstone for each body that is not to be shown anywhere, by its content hash."""
    found: dict[str, Record] = {}
    for _, record in store.records() if bans else ():
        if "message" in record:
            message = message_of(
                {**record, "message": {**record["message"], "content": store.blobs.restored(record["message"])}}
            )
            item = fingerprint(message)
            if bans.has(message, item):
                left = replace(tombstone_of(message, item, everywhere=True), uuid="")
                found[record["content_hash"]] = tombstone_record("", 0, left, None, None)
    return found
