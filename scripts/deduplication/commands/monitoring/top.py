"""``deduplicate_export.py top``: captures, hooks and runs as they happen."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Callable, Final

from ...activity import screen
from ...activity.feed import Feed
from ...errors import EXIT_OK, UsageError
from ...reports.monitoring import watching as report
from ...terminal import console
from ...terminal.display import show
from .. import arguments as shared
from ..shell.titles import namings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ...storage.contract import Store

EVERY: Final = 1.0
_SHORTEST: Final = 0.2


def main(arguments: Sequence[str]) -> int:
    """Show what happens until somebody ends it; once, with ``--once`` and ``--json``. Raises ``StoreMissing``."""
    asked = parser().parse_args(arguments)
    dedup, folder = shared.reader(asked)
    feed, titles, where = Feed(dedup.store, folder), _titles(asked, dedup.store), dedup.store.where()
    if asked.json:
        events = feed.look()
        shared.print_json({"store": where, "now": feed.now().as_dict(), "events": [each.as_dict() for each in events]})
    elif asked.once:
        events = feed.look()
        show(report.snapshot(events, feed.now(), where, titles))
    elif console.is_terminal(sys.stdout) and _has_rich():
        screen.follow(feed, titles, asked.every, where)
    else:
        _lines(feed, titles, asked.every, where)
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py top",
        "Show exports, captures, purges and hooks as they happen, the newest first, until q or Ctrl-C is pressed. Without a\n"
        "terminal, a line for each as it comes. Nothing is changed.",
    )
    add = found.add_argument
    add("--once", action="store_true", help="show what happened last, and end")
    add("--every", metavar="S", type=_seconds, default=EVERY, help=f"look every S seconds (default: {EVERY:g})")
    shared.add_store(found)
    add("--json", action="store_true", help="print what happened last as one JSON object, and end")
    return found


def _seconds(text: str) -> float:
    seconds = float(text)
    if not _SHORTEST <= seconds <= 3600:
        raise UsageError(f"--every {text} is not between {_SHORTEST:g} and 3600 seconds")
    return seconds


def _has_rich() -> bool:
    with contextlib.suppress(ImportError):
        import rich.live

        return rich.live is not None
    return False


def _titles(asked: argparse.Namespace, store: Store) -> Callable[[str], str]:
    known: dict[str, str] = {}

    def title(conversation: str) -> str:
        if conversation not in known:
            with store.transaction(write=False):
                name = store.canonical(conversation)
                known[conversation] = namings(asked, store, [name])[name].shown
        return known[conversation]

    return title


def _lines(feed: Feed, titles: Callable[[str], str], every: float, where: str) -> None:
    """Where nothing stays on the screen."""
    with contextlib.suppress(KeyboardInterrupt):
        show("\n".join([report.head(feed.now(), where), *(report.line(event, titles) for event in feed.look())]))
        while True:
            time.sleep(every)
            for event in feed.look():
                show(report.line(event, titles))
