"""Exports that the client says it made, and of which nothing came into the store."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..accounting import run_history
from ..errors import DedupError
from ..files.safe_read import open_regular, take
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..project.named_exports import ExportNotice
    from ..storage.contract import Store

_SLACK: Final = 5.0
"""Seconds by which an export may be stored before the line that names it was written."""
_MOST: Final = 256 * 1024 * 1024
"""Bytes of a file whose hash is taken."""


class Unseen(NamedTuple):
    """An export of which nothing was stored: its file, when the client last named it, in seconds, and whether it is there.

    ``in_time``: the store had taken something before, so that somebody was there to take this.
    """

    path: str
    moment: float
    there: bool
    in_time: bool


def named(notices: Iterable[ExportNotice]) -> dict[str, float]:
    """Each file that the client named, and when last, in seconds."""
    found: dict[str, float] = {}
    for told in notices:
        if told.path and told.moment:
            found[told.path] = max(told.moment, found.get(told.path, 0.0))
    return found


def unseen(store: Store | None, folder: str, exports: dict[str, float]) -> Iterator[Unseen]:
    """Those of ``exports`` that the store in ``folder`` took nothing of, the latest first."""
    if not exports:
        return
    runs, _ = run_history.runs(folder, store)
    stored: dict[str, float] = {}
    for run in runs:
        for name in run.exports:
            stored[name] = max(run.finished, stored.get(name, 0.0))
    began = min((run.finished for run in runs), default=float("inf"))
    for path, moment in sorted(exports.items(), key=lambda each: -each[1]):
        if stored.get(os.path.basename(path), 0.0) >= moment - _SLACK:
            continue
        there = os.path.isfile(path)
        if not (there and _is_stored(store, path)):
            yield Unseen(path, moment, there, moment > began)


def _is_stored(store: Store | None, path: str) -> bool:
    """True where these very bytes were processed, under whatever name, or where nobody can tell."""
    if store is None:
        return False
    try:
        descriptor, identity = open_regular(Path(path))
        try:
            digest = hashlib.sha256(take(descriptor, min(identity.size, _MOST))).hexdigest()
        finally:
            os.close(descriptor)
        with store.transaction(write=False):
            return bool(store.seen(digest))
    except DedupError:
        return True
