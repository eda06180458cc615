"""Changes that are sent to the server while whoever makes them goes on with the next ones."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from .session import make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from .session import Change, Session

_AHEAD: Final = 1
"""Changes that may be on their way when further ones are sent."""


@contextlib.contextmanager
def sending(session: Session) -> Iterator[Callable[[Iterable[Change]], None]]:
    """Inside a transaction for writing: all that is sent is durable at the end, or none of it is.

    A question that is asked meanwhile waits for what was sent before. Raises ``DatabaseError``.
    """
    from concurrent.futures import ThreadPoolExecutor

    sent: list[Future[None]] = []

    def wait(most: int = 0) -> None:
        while len(sent) > most:
            try:
                sent.pop(0).result()
            except BaseException:  # the first one to fail is why those behind it do
                sent.clear()
                raise

    with session.whole() as connection, ThreadPoolExecutor(1) as worker:

        def send(changes: Iterable[Change]) -> None:
            wait(_AHEAD)
            sent.append(worker.submit(make, connection, list(changes)))

        session.before_question = wait
        try:
            yield send
        finally:
            session.before_question = None
            wait()
