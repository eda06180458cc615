"""A private folder beside a place, in which something is put together that then takes the place in one step."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from typing import TYPE_CHECKING, Final

from ..errors import RestoreRefused, StoreLocked
from ..files import atomic, beneath
from ..files.lock_names import LOCK
from ..files.locking import exclusive

if TYPE_CHECKING:
    from collections.abc import Iterator

_IGNORE: Final = ".gitignore"


def occupied(place: str) -> bool:
    """Whether something is there that must be kept: a file, a link, in it or in its stead. Raises ``OSError``."""
    if not os.path.isdir(place):
        return os.path.lexists(place)
    return any(
        names or any(os.path.islink(os.path.join(at, name)) for name in inner) for at, inner, names in os.walk(place)
    )


@contextlib.contextmanager
def staged(place: str) -> Iterator[str]:
    """A private folder beside ``place``, gone afterwards; what a killed run left there goes as well."""
    parent, name = os.path.split(place)
    with atomic.write_errors(parent):
        if not os.path.isdir(parent):
            atomic.make_private_directory(parent)
        leftover = re.compile(rf"\.{re.escape(name)}\.restoring-\d+\Z")
        for other in filter(leftover.match, os.listdir(parent)):
            _remove_leftover(os.path.join(parent, other))
        stage = os.path.join(parent, f".{name}.restoring-{os.getpid()}")
        beneath.mkdir(stage, atomic.PRIVATE_DIRECTORY)
    try:
        atomic.replace(os.path.join(stage, _IGNORE), b"*\n", durable=False)
        with exclusive(os.path.join(stage, LOCK)):
            yield stage
    finally:
        _remove(stage)


def _remove_leftover(stage: str) -> None:
    """Remove a folder of a run that was killed; one that is at work holds its lock."""
    with contextlib.suppress(StoreLocked):
        with exclusive(os.path.join(stage, LOCK), 0):
            pass
        _remove(stage)


def _remove(stage: str) -> None:
    for at, folders, _ in os.walk(stage):
        for name in folders:
            with contextlib.suppress(OSError):  # one that was restored may be without permissions
                beneath.chmod(os.path.join(at, name), atomic.PRIVATE_DIRECTORY)
    beneath.remove_tree(stage, ignore_errors=True)


def put(content: str, place: str) -> None:
    """The one step. Empty folders that are in the way are removed first."""
    if os.path.isdir(place):
        for at, folders, names in os.walk(place, topdown=False):
            if names:
                raise RestoreRefused(place)
            for name in folders:
                beneath.rmdir(os.path.join(at, name))
        if os.name == "nt":
            beneath.rmdir(place)
    try:
        beneath.rename(content, place)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise RestoreRefused(place) from error  # somebody began a store there a moment ago
        raise
    atomic.sync_directory(os.path.dirname(place))
