"""The client's own files into packs as they are: transcripts, those of sub-agents, outputs that it put aside.

They are only read. Each state in which one was found is a file of its own in the archive; one that grew is stored as its
earlier state and what was added. The name is the path below the client's ``projects``, so that it can be put back there.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..archive import drop_folder, inventory, purged_files
from ..archive.listed import Listed
from ..archive.pack_files import BATCH_BYTES, BATCH_FILES, Packed, packs_and_bytes
from ..archive.places import packs_folder
from ..errors import DedupError, ExportError
from ..files import atomic
from ..files.safe_read import read_growing
from ..packs.pack_and_verify import Source, pack_and_verify
from ..packs.pack_set import opened_packs
from ..project import client_transcripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..files.safe_read import Identity
    from ..project.client_transcripts import Transcript
    from ..project.paths import Project


class _State(NamedTuple):
    size: int
    mtime_ns: int
    sha256: bytes


def archive_transcripts(
    project: Project,
    found: Iterable[Transcript],
    *,
    advance: Callable[[int], None] = lambda _bytes: None,
) -> Packed:
    """Archive the transcripts ``found``, and what belongs to their sessions, wherever they are not as they were last time.

    ``advance`` is told the bytes done. A file that fails costs only itself, and is named. Raises a ``StoreError`` where the
    archive cannot be used.
    """
    done = Packed()
    waiting = list(_sources(found))
    if not waiting:
        return done
    without = _WithoutPurged(project)
    while waiting:
        with drop_folder.opened(project):
            folder = packs_folder(project)
            atomic.remove_temporaries(folder)
            known, had = _known(folder)
            batch: list[Source] = []
            size = 0
            while waiting and len(batch) < BATCH_FILES and (not batch or size < BATCH_BYTES):
                source = waiting.pop(0)
                before = known.get(source.name)
                if _changed(source, before) and without.wants(source, before):
                    batch.append(source)
                    size += source.path.stat().st_size if source.path.exists() else 0
            without.note(str(project.archive))
            packed = pack_and_verify(batch, folder, without.read, done.failures, thorough=False) if batch else []
            for each in packed:
                done.names.append(str(each.path))
                done.raw_bytes += each.identity.size
            # With them what a run had packed that was killed before it came here.
            done.notes += inventory.add(project, [*had, *(Listed.of(each.record) for each in packed)])
            done.packs, done.pack_bytes = packs_and_bytes(folder)
        advance(size)
    if done.names:
        without.store.settle()
    return done


class _WithoutPurged:
    """Reads the client's files, those that show purged messages without them."""

    def __init__(self, project: Project) -> None:
        from ..ingest.deduplicator import ClaudeConversationDeduplicator

        self.store = ClaudeConversationDeduplicator(os.fspath(project.state)).store
        self._gone = {each.sha256 for each in purged_files.load(str(project.archive)).values() if each.gone}
        self._forms: dict[Path, bytes] = {}
        self._notes: list[purged_files.PurgedFile] = []

    def wants(self, source: Source, before: _State | None) -> bool:
        """False for a file of which nothing may be archived, or nothing else than what is there already."""
        from ..purge.archived import later_form

        try:
            data = read_growing(source.path)[0] if self._gone else b""
            if self._gone and hashlib.sha256(data).hexdigest() in self._gone:
                return False
            form = later_form(
                self.store, lambda: data or read_growing(source.path)[0], source.path.name, source.session_of("")
            )
        except ExportError:
            return True  # whatever is wrong with it is said by whoever packs it
        if form is None:
            return True
        if form.data is None:
            return False
        digest = hashlib.sha256(form.data)
        self._forms[source.path] = form.data
        self._notes.append(purged_files.PurgedFile(digest.hexdigest(), form.messages))
        return before is None or before.sha256 != digest.digest()

    def read(self, path: Path) -> tuple[bytes, Identity]:
        """The bytes to be archived of a file, and the file."""
        data, identity = read_growing(path)
        return self._forms.get(path, data), identity

    def note(self, folder: str) -> None:
        """Note which files are not what they were, before they are archived."""
        purged_files.add(folder, *self._notes)
        self._notes = []


def project_of(state: str) -> Project | None:
    """The project whose store is in the folder ``state``; None for a store that lies by itself, which has no archive."""
    from ..project.paths import Project

    folder = Path(os.path.realpath(state))
    found = Project(folder.parent.parent)
    return found if found.state == folder else None


def _sources(found: Iterable[Transcript]) -> Iterator[Source]:
    """Each file once: those of one session one after the other."""
    for path, name, session in client_transcripts.files_of(found):
        yield Source(path, name, _always(session))


def _always(session: str) -> Callable[[str], str]:
    return lambda _sha256: session


def _known(folder: str) -> tuple[dict[str, _State], list[Listed]]:
    """The last state of each file that the packs have, by name, and all of them. What of it is damaged is not known."""
    known: dict[str, _State] = {}
    had = []
    with opened_packs(folder) as packs:
        for number in packs.numbers():
            try:
                record = packs.record(number)
            except DedupError:
                continue
            known[record.name] = _State(record.size, record.mtime_ns, record.sha256)
            had.append(Listed.of(record))
    return known, had


def _changed(source: Source, before: _State | None) -> bool:
    """Whether a file is not what the archive has of it last; one that is gone meanwhile is not."""
    try:
        status = os.lstat(source.path)
    except OSError:
        return False
    if before is None or status.st_size != before.size:
        return True
    if status.st_mtime_ns == before.mtime_ns:
        return False
    try:
        return hashlib.sha256(read_growing(source.path)[0]).digest() != before.sha256
    except DedupError:
        return True  # whatever is wrong with it is said by whoever packs it
