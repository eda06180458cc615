"""A turn that one process has at a time, and in which it may do the work of those who wait for it as well.

Who waits puts down what it wants (``NAME.wish``, locked for as long as it waits, so that nobody answers a process that is gone)
and finds an answer (``NAME.answer``), or has the turn itself once the lock is free: because its holder has ended, or was
killed, with or without having answered. So the answer is looked for before the lock and once more behind it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import StoreLocked
from ..start.late_pattern import late_pattern
from . import atomic, beneath, locking

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

LOCK: Final = "turn.lock"
"""In a store's folder: held by the run at work, for others as well."""
WAITING: Final = "waiting"
"""In a store's folder: where runs wait for their turn, or for an answer."""
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a wish or an answer: more is not read."""
_POLL: Final = (0.05, 0.5)
"""Seconds between two looks for an answer: a twentieth of what was waited so far, within these."""
_SHOWN: Final = 5.0
"""Seconds between two signs of life."""
_EACH: Final = 3
"""The lock is tried each time that an answer was looked for so often: trying costs more than looking."""
_NAME: Final = late_pattern(r"[0-9]{1,20}-[0-9]{1,20}")
_WISH: Final = ".wish"
_NEW: Final = ".new"
_ANSWER: Final = ".answer"
_BEGUN: Final = ".begun"
_ALL: Final = (_ANSWER, _BEGUN, _WISH, _NEW)


def give(state: str, name: str, answer: dict[str, Any]) -> None:
    """Answer the process that waits as ``name`` (:meth:`Turn.wishes`) in the folder ``state``. Raises ``StoreNotWritable``."""
    _write(state, name + _ANSWER, answer)


def note(state: str, name: str, begun: dict[str, Any]) -> None:
    """Leave to the process that waits as ``name`` what was done of its work so far, should no answer come. Raises the same."""
    _write(state, name + _BEGUN, begun)


def _write(state: str, file: str, content: dict[str, Any]) -> None:
    if _NAME.fullmatch(os.path.splitext(file)[0]):
        atomic.replace(os.path.join(state, WAITING, file), json.dumps(content).encode(), durable=False)


class Turn:
    """The turn in the folder ``state``, which exists; the folder of those who wait is made private where it is missing.

    ``answer``: what another process has answered; None: it is this one's turn.
    """

    def __init__(self, state: str) -> None:
        self.answer: Optional[dict[str, Any]] = None
        self._lock, self._folder = os.path.join(state, LOCK), os.path.join(state, WAITING)
        self._name = ""
        self._place: Optional[int] = None
        self._held: Optional[int] = None

    @contextlib.contextmanager
    def taken(
        self,
        wish: dict[str, Any],
        timeout: float = locking.DEFAULT_TIMEOUT,
        placed: Callable[[], None] = lambda: None,
    ) -> Iterator[Turn]:
        """Have the turn, or an answer to ``wish`` (JSON). Raises :class:`StoreLocked`, ``StoreNotWritable``.

        Who has the turn and shows that it is there (:meth:`shown`) is waited for ``timeout`` seconds more. ``placed`` is called as
        soon as this process has the turn or can be seen waiting for it.
        """
        held = locking.attempt(self._lock)
        try:
            if held is None:
                self._wait(json.dumps(wish).encode())
                placed()
                held = self._until_free(timeout)
            else:
                placed()
            self._held = held
            yield self
        finally:
            self._leave()
            if held is not None:
                self._sweep()
                os.close(held)

    def wishes(self, besides: Container[str] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
        """Those who wait unanswered, the longest first, by name, and what each wants: JSON as it was found. In one's own turn.

        ``besides``: names that are known, and not looked at.
        """
        for name in self._names():
            if name in besides or name == self._name or os.path.lexists(self._path(name, _ANSWER)):
                continue
            wish = _read(self._path(name, _WISH)) if locking.is_held(self._path(name, _WISH)) else None
            if wish is not None:
                yield name, wish

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """In one's own turn: those who wait see that this process is there, and go on waiting, as long as the block lasts.

        One that was stopped shows nothing. Each wait for another lock has an end, so nobody shows himself for ever.
        """
        import threading

        ended = threading.Event()

        def show() -> None:
            with contextlib.suppress(OSError, TypeError, NotImplementedError):
                while self._held is not None and not ended.wait(_SHOWN):
                    os.utime(self._held)

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def begun(self, name: str = "") -> Optional[dict[str, Any]]:
        """What was done for ``name``, or for this one, by a process that ended before it could answer (:func:`note`)."""
        path = self._path(name or self._name, _BEGUN)
        return _read(path) if os.path.lexists(path) else None

    def answered(self) -> Optional[dict[str, Any]]:
        """The answer that has come by now."""
        answer = self._path(self._name, _ANSWER)
        self.answer = _read(answer) if self._name and os.path.lexists(answer) else None
        return self.answer

    def _wait(self, wish: bytes) -> None:
        """Put down what is wanted: visible only when it is whole and locked."""
        atomic.make_private_directory(self._folder)
        self._name = f"{os.getpid()}-{time.time_ns()}"
        new = self._path(self._name, _NEW)
        with atomic.write_errors(new):
            self._place = locking.attempt(new)
            if self._place is not None:
                atomic.write_all(self._place, wish)
                beneath.rename(new, self._path(self._name, _WISH))

    def _until_free(self, timeout: float) -> Optional[int]:
        """The lock's descriptor; None where there is an answer."""
        began = time.monotonic()
        deadline, looked, moved = began + timeout, 0, _moved(self._lock)
        while self.answered() is None:
            looked += 1
            held = locking.attempt(self._lock) if looked % _EACH == 1 else None
            if held is not None:
                if self.answered() is None:
                    return held
                os.close(held)
                break
            if time.monotonic() >= deadline:
                last, moved = moved, _moved(self._lock)
                if last != moved:
                    deadline = time.monotonic() + timeout
                    continue
                raise StoreLocked(f"{self._lock} (waited {timeout:g} s)")
            least, most = _POLL
            time.sleep(min(max((time.monotonic() - began) / 20, least), most))
        return None

    def _leave(self) -> None:
        if self._name:
            for ending in _ALL:
                _remove(self._path(self._name, ending))
        if self._place is not None:
            os.close(self._place)

    def _names(self) -> list[str]:
        with contextlib.suppress(OSError):
            found = (os.path.splitext(file) for file in os.listdir(self._folder))
            names = {name for name, _ in found if _NAME.fullmatch(name)}
            return sorted(names, key=lambda name: (int(name.partition("-")[2]), name))
        return []

    def _path(self, name: str, ending: str) -> str:
        return os.path.join(self._folder, name + ending)

    def _is_gone(self, name: str) -> bool:
        """Whether the process has ended: one that may be there keeps its answer."""
        return not any(locking.is_held(self._path(name, ending), unknown=True) for ending in (_WISH, _NEW))

    def _sweep(self) -> None:
        """Remove what processes left that were killed while they waited, and answers that came too late."""
        for name in self._names():
            if self._is_gone(name):
                for ending in _ALL:
                    _remove(self._path(name, ending))
        atomic.remove_temporaries(self._folder)


def _read(path: str) -> Optional[dict[str, Any]]:
    """The JSON object in a file of this user's; None where there is none."""
    try:
        with atomic.open_regular(path) as opened:
            if hasattr(os, "geteuid") and os.fstat(opened.fileno()).st_uid != os.geteuid():
                return None
            data = opened.read(MOST_BYTES + 1)
        found = json.loads(data) if len(data) <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _moved(lock: str) -> int:
    """When whoever has the turn last showed that it is there."""
    with contextlib.suppress(OSError):
        return beneath.status(lock).st_mtime_ns
    return 0


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        beneath.unlink(path)
