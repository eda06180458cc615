"""A backup as one encrypted file, for a place that others may read: its parts as a tar, and back."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING, Final

from ..errors import BackupDamaged, BackupMissing, OutputNotWritable, RestoreRefused, StoreNotWritable
from ..files import atomic, encryption
from ..project.paths import BACKUP_MARKER
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from . import folder as folders
from . import staging
from .folder import IGNORE, SNAPSHOTS, Folder
from .objects import FOLDER, Objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_CONTENT: Final = "content"
_MEMBER: Final = late_pattern(
    rf"(?a){BACKUP_MARKER}|\{IGNORE}|{SNAPSHOTS}/\d{{6,}}-\d{{8}}T\d{{6}}Z\.jsonl|{FOLDER}/[0-9a-f]{{2}}/[0-9a-f]{{64}}",
)
"""What a backup has; anything else in such a file is not of ours, and leads nowhere."""
_LARGEST: Final = 1024**3


class Sealed(NamedTuple):
    """What was put into an encrypted file, or taken from one: ``bytes`` are those of its parts in the clear."""

    path: str
    snapshots: int
    objects: int
    bytes: int


def seal(folder: Folder, path: str, recipients: Sequence[str], advance: Callable[[int], None]) -> Sealed:
    """All snapshots of a backup into the new file ``path``, which only ``recipients`` can open (:func:`encryption.encrypted`, which
    says what it raises). Every part is proven as it is read. Raises :class:`BackupDamaged`.
    """
    count = size = 0
    with encryption.encrypted(path, recipients) as archive:
        for name, data in _members(folder):
            archive.add(name, data)
            count, size = count + name.startswith(FOLDER), size + len(data)
            advance(len(data))
    return Sealed(path, len(folder.names()), count, size)


def unseal(path: str, place: str, identities: Sequence[str], advance: Callable[[int], None]) -> Sealed:
    """The backup that is in such a file, as the folder ``place``, which must be empty or missing; ``identities`` are files of keys.

    It is put together beside it, and proven: every snapshot can be read, every part it needs is there. Raises
    :class:`BackupMissing`, :class:`BackupDamaged`, ``EncryptionFailed`` where it cannot be opened, :class:`RestoreRefused`.
    """
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise BackupMissing(f"{path}: {error.strerror or error}") from error
    try:
        if staging.occupied(place):
            raise RestoreRefused(place)
        with staging.staged(place) as stage:
            content = os.path.join(stage, _CONTENT)
            with encryption.decrypted(path, identities) as archive:
                size = _write(archive, content, advance)
            done = _proven(Folder(content), path, size)
            staging.put(content, place)
            return done
    except tarfile.TarError as error:
        raise BackupDamaged(f"what {path} holds is no backup ({error})") from error
    except (StoreNotWritable, OSError) as error:
        raise OutputNotWritable(f"{place}: {getattr(error, 'detail', error)}") from error


def _members(folder: Folder) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of all that a backup has, the parts once each."""
    objects, needed = Objects(folder.path), set()
    yield BACKUP_MARKER, _bytes_of(folder.at(BACKUP_MARKER))
    yield IGNORE, folders.IGNORES_ALL
    for name in folder.names():
        needed |= folder.load(name).objects()
        yield f"{SNAPSHOTS}/{name.file}", _bytes_of(folder.at(SNAPSHOTS, name.file))
    for digest in sorted(needed):
        yield f"{FOLDER}/{digest[:2]}/{digest}", objects.read(digest)


def _bytes_of(path: str) -> bytes:
    try:
        with atomic.open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise BackupDamaged(f"{path}: {error.strerror or error}") from error


def _write(archive: tarfile.TarFile, content: str, advance: Callable[[int], None]) -> int:
    """What comes out of the program, as files; how many bytes."""
    size = 0
    for entry in archive:
        if not entry.isreg() or not _MEMBER.fullmatch(entry.name) or entry.size > _LARGEST:
            raise BackupDamaged(f"it holds what no backup has: {entry.name[:100]!r}")
        source = archive.extractfile(entry)
        data = source.read() if source is not None else b""
        path = os.path.join(content, *entry.name.split("/"))
        atomic.make_private_directory(os.path.dirname(path))
        atomic.replace(path, data, durable=False)
        size += len(data)
        advance(len(data))
    return size


def _proven(folder: Folder, path: str, size: int) -> Sealed:
    """Everything that was taken out, read once more."""
    if not folders.marked(folder):
        raise BackupDamaged(f"{path} holds no backup, or the beginning of one")
    objects, needed = Objects(folder.path), set()
    for name in folder.names():
        needed |= folder.load(name).objects()
    for digest in needed:
        objects.read(digest, from_disk=True)
    return Sealed(path, len(folder.names()), len(needed), size)
