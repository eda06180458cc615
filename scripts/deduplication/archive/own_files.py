"""Which files in the folder of an archive are our own, and no export."""

from __future__ import annotations

from typing import Final

from ..project.paths import LISTED_COPY, LOCK, PURGED_FILES

IGNORE: Final = ".gitignore"
INCOMING: Final = ".incoming-"
"""How the name of a file begins that is being copied in."""


def is_ours(name: str) -> bool:
    """Whether a file of this name in the archive's folder is ours, and no export."""
    return name in (LOCK, IGNORE, PURGED_FILES, LISTED_COPY) or name.startswith(INCOMING) or is_leftover(name)


def is_leftover(name: str) -> bool:
    """What is left of a file of ours where its run was killed while it wrote it."""
    return name.startswith((f"{IGNORE}.", f"{LISTED_COPY}.", f"{PURGED_FILES}.")) and name.endswith(".tmp")
