"""Images and documents inside messages, kept once: ``blobs/ab/abcdef...``, each file named after the SHA-256 of its bytes.

A log line carries a reference in the place of the data, and names in ``message.blobs`` what it refers to; whoever reads the
message gets the original back, character for character. The content hash is that of the original. A blob is on the disk before
the line that refers to it; a run that was killed in between leaves a file that nobody refers to, which ``rebuild`` removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Any, Final

from ...alignment.fingerprint import Fingerprint, fingerprint
from ...errors import StoreNotWritable
from ...files import atomic, beneath
from ...model import LEAST_BLOB
from ...start.late_pattern import late_pattern
from ..log.records import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ...model import Content
    from ..log.lines import Record

NAME: Final = "blobs"
REFERENCE: Final = "blob"
"""``type`` of a source whose data is a blob; the original says ``base64``."""

_OURS: Final = ("sha256", "bytes")
_DIGEST: Final = late_pattern(r"[0-9a-f]{64}")


def lift(content: Content) -> tuple[Content, dict[str, bytes]]:
    """``content`` with references in the place of large data, and the data by its SHA-256; the same object where there is none.

    Lifted is what can be put back exactly: ``{"type": "base64", "data": ...}`` in the one spelling that an encoder writes. Where
    a content has something in it that looks like a reference already, nothing of it is lifted.
    """
    found: dict[str, bytes] = {}
    if isinstance(content, str) or any(value.get("type") == REFERENCE for value in _objects(content)):
        return content, found
    if not any(_is_large(value) for value in _objects(content)):
        return content, found
    return _replaced(content, lambda value: _reference(value, found)), found


def restore(content: Content, read: Callable[[str], bytes]) -> Content:
    """The original of what :func:`lift` made; ``read`` gives the bytes of a digest, and what it raises goes up."""
    original: Content = _replaced(content, lambda value: _original(value, read))
    return original


class BlobLost(Exception):
    """A blob that is missing or has other bytes than its name says; the message is its digest."""


class Blobs:
    """The folder of blobs beside a log. Writing and cleaning need the store's lock; nothing is created before there is a blob."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.lost: dict[str, str] = {}
        """What could not be read so far: digest -> what is wrong with it."""

    @classmethod
    def beside(cls, log: str) -> Blobs:
        """Those that belong to the log at this path."""
        return cls(os.path.join(os.path.dirname(log), NAME))

    def lifted(self, record: Record) -> Record:
        """The log record of an occurrence with references, its data written, durably, where it was not kept already."""
        message = record.get("message")
        content, found = lift(message["content"]) if message else ("", {})
        if not found:
            return record
        self.keep(found)
        sizes = {digest: len(data) for digest, data in found.items()}
        return {**record, "message": {**message, "content": content, "blobs": sizes}}  # type: ignore[dict-item]

    def restored(self, message: Mapping[str, Any]) -> Content:
        """The original content of a log record's message; with the references where a blob is lost (see :attr:`lost`)."""
        content: Content = message["content"]
        if not message.get("blobs"):
            return content
        try:
            return restore(content, self.read)
        except BlobLost:
            return content

    def fingerprint(self, record: Record) -> Fingerprint | None:
        """The fingerprint of a message that has blobs; None for every other record.

        Where a blob is lost the message is still the one that its line says: it keeps its identity and its place.
        """
        message = record.get("message")
        if not isinstance(message, dict) or not message.get("blobs") or "content" not in message:
            return None
        content = self.restored(message)
        item = fingerprint(message_of({**record, "message": {**message, "content": content}}))
        return item if content is not message["content"] else item._replace(content_hash=record["content_hash"])

    def read(self, digest: str) -> bytes:
        """The bytes of a blob. Raises :class:`BlobLost`."""
        try:
            if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                raise OSError("not the name of a blob")  # noqa: TRY301 - one place says what is lost
            data = _bytes_of(self.path(digest))
        except OSError as error:
            self.lost[str(digest)] = "missing" if isinstance(error, FileNotFoundError) else str(error.strerror or error)
            raise BlobLost(digest) from error
        if hashlib.sha256(data).hexdigest() != digest:
            self.lost[digest] = "not the bytes that its name says"
            raise BlobLost(digest)
        return data

    def exist(self) -> bool:
        """False where there is no folder of blobs."""
        return os.path.isdir(self.folder)

    def problems(self) -> list[str]:
        """One line for each blob that could not be read so far."""
        return [
            f"{NAME}/{digest[:2]}/{digest}: {fault}; its message is kept without it"
            for digest, fault in self.lost.items()
        ]

    def has(self, digest: str) -> bool:
        """True where something lies under the name of a blob."""
        return os.path.lexists(self.path(digest))

    def unreferred(self, referred: set[str]) -> list[str]:
        """What :meth:`clean` would delete: paths relative to the store's folder."""
        store = os.path.dirname(self.folder)
        return [os.path.relpath(entry.path, store) for entry in self._files() if entry.name not in referred]

    def clean(self, referred: set[str]) -> int:
        """Delete what is no blob of ``referred`` (digests), leftovers of killed runs included; how many files that were."""
        count = 0
        for entry in list(self._files()):
            if entry.name not in referred:
                with atomic.write_errors(entry.path):
                    beneath.unlink(entry.path)
                count += 1
        return count

    def keep(self, found: Mapping[str, bytes]) -> None:
        """Write what is not there, or not as its name says, durably. Raises ``StoreNotWritable``."""
        for digest, data in found.items():
            path = self.path(digest)
            folder = os.path.dirname(path)
            with atomic.write_errors(path):
                for each in (self.folder, folder):
                    if os.path.islink(each):
                        raise StoreNotWritable(f"{each} is a link", hint="Remove the link, then run the command again.")
                    if not os.path.isdir(each):
                        atomic.make_private_directory(each)
                        atomic.sync_directory(os.path.dirname(each))
                try:
                    self.read(digest)
                    atomic.sync_directory(folder)  # who wrote it may have been killed before its name was on the disk
                except BlobLost:
                    atomic.remove_temporaries(folder)
                    atomic.replace(path, data)
                    del self.lost[digest]

    def path(self, digest: str) -> str:
        """Where the blob of this digest lies."""
        return os.path.join(self.folder, digest[:2], digest)

    def _files(self) -> Iterator[os.DirEntry[str]]:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.folder) as folders:
            for folder in folders:
                if folder.is_dir(follow_symlinks=False):
                    with os.scandir(folder.path) as files:
                        yield from (file for file in files if not file.is_dir(follow_symlinks=False))


