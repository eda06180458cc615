"""What happened since somebody looked last: runs and purges from the audit, hooks and failures from the notes beside the store."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, Final

from ..accounting.run_history import seconds
from ..figures.counted import counted
from ..files import atomic, locking
from ..project.paths import HOOKS_CALLED, HOOKS_LOG, LOCK
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..storage.log_backed import folder_of
from .history import History

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.contract import Store
    from .history import NamedRun

EXPORT: Final = "export"
CAPTURE: Final = "capture"
PURGE: Final = "purge"
HOOK: Final = "hook"
FAILURE: Final = "failure"
KINDS: Final = (EXPORT, CAPTURE, PURGE, HOOK, FAILURE)
_FAILED: Final = late_pattern(r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<event>\w+): (?P<error>.+)\Z")
_TAIL: Final = 64 * 1024
"""Bytes at the end of the log of hooks that are read."""
_MOST: Final = 200
"""Events of one look."""


class Event(NamedTuple):
    """``moment`` in seconds since 1970; ``about`` is a conversation's id, or the name of a hook; counts may be 0."""

    moment: float
    kind: str
    about: str
    text: str
    messages: int = 0
    new: int = 0
    duplicates: int = 0
    milliseconds: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self._asdict(), "moment": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.moment))}


class Now(NamedTuple):
    """How things stand: totals of the store, what came today, and which locks somebody holds."""

    conversations: int
    messages: int
    today: int
    exports: int
    captures: int
    busy: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self._asdict(), "busy": list(self.busy)}


_LOCKS: Final = (
    (locking.RUNS, "a run"),
    (LOCK, "the store is written or read"),
    ("turn.lock", "a checkpoint or an archive"),
)
"""In a store's folder: who holds it does this."""


class Feed:
    """The events of a store; ``folder`` is its own, or the one that stands for it. One thread at a time."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder = store, folder
        self._history = History(folder if folder_of(store) is not None else "")
        self._runs = self._removals = 0
        self._hooks: dict[str, tuple[int, str]] = {}
        self._failed = 0.0

    def look(self) -> list[Event]:
        """What came since the last look, the oldest first; at the first one the last of what there is. Raises ``StoreError``."""
        self._read_on()
        history = self._history
        if self._runs > len(history.runs) or self._removals > len(history.removals):
            self._runs, self._removals = len(history.runs), len(history.removals)  # it was written anew
        new = len(history.runs) - self._runs
        found = [_of_run(each) for each in list(history.recent)[max(0, len(history.recent) - new) :]] if new else []
        found += [
            Event(
                _moment(each.created_at),
                PURGE,
                each.conversation_id,
                "removed for good",
                int(each.metadata.get("occurrences", 0) or 0),
            )
            for each in history.removals[self._removals :]
        ]
        self._runs, self._removals = len(history.runs), len(history.removals)
        return sorted([*found, *self._hooks_called(), *self._failures()], key=lambda event: event.moment)[-_MOST:]

    def _read_on(self) -> None:
        """The audit of a folder is read without the store's lock: a line that is not whole is read the next time."""
        if folder_of(self._store) is not None:
            self._history.read_on(self._store)
            return
        with self._store.transaction(write=False):
            self._history.read_on(self._store)

    def now(self) -> Now:
        """How things stand. Raises ``StoreError``."""
        with self._store.transaction(write=False):
            figures, unique = self._store.store_figures(), self._store.unique_count()
        day = time.strftime("%Y-%m-%d")
        today = 0
        for run in reversed(self._history.runs):
            if time.strftime("%Y-%m-%d", time.localtime(run.moment)) != day:
                break
            today += run.added
        busy = tuple(words for name, words in _LOCKS if locking.is_held(os.path.join(self._folder, name)))
        return Now(figures.conversations, unique, today, figures.exports, figures.captures, busy)

    def _hooks_called(self) -> Iterator[Event]:
        """Of each event of the client that was fired since: when last, and how often."""
        with contextlib.suppress(OSError, ValueError, AttributeError, RecursionError):
            with atomic.open_regular(os.path.join(self._folder, HOOKS_CALLED)) as file:
                said = json.loads(file.read())
            for event, each in said.items():
                with contextlib.suppress(KeyError, TypeError, ValueError):
                    count, last = int(each["count"]), str(each["last"])
                    before, _ = self._hooks.get(event, (0, ""))
                    if self._hooks.get(event) != (count, last):
                        self._hooks[event] = (count, last)
                        since = f", {count - before:,} times since" if before and count - before > 1 else ""
                        yield Event(_moment(last), HOOK, str(event), f"called{since}, {counted(count, 'time')} in all")

    def _failures(self) -> Iterator[Event]:
        """Hooks that failed since."""
        try:
            with atomic.open_regular(os.path.join(self._folder, HOOKS_LOG)) as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return
        found = [match for match in map(_FAILED.match, lines) if match]
        newest = self._failed
        for match in found:
            moment = _moment(match["at"])
            if moment > self._failed:
                newest = max(newest, moment)
                yield Event(moment, FAILURE, match["event"], match["error"])
        self._failed = newest


def _of_run(each: NamedRun) -> Event:
    run = each.run
    kind = CAPTURE if run.captures else EXPORT
    return Event(
        run.moment,
        kind,
        run.conversation,
        os.path.basename(each.name),
        run.total,
        run.told,
        run.duplicates,
        run.milliseconds,
    )


def _moment(spelt: str) -> float:
    with contextlib.suppress(ValueError, OverflowError):
        return seconds(spelt)
    return 0.0
