"""Which files in the folder are a session's, whatever it was called when they were written: by the digits in their names, and by
their last line.

Version 0.1 named the files of a session by its id.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final

from ..errors import SessionNotWritten
from ..files import atomic, beneath
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..titles.slug import short
from . import footer
from .names import ENDING, base_of, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PART: Final = late_pattern(r"(?:\.\d{1,3})?(?:\.part-\d{3,})?\.md\Z")
NO_FILE: Final = (errno.EINVAL, errno.ELOOP, errno.EISDIR, errno.ENXIO)
"""How the opening of a folder, a link or a pipe fails."""
_DIGITS: Final = 8
_DATED: Final = late_pattern(r"(?:\d{4}-\d\d-\d\d|agent)-")


class Own(NamedTuple):
    """Names of files: those that prove to be the session's, those that somebody changed, and folders, links and pipes."""

    files: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def own_files(folder: str, session: str, *, but: str = "") -> Own:
    """The files of ``session`` that grow, but for those under the name ``but``. Raises :class:`SessionNotWritten`."""
    found: list[str] = []
    changed: list[str] = []
    unread: list[str] = []
    for name, rest in named_like(folder, session):
        if not _PART.match(rest) or (but and base_of(name) == but):
            continue
        try:
            with atomic.open_regular(os.path.join(folder, name)) as file:
                known = footer.proven(file.read())
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno in NO_FILE:
                unread.append(name)
                continue
            raise SessionNotWritten(f"{name}: {error.strerror or error}") from error
        if known is None:
            changed.append(name)
        elif known.said.get("session") == session and isinstance(known.said.get("part"), int):
            found.append(name)
    return Own(tuple(found), tuple(changed), tuple(unread))


def named_like(folder: str, session: str) -> Iterator[tuple[str, str]]:
    """Files of the folder with a name that this session's may have, and what stands in it behind that, sorted."""
    former = stem(session)
    digits = short(session)
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    for name in names:
        root, dot, rest = name.partition(".")
        if root == digits or root.endswith(f"-{digits}"):
            yield name, dot + rest
        elif name.startswith(f"{former}."):
            yield name, name[len(former) :]


def pages_of(folder: str, session: str, ending: str) -> list[str]:
    """The documents of the whole session with this ending."""
    former = stem(session) + ending
    return [
        name
        for name, rest in named_like(folder, session)
        if rest == ending and (_DATED.match(name) or name == former) and os.path.isfile(os.path.join(folder, name))
    ]


def digits_of(name: str) -> str:
    """The digits in the name of a session's file that tell whose it is; empty where there are none."""
    found = name.partition(".")[0].rpartition("-")[2]
    return found if len(found) == _DIGITS else ""


def file_among(session: str, names: Iterable[str]) -> str:
    """Of names of files that a run wrote, that of the session's first file; empty where none is."""
    digits = short(session)
    own = [name for name in names if name.endswith(ENDING) and ".part-" not in name]
    own = [name for name in own if f"-{name}".partition(".")[0].endswith(f"-{digits}")]
    return min(own, key=len, default="")


def remove(folder: str, names: Sequence[str]) -> None:
    """Delete files of ours. Raises :class:`SessionNotWritten`."""
    for name in names:
        path = os.path.join(folder, name)
        try:
            with contextlib.suppress(FileNotFoundError):
                beneath.unlink(path)
        except OSError as error:
            raise SessionNotWritten(f"{name}: {error.strerror or error}") from error
