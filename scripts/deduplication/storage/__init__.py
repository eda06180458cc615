"""The storage backends, by name.

- *Store*: what the engine asks of any backend (``contract``).
- *Log-backed store*: one that lies in a folder and has a log, for purge, repair, backup, verify and search (``log_backed``).
- *Log store*: the one there is; a log, blobs, and an index that can be deleted at any time (``log_store``).
- *Run*: the occurrences of one export and its commit record, appended together (``run_writer``).
- *State*: what the log comes to, counted; every index holds one (``state``).
- *Replay*: a store that knows of a log what it had told up to some line (``replay``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import UsageError

if TYPE_CHECKING:
    from .contract import Store
    from .log_backed import LogBackedStore

JSON: Final = "json"
SQLITE: Final = "sqlite"
BACKENDS: Final = (JSON, SQLITE)


def open_store(backend: str, folder: str, connection_string: str | None = None) -> Store:
    """The store of this kind in ``folder``. Raises :class:`UsageError` for a backend that does not exist.

    ``json`` and ``sqlite`` are the same log; a large one has an SQLite index in any case.
    """
    if backend not in BACKENDS:
        raise UsageError(f"no storage backend is called '{backend}'", hint=f"Use one of: {', '.join(BACKENDS)}.")
    if connection_string:
        raise UsageError(f"the {backend} backend takes no database URL")
    from .log_store import LogStore

    return LogStore(folder, sqlite=backend == SQLITE)


def open_in_folder(folder: str, *, sqlite: bool = False) -> LogBackedStore:
    """The store that lies in ``folder``, for whoever reads or mends its log; ``sqlite``: with an SQLite index in any case."""
    from .log_store import LogStore

    return LogStore(folder, sqlite=sqlite)
