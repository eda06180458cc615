"""Step 3 of a run: exports whose messages are durable go into the archive, and what lay there long enough is packed.

A failure costs the export alone: it stays where it is, and its messages stay stored.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import DedupError, ExportGone
from ..files.safe_read import read
from ..reports import archive as archive_report
from ..reports import workflow as report
from ..start.late_dataclass import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..ingest.export_file import Deduplicator, Entry
    from ..project.paths import Project
    from .steps import Steps


class ArchiveStep:
    """Step 3 of several runs at once. The entries of each get their place, or their error; ``failures`` has all of these."""

    def __init__(self, project: Project, dedup: Deduplicator) -> None:
        self._project, self._dedup = project, dedup
        self.failures: list[DedupError] = []

    def run(self, runs: Sequence[Steps]) -> None:
        """Archive the exports of each run, then pack what is due. What belongs to no single run is shown to the first one."""
        from ..archive import drop_folder

        durable = [(each.out, entry) for each in runs for entry in each.durable]
        try:
            with drop_folder.opened(self._project) as archive:
                for out, entry in durable:
                    self._archive(archive, entry, out)
            for note in archive.notes:
                runs[0].out(archive_report.list_healed(note))
        except DedupError as error:
            for out, entry in durable:
                if entry.result.archived_to is None and entry.result.error is None:
                    self._not_archived(entry, error, out)
        else:
            # An original that could not be removed is told from a restored copy by the plain file that was archived of it.
            if all(entry.result.error is None for _, entry in durable):
                self._pack_due(runs)

    def _pack_due(self, runs: Sequence[Steps]) -> None:
        """Pack what has been in the archive long enough. A failure is said, and costs nothing: the files stay plain."""
        from ..archive.pack_files import pack_due
        from ..project import config

        try:
            done = pack_due(self._project, config.load(os.fspath(self._project.root)))
        except DedupError as error:
            for each in runs:
                each.out(archive_report.not_packed(archive_report.DUE, str(error), error.hint))
            return
        if done is None:
            return
        for name, failure in done.failures:
            runs[0].out(archive_report.not_packed(name, str(failure), failure.hint))
        sizes, others = dict(zip(done.names, done.sizes)), runs[1:]
        for each in others:
            own = [name for name in map(_archived_name, each.durable) if name in sizes]
            if own:
                each.out(archive_report.packed_by_itself(len(own), sum(map(sizes.pop, dict.fromkeys(own)))))
        if sizes or not others:
            runs[0].out(archive_report.packed_by_itself(len(sizes), sum(sizes.values())))
        self._dedup.store.settle()

    def _archive(self, archive: Any, entry: Entry, out: Callable[[str], None]) -> None:
        stays = entry.candidate.stays
        try:
            form = self._without_purged(entry)
            if form is not None and form.data is None:
                self._not_kept(archive, entry, form, out)
                return
            instead, purged = (form.data, form.messages) if form is not None else (None, 0)
            kept = archive.add(
                entry.candidate.path, entry.identity, entry.sha256, stays=stays, instead=instead, purged=purged
            )
        except DedupError as error:
            if was_archived_meanwhile(self._project, entry, error):
                out(report.taken(entry.candidate.path.name, archived=True))
            else:
                self._not_archived(entry, error, out)
            return
        entry.result = replace(entry.result, archived_to=self._project.relative(kept.path))
        if kept.known:
            out(archive_report.already_archived(entry.result.path, entry.result.archived_to or ""))
        else:
            out(archive_report.archived(entry.result.path, report.place(self._project, kept.path.parent)))
            if stays:
                out(archive_report.copied(entry.result.path))

    def _without_purged(self, entry: Entry) -> Any:
        """What is to be archived in the place of an export that shows purged messages; None for any other."""
        from ..purge.archived import later_form

        path = entry.candidate.path
        return later_form(self._dedup.store, lambda: read(path)[0], path.name)

    def _not_kept(self, archive: Any, entry: Entry, form: Any, out: Callable[[str], None]) -> None:
        """An export of which nothing may be archived: it goes where it shows nothing but what was purged, else it stays."""
        stays = entry.candidate.stays or bool(form.why)
        if not stays:
            try:
                archive.discard(entry.candidate.path, entry.identity, entry.sha256)
            except DedupError as error:
                self._not_archived(entry, error, out)
                return
        out(archive_report.purged(entry.result.path, form.why))

    def _not_archived(self, entry: Entry, error: DedupError, out: Callable[[str], None]) -> None:
        self.failures.append(error)
        entry.result = replace(entry.result, error=archive_report.stored_only(str(error)))
        for text in report.failure(entry.result, error.hint):
            out(text)


def was_archived_meanwhile(project: Project, entry: Entry, error: DedupError) -> bool:
    """Whether an export failed because a run beside this one archived it before we came to it: nothing is missing then.

    One that a search found and that is gone may be gone; of one that was named the archive has to have it.
    """
    if not isinstance(error, ExportGone):
        return False
    from ..archive.restored_files import is_archived

    if not entry.candidate.named and not entry.sha256:
        return True
    return is_archived(project, entry.identity or entry.candidate.identity, entry.sha256)


def _archived_name(entry: Entry) -> str:
    """The name that an export has in the archive; empty where it is not there."""
    return os.path.basename(entry.result.archived_to or "")
