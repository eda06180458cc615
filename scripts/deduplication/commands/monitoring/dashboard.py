"""``deduplicate_export.py dashboard``: the store in a browser."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ...errors import EXIT_OK, StoreMissing, UsageError
from ...reports.monitoring import watching as report
from ...terminal.display import show
from .. import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

HOST: Final = "127.0.0.1"
PORT: Final = 8377
_SWITCH: Final = 0.001
"""Seconds after which whoever counts lets another thread go on: an answer does not wait for a look at gaps."""
TOKEN: Final = "EXPORT_DEDUP_DASHBOARD_TOKEN"  # noqa: S105 - the name of a variable


def main(arguments: Sequence[str]) -> int:
    """Serve until it is stopped. Raises ``PackageMissing``, ``StoreMissing``, ``UsageError``."""
    asked = parser().parse_args(arguments)
    from ...dashboard.origins import is_loopback, public_address
    from ...dashboard.serving import served

    token = _token(asked)
    public = public_address(asked.public_url) if asked.public_url is not None else ""
    subject = subject_of(asked)
    dashboard = served(subject, asked.host, asked.port, public=public, token=token, proxy=asked.proxy)
    if not is_loopback(asked.host):
        show(report.open_to_others(asked.host), sys.stderr)
    # A token of the user's own is a secret of theirs: it is in no output.
    url = dashboard.url.partition("?")[0] if token else dashboard.url
    with _until_stopped():  # before the address is printed: whoever has read it may stop it
        if asked.json:
            shared.print_json(
                {"url": url, "host": asked.host, "port": dashboard.place.port, "storage_dir": subject.where}
            )
            sys.stdout.flush()
        else:
            show(report.serving(url, subject.where, own_token=bool(token)))
        if asked.open:
            import webbrowser

            webbrowser.open(url)
        dashboard.run()
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py dashboard",
        "Serve the store's figures, a search and a reader of conversations to a browser on this machine, until Ctrl-C. The\n"
        "address that is printed has a key in it: whoever has it may read everything. Needs the extra 'dashboard'.",
    )
    add = found.add_argument
    add("--host", metavar="H", default=HOST, help=f"the address to listen at (default: {HOST}, this machine alone)")
    add("--port", metavar="N", type=_port, default=PORT, help=f"the port, 0 for any that is free (default: {PORT})")
    add("--public-url", metavar="URL", help="the address by which browsers reach it through a reverse proxy")
    add(
        "--proxy",
        metavar="ADDRESS",
        default="",
        help="the reverse proxy, whose X-Forwarded-For is believed (default with --public-url: 127.0.0.1)",
    )
    add(
        "--token-file",
        metavar="FILE",
        help=f"a file with a key of your own, which stays the same (or the variable {TOKEN}); else each start makes one",
    )
    add("--open", action="store_true", help="open it in the browser")
    shared.add_store(found)
    add("--json", action="store_true", help="print the address as one JSON object, then serve")
    return found


def subject_of(asked: argparse.Namespace) -> Any:
    """The store to look at. Raises ``StoreMissing`` where there is none."""
    from ...dashboard import extra
    from ...dashboard.subject import subject_of as opened
    from .gaps import client_of

    extra.flask()  # what is missing is said before anything is opened
    extra.waitress()
    folder = shared.store_to_read(asked).folder
    subject = opened(folder, asked.backend, asked.db_url, lambda: client_of(asked, folder))
    if subject.in_folder and not shared.is_store(folder):
        raise StoreMissing(folder)
    return subject


def _token(asked: argparse.Namespace) -> str:
    """A key of the user's own; empty where there is none."""
    from ...dashboard.access import checked, token_in

    if asked.token_file is not None:
        return token_in(asked.token_file)
    said = os.environ.get(TOKEN, "")
    return checked(said, TOKEN) if said else ""


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise UsageError(f"--port {text} is none")
    return port


@contextlib.contextmanager
def _until_stopped() -> Iterator[None]:
    """Ends the block without a word at Ctrl-C, and when the system ends the process."""

    def stop(_signal: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    sys.setswitchinterval(_SWITCH)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
