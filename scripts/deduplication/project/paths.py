"""Where things lie: the project a command works on and the folders below it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ..errors import NotPermitted, UsageError
from ..files import anchored, lock_names
from ..start.late_dataclass import dataclass

MEMORY: Final = "MEMORY-CONTEXT"
LOCK: Final = lock_names.LOCK
"""The lock of the store, and that of the archive, each in its folder."""
LOG_NAME: Final = "conversation_log.jsonl"
"""The open part of the log, in the store's folder."""
INDEX: Final = "index.bin"
"""The index of a store, in its folder."""
LENT: Final = "database.lent"
"""In the folder of a project whose store lies in a database: its log is here for as long as a purge takes."""
INDEX_SENT: Final = "index.sent.bin"
"""The index as it was when a database last had all of the log."""
WORDS: Final = "words.bin"
"""Beside the index: which words stand where in the log, roughly."""
WATERMARKS: Final = "watermarks.json"
HASHES: Final = "content_hashes.json"
"""Of a store of plain files: a content hash for each message."""
FORMER_INDEX: Final = ("alignment_index.json", "index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm")
"""What version 0.1 had in the place of :data:`INDEX`."""
AUDIT: Final = "deduplication_log.jsonl"
"""A line for each run, for people: an index as well."""
OPERATIONS: Final = "operations.jsonl"
"""In the store's folder: a line for each operation on the store that its log does not tell of. No index: nothing makes it again."""
STATUS_LOG: Final = "export-dedup-status.txt"
"""Beside the store's folder: a line for every run."""
REPORTS: Final = "reports.txt"
"""In the folder of a project's store: the whole report of every run, of which the status log has a line."""
HOOKS_LOG: Final = "hooks.log"
"""In the store's folder: what went wrong in hooks."""
HOOKS_CALLED: Final = "hooks.json"
"""In the store's folder: which events the client fired, and when last."""
ALERTS: Final = "alerts.json"
"""In the store's folder: which alerts were raised, and what of them waits to be sent."""
SESSION_ROWS: Final = "session_rows.json"
"""In the store's folder: what the index of all sessions says of each."""
INDEX_NAMES: Final = (INDEX, INDEX_SENT, WORDS, WATERMARKS, HASHES, *FORMER_INDEX, AUDIT)
"""In the store's folder: everything that the log can make again."""
QUARANTINE: Final = "quarantine"
"""In the folder of the store and in that of the archive: what was put aside."""
PURGED_FILES: Final = "purged.jsonl"
"""In the archive's folder: which files are not what was exported, because messages of theirs were purged."""
ARCHIVE: Final = "exports-archive"
"""The folder of the archive, beside that of the store."""
LISTED: Final = "archived.jsonl"
"""In the store's folder: which files the archive took in. It is the archive's, and does not go with its folder."""
LISTED_COPY: Final = ".archived.jsonl"
"""In the archive's folder: which files the archive took in."""
SENT_NOTE: Final = ".database.json"
"""In the archive's folder: what a database has of it."""
SENDING_LOCK: Final = ".database.lock"
"""In the archive's folder: held by whoever sends it to a database."""
FETCHED: Final = ".fetched"
"""In the archive's folder: packs of other machines, from a database. Can be deleted at any time."""
BACKUP_MARKER: Final = "backup.json"
"""In the folder of a backup: it is one, and whose."""
_ROOT_SIGNS: Final = (MEMORY, ".coditect", ".git")


@dataclass(frozen=True)
class Project:
    """A project's folders. ``root`` is absolute and free of symbolic links; nothing is created here.

    From the moment that a project is known no call for a path below it leads out of it.
    """

    root: Path

    def __post_init__(self) -> None:
        """Anchor what is done below the root."""
        anchored.anchor(self.root)

    @property
    def memory(self) -> Path:
        """``MEMORY-CONTEXT/``."""
        return self.root / MEMORY

    @property
    def exports(self) -> Path:
        """The drop folder."""
        return self.memory / "exports"

    @property
    def archive(self) -> Path:
        """Raw exports after processing."""
        return self.memory / ARCHIVE

    @property
    def sessions(self) -> Path:
        """Readable session files, committed."""
        return self.memory / "sessions"

    @property
    def checkpoints(self) -> Path:
        """Checkpoint documents, committed."""
        return self.memory / "checkpoints"

    @property
    def state(self) -> Path:
        """The message store, private."""
        return self.memory / "dedup_state"

    @property
    def status_log(self) -> Path:
        """A line for every run, appended."""
        return self.memory / STATUS_LOG

    @property
    def reports(self) -> Path:
        """Every run's full report, appended."""
        return self.state / REPORTS

    def relative(self, path: Path) -> str:
        """``path`` as shown to the user: relative to the root where it lies below it, with forward slashes."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return str(path)


def is_store(folder: str) -> bool:
    """True where a store was made in ``folder``, or something of one is left.

    Raises :class:`NotPermitted` for a folder that may not be looked into: nobody can tell that there is none.
    """
    try:
        return any(_is_there(os.path.join(folder, name)) for name in (LOG_NAME, LOCK, *INDEX_NAMES))
    except PermissionError as error:
        raise NotPermitted(f"{folder}: {error.strerror}") from error


def _is_there(path: str) -> bool:
    """As ``os.path.lexists``, which takes what it must not look at for nothing."""
    try:
        os.lstat(path)
    except PermissionError:
        raise
    except (OSError, ValueError):
        return False
    return True


def find_project(explicit: str | os.PathLike[str] | None = None) -> Project:
    """The project named by ``--project``, else ``CLAUDE_PROJECT_DIR``, else found from the current folder upwards.

    Upwards means: the nearest folder with ``MEMORY-CONTEXT``, ``.coditect`` or ``.git`` in it, but never the home
    folder itself; else the current folder. Raises :class:`UsageError` where the named folder does not exist.
    """
    named = explicit if explicit is not None else os.environ.get("CLAUDE_PROJECT_DIR") or None
    if named is not None:
        root = os.path.expanduser(named)
        if not os.path.isdir(root):
            raise UsageError(f"no such project folder: {os.fspath(named)}")
        return Project(Path(root).resolve())
    try:
        here = Path.cwd().resolve()
    except FileNotFoundError as error:
        raise UsageError(
            "the current folder was removed", hint="Change to another folder, or pass --project."
        ) from error
    home = Path(os.path.realpath(os.path.expanduser("~")))
    for folder in (here, *here.parents):
        if folder != home and any(os.path.exists(folder / sign) for sign in _ROOT_SIGNS):
            return Project(folder)
    return Project(here)
