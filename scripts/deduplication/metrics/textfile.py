"""The file for node_exporter's textfile collector, written by runs: one for each store, in a folder that the settings name."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from ..errors import DedupError, OutputNotWritable
from ..files import atomic
from ..project import config
from ..storage.log_backed import folder_of
from .families import text_of
from .measurement import measure

if TYPE_CHECKING:
    from ..figures.savings import Savings
    from ..ingest.export_file import Deduplicator

SETTING: Final = "metrics_folder"


def path_for(folder: str, store: str) -> str:
    """The file of a store in the collector's folder: a name of its own, whatever the store is called."""
    return os.path.join(folder, f"export_dedup_{hashlib.sha256(os.fsencode(store)).hexdigest()[:12]}.prom")


def folder_for(root: str) -> str:
    """The collector's folder, as the settings for a project have it; empty for none."""
    return os.path.expanduser(str(config.load(root)[SETTING]))


def write(dedup: Deduplicator, state: str, folder: str, storage: Savings | None = None) -> str:
    """Write the figures of a store, whole or not at all, for everyone to read; where they are now.

    The folder is the collector's: it is not made. Raises :class:`OutputNotWritable`, ``StoreError``.
    """
    if not os.path.isabs(folder) or not os.path.isdir(folder):
        raise OutputNotWritable(
            folder, hint=f"Make the folder, or set {SETTING} to one that exists, by its whole path."
        )
    # The database of a store in a folder is nothing that a run waits for.
    metrics = measure(dedup, state, storage=storage, database=folder_of(dedup.store) is None)
    path = path_for(folder, metrics.store)
    try:
        atomic.replace(path, text_of(metrics).encode(), mode=atomic.SHARED_FILE, durable=False)
    except DedupError as error:
        raise OutputNotWritable(error.detail) from error
    return path
