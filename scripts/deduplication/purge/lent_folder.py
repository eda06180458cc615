"""A store that lies in a database, lent a folder for as long as a purge takes: all that a purge knows how to do is done there.

The database has the purged log before the folder is emptied. Killed in between, the same purge goes on, and then empties it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..errors import PurgeRefused
from ..files import atomic, beneath, journal
from ..project.paths import INDEX_NAMES, LENT, LOG_NAME
from ..storage.hybrid import sent_mark
from ..storage.log.sealed_files import FOLDER
from ..storage.log_backed import folder_of, place_of
from ..storage.state.blobs import NAME as BLOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.contract import Store

_FILES = (LOG_NAME, *INDEX_NAMES, sent_mark.NAME)


@contextlib.contextmanager
def in_a_folder(store: Store, folder: str) -> Iterator[Store]:
    """``store`` as it is where it lies in a folder, else its log in ``folder``, which is emptied afterwards.

    Raises :class:`PurgeRefused` where a log of another store lies there, and the ``StoreError`` family.
    """
    if folder_of(store) is not None:
        yield store
        return
    from ..exchange.exchange import exchange
    from ..storage.hybrid.hybrid_store import HybridStore

    marker = os.path.join(folder, LENT)
    if os.path.lexists(os.path.join(folder, LOG_NAME)) and not os.path.lexists(marker):
        hint = "Purge that store first (--backend default), then move its folder away, and purge this one again."
        raise PurgeRefused(f"{folder} has a store of its own, which may have the same messages", hint=hint)
    with atomic.write_errors(folder):
        atomic.make_private_directory(folder)
        atomic.replace(marker, b"")
    place = place_of(store)
    assert place is not None
    lent = HybridStore(folder, place)
    try:
        exchange(lent)
        yield lent
    finally:
        if not journal.places(folder):
            _empty(folder)


def _empty(folder: str) -> None:
    """Delete what was lent, the mark last."""
    for name in (FOLDER, BLOBS):
        beneath.remove_tree(os.path.join(folder, name), ignore_errors=True)
    for name in (*_FILES, LENT):
        with atomic.write_errors(os.path.join(folder, name)), contextlib.suppress(FileNotFoundError):
            beneath.unlink(os.path.join(folder, name))
