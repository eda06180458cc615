"""Lines of another log taken over as they are: into an empty store, or into one that has the beginning of that log."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from ..log.lines import Damaged, Extent, decode_line, digest_of, head_after, is_commit
from ..log.records import blobs_of
from ..state.apply import apply
from ..state.blobs import BlobLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..log.lines import Record
    from .written import Written

_AT_ONCE: Final = 8 * 1024 * 1024
"""Bytes of lines from which on they are sent, at the end of a run."""
_EMPTIED: Final = ("messages", "runs", "watermarks", "index_entries", "conversations", "stores")
OF_RUNS: Final = ("process_export", "capture", "purge")
"""Operations in the audit log that follow from lines of the log."""
_NOTES: Final = (
    "SELECT conversation_id, metadata::text FROM conversations WHERE owner = current_user AND metadata IS NOT NULL"
)
"""What people noted of conversations follows from nothing."""
_NOTE: Final = "UPDATE conversations SET metadata = %s::jsonb WHERE owner = current_user AND conversation_id = %s"
_UNREFERRED: Final = """
DELETE FROM blobs AS b WHERE b.owner = current_user AND b.digest <> ALL(%s)
"""


def load(store: Written, lines: Iterable[bytes], blob: Callable[[str], bytes] | None = None) -> Iterator[int]:
    """Take the lines of complete runs, and send them some megabytes at a time; yields the size of the log after each time.

    ``blob`` gives the bytes of an image or a document by its hash, where the database may not have them. What was sent stays:
    whoever goes on begins behind it. Raises ``Damaged`` for a line that no reader would take.
    """
    before, waiting = store.end, 0
    for run in _runs(lines):
        _take(store, run, blob)
        waiting += sum(len(line) for line, _ in run)
        if waiting >= _AT_ONCE:
            store.send(before)
            store.let_go()
            before, waiting = store.end, 0
            yield before.size
    if waiting:
        store.send(before)
        yield store.state.size


def replace(store: Written, lines: Iterable[bytes], blob: Callable[[str], bytes] | None = None) -> None:
    """Have these lines, of complete runs, in the place of all that is there, in one transaction, and what follows from them.

    Takes the role that may purge. Raises ``Damaged`` as :func:`load` does, ``DatabaseNotAllowed``.
    """
    with store.session.whole() as connection:
        notes = connection.execute(_NOTES).fetchall()
        connection.execute("SET LOCAL export_dedup.purging = 'on'")
        for table in _EMPTIED:
            connection.execute(f"DELETE FROM {table} WHERE owner = current_user")
        connection.execute(
            "DELETE FROM deduplication_log WHERE owner = current_user AND operation = ANY(%s)", [[*OF_RUNS]]
        )
        store.forget()
        for _ in load(store, lines, blob):
            pass
        connection.execute(_UNREFERRED, [[digest for digest, _ in store.state.blobs.items()]])
        for name, note in notes:
            connection.execute(_NOTE, [note, name])


def _runs(lines: Iterable[bytes]) -> Iterator[list[tuple[bytes, Record]]]:
    run: list[tuple[bytes, Record]] = []
    for line in lines:
        run.append((line, decode_line(line)))
        if is_commit(run[-1][1]):
            yield run
            run = []
    if run:
        raise Damaged("the last run did not finish")


def _keep_blobs(store: Written, record: Record, blob: Callable[[str], bytes]) -> None:
    for digest in blobs_of(record):
        with contextlib.suppress(BlobLost):  # then the line says what it was
            store.blobs.keep({digest: blob(digest)})


def _take(store: Written, run: list[tuple[bytes, Record]], blob: Callable[[str], bytes] | None) -> None:
    state = store.state
    start = state.size
    state.bodies.find_all(record["content_hash"] for _, record in run if "content_hash" in record)
    for line, record in run:
        if blob is not None:
            _keep_blobs(store, record, blob)
        store.unsaved.append(apply(state, record, Extent(start, len(line)), store.blobs.fingerprint(record)))
        start += len(line)
    state.head = head_after(state.head, digest_of(line for line, _ in run), run[-1][1])
    store.log.append_run([line for line, _ in run[:-1]], run[-1][0])
