"""A backup as one encrypted file, for a place that others may read: its parts as a tar, through ``age`` or ``gpg``, and back.

No cryptography is ours. On the way to the program and from it everything goes through pipes: nothing readable is written beside the
encrypted file, and a key that opens it is never passed by us, but as the name of a file.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any, Final

from ..errors import BackupDamaged, BackupFailed, BackupMissing, OutputNotWritable, RestoreRefused, StoreNotWritable
from ..files import atomic
from ..project.paths import BACKUP_MARKER
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from . import folder as folders
from . import staging
from .folder import IGNORE, SNAPSHOTS, Folder
from .objects import FOLDER, Objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

AGE: Final = "age"
GPG: Final = "gpg"
_AGE_KEYS: Final = ("age1", "ssh-")
_AGE_FILES: Final = (b"age-encryption.org/", b"-----BEGIN AGE")
_CONTENT: Final = "content"
_MEMBER: Final = late_pattern(
    rf"(?a){BACKUP_MARKER}|\{IGNORE}|{SNAPSHOTS}/\d{{6,}}-\d{{8}}T\d{{6}}Z\.jsonl|{FOLDER}/[0-9a-f]{{2}}/[0-9a-f]{{64}}",
)
"""What a backup has; anything else in such a file is not of ours, and leads nowhere."""
_LARGEST: Final = 1024**3
_SAID: Final = 400


class Sealed(NamedTuple):
    """What was put into an encrypted file, or taken from one: ``bytes`` are those of its parts in the clear."""

    path: str
    snapshots: int
    objects: int
    bytes: int
    tool: str


def seal(folder: Folder, path: str, recipients: Sequence[str], advance: Callable[[int], None]) -> Sealed:
    """All snapshots of a backup into the new file ``path``, which only ``recipients`` can open: keys of age or SSH, files of such
    keys, or what gpg calls a key. Every part is proven as it is read.

    Raises :class:`BackupDamaged`, :class:`BackupFailed` where the program is missing or fails, :class:`OutputNotWritable`.
    """
    if os.path.lexists(path):
        raise RestoreRefused(path, hint="Pass the name of a file that is not there yet.")
    command = _encrypting(recipients)
    count = size = 0
    try:
        with atomic.replacing(path, fresh=True) as descriptor, _piped(command, stdout=descriptor) as process:
            with contextlib.suppress(BrokenPipeError), tarfile.open(fileobj=process.stdin, mode="w|") as tar:
                for name, data in _members(folder):
                    entry = tarfile.TarInfo(name)
                    entry.size, entry.mode = len(data), atomic.PRIVATE_FILE
                    tar.addfile(entry, io.BytesIO(data))
                    count, size = count + name.startswith(FOLDER), size + len(data)
                    advance(len(data))
            _ended(process, command[0], "encrypt")
    except (StoreNotWritable, OSError) as error:
        raise OutputNotWritable(f"{path}: {getattr(error, 'detail', error)}") from error
    return Sealed(path, len(folder.names()), count, size, command[0])


def unseal(path: str, place: str, identities: Sequence[str], advance: Callable[[int], None]) -> Sealed:
    """The backup that is in such a file, as the folder ``place``, which must be empty or missing; ``identities`` are files of keys.

    It is put together beside it, and proven: every snapshot can be read, every part it needs is there. Raises
    :class:`BackupMissing`, :class:`BackupDamaged`, :class:`BackupFailed` where it cannot be opened, :class:`RestoreRefused`.
    """
    command = _decrypting(path, identities)
    try:
        if staging.occupied(place):
            raise RestoreRefused(place)
        with staging.staged(place) as stage:
            content = os.path.join(stage, _CONTENT)
            with open(path, "rb") as sealed, _piped(command, stdin=sealed) as process:
                size = _write(process, command[0], content, advance)
                _ended(process, command[0], "open")
            done = _proven(Folder(content), path, size, command[0])
            staging.put(content, place)
            return done
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


def _encrypting(recipients: Sequence[str]) -> list[str]:
    """The command that encrypts its input to them."""
    files = [each for each in recipients if os.path.isfile(each)]
    keys = [each for each in recipients if each not in files]
    if not keys or all(each.startswith(_AGE_KEYS) for each in keys):
        options = [word for each in keys for word in ("--recipient", each)]
        return [_program(AGE), "--encrypt", *options, *(word for each in files for word in ("--recipients-file", each))]
    if files or any(each.startswith(_AGE_KEYS) for each in keys):
        raise BackupFailed("keys of age and of gpg cannot be mixed", hint="Seal it twice, into two files.")
    options = [word for each in keys for word in ("--recipient", each)]
    return [
        _program(GPG),
        "--batch",
        "--quiet",
        "--no-tty",
        "--no-auto-key-locate",
        "--encrypt",
        *options,
        "--output",
        "-",
    ]


def _decrypting(path: str, identities: Sequence[str]) -> list[str]:
    """The command that opens such a file, by how it begins."""
    try:
        with open(path, "rb") as file:
            head = file.read(64)
    except OSError as error:
        raise BackupMissing(f"{path}: {error.strerror or error}") from error
    if head.startswith(_AGE_FILES):
        return [_program(AGE), "--decrypt", *(word for each in identities for word in ("--identity", each))]
    return [_program(GPG), "--quiet", "--decrypt", "--output", "-"]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupFailed(f"{name} is not on the PATH", hint=f"Install {name}; nothing was written.")
    return found


@contextlib.contextmanager
def _piped(command: Sequence[str], **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The program at work; killed where this does not come to its end."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    process = subprocess.Popen(command, **pipes)
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    finally:
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _ended(process: subprocess.Popen[bytes], program: str, verb: str) -> None:
    """Wait for it. Raises :class:`BackupFailed`, in its own words, where it failed."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    said = process.stderr.read().decode("utf-8", "replace") if process.stderr is not None else ""
    if process.wait():
        name = os.path.basename(program)
        hint = "Check the key and the file; nothing was written."
        raise BackupFailed(
            f"{name} could not {verb} it: {said[-_SAID:] or f'exit code {process.returncode}'}", hint=hint
        )


def _write(process: subprocess.Popen[bytes], program: str, content: str, advance: Callable[[int], None]) -> int:
    """What comes out of the program, as files; how many bytes."""
    size = 0
    try:
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            for entry in tar:
                if not entry.isreg() or not _MEMBER.fullmatch(entry.name) or entry.size > _LARGEST:
                    raise BackupDamaged(f"it holds what no backup has: {entry.name[:100]!r}")
                source = tar.extractfile(entry)
                data = source.read() if source is not None else b""
                path = os.path.join(content, *entry.name.split("/"))
                atomic.make_private_directory(os.path.dirname(path))
                atomic.replace(path, data, durable=False)
                size += len(data)
                advance(len(data))
    except tarfile.TarError as error:
        _ended(process, program, "open")
        raise BackupDamaged(f"what it holds is no backup ({error})") from error
    return size


def _proven(folder: Folder, path: str, size: int, program: str) -> Sealed:
    """Everything that was taken out, read once more."""
    if not folders.marked(folder):
        raise BackupDamaged(f"{path} holds no backup, or the beginning of one")
    objects, needed = Objects(folder.path), set()
    for name in folder.names():
        needed |= folder.load(name).objects()
    for digest in needed:
        objects.read(digest, from_disk=True)
    return Sealed(path, len(folder.names()), len(needed), size, program)
