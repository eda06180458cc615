"""Which files a snapshot has: everything below ``MEMORY-CONTEXT`` but what can be made again."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

from ..errors import UnsafePath
from ..files.safe_read import Identity
from ..project.paths import ALERTS, INDEX_NAMES, OPERATIONS
from ..start.late_dataclass import dataclass, field
from ..start.late_pattern import late_pattern
from .source import ARCHIVE, SETTINGS, STATE

if TYPE_CHECKING:
    from .source import Source

_MADE_AGAIN: Final = late_pattern(
    rf"""{STATE}/(?:{"|".join(map(re.escape, (*INDEX_NAMES, OPERATIONS, ALERTS)))}|[^/]*\.lock|live(?:/.*)?|sealed/\.pending)
    |{ARCHIVE}/(?:\.lock|\.incoming-[^/]*|packs/[^/]*\.idx|\.database\.(?:json|lock)|\.fetched(?:/.*)?)
    |(?:.*/)?[^/]*\.\d+\.tmp""",
    re.VERBOSE | re.DOTALL,
)
"""Indexes, locks, markers of the hooks, alerts (restored, they would be sent again), and what a process left behind that was
killed; and what was done to this copy of the store, which a backup of it adds to. All else is taken, also what no version of today
knows."""


@dataclass(frozen=True)
class Found:
    """One file: its name in the snapshot, where it lies, and its state when it was seen."""

    path: str
    place: str
    identity: Identity
    mode: int


@dataclass
class Selection:
    """What there is. ``notes``: what is no file or folder and was passed over; ``problems``: what could not be looked at."""

    files: list[Found] = field(default_factory=list)
    folders: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def select(source: Source) -> Selection:
    """Every file and folder of a store that cannot be made again. Links are not followed, but for store and archive themselves."""
    found = Selection()
    if source.memory is not None:
        _folder(found, source.memory, "", skip=(STATE, ARCHIVE))
        if source.archive is not None:
            _folder(found, _inside(source.archive, source), f"{ARCHIVE}/")
    _folder(found, source.state, f"{STATE}/")
    if source.settings is not None and os.path.lexists(source.settings):
        _entry(found, source.settings, SETTINGS)
    return found


def is_rebuilt(path: str) -> bool:
    """True for a name, seen from ``MEMORY-CONTEXT``, of which no snapshot needs anything."""
    return _MADE_AGAIN.fullmatch(path) is not None


def _inside(archive: str, source: Source) -> str:
    """The archive's real folder, which may lie behind a link but not outside of the project."""
    real, root = os.path.realpath(archive), os.path.realpath(source.root or source.memory or "")
    if os.path.commonpath([real, root]) != root:
        raise UnsafePath(
            f"{archive} leads to {real}", hint="Make MEMORY-CONTEXT/exports-archive a folder of the project."
        )
    return real


def _folder(found: Selection, place: str, prefix: str, *, skip: tuple[str, ...] = ()) -> None:
    try:
        names = sorted(os.listdir(place))
        found.folders[prefix.rstrip("/") or "."] = stat.S_IMODE(os.stat(place).st_mode)
    except OSError as error:
        found.problems.append((prefix.rstrip("/") or ".", str(error.strerror or error)))
        return
    for name in names:
        if name not in skip and not is_rebuilt(prefix + name):
            _entry(found, os.path.join(place, name), prefix + name)


def _entry(found: Selection, place: str, path: str) -> None:
    try:
        status = os.lstat(place)
    except FileNotFoundError:
        return  # a run removed it between both looks
    except OSError as error:
        found.problems.append((path, str(error.strerror or error)))
        return
    if stat.S_ISDIR(status.st_mode):
        _folder(found, place, f"{path}/")
    elif stat.S_ISREG(status.st_mode):
        found.files.append(Found(path, place, Identity.of(status), stat.S_IMODE(status.st_mode)))
    else:
        found.notes.append(f"{path} is a link or no file and was not taken")
