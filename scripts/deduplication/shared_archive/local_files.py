"""What an archive has on this machine, as it is to lie in a database: each file with its SHA-256, read once in its life."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Optional

from ..archive import drop_folder, inventory
from ..archive.places import packs_folder, plain_files
from ..files import atomic
from ..packs import frames
from ..packs.pack_names import FOLDER, index_path
from ..packs.pack_set import opened_packs
from ..project.paths import LISTED, PURGED_FILES
from ..start.late_dataclass import dataclass, field
from ..start.late_tuple import NamedTuple
from ..storage.database.archive_tables import PART, ListLine
from ..storage.database.clean_text import cleaned
from ..storage.log.lines import Damaged, decode_line
from .archive_state import Held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.paths import Project
    from .sent_note import SentNote


class Vanished(Exception):
    """A file is not there any more, or another one: a run beside this one put packs together. To be looked at anew."""


class Found(NamedTuple):
    """A file: ``name`` below the archive's folder. ``key`` is another one where its bytes may be others."""

    name: str
    path: str
    size: int
    mtime_ns: int
    key: str

    @property
    def is_pack(self) -> bool:
        """Whether it says itself what its bytes are to be."""
        return self.name.endswith(".pack")


@dataclass
class Local:
    """``files`` of an archive at one moment. ``known``: SHA-256 of each archived file in its packs; ``listed``: of those that the
    list names, None where there is none that is whole. ``lines``: the list, as it lies there.
    """

    files: list[Found] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    listed: Optional[set[str]] = None
    lines: list[ListLine] = field(default_factory=list)


def look(project: Project) -> Local:
    """Everything that there is, under the archive's lock: for a moment, for nothing is read but names and indexes."""
    found = Local()
    with drop_folder.opened(project):
        folder = packs_folder(project)
        with opened_packs(folder) as packs:
            for member in packs.members:
                for path in (member.pack.path, index_path(member.pack.path)):
                    _add(found, f"{FOLDER}/{os.path.basename(path)}", path)
                found.known.update(known.sha256.hex() for known in member.index.all_known())
        for plain, _ in plain_files(project):
            _add(found, plain.name, str(plain))
        _add(found, PURGED_FILES, os.path.join(project.archive, PURGED_FILES))
        have = inventory.load(str(project.state), str(project.archive))
        if have.began and have.whole:
            found.listed = {each.sha256 for each in have.files.values()}
        found.lines = _lines(os.path.join(project.state, LISTED))
    return found


def _add(found: Local, name: str, path: str) -> None:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return  # an index that cannot be written, or no file was ever purged
    found.files.append(Found(name, path, status.st_size, status.st_mtime_ns, key_of(name, status)))


def key_of(name: str, status: os.stat_result) -> str:
    """Another one where the bytes of a file may be others."""
    return f"{name}:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def _lines(path: str) -> list[ListLine]:
    """The whole lines of the list."""
    found: list[ListLine] = []
    with contextlib.suppress(OSError), atomic.open_regular(path) as file:
        for line in file:
            with contextlib.suppress(Damaged):
                said = decode_line(line)
                session, name = str(said.get("conversation_id", "")), str(said.get("name", ""))
                found.append(ListLine(cleaned(session), cleaned(name), line))
    return found


def held(found: Found, note: SentNote) -> Held | None:
    """The file as an archive says that it has it; None for a pack that is damaged. Raises :class:`Vanished`."""
    told = note.hashes.get(found.key)
    if told is None:
        told = note.hashes[found.key] = _read(found)
    sha256, is_whole = told
    return Held(found.name, sha256, found.size, found.mtime_ns) if is_whole else None


def _read(found: Found) -> list[Any]:
    """The SHA-256 of a file, and whether it is what it says itself."""
    whole, inner, head, end = hashlib.sha256(), hashlib.sha256(), b"", b""
    for part in parts(found):
        whole.update(part)
        if found.is_pack:
            body = end + part
            if not head:
                head, body = body[: frames.HEADER_SIZE], body[frames.HEADER_SIZE :]
            inner.update(body[: -frames.TRAILER_SIZE])
            end = body[-frames.TRAILER_SIZE :]
    inner.update(end[: frames.HEADER_SIZE])
    is_whole = not found.is_pack or end == head + inner.digest()
    return [whole.hexdigest(), is_whole]


def parts(found: Found) -> Iterator[bytes]:
    """The bytes of a file, some megabytes at a time. Raises :class:`Vanished`."""
    with _opened(found) as file:
        yield file.read(PART)  # one of no bytes, too, where there are none
        while part := file.read(PART):
            yield part


def _opened(found: Found) -> BinaryIO:
    try:
        file = atomic.open_regular(found.path)
    except OSError as error:
        raise Vanished(found.name) from error
    status = os.fstat(file.fileno())
    if (status.st_size, status.st_mtime_ns) != (found.size, found.mtime_ns):
        file.close()
        raise Vanished(found.name)
    return file


def proven_parts(found: Found, sha256: str) -> Iterator[bytes]:
    """The same; raises :class:`Vanished` at the end where they are not those bytes."""
    digest = hashlib.sha256()
    for part in parts(found):
        digest.update(part)
        yield part
    if digest.hexdigest() != sha256:
        raise Vanished(found.name)
