"""What is missing, conversation by conversation: in a thread of its own, so that no panel and no capture waits for it.

A conversation is looked at again when something came of it. A look holds the store for as long as one conversation takes; then
others have nine times as long. Where there are many, their results are read in one pass over the log, which holds nothing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import DedupError
from ..files.clock import local
from ..gaps.cut_messages import in_log
from ..gaps.gap import AT_RISK, KINDS, LINES
from ..gaps.look import in_conversation, of_client
from .subject import key_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from ..gaps.cut_messages import Pass
    from ..gaps.gap import Gap
    from ..storage.log.lines import Line
    from .figures import Figures

MOST: Final = 50
"""Gaps that are listed."""
_FEW: Final = 10
"""Conversations that are read one by one; more of them by one pass over the log."""
_PAUSE: Final = 9.0
"""Times as long as a look: what others have after it."""
_AT_A_TIME: Final = 100
"""Lines of the log between two pauses."""
_LONGEST: Final = 10.0
_SAID: Final = 2.0
"""Seconds after which what was found so far is shown."""
_CLIENT_EVERY: Final = 600.0
"""Seconds from one look at the client's files to the next."""


class GapWatch:
    """The gaps of the store that ``figures`` are of."""

    def __init__(self, figures: Figures, *, at_once: bool = False) -> None:
        self._figures, self._at_once = figures, at_once
        self._found: dict[str, tuple[str, list[Gap]]] = {}
        """By conversation: when something was last stored of it, and what is missing of it."""
        self._client: list[Gap] = []
        self._client_due = float("-inf")
        self._number = 0
        self._said = 0.0
        self._looking = threading.Lock()
        self._failed = ""

    def version(self) -> Hashable:
        """Which state of the store, and how far it was looked at."""
        return (self._figures.version(), self._number)

    def _look(self) -> None:
        """Look at what changed: now, or in a thread where none is at it."""
        self._figures.stored()
        known = {name: each.updated_at for name, each in self._figures.conversations.items()}
        for name in [name for name in self._found if name not in known]:
            del self._found[name]
        todo = [name for name, updated in known.items() if self._found.get(name, ("",))[0] != updated]
        if not todo and time.monotonic() < self._client_due:
            return
        if self._at_once:
            self._look_at(todo, known)
        elif self._looking.acquire(blocking=False):
            threading.Thread(target=self._watch, args=(todo, known), name="gaps", daemon=True).start()

    def _watch(self, todo: list[str], known: dict[str, str]) -> None:
        try:
            self._look_at(todo, known)
        finally:
            self._looking.release()

    def _look_at(self, todo: list[str], known: dict[str, str]) -> None:
        try:
            if time.monotonic() >= self._client_due:
                self._look_at_client()
            passed = self._pass() if len(todo) > _FEW else None
            for name in todo:
                began = time.monotonic()
                with self._figures.subject.stores.lent() as store:
                    self._found[name] = (known[name], in_conversation(store, name, passed))
                self._pause(began)
            self._failed = ""
        except (DedupError, OSError) as error:
            self._failed = str(error)
        self._number += 1

    def _pass(self) -> Optional[Pass]:
        """One pass over the log for all of them, during which nobody waits for the store."""
        with self._figures.subject.stores.lent() as store:
            logged = store.log_backed()
            if logged is None:
                return None
            return in_log(logged, iter if self._at_once else _slowly)

    def _look_at_client(self) -> None:
        """What the client's own files tell: all of them are read."""
        began = time.monotonic()
        self._client_due = began + _CLIENT_EVERY
        subject = self._figures.subject
        client = subject.client()
        if client is not None:
            with subject.stores.lent() as store:
                self._client = list(of_client(store, subject.state, client))
        self._number += 1
        self._pause(began)

    def _pause(self, began: float) -> None:
        if not self._at_once:
            time.sleep(min(_PAUSE * (time.monotonic() - began), _LONGEST))
        if time.monotonic() - self._said > _SAID:
            self._number += 1
            self._said = time.monotonic()

    def _all(self) -> list[Gap]:
        self._look()
        return [*self._client, *(gap for _, gaps in list(self._found.values()) for gap in gaps)]

    def days(self) -> dict[str, int]:
        """How many gaps began on each day that is known, on this machine's clock."""
        with contextlib.suppress(DedupError):
            return dict(Counter(local(gap.since)[:10] for gap in self._all() if gap.since))
        return {}

    def gaps(self) -> dict[str, Any]:
        """What is missing, by kind, and the newest of it."""
        found = [gap for gap in self._all() if gap.kind != AT_RISK]
        counts = Counter(gap.kind for gap in found)
        newest = sorted(found, key=lambda gap: gap.since, reverse=True)[:MOST]
        return {
            "kinds": [{"name": kind.replace("_", " "), "count": counts[kind]} for kind in KINDS if counts[kind]],
            "lines": sum(gap.count or 0 for gap in found if gap.unit == LINES),
            "rows": [_row(gap) for gap in newest],
            "all": len(found),
            "looked": len(self._found),
            "conversations": len(self._figures.conversations),
            "failed": self._failed,
        }

    def at_risk(self) -> dict[str, Any]:
        """Sessions that the client will delete and that are not, or not wholly, captured; the most urgent ones first."""
        found = sorted((gap for gap in self._all() if gap.kind == AT_RISK), key=lambda gap: gap.days_left or 0)
        return {"rows": [{**_row(gap), "days": gap.days_left} for gap in found[:MOST]], "all": len(found)}


def _slowly(lines: Iterator[Line]) -> Iterator[Line]:
    """The lines with long pauses: whoever holds the store meanwhile is not kept from going on by this thread."""
    began = time.monotonic()
    for number, line in enumerate(lines):
        if number % _AT_A_TIME == _AT_A_TIME - 1:
            time.sleep(_PAUSE * (time.monotonic() - began))
            began = time.monotonic()
        yield line


def _row(gap: Gap) -> dict[str, Any]:
    return {
        "kind": gap.kind.replace("_", " "),
        "text": gap.text,
        "sure": gap.sure,
        "fill": gap.fill,
        "key": key_of(gap.conversation_id) if gap.conversation_id else "",
        "id": gap.conversation_id,
        "place": gap.place,
        "since": gap.since,
    }
