"""Lines of another log taken over by a store in a folder as they are: durable run by run, behind what is there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from .log.lines import Damaged, Extent, decode_line, digest_of, head_after, is_commit
from .log.records import blobs_of
from .state.apply import apply
from .state.blobs import BlobLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .indexed_log import IndexedLog
    from .log.lines import Record

    Run = list[tuple[bytes, Record]]


def load(store: IndexedLog, lines: Iterable[bytes], blob: Callable[[str], bytes] | None = None) -> Iterator[int]:
    """Take the lines of complete runs; yields the size of the log after each.

    ``blob`` gives the bytes of an image or a document by its hash. Killed anywhere, the runs that were yielded are there. Raises
    ``Damaged`` for a line that no reader would take, and ``StoreNotWritable``.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(store.forget)  # what was counted of a run that is not in the log
        for run in _runs(lines):
            audit = _counted(store, run, blob)
            store.log.append_run([line for line, _ in run[:-1]], run[-1][0])
            store.unsaved.append(audit)
            store.keep_up()
            yield store.state.size
        stack.pop_all()


def _runs(lines: Iterable[bytes]) -> Iterator[Run]:
    run: Run = []
    for line in lines:
        run.append((line, decode_line(line)))
        if is_commit(run[-1][1]):
            yield run
            run = []
    if run:
        raise Damaged("the last run did not finish")


def _counted(store: IndexedLog, run: Run, blob: Callable[[str], bytes] | None) -> bytes:
    """Account for a run, and have its blobs on the disk; the lines of the audit file that follow."""
    state, audit = store.state, []
    start = state.size
    for line, record in run:
        if blob is not None:
            for digest in blobs_of(record):
                if state.blobs.get(digest) is None:
                    with contextlib.suppress(BlobLost):  # then the line says what it was
                        store.blobs.keep({digest: blob(digest)})
        audit.append(apply(state, record, Extent(start, len(line)), store.blobs.fingerprint(record)))
        start += len(line)
    state.head = head_after(state.head, digest_of(line for line, _ in run), run[-1][1])
    return b"".join(audit)
