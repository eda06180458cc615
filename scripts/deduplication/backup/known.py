"""Which folders have backups of a store, remembered beside its log, so that what is purged can be purged there, too.

``dedup_state/backups.json``. If it is lost, the backups are what they were; only nobody knows where they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from typing import Any, Final

from .. import atomic
from ..errors import StoreError, StoreNotWritable
from ..locking import exclusive
from ..storage.log import Log
from ..storage.log_store import LOCK, LOG_NAME

NAME: Final = "backups.json"
_DIGITS: Final = 32


def known(state: str) -> list[str]:
    """The folders (absolute) that have backups of the store in the folder ``state``, in the order in which they were begun.

    Raises ``StoreError`` where that cannot be read.
    """
    return [entry["path"] for entry in _read(state)["folders"]]


def store_id(state: str) -> str:
    """What tells this store from others: remembered from its first backup on, before that the hash of its log's first line.

    A store without a line gets one at random, which :func:`remember` keeps. Raises ``StoreLocked``, ``StoreError``.
    """
    said = _read(state)["store"]
    if said:
        return str(said)
    log = Log(os.path.join(state, LOG_NAME))
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(StoreNotWritable):  # nobody can write a store that is read-only
            stack.enter_context(exclusive(os.path.join(state, LOCK)))
        log.settle(write=False)
        try:
            line = next(log.lines(), None)
        except StoreError:
            line = None
    if line is None:
        return secrets.token_hex(_DIGITS // 2)
    return hashlib.sha256(line.data).hexdigest()[:_DIGITS]


def remember(state: str, folder: str, store: str, moment: str) -> None:
    """Note that ``folder`` has backups of the store in ``state`` from now on. Raises ``StoreNotWritable``, ``StoreLocked``."""
    if _says(_read(state), folder, store):
        return  # as nearly always: nobody has to wait for that
    with exclusive(os.path.join(state, LOCK)):
        said = _read(state)
        entries = said["folders"]
        entries = [entry for entry in entries if entry["path"] != folder]
        _write(state, {"store": store, "folders": [*entries, {"path": folder, "since": moment}]})


def forget(state: str, folder: str) -> bool:
    """Take a folder from the list, which is left as it is; False where it was not on it."""
    with exclusive(os.path.join(state, LOCK)):
        said = _read(state)
        left = [entry for entry in said["folders"] if entry["path"] != folder]
        if len(left) == len(said["folders"]):
            return False
        _write(state, {**said, "folders": left})
        return True


def _says(said: dict[str, Any], folder: str, store: str) -> bool:
    return said["store"] == store and any(entry["path"] == folder for entry in said["folders"])


def _write(state: str, said: dict[str, Any]) -> None:
    atomic.replace(os.path.join(state, NAME), json.dumps(said, indent=1).encode() + b"\n")


def _read(state: str) -> dict[str, Any]:
    """What the file says; nothing where there is none, or where it says something else."""
    path = os.path.join(state, NAME)
    try:
        with atomic.open_regular(path) as file:
            content = file.read()
    except FileNotFoundError:
        content = b""
    except OSError as error:  # it may say much: whoever took it for empty would write it anew
        raise StoreError(f"{path}: {error.strerror or error}") from error
    try:
        said = json.loads(content)
        folders = [entry for entry in said["folders"] if isinstance(entry["path"], str)]
        store = said["store"] if isinstance(said["store"], str) else ""
    except (ValueError, TypeError, KeyError, RecursionError):
        return {"store": "", "folders": []}
    return {"store": store, "folders": folders}
