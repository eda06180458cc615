"""``deduplicate_export.py log``: the whole log as JSON lines, byte for byte as they were appended."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

from ..errors import EXIT_OK, StoreError
from ..storage.log_backed import require_log
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..storage.log_backed import LogBackedStore

_AT_ONCE: Final = 4 * 1024 * 1024
"""Bytes that are read under the store's lock at a time: whoever reads slowly keeps nobody from storing."""
_OVERLAP: Final = 4096
_PAUSE: Final = 0.3
"""Seconds between two looks for further lines."""


def main(arguments: Sequence[str]) -> int:
    """Print the log; with ``--follow`` until the user ends it."""
    asked = parser().parse_args(arguments)
    dedup = shared.deduplicator(asked, existing=True)
    out = sys.stdout.buffer
    for part in parts(require_log(dedup.store, "log"), follow=asked.follow):
        out.write(part)
        out.flush()
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py log",
        "Print the whole log, one JSON object a line, byte for byte as the lines were appended: every message with its\n"
        "words, every run. Sealed lines are put together again from the archive. For jq, grep, and readers of your own.",
    )
    shared.add_store(found)
    found.add_argument("--follow", action="store_true", help="go on as lines are added, until Ctrl-C")
    return found


def parts(store: LogBackedStore, *, follow: bool) -> Iterator[bytes]:
    """The log, some megabytes at a time. Raises :class:`StoreError` where it was written anew meanwhile."""
    at, last = 0, b""
    while True:
        with store.transaction(write=False):
            size = store.log_size()
            if size < at or (last and store.log_span(at - len(last), at) != last):
                raise StoreError(
                    "the log was written anew meanwhile, by a purge or a repair",
                    hint="What was printed is the log as it was before. Run the command again.",
                )
            part = store.log_span(at, min(at + _AT_ONCE, size))
        at += len(part)
        if part:
            last = (last + part)[-_OVERLAP:]
            yield part
        elif not follow:
            return
        else:
            time.sleep(_PAUSE)
