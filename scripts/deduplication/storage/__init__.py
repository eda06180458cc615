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
    from .log_backed import FolderStore

DEFAULT: Final = "default"
JSON: Final = "json"
SQLITE: Final = "sqlite"
"""What version 0.1 called a store with an index in a database: the default one."""
POSTGRESQL: Final = "postgresql"
HYBRID: Final = "hybrid"
BACKENDS: Final = (DEFAULT, JSON, SQLITE, HYBRID, POSTGRESQL)


def open_store(backend: str, folder: str, connection_string: str | None = None) -> Store:
    """The store of this kind in ``folder``. Raises :class:`UsageError` for a backend that does not exist.

    ``json`` is the same log with nothing of it sealed, and the content hashes as JSON beside it.
    """
    if backend not in BACKENDS:
        raise UsageError(f"no storage backend is called '{backend}'", hint=f"Use one of: {', '.join(BACKENDS)}.")
    if backend == POSTGRESQL:
        from .database.address import Address
        from .database.database_store import DatabaseStore

        return DatabaseStore(Address(connection_string))
    if backend == HYBRID:
        from .database.address import Address
        from .hybrid_store import HybridStore

        return HybridStore(folder, Address(connection_string))
    if connection_string:
        raise UsageError(f"the {backend} backend takes no database URL")
    from .log_store import LogStore

    return LogStore(folder, plain=backend == JSON)


def open_in_folder(folder: str, *, plain: bool = False) -> FolderStore:
    """The store that lies in ``folder``, for whoever reads or mends its log; ``plain``: as one of plain files."""
    from .log_store import LogStore

    return LogStore(folder, plain=plain)
