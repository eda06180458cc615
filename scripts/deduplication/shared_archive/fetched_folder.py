"""Files of other archives of the same owner that were fetched from a database: each under its SHA-256, to be had once more."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from ..files import beneath
from ..files.listing import entries_of
from ..project.paths import FETCHED

if TYPE_CHECKING:
    from collections.abc import Collection

NAME: Final = FETCHED


def keep_only(archive: str, hashes: Collection[str]) -> None:
    """Let go of all that has none of these names."""
    for entry in list(entries_of(os.path.join(archive, NAME))):
        if entry.name.partition(".")[0] not in hashes:
            with contextlib.suppress(OSError):  # it can be deleted at any time, the next time for one
                beneath.unlink(entry.path)
