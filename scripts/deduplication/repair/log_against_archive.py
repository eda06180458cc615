"""The log held against the archive: whether something lies there that no run tells of, or that is not what was archived."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Optional

from ..storage.log.lines import Damaged, decode_line, is_commit
from .archive_access import opened
from .examine import examine
from .raw_sources import Sources, is_transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.paths import Project
    from ..storage.log.chain import Chain
    from ..storage.log_backed import FolderStore
    from .damage import Finding

_EXPORT = b'"export":'
"""In every commit record."""


def archive_disagrees(store: FolderStore, project: Optional[Project], chain: Chain) -> bool:
    """Whether the archive has something that the log does not tell of, or a plain file that is not what was archived.

    ``chain`` is that of a log that verified; what was stored since then is looked for where a file is in none of its runs.
    """
    if project is None:
        return False
    with opened(project) as shelf:
        if shelf is None:
            return False
        unknown = list(_unknown(Sources(shelf), chain.exports))
        since = _stored_since(store, chain.size) if unknown else set()
        return any(since.isdisjoint(digests) for digests in unknown)


def _unknown(sources: Sources, told: set[str]) -> Iterator[set[str]]:
    """Of each export that is in no run, nor any conversation in it, the SHA-256 of the file and of those."""
    for entry in sources.entries:
        if is_transcript(entry) or sources.sha256(entry) in told:
            continue
        digests = {sources.sha256(entry), *(member.sha256 for member in sources.members_of(entry))}
        if told.isdisjoint(digests):
            yield digests


def _stored_since(store: FolderStore, size: int) -> set[str]:
    """The SHA-256 of the exports of runs behind the first ``size`` bytes of the log."""
    found = set()
    with store.locked_log() as log:
        for line in log.lines(size):
            if _EXPORT in line.data:
                with contextlib.suppress(Damaged):
                    record = decode_line(line.data)
                    found |= {record["export"]["sha256"]} if is_commit(record) else set()
    return found


def findings_of(store: FolderStore, project: Optional[Project], problems: list[str], chain: Chain) -> list[Finding]:
    """What is damaged in store or archive, and what it costs, where ``problems`` were found or both tell different things."""
    return examine(store, project) if problems or archive_disagrees(store, project, chain) else []
