"""Find the exports of a project, by content.

Searched are the files directly in the project's root, in ``MEMORY-CONTEXT/`` and in ``MEMORY-CONTEXT/exports/``,
never below. Links found there are not followed; pipes, devices and folders are never opened. A file that a person
named may lie anywhere, but a link that leads out of the project is refused even then.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import DedupError, ExportGone, ExportUnreadable, NotAnExport, OwnOutput, RestoredExport, UnsafePath
from ..files.safe_read import Identity, open_regular, take
from ..project import own_output
from ..project.export_names import looks_like_export, moment, natural, session_id_from_name, validate_session_id
from ..start.late_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..project.paths import Project

__all__ = [
    "Candidate",
    "Found",
    "Refusal",
    "find_exports",
    "oldest_first",
    "session_id_from_name",
    "validate_session_id",
]

SEARCH_LIMIT: Final = 256 * 1024 * 1024
"""Bytes; a larger file is processed only when it is named on the command line."""
_HEAD: Final = 256 * 1024
"""Bytes of a text file that suffice to tell what it is; JSON is judged whole."""
_ENDINGS: Final = frozenset((".txt", ".md", ".json", ".jsonl", ".zip", ""))


@dataclass(frozen=True)
class Candidate:
    """A regular file to be processed. ``path`` is absolute, its folder free of links.

    ``named``: a person passed this very file, so that weaker signs are enough to take it for an export.
    ``stays``: the original is left where it is (outside the project, reached by a link, or archived already).
    ``large``: a search found it to be of a format that takes its time (a data export of claude.ai).
    """

    path: Path
    identity: Identity
    named: bool = False
    stays: bool = False
    large: bool = False


@dataclass(frozen=True)
class Refusal:
    """A file that is left where it is, and why. ``fatal``: somebody counts on it, so the run has failed in part."""

    path: Path
    error: DedupError
    fatal: bool

    @property
    def reason(self) -> str:
        """The particulars of the error, for a line that names the file itself."""
        return str(self.error).partition(": ")[2] or str(self.error)


@dataclass(frozen=True)
class Found:
    """What a search came to: ``exports`` oldest first, ``refusals`` in the order of the search."""

    exports: tuple[Candidate, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def find_exports(project: Project, paths: Sequence[str | os.PathLike[str]] = ()) -> Found:
    """The exports of ``project``, or those that ``paths`` (files and folders) name. Nothing is changed."""
    found: dict[Path, Candidate] = {}
    refusals: list[Refusal] = []
    for item in _named(project, paths) if paths else _lying_about(project):
        if isinstance(item, Refusal):
            refusals.append(item)
        else:
            found.setdefault(item.path, item)
    return Found(tuple(oldest_first(found.values())), tuple(refusals))


def exports_in(project: Project, folders: Iterable[Path], *, newer_than: int = 0) -> list[Path]:
    """The exports directly in ``folders`` that changed after ``newer_than`` (nanoseconds), oldest first.

    For hooks: strict, silent about everything else, and files that did not change are not even opened. What takes its time is
    left to who asks for it.
    """
    found: dict[Path, Candidate] = {}
    for folder in folders:
        if folder.is_dir():
            for item in _search(project, folder, drop=False, newer_than=newer_than):
                if isinstance(item, Candidate) and not item.stays and not item.large:
                    found.setdefault(item.path, item)
    return [each.path for each in oldest_first(found.values())]


def oldest_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """``candidates`` by :func:`naming.moment`; of the same moment by name, numbers by value."""
    return sorted(
        candidates,
        key=lambda candidate: (
            moment(candidate.path.name, candidate.identity.mtime_ns),
            natural(candidate.path.name),
            str(candidate.path),
        ),
    )


def _lying_about(project: Project) -> Iterator[Candidate | Refusal]:
    for folder in (project.root, project.memory, project.exports):
        if not os.path.isdir(folder):
            continue
        real = Path(os.path.realpath(folder))
        if not _within(project.root, real):
            yield Refusal(folder, UnsafePath(f"a symbolic link to {real}"), fatal=False)
            continue
        yield from _search(project, folder, drop=folder == project.exports)


def _named(project: Project, paths: Sequence[str | os.PathLike[str]]) -> Iterator[Candidate | Refusal]:
    for given in paths:
        path = Path(os.path.abspath(given))
        try:
            path = Path(os.path.realpath(path.parent), path.name)
            linked = stat.S_ISLNK(path.lstat().st_mode)
            if linked:
                target = Path(os.path.realpath(path))
                if not _within(project.root, target):
                    raise UnsafePath(f"a symbolic link to {target}")
                path = target
            if _within(Path(os.path.realpath(project.state)), path):
                raise UnsafePath("it belongs to the message store")
            if _is_in_backup(path):
                raise OwnOutput("it belongs to a backup of export-dedup")
            if os.path.isdir(path):
                items = list(_search(project, path, drop=True, named=True))
                yield from items or [Refusal(path, NotAnExport("no exports in this folder"), fatal=False)]
                continue
            identity = _not_ours(path)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            reason = getattr(error, "strerror", None) or str(error)
            hint = "Check the path; quote it where it holds blanks."
            yield Refusal(path, ExportUnreadable(reason, hint=hint), fatal=True)
        except DedupError as error:
            yield Refusal(path, error, fatal=True)
        else:
            stays = linked or _stays(project, path) or bool(_restored_from(project, path))
            yield Candidate(path, identity, named=True, stays=stays)


def _search(
    project: Project, folder: Path, *, drop: bool, named: bool = False, newer_than: int = 0
) -> Iterator[Candidate | Refusal]:
    """The exports directly in ``folder``, and those files that somebody could take for one.

    ``drop``: everything in the folder was put there to be processed, so what is left is named. ``named``: a person passed it, so
    that what was restored from the archive is processed once more, where it lies.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield Refusal(folder, ExportUnreadable(str(error.strerror)), fatal=True)
        return
    real = Path(os.path.realpath(folder))
    for name in names:
        path = real / name
        ending = os.path.splitext(name)[1].lower()
        if name.startswith(".") or ending not in _ENDINGS or name == project.status_log.name:
            continue
        expected = looks_like_export(name) or (drop and not name.lower().startswith("readme"))
        try:
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode) or max(status.st_mtime_ns, status.st_ctime_ns) <= newer_than:
                continue
            identity, is_large = _recognise(path)
        except NotAnExport as error:
            if looks_like_export(name) and status.st_size == 0:
                # A known failure of the client: whoever trusts such a file and compacts loses the conversation.
                error.told = "The client wrote nothing: run /export again before /compact, then delete this file."
                yield Refusal(path, error, fatal=True)
            elif expected:
                yield Refusal(path, error, fatal=False)
        except UnsafePath as error:
            if expected:
                yield Refusal(path, error, fatal=False)
        except (OSError, DedupError) as error:
            if expected and not isinstance(error, (FileNotFoundError, ExportGone)):
                told = error if isinstance(error, DedupError) else ExportUnreadable(str(error.strerror))
                yield Refusal(path, told, fatal=True)
        else:
            stays = _stays(project, path)
            restored = "" if stays else _restored_from(project, path)
            if restored and not named:
                yield Refusal(path, RestoredExport(f"it was restored from the archive ({restored})"), fatal=False)
            else:
                yield Candidate(path, identity, stays=stays or bool(restored), large=is_large)


