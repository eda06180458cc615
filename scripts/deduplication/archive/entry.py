"""A file of an archive: what is known of it, and how several of them are told apart."""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, Optional, Protocol

from ..errors import ArchiveDamaged
from ..files import atomic
from ..project.export_names import moment
from ..start.late_dataclass import dataclass, field
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ..errors import DedupError
    from .listed import Listed

_DATE: Final = late_pattern(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_HASH: Final = late_pattern(r"[0-9a-f]{8,64}\Z", re.ASCII)


class Source(Protocol):
    """Where the bytes of a file come from that lies in another archive."""

    def parts(self, entry: Entry, /) -> Iterable[memoryview]:
        """Which bytes has it? Raises ``ArchiveDamaged`` where they are not what was archived."""


@dataclass(frozen=True)
class Entry:
    """One archived file. ``number`` is its number in the packs, -1 where it is the plain file at ``path``.

    ``source`` has its bytes where it is none of this archive's.
    """

    name: str
    session: str
    size: int
    mtime_ns: int
    sha256: str
    """64 digits; empty for a plain file, until it is asked for."""
    number: int = -1
    path: Optional[Path] = None
    source: Optional[Source] = None
    archive: str = ""
    """Which one numbers it; empty: this one."""

    @property
    def transcript(self) -> bool:
        """Whether it is one of the client's own files: its name is the path below the client's ``projects``."""
        return self.number >= 0 and "/" in self.name

    @property
    def plain_name(self) -> str:
        """The name without the client's folder."""
        return self.name.split("/", 1)[1] if self.transcript else self.name

    @property
    def day(self) -> str:
        """The day on which it was written, by its name or its time, in local time; ``no date`` outside every calendar."""
        try:
            written = datetime.fromtimestamp(moment(self.name, self.mtime_ns), timezone.utc).astimezone()
        except (ValueError, OverflowError, OSError):
            return "no date"
        return written.strftime("%Y-%m-%d")

    @property
    def place(self) -> tuple[str, int]:
        """Which packs have it, and where."""
        return self.archive, self.number


@dataclass
class Elsewhere:
    """What other archives have: ``listed`` is the list of all of them, ``purged`` their notes of purged files.

    ``lost`` is an error for each file of which not even the name can be read, or for each pack; ``problems`` tell what turns out to
    be damaged while files are taken.
    """

    entries: list[Entry] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    purged: list[bytes] = field(default_factory=list)
    lost: list[DedupError] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def lost_error(listed: Listed) -> ArchiveDamaged:
    """What there is to say of a file that the archive took in and does not have any more."""
    day = Entry(listed.name, listed.session, listed.size, listed.mtime_ns, listed.sha256).day
    return ArchiveDamaged(
        f"it was archived ({day}, {listed.size:,} bytes, SHA-256 {listed.sha256[:16]}…), and is not there",
        hint="'deduplicate_export.py repair' looks for another copy: in backups, with Claude Code, in exports/, in the database.",
    )


def is_date(wanted: str) -> bool:
    """Whether it may mean the files of a day."""
    return _DATE.match(wanted) is not None


def is_hash(wanted: str) -> bool:
    """Whether it may mean the file whose SHA-256 begins so."""
    return _HASH.match(wanted.lower()) is not None


def names(entries: Sequence[Entry]) -> list[str]:
    """A file name for each, no two alike (``name-2.txt`` for the second), none of them leading anywhere."""
    taken: set[str] = set()
    chosen = []
    for entry in entries:
        name = re.sub(r"[/\\\0]", "-", entry.plain_name)
        name = "file" if name in ("", ".", "..") else name
        stem, ending = os.path.splitext(name)
        number = 1
        while name.casefold() in taken:
            number += 1
            while len(os.fsencode(f"{stem}-{number}{ending}")) > atomic.MAX_NAME_BYTES and stem:
                stem = stem[:-1]
            name = f"{stem}-{number}{ending}"
        taken.add(name.casefold())
        chosen.append(name)
    return chosen


def outgrown(entries: Sequence[Entry]) -> set[tuple[str, int]]:
    """The places of the client's files that a longer state of the same file came after. One that shrank later is kept."""
    last: dict[tuple[str, str], Entry] = {}
    found = set()
    for entry in entries:
        if not entry.transcript:
            continue
        before = last.get((entry.archive, entry.name))
        if before is not None and before.size < entry.size:
            found.add(before.place)
        last[entry.archive, entry.name] = entry
    return found


def distinct(entries: Sequence[Entry], sha256_of: Callable[[Entry], str]) -> list[Entry]:
    """Without those that have name and bytes of another one (a run that was killed leaves a plain file beside its pack)."""
    seen: set[tuple[str, str]] = set()
    often = Counter(entry.name for entry in entries)
    kept = []
    for entry in entries:
        if often[entry.name] > 1:
            key = (entry.name, sha256_of(entry))
            if key in seen:
                continue
            seen.add(key)
        kept.append(entry)
    return kept
