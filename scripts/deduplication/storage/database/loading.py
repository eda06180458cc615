"""Lines of another log taken over as they are: into an empty store, or into one that has the beginning of that log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..log.lines import Damaged, Extent, decode_line, digest_of, head_after, is_commit
from ..state.apply import apply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..log.lines import Record
    from .written import Written

_AT_ONCE: Final = 8 * 1024 * 1024
"""Bytes of lines from which on they are sent, at the end of a run."""


def load(store: Written, lines: Iterable[bytes]) -> Iterator[int]:
    """Take the lines of complete runs, and send them some megabytes at a time; yields the size of the log after each time.

    What was sent stays: whoever goes on begins behind it. Raises ``Damaged`` for a line that no reader would take.
    """
    size, head, waiting = store.state.size, store.state.head, 0
    for run in _runs(lines):
        _take(store, run)
        waiting += sum(len(line) for line, _ in run)
        if waiting >= _AT_ONCE:
            store.send((size, head))
            store.let_go()
            size, head, waiting = store.state.size, store.state.head, 0
            yield size
    if waiting:
        store.send((size, head))
        yield store.state.size


def _runs(lines: Iterable[bytes]) -> Iterator[list[tuple[bytes, Record]]]:
    run: list[tuple[bytes, Record]] = []
    for line in lines:
        run.append((line, decode_line(line)))
        if is_commit(run[-1][1]):
            yield run
            run = []
    if run:
        raise Damaged("the last run did not finish")


def _take(store: Written, run: list[tuple[bytes, Record]]) -> None:
    state = store.state
    start = state.size
    state.bodies.find_all(record["content_hash"] for _, record in run if "content_hash" in record)
    for line, record in run:
        store.unsaved.append(apply(state, record, Extent(start, len(line)), store.blobs.fingerprint(record)))
        start += len(line)
    state.head = head_after(state.head, digest_of(line for line, _ in run), run[-1][1])
    store.log.append_run([line for line, _ in run[:-1]], run[-1][0])
