"""From plain archived files to packs: each is packed, restored from the pack and compared, and only then removed.

At every instant a file's bytes exist under its own name or in a pack that is on the disk. The archive is locked for a
batch at a time, so that a run beside this one never waits long.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

from ..errors import DedupError, ExportChanged
from ..files import atomic, beneath, journal
from ..files.safe_read import Identity, read
from ..packs.pack_and_verify import PackedFile, Source, pack_and_verify
from ..project.config import DEFAULTS
from ..start.late_dataclass import dataclass, field
from . import drop_folder, inventory
from .listed import Listed
from .places import packs_folder, plain_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..project.paths import Project

DEFAULT_DAYS: Final[float] = DEFAULTS["pack_older_than_days"]
"""Days that an export stays a plain file, where people look for it."""
BATCH_BYTES: Final = 32_000_000
BATCH_FILES: Final = 500
"""What is packed under one lock: so much that runs beside this one wait for some seconds at most."""
_DAY: Final = 86_400


@dataclass
class Packed:
    """What a run came to: ``names`` of the files packed, the bytes of each and of all, and what the archive's packs take now."""

    names: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    raw_bytes: int = 0
    failures: list[tuple[str, DedupError]] = field(default_factory=list)
    packs: int = 0
    pack_bytes: int = 0
    notes: list[str] = field(default_factory=list)
    """What was wrong with the list of archived files, and is made whole."""


def pack(
    project: Project,
    older_than_days: float = DEFAULT_DAYS,
    *,
    session_of: Callable[[str], str] = lambda _sha256: "",
    thorough: bool = True,
    whole: bool = True,
    advance: Callable[[int], None] = lambda _bytes: None,
) -> Packed:
    """Pack the plain files that were last written more than ``older_than_days`` ago (0: all of them).

    ``whole=False`` ends after the first batch, the oldest files. ``session_of`` gives the conversation of the file with this
    SHA-256, where it is known; ``advance`` is told the bytes done. A file that fails stays where it is, and is named. Raises
    a ``StoreError`` where the archive cannot be used.
    """
    done = Packed()
    if not os.path.isdir(project.archive):
        return done
    waiting = due(project, older_than_days)
    while True:
        batch = _batch(waiting)
        waiting = waiting[len(batch) :]
        with drop_folder.opened(project):
            folder = packs_folder(project)
            atomic.remove_temporaries(folder)
            _pack_batch(project, batch, folder, session_of, done, thorough=thorough)
            if not (waiting and whole):
                done.packs, done.pack_bytes = packs_and_bytes(folder)
                return done
        advance(sum(size for _, size in batch))


def pack_due(project: Project, settings: Mapping[str, object]) -> Packed | None:
    """Pack what is due by the setting ``pack_older_than_days``, quickly; None where it says never, or nothing is due.

    For the end of a run, which nobody waits long for: one look at the folder where nothing is to be done, and at most one
    batch; the next run goes on with the rest.
    """
    days = settings.get("pack_older_than_days", DEFAULT_DAYS)
    if not isinstance(days, (int, float)) or isinstance(days, bool) or days < 0 or not due(project, days):
        return None
    return pack(project, days, session_of=session_lookup(project), thorough=False, whole=False)


def session_lookup(project: Project) -> Callable[[str], str]:
    """Gives the conversation of a file with this SHA-256, as the project's store has it; empty where it knows none."""
    from ..ingest.deduplicator import ClaudeConversationDeduplicator

    store = ClaudeConversationDeduplicator(os.fspath(project.state)).store

    def session_of(sha256: str) -> str:
        with store.transaction(write=False):
            seen = store.seen(sha256)
        return seen[-1].conversation_id if seen else ""

    return session_of


def due(project: Project, older_than_days: float) -> list[tuple[Path, int]]:
    """The plain files of the archive that are older, oldest first, each with its size in bytes."""
    journal.recover(str(project.state))  # before the names are read: a purge that was stopped changes them
    limit = time.time() - older_than_days * _DAY
    found = []
    for path, status in plain_files(project):
        if older_than_days <= 0 or status.st_mtime < limit:
            found.append((status.st_mtime_ns, path, status.st_size))
    return [(path, size) for _, path, size in sorted(found)]


def packs_and_bytes(folder: str) -> tuple[int, int]:
    """How many packs there are, and the bytes of the folder, indexes included."""
    sizes = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        sizes = {entry.name: entry.stat(follow_symlinks=False).st_size for entry in entries}
    return sum(name.endswith(".pack") for name in sizes), sum(sizes.values())


def _batch(waiting: Sequence[tuple[Path, int]]) -> list[tuple[Path, int]]:
    size, count = 0, 0
    for _, each in waiting[:BATCH_FILES]:
        if count and size + each > BATCH_BYTES:
            break
        size, count = size + each, count + 1
    return list(waiting[:count])


def _pack_batch(
    project: Project,
    batch: Sequence[tuple[Path, int]],
    folder: str,
    session_of: Callable[[str], str],
    done: Packed,
    *,
    thorough: bool,
) -> None:
    sources = [Source(path, path.name, session_of) for path, _ in batch]
    packed = pack_and_verify(sources, folder, read, done.failures, thorough=thorough)
    done.notes += inventory.add(project, [Listed.of(each.record) for each in packed])
    for plain in packed:
        _remove(plain, done)
    if packed and os.name != "nt":
        parent = str(packed[0].path.parent)
        with atomic.write_errors(parent):
            atomic.sync_directory(parent)


def _remove(plain: PackedFile, done: Packed) -> None:
    """The plain file goes, unless it is another one by now."""
    try:
        with atomic.write_errors(str(plain.path)):
            if Identity.of(os.lstat(plain.path)) != plain.identity:
                raise ExportChanged(plain.path.name)
            beneath.unlink(plain.path)
    except DedupError as error:
        done.failures.append((plain.path.name, error))
    else:
        done.names.append(plain.path.name)
        done.sizes.append(plain.identity.size)
        done.raw_bytes += plain.identity.size
