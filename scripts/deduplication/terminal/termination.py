"""Signals that end a process at once, as exceptions: what a block has begun and not ended is undone first."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_BY_SIGNAL: Final = 128
"""What shells add to the number of the signal that ended a process."""


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """The first of these signals raises ``KeyboardInterrupt`` or ``SystemExit`` (143, 129) in the block, further ones do nothing.

    What was ignored before (nohup) stays ignored. Outside of the main thread nothing is changed.
    """
    before: dict[int, Any] = {}

    def end(number: int, _frame: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(_BY_SIGNAL + number)

    if threading.current_thread() is threading.main_thread():
        for number in [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
