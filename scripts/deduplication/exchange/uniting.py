"""A source united with a target that has a log of its own: its runs are processed once more, and then nothing of it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..alignment.fingerprint import fingerprint, skeleton
from ..ingest.run_names import Runs
from ..ingest.taken_over import part_of, take_over
from ..model import LOST, PURGED, Message
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..storage.log_backed import LogBackedStore


class United(NamedTuple):
    """Runs that were done, and runs that the target had; messages of the source that were looked for, and what is missing.

    ``purges`` of the source are not done once more in the target.
    """

    runs: int
    known: int
    purges: int
    messages: int
    missing: list[str]


def unite(source: LogBackedStore, target: LogBackedStore, tell: Callable[[int], None], *, whole: bool = True) -> United:
    """Process what the target does not have; ``tell`` hears up to which byte of the source's log.

    Each run is durable as it is done; whoever was stopped begins again, and what was done is passed over. Not the ``whole``:
    messages are looked for in those conversations alone of which something was done.
    """
    into: dict[str, str] = {}
    with source.transaction(write=False):
        size, here = source.log_size(), Runs(source.commits())
    done: set[str] = set()
    runs = at = 0
    with target.transaction():
        there = Runs(target.commits())
    placed = bool(here.purges ^ there.purges)
    while at < size:
        with source.transaction(write=False):
            part = part_of(source, at, there, placed=placed)
        if part.end == at:
            break  # behind the last run is what one left there that did not finish
        into.update(part.into)
        with target.transaction():
            runs += take_over(target, part.runs, into)
        done.update(run.conversation for run in part.runs)
        at = part.end
        tell(at)
    missing, messages = [], 0
    with source.transaction(write=False), target.transaction(write=False):
        for name in source.conversations() if whole else sorted(set(map(source.canonical, done))):
            count, lost = _missing(source, name, target, target.canonical(into.get(name, name)))
            messages += count
            missing += [f"'{name}', message {number}" for number in lost]
    return United(runs, len(here) - runs, len(here.purges - there.purges), messages, missing)


def _missing(source: LogBackedStore, name: str, target: LogBackedStore, into: str) -> tuple[int, list[int]]:
    """How many messages a conversation of the source has, and those that its counterpart has in no form."""
    held = Held(target, into)
    count, missing = 0, []
    for body in source.bodies(name, range(len(source.conversation(name)))):
        if body["kind"] not in (LOST, PURGED):
            count += 1
            if not held.has(message_of(body)):
                missing.append(body["index"])
    return count, missing


def message_of(body: dict[str, Any]) -> Message:
    """A message as it was read back."""
    return Message(body["role"], body["kind"], body["content"], uuid=body.get("uuid"), fidelity=body["fidelity"])


class Held:
    """What a conversation of the target has: bodies, other drawings of them, and what was purged of it."""

    def __init__(self, target: LogBackedStore, name: str) -> None:
        self._target, self._name = target, name
        columns = target.conversation(name).columns
        self._known = {*columns.hashes, *columns.keys}
        self._bans = target.bans()
        self._skeletons: list[bytes] | None = None

    def has(self, message: Message) -> bool:
        """Whether it has this message: as it is, drawn otherwise, as a part of a longer one; or had it, and it was purged."""
        item = fingerprint(message)
        if item.content_hash in self._known or item.key in self._known or self._bans.has(message, item):
            return True
        bones = skeleton(message.content)
        return bool(bones) and any(each.startswith(bones) for each in self._all_skeletons())

    def _all_skeletons(self) -> list[bytes]:
        if self._skeletons is None:
            self._skeletons = list(self._read())
        return self._skeletons

    def _read(self) -> Iterator[bytes]:
        numbers = range(len(self._target.conversation(self._name)))
        for body in self._target.bodies(self._name, numbers):
            if body["kind"] not in (LOST, PURGED):
                yield skeleton(body["content"])
