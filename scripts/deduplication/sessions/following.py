"""The files of a conversation after it got another title: renamed, and what stands in them of it written anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from . import renewing
from .agents import family
from .folder import finish_purge, held
from .overview.folder import has_index

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.contract import Store


def follow_title(project: Project, store: Store, session: str) -> list[Path]:
    """Bring the files that the conversation has, and those of its sub-agents, which link to it, up to what it is called now.

    Outside of a transaction; the first files of those that were there. Raises :class:`SessionNotWritten`.
    """
    folder = str(project.sessions)
    with store.transaction(write=False):
        sessions = {session, *family(store, session).agents.values()}
    if not any(renewing.notes_of(folder, sessions)[0].values()) and not has_index(project):
        return []
    renewal = renewing.prepared_for(project)

    def attempt() -> list[str]:
        with held(project):
            finish_purge(project, store)
            notes, _ = renewing.notes_of(folder, sessions)
            with store.transaction(write=False):
                return renewing.renew(project, store, notes, renewal)

    return [Path(path) for path in renewal.redact.until_clean(attempt)]
