"""``dedup_state/alerts.json``: which alerts were raised, what became of them, and what waits to be sent.

Whoever changes it holds ``alerts.lock`` and replaces the file as a whole. Deleted, alerts that last are raised once more, what
waited to be sent is lost, and the total of the store is taken for what it is then.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Final, Optional

from ..files import atomic
from ..files.locking import exclusive
from ..project.paths import ALERTS
from ..start.late_dataclass import dataclass, field
from . import alert as kinds
from .alert import Alert, begun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .alert import Raised

LOCK: Final = "alerts.lock"
_PATIENCE: Final = 5.0
_MOST_BYTES: Final = 16 * 1024 * 1024
KEPT: Final = 200
"""Alerts that are over and still listed; older ones go."""
_FIELDS: Final = ("rule", "about", "level", "text", "cure", "state", "since", "changed")


@dataclass(frozen=True)
class Delivery:
    """What one target is to be sent: the text of an ``alert`` (its key), ``kind`` raised, resolved or test.

    ``made``: seconds since 1970; ``tries`` so far, the next one not before ``due`` (seconds since 1970); ``error`` of the last one.
    The target's address is not here: it may be a secret.
    """

    id: str
    target: str
    alert: str
    level: str
    kind: str
    title: str
    text: str
    made: float
    due: float = 0.0
    tries: int = 0
    error: str = ""


@dataclass
class Book:
    """All of it. ``considered``: events up to that time were told; ``total`` is what the store came to, ``total_at`` when.

    ``verified``: what the last ``verify`` found to be damaged. ``summarised``: the last day of which a summary was told;
    ``settled``: what the store had before that was
    given up; ``thorough``: when all was looked at last (seconds).
    """

    alerts: list[Alert] = field(default_factory=list)
    queue: list[Delivery] = field(default_factory=list)
    considered: str = ""
    total: int = 0
    total_at: str = ""
    verified: str = ""
    summarised: str = ""
    settled: str = ""
    thorough: float = 0.0

    def active(self, rule: str, about: str = "") -> bool:
        """Whether an alert of it lasts."""
        return any(each.is_present and each.rule == rule and each.about == about for each in self.alerts)

    def present(self) -> list[Alert]:
        """Those that last, the most urgent ones first."""
        return sorted((each for each in self.alerts if each.is_present), key=kinds.urgency)

    def merge(
        self, found: Iterable[Raised], moment: str, *, unknown: Iterable[str] = (), rules: Iterable[str] = kinds.RULES
    ) -> tuple[list[Alert], list[Alert]]:
        """Put in what was found of all ``rules`` but the ``unknown`` ones (rules, or keys of alerts): what is new, what is over.

        Each is named once.
        """
        looked, unasked = set(rules), set(unknown)
        wanted = {each.key: each for each in found}
        raised, resolved, kept = [], [], []
        for each in self.alerts:
            again = wanted.pop(each.key, None) if each.is_present or each.state == kinds.TOLD else None
            if each.is_present and again is not None:
                kept.append(each._replace(text=again.text, cure=again.cure))
            elif each.is_present and each.rule in looked and unasked.isdisjoint((each.rule, each.key)):
                resolved.append(each._replace(state=kinds.RESOLVED, changed=moment))
                kept.append(resolved[-1])
            else:
                kept.append(each)
        raised = [begun(each, moment) for each in wanted.values()]
        over = sorted((each for each in kept if not each.is_present), key=lambda each: each.changed)[-KEPT:]
        self.alerts = [each for each in kept if each.is_present] + raised + over
        return raised, resolved

    def acknowledge(self, names: Iterable[str], moment: str) -> list[Alert]:
        """Say no more of the alerts with these ids (their beginnings will do), or of all where none is named."""
        wanted = tuple(names)
        done = []
        for number, each in enumerate(self.alerts):
            if each.state == kinds.ACTIVE and (not wanted or each.id.startswith(wanted)):
                state = kinds.RESOLVED if each.rule == kinds.SHRUNK else kinds.ACKNOWLEDGED
                self.alerts[number] = each._replace(state=state, changed=moment)
                done.append(self.alerts[number])
                if each.rule == kinds.SHRUNK:  # what is left is what counts from now on
                    self.total, self.total_at, self.settled = 0, "", moment
        return done


def load(folder: str) -> Book:
    """What stands in the store's ``folder``; an empty one where there is none, or where it is not ours any more."""
    try:
        with atomic.open_regular(os.path.join(folder, ALERTS)) as file:
            said: dict[str, Any] = json.loads(file.read(_MOST_BYTES))
        alerts = [Alert(*(str(each[name]) for name in _FIELDS)) for each in said["alerts"]]
        queue = [Delivery(**each) for each in said["queue"]]
        book = Book(alerts, queue, total=int(said["total"]), thorough=float(said["thorough"]))
        for name in ("considered", "total_at", "verified", "summarised", "settled"):
            setattr(book, name, str(said[name]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return Book()
    return book


@contextlib.contextmanager
def changing(folder: str, timeout: float = _PATIENCE) -> Iterator[Book]:
    """The book, held; what the block makes of it is written, durably, when it ends without an error.

    Raises ``StoreLocked``, ``StoreNotWritable``.
    """
    atomic.make_private_directory(folder)
    with exclusive(os.path.join(folder, LOCK), timeout):
        book = load(folder)
        before = _encoded(book)
        yield book
        after = _encoded(book)
        if after != before or not os.path.exists(os.path.join(folder, ALERTS)):
            atomic.replace(os.path.join(folder, ALERTS), after)


def _encoded(book: Book) -> bytes:
    said = {
        "alerts": [dict(zip(_FIELDS, each)) for each in book.alerts],
        "queue": [vars(each) for each in book.queue],
        "considered": book.considered,
        "total": book.total,
        "total_at": book.total_at,
        "verified": book.verified,
        "summarised": book.summarised,
        "settled": book.settled,
        "thorough": book.thorough,
    }
    return json.dumps(said, indent=1).encode() + b"\n"


def touch(folder: str) -> None:
    """Note by the file's time that the rules were asked."""
    with contextlib.suppress(OSError):
        os.utime(os.path.join(folder, ALERTS))


def waiting(folder: str) -> Optional[float]:
    """When the next delivery is due (seconds since 1970); None where none waits."""
    return min((each.due for each in load(folder).queue), default=None)
