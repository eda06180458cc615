"""Images and documents inside messages, kept once: ``blobs/ab/abcdef...``, each file named after the SHA-256 of its bytes.

Once the file that showed one is in a pack, which has these bytes as a segment, it is found there, and the file here goes. A blob
is on the disk before the line that refers to it (``references``); a run that was killed in between leaves a file that nobody
refers to, which ``rebuild`` removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Any, Final

from ...alignment.fingerprint import Fingerprint, fingerprint
from ...errors import StoreNotWritable
from ...files import atomic, beneath
from ...start.late_pattern import late_pattern
from ..log.column_format import NoArchive, SpanLost
from ..log.records import message_of
from .references import lift, restore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ...model import Content
    from ..log.append_log import Log
    from ..log.column_format import Archived
    from ..log.lines import Record

NAME: Final = "blobs"
_DIGEST: Final = late_pattern(r"[0-9a-f]{64}")


class BlobLost(Exception):
    """A blob that is missing or has other bytes than its name says; the message is its digest."""


class Blobs:
    """The folder of blobs beside a log, and the ``archive`` that has others (None: there is none).

    Writing and cleaning need the store's lock; nothing is created before there is a blob.
    """

    def __init__(self, folder: str, archive: Archived | None = None) -> None:
        self.folder = folder
        self._archive = archive or NoArchive()
        self.lost: dict[str, str] = {}
        """What could not be read so far: digest -> what is wrong with it."""

    @classmethod
    def beside(cls, log: Log) -> Blobs:
        """Those that belong to a log."""
        return cls(os.path.join(log.store, NAME), log.sealed.archive)

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
        """The bytes of a blob, from its file, else from the archive. Raises :class:`BlobLost`."""
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            self.lost[str(digest)] = "not the name of a blob"
            raise BlobLost(digest)
        data, fault = self._own(digest)
        if not fault:
            return data
        try:
            return self._archive.segment(bytes.fromhex(digest))
        except SpanLost as error:
            self.lost[digest] = fault
            raise BlobLost(digest) from error

    def _own(self, digest: str) -> tuple[bytes, str]:
        """The bytes of a blob's file, and what is wrong with it."""
        try:
            data = _bytes_of(self.path(digest))
        except OSError as error:
            return b"", "missing" if isinstance(error, FileNotFoundError) else str(error.strerror or error)
        return data, "" if hashlib.sha256(data).hexdigest() == digest else "not the bytes that its name says"

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
        """True where something lies under the name of a blob, or the archive says that it has it."""
        return os.path.lexists(self.path(digest)) or self._is_archived(digest)

    def missing(self, digests: Iterable[str]) -> list[str]:
        """Those of which there is nothing."""
        return [digest for digest in digests if not self.has(digest)]

    def kept(self) -> Iterator[bytes]:
        """The bytes of each that is a file here."""
        for entry in self._files():
            data, fault = self._own(entry.name)
            if not fault:
                yield data

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

    def let_go(self) -> int:
        """Delete the files that the archive has by now, each read there, and durable; how many that were.

        Raises ``StoreNotWritable``.
        """
        archived = [entry for entry in self._files() if self._is_archived(entry.name)]
        if archived:
            self._archive.sync()
        count = 0
        for entry in archived:
            with contextlib.suppress(SpanLost):
                self._archive.segment(bytes.fromhex(entry.name))
                with atomic.write_errors(entry.path):
                    beneath.unlink(entry.path)
                count += 1
        for folder in {os.path.dirname(entry.path) for entry in archived}:
            with contextlib.suppress(OSError):  # others are in it
                beneath.rmdir(folder)
        return count

    def keep_own(self, digests: Iterable[str]) -> None:
        """Have each of these that can be read as a file here: while packs are made anew, none depends on them."""
        for digest in digests:
            if self._own(digest)[1]:
                with contextlib.suppress(BlobLost):
                    self.keep({digest: self.read(digest)})

    def keep(self, found: Mapping[str, bytes]) -> None:
        """Write what has no file here, or not as its name says, durably. Raises ``StoreNotWritable``.

        Also what the archive has: it may not be on the disk there yet.
        """
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
                if self._own(digest)[1]:
                    atomic.remove_temporaries(folder)
                    atomic.replace(path, data)
                    self.lost.pop(digest, None)
                else:
                    atomic.sync_directory(folder)  # who wrote it may have been killed before its name was on the disk

    def _is_archived(self, digest: str) -> bool:
        return _DIGEST.fullmatch(digest) is not None and self._archive.has_segment(bytes.fromhex(digest))

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
