"""The file of an SQLite index: opened, made and deleted."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from ...files import atomic, beneath
from ...project.paths import SQLITE_INDEX
from .checked_entries import IndexDamaged

if TYPE_CHECKING:
    import sqlite3

NAME: Final = SQLITE_INDEX[0]
_CHECKPOINT: Final = 250
"""Pages that are written before SQLite brings them from its journal into the database: what the next process has to read."""


def available() -> bool:
    """Some builds of Python come without SQLite."""
    try:
        import sqlite3  # noqa: F401 - only to see whether it is there
    except ImportError:
        return False
    return True


def remove(folder: str) -> None:
    """Delete the database and what SQLite keeps beside it."""
    for name in SQLITE_INDEX:
        with contextlib.suppress(OSError):
            beneath.unlink(os.path.join(folder, name))


def connect(path: str) -> sqlite3.Connection:
    """An open database. Raises :class:`IndexDamaged`."""
    import sqlite3

    try:
        with beneath.reached(path) as (name, folder):
            if os.access(os.path.dirname(path), os.W_OK) and os.access(path, os.W_OK):
                if os.name != "nt" and stat.S_IMODE(beneath.status(path).st_mode) & 0o077:
                    beneath.chmod(path, atomic.PRIVATE_FILE)
                # A power cut costs the last runs at most, and those the log has; there is nothing to wait for.
                pragmas: tuple[str, ...] = (
                    "journal_mode = WAL",
                    "synchronous = NORMAL",
                    f"wal_autocheckpoint = {_CHECKPOINT}",
                )
                connection = opened(path, "mode=rw")
            else:
                pragmas = ("schema_version",)
                connection = opened(path, "immutable=1")
            try:
                _is(path, name, folder)
                for pragma in pragmas:
                    connection.execute(f"PRAGMA {pragma}")
                _is(path, name, folder)
            except BaseException:
                connection.close()
                raise
    except (sqlite3.Error, OSError, ValueError) as error:  # a ValueError: the very message of the error is damaged
        raise IndexDamaged(str(error)) from error
    return connection


def opened(path: str, how: str) -> sqlite3.Connection:
    """A connection to a database that is there: none is ever made where the path leads by now."""
    import sqlite3
    from pathlib import Path
    from urllib.parse import quote

    uri = f"file:{quote(os.fsencode(Path(path).as_posix()))}?{how}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _is(path: str, name: str, folder: int | None) -> None:
    """Raise an error where the path, by which SQLite opens its files, leads to another file than the way through the folders."""
    if folder is not None and not os.path.samestat(os.stat(path), os.stat(name, dir_fd=folder, follow_symlinks=False)):
        raise OSError(errno.ELOOP, "a link on the way leads elsewhere", path)


def empty_private_file(path: str) -> None:
    """SQLite gives what it keeps beside a database the database's own mode."""
    with contextlib.suppress(FileNotFoundError):
        beneath.unlink(path)
    os.close(beneath.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, atomic.PRIVATE_FILE))
