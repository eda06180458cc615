"""Which files in the folder of an archive are our own, and no export."""

from __future__ import annotations

from typing import Final

from ..project.paths import FETCHED, LISTED_COPY, LOCK, PURGED_FILES, SENDING_LOCK, SENT_NOTE

IGNORE: Final = ".gitignore"
INCOMING: Final = ".incoming-"
"""How the name of a file begins that is being copied in."""

_OURS: Final = (LOCK, IGNORE, PURGED_FILES, LISTED_COPY, SENT_NOTE, SENDING_LOCK, FETCHED)


def is_ours(name: str) -> bool:
    """Whether a file of this name in the archive's folder is ours, and no export."""
    return name in _OURS or name.startswith((INCOMING, f"{SENT_NOTE}.")) or is_leftover(name) or _is_list(name)


def _is_list(name: str) -> bool:
    """The list of archived files, or a copy of it that something left which synchronises folders."""
    stem, ending = LISTED_COPY.rsplit(".", 1)
    return name.startswith(stem) and name.endswith(f".{ending}")


def is_leftover(name: str) -> bool:
    """What is left of a file of ours where its run was killed while it wrote it."""
    return name.startswith((f"{IGNORE}.", f"{LISTED_COPY}.", f"{PURGED_FILES}.")) and name.endswith(".tmp")
