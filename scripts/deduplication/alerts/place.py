"""The store that is looked at, opened or not: an alert must come just where it cannot be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Optional

from ..errors import DedupError
from ..files import journal
from ..project import config
from ..project.paths import is_store
from ..start.late_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..project.client_transcripts import Transcript
    from ..project.paths import Project
    from ..storage.contract import Store


@dataclass(frozen=True)
class Place:
    """A store in ``folder``, the ``project`` beside whose other folders it lies, the ``settings`` in force.

    ``store`` is None where there is none, where a purge of it waits to be finished, or where it could not be opened: then
    ``fault`` says why. ``transcripts`` are those of the client that are to be compared with it.
    """

    project: Project
    folder: str
    settings: dict[str, Any]
    store: Optional[Store] = None
    fault: Optional[DedupError] = None
    transcripts: Sequence[Transcript] = ()
    root: Optional[Path] = None
    """The user's project, where its store lies in the user's own."""
    notes: bool = False
    """Whether it is noted how far each transcript was compared: by whoever may write."""

    def number(self, name: str) -> float:
        """A threshold of the settings."""
        return float(self.settings.get(name, config.DEFAULTS[name]))


def opened(
    project: Project,
    folder: str,
    settings: dict[str, Any],
    *,
    backend: Optional[str] = None,
    url: Optional[str] = None,
    transcripts: Sequence[Transcript] = (),
) -> Place:
    """The place with its store, as far as that can be opened. Nothing is created, and nothing raised for what is wrong with it."""
    from ..ingest.deduplicator import ClaudeConversationDeduplicator
    from ..storage.log_backed import folder_of

    folder = os.path.abspath(folder)
    try:
        if journal.unfinished(folder):
            return Place(project, folder, settings, transcripts=transcripts)
        dedup = ClaudeConversationDeduplicator(folder, backend, url)
        if folder_of(dedup.store) is not None and not is_store(folder):
            return Place(project, folder, settings, transcripts=transcripts)
        with dedup.store.transaction(write=False):
            dedup.store.unique_count()
    except DedupError as error:
        return Place(project, folder, settings, fault=error, transcripts=transcripts)
    return Place(project, folder, settings, dedup.store, transcripts=transcripts)
