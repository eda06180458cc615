"""The process that serves: it listens, says where, and ends when it is told to."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import UsageError
from ..start.late_tuple import NamedTuple
from . import drawing, extra
from .access import Access
from .application import application
from .board import Board
from .figures import Figures
from .origins import Place
from .sources import sources

if TYPE_CHECKING:
    from collections.abc import Callable

    from .subject import Subject

THREADS: Final = 8


class Served(NamedTuple):
    """A dashboard that listens: ``run`` answers until Ctrl-C, or until another thread calls ``close``, and ``url`` opens it."""

    url: str
    run: Callable[[], None]
    close: Callable[[], None]
    app: Any
    place: Place


def board_of(figures: Figures, root: Optional[str] = "", *, at_once: bool = False) -> Board:
    """The panels of a store. Raises ``PackageMissing``."""
    drawing.environment()
    return Board(sources(figures, at_once=at_once), lambda name, title, data: drawing.panel(name, title, data, root))


def served(
    subject: Subject, host: str = "127.0.0.1", port: int = 0, *, public: str = "", token: str = "", proxy: str = ""
) -> Served:
    """Listen at ``host``, at any free port where ``port`` is 0. ``public`` is the address that a reverse proxy gives it, ``proxy``
    the one that the proxy has. Raises ``PackageMissing``, and ``UsageError`` where nothing is free.
    """
    server = extra.waitress()
    logging.getLogger("waitress").setLevel(logging.CRITICAL)  # it warns of every request that waits a moment
    logging.getLogger("waitress.queue").setLevel(logging.CRITICAL)
    listening = _listening(host, port)
    place = Place(host, listening.getsockname()[1], public)
    access, figures = Access(token), Figures(subject)
    board = board_of(figures, place.prefix)
    app = application(subject, board, access, place, lambda: metrics_of(figures))
    sockets: dict[int, Any] = {}
    made = server.create_server(
        app,
        map=sockets,
        sockets=[listening],
        threads=THREADS,
        url_prefix=place.prefix,
        ident=None,
        clear_untrusted_proxy_headers=True,
        **_proxied(proxy or ("127.0.0.1" if public else "")),
        connection_limit=400,
        max_request_header_size=32 * 1024,
        max_request_body_size=256 * 1024,
        channel_timeout=60,
    )

    def run() -> None:
        try:
            made.run()
        finally:
            made.task_dispatcher.shutdown()
            extra.waitress_loop().close_all(sockets, ignore_all=True)
            subject.stores.close()

    def close() -> None:
        # In the thread of the loop: what closes a socket that another thread waits for may close the next one with its number.
        if sockets:
            made.trigger.pull_trigger(lambda: extra.waitress_loop().close_all(sockets, ignore_all=True))

    board.shown()
    return Served(f"{place.first}/?token={access.token}", run, close, app, place)


def _proxied(proxy: str) -> dict[str, Any]:
    """Whose word is taken for who asks."""
    if not proxy:
        return {}
    return {"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for"}, "trusted_proxy_count": 1}


def metrics_of(figures: Figures) -> str:
    """The figures of the last look, for Prometheus."""
    from ..metrics.families import text_of

    subject = figures.subject
    return text_of(figures.stored().metrics, pool=None if subject.in_folder else subject.stores.counts())


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(256)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        hint = "Pass another --port; 0 takes any that is free."
        raise UsageError(f"nothing can listen at {host}:{port}: {error.strerror or error}", hint=hint) from error
    return listening