def _bytes_of(path: str) -> bytes:
    """A blob's bytes. A disk that cannot give them is asked once more: what counts as lost is known by another fingerprint."""
    for last in (False, True):
        try:
            with atomic.open_regular(path) as file:
                return file.read()
        except FileNotFoundError:
            raise
        except OSError:
            if last:
                raise
    raise AssertionError


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, however deep."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            if isinstance(inner, (dict, list)):
                yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, (dict, list)):
                yield from _objects(inner)


def _replaced(value: Any, replace: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Any:
    """A JSON value in which the objects that ``replace`` has another one for are that one."""
    if isinstance(value, list):
        return [_replaced(inner, replace) for inner in value]
    if not isinstance(value, dict):
        return value
    other = replace(value)
    return {key: _replaced(inner, replace) for key, inner in value.items()} if other is None else other


def _is_large(value: dict[str, Any]) -> bool:
    data = value.get("data")
    return value.get("type") == "base64" and isinstance(data, str) and len(data) >= LEAST_BLOB * 4 // 3


def _reference(value: dict[str, Any], found: dict[str, bytes]) -> dict[str, Any] | None:
    """The reference to an object's data, its keys in the order of the original; the data goes to ``found``."""
    if not _is_large(value) or any(key in value for key in _OURS):
        return None
    import base64  # for images and documents alone

    try:
        data = base64.b64decode(value["data"], validate=True)
    except ValueError:
        return None
    if len(data) < LEAST_BLOB or base64.b64encode(data).decode() != value["data"]:
        return None
    digest = hashlib.sha256(data).hexdigest()
    found[digest] = data
    reference: dict[str, Any] = {}
    for key, inner in value.items():
        if key == "data":
            reference.update(sha256=digest, bytes=len(data))
        else:
            reference[key] = REFERENCE if key == "type" else inner
    return reference


def _original(value: dict[str, Any], read: Callable[[str], bytes]) -> dict[str, Any] | None:
    if value.get("type") != REFERENCE or "sha256" not in value:
        return None
    import base64

    original: dict[str, Any] = {}
    for key, inner in value.items():
        if key == "sha256":
            original["data"] = base64.b64encode(read(inner)).decode()
        elif key != "bytes":
            original[key] = "base64" if key == "type" else inner
    return original
