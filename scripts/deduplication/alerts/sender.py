"""The process that delivers: one at a time for a store, started by whoever put something into the queue and waits for nothing.

Nothing leaves the queue before its target took it. A sender that is killed leaves the queue as it was, but for what a target took
at that very moment: that is sent again, with the same id in its last line.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import StoreError
from ..files import locking
from ..project.paths import ALERTS
from ..start.child import main_module
from ..start.late_dataclass import replace
from . import alert, book, delivery, quiet_hours, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .book import Delivery

LOCK: Final = "alerts.sender.lock"
_DETACHED: Final = 0x208
"""DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP, which only Windows has."""
EACH: Final = 120.0
"""Seconds from one look at all rules to the next, while hooks are at work."""
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 120.0
"""Seconds from one try to the next: twice as many each time, up to this."""
LIFETIME: Final = 1800.0
"""Seconds after which a sender with nothing but failures ends: the next hook, run or command starts another one."""
MOST_TRIES: Final = 500
"""Tries after which a delivery is given up: more than half a day of them."""
_STEP: Final = 1.0


def is_due(folder: str) -> bool:
    """Whether something waits that may be sent now."""
    due = book.waiting(folder)
    return due is not None and due <= time.time()


def start(folder: str, project: str) -> None:
    """Begin to deliver what waits in the store's ``folder``, in a process that outlives this one."""
    import subprocess

    process = subprocess.Popen(
        [sys.executable, main_module(), "alerts", "send", "--quiet", "--storage-dir", folder, "--project", project],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=project,
        start_new_session=os.name != "nt",
        creationflags=_DETACHED if os.name == "nt" else 0,
    )
    process.returncode = 0  # nobody waits for it, and nobody should be warned of that


def start_where_due(folder: str, settings: Mapping[str, Any], project: str) -> bool:
    """The same where there are targets and nobody is at it, something may be sent, or nobody has looked for two minutes.

    Whether one was started. Cheap where there is no target.
    """
    if not targets.names_of(settings) or not (is_due(folder) or not looked_lately(folder)):
        return False
    if locking.is_held(os.path.join(folder, LOCK)) or not delivery.is_installed():  # said where alerts are shown
        return False
    start(folder, project)
    return True


def obstacle(settings: Mapping[str, Any]) -> str:
    """Why nothing can be sent to anybody; empty where it can, or where there is nobody to send to."""
    if not targets.names_of(settings) or delivery.is_installed():
        return ""
    return f"{delivery.MISSING} ({delivery.INSTALL})"


def looked_lately(folder: str) -> bool:
    """Whether somebody asked the rules within two minutes."""
    try:
        return 0 <= time.time() - os.stat(os.path.join(folder, ALERTS)).st_mtime < EACH
    except OSError:
        return False


def deliver(
    folder: str, settings: Mapping[str, Any], *, lifetime: float = LIFETIME, wait: bool = True
) -> list[Delivery]:
    """Send what waits until nothing does, or until ``lifetime`` seconds are over; what still waits then.

    ``wait``: try again what failed; else each is tried once. Where another process is at it nothing is done.
    """
    try:
        held = locking.attempt(os.path.join(folder, LOCK))
    except StoreError:
        held = None
    if held is None:
        return book.load(folder).queue
    try:
        until = time.monotonic() + lifetime
        while True:
            _once(folder, settings, lambda each: delivery.send(settings, each))
            queue = book.load(folder).queue
            if not queue or not wait or time.monotonic() >= until:
                return queue
            time.sleep(min(max(min(each.due for each in queue) - time.time(), 0.05), _STEP))
    finally:
        os.close(held)


def _once(folder: str, settings: Mapping[str, Any], send: Callable[[Delivery], str]) -> None:
    """Try whatever is due, each by itself: a target that hangs costs the others no more than its patience."""
    for each in book.load(folder).queue:
        now = time.time()
        if each.due > now:
            continue
        quiet = quiet_hours.ends(str(settings.get("alert_quiet_hours", "")), now)
        if quiet > now and each.level != alert.CRITICAL and each.kind != alert.TEST:
            _change(folder, each.id, [replace(each, due=quiet)])
            continue
        error = send(each)
        tries = each.tries + 1
        pause = min(FIRST_PAUSE * 2 ** min(each.tries, 10), LONGEST_PAUSE)
        again = replace(each, tries=tries, due=time.time() + pause, error=error)
        _change(folder, each.id, [again] if error and tries < MOST_TRIES else [])


def _change(folder: str, id_: str, into: Sequence[Delivery]) -> None:
    """Put ``into`` in the place of a delivery, which may be gone."""
    with book.changing(folder, timeout=60.0) as held:
        held.queue = [new for each in held.queue for new in (into if each.id == id_ else [each])]
