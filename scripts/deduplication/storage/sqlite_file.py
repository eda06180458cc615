"""The file of an SQLite index: opened, made and deleted."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Final

from .. import atomic
from .checked_entries import IndexDamaged

if TYPE_CHECKING:
    import sqlite3

NAME: Final = "index.sqlite3"
FILES: Final = (NAME, f"{NAME}-wal", f"{NAME}-shm")
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
    for name in FILES:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, name))


def connect(path: str) -> sqlite3.Connection:
    """An open database. Raises :class:`IndexDamaged`."""
    import sqlite3
    from pathlib import Path
    from urllib.parse import quote

    uri = "file:" + quote(Path(path).as_posix())
    try:
        if os.access(os.path.dirname(path), os.W_OK) and os.access(path, os.W_OK):
            if os.name != "nt" and stat.S_IMODE(os.stat(path).st_mode) & 0o077:
                os.chmod(path, atomic.PRIVATE_FILE)
            # A power cut costs the last runs at most, and those the log has; there is nothing to wait for.
            pragmas: tuple[str, ...] = (
                "journal_mode = WAL",
                "synchronous = NORMAL",
                f"wal_autocheckpoint = {_CHECKPOINT}",
            )
        else:
            uri += "?immutable=1"
            pragmas = ("schema_version",)
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise IndexDamaged(str(error)) from error
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except (sqlite3.Error, ValueError) as error:  # a ValueError: the very message of the error is damaged
        connection.close()
        raise IndexDamaged(str(error)) from error
    return connection


def empty_private_file(path: str) -> None:
    """SQLite gives what it keeps beside a database the database's own mode."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, atomic.PRIVATE_FILE))
