"""Lines of another log taken over as they are: into an empty store, or into one that has the beginning of that log.

While the server takes some rows the next ones are made; what must be asked for is asked once for many lines.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
from functools import partial
from typing import TYPE_CHECKING, Final

from ..audit_entries import OF_RUNS
from ..log.lines import Damaged, Extent, head_after, is_commit
from ..log.records import blobs_of
from ..state.apply import apply
from ..state.blobs import BlobLost
from . import changes
from .errors import StoreChanged
from .message_rows import MessageRows, Told
from .sending import sending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..log.lines import Record
    from .session import Change
    from .written import Written

    Blob = Callable[[str], bytes]
    Send = Callable[[Iterable[Change]], None]

_AT_ONCE: Final = 8 * 1024 * 1024
"""Bytes of lines about which the database is asked at once; at the end of a run they are committed."""
_PIECE: Final = 2_000
"""Lines of which the rows are sent together, fewer where they come to this many bytes with their blobs:"""
_PIECE_BYTES: Final = 4 * 1024 * 1024
_COUNT: Final = """
ANALYZE conversations, watermarks, deduplication_log, index_entries, blobs (conversation_id, owner, digest),
    runs (conversation_id, owner, log_start, export_sha256, created_at),
    messages (conversation_id, owner, message_index, content_hash, kind, alignment_key, uuid, log_start, created_at)
"""
"""Else a question is planned as if the tables were as small as before. Whoever may not is told so in a warning, and that is all.

Only what questions look for: texts and words take as long again, and the server gets round to them by itself.
"""
_OFTEN: Final = 4
_ENOUGH: Final = 1.1
_LITTLE: Final = 1024 * 1024
"""Bytes of lines for which the server is not asked to count."""
_EMPTIED: Final = ("messages", "runs", "watermarks", "index_entries", "conversations", "stores")
_NOTES: Final = (
    "SELECT conversation_id, metadata::text FROM conversations WHERE owner = current_user AND metadata IS NOT NULL"
)
"""What people noted of conversations follows from nothing."""
_NOTE: Final = "UPDATE conversations SET metadata = %s::jsonb WHERE owner = current_user AND conversation_id = %s"
_UNREFERRED: Final = """
DELETE FROM blobs AS b WHERE b.owner = current_user AND b.digest <> ALL(%s)
"""


def load(store: Written, lines: Iterable[bytes], blob: Blob | None = None) -> Iterator[int]:
    """Take the lines of complete runs, and send them some megabytes at a time; yields the size of the log after each time.

    ``blob`` gives the bytes of an image or a document by its hash, where the database may not have them. What was sent stays:
    whoever goes on begins behind it. Raises ``Damaged`` for a line that no reader would take.
    """
    batches = _batches(lines, store.state.size)
    counted = store.state.size
    while _load_some(store, batches, blob):
        counted = _counted(store, counted, _OFTEN)
        yield store.state.size
    _counted(store, counted, _ENOUGH)


def _counted(store: Written, counted: int, times: float) -> int:
    """Let the server count its rows where the log is so many times as long as when it did last; how long it was then."""
    size = store.state.size
    if size < max(times * counted, counted + _LITTLE):
        return counted
    store.session.outside(lambda connection: connection.execute(_COUNT))
    return size


def replace(store: Written, lines: Iterable[bytes], blob: Blob | None = None) -> None:
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


def _load_some(store: Written, batches: Iterator[list[Told]], blob: Blob | None) -> bool:
    """The lines of one transaction; False where there were none."""
    with _uncollected():
        batch = next(batches, [])
        if not batch:
            return False
        before = store.end
        with sending(store.session) as send:
            taking = _Taking(store, blob, send)
            while not taking.take(batch):
                batch = next(batches, [])
            send(changes.of_state(store.state, store.tables))
            if not store.session.rows(changes.STORE, store.sums(before)):
                raise StoreChanged(str(store.session))
        store.session.ends_at(store.end)
        store.sent()
        store.let_go()
    return True


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Lines make no cycles: to look for some takes a fifth of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _batches(lines: Iterable[bytes], start: int) -> Iterator[list[Told]]:
    """As many lines as are asked about at once, up to the end of a run; of one that is longer than twice as many a part."""
    batch: list[Told] = []
    size = 0
    for told in changes.told_from(lines, start):
        batch.append(told)
        size += len(told.line)
        if size >= _AT_ONCE and (size >= 2 * _AT_ONCE or is_commit(told.record)):
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Taking:
    """The lines of one transaction."""

    def __init__(self, store: Written, blob: Blob | None, send: Send) -> None:
        self._store, self._blob, self._send = store, blob, send
        self._rows = MessageRows(partial(changes.bodies_of, store.session))
        self._run = hashlib.sha256()

    def take(self, batch: list[Told]) -> bool:
        """Apply and send these lines; whether they end with a run. Raises ``Damaged``."""
        if not batch:
            raise Damaged("the last run did not finish")
        store = self._store
        try:
            store.tables.expect_lines(batch)
            self._rows.expect(batch)
        except (KeyError, TypeError) as error:
            raise Damaged(f"a record of another form ({error!r})") from error
        piece: list[Told] = []
        size = 0
        for told in batch:
            size += len(told.line) + self._apply(told)
            piece.append(told)
            if len(piece) == _PIECE or size >= _PIECE_BYTES:
                self._send_rows(piece)
                piece, size = [], 0
        self._send_rows(piece)
        return is_commit(batch[-1].record)

    def _apply(self, told: Told) -> int:
        """One line; returns the bytes of blobs that go with it."""
        store, record = self._store, told.record
        taken = self._take_blobs(record, self._blob) if self._blob is not None else 0
        extent = Extent(told.start, len(told.line))
        store.unsaved.append(apply(store.state, record, extent, store.blobs.fingerprint(record)))
        self._run.update(told.line)
        if is_commit(record):
            store.state.head = head_after(store.state.head, self._run.hexdigest(), record)
            self._run = hashlib.sha256()
        return taken

    def _take_blobs(self, record: Record, blob: Blob) -> int:
        size = 0
        for digest in blobs_of(record):
            if self._store.state.blobs.get(digest) is None:
                with contextlib.suppress(BlobLost):  # then the line says what it was
                    data = self._store.blobs.unsent[digest] = blob(digest)
                    size += len(data)
        return size

    def _send_rows(self, piece: list[Told]) -> None:
        store = self._store
        if piece:
            new = changes.Lines(piece, store.unsaved, dict(store.blobs.unsent))
            self._send(changes.of_lines(store.state, store.tables, new, self._rows))
            store.unsaved.clear()
            store.blobs.unsent.clear()
