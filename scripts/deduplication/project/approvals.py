"""Which files of settings the user approved: by path and content, kept in the user's own folder, as direnv does it.

A file that changed is another file. The approvals count only where no repository can have brought them: in a regular file of
the user's, outside of the project that is judged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from typing import Any, Final

from ..errors import NotApproved, StoreNotWritable
from ..files import atomic
from ..files.locking import exclusive
from ..start.late_tuple import NamedTuple
from . import settings_file, user_folders

APPROVED: Final = "approved.json"
TOLD: Final = "told.json"
"""What was said to wait for an approval: it is said once. A file apart, so that no hook ever writes the approvals."""
_LOCK: Final = ".trust.lock"
_MOST_BYTES: Final = 16 * 1024 * 1024
_TOLD: Final = 500
_OTHERS_WRITE: Final = 0o022


class Approval(NamedTuple):
    """``path`` of the file, the SHA-256 of its content, and when it was approved (seconds)."""

    path: str
    sha256: str
    moment: float


def digest(data: bytes) -> str:
    """By which a file's content is known."""
    return hashlib.sha256(data).hexdigest()


def is_approved(root: str, path: str, data: bytes) -> bool:
    """True where the user approved the file ``path`` of the project in the folder ``root`` with just this content."""
    folder = user_folders.data_folder()
    if _lies_in(folder, root):
        return False
    return _read(os.path.join(folder, APPROVED)).get(path, {}).get("sha256") == digest(data)


def approve(root: str, path: str, data: bytes, moment: float) -> None:
    """Remember that the user approved it. Raises :class:`NotApproved` and the ``StoreError`` family."""
    folder = user_folders.data_folder()
    if _lies_in(folder, root):
        raise NotApproved(f"{path}: your own folder {folder} lies in this project")
    if b"\0" in os.fsencode(path):
        raise NotApproved(path)
    _change(folder, APPROVED, {path: {"sha256": digest(data), "time": moment}}, ())


def revoke(path: str) -> bool:
    """Take an approval back; False where there was none."""
    folder = user_folders.data_folder()
    if path not in _read(os.path.join(folder, APPROVED)):
        return False
    _change(folder, APPROVED, {}, (path,))
    return True


def approvals() -> list[Approval]:
    """Every file that is approved, by path."""
    found = _read(os.path.join(user_folders.data_folder(), APPROVED))
    return [Approval(path, str(one["sha256"]), float(one["time"])) for path, one in sorted(found.items())]


def is_news(path: str, data: bytes) -> bool:
    """True where it was not said before that settings of this very file wait; notes that it is said now.

    Where nothing can be noted it is news again.
    """
    folder = user_folders.data_folder()
    known = digest(data)
    if _read(os.path.join(folder, TOLD)).get(path, {}).get("sha256") == known:
        return False
    with contextlib.suppress(StoreNotWritable):
        _change(folder, TOLD, {path: {"sha256": known, "time": 0.0}}, (), most=_TOLD)
    return True


def _change(folder: str, name: str, put: dict[str, Any], drop: tuple[str, ...], most: int | None = None) -> None:
    path = os.path.join(folder, name)
    with atomic.write_errors(folder):
        atomic.make_private_directory(folder)
    with exclusive(os.path.join(folder, _LOCK)):
        found = {key: value for key, value in _read(path).items() if key not in drop and key not in put}
        kept = list(found.items())[-(most - len(put)) :] if most is not None else list(found.items())
        text = json.dumps({"version": 1, "files": {**dict(kept), **put}}, indent=1)
        atomic.replace(path, text.encode() + b"\n")


def _read(path: str) -> dict[str, dict[str, Any]]:
    """What the file says, by path; nothing where it is not the user's own, or where others may write it."""
    try:
        with atomic.open_regular(path) as file:
            status = os.fstat(file.fileno())
            if os.name != "nt" and (status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & _OTHERS_WRITE):
                return {}
            found = json.loads(file.read(_MOST_BYTES))["files"]
        return {
            str(key): one
            for key, one in found.items()
            if isinstance(one["sha256"], str) and isinstance(one["time"], (int, float))
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _lies_in(folder: str, root: str) -> bool:
    """True where the user's own folder is in the project: then a repository may have brought what stands in it."""
    names = (folder, os.path.join(folder, APPROVED))
    return any(not settings_file.leads_out(root, name) for name in names)