def _recognise(path: Path) -> tuple[Identity, bool]:
    """The identity of the file at ``path`` if its content is an export's, and whether a large one's.

    Raises :class:`NotAnExport`.
    """
    from .. import formats

    descriptor, identity = open_regular(path)
    try:
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
            if formats.large(file, strict=True) is not None:
                return identity, True
        head = take(descriptor, _HEAD)
        if head.startswith(b"PK"):
            raise NotAnExport(formats.describe(head))
        if len(head) < identity.size:
            if identity.size > SEARCH_LIMIT:
                raise NotAnExport(f"{identity.size:,} bytes are too many for a search; pass its path to process it")
            if _is_json(head):
                head += take(descriptor, identity.size - len(head))
        own_output.refuse(head)
        try:
            formats.detect(head, strict=True)
        except NotAnExport:
            formats.detect(head)  # says what it is instead, unless it is something after all
            raise NotAnExport("it only looks like one in parts; pass its path to process it") from None
        return identity, False
    finally:
        os.close(descriptor)


def _not_ours(path: Path) -> Identity:
    """The identity of a file that was named. Raises :class:`OwnOutput` where we wrote it."""
    from .. import formats

    descriptor, identity = open_regular(path)
    try:
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
            if formats.large(file) is not None:
                return identity
        head = take(descriptor, _HEAD)
        if _is_json(head) and identity.size <= SEARCH_LIMIT and not own_output.begins_with_line(head):
            head += take(descriptor, identity.size - len(head))
        own_output.refuse(head)
        return identity
    finally:
        os.close(descriptor)


def _is_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _is_in_backup(path: Path) -> bool:
    """Whether ``path`` is, or lies in, the folder of a backup: the parts in it are exports that were archived."""
    from ..project.paths import BACKUP_MARKER

    for folder in (path, *path.parents):
        with contextlib.suppress(OSError, DedupError):
            descriptor, _ = open_regular(folder / BACKUP_MARKER)
            try:
                if own_output.kind_of(take(descriptor, _HEAD)) == own_output.SNAPSHOT:
                    return True
            finally:
                os.close(descriptor)
    return False


def _restored_from(project: Project, path: Path) -> str:
    from .restored_files import restored_from

    return restored_from(project, path)


def _within(folder: Path, path: Path) -> bool:
    return path == folder or folder in path.parents


def _stays(project: Project, path: Path) -> bool:
    return not _within(project.root, path) or _within(Path(os.path.realpath(project.archive)), path)
