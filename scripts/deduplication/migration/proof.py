"""The proof that a target says what its source says: nobody's word is taken for it, neither that of the one nor that of the other.

The lines of the source are read once more and counted anew, each content hash recomputed from its message. What the target answers
as a store must be what they come to: its own lines byte for byte with their chain, its counts, and each conversation as it is read.
"""

from __future__ import annotations

import json
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any

from ..alignment.fingerprint import content_hash
from ..figures.counted import counted
from ..model import LOST, PURGED
from ..start.late_tuple import NamedTuple
from ..storage.audit_entries import entry_of
from ..storage.database.clean_text import cleaned_json, moment
from ..storage.log.chain import Chain
from ..storage.log.lines import Damaged, decode_line, is_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..storage.audit_entries import AuditEntry
    from ..storage.log.lines import Line
    from ..storage.log_backed import LogBackedStore
    from ..storage.recounted import Recounted


class Proof(NamedTuple):
    """What was compared, and what differs (nothing, where all is well).

    ``lost`` are images, by the hashes of their bytes, that the source does not have either.
    """

    runs: int
    conversations: int
    messages: int
    audit_entries: int
    head: str
    lost: frozenset[str]
    differences: list[str]


def prove(source: Recounted, target: LogBackedStore, tell: Callable[[int], None]) -> Proof:
    """Compare; ``tell`` hears of each message's size. Raises the ``StoreError`` family where one side cannot be read."""
    with target.transaction(write=False):
        messages = _Messages(source, target, tell)
        found = [
            *_chains(source, target),
            *_counts(source, target),
            *messages.differences(),
            *_audits(source, target),
        ]
    return Proof(
        runs=source.chain.head.run,
        conversations=len(source.conversations()),
        messages=messages.count,
        audit_entries=len(source.audit),
        head=source.chain.head.digest,
        lost=source.lost_blobs(),
        differences=found,
    )


def _chains(source: Recounted, target: LogBackedStore) -> Iterator[str]:
    """The target's lines hashed anew, run by run, and what it says of them."""
    chain = chain_of(target.lines())
    if (chain.head, chain.size) != (source.chain.head, source.chain.size):
        yield (
            f"the log: {counted(chain.head.run, 'run')} with the head {chain.head.digest[:16]}…, "
            f"and {source.chain.head.run:,} with {source.chain.head.digest[:16]}… in the source"
        )
    if (target.head, target.log_size()) != (chain.head.digest, chain.size):
        yield "the log: what the target says of its end is not what its lines come to"


def chain_of(lines: Iterable[Line]) -> Chain:
    """What lines come to, hashed by us."""
    chain = Chain()
    for line in lines:
        try:
            record = decode_line(line.data)
        except Damaged:
            chain.take(line.data, readable=False)
            continue
        chain.take(line.data)
        if is_commit(record):
            chain.commit(record)
    return chain


def _counts(source: Recounted, target: LogBackedStore) -> Iterator[str]:
    asked: dict[str, Callable[[Any], Any]] = {
        "conversations": lambda store: list(store.conversations()),
        "unique messages": lambda store: store.unique_count(),
        "figures of all conversations": lambda store: store.store_figures(),
        "announcements": lambda store: store.announced(),
        "bytes seen": lambda store: store.seen_bytes(),
        "growing files": lambda store: sorted(store.cursors(), key=str),
        "what was purged everywhere": lambda store: store.bans().__dict__,
    }
    for what, ask in asked.items():
        if ask(source) != ask(target):
            yield f"{what}: not what was counted in the source"


class _Messages:
    """Each conversation of both sides, rebuilt."""

    def __init__(self, source: Recounted, target: LogBackedStore, tell: Callable[[int], None]) -> None:
        self._source, self._target, self._tell = source, target, tell
        self.count = 0

    def differences(self) -> Iterator[str]:
        """Those of all conversations, those that turned out to be others included."""
        for name in self._source.every_conversation():
            one, other = self._source.conversation(name), self._target.conversation(name)
            if self._source.figures(name) != self._target.figures(name):
                yield f"'{name}': its counts are others"
            if self._source.canonical(name) != self._target.canonical(name):
                yield f"'{name}': it is part of another conversation"
            orders = one.reading().order, other.reading().order
            if orders[0] != orders[1]:
                yield f"'{name}': it is read in another order"
            if one.columns.hashes != other.columns.hashes:
                yield f"'{name}': it has other messages"
                continue
            yield from self._read(name, orders[0])

    def _read(self, name: str, order: Sequence[int]) -> Iterator[str]:
        """In the order of reading, and those that it leaves out behind it."""
        left_out = set(range(len(self._source.conversation(name)))).difference(order)
        numbers = [*order, *sorted(left_out)]
        pairs = zip_longest(self._source.bodies(name, numbers), self._target.bodies(name, numbers))
        for number, (said, says) in zip(numbers, pairs):
            self.count += 1
            self._tell(len(str(said.get("content", ""))) if said else 0)
            if said != says:
                yield f"'{name}', message {number}: not what the source says"
            elif not _is_what_its_hash_says(said) and not self._source.lost_blobs():
                yield f"'{name}', message {number}: it does not have the content hash it is stored under"


def _is_what_its_hash_says(said: dict[str, Any]) -> bool:
    if said["kind"] in (LOST, PURGED):
        return True
    found = content_hash(said["role"], said["kind"], said["content"], said["fidelity"])
    return bool(found == said["content_hash"])


def _audits(source: Recounted, target: LogBackedStore) -> Iterator[str]:
    """What the target's audit says, against what follows from the source's runs."""
    pairs = zip_longest((entry_of(decode_line(line)) for line in source.audit), target.audit())
    wrong = (number for number, (one, other) in enumerate(pairs, 1) if _normal(one) != _normal(other))
    for number in islice(wrong, 1):
        yield f"the audit: entry {number:,} is another"


def _normal(entry: AuditEntry | None) -> Any:
    """As every backend can keep it."""
    if entry is None:
        return None
    return entry._replace(created_at=str(moment(entry.created_at)), metadata=json.loads(cleaned_json(entry.metadata)))
