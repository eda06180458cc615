"""Files into packs, each restored from the pack and compared before anybody relies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ArchiveDamaged, DedupError, ExportError, UnsafePath
from ..files import atomic, beneath
from ..start.late_dataclass import dataclass
from ..start.late_tuple import NamedTuple
from .pack_names import index_path
from .pack_set import opened_packs
from .pack_writer import PackWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..files.safe_read import Identity
    from .file_records import FileRecord


class Source(NamedTuple):
    """A file to be packed: where it lies, its name in the archive, and what gives the session of its SHA-256 (64 digits)."""

    path: Path
    name: str
    session_of: Callable[[str], str]


@dataclass(frozen=True)
class PackedFile:
    """A file as it was read, and the record under which it was packed."""

    path: Path
    identity: Identity
    record: FileRecord

    @property
    def number(self) -> int:
        """Its number in the archive."""
        return self.record.number


def pack_and_verify(
    sources: Sequence[Source],
    folder: str,
    read: Callable[[Path], tuple[bytes, Identity]],
    failures: list[tuple[str, DedupError]],
    *,
    thorough: bool,
) -> list[PackedFile]:
    """Pack files; those whose bytes came back, durable. What failed is added to ``failures``, by its name in the archive.

    Under the archive's lock. Raises a ``StoreError`` where the archive cannot be used.
    """
    names = {source.path: source.name for source in sources}
    done = _added(sources, folder, read, failures, thorough=thorough, again=False)
    failed = [each for each, error in _checked(done, folder) if error is not None]
    if not failed:
        return done
    # Something that these files share with older ones is damaged. Without it they are whole: stored once more.
    _forget_damaged(folder)
    lacking = {each.path for each in failed}
    done = [each for each in done if each not in failed]
    again = [source for source in sources if source.path in lacking]
    for each, error in _checked(_added(again, folder, read, failures, thorough=False, again=True), folder):
        if error is None:
            done.append(each)
        else:
            failures.append((names[each.path], error))
    return done


def _added(
    sources: Sequence[Source],
    folder: str,
    read: Callable[[Path], tuple[bytes, Identity]],
    failures: list[tuple[str, DedupError]],
    *,
    thorough: bool,
    again: bool,
) -> list[PackedFile]:
    done = []
    with opened_packs(folder) as packs:
        addition = PackWriter(packs, thorough=thorough)
        for source in sources:
            try:
                data, identity = read(source.path)
            except (ExportError, UnsafePath) as error:
                failures.append((source.name, error))
                continue
            record = addition.add(
                data, name=source.name, mtime_ns=identity.mtime_ns, session_of=source.session_of, again=again
            )
            done.append(PackedFile(source.path, identity, record))
        addition.commit()
    return done


def _checked(done: Sequence[PackedFile], folder: str) -> list[tuple[PackedFile, ArchiveDamaged | None]]:
    """Each file with what went wrong when it was restored from the packs as they lie on the disk."""
    found: list[tuple[PackedFile, ArchiveDamaged | None]] = []
    with opened_packs(folder) as packs:
        for each in done:
            try:
                for _ in packs.restore(each.number):
                    pass
            except ArchiveDamaged as error:
                found.append((each, error))
            else:
                found.append((each, None))
    return found


def _forget_damaged(folder: str) -> None:
    """Make the indexes of damaged packs anew: what is damaged in them is then not known any more."""
    with opened_packs(folder) as packs:
        damaged = [
            member.pack.path for member in packs.members if not (member.pack.is_intact() and member.index.sound())
        ]
    for path in damaged:
        with atomic.write_errors(path):
            beneath.unlink(index_path(path))
