"""What a run does with its session files, and the index of all sessions, which it keeps up to date where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..start.late_tuple import NamedTuple
from .deferred_redaction import DeferredRedaction
from .folder import finish_purge, held, write_sessions
from .overview.folder import has_index, write_index
from .redaction import standard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..project.paths import Project
    from ..storage.contract import Store


class ForARun(NamedTuple):
    """What a run has to do with its session files: commit ``paths``, show ``shown``, and tell of what was left alone."""

    paths: tuple[Path, ...]
    shown: tuple[str, ...]
    untouched: tuple[str, ...]


def files_for_a_run(project: Project, dedup: Any, sessions: Iterable[str], *, each_checkpoint: bool) -> ForARun:
    """The one call that a run makes: the files of the sessions that it stored something of, brought up to the store.

    ``dedup`` is a deduplicator with its store. Raises what :func:`write_sessions` raises.
    """
    done = write_sessions(project, dedup.store, sessions, each_checkpoint=each_checkpoint).values()
    paths = (*(Path(path) for each in done for path in each.every), *refreshed_index(project, dedup.store))
    shown = tuple(project.relative(Path(each.path)) for each in done if each.path)
    untouched = tuple(project.relative(Path(each.untouched)) for each in done if each.untouched)
    return ForARun(paths, shown, untouched)


def refreshed_index(project: Project, store: Store, *, make: bool = False) -> list[Path]:
    """Bring the index of all sessions up to the store, where there is one, or to ``make`` it; its files.

    Call it outside of a transaction. Raises as :func:`write_sessions`.
    """
    if not make and not has_index(project):
        return []
    redact, rules = standard(project.root)
    clean = DeferredRedaction(redact)

    def attempt() -> list[Path]:
        with held(project):
            finish_purge(project, store)
            with store.transaction(write=False):
                return write_index(project, store, clean, rules)

    return clean.until_clean(attempt)
