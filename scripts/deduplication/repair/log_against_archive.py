"""The log held against the archive: whether something lies there that no run tells of, or that is not what was archived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ..storage.log.lines import is_commit
from ..storage.log.salvage import pieces_of
from ..storage.log_backed import Remembered
from .archive_access import opened
from .evidence import Evidence
from .lost_runs import is_another
from .raw_sources import Sources, is_transcript

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.log_backed import LogBackedStore


def archive_disagrees(store: LogBackedStore, project: Optional[Project]) -> bool:
    """Whether the archive has something that the log does not tell of, or a plain file that is not what was archived."""
    if project is None:
        return False
    with opened(project) as shelf, store.unrecovered_log() as log:
        if shelf is None:
            return False
        pieces = [piece for piece in pieces_of(log) if piece.record is None or is_commit(piece.record)]
        evidence = Evidence(pieces, Sources(shelf), Remembered())
        for entry in evidence.sources.entries:
            if is_transcript(entry) or evidence.sources.sha256(entry) in evidence.digests:
                continue
            known = any(member.sha256 in evidence.digests for member in evidence.sources.members_of(entry))
            if is_another(evidence, entry) or not known:
                return True
    return False
