"""Up to where a database has the log of a store that lies in a folder, and how it went the last time that somebody tried."""

from __future__ import annotations

import json
import os
from typing import Final

from ...files import atomic
from ...files.clock import timestamp
from ...start.late_tuple import NamedTuple
from ..log.lines import BEGINNING

NAME: Final = "database.json"
"""In the store's folder. Without it nothing is taken to be sent, and all is compared anew."""


class SentMark(NamedTuple):
    """``size`` bytes of the log are there, ``runs`` runs, with the head ``head``; since ``at``.

    ``failure``: why the last attempt, at ``failed_at``, came to nothing; empty where it did not.
    """

    size: int = 0
    runs: int = 0
    head: str = BEGINNING
    at: str = ""
    failure: str = ""
    failed_at: str = ""


def read(folder: str) -> SentMark:
    """What is known; nothing where the file cannot be read."""
    try:
        with atomic.open_regular(os.path.join(folder, NAME)) as file:
            found = SentMark(**json.loads(file.read()))
    except (OSError, ValueError, TypeError):
        return SentMark()
    return found if list(map(type, found)) == [int, int, str, str, str, str] else SentMark()


def sent(folder: str, size: int, runs: int, head: str) -> None:
    """The database has so much of it now, durably. Raises ``StoreNotWritable``."""
    _write(folder, SentMark(size, runs, head, timestamp()))


def failed(folder: str, why: str) -> None:
    """It could not be reached, or refused. Raises ``StoreNotWritable``."""
    _write(folder, read(folder)._replace(failure=why, failed_at=timestamp()))


def _write(folder: str, mark: SentMark) -> None:
    atomic.replace(os.path.join(folder, NAME), json.dumps(mark._asdict()).encode() + b"\n")
