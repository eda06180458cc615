"""The storage backends, by name.

- *Store*: what the engine asks of any backend (``contract``).
- *Log-backed store*: one that lies in a folder and has a log, for purge, repair, backup, verify and search (``log_backed``).
- *Log store*: the one there is; a log, blobs, and an index that can be deleted at any time (``log_store``).
- *Run*: the occurrences of one export and its commit record, appended together (``run_writer``).
- *State*: what the log comes to, counted; every index holds one (``state``).
- *Replay*: a store that knows of a log what it had told up to some line (``replay``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from ..errors import UsageError
from ..project import config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .contract import Store
    from .log.append_log import Log
    from .log_backed import FolderStore

DEFAULT: Final = "default"
JSON: Final = "json"
HYBRID: Final = "hybrid"
POSTGRESQL: Final = "postgresql"
_OF_A_PROJECT: Final = os.path.join("MEMORY-CONTEXT", "dedup_state")


def open_store(backend: str | None, folder: str, connection_string: str | None = None) -> Store:
    """The store of this kind in ``folder``, or in the database at ``connection_string``.

    What is None the settings of the project say whose store lies in ``folder``, else it is the default one. ``json`` is the same
    log with nothing of it sealed, and the content hashes as JSON beside it; ``hybrid`` one whose log a database has, too;
    ``postgresql`` lies in a database altogether. Raises :class:`UsageError` for a backend that does not exist, and for one without
    the address that it needs.
    """
    settings = _settings_of(folder)
    kind = _kind(backend, settings)
    if kind in (HYBRID, POSTGRESQL):
        from .database.place import place_of

        place = place_of(connection_string, settings)
        if kind == HYBRID:
            from .hybrid.hybrid_store import HybridStore

            return HybridStore(folder, place)
        from .database.database_store import DatabaseStore

        return DatabaseStore(place)
    if connection_string:
        raise UsageError(f"the {kind} backend takes no database URL")
    from .log_store import LogStore

    return LogStore(folder, plain=kind == JSON)


def lies_in_folder(backend: str | None, folder: str, connection_string: str | None = None) -> bool:
    """Whether :func:`open_store` with these gives a store of which a database knows nothing. Raises :class:`UsageError` as that."""
    return not connection_string and _kind(backend, _settings_of(folder)) not in (HYBRID, POSTGRESQL)


def _kind(backend: str | None, settings: Mapping[str, Any]) -> str:
    kind: str = backend or settings["backend"]
    if kind not in config.BACKENDS:
        raise UsageError(f"no storage backend is called '{kind}'", hint=f"Use one of: {', '.join(config.BACKENDS)}.")
    return kind


def _settings_of(folder: str) -> Mapping[str, Any]:
    """Those of the project whose store lies in a folder; what is given where none says anything for any other folder."""
    if not folder.endswith(_OF_A_PROJECT):
        return config.DEFAULTS
    return config.load(folder[: -len(_OF_A_PROJECT)] or os.curdir)


def open_in_folder(folder: str, *, plain: bool = False, log: Log | None = None) -> FolderStore:
    """The store that lies in ``folder``, for whoever reads or mends its log; ``plain``: as one of plain files.

    ``log``: its log, where somebody reads that in a way of his own.
    """
    from .log_store import LogStore

    return LogStore(folder, plain=plain, log=log)
