"""Files that only who has a key can open: by ``age`` or ``gpg``, as they are found on the PATH. No cryptography is ours.

On the way to the program and from it everything goes through pipes: nothing readable is written beside the encrypted file, and a
key that opens it is never passed by us, but as the name of a file.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any, Final

from ..errors import DedupError, OutputNotWritable, RestoreRefused, StoreNotWritable
from . import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AGE: Final = "age"
_GPG: Final = "gpg"
_AGE_KEYS: Final = ("age1", "ssh-")
_AGE_FILES: Final = (b"age-encryption.org/", b"-----BEGIN AGE")
_SAID: Final = 400


class EncryptionFailed(DedupError):
    """It could not be encrypted or opened"""

    usual_hint = "Check the key and the file; nothing was written."


class Archive:
    """A tar on its way into the program ``tool``."""

    def __init__(self, tar: tarfile.TarFile, tool: str) -> None:
        self._tar = tar
        self.tool = os.path.basename(tool)

    def add(self, name: str, data: bytes, mtime: float = 0) -> None:
        """A file of it."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = len(data), atomic.PRIVATE_FILE, mtime
        self._tar.addfile(entry, io.BytesIO(data))


@contextlib.contextmanager
def encrypted(path: str, recipients: Sequence[str], *, compressed: bool = False) -> Iterator[Archive]:
    """An archive that is the new file ``path`` where the block ends well, and nothing where it does not.

    ``compressed`` is by gzip, before it is encrypted.
    Only ``recipients`` can open it: keys of age or SSH, files of such keys, or what gpg calls a key.

    Raises :class:`EncryptionFailed` where the program is missing or fails, ``RestoreRefused`` where ``path`` is there already,
    ``OutputNotWritable``.
    """
    if os.path.lexists(path):
        raise RestoreRefused(path, hint="Pass the name of a file that is not there yet.")
    command = _encrypting(recipients)
    mode: Any = "w|gz" if compressed else "w|"
    try:
        with atomic.replacing(path, fresh=True) as descriptor, _piped(command, stdout=descriptor) as process:
            whole = False
            with contextlib.suppress(BrokenPipeError), tarfile.open(fileobj=process.stdin, mode=mode) as tar:
                yield Archive(tar, command[0])
                whole = True
            _ended(process, command[0], "encrypt", whole=whole)
    except (StoreNotWritable, OSError) as error:
        raise OutputNotWritable(f"{path}: {getattr(error, 'detail', error)}") from error


@contextlib.contextmanager
def decrypted(path: str, identities: Sequence[str]) -> Iterator[tarfile.TarFile]:
    """The archive in such a file, from its beginning to its end; ``identities`` are files of keys, for age.

    The block must read all of it, and believe nothing of it before it ends well. Raises :class:`EncryptionFailed` where it cannot
    be opened, ``OSError`` where the file cannot be read, ``tarfile.TarError`` where it holds something else.
    """
    with open(path, "rb", buffering=0) as file:  # the program reads on from where the descriptor stands
        age = file.read(64).startswith(_AGE_FILES)
        file.seek(0)
        options = [word for each in identities for word in ("--identity", each)]
        command = (
            [_program(_AGE), "--decrypt", *options]
            if age
            else [_program(_GPG), "--quiet", "--decrypt", "--output", "-"]
        )
        with _piped(command, stdin=file) as process:
            try:
                with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                    yield tar
            except tarfile.TarError:
                _ended(process, command[0], "open")
                raise
            _ended(process, command[0], "open")


def _encrypting(recipients: Sequence[str]) -> list[str]:
    """The command that encrypts its input to them."""
    files = [each for each in recipients if os.path.isfile(each)]
    keys = [each for each in recipients if each not in files]
    if not keys or all(each.startswith(_AGE_KEYS) for each in keys):
        options = [word for each in keys for word in ("--recipient", each)]
        return [
            _program(_AGE),
            "--encrypt",
            *options,
            *(word for each in files for word in ("--recipients-file", each)),
        ]
    if files or any(each.startswith(_AGE_KEYS) for each in keys):
        raise EncryptionFailed("keys of age and of gpg cannot be mixed", hint="Make two files, one for each.")
    options = [word for each in keys for word in ("--recipient", each)]
    quiet = ["--batch", "--quiet", "--no-tty", "--no-auto-key-locate"]
    return [_program(_GPG), *quiet, "--encrypt", *options, "--output", "-"]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise EncryptionFailed(f"{name} is not on the PATH", hint=f"Install {name}; nothing was written.")
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


def _ended(process: subprocess.Popen[bytes], program: str, verb: str, *, whole: bool = True) -> None:
    """Wait for it. Raises :class:`EncryptionFailed`, in its own words, where it failed, or did not take all of it."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    while process.stdout is not None and process.stdout.read(65536):
        pass  # behind the end of the tar there is what fills its last block; a program whose pipe is full would wait for ever
    said = process.stderr.read().decode("utf-8", "replace") if process.stderr is not None else ""
    if process.wait() or not whole:
        name = os.path.basename(program)
        raise EncryptionFailed(f"{name} could not {verb} it: {said[-_SAID:] or f'exit code {process.returncode}'}")
